// Matrices whose names say in people's words that they may have the same cells: none is left out, and none are added up, but where
// their tables bear it out.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import {
  failure,
  type Files,
  mtx,
  readMatrix,
  rows,
  SMALL,
  useWorkplace,
} from "./support/matrixFiles.ts";

const place = useWorkplace();
const OTHER = mtx(3, 2, [[1, 1, 99]]);

/** A sample with tables of its own: each of its cells has one count of one gene, whose value tells it from others. */
function sampleAt(
  start: string,
  barcodes: readonly string[],
  first: number,
  genes: string = SMALL["genes.tsv"],
): Files {
  const entries = barcodes.map((_, cell) => [1 + (cell % 2), cell + 1, first + cell] as const);
  return {
    [`${start}matrix.mtx`]: mtx(3, barcodes.length, entries),
    [`${start}genes.tsv`]: genes,
    [`${start}barcodes.tsv`]: rows(...barcodes),
  };
}

/** The total of each cell, in order of size, and what was passed over. */
async function totalsOf(
  files: Files,
): Promise<{ readonly totals: readonly number[]; readonly skipped: readonly string[] }> {
  const { cells, notes } = await readMatrix(await place.folder(files), place);
  const totals = cells.map((cell) => Object.values(cell).reduce((a, b) => a + b, 0));
  return {
    totals: totals.toSorted((a, b) => a - b),
    skipped: notes.filter((note) => note.startsWith("M_SKIPPED")),
  };
}

describe("openMatrix(path, options) of samples whose names have words of programs in them", () => {
  test.each([
    ["DC/", "mature_DC/"],
    ["WT/", "WT_CRISPR/"],
    ["restriction/", "protein_restriction/"],
    ["GSM1_pool/", "GSM1_hashtag_pool/"],
    ["TCC_1_", "BLCA_1_"],
    ["αβ/raw/", "γδ/filtered/"],
    ["Патиент/raw_", "控制/filtered_"],
    ["S_1/raw_feature_bc_matrix/", "S-1/filtered_feature_bc_matrix/"],
    ["P1/", "P1_raw/"],
    ["P1/raw/", "P1/filtered/"],
    ["S1/gene/", "S1/sj/"],
    ["Gene/", "SJ/"],
    ["mature/", "nascent/"],
    ["neuron_mature_", "neuron_ambiguous_"],
    ["P1_scaled/", "P1/"],
    ["P1_reads/", "P1/"],
    ["P1/spliced/", "P1/unspliced/"],
  ])("reads %s and %s, which have other barcodes", async (one, other) => {
    const found = await totalsOf({
      ...sampleAt(one, ["AAA-1", "CCC-1"], 1),
      ...sampleAt(other, ["GGG-1", "TTT-1"], 10),
    });
    expect(found).toEqual({ totals: [1, 2, 10, 11], skipped: [] });
  });

  test.each([
    // All droplets of any sample have the same barcodes.
    ["WT/", "WT_CRISPR/"],
    ["DC/", "mature_DC/"],
    ["neuron_mature/", "neuron_ambiguous/"],
    ["CD45+_raw/", "CD45-_filtered/"],
  ])("reads %s and %s, which have the same barcodes", async (one, other) => {
    const found = await totalsOf({
      ...sampleAt(one, ["AAA-1", "CCC-1"], 1),
      ...sampleAt(other, ["AAA-1", "CCC-1"], 10),
    });
    expect(found).toEqual({ totals: [1, 2, 10, 11], skipped: [] });
  });

  test("reads cells that are called filtered, and others that are not among the raw ones", async () => {
    const found = await totalsOf({
      ...sampleAt("P1/raw/", ["AAA-1", "CCC-1"], 1),
      ...sampleAt("P1/filtered/", ["AAA-1", "GGG-1"], 10),
    });
    expect(found).toEqual({ totals: [1, 2, 10, 11], skipped: [] });
  });

  test("reads a matrix of proteins whose cells are others", async () => {
    const proteins = rows("CD3", "CD4", "CD8");
    const found = await totalsOf({
      ...sampleAt("P1/", ["AAA-1", "CCC-1"], 1),
      ...sampleAt("P1_protein/", ["CCC-1", "GGG-1", "TTT-1"], 10, proteins),
    });
    expect(found).toEqual({ totals: [1, 2, 10, 11, 12], skipped: [] });
  });

  test("refuses matrices that share all tables where nothing but a word tells them apart", async () => {
    const { "matrix.mtx": counts, ...tables } = SMALL;
    const path = await place.folder({ ...tables, "WT.mtx": counts, "WT_CRISPR.mtx": OTHER });
    expect(await failure(readMatrix(path, place))).toBe(
      "M_FORMAT: WT.mtx and WT_CRISPR.mtx share barcodes.tsv, so they are of the same cells, and nothing tells which of them to count",
    );
  });

  test("reads a matrix beside matrix.mtx that has tables of another size, whatever they are called", async () => {
    const found = await totalsOf({
      ...SMALL,
      "other.mtx": mtx(2, 1, [[1, 1, 40]]),
      "x_genes.tsv": rows("ENSG1\tA", "ENSG2\tB"),
      "x_barcodes.tsv": rows("GGG-1"),
      "UniqueAndMult-EM.mtx": OTHER,
      "misfit.mtx": mtx(9, 9, []),
    });
    expect(found).toEqual({
      totals: [6, 7, 40],
      skipped: ["UniqueAndMult-EM.mtx", "misfit.mtx"].map(
        (name) =>
          `M_SKIPPED info: ${name} was not read: it has no tables of its own, and matrix.mtx lies beside it`,
      ),
    });
  });
});

describe("openMatrix(path, options) of names in people's words, which the tables bear out", () => {
  const cells = ["AAA-1", "CCC-1"];
  const more = ["GGG-1", "CCC-1", "AAA-1"];
  test.each<readonly [string, Files, string]>([
    [
      "filtered cells that are among the raw ones",
      { ...sampleAt("P1 filtered/", cells, 1), ...sampleAt("P1 raw/", more, 10) },
      "P1 raw/matrix.mtx was not read: its cells are those of all droplets, and the filtered ones lie beside it",
    ],
    [
      "cells that are among the unfiltered ones",
      { ...sampleAt("患者_", cells, 1), ...sampleAt("患者_Unfiltered_", more, 10) },
      "患者_Unfiltered_matrix.mtx was not read: its cells are those of all droplets, and the filtered ones lie beside it",
    ],
    [
      "proteins of most of its cells, without the number behind their barcodes",
      {
        ...sampleAt("P1_RNA/", cells, 1),
        ...sampleAt("P1_protein/", ["TTT", "AAA", "CCC"], 10, rows("CD3", "CD4", "CD8")),
      },
      "P1_protein/matrix.mtx was not read: it counts antibodies or tags of the cells of P1_RNA/matrix.mtx, not genes",
    ],
    [
      "guides with their types, which are no genes",
      {
        ...sampleAt("P1/", cells, 1),
        ...sampleAt(
          "P1_CRISPR/",
          ["XXX"],
          10,
          rows(...["a", "b", "c"].map((guide) => `${guide}\t${guide}\tCRISPR Guide Capture`)),
        ),
      },
      "P1_CRISPR/matrix.mtx was not read: it counts antibodies or tags of the cells of P1/matrix.mtx, not genes",
    ],
    [
      "reads of the same cells",
      { ...sampleAt("P1_umis_", cells, 1), ...sampleAt("P1_reads_", cells, 10) },
      "P1_reads_matrix.mtx was not read: it counts the reads of the same cells, and P1_umis_matrix.mtx their molecules",
    ],
    [
      "scaled values of some of its cells",
      { ...sampleAt("P1/", cells, 1), ...sampleAt("P1/scaled/", ["CCC-1"], 10) },
      "P1/scaled/matrix.mtx was not read: by its name it holds no counts, and P1/matrix.mtx lies beside it",
    ],
  ])("passes over %s", async (_what, files, skipped) => {
    expect(await totalsOf(files)).toEqual({
      totals: [1, 2],
      skipped: [`M_SKIPPED info: ${skipped}`],
    });
  });

  test("passes over antibodies with their types beside all droplets and beside those with cells", async () => {
    const antibodies = rows(...["a", "b", "c"].map((name) => `${name}\t${name}\tAntibody Capture`));
    const found = await totalsOf({
      ...sampleAt("GEX/filtered/", cells, 1),
      ...sampleAt("GEX/raw/", more, 10),
      ...sampleAt("ADT/filtered/", cells, 20, antibodies),
      ...sampleAt("ADT/raw/", more, 30, antibodies),
    });
    expect([found.totals, found.skipped.length]).toEqual([[1, 2], 3]);
  });

  test("reads the whole where its layers lie beside it", async () => {
    const found = await totalsOf({
      ...sampleAt("P1/", cells, 1),
      ...sampleAt("P1/spliced/", cells, 10),
      ...sampleAt("P1/unspliced/", cells.toReversed(), 100),
    });
    expect(found).toEqual({
      totals: [1, 2],
      skipped: ["spliced", "unspliced"].map(
        (layer) =>
          `M_SKIPPED info: P1/${layer}/matrix.mtx was not read: P1/matrix.mtx has the same cells with the counts of all layers, or its layers apart`,
      ),
    });
  });

  test.each([
    ["P1/spliced/", "P1/unspliced/"],
    ["mature_P1_", "nascent_P1_"],
  ])(
    "adds up %s and %s by barcode, where the cells of one are among those of the other",
    async (one, other) => {
      const found = await totalsOf({ ...sampleAt(one, cells, 1), ...sampleAt(other, more, 10) });
      expect(found).toEqual({ totals: [10, 1 + 12, 2 + 11], skipped: [] });
    },
  );

  test("reads layers in several folders with one cell table as one", async () => {
    const { "matrix.mtx": spliced, ...tables } = SMALL;
    const found = await totalsOf({
      ...tables,
      "spliced/matrix.mtx": spliced,
      "unspliced/matrix.mtx": OTHER,
    });
    expect(found).toEqual({ totals: [7, 6 + 99], skipped: [] });
  });

  test("refuses layers that have only some cells in common", async () => {
    const path = await place.folder({
      ...sampleAt("spliced/", ["AAA-1", "CCC-1"], 1),
      ...sampleAt("unspliced/", ["CCC-1", "GGG-1"], 10),
    });
    expect(await failure(readMatrix(path, place))).toBe(
      "M_FORMAT: unspliced/matrix.mtx and spliced/matrix.mtx are called like layers of the same cells, but spliced/matrix.mtx has 1 of the 2 cells of unspliced/matrix.mtx: nothing tells whether to add them up",
    );
  });

  test("knows cells by their names where rows are numbered, however many there are", async () => {
    const many = Array.from({ length: 1_200 }, (_, cell) => `cell${cell}`);
    const layer = (name: string, barcodes: readonly string[], isNumbered: boolean): Files => ({
      [`${name}.mtx`]: mtx(
        1,
        many.length,
        barcodes.map((barcode, cell) => [1, cell + 1, 1 + Number(barcode.slice(4))] as const),
      ),
      [`${name}.genes.csv`]: "g\n",
      [`${name}.barcodes.csv`]: isNumbered
        ? rows('"","x"', ...barcodes.map((barcode, row) => `"${row + 1}","${barcode}"`))
        : rows(...barcodes),
    });
    const found = await totalsOf({
      ...layer("spliced", many, true),
      ...layer("unspliced", many.toReversed(), false),
    });
    expect(found.totals).toEqual(many.map((_, cell) => 2 * (cell + 1)));
  });
});

describe("openMatrix(path, options) of HDF5 files that may be of the same cells", () => {
  test.each([
    ["PBMC_RNA.h5ad", "PBMC_protein.h5ad"],
    ["DC.h5ad", "mature_DC.h5ad"],
    ["S1_raw.h5ad", "S1_filtered.h5ad"],
  ])("refuses %s and %s, which it cannot compare, and names both", async (one, other) => {
    const h5 = await readFile(join(import.meta.dirname, "../../fixtures/matrix/csr.h5ad"));
    const path = await place.folder({ [one]: h5, [other]: h5 });
    expect(await failure(readMatrix(path, place))).toMatch(
      /^M_FORMAT: the folder holds 2 matrices in files of their own \((PBMC|DC|S1).* and .*\); one at a time can be read$/,
    );
  });
});
