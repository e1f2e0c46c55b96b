import { crc32 } from "node:zlib";

import { describe, expect, test } from "vitest";
import { fromBufferPromise } from "yauzl";

import { type ZipEntry, zipOf } from "../../src/lookalikes/zipWriter.ts";

/** Reads an archive with the product's own library, which checks sizes, and checks what it leaves to others: checksums. */
async function read(archive: Buffer): Promise<readonly (readonly [string, string, number])[]> {
  const zip = await fromBufferPromise(archive, { lazyEntries: true });
  const found: [string, string, number][] = [];
  for await (const entry of zip.eachEntry()) {
    const pieces: Buffer[] = [];
    for await (const piece of await zip.openReadStreamPromise(entry)) pieces.push(piece as Buffer);
    const content = Buffer.concat(pieces);
    expect(entry.crc32).toBe(crc32(content));
    found.push([entry.fileName, content.toString(), entry.compressionMethod]);
  }
  return found;
}

const text = (name: string, content: string, isDeflated = false): ZipEntry => {
  return { name, bytes: Buffer.from(content), isDeflated };
};

describe("zipOf(entries)", () => {
  test("writes what yauzl reads, stored and deflated, with names beyond ASCII", async () => {
    const long = "once more, ".repeat(1000);
    const archive = zipOf([
      text("a/matrix.mtx.gz", "counts"),
      text("a/README.txt", long, true),
      text("ä/empty", ""),
    ]);
    expect(await read(archive)).toEqual([
      ["a/matrix.mtx.gz", "counts", 0],
      ["a/README.txt", long, 8],
      ["ä/empty", "", 0],
    ]);
    expect(archive.length).toBeLessThan(1000);
  });

  test("writes an archive of nothing", async () => {
    expect(await read(zipOf([]))).toEqual([]);
  });

  test("writes the same bytes every time", () => {
    const entries = [text("a", "1"), text("b", "2", true)];
    expect(zipOf(entries)).toEqual(zipOf(entries));
  });

  test("writes names that lead out of the archive, which yauzl refuses", async () => {
    await expect(read(zipOf([text("../../a", "1")]))).rejects.toThrow("invalid relative path");
  });
});
