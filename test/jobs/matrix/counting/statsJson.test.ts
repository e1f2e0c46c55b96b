// Statistics as JSON: what becomes text when.

import { describe, expect, test } from "vitest";

import type {
  GeneVectors,
  GroupStatistics,
  MatrixStatistics,
} from "../../../../src/jobs/matrix/counting/statistics.ts";
import { writeStatistics } from "../../../../src/jobs/matrix/counting/statsJson.ts";
import { makeGeneTable } from "../../../../src/jobs/matrix/reading/geneTable.ts";

/** Genes that put down which of their numbers were asked for. */
function genesTold(asked: string[], whose: string): GeneVectors {
  const numbers = Float64Array.of(1, 2);
  const genes = {
    nCells: Uint32Array.of(1, 2),
    meanCounts: numbers,
    varianceCounts: numbers,
    meanPct: numbers,
    logMean: numbers,
    dispersion: numbers,
    dispersionNorm: Float32Array.of(0, 3),
    isVariable: Uint8Array.of(0, 1),
  };
  return new Proxy(genes, {
    get(target, name: keyof GeneVectors) {
      asked.push(`${whose}.${name}`);
      return target[name];
    },
  });
}

function groupOf(genes: GeneVectors, key: string | null, cells: number): GroupStatistics {
  const approach = key === null ? null : { key, label: key };
  return { approach, cells, emptyCells: 0, entries: 3, counts: 4, genes, topGenes: [] };
}

/** Statistics of two genes and two cells, with each group's numbers of genes. */
function statisticsOf(whole: GeneVectors, ofGroups: readonly GeneVectors[]): MatrixStatistics {
  return {
    format: "mtx",
    notes: [],
    genes: makeGeneTable(["g1", "g2"], ["A", "B"]),
    cells: {
      nCounts: Float64Array.of(1, 3),
      nGenes: Uint32Array.of(1, 2),
      mitoFraction: null,
    },
    groupOf: ofGroups.length === 1 ? null : Uint8Array.of(0, 1),
    whole: groupOf(whole, null, 2),
    groups: ofGroups.map((genes, at) => groupOf(genes, `G${at}`, 2 / ofGroups.length)),
  };
}

const OF_GENES = {
  n_cells_per_gene: [1, 2],
  top_genes: ["B", "A"],
  top_gene_mean_percent: [2, 1],
  log_mean: [1, 2],
  dispersion_norm: [0, 3],
  highly_variable: ["B"],
};
const NUMBERS = { genes: 2, entries: 3, percent_mito_genes: null };
const WHOLE = { ...NUMBERS, cells: 2, n_counts: [1, 3], n_genes: [1, 2], ...OF_GENES };
/** The numbers of genes that are written, as often as they are asked for. */
const askedOf = (whose: string): readonly string[] =>
  ["meanPct", "nCells", "meanPct", "logMean", "dispersionNorm", "isVariable", "isVariable"].map(
    (name) => `${whose}.${name}`,
  );

describe("writeStatistics(statistics)", () => {
  test("makes genes that a group shares with the whole into text once", () => {
    const asked: string[] = [];
    const genes = genesTold(asked, "whole");
    const text = [...writeStatistics(statisticsOf(genes, [genes]))].join("");
    expect(JSON.parse(text)).toMatchObject({
      whole: WHOLE,
      by_library_construction_approach: { G0: WHOLE },
    });
    expect(asked).toEqual(askedOf("whole"));
  });

  test("asks for the numbers of a group when they are written, no sooner", () => {
    const asked: string[] = [];
    const [whole, one, other] = ["whole", "one", "other"].map((name) => genesTold(asked, name));
    if (whole === undefined || one === undefined || other === undefined)
      throw new Error("no genes");
    let text = "";
    /** How much had been asked for when a heading was written, for the whole and each group. */
    const before: Record<string, number[]> = {};
    for (const piece of writeStatistics(statisticsOf(whole, [one, other]))) {
      text += piece;
      for (const heading of ['"n_cells_per_gene"', '"log_mean"', '"highly_variable"']) {
        if (piece.includes(heading)) (before[heading] ??= []).push(asked.length);
      }
    }
    expect(JSON.parse(text)).toMatchObject({
      whole: WHOLE,
      by_library_construction_approach: {
        G0: { ...NUMBERS, cells: 1, n_counts: [1], n_genes: [1], ...OF_GENES },
        G1: { ...NUMBERS, cells: 1, n_counts: [3], n_genes: [2], ...OF_GENES },
      },
    });
    expect(before).toEqual({
      '"n_cells_per_gene"': [1, 8, 15],
      '"log_mean"': [3, 10, 17],
      '"highly_variable"': [5, 12, 19],
    });
    expect(asked).toEqual(["whole", "one", "other"].flatMap(askedOf));
  });
});
