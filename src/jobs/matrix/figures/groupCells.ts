// The cells of one group, picked out of the vectors of all cells.

import type { MatrixStatistics } from "../counting/statistics.ts";

/** The numbers of a group's cells, in the order of the matrix. */
export interface GroupCells {
  /** All cells of the group. */
  readonly count: number;
  readonly nCounts: Float64Array;
  readonly nGenes: Float64Array;
  /** Percent; NaN for cells without counts; null where there are no mitochondrial genes. */
  readonly mitoPct: Float64Array | null;
}

/** Picks the cells of a group. */
export function groupCells(statistics: MatrixStatistics, group: number): GroupCells {
  const { cells, groupOf } = statistics;
  const all = cells.nCounts.length;
  let count = 0;
  for (let cell = 0; cell < all; cell++) if (groupOf === null || groupOf[cell] === group) count++;
  const nCounts = new Float64Array(count);
  const nGenes = new Float64Array(count);
  const mitoPct = cells.mitoFraction === null ? null : new Float64Array(count);
  let at = 0;
  for (let cell = 0; cell < all; cell++) {
    if (groupOf !== null && groupOf[cell] !== group) continue;
    nCounts[at] = cells.nCounts[cell] ?? 0;
    nGenes[at] = cells.nGenes[cell] ?? 0;
    if (mitoPct !== null) mitoPct[at] = 100 * (cells.mitoFraction?.[cell] ?? NaN);
    at++;
  }
  return { count, nCounts, nGenes, mitoPct };
}
