// A handful of cells, which is quickly made, written and analysed.

import { makeDice } from "../../../lookalikes/dice.ts";
import type { CellCounts, PlannedCell } from "./matrixCells.ts";

/** Makes a handful of cells of three kinds; a tenth of the genes is mitochondrial, CST3 is among the others. */
export function tinyCells(size: {
  readonly seed: number;
  readonly cells: number;
  readonly genes: number;
}): CellCounts {
  const mitochondrial = Math.ceil(size.genes / 10);
  const genes = Array.from({ length: size.genes }, (_, index) => ({
    id: `ENSG${String(index + 1).padStart(11, "0")}`,
    symbol: symbolOf(index, mitochondrial),
    level: 1,
  }));
  const cells: PlannedCell[] = [];
  const starts = new Uint32Array(size.cells + 1);
  const geneOf: number[] = [];
  const counts: number[] = [];
  for (let cell = 0; cell < size.cells; cell++) {
    const dice = makeDice("tiny", size.seed, cell);
    const kind = dice.below(3);
    cells.push({
      barcode: `CELL${cell}-1`,
      kind: `kind ${kind + 1}`,
      approach: "10X v2 sequencing",
      state: "healthy",
    });
    for (let gene = 0; gene < size.genes; gene++) {
      const isMarker = gene >= mitochondrial && gene % 3 === kind;
      if (!dice.chance(isMarker ? 0.85 : 0.3)) continue;
      geneOf.push(gene);
      counts.push(1 + dice.below(isMarker ? 12 : 3));
    }
    starts[cell + 1] = counts.length;
  }
  return {
    genes,
    cells,
    starts,
    geneOf: Uint32Array.from(geneOf),
    counts: Uint32Array.from(counts),
  };
}

function symbolOf(index: number, mitochondrial: number): string {
  if (index < mitochondrial) return `MT-T${index + 1}`;
  return index === mitochondrial ? "CST3" : `GENE${index + 1}`;
}
