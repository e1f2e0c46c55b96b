// Entries in any order, put into cells: buckets by range of cells in one private file, each sorted by counting when it is read.
// Memory is bounded by what is chosen here, whatever the number of entries; a spool that stays small never touches the disk.

import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";

import { HdashError } from "../../../error.ts";
import { number } from "../../../format.ts";
import type { CellBlock, PassOptions, PassSummary } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";
import { makeProgress } from "../progress.ts";
import {
  type Chunk,
  type ChunkLayout,
  makeChunks,
  MOST_SMALL,
  PLACE_BYTES,
  scatter,
} from "./spoolChunks.ts";
import { makeSpoolFile, type SpoolFile } from "./spoolFile.ts";

/** Entries that were put aside in any order, to be read cell by cell as often as wanted. */
export interface EntrySpool {
  /** Adds the first `length` entries of three parallel arrays; zeros are dropped. Must not be called after the first pass. */
  add(cells: Uint32Array, genes: Uint32Array, counts: Uint32Array, length: number): void;
  /** Gives all cells in order, in blocks of whole cells; duplicates of gene and cell are added up. */
  pass(
    onBlock: (block: CellBlock) => void | Promise<void>,
    options: PassOptions,
  ): Promise<PassSummary>;
  /** Removes what lies on disk; the spool is of no use afterwards. */
  remove(): Promise<void>;
}

/** What a spool is made for, and its limits (which tests make small). */
export interface SpoolOptions {
  /** Private folder. */
  readonly dir: string;
  readonly cells: number;
  readonly genes: number;
  /** As far as known; a wrong number costs time, nothing else. */
  readonly entries: number | null;
  /** Entries that a block has room for. 1 M: 8 MB. */
  readonly blockEntries?: number;
  /** Cells that a block may have: 256 KB of offsets. */
  readonly blockCells?: number;
  /** What all buckets may gather in memory before they are written. */
  readonly bufferBytes?: number;
}

/** Above this the chunks written become so small that the disk is slow; larger buckets are read in several sweeps instead. */
const MOST_BUCKETS = 2048;
/** Below this a chunk is not worth a call of the system. */
const LEAST_CHUNK_PLACES = 64;
/** 512 KB: larger ones are no faster. */
const MOST_CHUNK_PLACES = 104_856;
/** Taken where the number of entries is not known: good for some 256 M. */
const GUESSED_BUCKETS = 256;

/** A spool that is filled. */
interface Filled {
  readonly file: SpoolFile;
  readonly layout: ChunkLayout;
  /** Entries of each cell. */
  readonly perCell: Uint32Array;
  /** How many low bits of a cell's index a bucket spans. */
  readonly shift: number;
  readonly geneCount: number;
  readonly blockEntries: number;
  readonly blockCells: number;
  readonly total: number;
}

/** Makes an empty spool; its file is made when there is more than memory should hold. */
export function makeSpool(options: SpoolOptions): EntrySpool {
  const { dir, cells, genes: geneCount, entries } = options;
  const { blockEntries = 1 << 20, blockCells = 1 << 16, bufferBytes = 8 << 20 } = options;
  const wanted = entries === null ? GUESSED_BUCKETS : Math.ceil(entries / blockEntries);
  const geneBits = Math.ceil(Math.log2(Math.max(geneCount, 2)));
  const shift = Math.min(
    shiftFor(cells, Math.min(Math.max(wanted, 1), MOST_BUCKETS)),
    32 - geneBits,
  );
  const bucketCount = cells === 0 ? 0 : Math.floor((cells - 1) / 2 ** shift) + 1;
  const wantedPlaces = Math.floor(bufferBytes / PLACE_BYTES / Math.max(bucketCount, 1));
  /** A multiple of four, so that each chunk begins at a whole word. */
  const places = Math.max(LEAST_CHUNK_PLACES, Math.min(MOST_CHUNK_PLACES, wantedPlaces)) & ~3;
  const chunkWords = (places * PLACE_BYTES) / 4;
  /** The chunk that each bucket gathers; memory that is not written to is not taken. */
  const gathered = makeChunks(bucketCount, places);
  /** Entries of each cell. */
  const perCell = new Uint32Array(cells);
  const layout = { places, geneBits };
  const file = makeSpoolFile(join(dir, `spool-${randomUUID()}`), gathered, bucketCount, places);
  const filled = { file, layout, perCell, shift, geneCount, blockEntries, blockCells };
  let total = 0;

  return {
    add(cellsOf, genesOf, countsOf, length) {
      const { words, bytes } = gathered;
      const mask = 2 ** shift - 1;
      for (let i = 0; i < length; i++) {
        const cell = cellsOf[i] ?? 0;
        const gene = genesOf[i] ?? 0;
        const count = countsOf[i] ?? 0;
        if (count === 0) continue;
        if (cell >= cells) throw outside("cell", cell, cells);
        // Its bits would run into those of the cell.
        if (gene >= geneCount) throw outside("gene", gene, geneCount);
        const bucket = cell >>> shift;
        const first = bucket * chunkWords;
        let at = words[first] ?? 0;
        // Also a count that does not fit has room.
        if (at >= places - 1) {
          file.write(bucket, total);
          at = 1;
        }
        words[first + at] = ((cell & mask) << geneBits) | gene;
        const small = first * 4 + places * 4 + at;
        if (count <= MOST_SMALL) {
          bytes[small] = count;
        } else {
          bytes[small] = 0;
          words[first + ++at] = count;
        }
        words[first] = at + 1;
        perCell[cell] = (perCell[cell] ?? 0) + 1;
        total++;
      }
    },

    pass: (onBlock, passing) => passSpool({ ...filled, total }, onBlock, passing),
    remove: () => file.remove(),
  };
}

/** Reads what was put aside, cell by cell. */
async function passSpool(
  filled: Filled,
  onBlock: (block: CellBlock) => void | Promise<void>,
  { signal, onProgress }: PassOptions,
): Promise<PassSummary> {
  const { file, layout, perCell, shift, geneCount, blockEntries, blockCells, total } = filled;
  const cells = perCell.length;
  const report = makeProgress(onProgress);
  const room = makeChunks(1, layout.places);
  /** Where each gene was last put: finds duplicates without sorting by gene. */
  const placeOf = new Uint32Array(geneCount);
  let genes = new Uint32Array(0);
  let counts = new Uint32Array(0);
  let kept = 0;
  let duplicates = 0;
  let read = 0;

  for (let bucket = 0; bucket < file.buckets; bucket++) {
    const firstOfBucket = bucket * 2 ** shift;
    const endOfBucket = Math.min(firstOfBucket + 2 ** shift, cells);
    for (let from = firstOfBucket; from < endOfBucket;) {
      if (signal.aborted) throw aborted(signal);
      let to = from;
      let held = 0;
      while (to < endOfBucket && to - from < blockCells) {
        const more = perCell[to] ?? 0;
        if (held + more > blockEntries) break;
        held += more;
        to++;
      }
      let block: CellBlock;
      if (to === from) {
        // One cell has more entries than a block: nearly all of them are duplicates, so it is added up by gene.
        held = perCell[from] ?? 0;
        const chunks = file.chunksOf(bucket, room);
        block = denseCell(from, from - firstOfBucket, chunks, layout, geneCount);
        duplicates += held - block.genes.length;
        to = from + 1;
      } else {
        if (genes.length < held) {
          genes = new Uint32Array(held);
          counts = new Uint32Array(held);
        }
        const starts = startsOf(perCell, from, to);
        const next = starts.slice();
        for (const chunk of file.chunksOf(bucket, room)) {
          scatter(chunk, layout, from - firstOfBucket, next, genes, counts);
        }
        const length = addUp(from, starts, genes, counts, placeOf);
        duplicates += held - length;
        block = {
          firstCell: from,
          cells: to - from,
          starts,
          genes: genes.subarray(0, length),
          counts: counts.subarray(0, length),
        };
      }
      kept += block.genes.length;
      const waited = onBlock(block);
      if (waited !== undefined) await waited;
      // Between blocks others get their turn: an abort is heard, progress is told.
      await setImmediate();
      from = to;
      read += held;
      report(read * PLACE_BYTES, total * PLACE_BYTES);
    }
  }
  report.end(total * PLACE_BYTES);
  return { entries: kept, duplicates, rounded: 0 };
}

/** Makes the error of a pass that was told to stop. */
export function aborted(signal: AbortSignal): HdashError {
  return new HdashError("aborted", "reading the matrix was stopped", { cause: signal.reason });
}

function outside(what: string, index: number, limit: number): HdashError {
  return new HdashError("permanent", `a spool for ${limit} ${what}s was given ${what} ${index}`);
}

/** Finds how many low bits of a cell's index a bucket spans, so that there are at least so many buckets (at most twice as many). */
function shiftFor(cells: number, buckets: number): number {
  let shift = 0;
  while (shift < 31 && Math.ceil(cells / 2 ** (shift + 1)) >= buckets) shift++;
  return shift;
}

function startsOf(perCell: Uint32Array, from: number, to: number): Uint32Array {
  const starts = new Uint32Array(to - from + 1);
  for (let cell = from, sum = 0; cell < to; cell++) {
    sum += perCell[cell] ?? 0;
    starts[cell - from + 1] = sum;
  }
  return starts;
}

/** Adds up entries of the same cell and gene in place; tells how many are left. */
function addUp(
  firstCell: number,
  starts: Uint32Array,
  genes: Uint32Array,
  counts: Uint32Array,
  placeOf: Uint32Array,
): number {
  let put = 0;
  let from = 0;
  for (let cell = 0; cell + 1 < starts.length; cell++) {
    const to = starts[cell + 1] ?? 0;
    const first = put;
    for (let at = from; at < to; at++) {
      const gene = genes[at] ?? 0;
      const count = counts[at] ?? 0;
      const place = placeOf[gene] ?? 0;
      if (place >= first && place < put && genes[place] === gene) {
        const sum = (counts[place] ?? 0) + count;
        if (sum > 0xffffffff) throw tooLarge(firstCell + cell, gene);
        counts[place] = sum;
      } else {
        placeOf[gene] = put;
        genes[put] = gene;
        counts[put++] = count;
      }
    }
    from = to;
    starts[cell + 1] = put;
  }
  return put;
}

function denseCell(
  cell: number,
  ofBucket: number,
  chunks: Iterable<Chunk>,
  { places, geneBits }: ChunkLayout,
  geneCount: number,
): CellBlock {
  const sums = new Float64Array(geneCount);
  const mask = 2 ** geneBits - 1;
  let different = 0;
  for (const { words, bytes } of chunks) {
    const end = words[0] ?? 0;
    for (let at = 1; at < end; at++) {
      const word = words[at] ?? 0;
      const small = bytes[places * 4 + at] ?? 0;
      const count = small === 0 ? (words[++at] ?? 0) : small;
      if (word >>> geneBits !== ofBucket) continue;
      const gene = word & mask;
      if (sums[gene] === 0) different++;
      sums[gene] = (sums[gene] ?? 0) + count;
    }
  }
  const genes = new Uint32Array(different);
  const counts = new Uint32Array(different);
  let put = 0;
  for (const [gene, sum] of sums.entries()) {
    if (sum === 0) continue;
    if (sum > 0xffffffff) throw tooLarge(cell, gene);
    genes[put] = gene;
    counts[put++] = sum;
  }
  return { firstCell: cell, cells: 1, starts: Uint32Array.of(0, different), genes, counts };
}

function tooLarge(cell: number, gene: number): UnreadableMatrix {
  return new UnreadableMatrix(
    "M_ENTRY",
    `the entries of gene ${number(gene + 1)} in cell ${number(cell + 1)} add up to more than 4,294,967,295`,
  );
}
