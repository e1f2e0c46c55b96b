// The way through an archive's bytes from its beginning to its end: one request for members that lie together, another over a large gap.

import { HdashError } from "../error.ts";
import { closeIterator, type RangeSource, wrongLength } from "./rangeSource.ts";

export interface ZipCursor {
  /** Goes to a byte, over what nobody wants, to read on from there as far as `end`. */
  seek(from: number, end: number): Promise<void>;
  /** The next bytes, no more than `most`. Throws transient where the source ends too early. */
  take(most: number): Promise<Uint8Array>;
  /** Ends the request under way. */
  close(): Promise<void>;
}

/** A new request costs about as much time as it takes to receive this. */
export const GAP_BYTES = 1 << 20;

/** To read so little to its end costs less than a connection that is broken off, which cannot be used again. */
const REST_BYTES = 64 << 10;

/** Says that reading was told to stop. */
export function stopped(signal: AbortSignal): HdashError {
  return new HdashError("aborted", "reading of the archive was stopped", { cause: signal.reason });
}

/** Makes a cursor on a source; nothing is asked for yet. */
export function makeCursor(source: RangeSource, signal: AbortSignal): ZipCursor {
  let pieces: AsyncIterator<Uint8Array> | null = null;
  let range = { from: 0, to: 0 };
  let at = 0;
  let rest: Uint8Array = new Uint8Array(0);

  async function close(): Promise<void> {
    const ended = pieces;
    let left = range.to - at - rest.length;
    pieces = null;
    rest = new Uint8Array(0);
    while (ended !== null && left > 0 && left <= REST_BYTES && !signal.aborted) {
      // What breaks here is nothing that anybody waits for.
      const next = await ended.next().catch(() => null);
      left = next === null || next.done === true ? 0 : left - next.value.length;
    }
    await closeIterator(ended);
  }

  async function take(most: number): Promise<Uint8Array> {
    if (signal.aborted) throw stopped(signal);
    while (rest.length === 0) {
      if (at >= range.to) throw wrongLength(range.from, range.to, at - range.from);
      pieces ??= source.read(at, range.to, signal)[Symbol.asyncIterator]();
      const next = await pieces.next();
      if (next.done === true) throw wrongLength(range.from, range.to, at - range.from);
      rest = next.value;
    }
    const taken = rest.subarray(0, most);
    rest = rest.subarray(taken.length);
    at += taken.length;
    return taken;
  }

  return {
    close,
    take,
    async seek(from, end) {
      const isOnTheWay = pieces !== null && from >= at && from - at <= GAP_BYTES && from < range.to;
      if (!isOnTheWay) {
        await close();
        range = { from, to: end };
        at = from;
      }
      while (at < from) await take(from - at);
    },
  };
}
