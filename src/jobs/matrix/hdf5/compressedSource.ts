// Compressed sparse matrices: offsets (indptr), indices and data, by cell (CSR, and 10x's) or by gene (CSC).

import { count, number } from "../../../format.ts";
import { UnreadableMatrix } from "../problem.ts";
import { checkSize, type NumberDataset, openNumbers } from "./datasets.ts";
import {
  type AddEntries,
  addUp,
  BLOCK_CELLS,
  BLOCK_ENTRIES,
  type EntrySource,
  type Features,
  makeFold,
  NO_GENE,
  type OnBlock,
  outOfRange,
  type PassState,
} from "./entrySource.ts";
import { listGroup } from "./frame.ts";
import type { Hdf5Session } from "./hdf5Session.ts";
import { streamElements } from "./readAhead.ts";
import { type Tally, writeCounts, writeIndexes, writeOffsets } from "./wholeCounts.ts";

/**
 * Entries that name a gene and cell a second time are added up, but nobody writes all of them twice. Without a bound a damaged
 * offset would claim thousands of millions of entries, which cost a small file nothing where their chunks were never written.
 */
const MOST_REPEATS = 2;

/** A compressed matrix, its offsets read and checked. */
export interface Compressed {
  /** Path of its group. */
  readonly path: string;
  readonly byCell: boolean;
  readonly cells: number;
  readonly features: number;
  readonly offsets: Float64Array;
  readonly indices: NumberDataset;
  readonly data: NumberDataset;
}

/** Opens a compressed matrix and checks that its parts fit together. */
export async function openCompressed(
  session: Hdf5Session,
  path: string,
  shape: { readonly cells: number; readonly features: number },
  byCell: boolean,
): Promise<Compressed> {
  const { cells, features } = shape;
  checkSize(session, cells, features);
  const nodes = await listGroup(session, path);
  for (const part of ["indptr", "indices", "data"]) {
    if (nodes.get(part) === "dataset") continue;
    throw new UnreadableMatrix(
      "M_INCOMPLETE",
      `${session.name}: ${path.slice(1)}/${part} is missing`,
    );
  }
  const indptr = await openNumbers(session, `${path}/indptr`, 1);
  const indices = await openNumbers(session, `${path}/indices`, 1);
  const data = await openNumbers(session, `${path}/data`, 1);
  const where = `${session.name}: ${path.slice(1)}`;
  for (const { kind, path: at } of [indptr, indices]) {
    if (kind.startsWith("float")) {
      throw new UnreadableMatrix("M_HEADER", `${session.name}: ${at.slice(1)} holds no integers`);
    }
  }
  const rows = byCell ? cells : features;
  const length = indptr.shape[0] ?? 0;
  if (length !== rows + 1) {
    throw new UnreadableMatrix(
      "M_HEADER",
      `${where}/indptr has ${number(length)} offsets, but ${number(rows)} ${byCell ? "cells" : "genes"} need ${number(rows + 1)}`,
    );
  }
  const [indexCount = 0] = indices.shape;
  const [dataCount = 0] = data.shape;
  if (indexCount !== dataCount) {
    throw new UnreadableMatrix(
      "M_HEADER",
      `${where} has ${number(indexCount)} indices, but ${number(dataCount)} values`,
    );
  }
  const offsets = await readOffsets(session, indptr);
  checkOffsets(offsets, dataCount, byCell ? "cell" : "gene", byCell ? features : cells, where);
  return { path, byCell, cells, features, offsets, indices, data };
}

async function readOffsets(session: Hdf5Session, indptr: NumberDataset): Promise<Float64Array> {
  const offsets = new Float64Array(indptr.shape[0] ?? 0);
  const stream = streamElements(session, indptr);
  for (let done = 0; done < offsets.length;) {
    const { bytes, from, length } = await stream.take(offsets.length - done);
    writeOffsets(indptr.kind, bytes, from, length, offsets, done);
    done += length;
  }
  return offsets;
}

function checkOffsets(
  offsets: Float64Array,
  total: number,
  row: "cell" | "gene",
  width: number,
  where: string,
): void {
  let before = 0;
  if (offsets[0] !== 0) {
    throw new UnreadableMatrix(
      "M_CORRUPT",
      `${where}/indptr starts at ${number(offsets[0] ?? 0)} instead of 0`,
    );
  }
  for (let at = 1; at < offsets.length; at++) {
    const offset = offsets[at] ?? 0;
    if (offset < before) {
      throw new UnreadableMatrix(
        "M_CORRUPT",
        `${where}/indptr falls from ${number(before)} to ${number(offset)} at ${number(at)}`,
      );
    }
    before = offset;
  }
  if (before !== total) {
    throw new UnreadableMatrix(
      "M_CORRUPT",
      `${where}/indptr ends at ${number(before)}, but there are ${number(total)} values`,
    );
  }
  for (let at = 0; at + 1 < offsets.length; at++) {
    const length = (offsets[at + 1] ?? 0) - (offsets[at] ?? 0);
    if (length > MOST_REPEATS * width) {
      const columns = count(width, row === "cell" ? "gene" : "cell");
      throw new UnreadableMatrix(
        "M_CORRUPT",
        `${where}/indptr gives ${row} ${number(at + 1)} ${count(length, "entry", "entries")}, but there are only ${columns}`,
      );
    }
  }
}

/** Makes the source of a compressed matrix's entries. */
export function sourceOf(
  session: Hdf5Session,
  matrix: Compressed,
  features: Features,
): EntrySource {
  if (matrix.byCell) {
    return {
      order: "cells",
      read: (onBlock, pass) => readByCell(session, matrix, features, onBlock, pass),
    };
  }
  return {
    order: "genes",
    entries: matrix.data.shape[0] ?? 0,
    read: (add, pass) => readByGene(session, matrix, features, add, pass),
  };
}

/** Makes a function that reads the next so many entries into two arrays. */
function makeFill(session: Hdf5Session, { indices, data }: Compressed, tally: Tally) {
  const indexStream = streamElements(session, indices);
  const dataStream = streamElements(session, data);
  const dataName = `${session.name}: ${data.path.slice(1)}`;
  return async (indexesOut: Uint32Array, countsOut: Uint32Array, total: number): Promise<void> => {
    for (let done = 0; done < total;) {
      const { bytes, from, length } = await indexStream.take(total - done);
      writeIndexes(indices.kind, bytes, from, length, indexesOut, done);
      done += length;
    }
    for (let done = 0; done < total;) {
      const { bytes, from, length, at } = await dataStream.take(total - done);
      const nameOf = (i: number) => `${dataName}[${at + i}]`;
      writeCounts(data.kind, bytes, from, length, countsOut, done, tally, nameOf);
      done += length;
    }
  };
}

async function readByCell(
  session: Hdf5Session,
  matrix: Compressed,
  features: Features,
  onBlock: OnBlock,
  pass: PassState,
): Promise<void> {
  const { offsets, cells, indices } = matrix;
  const total = offsets[cells] ?? 0;
  const fill = makeFill(session, matrix, pass.tally);
  const fold = makeFold(features, pass, "genes");
  const indicesName = `${session.name}: ${indices.path.slice(1)}`;
  const genes = new Uint32Array(Math.min(total, BLOCK_ENTRIES));
  const counts = new Uint32Array(genes.length);
  const starts = new Uint32Array(Math.min(cells, BLOCK_CELLS) + 1);

  for (let firstCell = 0; firstCell < cells;) {
    const start = offsets[firstCell] ?? 0;
    let end = firstCell;
    while (
      end < cells &&
      end - firstCell < BLOCK_CELLS &&
      (offsets[end + 1] ?? 0) - start <= BLOCK_ENTRIES
    ) {
      end++;
      starts[end - firstCell] = (offsets[end] ?? 0) - start;
    }
    const nameOf = (entry: number) => `${indicesName}[${start + entry}]`;
    if (end === firstCell) {
      // More entries than a block holds.
      end++;
      const length = (offsets[end] ?? 0) - start;
      const block = await foldLongCell(firstCell, length, features, fill, pass, nameOf);
      await onBlock(block);
    } else {
      starts[0] = 0;
      await fill(genes, counts, (offsets[end] ?? 0) - start);
      const raw = { firstCell, cells: end - firstCell, starts, genes, counts };
      const waited = onBlock(fold(raw, nameOf));
      if (waited !== undefined) await waited;
    }
    firstCell = end;
    pass.onFraction(total === 0 ? 1 : (offsets[end] ?? 0) / total);
  }
}

/** Folds a cell that has more entries than a block: piece by piece into a count for each gene. */
async function foldLongCell(
  cell: number,
  length: number,
  { count, geneOf }: Features,
  fill: ReturnType<typeof makeFill>,
  pass: PassState,
  nameOf: (entry: number) => string,
) {
  const sums = new Uint32Array(count);
  const genesIn = new Uint32Array(BLOCK_ENTRIES);
  const countsIn = new Uint32Array(BLOCK_ENTRIES);
  let different = 0;
  for (let done = 0; done < length;) {
    const step = Math.min(BLOCK_ENTRIES, length - done);
    await fill(genesIn, countsIn, step);
    for (let at = 0; at < step; at++) {
      const feature = genesIn[at] ?? 0;
      const value = countsIn[at] ?? 0;
      if (feature >= count) throw outOfRange(nameOf(done + at), feature, count, "genes");
      const gene = geneOf === null ? feature : (geneOf[feature] ?? NO_GENE);
      if (value === 0 || gene === NO_GENE) continue;
      const before = sums[gene] ?? 0;
      if (before === 0) different++;
      else pass.duplicates++;
      sums[gene] = addUp(before, value, cell, gene);
    }
    done += step;
  }
  const genes = new Uint32Array(different);
  const counts = new Uint32Array(different);
  let put = 0;
  for (const [gene, sum] of sums.entries()) {
    if (sum === 0) continue;
    genes[put] = gene;
    counts[put++] = sum;
  }
  pass.entries += different;
  return { firstCell: cell, cells: 1, starts: Uint32Array.of(0, different), genes, counts };
}

async function readByGene(
  session: Hdf5Session,
  matrix: Compressed,
  { geneOf }: Features,
  add: AddEntries,
  pass: PassState,
): Promise<void> {
  const { offsets, features, cells: cellCount, indices } = matrix;
  const total = offsets[features] ?? 0;
  const fill = makeFill(session, matrix, pass.tally);
  const cells = new Uint32Array(Math.min(total, BLOCK_ENTRIES));
  const genes = new Uint32Array(cells.length);
  const counts = new Uint32Array(cells.length);
  let feature = 0;
  for (let done = 0; done < total;) {
    const step = Math.min(cells.length, total - done);
    await fill(cells, counts, step);
    let put = 0;
    for (let at = 0; at < step; at++) {
      while ((offsets[feature + 1] ?? 0) <= done + at) feature++;
      const cell = cells[at] ?? 0;
      if (cell >= cellCount) {
        const entry = `${session.name}: ${indices.path.slice(1)}[${done + at}]`;
        throw outOfRange(entry, cell, cellCount, "cells");
      }
      const gene = geneOf === null ? feature : (geneOf[feature] ?? NO_GENE);
      const value = counts[at] ?? 0;
      if (value === 0 || gene === NO_GENE) continue;
      cells[put] = cell;
      genes[put] = gene;
      counts[put++] = value;
    }
    add(cells, genes, counts, put);
    done += step;
    pass.onFraction(done / total);
  }
}
