// Which genes PCA rests on: those variable at the reference cut-offs, or the most dispersed where these are too few.

import type { GroupStatistics } from "../counting/statistics.ts";

/** Bounds the covariance to 16 MB a group; scanpy's own pipelines use 2,000 genes as well. */
const MOST_GENES = 2_000;
/** Fewer than this say too little of a matrix: small and shallow ones have few genes at the reference cut-offs. */
const FEWEST_GENES = 50;

export interface VariableGenes {
  /** Indexes into the gene table, ascending. */
  readonly genes: Uint32Array;
  /** Genes variable at the reference cut-offs. */
  readonly atCutoffs: number;
  /** Whether they were too few, so that the most dispersed were taken. */
  readonly isFallback: boolean;
}

/** Chooses a group's variable genes; ties in dispersion go to the first in the table. */
export function chooseVariableGenes(group: GroupStatistics): VariableGenes {
  const { isVariable, nCells, dispersion } = group.genes;
  const variable: number[] = [];
  for (let gene = 0; gene < isVariable.length; gene++)
    if (isVariable[gene] === 1) variable.push(gene);
  const atCutoffs = variable.length;
  if (atCutoffs >= FEWEST_GENES) {
    return { genes: mostDispersed(variable, group), atCutoffs, isFallback: false };
  }
  const candidates: number[] = [];
  for (let gene = 0; gene < nCells.length; gene++) {
    // A gene without a dispersion is the same in all cells: no component could rest on it.
    if ((nCells[gene] ?? 0) > 0 && !Number.isNaN(dispersion[gene])) candidates.push(gene);
  }
  return { genes: mostDispersed(candidates, group), atCutoffs, isFallback: true };
}

function mostDispersed(genes: readonly number[], group: GroupStatistics): Uint32Array {
  const norm = group.genes.dispersionNorm;
  const ranked =
    genes.length <= MOST_GENES
      ? genes
      : genes.toSorted((a, b) => (norm[b] ?? 0) - (norm[a] ?? 0) || a - b).slice(0, MOST_GENES);
  return Uint32Array.from(ranked).sort();
}
