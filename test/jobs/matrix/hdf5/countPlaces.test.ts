// Where counts are taken from among all that a file holds, and what is said where there are none.

import { join } from "node:path";

import { describe, expect, test } from "vitest";

import {
  cellsOf,
  make,
  makeDice,
  makeScratch,
  names,
  readAll,
  sparse,
  type Table,
  tables,
  transpose,
  type Tree,
  writeHdf5,
} from "./hdf5Files.ts";
import { problemOf } from "./hostileFiles.ts";

const CELLS = 30;
const GENES = 12;
const dice = makeDice(11);
const COUNTS: Table = Array.from({ length: CELLS }, (_, cell) =>
  Array.from({ length: GENES }, (_gene, gene) =>
    // Every cell has something, and no two of them alike.
    gene === cell % GENES ? 3 + cell : dice() < 0.5 ? 0 : 1 + Math.floor(dice() * 9),
  ),
);
const map = (rows: Table, change: (value: number) => number): Table =>
  rows.map((row) => row.map(change));
const scaledTo = (total: number): Table =>
  COUNTS.map((row) => {
    const sum = row.reduce((a, b) => a + b, 0);
    return row.map((value) => (value / sum) * total);
  });
const LOGS = map(COUNTS, Math.log1p);
const ZEROS = map(COUNTS, () => 0);
const HALVED = map(COUNTS, (value) => Math.floor(value / 2));
const REST = COUNTS.map((row, cell) => row.map((v, gene) => v - (HALVED[cell]?.[gene] ?? 0)));

type Write = (rows: Table) => Tree[string];
const dense: Write = (rows) => ({
  data: Float64Array.from(rows.flat()),
  shape: [CELLS, GENES],
  chunks: [4, 5],
});
const csr: Write = (rows) => sparse64(rows, "csr");
const csc: Write = (rows) => sparse64(rows, "csc");

function sparse64(rows: Table, format: "csr" | "csc"): Tree {
  const { data, ...rest } = sparse(rows, GENES, {}, format);
  const values = (format === "csr" ? rows : transpose(rows, GENES)).flat().filter((v) => v !== 0);
  return { ...rest, data: { data: Float64Array.from(values) } };
}

const h5ad = (matrices: Tree): Tree => ({ ...tables(CELLS, GENES), ...matrices });
const raw = (x: Tree[string]): Tree => ({ X: x, var: tables(CELLS, GENES).var });
const byGene: Write = (rows) => ({
  data: Float64Array.from(transpose(rows, GENES).flat()),
  shape: [GENES, CELLS],
  chunks: [5, 4],
});
const loom = (matrix: Table, layers: Readonly<Record<string, Table>>): Tree => ({
  matrix: byGene(matrix),
  row_attrs: { Gene: { data: names("gene", GENES) } },
  layers: Object.fromEntries(Object.entries(layers).map(([name, rows]) => [name, byGene(rows)])),
});

async function expectCounts(tree: Tree, said: readonly string[]): Promise<void> {
  await make(tree, async (reader) => {
    expect((await readAll(reader)).cells).toEqual(cellsOf(COUNTS));
    expect(reader.notes().map(({ message }) => message)).toEqual(said);
    // What is spooled is read a second time.
    expect((await readAll(reader)).summary.duplicates).toBe(0);
  });
}

async function refusal(tree: Tree): Promise<unknown> {
  await using scratch = await makeScratch();
  return await problemOf(await writeHdf5(join(scratch.dir, "m.h5ad"), tree));
}

describe("openHdf5(path, name, options): where counts are", () => {
  test.each(["counts", "Counts", "RAW_COUNTS", "raw.counts", "raw", "UMI"])(
    "takes counts from the layer %s",
    async (name) => {
      const tree = h5ad({ raw: raw(dense(LOGS)), layers: { [name]: csr(COUNTS) } });
      await expectCounts(tree, [
        `the file: raw/X does not hold counts; they were taken from layers/${name}`,
      ]);
    },
  );

  test("takes counts from the layers of a loom by the same names", async () => {
    await expectCounts(loom(LOGS, { Raw_Counts: COUNTS }), [
      "the file: matrix does not hold counts; they were taken from layers/Raw_Counts",
    ]);
  });

  test("adds up spliced, unspliced and ambiguous where nothing else holds counts", async () => {
    const parts = { Spliced: HALVED, unspliced: REST, ambiguous: ZEROS };
    const from = "they were taken from layers/Spliced + layers/unspliced + layers/ambiguous";
    await expectCounts(loom(LOGS, parts), [`the file: matrix does not hold counts; ${from}`]);
    const layers = { Spliced: csr(HALVED), unspliced: csc(REST), ambiguous: dense(ZEROS) };
    await expectCounts(h5ad({ X: csr(LOGS), layers }), [
      `the file: X does not hold counts; ${from}`,
    ]);
    // The sum is there already.
    await expectCounts(loom(COUNTS, parts), []);
  });

  test.each([
    ["TPM", 1e6, dense],
    ["counts per ten thousand", 1e4, csr],
    ["counts scaled to the median", 57, csr],
  ] as const)("takes counts that lie beside %s", async (_, total, write) => {
    await expectCounts(h5ad({ raw: raw(write(scaledTo(total))), X: csr(COUNTS) }), [
      "the file: raw/X does not hold counts; they were taken from X",
    ]);
  });

  test("prefers whole values to those that are mostly not whole", async () => {
    const odd = map(COUNTS, (value) => value * 7.3);
    await expectCounts(h5ad({ raw: raw(csr(odd)), layers: { count: csr(COUNTS) } }), [
      "the file: raw/X does not hold counts; they were taken from layers/count",
    ]);
  });

  test("looks elsewhere where a matrix is empty from end to end", async () => {
    await expectCounts(h5ad({ raw: raw(dense(ZEROS)), X: csr(COUNTS) }), [
      "the file: raw/X does not hold counts; they were taken from X",
    ]);
  });

  test("passes over layers of other names, and over those that are no matrices", async () => {
    const layers = { scaled: csr(COUNTS), counts: { data: Float32Array.from([1, 2]) } };
    expect(await refusal(h5ad({ X: csr(LOGS), layers }))).toEqual([
      "M_NOT_COUNTS",
      expect.stringMatching(
        /^m\.h5ad: X holds logarithms or .* values are not whole, the largest is [\d.]+$/,
      ),
    ]);
  });

  test("names every place that was looked at, and no other", async () => {
    const layers = { counts: csr(map(LOGS, (value) => value - 1.5)), other: csr(COUNTS) };
    expect(await refusal(h5ad({ raw: raw(csr(LOGS)), layers, X: csc(LOGS) }))).toEqual([
      "M_NOT_COUNTS",
      expect.stringMatching(
        /^m\.h5ad: raw\/X holds logarithms or .*; layers\/counts and X hold none either$/,
      ),
    ]);
    expect(await refusal(h5ad({ raw: raw(csr(LOGS)), X: csr(ZEROS) }))).toEqual([
      "M_NOT_COUNTS",
      expect.stringMatching(/; X holds none either$/),
    ]);
  });

  test.each([
    ["dense", dense],
    ["by cell", csr],
  ])("refuses TPM where nothing lies beside it: %s", async (_, write) => {
    expect(await refusal(h5ad({ X: write(scaledTo(1e6)) }))).toEqual([
      "M_NOT_COUNTS",
      "m.h5ad: X holds normalised values, not counts: those of each cell that was looked at add up to about 1,000,000, as TPM, CPM and their like do",
    ]);
  });

  test.each([
    ["dense", dense],
    ["by cell", csr],
    ["by gene", csc],
  ])("calls scaled values by their name: %s", async (_, write) => {
    const scaled = map(COUNTS, (value) => (value - 2) / 3 + 0.01);
    expect(await refusal(h5ad({ X: write(scaled) }))).toEqual([
      "M_NOT_COUNTS",
      expect.stringMatching(
        /^m\.h5ad: X.* is −0\.\d+: these are scaled or centred values, not counts$/,
      ),
    ]);
  });

  test("refuses square roots of counts, whichever are whole", async () => {
    const few = COUNTS.map((row) =>
      row.map((v, gene) => (gene < 9 ? (v > 0 ? 1 : 0) : Math.sqrt(v))),
    );
    expect(await refusal(h5ad({ X: csc(few) }))).toEqual([
      "M_NOT_COUNTS",
      expect.stringMatching(
        /^m\.h5ad: X holds square roots, not counts: every value is the root of a whole number/,
      ),
    ]);
  });

  test("says that a layer of a loom is of another size", async () => {
    const tree = loom(LOGS, {});
    const layers = { counts: { data: Float64Array.from([1, 2, 3, 4]), shape: [2, 2] } };
    expect(await refusal({ ...tree, layers })).toEqual([
      "M_NOT_COUNTS",
      expect.stringMatching(
        /^m\.h5ad: matrix holds logarithms or .*; layers\/counts is 2 × 2, but matrix 12 × 30$/,
      ),
    ]);
  });
});
