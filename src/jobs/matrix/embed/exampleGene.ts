// The gene whose expression colours PCA and UMAP: one that all groups share, so that their figures can be compared.

import type { GroupStatistics } from "../counting/statistics.ts";
import type { GeneTable } from "../matrix.ts";

/** Marks monocytes and dendritic cells; the reference's figures are coloured by it. */
const PREFERRED = "CST3";

/** Chooses CST3 if it has counts in every group, else the first gene that has; null where there is none. Groups without any count do not matter. */
export function chooseExampleGene(
  genes: GeneTable,
  groups: readonly GroupStatistics[],
): number | null {
  const counted = groups.filter(({ cells, emptyCells }) => cells > emptyCells);
  if (counted.length === 0) return null;
  const isShared = (gene: number): boolean =>
    counted.every((group) => (group.genes.nCells[gene] ?? 0) > 0);
  const preferred = genes.symbols.indexOf(PREFERRED);
  if (preferred !== -1 && isShared(preferred)) return preferred;
  const first = genes.symbols.findIndex((_, gene) => isShared(gene));
  return first === -1 ? null : first;
}
