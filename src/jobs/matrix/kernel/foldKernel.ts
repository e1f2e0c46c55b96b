// The sums over cells and genes as TypeScript sees them: blocks are copied in, sums per group are read out.

import type { CellBlock } from "../matrix.ts";
import { makeInstance, makeLayout, makeMemory } from "./instance.ts";
import { FOLD_WASM } from "./wasm.ts";

interface FoldExports {
  fold(
    from: number,
    to: number,
    starts: number,
    genes: number,
    counts: number,
    marks: number,
    sums: number,
    geneCells: number,
    totals: number,
    mitos: number,
    aside: number,
    row: number,
    rows: number,
  ): void;
  putAside(
    from: number,
    to: number,
    starts: number,
    genes: number,
    counts: number,
    marks: number,
    aside: number,
    row: number,
    rows: number,
  ): void;
}

/** Genes of a group whose counts can be put aside. */
export const MOST_CANDIDATES = 64;
/** Cells whose counts are put aside together: 64 genes make 1 MB. */
export const ASIDE_CELLS = 4096;
const MITO_MARK = 0x80;
/** 1 MB of genes and counts: within a core's cache. */
const PIECE_ENTRIES = 1 << 17;

/** Sums of a group's genes. */
export interface GeneSums {
  /** Per gene four: sum and sum of squares of the counts, sum and sum of squares of the shares of a cell (0-1). */
  readonly sums: Float64Array;
  readonly cells: Uint32Array;
}

/** Sums over cells, by group. */
export interface FoldKernel {
  /** Puts a piece of a block into the kernel's memory; tells how many cells it took (at least one). */
  load(block: CellBlock, from: number, most: number): number;
  /** Folds the loaded cells from..to, all of one group; `row` is the place of the first among those put aside, or null to put none aside. */
  fold(group: number, from: number, to: number, row: number | null): void;
  putAside(group: number, from: number, to: number, row: number): void;
  /** Sums of counts of the loaded cells, and those in mitochondrial genes. */
  readonly totals: Float64Array;
  readonly mitos: Float64Array;
  /** Counts put aside: candidate by candidate, ASIDE_CELLS of each. */
  readonly aside: Uint32Array;
  /** Names the genes whose counts are put aside, instead of those before. */
  choose(group: number, genes: readonly number[]): void;
  sumsOf(group: number): GeneSums;
  /** Forgets all sums and candidates. */
  reset(): void;
}

/** Makes a kernel for genes and a number of groups. */
export function makeFoldKernel(isMito: Uint8Array, groups: number): FoldKernel {
  const genes = isMito.length;
  // No cell has a gene twice.
  const room = Math.max(PIECE_ENTRIES, genes);
  const layout = makeLayout();
  const startsAt = layout.reserve((ASIDE_CELLS + 1) * 4);
  const genesAt = layout.reserve(room * 4);
  const countsAt = layout.reserve(room * 4);
  const totalsAt = layout.reserve(ASIDE_CELLS * 8);
  const mitosAt = layout.reserve(ASIDE_CELLS * 8);
  const asideAt = layout.reserve(MOST_CANDIDATES * ASIDE_CELLS * 4);
  const places = Array.from({ length: groups }, () => ({
    marks: layout.reserve(genes),
    sums: layout.reserve(genes * 32),
    cells: layout.reserve(genes * 4),
  }));
  const memory = makeMemory(layout.pages(), false);
  const { buffer } = memory;
  const wasm = makeInstance<FoldExports>(FOLD_WASM, memory);
  const starts = new Uint32Array(buffer, startsAt, ASIDE_CELLS + 1);
  const genesOf = new Uint32Array(buffer, genesAt, room);
  const countsOf = new Uint32Array(buffer, countsAt, room);
  const views = places.map(({ marks, sums, cells }) => ({
    marks: new Uint8Array(buffer, marks, genes),
    sums: new Float64Array(buffer, sums, genes * 4),
    cells: new Uint32Array(buffer, cells, genes),
  }));
  const mitoMarks = isMito.map((flag) => (flag === 0 ? 0 : MITO_MARK));

  function placeOf(group: number): (typeof places)[number] {
    const place = places[group];
    if (place === undefined) throw new RangeError(`there is no group ${group}`);
    return place;
  }
  function viewOf(group: number): (typeof views)[number] {
    const view = views[group];
    if (view === undefined) throw new RangeError(`there is no group ${group}`);
    return view;
  }
  for (const { marks } of views) marks.set(mitoMarks);

  return {
    load(block, from, most) {
      const first = block.starts[from] ?? 0;
      let to = from;
      const last = Math.min(block.cells, from + Math.min(most, ASIDE_CELLS));
      while (to < last && (block.starts[to + 1] ?? 0) - first <= room) to++;
      if (to === from) {
        throw new RangeError(
          `cell ${block.firstCell + from} has more entries than there are genes`,
        );
      }
      for (let cell = from; cell <= to; cell++) {
        starts[cell - from] = (block.starts[cell] ?? 0) - first;
      }
      const end = block.starts[to] ?? 0;
      genesOf.set(block.genes.subarray(first, end));
      countsOf.set(block.counts.subarray(first, end));
      return to - from;
    },
    fold(group, from, to, row) {
      const { marks, sums, cells } = placeOf(group);
      wasm.fold(
        ...([
          from,
          to,
          startsAt,
          genesAt,
          countsAt,
          marks,
          sums,
          cells,
          totalsAt,
          mitosAt,
        ] as const),
        ...([row === null ? 0 : asideAt, row ?? 0, ASIDE_CELLS] as const),
      );
    },
    putAside(group, from, to, row) {
      const { marks } = placeOf(group);
      wasm.putAside(from, to, startsAt, genesAt, countsAt, marks, asideAt, row, ASIDE_CELLS);
    },
    totals: new Float64Array(buffer, totalsAt, ASIDE_CELLS),
    mitos: new Float64Array(buffer, mitosAt, ASIDE_CELLS),
    aside: new Uint32Array(buffer, asideAt, MOST_CANDIDATES * ASIDE_CELLS),
    choose(group, chosen) {
      const { marks } = viewOf(group);
      marks.set(mitoMarks);
      for (const [place, gene] of chosen.slice(0, MOST_CANDIDATES).entries()) {
        marks[gene] = (marks[gene] ?? 0) | (place + 1);
      }
    },
    sumsOf: (group) => ({ sums: viewOf(group).sums, cells: viewOf(group).cells }),
    reset() {
      for (const { marks, sums, cells } of views) {
        marks.set(mitoMarks);
        sums.fill(0);
        cells.fill(0);
      }
    },
  };
}
