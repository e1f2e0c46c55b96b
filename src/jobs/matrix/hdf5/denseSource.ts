// Dense matrices: cells × genes (AnnData) or genes × cells (loom), read in whole chunks so that each is inflated once.

import { number } from "../../../format.ts";
import type { NumberDataset } from "./datasets.ts";
import {
  type AddEntries,
  BLOCK_CELLS,
  BLOCK_ENTRIES,
  type EntrySource,
  type Features,
  makeFold,
  NO_GENE,
  type OnBlock,
  type PassState,
} from "./entrySource.ts";
import type { Hdf5Session } from "./hdf5Session.ts";
import type { Box } from "./protocol.ts";
import { type Piece, readAhead } from "./readAhead.ts";
import { writeCounts } from "./wholeCounts.ts";

/** What is asked for at once; loom's chunks of 64 cells with 30,000 genes of 4 bytes have nearly this much. */
const SLAB_BYTES = 8 << 20;
/** Where cells with all their genes need more than this at once, entries are spooled instead. Two such slabs are in flight. */
const MOST_SLAB_BYTES = 32 << 20;

/** A dense matrix; `cellAxis` is the dimension along which its cells lie. */
export interface Dense {
  readonly dataset: NumberDataset;
  readonly cellAxis: 0 | 1;
}

/** Gives the cells and genes of a dense matrix. */
function sizeOf({ dataset, cellAxis }: Dense): {
  readonly cells: number;
  readonly features: number;
} {
  return { cells: dataset.shape[cellAxis] ?? 0, features: dataset.shape[1 - cellAxis] ?? 0 };
}

/** Makes the source of a dense matrix's entries. */
export function denseSourceOf(
  session: Hdf5Session,
  matrix: Dense,
  features: Features,
): EntrySource {
  const { dataset, cellAxis } = matrix;
  const { cells, features: rows } = sizeOf(matrix);
  // Without chunks the rows lie one after the other.
  const chunks = dataset.chunks ?? [1, dataset.shape[1] ?? 1];
  const chunkCells = Math.min(chunks[cellAxis] ?? 1, Math.max(1, cells));
  const bytesOfCell = rows * dataset.itemBytes;
  const leastBytes = chunkCells * bytesOfCell;
  if (leastBytes > MOST_SLAB_BYTES) {
    return {
      order: "genes",
      entries: null,
      read: (add, pass) => readTiles(session, matrix, chunks, features, add, pass),
    };
  }
  const slabCells = Math.min(
    Math.max(1, cells),
    chunkCells * Math.max(1, Math.floor(SLAB_BYTES / Math.max(1, leastBytes))),
    Math.ceil(BLOCK_CELLS / chunkCells) * chunkCells,
  );
  return {
    order: "cells",
    read: (onBlock, pass) => readSlabs(session, matrix, slabCells, features, onBlock, pass),
  };
}

/** What is not 0 in a piece, in the order in which it is stored. */
interface Sparse {
  readonly length: number;
  /** Place within the piece, row by row. */
  readonly places: Uint32Array;
  readonly counts: Uint32Array;
}

/** Makes a function that picks what is not 0 out of a piece; its arrays are overwritten by the next. */
function makePicker(
  session: Hdf5Session,
  { dataset, cellAxis }: Dense,
  pass: PassState,
): (piece: Piece) => Sparse {
  const { kind, itemBytes } = dataset;
  let places = new Uint32Array(0);
  let counts = new Uint32Array(0);
  let picked = new SharedArrayBuffer(0);
  return ({ box, bytes }) => {
    const [rows = 0, columns = 0] = box.count;
    const [firstRow = 0, firstColumn = 0] = box.start;
    const total = rows * columns;
    const held = countWords(bytes, Math.ceil((total * itemBytes) / 8)) * (8 / itemBytes);
    if (places.length < held) {
      places = new Uint32Array(Math.max(held, BLOCK_ENTRIES));
      counts = new Uint32Array(places.length);
      picked = new SharedArrayBuffer(places.length * itemBytes);
    }
    const length = pick(bytes, total, itemBytes, places, picked);
    const nameOf = (i: number) => {
      const place = places[i] ?? 0;
      const row = firstRow + Math.floor(place / columns) + 1;
      const column = firstColumn + (place % columns) + 1;
      const [cell, gene] = cellAxis === 0 ? [row, column] : [column, row];
      return `${session.name}: ${dataset.path.slice(1)}: gene ${number(gene)} of cell ${number(cell)}`;
    };
    writeCounts(kind, picked, 0, length, counts, 0, pass.tally, nameOf);
    return { length, places, counts };
  };
}

/** Counts words of 8 bytes that are not 0; −0 counts as 0, as it does in a matrix. */
function countWords(bytes: SharedArrayBuffer, words: number): number {
  const view = new Float64Array(bytes, 0, words);
  let held = 0;
  for (let word = 0; word < words; word++) if (view[word] !== 0) held++;
  return held;
}

/** Copies elements that are not 0 bit by bit, and their places; tells how many. */
function pick(
  bytes: SharedArrayBuffer,
  total: number,
  itemBytes: number,
  places: Uint32Array,
  picked: SharedArrayBuffer,
): number {
  switch (itemBytes) {
    case 1:
      return pickNumbers(new Uint8Array(bytes, 0, total), new Uint8Array(picked), places);
    case 2:
      return pickNumbers(new Uint16Array(bytes, 0, total), new Uint16Array(picked), places);
    case 4:
      return pickPairs(bytes, total, places, new Uint32Array(picked));
    default:
      return pickWords(bytes, total, places, new BigUint64Array(picked));
  }
}

function pickNumbers(
  from: Uint8Array | Uint16Array,
  to: Uint8Array | Uint16Array,
  places: Uint32Array,
): number {
  let put = 0;
  for (let place = 0; place < from.length; place++) {
    const value = from[place] ?? 0;
    if (value === 0) continue;
    places[put] = place;
    to[put++] = value;
  }
  return put;
}

/** Numbers of 4 bytes, two at a time: most of them are 0. */
function pickPairs(
  bytes: SharedArrayBuffer,
  total: number,
  places: Uint32Array,
  to: Uint32Array,
): number {
  const pairs = new Float64Array(bytes, 0, Math.ceil(total / 2));
  const from = new Uint32Array(bytes, 0, total);
  let put = 0;
  for (let pair = 0; pair < pairs.length; pair++) {
    if (pairs[pair] === 0) continue;
    const place = 2 * pair;
    const first = from[place] ?? 0;
    // Past the end for an odd number of elements.
    const second = from[place + 1] ?? 0;
    if (first !== 0) {
      places[put] = place;
      to[put++] = first;
    }
    if (second !== 0) {
      places[put] = place + 1;
      to[put++] = second;
    }
  }
  return put;
}

function pickWords(
  bytes: SharedArrayBuffer,
  total: number,
  places: Uint32Array,
  to: BigUint64Array,
): number {
  const words = new Float64Array(bytes, 0, total);
  const from = new BigUint64Array(bytes, 0, total);
  let put = 0;
  for (let place = 0; place < total; place++) {
    if (words[place] === 0) continue;
    places[put] = place;
    to[put++] = from[place] ?? 0n;
  }
  return put;
}

async function readSlabs(
  session: Hdf5Session,
  matrix: Dense,
  slabCells: number,
  features: Features,
  onBlock: OnBlock,
  pass: PassState,
): Promise<void> {
  const { dataset, cellAxis } = matrix;
  const { cells, features: rows } = sizeOf(matrix);
  function* slabs(): Generator<Box> {
    for (let first = 0; first < cells; first += slabCells) {
      const count = Math.min(slabCells, cells - first);
      yield cellAxis === 0
        ? { start: [first, 0], count: [count, rows] }
        : { start: [0, first], count: [rows, count] };
    }
  }
  const slabBytes = Math.max(1, slabCells * rows * dataset.itemBytes);
  const next = readAhead(session, dataset.path, slabs(), slabBytes);
  const picked = makePicker(session, matrix, pass);
  const fold = makeFold(features, pass, "genes");
  const nameOf = (entry: number) => `${session.name}: ${dataset.path.slice(1)}: entry ${entry}`;
  const starts = new Uint32Array(slabCells + 1);
  const blockStarts = new Uint32Array(slabCells + 1);
  let genes = new Uint32Array(0);
  let counts = new Uint32Array(0);

  for (let piece = await next(); piece !== null; piece = await next()) {
    const slabFirst = piece.box.start[cellAxis] ?? 0;
    const inSlab = piece.box.count[cellAxis] ?? 0;
    const found = picked(piece);
    if (genes.length < found.length) {
      genes = new Uint32Array(Math.max(found.length, BLOCK_ENTRIES));
      counts = new Uint32Array(genes.length);
    }
    sortByCell(found, inSlab, rows, cellAxis, starts, genes, counts);
    for (let from = 0; from < inSlab;) {
      const begin = starts[from] ?? 0;
      let to = from + 1;
      while (to < inSlab && (starts[to + 1] ?? 0) - begin <= BLOCK_ENTRIES) to++;
      for (let cell = from; cell <= to; cell++) {
        blockStarts[cell - from] = (starts[cell] ?? 0) - begin;
      }
      const end = starts[to] ?? 0;
      const raw = {
        firstCell: slabFirst + from,
        cells: to - from,
        starts: blockStarts,
        genes: genes.subarray(begin, end),
        counts: counts.subarray(begin, end),
      };
      const waited = onBlock(fold(raw, nameOf));
      if (waited !== undefined) await waited;
      from = to;
    }
    pass.onFraction((slabFirst + inSlab) / cells);
  }
}

/** Sorts what was picked by cell, genes in ascending order. */
function sortByCell(
  { length, places, counts }: Sparse,
  cells: number,
  rows: number,
  cellAxis: 0 | 1,
  starts: Uint32Array,
  genesOut: Uint32Array,
  countsOut: Uint32Array,
): void {
  const width = cellAxis === 0 ? rows : cells;
  const next = new Uint32Array(cells + 1);
  for (let at = 0; at < length; at++) {
    const place = places[at] ?? 0;
    const cell = cellAxis === 0 ? Math.floor(place / width) : place % width;
    next[cell + 1] = (next[cell + 1] ?? 0) + 1;
  }
  for (let cell = 0; cell < cells; cell++) {
    next[cell + 1] = (next[cell + 1] ?? 0) + (next[cell] ?? 0);
  }
  starts.set(next);
  for (let at = 0; at < length; at++) {
    const place = places[at] ?? 0;
    const row = Math.floor(place / width);
    const column = place - row * width;
    const cell = cellAxis === 0 ? row : column;
    const to = next[cell] ?? 0;
    genesOut[to] = cellAxis === 0 ? column : row;
    countsOut[to] = counts[at] ?? 0;
    next[cell] = to + 1;
  }
}

/** Reads a matrix whose chunks span many cells, tile by tile. */
async function readTiles(
  session: Hdf5Session,
  matrix: Dense,
  chunks: readonly number[],
  { geneOf }: Features,
  add: AddEntries,
  pass: PassState,
): Promise<void> {
  const { dataset, cellAxis } = matrix;
  const [rows = 0, columns = 0] = dataset.shape;
  const tile = tileOf(dataset, chunks);
  const [tileRows, tileColumns] = tile;
  function* tiles(): Generator<Box> {
    for (let row = 0; row < rows; row += tileRows) {
      for (let column = 0; column < columns; column += tileColumns) {
        yield {
          start: [row, column],
          count: [Math.min(tileRows, rows - row), Math.min(tileColumns, columns - column)],
        };
      }
    }
  }
  const next = readAhead(
    session,
    dataset.path,
    tiles(),
    tileRows * tileColumns * dataset.itemBytes,
  );
  const picked = makePicker(session, matrix, pass);
  const cells = new Uint32Array(BLOCK_ENTRIES);
  const genes = new Uint32Array(BLOCK_ENTRIES);
  const counts = new Uint32Array(BLOCK_ENTRIES);
  let done = 0;
  for (let piece = await next(); piece !== null; piece = await next()) {
    const found = picked(piece);
    const [height = 0, width = 0] = piece.box.count;
    const [firstRow = 0, firstColumn = 0] = piece.box.start;
    let put = 0;
    for (let at = 0; at < found.length; at++) {
      const place = found.places[at] ?? 0;
      const row = Math.floor(place / width);
      const column = place - row * width;
      const feature = cellAxis === 0 ? firstColumn + column : firstRow + row;
      const gene = geneOf === null ? feature : (geneOf[feature] ?? NO_GENE);
      if (gene === NO_GENE) continue;
      cells[put] = cellAxis === 0 ? firstRow + row : firstColumn + column;
      genes[put] = gene;
      counts[put++] = found.counts[at] ?? 0;
      if (put < BLOCK_ENTRIES) continue;
      add(cells, genes, counts, put);
      put = 0;
    }
    add(cells, genes, counts, put);
    done += height * width;
    pass.onFraction(done / (rows * columns));
  }
}

/** Chooses a tile: a chunk, or more of them side by side as long as they stay small. */
function tileOf(
  { shape, itemBytes, chunks: realChunks }: NumberDataset,
  chunks: readonly number[],
): readonly [number, number] {
  const [rows = 0, columns = 0] = shape;
  const height = Math.min(chunks[0] ?? 1, rows);
  // A row that is no chunk can be cut anywhere.
  const most = realChunks === null ? Math.floor(SLAB_BYTES / itemBytes) : columns;
  const width = Math.min(chunks[1] ?? 1, columns, most);
  const across = Math.max(1, Math.floor(SLAB_BYTES / (height * width * itemBytes)));
  const wide = Math.min(columns, width * across);
  if (wide < columns) return [height, wide];
  const down = Math.max(1, Math.floor(SLAB_BYTES / (height * columns * itemBytes)));
  return [Math.min(rows, height * down), columns];
}
