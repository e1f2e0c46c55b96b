// One version of an object as something that is read in ranges.

import { HdashError } from "../error.ts";
import type { ObjectHead } from "./bucket.ts";
import type { ObjectReader } from "./objectReader.ts";

/** Bytes of an object that stay the same while it is read. */
export interface ObjectRanges {
  readonly bytes: number;
  read(from: number, to: number, signal: AbortSignal): AsyncIterable<Uint8Array>;
}

/**
 * Reads an object, as it was listed, in ranges, one request each; nothing is asked for yet. Throws permanent once it is another version:
 * what was read of the one does not fit the other.
 */
export function openRanges(reader: ObjectReader, head: ObjectHead): ObjectRanges {
  const { key, etag, bytes } = head;
  return {
    bytes,
    async *read(from, to, signal) {
      if (from === to) return;
      const body = await reader.openRange(key, { etag, from, to }, signal);
      if (body === null) {
        throw new HdashError(
          "permanent",
          `${key} in ${reader.label} was removed or replaced since it was listed`,
        );
      }
      yield* body;
    },
  };
}

/** Passes on as many bytes as there should be. Throws transient where there are fewer, permanent where there are more. */
export async function* exactly(
  bytes: number,
  body: AsyncIterable<Uint8Array>,
  what: string,
): AsyncGenerator<Uint8Array> {
  let read = 0;
  for await (const piece of body) {
    read += piece.length;
    if (read > bytes) {
      throw new HdashError(
        "permanent",
        `${what}: there are more bytes than the ${bytes} asked for`,
      );
    }
    yield piece;
  }
  if (read < bytes) {
    throw new HdashError("transient", `${what}: it ended after ${read} of ${bytes} bytes`);
  }
}
