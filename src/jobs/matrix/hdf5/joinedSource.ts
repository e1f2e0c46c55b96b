// Several matrices of the same cells as one: layers that add up, or genes beside genes. Entries are spooled.

import type { AddEntries, EntrySource, PassState } from "./entrySource.ts";

/** A matrix that is joined with others. */
export interface JoinedPart {
  readonly source: EntrySource;
  /** What its gene indexes begin at among all genes. */
  readonly firstGene: number;
  /** Index among all cells for each of its cells; null where they are the same. */
  readonly cellOf: Uint32Array | null;
}

/** Joins matrices; where they have the same genes, their counts of a gene and cell are added up, which then is no duplicate. */
export function joinSources(parts: readonly JoinedPart[], isSum: boolean): EntrySource {
  return {
    order: "genes",
    entries: null,
    isSum,
    async read(add, pass) {
      for (const [index, part] of parts.entries()) {
        const state: PassState = {
          tally: pass.tally,
          entries: 0,
          duplicates: 0,
          onFraction: (fraction) => pass.onFraction((index + fraction) / parts.length),
        };
        await readPart(part, add, state);
        pass.duplicates += state.duplicates;
      }
    },
  };
}

/** Adds up matrices of the same cells and genes; one alone is what it is. */
export function sumOf(sources: readonly EntrySource[]): EntrySource {
  const [only] = sources;
  if (only !== undefined && sources.length === 1) return only;
  return joinSources(
    sources.map((source) => ({ source, firstGene: 0, cellOf: null })),
    true,
  );
}

async function readPart(
  { source, firstGene, cellOf }: JoinedPart,
  add: AddEntries,
  state: PassState,
): Promise<void> {
  const move = (cells: Uint32Array, genes: Uint32Array, length: number): void => {
    for (let at = 0; at < length; at++) {
      genes[at] = (genes[at] ?? 0) + firstGene;
      if (cellOf !== null) cells[at] = cellOf[cells[at] ?? 0] ?? 0;
    }
  };
  if (source.order === "genes") {
    await source.read((cells, genes, counts, length) => {
      move(cells, genes, length);
      add(cells, genes, counts, length);
    }, state);
    return;
  }
  let cells = new Uint32Array(0);
  await source.read(({ firstCell, cells: size, starts, genes, counts }) => {
    const length = genes.length;
    if (cells.length < length) cells = new Uint32Array(length);
    for (let cell = 0; cell < size; cell++) {
      cells.fill(firstCell + cell, starts[cell] ?? 0, starts[cell + 1] ?? 0);
    }
    move(cells, genes, length);
    add(cells, genes, counts, length);
  }, state);
}
