// A matrix in memory, read as any other: for tests that need cells of their own making.

import { setImmediate } from "node:timers/promises";

import { HdashError } from "../../../../src/error.ts";
import type { Approach, MatrixReader } from "../../../../src/jobs/matrix/matrix.ts";

/** Cells of a matrix: for each, its genes and their counts above 0. */
export type Cells = readonly (readonly (readonly [gene: number, count: number])[])[];

export interface MemoryReader extends MatrixReader {
  /** Passes that were begun. */
  passes(): number;
}

export interface MemoryOptions {
  readonly symbols?: readonly string[];
  readonly approaches?: readonly Approach[];
  readonly approachOf?: Uint8Array | null;
  readonly blockCells?: number;
  /** Called before each block. */
  readonly onBlock?: (firstCell: number) => void;
}

/** Makes a reader of the cells given. */
export function readMemory(
  cells: Cells,
  geneCount: number,
  options: MemoryOptions = {},
): MemoryReader {
  const symbols = options.symbols ?? Array.from({ length: geneCount }, (_, gene) => `GENE${gene}`);
  const blockCells = options.blockCells ?? 100;
  let passes = 0;
  return {
    format: "mtx",
    genes: {
      ids: symbols,
      symbols,
      isMito: Uint8Array.from(symbols, (name) => (/^mt-/i.test(name) ? 1 : 0)),
    },
    cells: {
      count: cells.length,
      approaches: options.approaches ?? [{ key: "10X", label: "10X" }],
      approachOf: options.approachOf ?? null,
    },
    notes: () => [],
    passes: () => passes,
    close: async () => undefined,
    async pass(onBlock, { signal }) {
      passes++;
      let entries = 0;
      for (let firstCell = 0; firstCell < cells.length; firstCell += blockCells) {
        options.onBlock?.(firstCell);
        if (signal.aborted) throw new HdashError("aborted", "stopped", { cause: signal.reason });
        const part = cells.slice(firstCell, firstCell + blockCells);
        const flat = part.flat();
        const starts = new Uint32Array(part.length + 1);
        part.forEach((cell, at) => (starts[at + 1] = (starts[at] ?? 0) + cell.length));
        entries += flat.length;
        await onBlock({
          firstCell,
          cells: part.length,
          starts,
          genes: Uint32Array.from(flat, ([gene]) => gene),
          counts: Uint32Array.from(flat, ([, count]) => count),
        });
        await setImmediate();
      }
      return { entries, duplicates: 0, rounded: 0 };
    },
  };
}
