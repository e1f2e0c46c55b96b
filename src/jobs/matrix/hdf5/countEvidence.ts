// Whether a matrix holds counts, told by some of its values before all of it is read: whole cells from all over it.

import { commonTotal, commonTotalWords } from "../counting/commonTotal.ts";
import { UnreadableMatrix } from "../problem.ts";
import { type NumberDataset, openNumbers } from "./datasets.ts";
import { listGroup } from "./frame.ts";
import type { Hdf5Session } from "./hdf5Session.ts";
import type { Box } from "./protocol.ts";
import { makeTally, viewOf, whyNot, writeCounts, writeOffsets } from "./wholeCounts.ts";

/** Cells and values that are looked at in one place. */
const PIECE_CELLS = 64;
const PIECE_VALUES = 262_144;
/** What no piece exceeds. */
const MOST_VALUES = 1 << 20;
/** Where chunks make more bytes than this have to be inflated for a piece of whole cells, one chunk is looked at instead. */
const MOST_INFLATED_BYTES = 32 << 20;
/** Without chunks, cells that lie across the rows are scattered all over the matrix: only of small ones they are gathered. */
const MOST_SCATTERED_BYTES = 64 << 20;
/** Places that are looked at: three at least, and more where they hold next to nothing. */
const ENOUGH_PIECES = 3;
const ENOUGH_VALUES = 2000;
const MOST_PIECES = 33;

/** One matrix of a file: dense, or a group with the parts of a compressed one. */
export interface Place {
  readonly path: string;
  readonly kind: "group" | "dataset" | "elsewhere";
  /** Of a dense one: the dimension along which its cells lie. */
  readonly cellAxis: 0 | 1;
}

/** The doubt of a matrix in which no value was found. */
export const NO_VALUES = 3;

/** What a sample says. */
interface Evidence {
  /** 0: counts. 1: mostly not whole, but nothing else speaks against counts. 2: no counts. 3: no value was found. */
  readonly doubt: 0 | 1 | 2 | 3;
  /** Why the matrix is refused by its sample alone; null where reading all of it has to tell. */
  readonly refusal: string | null;
}

/** Values of a piece, and the total of each whole cell in it. */
interface Piece {
  readonly dataset: NumberDataset;
  readonly box: Box;
  /** Index, within the piece, of the cell of each value, of so many; null where cells are not whole. */
  readonly cells: { readonly count: number; readonly of: (value: number) => number } | null;
}

/** Samples a matrix; where it is the only one, whole numbers need no look. */
export async function sampleValues(
  session: Hdf5Session,
  place: Place,
  { isOnly }: { readonly isOnly: boolean },
): Promise<Evidence> {
  const { path, kind } = place;
  const dataset = await openNumbers(
    session,
    kind === "dataset" ? path : `${path}/data`,
    kind === "dataset" ? 2 : 1,
  );
  if (isOnly && !dataset.kind.startsWith("float")) return { doubt: 0, refusal: null };
  const pieceAt =
    kind === "dataset"
      ? makeDensePieces(dataset, place.cellAxis)
      : await makeSparsePieces(session, path, dataset);
  const tally = makeTally();
  const totals: number[] = [];
  const seen = new Set<string>();
  // A small matrix has fewer pieces than parts.
  for (const part of spread(MOST_PIECES)) {
    if (seen.size >= ENOUGH_PIECES && tally.values >= ENOUGH_VALUES) break;
    const piece = await pieceAt(part);
    if (piece === null || seen.has(piece.box.start.join())) continue;
    seen.add(piece.box.start.join());
    try {
      await addPiece(session, piece, tally, totals);
    } catch (error) {
      // Below 0, above any count, or no number.
      const isValue =
        error instanceof UnreadableMatrix && /^M_(ENTRY|NOT_COUNTS)$/.test(error.rule);
      if (isValue) return { doubt: 2, refusal: null };
      throw error;
    }
  }
  const { values, rounded } = tally;
  if (values === 0) return { doubt: NO_VALUES, refusal: null };
  const where = `${session.name}: ${path.slice(1)}`;
  if (whyNot(where, tally) !== null) return { doubt: 2, refusal: null };
  const cells = totals.filter((total) => total > 0).length;
  const total = commonTotal(totals, {
    roundedPerCell: rounded / cells,
    valuesPerCell: values / cells,
    isRounded: false,
  });
  if (total !== null) return { doubt: 2, refusal: commonTotalWords(where, total, true) };
  return { doubt: rounded * 2 > values ? 1 : 0, refusal: null };
}

async function addPiece(
  session: Hdf5Session,
  { dataset, box, cells }: Piece,
  tally: ReturnType<typeof makeTally>,
  totals: number[],
): Promise<void> {
  const length = box.count.reduce((product, size) => product * size, 1);
  const into = new SharedArrayBuffer(length * dataset.itemBytes);
  await session.ask({ op: "read", path: dataset.path, box, into });
  const counts = new Uint32Array(length);
  const nameOf = (): string => dataset.path.slice(1);
  writeCounts(dataset.kind, into, 0, length, counts, 0, tally, nameOf);
  if (cells === null) return;
  const values = viewOf(dataset.kind, into, 0, length) ?? counts;
  const sums = new Float64Array(cells.count);
  for (let at = 0; at < length; at++) {
    const cell = cells.of(at);
    sums[cell] = (sums[cell] ?? 0) + (values[at] ?? 0);
  }
  totals.push(...sums);
}

/** Parts 0 to 1, evenly spread wherever one stops: the middle, the start, quarters, eighths … */
function* spread(most: number): Generator<number> {
  yield 0.5;
  yield 0;
  let given = 2;
  for (let step = 1 / 4; given < most; step /= 2) {
    for (let at = step; at < 1 && given < most; at += 2 * step, given++) yield at;
  }
}

type PieceAt = (part: number) => Promise<Piece | null>;

function makeDensePieces(dataset: NumberDataset, cellAxis: 0 | 1): PieceAt {
  const { shape, chunks, itemBytes } = dataset;
  const cells = shape[cellAxis] ?? 0;
  const features = shape[1 - cellAxis] ?? 0;
  const inflatedBytes = (chunks?.[cellAxis] ?? 1) * features * itemBytes;
  const hasWholeCells =
    features <= MOST_VALUES &&
    (chunks === null
      ? cellAxis === 0 || cells * features * itemBytes <= MOST_SCATTERED_BYTES
      : inflatedBytes <= MOST_INFLATED_BYTES);
  if (cells * features === 0) return async () => null;
  if (!hasWholeCells)
    return async (part) => ({ dataset, box: chunkAt(dataset, part), cells: null });
  const size = Math.min(
    cells,
    Math.max(1, Math.min(PIECE_CELLS, Math.floor(PIECE_VALUES / features))),
  );
  return async (part) => {
    const from = Math.min(Math.floor((part * cells) / size) * size, cells - 1);
    const count = Math.min(size, cells - from);
    const box: Box =
      cellAxis === 0
        ? { start: [from, 0], count: [count, features] }
        : { start: [0, from], count: [features, count] };
    const of =
      cellAxis === 0 ? (at: number) => Math.floor(at / features) : (at: number) => at % count;
    return { dataset, box, cells: { count, of } };
  };
}

/** A chunk, or a part of one, as far in both dimensions. */
function chunkAt({ shape, chunks }: NumberDataset, part: number): Box {
  const [, columns = 1] = shape;
  const sizes = chunks ?? [Math.max(1, Math.floor(MOST_VALUES / columns)), columns];
  const start: number[] = [];
  const count: number[] = [];
  for (const [axis, extent] of shape.entries()) {
    const size = Math.max(1, sizes[axis] ?? 1);
    const from = Math.min(Math.floor((part * extent) / size) * size, extent - 1);
    start.push(from);
    count.push(Math.min(size, extent - from));
  }
  const [rows = 1, width = 1] = count;
  const most = Math.min(width, MOST_VALUES);
  return { start, count: [Math.max(1, Math.min(rows, Math.floor(MOST_VALUES / most))), most] };
}

/** Pieces of whole cells where entries lie cell by cell and their offsets make sense; else stretches of entries. */
async function makeSparsePieces(
  session: Hdf5Session,
  path: string,
  data: NumberDataset,
): Promise<PieceAt> {
  const [total = 0] = data.shape;
  const stretchAt = (part: number): Piece | null => {
    if (total === 0) return null;
    const count = Math.min(total, PIECE_VALUES);
    const from = Math.min(Math.floor((part * total) / count) * count, total - 1);
    const box = { start: [from], count: [Math.min(count, total - from)] };
    return { dataset: data, box, cells: null };
  };
  const said =
    (await session.ask({ op: "attribute", path, name: "encoding-type" })) ??
    (await session.ask({ op: "attribute", path, name: "h5sparse_format" }));
  const hasOffsets = (await listGroup(session, path)).get("indptr") === "dataset";
  if (!String(said?.[0] ?? "").startsWith("csr") || !hasOffsets) {
    return async (part) => stretchAt(part);
  }
  const indptr = await openNumbers(session, `${path}/indptr`, 1);
  const cells = (indptr.shape[0] ?? 0) - 1;
  return async (part) => {
    if (cells < 1 || indptr.kind.startsWith("float")) return stretchAt(part);
    const from = Math.min(Math.floor((part * cells) / PIECE_CELLS) * PIECE_CELLS, cells - 1);
    const offsets = await readOffsets(session, indptr, from, Math.min(PIECE_CELLS, cells - from));
    const [begin = 0] = offsets;
    const within = offsets.filter((offset) => offset - begin <= PIECE_VALUES);
    const end = within.at(-1) ?? begin;
    // Offsets that do not ascend, or point behind the values, are said to be wrong when the matrix is read.
    const isSound =
      begin >= 0 && end <= total && offsets.every((o, i) => o >= (offsets[i - 1] ?? 0));
    if (!isSound || within.length < 2) return stretchAt(part);
    if (end === begin) return null;
    const box = { start: [begin], count: [end - begin] };
    let cell = 0;
    const of = (at: number): number => {
      while ((within[cell + 1] ?? Infinity) - begin <= at) cell++;
      return cell;
    };
    return { dataset: data, box, cells: { count: within.length - 1, of } };
  };
}

async function readOffsets(
  session: Hdf5Session,
  indptr: NumberDataset,
  from: number,
  cells: number,
): Promise<readonly number[]> {
  const into = new SharedArrayBuffer((cells + 1) * indptr.itemBytes);
  const box = { start: [from], count: [cells + 1] };
  await session.ask({ op: "read", path: indptr.path, box, into });
  const offsets = new Float64Array(cells + 1);
  writeOffsets(indptr.kind, into, 0, cells + 1, offsets, 0);
  return [...offsets];
}
