// Which tables are a matrix's, among those of many: each is read a few times at most, however many matrices there are.

import { describe, expect, test } from "vitest";

import { readCellRows } from "../../../../src/jobs/matrix/reading/cellRows.ts";
import { makeTableReader } from "../../../../src/jobs/matrix/reading/chooseTables.ts";
import { findMatrices } from "../../../../src/jobs/matrix/reading/findMatrices.ts";
import { listFolder } from "../../../../src/jobs/matrix/reading/folderFiles.ts";
import { readGeneRows } from "../../../../src/jobs/matrix/reading/geneRows.ts";
import { readMatrixSize } from "../../../../src/jobs/matrix/reading/matrixSize.ts";
import { type Files, mtx, rows, useWorkplace } from "../support/matrixFiles.ts";

const place = useWorkplace();
const { signal } = new AbortController();

/** Reads the tables of every matrix of a folder; counts how often each table was read. */
async function readAllTables(files: Files): Promise<{
  readonly tables: readonly {
    readonly matrix: string;
    readonly symbols: readonly string[];
    readonly cells: string;
  }[];
  readonly reads: ReadonlyMap<string, number>;
}> {
  const folder = await place.folder(files);
  const listed = await listFolder(folder, { isDeep: true, isWanted: () => true, signal });
  const { mtx: found } = await findMatrices(listed, "the folder", signal);
  const reads = new Map<string, number>();
  const counted = (name: string): void => void reads.set(name, (reads.get(name) ?? 0) + 1);
  const readTables = makeTableReader([], signal, {
    genes: (region, sizes, until) => {
      counted(region.name);
      return readGeneRows(region, sizes, until);
    },
    cells: (region, sizes, approaches, until) => {
      counted(region.name);
      return readCellRows(region, sizes, approaches, until);
    },
  });
  const tables = [];
  for (const one of found) {
    const { genes, cellRegion } = await readTables(one, await readMatrixSize(one.matrix));
    tables.push({ matrix: one.matrix.name, symbols: genes.symbols, cells: cellRegion.name });
  }
  return { tables, reads };
}

const MANY = 30;
const numbers = Array.from({ length: MANY }, (_, index) => index);
const genes = (count: number, symbols = true): string =>
  rows(...Array.from({ length: count }, (_, at) => `ENSG${at}${symbols ? `\tG${at}` : ""}`));
const barcodes = (count: number): string =>
  rows(...Array.from({ length: count }, (_, at) => `cell${at}`));

describe("makeTableReader(approaches, signal)", () => {
  test("reads each table twice at most, where tables are called like no matrix", async () => {
    const files = Object.fromEntries(
      numbers.flatMap((index) => [
        [`m${index}_matrix.mtx`, mtx(40 + index, 3 + index, [])],
        [`t${index}_genes.tsv`, genes(40 + index)],
        [`t${index}_barcodes.tsv`, barcodes(3 + index)],
      ]),
    );
    const { tables, reads } = await readAllTables(files);
    for (const { matrix, symbols, cells } of tables) {
      const index = Number(/\d+/.exec(matrix)?.[0]);
      expect([symbols.length, cells]).toEqual([40 + index, `t${index}_barcodes.tsv`]);
    }
    expect(tables.length).toBe(MANY);
    expect(reads.size).toBe(2 * MANY);
    expect(Math.max(...reads.values())).toBe(2);
  });

  test("reads a gene table and the symbols beside it once for all samples that share them", async () => {
    const files = Object.fromEntries(
      numbers.flatMap((index) => [
        [`s${index}.mtx`, mtx(12, 3 + index, [])],
        [`s${index}_barcodes.tsv`, barcodes(3 + index)],
      ]),
    );
    const { tables, reads } = await readAllTables({
      ...files,
      "genes.tsv": rows(...numbers.slice(0, 12).map((at) => `ENSG0000000000${at}`)),
      "gene_names.tsv": rows(...numbers.slice(0, 12).map((at) => `N${at}`)),
    });
    expect(new Set(tables.map(({ symbols }) => symbols.join())).size).toBe(1);
    expect(tables[0]?.symbols[0]).toBe("N0");
    expect([reads.get("genes.tsv"), reads.get("gene_names.tsv")]).toEqual([1, 1]);
    expect(numbers.map((index) => reads.get(`s${index}_barcodes.tsv`))).toEqual(
      numbers.map(() => 1),
    );
  });

  test("takes a first row for a header where that fits one matrix, and for a row where that fits another", async () => {
    const { tables, reads } = await readAllTables({
      "m1.mtx": mtx(2, 1, []),
      "m2.mtx": mtx(3, 2, []),
      "t_genes.tsv": rows("gene_id\tsymbol", "ENSG1\tA", "ENSG2\tB"),
      "t_barcodes.tsv": "cell\n",
      "u_barcodes.tsv": "AAA\nCCC\n",
    });
    expect(tables).toEqual([
      { matrix: "m1.mtx", symbols: ["A", "B"], cells: "t_barcodes.tsv" },
      { matrix: "m2.mtx", symbols: ["symbol", "A", "B"], cells: "u_barcodes.tsv" },
    ]);
    expect(reads.get("t_genes.tsv")).toBe(2);
  });

  test("tries a table that cannot be read once, as long as others fit", async () => {
    const files = Object.fromEntries(
      numbers.flatMap((index) => [
        [`m${index}.mtx`, mtx(4, 3 + index, [])],
        [`t${index}_barcodes.tsv`, barcodes(3 + index)],
      ]),
    );
    const { tables, reads } = await readAllTables({
      ...files,
      "broken_genes.tsv": "\0\0",
      "good_genes.tsv": genes(4),
    });
    expect(tables.length).toBe(MANY);
    expect(reads.get("broken_genes.tsv")).toBe(1);
  });
});
