import { describe, expect, test } from "vitest";

import { findComponents, projectCells } from "../../../../src/jobs/matrix/embed/components.ts";
import { rowBase, slotsOf, sumCovariance } from "../../../../src/jobs/matrix/embed/covariance.ts";
import { COUNTS } from "./fewCounts.ts";

const GENES = Uint32Array.of(0, 1, 2, 4, 5);
const { signal } = new AbortController();

/** Gives each cell to `add` as the sparse reader does, its genes in the table's or the reverse order. */
function forCells(
  isReversed: boolean,
  add: (
    cell: number,
    genes: Uint32Array,
    counts: Uint32Array,
    from: number,
    to: number,
    scale: number,
  ) => void,
): void {
  COUNTS.forEach((row, cell) => {
    const entries = [...row.entries()].filter(([, count]) => count > 0);
    if (isReversed) entries.reverse();
    // Two entries before and one behind are not the cell's.
    const genes = Uint32Array.from([0, 1, ...entries.map(([gene]) => gene), 5]);
    const counts = Uint32Array.from([90, 90, ...entries.map(([, count]) => count), 90]);
    const sum = row.reduce((total, count) => total + count, 0);
    add(cell, genes, counts, 2, 2 + entries.length, 1_000 / sum);
  });
}

function covarianceOf(isReversed: boolean): ReturnType<ReturnType<typeof sumCovariance>["finish"]> {
  const sums = sumCovariance(slotsOf(GENES, 6), GENES.length);
  forCells(isReversed, (_, ...entries) => sums.add(...entries));
  return sums.finish();
}

describe("sumCovariance(slots, size)", () => {
  test("sums up the covariance that the definition gives", () => {
    const values = COUNTS.map((row) => {
      const sum = row.reduce((total, count) => total + count, 0);
      return Array.from(GENES, (gene) => Math.log1p(((row[gene] ?? 0) * 1_000) / sum));
    });
    const mean = (of: readonly number[]): number => of.reduce((a, b) => a + b, 0) / of.length;
    const columns = Array.from(GENES, (_, slot) => values.map((row) => row[slot] ?? 0));
    const { matrix, means, total } = covarianceOf(false);
    columns.forEach((one, i) => {
      expect(means[i]).toBeCloseTo(mean(one), 13);
      columns.slice(i).forEach((other, j) => {
        const product = one.map((value, at) => (value - mean(one)) * (other[at]! - mean(other)));
        expect(matrix.packed[rowBase(i, 5) + i + j]).toBeCloseTo((mean(product) * 7) / 6, 12);
      });
    });
    const trace = [0, 1, 2, 3, 4].reduce((sum, i) => sum + matrix.packed[rowBase(i, 5) + i]!, 0);
    expect(total).toBe(trace);
  });

  test("gives the same bits whatever the order of a cell's genes", () => {
    expect(covarianceOf(true)).toEqual(covarianceOf(false));
  });

  test("sums up more cells than are added at a time, in any order of their genes", () => {
    const size = 9;
    const rows = Array.from({ length: 150 }, (_, cell) =>
      Array.from({ length: size }, (_, gene) => ((cell * 7 + gene * gene * 5) % 11) % 4),
    );
    const sums = sumCovariance(
      slotsOf(
        Uint32Array.from({ length: size }, (_, at) => at),
        size,
      ),
      size,
    );
    rows.forEach((row, cell) => {
      const entries = [...row.entries()].filter(([, count]) => count > 0);
      if (cell % 3 === 0) entries.reverse();
      const genes = Uint32Array.from(entries, ([gene]) => gene);
      sums.add(
        genes,
        Uint32Array.from(entries, ([, count]) => count),
        0,
        entries.length,
        1,
      );
    });
    const { matrix, means } = sums.finish();
    for (let i = 0; i < size; i++) {
      for (let j = i; j < size; j++) {
        const products = rows.map(
          (row) => (Math.log1p(row[i]!) - means[i]!) * (Math.log1p(row[j]!) - means[j]!),
        );
        const expected = products.reduce((sum, product) => sum + product, 0) / 149;
        expect(matrix.packed[rowBase(i, size) + j]).toBeCloseTo(expected, 12);
      }
    }
  });

  test("makes the variance of a constant gene no less than 0", () => {
    const sums = sumCovariance(Int32Array.of(0), 1);
    const count = Uint32Array.of(3);
    for (let cell = 0; cell < 1_000; cell++) sums.add(Uint32Array.of(0), count, 0, 1, 0.1);
    const [variance] = sums.finish().matrix.packed;
    expect(variance).toBeLessThan(1e-12);
    expect(variance).toBeGreaterThanOrEqual(0);
  });
});

describe("findComponents(covariance, cells, seed, signal) and projectCells(…)", () => {
  // numpy 1.24: u, s, vt = svd(log1p(counts / sum * 1000)[:, genes] centred); rows of vt turned so that the entry of largest
  // size is positive; scores = centred @ vt.T, ratios = s² / Σ s².
  const RATIO = [0.5369478914871146, 0.3572499971401911, 0.10161997231284778, 0.004076875825105814];
  const PC1 = [
    -4.941344066279671, -1.8426048515325775, 4.392456450993764, 4.0780436086332505,
    -4.757363492644171, 4.724044528275036, -1.6532321774456342,
  ];
  const PC2 = [
    2.0145857784987244, -2.873142035221909, 3.363453115376464, -4.336736527335239,
    2.7385728777092235, 2.9952630828189455, -3.901996291846212,
  ];
  const PC4 = [
    0.22327171680658042, -0.3806990292305135, 0.47519806480087634, -0.10725068297034436,
    -0.2702755229221833, -0.3818461590729268, 0.4416016125885126,
  ];

  test("agree with numpy's singular values and scores, all cells and the sample", async () => {
    const components = await findComponents(covarianceOf(false), 7, 1, signal);
    expect(components.count).toBe(4);
    components.varianceRatio.forEach((ratio, at) => expect(ratio).toBeCloseTo(RATIO[at]!, 12));
    const all = Uint32Array.of(0, 1, 2, 3, 4, 5, 6);
    const { scores, add } = projectCells(
      components,
      slotsOf(GENES, 6),
      3,
      all,
      Uint32Array.of(1, 2, 5),
    );
    forCells(false, add);
    scores.pc1.forEach((score, at) => expect(score).toBeCloseTo(PC1[at]!, 5));
    scores.pc2.forEach((score, at) => expect(score).toBeCloseTo(PC2[at]!, 5));
    expect(scores.sample).toHaveLength(12);
    [1, 2, 5].forEach((cell, at) => {
      expect(scores.sample[4 * at]).toBeCloseTo(PC1[cell]!, 10);
      expect(scores.sample[4 * at + 1]).toBeCloseTo(PC2[cell]!, 10);
      expect(scores.sample[4 * at + 3]).toBeCloseTo(PC4[cell]!, 9);
    });
    // Gene 3, which is not among the variable ones.
    const expected = COUNTS.map((row) =>
      Math.log1p((row[3]! * 1_000) / row.reduce((sum, count) => sum + count, 0)),
    );
    expect(scores.expression).toEqual(Float32Array.from(expected));
  });

  test("finds no components where nothing varies", async () => {
    const flat = { matrix: { size: 3, packed: new Float64Array(6) }, means: new Float64Array(3) };
    const { count, varianceRatio } = await findComponents({ ...flat, total: 0 }, 9, 1, signal);
    expect([count, varianceRatio]).toEqual([0, []]);
  });

  test("finds only as many as there are directions", async () => {
    const packed = Float64Array.of(4, 2, 2, 1, 1, 1);
    const means = new Float64Array(3);
    const found = await findComponents(
      { matrix: { size: 3, packed }, means, total: 6 },
      9,
      1,
      signal,
    );
    expect(found.count).toBe(1);
    expect(found.varianceRatio[0]).toBeCloseTo(1, 12);
  });
});
