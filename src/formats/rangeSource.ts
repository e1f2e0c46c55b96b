// Something that is read in ranges: an object of a bucket, a file, bytes in memory. What is far too large for memory is read so.

import { HdashError } from "../error.ts";
import { type OnRetry, retry, type RetryPolicy } from "../retry.ts";

/** Bytes at fixed places that do not change while they are read: whoever binds it to a store pins the version. */
export interface RangeSource {
  readonly bytes: number;
  /** Reads the bytes from `from` up to, not including, `to`: one request, however many pieces. Throws HdashError. */
  read(from: number, to: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/** Reads a small range whole. Throws transient where the source ends before it. */
export async function readRange(
  source: RangeSource,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of source.read(from, to, signal)) {
    pieces.push(piece);
    bytes += piece.length;
    if (bytes > to - from) break;
  }
  if (bytes !== to - from) throw wrongLength(from, to, bytes);
  return Buffer.concat(pieces, bytes);
}

/**
 * Makes a source of one that may break: a range that broke goes on with the byte that is missing, since what has arrived is of the same
 * version and need not come twice. What arrives makes the attempts count anew.
 */
export function steadySource(
  source: RangeSource,
  options: {
    /** What it is, for messages. */
    readonly subject: string;
    readonly policy: RetryPolicy;
    readonly onRetry?: OnRetry;
  },
): RangeSource {
  const { subject, policy, onRetry } = options;
  return {
    bytes: source.bytes,
    async *read(from, to, signal) {
      let at = from;
      let pieces: AsyncIterator<Uint8Array> | null = null;
      const nextPiece = async (): Promise<Uint8Array> => {
        pieces ??= source.read(at, to, signal)[Symbol.asyncIterator]();
        try {
          const next = await pieces.next();
          if (next.done !== true) return next.value;
          throw wrongLength(from, to, at - from);
        } catch (error) {
          pieces = null;
          throw error;
        }
      };
      try {
        while (at < to) {
          const piece = await retry(subject, policy, nextPiece, { signal, onRetry });
          at += piece.length;
          if (at > to) throw wrongLength(from, to, at - from);
          yield piece;
        }
      } finally {
        await closeIterator(pieces);
      }
    },
  };
}

/** Ends an iterator that may have more to give, so that the connection behind it is let go. */
export async function closeIterator(iterator: AsyncIterator<unknown> | null): Promise<void> {
  await iterator?.return?.();
}

/** Says that a range has not the length it should: too short may pass, too long is another range than was asked for. */
export function wrongLength(from: number, to: number, bytes: number): HdashError {
  const kind = bytes < to - from ? "transient" : "permanent";
  return new HdashError(kind, `the range ${from}-${to} ended after ${bytes} of ${to - from} bytes`);
}
