// Archives and folders that mean harm or lie: each is refused with its one reason, and nothing is left behind.

import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import {
  countingIn,
  failure,
  type RawEntry,
  rawZip,
  readMatrix,
  SMALL,
  SMALL_READ,
  useWorkplace,
  zipOf,
} from "../support/matrixFiles.ts";

const place = useWorkplace();
const { count, small, countSmall, countFile } = countingIn(place);
const countRaw = (...entries: readonly RawEntry[]): Promise<string> =>
  countFile("x.zip", rawZip(entries));

/** The entries of SMALL for a hand-made zip. */
const ENTRIES: readonly RawEntry[] = Object.entries(SMALL).map(([name, data]) => ({ name, data }));

describe("a zip that means harm", () => {
  test.each<[string, readonly RawEntry[], string]>([
    [
      "leads out of itself",
      [{ name: "../matrix.mtx", data: "x" }],
      "M_UNSAFE: x.zip: ../matrix.mtx leads out of the archive",
    ],
    [
      "leads out of itself by backslashes",
      [{ name: "a\\..\\..\\matrix.mtx", data: "x" }],
      "M_UNSAFE: x.zip: a/../../matrix.mtx leads out of the archive",
    ],
    [
      "has absolute names",
      [{ name: "/etc/passwd", data: "x" }],
      "M_UNSAFE: x.zip: an entry has an absolute name, which leads out of the archive",
    ],
    [
      "has absolute names of Windows",
      [{ name: "C:\\x", data: "x" }],
      "M_UNSAFE: x.zip: an entry has an absolute name, which leads out of the archive",
    ],
    [
      "has a link",
      [...ENTRIES, { name: "more.mtx", data: "/etc/passwd", mode: 0o120777 }],
      "M_UNSAFE: x.zip: more.mtx is a symbolic link",
    ],
    [
      "has a device",
      [...ENTRIES, { name: "more.mtx", data: "", mode: 0o020666 }],
      "M_UNSAFE: x.zip: more.mtx is no regular file",
    ],
    [
      "is encrypted",
      [{ name: "matrix.mtx", data: "123456789012x", bytes: 1, flags: 1 }],
      "M_UNSAFE: x.zip: matrix.mtx is encrypted",
    ],
    [
      "is strongly encrypted",
      [{ name: "matrix.mtx", data: "x", flags: 0x41 }],
      "M_UNSAFE: x.zip: an entry is encrypted",
    ],
    [
      "holds a name twice",
      [...ENTRIES, { name: "./genes.tsv", data: "x" }],
      "M_UNSAFE: x.zip holds genes.tsv twice",
    ],
    [
      "describes an entry in two ways",
      [{ name: "matrix.mtx", localName: "matrix.exe", data: "x" }],
      "M_UNSAFE: x.zip describes matrix.mtx in two ways that differ",
    ],
    [
      "claims to unpack to a thousand times its size",
      [{ name: "matrix.mtx", data: "x".repeat(1000), method: 8, bytes: 4e9 }],
      "M_UNSAFE: x.zip: matrix.mtx states that 11 B unpack to 4.00 GB, more than 1,000 times as much",
    ],
    [
      "has a name that moves the cursor",
      [{ name: "a\u001b[2J.mtx", data: "x", mode: 0o120777, flags: 0x800 }],
      "M_UNSAFE: x.zip: a?[2J.mtx is a symbolic link",
    ],
  ])("%s", async (_what, entries, message) => {
    expect(await countRaw(...entries)).toBe(message);
  });

  test("has entries that share their bytes", async () => {
    // The second entry's local header lies within the data of the first.
    const inner = rawZip([{ name: "genes.tsv", data: "A\n" }]).subarray(0, 41);
    const zip = rawZip([
      { name: "matrix.mtx", data: inner },
      { name: "genes.tsv", data: "A\n", sameAs: 0 },
    ]);
    zip.writeUInt32LE(40, zip.lastIndexOf("PK\x01\x02") + 42);
    expect(await countFile("x.zip", zip)).toBe("M_UNSAFE: x.zip: genes.tsv lies within matrix.mtx");
  });

  test("unpacks a table to more than a thousand times its size", async () => {
    const bomb = gzipSync(Buffer.alloc(4e6, "A\n"));
    expect(gzipSync(bomb).length).toBeLessThan(bomb.length);
    expect(await countFile("x.zip", await zipOf({ ...SMALL, "genes.tsv": bomb }))).toMatch(
      /^M_UNSAFE: genes\.tsv unpacks to more than 1,000 times its size of \d+ B$/,
    );
    expect(await countSmall({ "barcodes.tsv": gzipSync(Buffer.alloc(4e6, "A\n")) })).toMatch(
      /^M_UNSAFE: barcodes\.tsv unpacks to more than 1,000 times its size of \d+\.\d+ kB$/,
    );
  });

  test("lies about sizes and checksums", async () => {
    const [matrix, genes, cells] = ENTRIES as readonly [RawEntry, RawEntry, RawEntry];
    const deflated = { ...genes, method: 8 } as const;
    expect(await countRaw(matrix, { ...deflated, bytes: 20 }, cells)).toMatch(
      /^M_CORRUPT: genes\.tsv unpacks to more than the 20 bytes/,
    );
    expect(await countRaw(matrix, { ...deflated, bytes: 2000 }, cells)).toMatch(
      /^M_CORRUPT: genes\.tsv/,
    );
    expect(await countRaw(matrix, { ...deflated, crc: 1 }, cells)).toMatch(
      /^M_CORRUPT: genes\.tsv is damaged: its checksum/,
    );
    expect(await countRaw({ ...matrix, crc: 1 }, genes, cells)).toMatch(/^M_CORRUPT: matrix\.mtx/);
    expect(await countRaw(matrix, genes, { ...cells, packedBytes: 1e9, bytes: 1e9 })).toMatch(
      /^M_CORRUPT: x\.zip is a damaged zip or cut off/,
    );
  });

  test("is cut off", async () => {
    const zip = await zipOf(SMALL);
    expect(await countFile("x.zip", zip.subarray(0, zip.length - 60))).toMatch(
      /^M_CORRUPT: x\.zip is a damaged zip or cut off/,
    );
  });

  test("is packed in a way that cannot be read, or may be where that does not matter", async () => {
    const odd = { name: "matrix.mtx", data: "x", method: 12 } as const;
    expect(await countRaw(odd)).toBe(
      "M_FORMAT: x.zip: matrix.mtx is packed by bzip2 (method 12); only stored and deflated entries can be read",
    );
    const path = await place.file("x.zip", rawZip([...ENTRIES, { ...odd, name: "README" }]));
    expect((await readMatrix(path, place)).cells).toEqual(SMALL_READ.cells);
  });

  test("is harmless where it only has backslashes", async () => {
    const named = ENTRIES.map((entry) => ({ ...entry, name: `a\\b\\${entry.name}` }));
    const path = await place.file("x.zip", rawZip(named));
    expect((await readMatrix(path, place)).cells).toEqual(SMALL_READ.cells);
  });

  test("holds an HDF5 file that lies about its size", async () => {
    const data = Buffer.concat([Buffer.from("\x89HDF\r\n\x1a\n", "latin1"), Buffer.alloc(5000, 7)]);
    expect(await countRaw({ name: "x.h5ad", data, method: 8, bytes: 4000 })).toMatch(
      /^M_CORRUPT: x\.h5ad unpacks to more than the 4,000 bytes/,
    );
    expect(await countRaw({ name: "x.h5ad", data, method: 8 })).toMatch(
      /^M_(CORRUPT|FORMAT): x\.h5ad/,
    );
  });
});

describe("an HDF5 file that is packed to fill disks", () => {
  const SIGNATURE = Buffer.from("\x89HDF\r\n\x1a\n", "latin1");
  const bomb = gzipSync(Buffer.concat([SIGNATURE, Buffer.alloc(20_000_000)]), { level: 9 });

  test("is refused by itself", async () => {
    expect(await countFile("x.h5ad.gz", bomb)).toMatch(
      /^M_UNSAFE: x\.h5ad\.gz unpacks to more than \d+\.\d MB$/,
    );
  });

  test("is refused in a zip, which knows only how large the packed file is", async () => {
    expect(
      await countFile("x.zip", await zipOf({ "x.h5ad.gz": bomb }, { compress: false })),
    ).toMatch(/^M_UNSAFE: x\.h5ad\.gz unpacks to more than \d+\.\d MB$/);
  });
});

describe("a folder that means harm", () => {
  test("has links that lead out of it, or nowhere", async () => {
    const outside = await place.folder(SMALL);
    const path = await small({});
    await symlink(outside, join(path, "more"));
    expect(await failure(count(path))).toBe(
      "M_UNSAFE: more is a link that leads out of the folder",
    );
    const other = await small({});
    await symlink("../nothing", join(other, "more"));
    expect(await failure(count(other))).toBe("M_UNSAFE: more is a link that leads nowhere");
    const beside = await place.folder({ "matrix.mtx": SMALL["matrix.mtx"] });
    await symlink(join(outside, "genes.tsv"), join(beside, "genes.tsv"));
    expect(await failure(count(join(beside, "matrix.mtx")))).toBe(
      "M_UNSAFE: genes.tsv is a link that leads out of the folder",
    );
  });

  test("is too deep", async () => {
    const path = await place.folder({});
    const deep = join(path, ...Array.from({ length: 40 }, () => "d"));
    await mkdir(deep, { recursive: true });
    await writeFile(join(deep, "matrix.mtx"), "x");
    expect(await failure(count(path))).toMatch(
      /^M_TOO_LARGE: (d\/)+d lies more than 32 folders deep$/,
    );
  });

  test("is written to by nobody", async () => {
    const path = await small({});
    await count(path);
    expect((await readdir(path)).sort()).toEqual(Object.keys(SMALL).sort());
  });
});
