// Visiting cells one by one, from the reader or from entries that were kept in memory during an earlier pass.

import { setImmediate } from "node:timers/promises";

import { HdashError } from "../../../error.ts";
import type { CellVectors } from "../counting/statistics.ts";
import type { MatrixReader } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";

/** Sees one cell: its entries are genes[from] … genes[to − 1] and the counts beside them. */
export type CellVisitor = (
  cell: number,
  genes: Uint32Array,
  counts: Uint32Array,
  from: number,
  to: number,
) => void;

/** Visits cells once, ascending: those with counts that the source of the pass holds. */
export type CellPass = (
  visit: CellVisitor,
  onFraction: (fraction: number) => void,
) => Promise<void>;

/** Between two looks at the event loop; a replayed cell costs about 10 µs. */
const REPLAY_CELLS = 1_000;

/** Makes the pass over all cells with counts that reads the matrix. */
export function passOfReader(
  reader: MatrixReader,
  cells: CellVectors,
  signal: AbortSignal,
): CellPass {
  return async (visit, onFraction) => {
    await reader.pass(
      async (block) => {
        throwIfAborted(signal);
        for (let i = 0; i < block.cells; i++) {
          const cell = block.firstCell + i;
          const from = block.starts[i] ?? 0;
          const to = block.starts[i + 1] ?? from;
          if (to - from !== cells.nGenes[cell]) throw changed(cell, to - from, cells.nGenes[cell]);
          if (to > from) visit(cell, block.genes, block.counts, from, to);
        }
        onFraction((block.firstCell + block.cells) / Math.max(1, cells.nGenes.length));
        await setImmediate();
      },
      { signal },
    );
    throwIfAborted(signal);
  };
}

function changed(cell: number, now: number, before: number | undefined): UnreadableMatrix {
  return new UnreadableMatrix(
    "M_CORRUPT",
    `cell ${cell + 1} had counts for ${before ?? "no"} genes when it was counted and has them for ${now} now: the matrix changed meanwhile`,
  );
}

/** Entries of some cells, kept in memory. */
export interface KeptCells {
  /** Keeps the cell's entries if it is one of those; cells come in ascending order. */
  readonly keep: CellVisitor;
  /** Visits what was kept. */
  readonly pass: CellPass;
}

/** Makes room for the entries of `cells` (ascending): 8 bytes each. */
export function keepCells(cells: Uint32Array, nGenes: Uint32Array, signal: AbortSignal): KeptCells {
  const starts = new Uint32Array(cells.length + 1);
  for (let i = 0; i < cells.length; i++) {
    starts[i + 1] = (starts[i] ?? 0) + (nGenes[cells[i] ?? 0] ?? 0);
  }
  const entries = starts[cells.length] ?? 0;
  const keptGenes = new Uint32Array(entries);
  const keptCounts = new Uint32Array(entries);
  let next = 0;
  return {
    keep(cell, genes, counts, from, to) {
      if (cells[next] !== cell) return;
      keptGenes.set(genes.subarray(from, to), starts[next]);
      keptCounts.set(counts.subarray(from, to), starts[next]);
      next++;
    },
    async pass(visit, onFraction) {
      for (let i = 0; i < cells.length; i++) {
        if (i % REPLAY_CELLS === 0) {
          await setImmediate();
          throwIfAborted(signal);
          onFraction(i / cells.length);
        }
        visit(cells[i] ?? 0, keptGenes, keptCounts, starts[i] ?? 0, starts[i + 1] ?? 0);
      }
      onFraction(1);
    },
  };
}

/** Adds up the entries of cells. */
export function entriesOf(cells: Uint32Array, nGenes: Uint32Array): number {
  let entries = 0;
  for (const cell of cells) entries += nGenes[cell] ?? 0;
  return entries;
}

/** Throws an aborted error once the signal has aborted. */
export function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) {
    throw new HdashError("aborted", "stopped while embedding cells", { cause: signal.reason });
  }
}
