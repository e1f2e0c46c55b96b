import { constants } from "node:fs";
import { appendFile, mkdtemp, open, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { readFilePieces, readHandlePieces, readSmallFile } from "../../src/store/filePieces.ts";

const MIB = 1024 ** 2;

let dir: string;
let path: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "pieces-"));
  path = join(dir, "file");
});
afterEach(() => rm(dir, { recursive: true }));

/** Bytes that differ at every place within a piece. */
const content = (bytes: number): Buffer =>
  Buffer.from(Uint8Array.from({ length: bytes }, (_, i) => i % 251));

async function piecesOf(pieces: AsyncIterable<Buffer>): Promise<readonly Buffer[]> {
  const all: Buffer[] = [];
  for await (const piece of pieces) all.push(piece);
  return all;
}

describe("readFilePieces(path)", () => {
  test.each([0, 1, MIB - 1, MIB, MIB + 1, 3 * MIB])(
    "gives a file of %i bytes whole",
    async (bytes) => {
      await writeFile(path, content(bytes));
      const pieces = await piecesOf(readFilePieces(path));
      expect(Buffer.concat(pieces).equals(content(bytes))).toBe(true);
      expect(pieces.every(({ length }) => length <= MIB)).toBe(true);
    },
  );

  test("asks for no more memory than is left of the file", async () => {
    await writeFile(path, content(MIB + 5000));
    const pieces = await piecesOf(readFilePieces(path));
    // Small ones are a part of memory that Node shares out.
    expect(pieces.map(({ buffer }) => buffer.byteLength < MIB)).toEqual([false, true]);
  });

  test("gives what is written behind its end while it is read", async () => {
    await writeFile(path, "first");
    const found: string[] = [];
    for await (const piece of readFilePieces(path)) {
      found.push(piece.toString());
      if (found.length === 1) await appendFile(path, "second");
    }
    expect(found.join("")).toBe("firstsecond");
  });

  test("gives a file that has no size, as those that the kernel makes", async () => {
    const text = Buffer.concat(await piecesOf(readFilePieces("/proc/self/status"))).toString();
    expect(text).toMatch(/^Name:[^]*nonvoluntary_ctxt_switches:\s+\d+\n$/);
  });

  test("throws what the file system throws", async () => {
    await expect(piecesOf(readFilePieces(path))).rejects.toThrow(/ENOENT/);
    await symlink("elsewhere", path);
    const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
    await expect(piecesOf(readFilePieces(path, { flags }))).rejects.toThrow(/ELOOP/);
  });
});

describe("readHandlePieces(handle, part)", () => {
  test.each([
    [0, 3],
    [2, 2],
    [5, MIB + 9],
    [MIB + 10, MIB + 400],
  ])(
    "gives bytes [%i, %i) as far as there are any, and leaves the handle open",
    async (from, to) => {
      await writeFile(path, content(MIB + 100));
      const handle = await open(path);
      try {
        const found = Buffer.concat(await piecesOf(readHandlePieces(handle, { from, to })));
        expect(found.equals(content(MIB + 100).subarray(from, to))).toBe(true);
        expect((await handle.stat()).size).toBe(MIB + 100);
      } finally {
        await handle.close();
      }
    },
  );
});

describe("readSmallFile(path, most)", () => {
  test.each([0, 1, 100])(
    "gives a file of %i bytes whole, where 100 are not too many",
    async (bytes) => {
      await writeFile(path, content(bytes));
      expect((await readSmallFile(path, 100))?.equals(content(bytes))).toBe(true);
    },
  );

  test("gives nothing of a larger one, also of one that does not say how large it is", async () => {
    await writeFile(path, content(101));
    expect(await readSmallFile(path, 100)).toBeNull();
    expect(await readSmallFile("/proc/self/status", 100)).toBeNull();
    expect((await readSmallFile("/proc/self/comm", 100))?.toString()).toMatch(/\n$/);
  });

  test("throws what the file system throws", async () => {
    await expect(readSmallFile(path, 100)).rejects.toThrow(/ENOENT/);
    await expect(readSmallFile(dir, 1 << 20)).rejects.toThrow(/EISDIR/);
  });
});
