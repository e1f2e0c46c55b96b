// Statistics of matrices with known answers.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { computeStatistics } from "../../../../src/jobs/matrix/counting/computeStatistics.ts";
import type {
  GroupStatistics,
  MatrixStatistics,
} from "../../../../src/jobs/matrix/counting/statistics.ts";
import { makeGeneTable } from "../../../../src/jobs/matrix/reading/geneTable.ts";
import { cellsOf, genesNamed, makeFolder, openParts, openText } from "../support/mtxFiles.ts";
import { makeRandom } from "../support/random.ts";

const FIXTURES = join(import.meta.dirname, "../../../fixtures/matrix");
const signal = new AbortController().signal;

interface Expected {
  readonly cells: number;
  readonly genes: number;
  readonly entries: number;
  readonly n_counts: readonly number[];
  readonly n_genes: readonly number[];
  readonly percent_mito_genes: readonly number[];
  readonly n_cells_per_gene: readonly number[];
  readonly top_genes: readonly string[];
  readonly top_gene_mean_percent: readonly number[];
  readonly log_mean: readonly number[];
  readonly dispersion_norm: readonly number[];
  readonly highly_variable: readonly string[];
}

const EXPECTED = JSON.parse(readFileSync(join(FIXTURES, "expected.json"), "utf8")) as {
  readonly whole: Expected;
  readonly by_library_construction_approach: Readonly<Record<string, Expected>>;
};

/** Compares to 1e-6, relative; NaN only equals itself. */
function expectClose(actual: ArrayLike<number>, expected: readonly number[]): void {
  expect(actual.length).toBe(expected.length);
  const off = expected.flatMap((value, at) =>
    Object.is(actual[at], value) ||
    Math.abs((actual[at] ?? NaN) - value) <= 1e-6 * Math.max(Math.abs(value), 1e-6)
      ? []
      : [{ at, value, actual: actual[at] }],
  );
  expect(off).toEqual([]);
}

function expectGroup(statistics: MatrixStatistics, group: GroupStatistics, of: Expected): void {
  const { genes, cells } = statistics;
  const index = statistics.groups.findIndex(({ approach }) => approach === group.approach);
  const mine = <T extends ArrayLike<number>>(vector: T): number[] =>
    Array.from(vector).filter(
      (_, cell) => index < 0 || statistics.groupOf === null || statistics.groupOf[cell] === index,
    );
  expect(group.cells).toBe(of.cells);
  expect(genes.ids.length).toBe(of.genes);
  expect(group.entries).toBe(of.entries);
  expect(mine(cells.nCounts)).toEqual(of.n_counts);
  expect(mine(cells.nGenes)).toEqual(of.n_genes);
  expectClose(mine(cells.mitoFraction ?? new Float64Array()), of.percent_mito_genes);
  expect(Array.from(group.genes.nCells)).toEqual(of.n_cells_per_gene);
  expectClose(group.genes.logMean, of.log_mean);
  expectClose(group.genes.dispersionNorm, of.dispersion_norm);
  const variable = genes.symbols.filter((_, gene) => group.genes.isVariable[gene] === 1);
  expect(variable).toEqual(of.highly_variable);
}

function expectTop(group: GroupStatistics, of: Expected): void {
  expect(group.topGenes.map(({ symbol }) => symbol)).toEqual(of.top_genes);
  expectClose(
    group.topGenes.map(({ meanPct }) => meanPct),
    of.top_gene_mean_percent,
  );
}

/** Reads a table's first columns, as the fixtures have them. */
function rows(path: string): string[][] {
  const bytes = readFileSync(path);
  const text = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString();
  return text
    .split(/\r?\n/)
    .filter((line) => line !== "")
    .map((line) => line.split("\t"));
}

/** Each cell's approach, told by its counts: expected.json lists them per approach in file order. */
function approachesOfZip(): readonly string[] {
  const { n_counts, n_genes } = EXPECTED.whole;
  const lists = Object.entries(EXPECTED.by_library_construction_approach).map(([key, of]) => ({
    key,
    of,
    next: 0,
  }));
  return n_counts.map((count, cell) => {
    const fits = lists.filter(
      ({ of, next }) => of.n_counts[next] === count && of.n_genes[next] === n_genes[cell],
    );
    const [list] = fits;
    if (list === undefined) throw new Error(`cell ${cell} has no approach`);
    list.next++;
    return list.key === "SS2" ? "Smart-seq2" : "10X v2 sequencing";
  });
}

async function statisticsOf(
  name: string,
  matrix: string,
  genes: string,
  approachOf?: (cell: number) => string,
): Promise<MatrixStatistics> {
  const dir = makeFolder();
  const path = join(FIXTURES, name, matrix);
  const features = rows(join(FIXTURES, name, genes));
  const length = readFileSync(path).length;
  const reader = await openParts(
    dir,
    [
      {
        matrix: {
          path,
          offset: 0,
          length,
          layers: matrix.endsWith(".gz") ? ["gzip"] : [],
          name: matrix,
          claimed: null,
        },
        genes: features.length,
        cells: 240,
        geneMap: null,
        firstCell: 0,
        cellMap: null,
      },
    ],
    makeGeneTable(
      features.map(([id = ""]) => id),
      features.map(([id = "", symbol = id]) => symbol),
    ),
    cellsOf(240, approachOf),
  );
  return computeStatistics(reader, { scratchDir: dir, signal });
}

describe("computeStatistics(reader, { scratchDir, signal, onProgress })", () => {
  test("gives the known answers of a 10x folder", async () => {
    const statistics = await statisticsOf("tenx", "matrix.mtx.gz", "features.tsv.gz");
    expectGroup(statistics, statistics.whole, EXPECTED.whole);
    expectTop(statistics.whole, EXPECTED.whole);
  });

  test("gives the known answers where entries come in any order", async () => {
    const statistics = await statisticsOf("odd", "matrix.mtx", "genes.tsv");
    expectGroup(statistics, statistics.whole, EXPECTED.whole);
    expectTop(statistics.whole, EXPECTED.whole);
  });

  test("splits by approach as the cells' table says", async () => {
    const labels = approachesOfZip();
    const statistics = await statisticsOf(
      "tenx",
      "matrix.mtx.gz",
      "features.tsv.gz",
      (cell) => labels[cell] ?? "",
    );
    expectGroup(statistics, statistics.whole, EXPECTED.whole);
    expect(statistics.whole.topGenes).toEqual([]);
    const keys = statistics.groups.map(({ approach }) => approach?.key ?? "");
    expect([...keys].sort()).toEqual(["10X", "SS2"]);
    for (const [at, key] of keys.entries()) {
      const group = statistics.groups[at];
      const expected = EXPECTED.by_library_construction_approach[key];
      if (group === undefined || expected === undefined) throw new Error(`no ${key}`);
      expectGroup(statistics, group, expected);
      expectTop(group, expected);
    }
  });

  test("gives what plain loops give, whatever the matrix", async () => {
    const random = makeRandom(21);
    for (let round = 0; round < 40; round++) {
      const genes = 1 + random.below(30);
      const cells = 1 + random.below(40);
      const approaches = 1 + random.below(3);
      const counts = Array.from({ length: cells }, () =>
        Array.from({ length: genes }, () => (random.below(3) === 0 ? random.below(1000) : 0)),
      );
      (counts[0] ?? [])[0] = 5;
      const entries = counts.flatMap((of, cell) =>
        of.flatMap((value, gene) => (value === 0 ? [] : [`${gene + 1} ${cell + 1} ${value}`])),
      );
      const mixed = round % 2 === 0 ? random.shuffle(entries) : entries;
      const head = "%%MatrixMarket matrix coordinate integer general\n";
      const text = `${head}${genes} ${cells} ${mixed.length}\n${mixed.join("\n")}\n`;
      const of = Array.from({ length: cells }, () => random.below(approaches));
      const reader = await openText(text, {
        genes,
        cells,
        geneTable: genesNamed(genes, [0, 3]),
        cellTable: cellsOf(cells, (cell) => `way ${of[cell]}`),
      });
      const dir = makeFolder();
      const statistics = await computeStatistics(reader, { scratchDir: dir, signal });
      expect(readdirSync(dir)).toEqual([]);
      const totals = counts.map((values) => values.reduce((a, b) => a + b, 0));
      expect(Array.from(statistics.cells.nCounts)).toEqual(totals);
      expectClose(
        statistics.cells.mitoFraction ?? [],
        totals.map((total, cell) => ((counts[cell]?.[0] ?? 0) + (counts[cell]?.[3] ?? 0)) / total),
      );
      for (const group of [...statistics.groups, statistics.whole]) {
        const mine = counts.filter(
          (_, cell) => group.approach === null || `way ${of[cell]}` === group.approach.label,
        );
        const full = mine.filter((values) => values.some((value) => value > 0));
        expect([group.cells, group.emptyCells]).toEqual([mine.length, mine.length - full.length]);
        const mean = (values: readonly number[]): number =>
          values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length;
        for (let gene = 0; gene < genes; gene++) {
          const column = mine.map((values) => values[gene] ?? 0);
          const shares = full.map(
            (values) => (100 * (values[gene] ?? 0)) / values.reduce((a, b) => a + b, 0),
          );
          const spread = column.reduce((sum, value) => sum + (value - mean(column)) ** 2, 0);
          expect(group.genes.nCells[gene]).toBe(column.filter((value) => value > 0).length);
          expectClose(
            [
              group.genes.meanCounts[gene] ?? NaN,
              group.genes.varianceCounts[gene] ?? NaN,
              group.genes.meanPct[gene] ?? NaN,
            ],
            [mean(column), spread / (column.length - 1), mean(shares)],
          );
          const top = group.topGenes.find(({ index }) => index === gene);
          if (top === undefined) continue;
          const sorted = [...shares].sort((a, b) => a - b);
          const half = (sorted.length - 1) / 2;
          const median = ((sorted[Math.floor(half)] ?? 0) + (sorted[Math.ceil(half)] ?? 0)) / 2;
          expectClose([top.box.median], [median]);
        }
      }
    }
  });

  test("reads a second time where a top gene was not foreseen, over more cells than memory holds", async () => {
    // The first cells have none of the genes that later ones have most of.
    const genes = 200;
    const cells = 9000;
    const lines: string[] = [];
    for (let cell = 1; cell <= cells; cell++) {
      if (cell <= 2000) {
        for (let gene = 1; gene <= 100; gene++) lines.push(`${gene} ${cell} 1`);
      } else lines.push(`${101 + (cell % 100)} ${cell} ${1 + (cell % 7)}`, `101 ${cell} 50`);
    }
    const head = "%%MatrixMarket matrix coordinate integer general\n";
    const text = `${head}${genes} ${cells} ${lines.length}\n${lines.join("\n")}\n`;
    const reader = await openText(text, { genes, cells });
    const dir = makeFolder();
    const { whole } = await computeStatistics(reader, { scratchDir: dir, signal });
    const [first] = whole.topGenes;
    const shares = Array.from({ length: cells }, (_, at) => {
      const cell = at + 1;
      if (cell <= 2000) return 0;
      const other = 1 + (cell % 7);
      return cell % 100 === 0 ? 100 : 5000 / (50 + other);
    }).sort((a, b) => a - b);
    const at = (part: number): number => {
      const position = (cells - 1) * part;
      const [below = 0, above = 0] = [Math.floor(position), Math.ceil(position)].map(
        (rank) => shares[rank] ?? 0,
      );
      return below + (above - below) * (position % 1);
    };
    expect(first?.index).toBe(100);
    const { q1 = NaN, median = NaN, q3 = NaN } = first?.box ?? {};
    expectClose([q1, median, q3], [at(0.25), at(0.5), at(0.75)]);
    expect(readdirSync(dir)).toEqual([]);
  });

  test.for([
    [0, 2, "the matrix has no genes"],
    [2, 0, "the matrix has no cells"],
    [2, 2, "the matrix has no counts above 0"],
  ] as const)("refuses %d genes and %d cells without entries", async ([genes, cells, message]) => {
    const text = `%%MatrixMarket matrix coordinate integer general\n${genes} ${cells} 0\n`;
    const reader = await openText(text, { genes, cells });
    await expect(
      computeStatistics(reader, { scratchDir: makeFolder(), signal }),
    ).rejects.toMatchObject({ rule: "M_EMPTY", message });
  });

  test("says how far it is", async () => {
    const text = "%%MatrixMarket matrix coordinate integer general\n1 1 1\n1 1 1\n";
    const reader = await openText(text, { genes: 1, cells: 1 });
    const heard: number[][] = [];
    await computeStatistics(reader, {
      scratchDir: makeFolder(),
      signal,
      onProgress: (done, total) => heard.push([done, total]),
    });
    expect(heard.at(-1)).toEqual([text.length, text.length]);
  });
});
