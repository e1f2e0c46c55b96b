// What cannot be read of a file whose counts can: it is passed over and named, and refuses the file only where nothing else is left.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import {
  cellsOf,
  type Leaf,
  makeScratch,
  names,
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

const CELLS = 20;
const GENES = 6;
const COUNTS: Table = Array.from({ length: CELLS }, (_, cell) =>
  Array.from(
    { length: GENES },
    (_gene, gene) => ((cell * 7 + gene * 5) % 11) + (gene === 0 ? 1 : 0),
  ),
);
const LOGS: Table = COUNTS.map((row) => row.map((value) => Math.log1p(value)));
const OTHERS: Table = COUNTS.map((row) => row.map((value) => value + 1));

const ELSEWHERE = "refers to another file; only files that hold all their data can be read";
const PACKED =
  "is compressed by the filter scaleoffset; gzip, shuffle, LZF, LZ4, zstd, blosc, blosc2, bitshuffle and bzip2 can be read";

/** Packed by a filter that is not read. */
const packed: Leaf = {
  data: Int32Array.from(OTHERS.flat()),
  shape: [CELLS, GENES],
  chunks: [CELLS, GENES],
  filter: [6, 2, 0],
};
/** Packed by zstd, whose first bytes are overwritten once the file is there. */
const damaged: Leaf = { ...packed, filter: [32_015, 3] };
const csr = (rows: Table, parts: Tree = {}): Tree => sparse(rows, GENES, parts);
const link = { elsewhere: "other.h5ad" };
const raw = (X: Tree[string]): Tree => ({ X, var: tables(CELLS, GENES).var });
const h5ad = (matrices: Tree): Tree => ({ ...tables(CELLS, GENES), ...matrices });
const byGene = (rows: Table): Leaf => ({
  data: Float64Array.from(transpose(rows, GENES).flat()),
  shape: [GENES, CELLS],
});
const loom = (matrices: Tree): Tree => ({
  row_attrs: { Gene: { data: names("gene", GENES) } },
  ...matrices,
});

/** Writes a file, and damages what zstd packed in it. */
async function write(dir: string, tree: Tree): Promise<string> {
  const path = await writeHdf5(join(dir, "m.h5ad"), tree);
  const bytes = await readFile(path);
  const start = Buffer.from("28b52ffd", "hex");
  for (let at = bytes.indexOf(start); at !== -1; at = bytes.indexOf(start, at)) {
    bytes.fill(0xff, at, at + 8);
  }
  await writeFile(path, bytes);
  return path;
}

async function notesOf(tree: Tree): Promise<readonly string[]> {
  await using scratch = await makeScratch();
  return await using(await write(scratch.dir, tree), async (reader) => {
    expect((await readAll(reader)).cells).toEqual(cellsOf(COUNTS));
    return reader
      .notes()
      .filter(({ rule }) => rule === "M_SKIPPED" || rule === "M_NOT_COUNTS")
      .map(({ severity, message }) => `${severity}: ${message}`);
  });
}

async function refusal(tree: Tree): Promise<readonly [string, string]> {
  await using scratch = await makeScratch();
  return await problemOf(await write(scratch.dir, tree));
}

describe("openHdf5(path, name, options): what is broken beside counts", () => {
  const brokenLayers: readonly (readonly [string, Tree[string], string])[] = [
    ["packed by an unknown filter", packed, PACKED],
    ["a link to another file", link, ELSEWHERE],
  ];

  test.each(brokenLayers)("reads raw/X where layers/counts is %s", async (_, layer, why) => {
    const tree = h5ad({ raw: raw(csr(COUNTS)), layers: { counts: layer }, X: csr(LOGS) });
    expect(await notesOf(tree)).toEqual([
      `info: the file: layers/counts ${why}: it was passed over, and counts were taken from raw/X`,
    ]);
  });

  test.each<readonly [string, Tree[string], RegExp]>([
    ["packed by an unknown filter", packed, /^raw\/X is compressed by the filter scaleoffset; /],
    ["a link to another file", link, /^raw\/X refers to another file; /],
    ["damaged", damaged, /^raw\/X cannot be read from 0, 0 on: the file is cut off or damaged: /],
    [
      "made of indices that are not read",
      csr(OTHERS, {
        indices: {
          data: new Int32Array(CELLS * GENES),
          chunks: [CELLS * GENES],
          filter: [6, 2, 0],
        },
      }),
      /^raw\/X\/indices is compressed by the filter scaleoffset; /,
    ],
    [
      "made of values that lie elsewhere",
      csr(OTHERS, { data: link }),
      /^raw\/X\/data refers to another file; /,
    ],
    [
      "of another size than its tables",
      { data: Int32Array.from([1, 2, 3, 4]), shape: [2, 2] },
      /^raw\/X is 2 cells × 2 genes, but its tables have 20 cells and 6 genes: /,
    ],
  ])("takes counts from X where raw/X is %s", async (_, matrix, why) => {
    const [note = "", ...others] = await notesOf(h5ad({ raw: raw(matrix), X: csr(COUNTS) }));
    expect(note.replace("warning: the file: ", "")).toMatch(why);
    expect(note).toMatch(/: it was passed over, and counts were taken from X$/);
    expect(others).toEqual([]);
  });

  test("takes counts from X where raw/X has no gene table, or all of raw lies elsewhere", async () => {
    expect(await notesOf(h5ad({ raw: { X: csr(OTHERS), var: {} }, X: csr(COUNTS) }))).toEqual([
      "warning: the file: there is no gene table for raw/X: raw/var is missing or empty: it was passed over, and counts were taken from X",
    ]);
    expect(await notesOf(h5ad({ raw: link, layers: link, X: csr(COUNTS) }))).toEqual(
      ["raw", "layers"].map(
        (name) =>
          `warning: the file: ${name} ${ELSEWHERE}: it was passed over, and counts were taken from X`,
      ),
    );
  });

  test("takes counts from a layer of a loom whose matrix cannot be read", async () => {
    const counts = byGene(COUNTS);
    const own = { ...packed, shape: [GENES, CELLS], chunks: [GENES, CELLS] };
    const from = "it was passed over, and counts were taken from layers/counts";
    expect(await notesOf(loom({ matrix: own, layers: { counts } }))).toEqual([
      `warning: the file: matrix ${PACKED}: ${from}`,
    ]);
    expect(await notesOf(loom({ matrix: link, layers: { counts } }))).toEqual([
      `warning: the file: matrix ${ELSEWHERE}: ${from}`,
    ]);
    expect(await notesOf(loom({ matrix: counts, layers: { counts: own } }))).toEqual([
      `info: the file: layers/counts ${PACKED}: it was passed over, and counts were taken from matrix`,
    ]);
    expect(await notesOf(loom({ matrix: counts, layers: link }))).toEqual([
      `info: the file: layers ${ELSEWHERE}: it was passed over, and counts were taken from matrix`,
    ]);
  });

  test("reads a file on whose other gene table is damaged", async () => {
    const ids = names("ENSG0000000000", GENES);
    const own = { _index: { data: ids } };
    const rows = {
      _index: { data: ids },
      gene_symbols: {
        ...damaged,
        shape: [GENES],
        chunks: [GENES],
        data: Int32Array.from(ids, () => 7),
      },
    };
    const tree = h5ad({ raw: { X: csr(COUNTS), var: own }, var: rows, X: csr(LOGS) });
    expect(await notesOf(tree)).toEqual([]);
  });
});

describe("openHdf5(path, name, options): where nothing but what is broken is left", () => {
  test("says that values are no counts, and what of the rest cannot be read", async () => {
    expect(await refusal(h5ad({ layers: { counts: packed }, X: csr(LOGS) }))).toEqual([
      "M_NOT_COUNTS",
      expect.stringMatching(
        /^m\.h5ad: X holds logarithms or .*; layers\/counts is compressed by .*$/,
      ),
    ]);
  });

  test("names all that cannot be read", async () => {
    const tree = h5ad({ raw: raw(packed), layers: { counts: link }, X: damaged });
    expect(await refusal(tree)).toEqual([
      "M_FORMAT",
      `m.h5ad: raw/X ${PACKED}; layers/counts ${ELSEWHERE}; X cannot be read from 0, 0 on: the file is cut off or damaged`,
    ]);
  });

  test("takes no empty matrix for counts that cannot be read", async () => {
    const zeros = csr(COUNTS.map((row) => row.map(() => 0)));
    expect(await refusal(h5ad({ layers: { counts: packed }, X: zeros }))).toEqual([
      "M_FORMAT",
      `m.h5ad: layers/counts ${PACKED}`,
    ]);
  });

  test("says that a table lies elsewhere", async () => {
    expect(await refusal({ ...h5ad({ X: csr(COUNTS) }), obs: link })).toEqual([
      "M_FORMAT",
      `m.h5ad: obs ${ELSEWHERE}`,
    ]);
  });

  test("says that a loom's matrix is none", async () => {
    expect(await refusal(loom({ matrix: { data: Float64Array.of(1), shape: [] } }))).toEqual([
      "M_INCOMPLETE",
      "m.h5ad: there is no matrix; matrix and layers of counts were looked for",
    ]);
  });
});
