// One pass over a matrix's cells: what is counted per cell, the sums per gene and group, counts of top-gene candidates put aside.

import { number } from "../../../format.ts";
import {
  ASIDE_CELLS,
  type GeneSums,
  makeFoldKernel,
  MOST_CANDIDATES,
} from "../kernel/foldKernel.ts";
import type { CellBlock, CellTable, GeneTable } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";
import { type AsideCounts, makeAsideCounts } from "./asideCounts.ts";
import type { CellVectors } from "./statistics.ts";
import { highestGenes } from "./topGenes.ts";

/** Genes × approaches; each takes 37 bytes while counting and about as much afterwards: 1.5 GB. */
const MOST_SUMS = 20_000_000;

/** What a pass gathers. */
export interface CellFold {
  add(block: CellBlock): void;
  /** Adds a block of a later pass, of which only the counts of the chosen genes are put aside. */
  addAside(block: CellBlock): void;
  /** Forgets everything. */
  reset(): Promise<void>;
  /** Chooses the genes of each group for a later pass, instead of the candidates, and begins it. */
  choose(genes: readonly (readonly number[])[]): Promise<void>;
  readonly cells: CellVectors;
  /** Entries of each group, and its cells without any. */
  readonly entries: Float64Array;
  readonly emptyCells: Float64Array;
  readonly groupCells: Float64Array;
  sumsOf(group: number): GeneSums;
  /** The genes whose counts are put aside; the place of each is that in `aside`. */
  chosenOf(group: number): readonly number[];
  /** Counts put aside for the gene at a place. */
  aside(place: number): Generator<Uint32Array>;
  remove(): Promise<void>;
}

/** Makes a fold for a matrix; `scratchDir` is private. */
export function makeCellFold(genes: GeneTable, cells: CellTable, scratchDir: string): CellFold {
  const { count, approaches, approachOf } = cells;
  const sums = genes.ids.length * approaches.length;
  if (sums > MOST_SUMS) {
    throw new UnreadableMatrix(
      "M_TOO_LARGE",
      `${number(genes.ids.length)} genes in ${number(approaches.length)} approaches are more than the ${number(MOST_SUMS)} sums that can be kept`,
    );
  }
  const kernel = makeFoldKernel(genes.isMito, approaches.length);
  const hasMito = genes.isMito.includes(1);
  const nCounts = new Float64Array(count);
  const nGenes = new Uint32Array(count);
  const mitoFraction = hasMito ? new Float64Array(count) : null;
  const entries = new Float64Array(approaches.length);
  const emptyCells = new Float64Array(approaches.length);
  const groupCells = new Float64Array(approaches.length);
  let chosen: (readonly number[] | null)[] = approaches.map(() => null);
  let aside: AsideCounts = makeAsideCounts(scratchDir, kernel.aside);

  /** Loads a block piece by piece, no piece across the border of a chunk of those put aside. */
  function eachPiece(
    block: CellBlock,
    use: (first: number, length: number, row: number) => void,
  ): void {
    for (let from = 0; from < block.cells;) {
      const first = block.firstCell + from;
      if (first - aside.firstCell() === ASIDE_CELLS) aside.next();
      const row = first - aside.firstCell();
      const length = kernel.load(block, from, ASIDE_CELLS - row);
      use(first, length, row);
      from += length;
    }
  }

  async function beginAside(): Promise<void> {
    await aside.remove();
    aside = makeAsideCounts(scratchDir, kernel.aside);
  }

  function takeCells(block: CellBlock, first: number, length: number): void {
    const { totals, mitos } = kernel;
    nCounts.set(totals.subarray(0, length), first);
    for (let at = 0; at < length; at++) {
      const cell = first + at;
      const inBlock = cell - block.firstCell;
      const size = (block.starts[inBlock + 1] ?? 0) - (block.starts[inBlock] ?? 0);
      const group = approachOf === null ? 0 : (approachOf[cell] ?? 0);
      nGenes[cell] = size;
      entries[group] = (entries[group] ?? 0) + size;
      groupCells[group] = (groupCells[group] ?? 0) + 1;
      if (size === 0) emptyCells[group] = (emptyCells[group] ?? 0) + 1;
      if (mitoFraction !== null) mitoFraction[cell] = (mitos[at] ?? 0) / (totals[at] ?? 0);
    }
  }

  return {
    add(block) {
      eachPiece(block, (first, length, row) => {
        const late: { group: number; from: number; to: number }[] = [];
        eachRun(approachOf, first, length, (group, from, to) => {
          const known = chosen[group] !== null;
          kernel.fold(group, from, to, known ? row + from : null);
          if (!known) late.push({ group, from, to });
        });
        takeCells(block, first, length);
        for (const { group, from, to } of late) {
          if (chosen[group] === null) {
            // Shares: the third of the four sums.
            const best = highestGenes(kernel.sumsOf(group).sums, MOST_CANDIDATES, 4, 2);
            if (best.length === 0) continue;
            chosen[group] = best;
            kernel.choose(group, best);
          }
          kernel.putAside(group, from, to, row + from);
        }
      });
    },
    addAside(block) {
      eachPiece(block, (first, length, row) => {
        eachRun(approachOf, first, length, (group, from, to) =>
          kernel.putAside(group, from, to, row + from),
        );
      });
    },
    async reset() {
      kernel.reset();
      chosen = approaches.map(() => null);
      for (const vector of [entries, emptyCells, groupCells]) vector.fill(0);
      await beginAside();
    },
    async choose(genesOfGroups) {
      chosen = [...genesOfGroups];
      for (const [group, of] of genesOfGroups.entries()) kernel.choose(group, of);
      await beginAside();
    },
    cells: { nCounts, nGenes, mitoFraction },
    entries,
    emptyCells,
    groupCells,
    sumsOf: (group) => kernel.sumsOf(group),
    chosenOf: (group) => chosen[group] ?? [],
    aside: (place) => aside.read(place),
    remove: () => aside.remove(),
  };
}

/** Calls for each stretch of cells of one group; `first` is the index of the first loaded cell. */
function eachRun(
  approachOf: CellTable["approachOf"],
  first: number,
  length: number,
  use: (group: number, from: number, to: number) => void,
): void {
  if (approachOf === null) {
    use(0, 0, length);
    return;
  }
  for (let from = 0; from < length;) {
    const group = approachOf[first + from] ?? 0;
    let to = from + 1;
    while (to < length && approachOf[first + to] === group) to++;
    use(group, from, to);
    from = to;
  }
}
