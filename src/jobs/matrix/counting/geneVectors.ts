// What the sums of a group's genes say of each gene.

import type { GeneSums } from "../kernel/foldKernel.ts";
import type { GeneVectors } from "./statistics.ts";
import { findVariableGenes } from "./variableGenes.ts";

/** Numbers of a gene among the sums. */
const SUMS = 4;
/** Normalised counts add up to this in each cell. */
const TARGET = 1000;
/** A variance below this part of the mean square is nothing but rounding. */
const ROUNDING = 1e-13;

/** Works out the vectors of a group with so many cells, some of them without counts. */
export function makeGeneVectors(
  { sums, cells }: GeneSums,
  allCells: number,
  emptyCells: number,
): GeneVectors {
  const genes = cells.length;
  const full = allCells - emptyCells;
  const meanCounts = new Float64Array(genes);
  const varianceCounts = new Float64Array(genes);
  const meanPct = new Float64Array(genes);
  const means = new Float64Array(genes);
  const variances = new Float64Array(genes);
  for (let gene = 0; gene < genes; gene++) {
    const sum = sums[gene * SUMS] ?? 0;
    const squares = sums[gene * SUMS + 1] ?? 0;
    const shares = sums[gene * SUMS + 2] ?? 0;
    const shareSquares = sums[gene * SUMS + 3] ?? 0;
    meanCounts[gene] = sum / allCells;
    varianceCounts[gene] = sampleVariance(sum / allCells, squares / allCells, allCells);
    const mean = full === 0 ? 0 : shares / full;
    meanPct[gene] = mean * 100;
    means[gene] = mean * TARGET;
    const square = full === 0 ? 0 : shareSquares / full;
    variances[gene] = sampleVariance(mean * TARGET, square * TARGET * TARGET, full);
  }
  const nCells = cells.slice();
  return { nCells, meanCounts, varianceCounts, meanPct, ...findVariableGenes(means, variances) };
}

function sampleVariance(mean: number, meanSquare: number, n: number): number {
  const spread = meanSquare - mean * mean;
  return (spread < meanSquare * ROUNDING ? 0 : spread) * (n / (n - 1));
}

/** Adds up the sums of several groups. */
export function addSums(groups: readonly GeneSums[]): GeneSums {
  const [first, ...others] = groups;
  if (first === undefined) throw new RangeError("there are no groups");
  const sums = first.sums.slice();
  const cells = first.cells.slice();
  for (const other of others) {
    for (let at = 0; at < sums.length; at++) sums[at] = (sums[at] ?? 0) + (other.sums[at] ?? 0);
    for (let at = 0; at < cells.length; at++) cells[at] = (cells[at] ?? 0) + (other.cells[at] ?? 0);
  }
  return { sums, cells };
}
