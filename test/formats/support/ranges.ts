// Sources of ranges for tests: bytes in memory, of which every request is noted, and which break where they are told to.

import { setImmediate } from "node:timers/promises";

import { HdashError } from "../../../src/error.ts";
import type { RangeSource } from "../../../src/formats/rangeSource.ts";

export interface NotedSource extends RangeSource {
  /** What was asked for, [from, to) each. */
  readonly asked: (readonly [number, number])[];
  /** How many bytes were given. */
  given: number;
}

/** Serves bytes in pieces of the given size; `breaks` says at which byte a request ends with a transient error, once each. */
export function sourceOf(
  bytes: Uint8Array,
  options: { readonly pieceBytes?: number; readonly breaks?: number[] } = {},
): NotedSource {
  const { pieceBytes = 64 << 10, breaks = [] } = options;
  const source: NotedSource = {
    bytes: bytes.length,
    asked: [],
    given: 0,
    async *read(from, to, signal) {
      source.asked.push([from, to]);
      if (from < 0 || to > bytes.length || from >= to) throw new Error(`asked for ${from}-${to}`);
      for (let at = from; at < to;) {
        await setImmediate();
        if (signal.aborted) throw new HdashError("aborted", "stopped");
        const next = Math.min(at + pieceBytes, to);
        const broken = breaks.findIndex((place) => place >= at && place < next);
        const end = broken === -1 ? next : (breaks[broken] as number);
        source.given += end - at;
        if (end > at) yield bytes.subarray(at, end);
        if (broken !== -1) {
          breaks.splice(broken, 1);
          throw new HdashError("transient", "the connection broke");
        }
        at = next;
      }
    },
  };
  return source;
}

/** Reads all of a stream. */
export async function all(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const read: Uint8Array[] = [];
  for await (const piece of pieces) read.push(piece);
  return Buffer.concat(read);
}

export const NEVER = new AbortController().signal;
