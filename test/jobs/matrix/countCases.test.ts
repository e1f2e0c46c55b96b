// Matrices as they come in the field: which numbers are counts, what is read, and what is refused by its name.

import { describe, expect, test } from "vitest";

import { names } from "./hdf5/hdf5Files.ts";
import { caseInput, expectCase } from "./support/countCases.ts";
import {
  countingIn,
  failure,
  mtx,
  readMatrix,
  SMALL,
  SMALL_READ,
  useWorkplace,
} from "./support/matrixFiles.ts";

const place = useWorkplace();

describe("openMatrix(case) with computeStatistics(reader): valid input", () => {
  test("reads the field unsigned-integer, as SciPy writes it", async () => {
    await expectCase("mtx-unsigned-integer", place);
  });

  test("reads the field in any case, packed by gzip or not", async () => {
    const entries = [
      [1, 1, 5],
      [3, 1, 1],
      [2, 2, 7],
    ] as const;
    const path = await place.folder({
      ...SMALL,
      "matrix.mtx": mtx(3, 2, entries, { field: "Unsigned-Integer" }),
    });
    expect((await readMatrix(path, place)).cells).toEqual(SMALL_READ.cells);
  });

  test("reads categories that are nullable texts", async () => {
    const notes = await expectCase("h5ad-nullable-categories", place, "input.h5ad");
    expect(notes).toEqual([]);
  });
});

describe("openMatrix(case) with computeStatistics(reader): which numbers are counts", () => {
  const { count } = countingIn(place);

  test("takes RSEM's counts from a loom whose matrix holds TPM, and says so", async () => {
    const notes = await expectCase("smartseq2-tpm", place, "input.loom");
    expect(notes.map(({ rule, message }) => [rule, message])).toEqual([
      [
        "M_NOT_COUNTS",
        "input.loom: matrix does not hold counts; they were taken from layers/estimated_counts",
      ],
      [
        "M_ROUNDED",
        "input.loom: layers/estimated_counts: 2 values not whole, rounded to the nearest whole count",
      ],
    ]);
  });

  test("decides nothing by a sample of noughts", async () => {
    const notes = await expectCase("h5ad-zero-middle", place, "input.h5ad");
    expect(notes[0]?.message).toBe(
      "input.h5ad: raw/X does not hold counts; they were taken from X",
    );
  });

  test("takes counts from layers/raw where X holds logarithms", async () => {
    await expectCase("h5ad-layers-raw", place, "input.h5ad");
  });

  test("refuses log2(1 + n) of counts, most of which is whole", async () => {
    expect(await failure(count(caseInput("log2-of-counts", "input.h5ad")))).toBe(
      "M_NOT_COUNTS: input.h5ad: X holds logarithms, not counts: every value is the log2 of a whole number plus 1 (13 of 318 values are not whole, the largest is 2.32193)",
    );
  });

  /** Twelve cells of six genes; every value other than 0 changed. */
  const folderOf = (change: (value: number, total: number) => number, field: string) => {
    const rows = Array.from({ length: 12 }, (_, cell) =>
      [1, 3, 1, cell % 5, 2 + (cell % 3), 5].map((value) => value),
    );
    const entries = rows.flatMap((row, cell) => {
      const total = row.reduce((a, b) => a + b, 0);
      return row.flatMap((value, gene) =>
        value === 0 ? [] : [[gene + 1, cell + 1, change(value, total)] as const],
      );
    });
    return place.folder({
      "matrix.mtx": mtx(6, 12, entries, { field }),
      "genes.tsv": names("ENSG", 6)
        .map((name) => `${name}\n`)
        .join(""),
      "barcodes.tsv": names("cell", 12)
        .map((name) => `${name}\n`)
        .join(""),
    });
  };

  test.each<readonly [string, (value: number, total: number) => number, string]>([
    [
      "log2",
      (value) => Math.log2(1 + value),
      "M_NOT_COUNTS: matrix.mtx holds logarithms, not counts: every value is the log2 of a whole number plus 1 (24 of 69 values are not whole, none reaches 20)",
    ],
    [
      "log1p",
      (value) => Number(Math.log1p(value).toFixed(4)),
      "M_NOT_COUNTS: matrix.mtx holds logarithms or other transformed values, not counts: 69 of 69 values are not whole, none reaches 20",
    ],
    [
      "TPM",
      (value, total) => (value / total) * 1e6,
      "M_NOT_COUNTS: the matrix holds normalised values, not counts: those of each cell add up to about 1,000,000, as TPM, CPM and their like do",
    ],
    [
      "TPM that was rounded",
      (value, total) => Math.round((value / total) * 1e6),
      "M_NOT_COUNTS: the matrix holds normalised values, not counts: those of each cell add up to about 1,000,000, as TPM, CPM and their like do",
    ],
    [
      "scaled values",
      (value) => (value - 2.5) / 3,
      'M_NOT_COUNTS: matrix.mtx, entry 1: the value "-0.5" is negative and not whole: these are scaled or centred values, not counts',
    ],
  ])("refuses %s in MatrixMarket as well", async (_, change, message) => {
    expect(await failure(count(await folderOf(change, "real")))).toBe(message);
  });

  test("takes counts that are written as reals", async () => {
    const { whole } = await count(await folderOf((value) => value, "real"));
    expect([whole.cells, whole.counts]).toEqual([12, 177]);
  });
});

describe("openMatrix(case): antibodies", () => {
  const { count, small } = countingIn(place);

  test("refuses a table without a single gene", async () => {
    expect(await failure(count(caseInput("antibodies-only")))).toBe(
      "M_TABLE: features.tsv.gz: none of its 30 features is of the type Gene Expression",
    );
  });

  test("takes a third column that says something else for what it is", async () => {
    const path = await small({
      "genes.tsv": "E1\tA\tchr1\nE2\tB\tchrM\nE3\tMT-C\tprotein_coding\n",
    });
    expect((await readMatrix(path, place)).symbols).toEqual(["A", "B", "MT-C"]);
  });

  test("leaves out antibodies beside genes that are called by their biotype", async () => {
    const path = await small({
      "genes.tsv": "E1\tA\tprotein_coding\nE2\tB\tantibody_capture\nE3\tMT-C\tlncRNA\n",
    });
    const { symbols, notes } = await readMatrix(path, place);
    expect(symbols).toEqual(["A", "MT-C"]);
    expect(notes).toContain(
      "M_TABLE info: 1 feature that is not gene expression (antibody_capture) is left out",
    );
  });

  test("refuses antibodies and guides together, under a header as well", async () => {
    const path = await small({
      "genes.tsv":
        "id\tname\tfeature_type\nE1\tA\tAntibody Capture\nE2\tB\tCRISPR Guide Capture\nE3\tC\tCustom\n",
    });
    expect(await failure(count(path))).toBe(
      "M_TABLE: genes.tsv: none of its 3 features is of the type Gene Expression",
    );
  });
});
