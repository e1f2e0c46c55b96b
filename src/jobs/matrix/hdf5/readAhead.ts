// Reading ahead: while the caller works on one piece, the worker reads the next ones into shared memory.

import { type NumberDataset, pieceElements } from "./datasets.ts";
import { answerOf, type Hdf5Session, type Outcome } from "./hdf5Session.ts";
import type { Box } from "./protocol.ts";

/** What pieces in flight may hold; at least two, so that reading and working overlap. */
const AHEAD_BYTES = 4 << 20;

/** A piece that was read; its bytes are overwritten once the next one is asked for. */
export interface Piece {
  readonly box: Box;
  readonly bytes: SharedArrayBuffer;
}

/** Makes a function that gives one box of a dataset after the other, null after the last. */
export function readAhead(
  session: Hdf5Session,
  path: string,
  boxes: Iterator<Box>,
  mostBytes: number,
): () => Promise<Piece | null> {
  const flying: { readonly piece: Piece; readonly outcome: Promise<Outcome<"read">> }[] = [];
  let current: Piece | null = null;

  function askNext(bytes: SharedArrayBuffer): void {
    const next = boxes.next();
    if (next.done === true) return;
    const piece = { box: next.value, bytes };
    flying.push({
      piece,
      outcome: session.post({ op: "read", path, box: piece.box, into: bytes }),
    });
  }

  const slots = Math.min(4, Math.max(2, Math.floor(AHEAD_BYTES / mostBytes)));
  let started = false;
  return async () => {
    if (!started) {
      started = true;
      // Whole words, so that they can be looked at by words.
      const roomBytes = Math.ceil(mostBytes / 8) * 8;
      for (let slot = 0; slot < slots; slot++) askNext(new SharedArrayBuffer(roomBytes));
    }
    if (current !== null) askNext(current.bytes);
    const first = flying.shift();
    current = first?.piece ?? null;
    if (first !== undefined) answerOf(await first.outcome);
    return current;
  };
}

/** Elements of a one-dimensional dataset, one after the other. */
export interface ElementStream {
  /** Gives the next elements, at least one and at most so many; they are overwritten by the next call. */
  take(most: number): Promise<Elements>;
}

/** Elements `from` to `from + length` of a buffer; the first is element `at` of the dataset. */
export interface Elements {
  readonly bytes: SharedArrayBuffer;
  readonly from: number;
  readonly length: number;
  readonly at: number;
}

/** Streams a one-dimensional dataset from its start; asking for more than there is is a mistake of the caller. */
export function streamElements(session: Hdf5Session, dataset: NumberDataset): ElementStream {
  const total = dataset.shape[0] ?? 0;
  const step = Math.max(1, Math.min(total, pieceElements(dataset)));
  const next = readAhead(session, dataset.path, rangesOf(total, step), step * dataset.itemBytes);
  let piece: Piece | null = null;
  let used = 0;
  return {
    async take(most) {
      if (piece === null || used === (piece.box.count[0] ?? 0)) {
        piece = await next();
        used = 0;
        if (piece === null) throw new RangeError(`${dataset.path} has no more elements`);
      }
      const from = used;
      const length = Math.min(most, (piece.box.count[0] ?? 0) - from);
      used += length;
      return { bytes: piece.bytes, from, length, at: (piece.box.start[0] ?? 0) + from };
    },
  };
}

function* rangesOf(total: number, step: number): Generator<Box> {
  for (let start = 0; start < total; start += step) {
    yield { start: [start], count: [Math.min(step, total - start)] };
  }
}
