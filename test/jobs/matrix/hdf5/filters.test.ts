// Compression by plugins: what they give back is read wherever it lies; what cannot be read is named.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import {
  cellsOf,
  type Leaf,
  make,
  makeDice,
  makeScratch,
  names,
  ODD,
  ODD_FIXTURES,
  readAll,
  sparse,
  type Table,
  tables,
  transpose,
  type Tree,
  using,
  writeHdf5,
} from "./hdf5Files.ts";
import { problemOf } from "./hostileFiles.ts";

const CELLS = 60;
const GENES = 40;
const dice = makeDice(3);
const ROWS: Table = Array.from({ length: CELLS }, () =>
  Array.from({ length: GENES }, () => (dice() < 0.6 ? 0 : 1 + Math.floor(dice() * 50))),
);

type Filter = readonly [id: number, ...options: number[]];

function packed(tree: Tree, filter: Filter): Tree {
  const pack = (leaf: Leaf): Leaf => ({ ...leaf, chunks: [200], filter });
  const { data, indices, indptr } = tree as { data: Leaf; indices: Leaf; indptr: Leaf };
  return { ...tree, data: pack(data), indices: pack(indices), indptr: { ...indptr } };
}

describe("openHdf5(path, name, options): filters", () => {
  test.each<{ readonly name: string; readonly filter: Filter }>([
    { name: "zstd", filter: [32_015, 3] },
    { name: "lz4", filter: [32_004, 0] },
    { name: "bzip2", filter: [307, 9] },
    { name: "bitshuffle", filter: [32_008, 0, 2] },
    // Version, kind of element and sizes are filled in; level 5, shuffled, by LZ4 and by zstd.
    { name: "blosc", filter: [32_001, 0, 0, 0, 0, 5, 1, 1] },
    { name: "blosc with zstd", filter: [32_001, 0, 0, 0, 0, 5, 1, 5] },
    { name: "blosc2", filter: [32_026, 0, 0, 0, 0, 5, 1, 1] },
  ])("reads what $name compressed, of entries and of dense matrices", async ({ filter }) => {
    const byGene = transpose(ROWS, GENES).flat();
    const trees: readonly Tree[] = [
      { ...tables(CELLS, GENES), X: packed(sparse(ROWS, GENES), filter) },
      {
        matrix: {
          data: Int32Array.from(byGene),
          shape: [GENES, CELLS],
          chunks: [GENES, 20],
          filter,
        },
        row_attrs: { Gene: { data: names("gene", GENES) } },
      },
    ];
    for (const tree of trees) {
      await make(tree, async (reader) => {
        expect((await readAll(reader)).cells).toEqual(cellsOf(ROWS));
      });
    }
  });

  test("names a filter that is not read, and those that can be read", async () => {
    await using scratch = await makeScratch();
    const X = {
      data: Int32Array.from(ROWS.flat()),
      shape: [CELLS, GENES],
      chunks: [20, GENES],
      filter: [6, 2, 0] as const,
    };
    const path = await writeHdf5(join(scratch.dir, "m.h5ad"), { ...tables(CELLS, GENES), X });
    expect(await problemOf(path)).toEqual([
      "M_FORMAT",
      "m.h5ad: X is compressed by the filter scaleoffset; gzip, shuffle, LZF, LZ4, zstd, blosc, blosc2, bitshuffle and bzip2 can be read",
    ]);
  });

  test("says that a packed piece is damaged", async () => {
    await using scratch = await makeScratch();
    const X = packed(sparse(ROWS, GENES), [32_015, 3]);
    const path = await writeHdf5(join(scratch.dir, "m.h5ad"), { ...tables(CELLS, GENES), X });
    const bytes = await readFile(path);
    // The first bytes of what zstd wrote: it did compress.
    const at = bytes.indexOf(Buffer.from("28b52ffd", "hex"));
    expect(at).toBeGreaterThan(0);
    bytes.fill(0xff, at, at + 8);
    await writeFile(path, bytes);
    expect(await problemOf(path)).toEqual([
      "M_CORRUPT",
      expect.stringMatching(
        /^m\.h5ad: X\/\w+ cannot be read from 0 on: the file is cut off or damaged$/,
      ),
    ]);
  });

  test("reads reals of two bytes", async () => {
    const small: Table = ODD.map((row) => row.map((value) => Math.min(value, 600)));
    await using(join(ODD_FIXTURES, "float16.h5ad"), async (reader) => {
      expect((await readAll(reader)).cells).toEqual(cellsOf(small));
    });
  });
});
