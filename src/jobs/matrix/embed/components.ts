// Principal components of a group: from the covariance to loadings, and from loadings to the scores of its cells.

import type { Covariance } from "./covariance.ts";
import { findEigenpairs } from "./eigen.ts";

/** As scanpy takes at most. */
const MOST_COMPONENTS = 50;
/** A variance below this share of the largest is rounding. */
const NO_VARIANCE = 1e-10;

/** The directions in which the cells of a group differ most. */
export interface Components {
  readonly count: number;
  /** Share of the variable genes' variance, per component. */
  readonly varianceRatio: readonly number[];
  /** count values for each variable gene, gene after gene. */
  readonly loadings: Float64Array;
  /** What the scores begin with, so that they are centred: −Σ mean × loading. */
  readonly offsets: Float64Array;
}

/** Finds the components of `cells` cells: at most 50, fewer than cells and genes (as scanpy), and only those along which cells differ. */
export async function findComponents(
  covariance: Covariance,
  cells: number,
  seed: number,
  signal: AbortSignal,
): Promise<Components> {
  const { matrix, means, total } = covariance;
  const wanted = Math.min(MOST_COMPONENTS, matrix.size - 1, cells - 1);
  if (wanted < 1 || total <= 0) {
    const none = new Float64Array(0);
    return { count: 0, varianceRatio: [], loadings: none, offsets: none };
  }
  const { values, vectors } = await findEigenpairs(matrix, wanted, seed, signal);
  const least = NO_VARIANCE * (values[0] ?? 0);
  const kept = values.filter((value) => value > least);
  const count = kept.length;
  const loadings = new Float64Array(matrix.size * count);
  const offsets = new Float64Array(count);
  for (let component = 0; component < count; component++) {
    vectors[component]?.forEach((loading, slot) => {
      loadings[slot * count + component] = loading;
      offsets[component]! -= means[slot]! * loading;
    });
  }
  return { count, varianceRatio: kept.map((value) => value / total), loadings, offsets };
}

/** What the projection of a group's cells fills in; cells come in the order of `cells`. */
export interface Scores {
  readonly pc1: Float32Array;
  readonly pc2: Float32Array;
  /** Of the sample only: count values for each cell, cell after cell. */
  readonly sample: Float64Array;
  /** log1p of the example gene's counts per 1,000. */
  readonly expression: Float32Array;
}

/** Makes what adds one cell's scores; call it with the group's cells in ascending order. */
export function projectCells(
  components: Components,
  slots: Int32Array,
  exampleGene: number | null,
  cells: Uint32Array,
  sample: Uint32Array,
): {
  readonly scores: Scores;
  add(
    cell: number,
    genes: Uint32Array,
    counts: Uint32Array,
    from: number,
    to: number,
    scale: number,
  ): void;
} {
  const { count, loadings, offsets } = components;
  const scores = {
    pc1: new Float32Array(cells.length),
    pc2: new Float32Array(cells.length),
    sample: new Float64Array(sample.length * count),
    expression: new Float32Array(cells.length),
  };
  const sums = new Float64Array(count);
  const example = exampleGene ?? -1;
  let position = 0;
  let sampled = 0;
  return {
    scores,
    add(cell, genes, counts, from, to, scale) {
      const isSampled = sample[sampled] === cell;
      const needed = isSampled ? count : Math.min(2, count);
      sums.set(offsets);
      for (let at = from; at < to; at++) {
        const gene = genes[at]!;
        if (gene === example) scores.expression[position] = Math.log1p(counts[at]! * scale);
        const slot = slots[gene]!;
        if (slot < 0) continue;
        const value = Math.log1p(counts[at]! * scale);
        const base = slot * count;
        for (let i = 0; i < needed; i++) sums[i]! += value * loadings[base + i]!;
      }
      scores.pc1[position] = sums[0] ?? 0;
      scores.pc2[position] = sums[1] ?? 0;
      position++;
      if (isSampled) scores.sample.set(sums, sampled++ * count);
    },
  };
}
