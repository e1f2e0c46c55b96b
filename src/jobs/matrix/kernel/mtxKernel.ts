// The parser of MatrixMarket entries as TypeScript sees it: its memory behind a ring of slots, blocks and triples.

import type { CellBlock } from "../matrix.ts";
import { addSign, signOfLog2, signOfRoot } from "../reading/valueSigns.ts";
import { growMemory, makeInstance, makeLayout } from "./instance.ts";
import type { Ring } from "./ring.ts";
import { PARSE_WASM } from "./wasm.ts";

/** What parsing ended with; the numbers are those of assembly/parse.ts. */
export const STATUS = {
  more: 0,
  block: 1,
  unordered: 2,
  badFields: 10,
  badIndex: 11,
  badValue: 12,
  badSum: 13,
  longLine: 14,
} as const;

interface ParseExports {
  place(
    starts: number,
    cells: number,
    genes: number,
    counts: number,
    places: number,
    map: number,
    entries: number,
    emit: number,
    cellsOfBlock: number,
  ): void;
  begin(triples: boolean): void;
  part(map: number, rows: number, columns: number, turned: boolean, base: number): void;
  parse(from: number, to: number, isLast: boolean): number;
  finish(cells: number): number;
  taken(): void;
  lineCount(): number;
  zeroCount(): number;
  droppedCount(): number;
  roundedCount(): number;
  duplicateCount(): number;
  hasTwenty(): number;
  stoppedAt(): number;
  wrongAt(): number;
  wrongLength(): number;
  wrongColumn(): number;
  entryCount(): number;
  blockFirst(): number;
  blockCount(): number;
}

/** What a kernel is made for. */
export interface MtxKernelSizes {
  /** Genes of the whole matrix. */
  readonly genes: number;
  /** Rows of the largest gene map; 0 where there is none. */
  readonly mapRows: number;
  /** Entries after which a block is given away at the next cell. */
  readonly blockEntries: number;
}

/** The parser, and where it reads and writes. */
export interface MtxKernel {
  readonly bytes: Uint8Array;
  begin(triples: boolean): void;
  /** Begins a part; `base` is the index of its first cell. */
  part(
    geneMap: Uint32Array | null,
    rows: number,
    columns: number,
    turned: boolean,
    base: number,
  ): void;
  parse(from: number, to: number, isLast: boolean): number;
  /** Ends a pass: status.block as long as there is a block or triples to take. */
  finish(cells: number): number;
  taken(): void;
  /** Where parsing stopped: what lies behind was not read. */
  stoppedAt(): number;
  block(): CellBlock;
  triples(): {
    readonly cells: Uint32Array;
    readonly genes: Uint32Array;
    readonly counts: Uint32Array;
    readonly length: number;
  };
  /** The field that is wrong, as text, and its column (0 the line, 1-3 its fields). */
  wrong(): { readonly text: string; readonly column: number };
  seen(): {
    /** Of this part. */
    readonly lines: number;
    /** Of the pass. */
    readonly zeros: number;
    readonly dropped: number;
    readonly rounded: number;
    readonly duplicates: number;
    readonly reachesTwenty: boolean;
    /** As in ValueSigns. */
    readonly log2s: number;
    readonly roots: number;
  };
}

/** 256 KB of offsets. */
const BLOCK_CELLS = 65_536;
/** What a number may look like; "0x10", "1_000" and words are none. */
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)([eEdD][+-]?\d+)?$/;

/** Makes a parser of what lies in a ring, with memory of its own behind it. */
export function makeMtxKernel(ring: Ring, sizes: MtxKernelSizes): MtxKernel {
  const { genes, mapRows, blockEntries } = sizes;
  // A cell that begins just before the block is full may have every gene, and as many duplicates before they are added up.
  const capacity = blockEntries + 2 * genes + 16;
  const layout = makeLayout(ring.end);
  const startsAt = layout.reserve((BLOCK_CELLS + 1) * 4);
  const cellsAt = layout.reserve(capacity * 4);
  const genesAt = layout.reserve(capacity * 4);
  const countsAt = layout.reserve(capacity * 4);
  const placesAt = layout.reserve(genes * 4);
  const mapAt = layout.reserve(mapRows * 4);
  const { memory } = ring;
  growMemory(memory, layout.pages());
  const buffer = memory.buffer as SharedArrayBuffer;
  const bytes = new Uint8Array(buffer);
  const text = (at: number, length: number): string =>
    Buffer.from(bytes.subarray(at, at + length)).toString("latin1");
  let log2s = 0;
  let roots = 0;
  const wasm = makeInstance<ParseExports>(PARSE_WASM, memory, {
    number(at, length) {
      const word = text(at, length);
      return NUMBER.test(word) ? Number(word.replace(/[dD]/, "e")) : NaN;
    },
    odd(value) {
      if (log2s >= 0) log2s = addSign(log2s, signOfLog2(value));
      if (roots >= 0) roots = addSign(roots, signOfRoot(value));
      return log2s >= 0 || roots >= 0 ? 1 : 0;
    },
  });
  wasm.place(
    startsAt,
    cellsAt,
    genesAt,
    countsAt,
    placesAt,
    0,
    capacity,
    blockEntries,
    BLOCK_CELLS,
  );

  const words = (at: number, length: number): Uint32Array => new Uint32Array(buffer, at, length);
  return {
    bytes,
    begin(triples) {
      log2s = roots = 0;
      wasm.begin(triples);
    },
    part(geneMap, rows, columns, turned, base) {
      if (geneMap !== null) words(mapAt, mapRows).set(geneMap);
      wasm.part(geneMap === null ? 0 : mapAt, rows, columns, turned, base);
    },
    parse: (from, to, isLast) => wasm.parse(from, to, isLast),
    finish: (cells) => wasm.finish(cells),
    taken: () => wasm.taken(),
    stoppedAt: () => wasm.stoppedAt(),
    block() {
      const cells = wasm.blockCount();
      const starts = words(startsAt, cells + 1);
      const length = starts[cells] ?? 0;
      return {
        firstCell: wasm.blockFirst(),
        cells,
        starts,
        genes: words(genesAt, length),
        counts: words(countsAt, length),
      };
    },
    triples() {
      const length = wasm.entryCount();
      return {
        cells: words(cellsAt, length),
        genes: words(genesAt, length),
        counts: words(countsAt, length),
        length,
      };
    },
    wrong: () => ({
      text: text(wasm.wrongAt(), wasm.wrongLength()),
      column: wasm.wrongColumn(),
    }),
    seen: () => ({
      lines: wasm.lineCount(),
      zeros: wasm.zeroCount(),
      dropped: wasm.droppedCount(),
      rounded: wasm.roundedCount(),
      duplicates: wasm.duplicateCount(),
      reachesTwenty: wasm.hasTwenty() !== 0,
      log2s,
      roots,
    }),
  };
}
