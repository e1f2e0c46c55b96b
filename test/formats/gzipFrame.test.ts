import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32, deflateRawSync, gunzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { gzipFrame } from "../../src/formats/gzipFrame.ts";
import { listMembers } from "../../src/formats/zip.ts";
import { readMembers } from "../../src/formats/zipMember.ts";
import { handZip } from "./support/handZip.ts";
import { all, NEVER, sourceOf } from "./support/ranges.ts";

const CONTENT = Buffer.from('{"Date":"2026\\/01"}\r\n'.repeat(5000));

async function* piecesOf(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

async function frame(name: string, content = CONTENT): Promise<Buffer> {
  const member = { name, crc32: crc32(content), bytes: content.length };
  return all(gzipFrame(member, piecesOf(deflateRawSync(content))));
}

/** What gzip itself makes of a file: the names and contents that it restores. */
function restore(file: Uint8Array): readonly (readonly [string, Buffer])[] {
  const folder = mkdtempSync(join(tmpdir(), "hdash-gzip-"));
  try {
    writeFileSync(join(folder, "copy.gz"), file);
    execFileSync("gzip", ["-t", "copy.gz"], { cwd: folder });
    execFileSync("gunzip", ["-N", "copy.gz"], { cwd: folder });
    // gunzip writes names as it finds them, which is Latin-1.
    return readdirSync(folder, { encoding: "buffer" }).map((name) => [
      name.toString("latin1"),
      readFileSync(Buffer.concat([Buffer.from(`${folder}/`), name])),
    ]);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe("gzipFrame(member, deflated)", () => {
  test.each([
    ["FitbitDevices_20260112.json", "FitbitDevices_20260112.json"],
    ["folder/a b.json", "a b.json"],
    ["../../up", "up"],
    ["naïve\0–x\n.json", "naïve__x_.json"],
    ["😀", "_"],
    ["x".repeat(300), "x".repeat(255)],
    ["..", "copy"],
    ["", "copy"],
  ])("makes of %j what gunzip restores as %j", async (name, restored) => {
    const file = await frame(name);
    expect(gunzipSync(file).equals(CONTENT)).toBe(true);
    const [[found, content] = ["", Buffer.of()]] = restore(file);
    expect(found).toBe(restored);
    // Others than gunzip take the name as it stands.
    const stated = (file[3] ?? 0) === 0 ? "copy" : file.toString("latin1", 10, file.indexOf(0, 10));
    expect(stated).toBe(restored);
    expect(content.equals(CONTENT)).toBe(true);
  });

  test("is the same bytes every time, without a time or a system in them", async () => {
    const file = await frame("a");
    expect(file.subarray(0, 12)).toEqual(Buffer.of(0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 255, 0x61, 0));
    expect(await frame("a")).toEqual(file);
  });

  test("frames nothing", async () => {
    expect(gunzipSync(await frame("empty", Buffer.of())).length).toBe(0);
  });

  test("states lengths over 4 GiB as the format does", async () => {
    const member = { name: "a", crc32: 0, bytes: 2 ** 32 + 5 };
    const file = await all(gzipFrame(member, piecesOf(Buffer.of())));
    expect(file.readUInt32LE(file.length - 4)).toBe(5);
  });

  test("frames members of a zip, stored ones too; of a bad one there is no whole file", async () => {
    const source = sourceOf(
      handZip([
        { name: "deflated", content: CONTENT },
        { name: "stored", content: CONTENT, method: 0 },
        { name: "bad", content: CONTENT, crc32: 5 },
      ]),
    );
    const listing = await listMembers(source, NEVER);
    if (listing.refusal !== null) throw new Error(listing.why);
    const files: string[] = [];
    const options = { only: "deflated" } as const;
    for await (const { entry, deflated } of readMembers(source, listing.entries, NEVER, options)) {
      const pieces: Uint8Array[] = [];
      try {
        for await (const piece of gzipFrame(entry, deflated)) pieces.push(piece);
        expect(restore(Buffer.concat(pieces))).toEqual([[entry.name, CONTENT]]);
        files.push(entry.name);
      } catch (error) {
        expect(() => gunzipSync(Buffer.concat(pieces))).toThrow("unexpected end of file");
        files.push((error as Error).message);
      }
    }
    expect(files).toEqual([
      "deflated",
      "stored",
      expect.stringContaining("bad has the checksum") as string,
    ]);
  });
});
