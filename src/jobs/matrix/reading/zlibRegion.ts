// Reads a packed region with Node's zlib, slower than we do ourselves: the second opinion on what we say is damaged.

import { createReadStream } from "node:fs";
import type { Readable, Transform } from "node:stream";
import { createGunzip, createInflateRaw } from "node:zlib";

import type { Ring } from "../kernel/ring.ts";
import { UnreadableMatrix } from "../problem.ts";
import type { ByteRegion } from "./region.ts";
import { makeCheck } from "./regionBytes.ts";
import type { RegionPiece } from "./regionReader.ts";
import { aborted } from "./spool.ts";

/** Gives the pieces of a region, unpacked by zlib; whatever is wrong with them is damage. */
export async function* readWithZlib(
  region: ByteRegion,
  ring: Ring,
  signal: AbortSignal,
): AsyncGenerator<RegionPiece> {
  const memory = new Uint8Array(ring.memory.buffer);
  // gzip has a checksum of its own; what an archive says is needed only of what it packs itself.
  const check = region.layers.join() === "deflate" ? makeCheck(region) : () => {};
  let used = 0;
  for await (const piece of unpack(region, signal)) {
    check(piece.bytes);
    for (let from = 0; from < piece.bytes.length; from += ring.slotBytes) {
      const bytes = piece.bytes.subarray(from, from + ring.slotBytes);
      const at = ring.slots[used++ % ring.slots.length] ?? 0;
      memory.set(bytes, at);
      yield { at, length: bytes.length, read: piece.read };
    }
  }
  check(memory.subarray(0, 0));
}

async function* unpack(
  { path, offset, length, layers, name }: ByteRegion,
  signal: AbortSignal,
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly read: number }> {
  if (length === 0) throw new UnreadableMatrix("M_CORRUPT", `${name} is truncated: it is empty`);
  const file = createReadStream(path, { start: offset, end: offset + length - 1 });
  const steps = layers.map((layer) => (layer === "gzip" ? createGunzip() : createInflateRaw()));
  let last: Readable = file;
  for (const step of steps) last = join(last, step);
  try {
    for await (const bytes of last as AsyncIterable<Buffer>) {
      if (signal.aborted) throw aborted(signal);
      yield { bytes, read: file.bytesRead };
    }
  } catch (error) {
    if (signal.aborted) throw aborted(signal);
    throw new UnreadableMatrix("M_CORRUPT", `${name} is damaged`, { cause: error });
  } finally {
    for (const stream of [file, ...steps]) stream.destroy();
  }
}

/** Pipes one stream into the next; what is wrong with the first is told by the second. */
function join(from: Readable, to: Transform): Transform {
  from.once("error", (error) => to.destroy(error));
  return from.pipe(to);
}
