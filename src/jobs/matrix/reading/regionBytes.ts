// The bytes of a region, unpacked as they are asked for, with every checksum and length that the file or its archive gives checked.

import { closeSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";

import { HdashError } from "../../../error.ts";
import { number } from "../../../format.ts";
import {
  type ByteSource,
  type InflateProblem,
  inflateSource,
  makeInflater,
  ROOM_BYTES,
  WINDOW_BYTES,
} from "../kernel/inflateKernel.ts";
import type { Ring } from "../kernel/ring.ts";
import { UnreadableMatrix } from "../problem.ts";
import type { ByteRegion } from "./region.ts";

/** An open region. */
export interface RegionBytes extends ByteSource {
  /** Bytes of the file read so far. */
  position(): number;
  close(): void;
}

/** A region that is unpacked into a ring. */
export interface RegionSlots {
  /** Fills a slot of the ring; slots must be filled in turn. Tells how many bytes it got: none at the end. */
  fill(slot: number): number;
  position(): number;
  close(): void;
}

/** Opens a region; it must be closed. */
export function openRegion(region: ByteRegion): RegionBytes {
  const file = openFile(region);
  const { read } = openLayers(region, file, region.layers.length);
  return { read, position: file.position, close: file.close };
}

/** Opens a region to be unpacked into a ring, the last layer without a copy; it must be closed. */
export function openRegionSlots(region: ByteRegion, ring: Ring): RegionSlots {
  const { slots, slotBytes, memory, inputAt } = ring;
  const { layers } = region;
  const all = new Uint8Array(memory.buffer);
  const file = openFile(region);
  const last = layers.at(-1);
  const packed = openLayers(region, file, Math.max(0, layers.length - 1));
  const rest = { position: file.position, close: file.close };
  if (last === undefined) {
    return {
      fill(slot) {
        const at = slots[slot] ?? 0;
        return readFully(packed, all.subarray(at, at + slotBytes));
      },
      ...rest,
    };
  }
  const inflater = makeInflater(packed, last, failureOf(region), { memory, inputAt });
  const check = layers.length === 1 && last === "deflate" ? makeCheck(region) : null;
  let end = 0;
  let total = 0;
  return {
    fill(slot) {
      const at = slots[slot] ?? 0;
      // Matches reach back into the slot before.
      const window = Math.min(WINDOW_BYTES, total);
      all.copyWithin(at - window, end - window, end);
      end = at;
      while (end - at < slotBytes && !inflater.hasEnded()) {
        const stop = inflater.unpack(end, at + slotBytes + ROOM_BYTES);
        if (stop > end) check?.(all.subarray(end, stop));
        end = stop;
      }
      if (end === at) check?.(all.subarray(0, 0));
      total += end - at;
      return end - at;
    },
    ...rest,
  };
}

/** Unpacks the outermost `depth` layers of a region. */
function openLayers(region: ByteRegion, file: ByteSource, depth: number): ByteSource {
  const { layers } = region;
  const [outermost] = layers;
  let bytes = outermost === "deflate" ? file : checked(region, file);
  for (const [at, layer] of layers.slice(0, depth).entries()) {
    bytes = inflateSource(bytes, layer, failureOf(region));
    if (at === 0 && layer === "deflate") bytes = checked(region, bytes);
  }
  return bytes;
}

function failureOf({ name }: ByteRegion): (problem: InflateProblem, why: string) => Error {
  return (problem, why) => {
    const what = problem === "cut off" ? "truncated" : "damaged";
    return new UnreadableMatrix("M_CORRUPT", `${name} is ${what}: ${why}`);
  };
}

/** Fills all of `into`, as far as there are bytes; tells how many. */
function readFully(bytes: ByteSource, into: Uint8Array): number {
  let length = 0;
  while (length < into.length) {
    const got = bytes.read(into.subarray(length));
    if (got === 0) break;
    length += got;
  }
  return length;
}

function openFile({ path, offset, length, name }: ByteRegion): RegionBytes {
  const unreadable = (error: unknown): HdashError =>
    new HdashError("permanent", `${name} cannot be read from disk`, { cause: error });
  let file: number;
  try {
    file = openSync(path, "r");
  } catch (error) {
    throw unreadable(error);
  }
  let at = 0;
  return {
    read(into) {
      const wanted = Math.min(into.length, length - at);
      if (wanted === 0) return 0;
      let got: number;
      try {
        got = readSync(file, into, 0, wanted, offset + at);
      } catch (error) {
        throw unreadable(error);
      }
      if (got === 0) {
        const bytes = `${number(at)} of ${number(length)} bytes`;
        throw new UnreadableMatrix("M_CORRUPT", `${name} is truncated: ${bytes}`);
      }
      at += got;
      return got;
    },
    position: () => at,
    close: () => closeSync(file),
  };
}

/** Checks what an archive says of the bytes of its own layer. */
function checked(region: ByteRegion, bytes: ByteSource): ByteSource {
  const check = makeCheck(region);
  return {
    read(into) {
      const got = bytes.read(into);
      check(into.subarray(0, got));
      return got;
    },
  };
}

/** Makes a check of what an archive says, which sees all pieces of its own layer in turn, and an empty one at its end. */
export function makeCheck({ claimed, name }: ByteRegion): (piece: Uint8Array) => void {
  if (claimed === null) return () => {};
  let length = 0;
  let sum = 0;
  return (piece) => {
    length += piece.length;
    if (length > claimed.bytes) {
      const most = number(claimed.bytes);
      throw new UnreadableMatrix(
        "M_CORRUPT",
        `${name} unpacks to more than the ${most} bytes that its archive says`,
      );
    }
    if (piece.length > 0) {
      sum = crc32(piece, sum);
    } else if (length < claimed.bytes) {
      throw new UnreadableMatrix(
        "M_CORRUPT",
        `${name} is truncated: ${number(length)} of ${number(claimed.bytes)} bytes`,
      );
    } else if (sum !== claimed.crc32) {
      throw new UnreadableMatrix("M_CORRUPT", `${name} is damaged: its checksum does not fit`);
    }
  };
}
