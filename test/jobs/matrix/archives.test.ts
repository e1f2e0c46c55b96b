// Tars of a matrix are read; what is refused is called by its name.

import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { sparse, tables, writeHdf5 } from "./hdf5/hdf5Files.ts";
import { caseInput } from "./support/countCases.ts";
import {
  type Content,
  countingIn,
  failure,
  type Files,
  readMatrix,
  SMALL,
  SMALL_READ,
  useWorkplace,
  zipOf,
} from "./support/matrixFiles.ts";
import { tarEntry, tarOf } from "./support/tarFiles.ts";

const place = useWorkplace();
const { count, countFile } = countingIn(place);

const IN_FOLDER: Files = Object.fromEntries(
  Object.entries(SMALL).map(([name, content]) => [`./sample/${name}`, content]),
);
const PACKED: Files = Object.fromEntries(
  Object.entries(SMALL).map(([name, content]) => [`s/${name}.gz`, gzipSync(content)]),
);

describe("openMatrix(tar)", () => {
  test.each<readonly [string, string, Buffer]>([
    ["packed", "x.tar.gz", gzipSync(tarOf(IN_FOLDER))],
    ["packed, by a short name", "x.tgz", gzipSync(tarOf(SMALL))],
    ["not packed", "x.tar", tarOf(IN_FOLDER)],
    ["whose files are packed", "x.tar.gz", gzipSync(tarOf(PACKED))],
    ["of another name", "matrix", gzipSync(tarOf(IN_FOLDER))],
  ])("reads a tar %s", async (_, name, content) => {
    const { cells, symbols } = await readMatrix(await place.file(name, content), place);
    expect({ cells, symbols }).toEqual({ cells: SMALL_READ.cells, symbols: SMALL_READ.symbols });
  });

  test("reads what macOS, GNU and POSIX add to a tar", async () => {
    const long = `${"folder".repeat(20)}/`;
    const content = Buffer.concat([
      tarEntry("pax_global_header", "52 comment=0123456789012345678901234567890123456789\n", "g"),
      tarEntry("./._matrix.mtx", "x"),
      tarEntry("sample/", "", "5"),
      tarEntry("././@LongLink", `${long}matrix.mtx\0`, "L"),
      tarEntry("cut", SMALL["matrix.mtx"]),
      tarEntry("PaxHeaders/x", `${String(10 + long.length + 9)} path=${long}genes.tsv\n`, "x"),
      tarEntry("cut", SMALL["genes.tsv"]),
      tarEntry("barcodes.tsv", SMALL["barcodes.tsv"], "0", long.slice(0, -1)),
    ]);
    const path = await place.file("x.tar.gz", gzipSync(content));
    expect((await readMatrix(path, place)).cells).toEqual(SMALL_READ.cells);
  });

  test("reads the one tar of a folder, and an HDF5 file in a tar", async () => {
    const folder = await place.folder({ "x.tar.gz": gzipSync(tarOf(SMALL)) });
    expect((await readMatrix(folder, place)).cells).toEqual(SMALL_READ.cells);
    const file = await writeHdf5(join(place.dir, "in.h5ad"), {
      ...tables(2, 3),
      X: sparse(
        [
          [5, 0, 1],
          [0, 7, 0],
        ],
        3,
      ),
    });
    const { readFile } = await import("node:fs/promises");
    const path = await place.file("x.tar.gz", gzipSync(tarOf({ "in.h5ad": await readFile(file) })));
    expect((await readMatrix(path, place)).cells).toEqual([{ gene1: 5, gene3: 1 }, { gene2: 7 }]);
  });

  test("refuses what begins like a tar only", async () => {
    expect(await countFile("x.tar.gz", gzipSync(`${"x".repeat(257)}ustar`))).toBe(
      "M_CORRUPT: x.tar.gz is a damaged tar or cut off: a header of an entry makes no sense",
    );
  });

  const damaged = (change: (tar: Buffer) => Buffer): Buffer => change(Buffer.from(tarOf(SMALL)));
  test.each<readonly [string, Content, string]>([
    [
      "a link",
      Buffer.concat([tarEntry("matrix.mtx", "", "2")]),
      "M_UNSAFE: x.tar: matrix.mtx is a symbolic link",
    ],
    [
      "a hard link",
      Buffer.concat([tarEntry("matrix.mtx", "", "1")]),
      "M_UNSAFE: x.tar: matrix.mtx is a link to another entry",
    ],
    ["a device", tarEntry("dev", "", "3"), "M_UNSAFE: x.tar: dev is no regular file"],
    [
      "a name that leads out",
      tarEntry("../matrix.mtx", "x"),
      "M_UNSAFE: x.tar: ../matrix.mtx leads out of the archive",
    ],
    [
      "an absolute name",
      tarEntry("/etc/matrix.mtx", "x"),
      "M_UNSAFE: x.tar: /etc/matrix.mtx leads out of the archive",
    ],
    [
      "a name twice",
      Buffer.concat([tarEntry("a.mtx", "x"), tarEntry("./a.mtx", "x")]),
      "M_UNSAFE: x.tar holds a.mtx twice",
    ],
    [
      "a name that is none",
      tarEntry("x", Buffer.alloc((1 << 20) + 1), "L"),
      "M_UNSAFE: x.tar has a name of 1,048,577 bytes, which is no name",
    ],
    [
      "an odd kind of entry",
      tarEntry("matrix.mtx", "x", "S"),
      "M_FORMAT: x.tar: matrix.mtx is kept in a way that is not read (type S)",
    ],
    [
      "a sparse file",
      Buffer.concat([tarEntry("p", "22 GNU.sparse.major=1\n", "x"), tarEntry("matrix.mtx", "x")]),
      "M_FORMAT: x.tar holds a sparse file, which is not read",
    ],
    [
      "a tar that is cut off",
      damaged((tar) => tar.subarray(0, 518)),
      "M_CORRUPT: x.tar is truncated: it ends within barcodes.tsv",
    ],
    [
      "a damaged header",
      damaged((tar) => {
        tar[1030] = 0x58;
        return tar;
      }),
      "M_CORRUPT: x.tar is a damaged tar or cut off: a header of an entry makes no sense",
    ],
    [
      "an archive within",
      tarOf({ "in.tar.gz": gzipSync(tarOf(SMALL)) }),
      "M_FORMAT: x.tar holds a tar archive (in.tar.gz); unpack it first",
    ],
  ])("refuses %s", async (_, content, message) => {
    expect(await countFile("x.tar", content)).toBe(message);
  });

  test("refuses a packed tar that is cut off, and leaves nothing behind", async () => {
    const packed = gzipSync(Buffer.concat([tarOf(SMALL), tarEntry("noise", noise(200_000))]));
    expect(await countFile("x.tar.gz", packed.subarray(0, 100_000))).toMatch(
      /^M_CORRUPT: x\.tar\.gz is truncated/,
    );
  });
});

function noise(length: number): Buffer {
  let state = 1;
  return Buffer.from(
    Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state >>> 24;
    }),
  );
}

describe("openMatrix(path): what is refused is called by its name", () => {
  const START =
    /^M_FORMAT: .* is a Zarr store, which is not read; write it as \.h5ad\. Can be read: /;

  test("calls a tar that is named zip a tar", async () => {
    expect(await failure(count(caseInput("tar-named-zip", "input.mtx.zip")))).toBe(
      "M_FORMAT: input.mtx.zip is no zip, but a tar archive packed by gzip; name it .tar.gz, or make a zip of what it holds",
    );
    // Also where it is found in a folder.
    expect(await failure(count(caseInput("tar-named-zip", "")))).toMatch(
      /^M_FORMAT: input\.mtx\.zip is no zip, but a tar archive packed by gzip; name it \.tar\.gz/,
    );
    expect(await countFile("x.zip", tarOf(SMALL))).toBe(
      "M_FORMAT: x.zip is no zip, but a tar archive; name it .tar, or make a zip of what it holds",
    );
    const zip = await zipOf({ "in.tar": tarOf(SMALL) });
    expect(await countFile("x.zip", zip)).toBe(
      "M_FORMAT: x.zip holds a tar archive (in.tar); unpack it first",
    );
  });

  test("calls a Zarr store a Zarr store: in a zip, a tar and a folder, of both versions", async () => {
    const store = { ".zgroup": "{}", "X/data/.zarray": "{}", "X/data/0": "x" };
    const third = { "a.zarr/zarr.json": "{}", "a.zarr/X/c/0/0": "x" };
    expect(await failure(count(caseInput("zarr-store", "input.zarr.zip")))).toMatch(START);
    for (const files of [store, third]) {
      expect(await failure(count(await place.folder(files)))).toMatch(START);
      expect(await countFile("x.zarr.zip", await zipOf(files))).toMatch(START);
      expect(await countFile("x.tar", tarOf(files))).toMatch(START);
    }
    expect(await failure(count(await place.folder({ "a/b/.zarray": "{}", "a/b/0": "x" })))).toMatch(
      /^M_FORMAT: the folder holds a Zarr store/,
    );
    // A matrix beside it is read.
    const beside = await place.folder({ ...SMALL, "a.zarr/.zgroup": "{}", "a.zarr/0": "x" });
    expect((await readMatrix(beside, place)).cells).toEqual(SMALL_READ.cells);
  });

  test.each<readonly [string, string, Content]>([
    ["x.rds", "an R object", gzipSync("X\n\0\0\0\x03")],
    ["x.rds", "an R object", "A\n3\n262657\n"],
    ["x.rds", "an R object", "B\n\x03\0\0\0"],
    ["x.rda", "an R object", "RDX3\nX\n"],
    ["x.rds", "an R object packed by xz", Buffer.from("\xfd7zXZ\0", "latin1")],
    ["x.rds", "an R object packed by bzip2", "BZh91AY"],
    ["x.qs", "an R object", "\x0b\x0e\x0a\xc1"],
    ["x.tar.xz", "a tar archive packed by xz", Buffer.from("\xfd7zXZ\0", "latin1")],
    ["x.csv.bz2", "a text table packed by bzip2", "BZh91AY"],
  ])("calls %s %s", async (name, words, content) => {
    expect(await countFile(name, content)).toMatch(
      new RegExp(`^M_FORMAT: ${name} is ${words}\\. `),
    );
  });

  test.each([
    [
      "MuData",
      { mod: { rna: tables(2, 2), prot: tables(2, 2) }, ...tables(2, 4) },
      "a MuData file of several modalities (prot and rna), which is not read; write the one of gene expression as .h5ad",
    ],
    [
      "h5Seurat",
      { assays: { RNA: {} }, "cell.names": { data: ["a"] } },
      "a Seurat object (h5Seurat), which is not read; write its counts as .h5ad",
    ],
    [
      "molecules",
      { barcode_idx: { data: Int32Array.of(1) }, umi: { data: Int32Array.of(1) } },
      "Cell Ranger's list of molecules (molecule_info.h5), not a matrix; that is filtered_feature_bc_matrix.h5",
    ],
  ])("calls %s by its name", async (_, tree, words) => {
    const path = await writeHdf5(join(place.dir, `${words.length}.h5mu`), tree);
    expect(await failure(count(path))).toBe(`M_FORMAT: ${words.length}.h5mu: it is ${words}`);
  });
});
