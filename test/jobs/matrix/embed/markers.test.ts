import { describe, expect, test } from "vitest";

import type { CellPass } from "../../../../src/jobs/matrix/embed/cellPass.ts";
import { rankMarkers, whyLeftOut } from "../../../../src/jobs/matrix/embed/markers.ts";
import {
  addSums,
  type GeneSums,
  topGenes,
  welchScores,
} from "../../../../src/jobs/matrix/embed/welch.ts";
import { COUNTS } from "./fewCounts.ts";

const TOTALS = Float64Array.from(COUNTS, (row) => row.reduce((sum, count) => sum + count, 0));
const IDS = COUNTS[0]!.map((_, gene) => `G${gene}`);
const GENES = { ids: IDS, symbols: IDS, isMito: new Uint8Array(6) };
// scipy 1.10: ttest_ind(X[g == 0], X[g == 1], equal_var=False).statistic with X = log1p(counts / sum * 1000), g = 0 0 1 1 0 1 0.
const SCIPY = [
  2.8033628386205707, -2.9425344957250443, -0.1443523473569221, -0.6190633346475967,
  -21.129838532386234, 1.2340594855256743,
];

function sumsOf(cells: readonly number[]): GeneSums {
  const sums = new Float64Array(6);
  const squares = new Float64Array(6);
  for (const cell of cells) {
    COUNTS[cell]!.forEach((count, gene) => {
      const value = Math.log1p((count * 1_000) / TOTALS[cell]!);
      sums[gene]! += value;
      squares[gene]! += value * value;
    });
  }
  return { cells: cells.length, sums, squares };
}

/** Visits all cells and counts how often it is called. */
function countingPass(): { readonly pass: CellPass; passes: number } {
  const counter = {
    passes: 0,
    pass: (async (visit, onFraction) => {
      counter.passes++;
      COUNTS.forEach((row, cell) => {
        const entries = [...row.entries()].filter(([, count]) => count > 0);
        const genes = Uint32Array.from(entries, ([gene]) => gene);
        visit(
          cell,
          genes,
          Uint32Array.from(entries, ([, count]) => count),
          0,
          entries.length,
        );
      });
      onFraction(1);
    }) satisfies CellPass,
  };
  return counter;
}

describe("welchScores(group, rest)", () => {
  test("agrees with scipy to ten digits", () => {
    const scores = welchScores(sumsOf([0, 1, 4, 6]), sumsOf([2, 3, 5]));
    scores.forEach((score, gene) => expect(Math.abs(score / SCIPY[gene]! - 1)).toBeLessThan(1e-10));
  });

  test("gives 0 where neither side varies, however the rounding falls", () => {
    const constant = (cells: number, value: number): GeneSums => {
      let [sum, square] = [0, 0];
      for (let cell = 0; cell < cells; cell++)
        [sum, square] = [sum + value, square + value * value];
      return { cells, sums: Float64Array.of(sum), squares: Float64Array.of(square) };
    };
    expect(welchScores(constant(997, Math.log1p(1_000)), constant(1_999, 0.1))).toEqual(
      Float64Array.of(0),
    );
  });
});

describe("topGenes(scores, all, count)", () => {
  test("orders by score, ties by the table, without genes that no cell has", () => {
    const all = { ...addSums([sumsOf([0])], 6), sums: Float64Array.of(1, 1, 0, 1, 1, 1) };
    const scores = Float64Array.of(1, 3, 9, 3, -2, 2);
    expect(topGenes(scores, all, 4).map(({ index }) => index)).toEqual([1, 3, 5, 0]);
    expect(topGenes(scores, all, 10).map(({ score }) => score)).toEqual([3, 3, 2, 1, -2]);
  });
});

describe("rankMarkers(groups, genes, nCounts, pass, mostBytes, onFraction)", () => {
  const two = {
    cells: Uint32Array.of(0, 1, 2, 3, 4, 5, 6),
    clusters: Uint16Array.of(0, 0, 1, 1, 0, 1, 0),
    clusterSizes: [4, 3],
  };

  test("ranks each cluster against the rest", async () => {
    const [markers] = await rankMarkers([two], GENES, TOTALS, countingPass().pass, 1e9, () => {});
    expect(markers?.map(({ cluster, cells }) => [cluster, cells])).toEqual([
      [0, 4],
      [1, 3],
    ]);
    expect(markers?.[0]?.genes.map(({ symbol }) => symbol)).toEqual([
      "G0",
      "G5",
      "G2",
      "G3",
      "G1",
      "G4",
    ]);
    for (const { index, score } of markers?.[1]?.genes ?? []) {
      expect(Math.abs(score / -SCIPY[index]! - 1)).toBeLessThan(1e-10);
    }
  });

  test("ranks the cells of the sample only, and several groups in one pass", async () => {
    const [left, right] = [
      {
        cells: Uint32Array.of(0, 2, 3, 4),
        clusters: Uint16Array.of(0, 1, 1, 0),
        clusterSizes: [2, 2],
      },
      { cells: Uint32Array.of(1, 5, 6), clusters: Uint16Array.of(0, 0, 0), clusterSizes: [3] },
    ];
    const counter = countingPass();
    const markers = await rankMarkers(
      [left, null, right, two],
      GENES,
      TOTALS,
      counter.pass,
      1e9,
      () => {},
    );
    expect(counter.passes).toBe(1);
    expect(markers[1]).toBe(null);
    expect(markers[2]).toEqual([]);
    const expected = topGenes(
      welchScores(sumsOf([0, 4]), sumsOf([2, 3])),
      sumsOf([0, 2, 3, 4]),
      10,
    );
    expect(markers[0]?.[0]?.genes.map(({ index, score }) => ({ index, score }))).toEqual(expected);
    expect(markers[3]?.[0]?.genes).toHaveLength(6);
  });

  test("takes a pass more where the sums do not fit, with the same scores", async () => {
    const three = {
      ...two,
      clusters: Uint16Array.of(0, 0, 1, 1, 2, 1, 2),
      clusterSizes: [2, 3, 2],
    };
    const [once, often] = [countingPass(), countingPass()];
    const fractions: number[] = [];
    const [whole] = await rankMarkers([three], GENES, TOTALS, once.pass, 1e9, () => {});
    const [parts] = await rankMarkers([three], GENES, TOTALS, often.pass, 16 * 6 * 2, (fraction) =>
      fractions.push(fraction),
    );
    expect([once.passes, often.passes]).toEqual([1, 3]);
    expect(fractions).toEqual([1 / 3, 2 / 3, 1]);
    expect(parts?.map(({ cluster, cells }) => [cluster, cells])).toEqual([
      [0, 2],
      [1, 3],
      [2, 2],
    ]);
    parts?.forEach(({ genes }, at) => {
      expect(genes.map(({ symbol }) => symbol)).toEqual(
        whole?.[at]?.genes.map(({ symbol }) => symbol),
      );
      genes.forEach(({ score }, place) =>
        expect(score).toBeCloseTo(whole?.[at]?.genes[place]?.score ?? NaN, 9),
      );
    });
  });

  test("leaves out clusters of one cell, and what leaves one cell only", async () => {
    const single = {
      ...two,
      clusters: Uint16Array.of(0, 0, 1, 1, 0, 2, 0),
      clusterSizes: [4, 2, 1],
    };
    const alone = { ...two, clusters: Uint16Array.of(0, 0, 0, 1, 0, 0, 0), clusterSizes: [6, 1] };
    const { pass } = countingPass();
    const markers = await rankMarkers([single, alone], GENES, TOTALS, pass, 1e9, () => {});
    expect(markers.map((of) => of?.map(({ cluster }) => cluster))).toEqual([[0, 1], []]);
  });
});

describe("whyLeftOut(clusterSizes, markers)", () => {
  const ranked = (...clusters: readonly number[]): Parameters<typeof whyLeftOut>[1] =>
    clusters.map((cluster) => ({ cluster, cells: 2, genes: [] }));

  test("says nothing where all clusters have markers", () => {
    expect(whyLeftOut([3, 2], ranked(0, 1))).toBe(null);
  });

  test("names the clusters that have none", () => {
    expect(whyLeftOut([4, 2, 1], ranked(0, 1))).toBe(
      "cluster 2 is left out: a comparison needs two cells on either side",
    );
    expect(whyLeftOut([6, 1], ranked())).toBe(
      "clusters 0 and 1 are left out: a comparison needs two cells on either side",
    );
  });

  test("says so where there is one cluster only", () => {
    expect(whyLeftOut([6], ranked())).toBe(
      "all cells are in one cluster, so there is nothing to compare it with",
    );
  });
});
