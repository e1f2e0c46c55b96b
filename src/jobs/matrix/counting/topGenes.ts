// The genes with the highest mean share of a cell's counts, and how that share spreads over the cells.

import { ASIDE_CELLS } from "../kernel/foldKernel.ts";
import { makeBox } from "./quantiles.ts";
import type { Box } from "./statistics.ts";

/** Genes that the figure shows. */
export const TOP_GENES = 20;

/** Finds the genes with the highest values above 0, highest first, ties by gene order; `values` has a number for every `stride` places from `offset`. */
export function highestGenes(
  values: Float64Array,
  most: number,
  stride = 1,
  offset = 0,
): readonly number[] {
  const at = (gene: number): number => values[gene * stride + offset] ?? 0;
  const best: number[] = [];
  for (let gene = 0; gene * stride + offset < values.length; gene++) {
    const value = at(gene);
    if (!(value > 0)) continue;
    if (best.length === most && value <= at(best[most - 1] ?? 0)) continue;
    let place = best.length;
    while (place > 0 && value > at(best[place - 1] ?? 0)) place--;
    best.splice(place, 0, gene);
    if (best.length > most) best.pop();
  }
  return best;
}

/** Makes the box of a gene's shares in percent, over the cells of a group that have counts. */
export function boxOfShares(
  pieces: Iterable<Uint32Array>,
  nCounts: Float64Array,
  isOfGroup: (cell: number) => boolean,
  room: Float64Array,
): Box {
  let first = 0;
  let length = 0;
  let zeros = 0;
  for (const piece of pieces) {
    const cells = Math.min(ASIDE_CELLS, nCounts.length - first);
    for (let at = 0; at < cells; at++) {
      const total = nCounts[first + at] ?? 0;
      if (total === 0 || !isOfGroup(first + at)) continue;
      const count = piece[at] ?? 0;
      if (count === 0) zeros++;
      else room[length++] = (count / total) * 100;
    }
    first += cells;
  }
  return makeBox(room, length, zeros);
}
