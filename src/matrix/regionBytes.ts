// The bytes of a region, unpacked as they are asked for, with every checksum and length that the file or its archive gives checked.

import { closeSync, openSync, readSync } from "node:fs";
import { crc32 } from "node:zlib";

import { HdashError } from "../error.ts";
import { number } from "../format.ts";
import { type ByteSource, inflateSource } from "./kernel/inflateKernel.ts";
import { UnreadableMatrix } from "./problem.ts";
import type { ByteRegion } from "./region.ts";

/** An open region. */
export interface RegionBytes extends ByteSource {
  /** Bytes of the file read so far. */
  position(): number;
  close(): void;
}

/** Opens a region; it must be closed. */
export function openRegion(region: ByteRegion): RegionBytes {
  const { name, layers } = region;
  const file = openFile(region);
  const [outermost] = layers;
  let bytes: ByteSource = outermost === "deflate" ? file : checked(region, file);
  for (const [depth, layer] of layers.entries()) {
    bytes = inflateSource(bytes, layer, (problem, why) => {
      const what = problem === "cut off" ? "truncated" : "damaged";
      return new UnreadableMatrix("M_CORRUPT", `${name} is ${what}: ${why}`);
    });
    if (depth === 0 && layer === "deflate") bytes = checked(region, bytes);
  }
  return { read: bytes.read, position: file.position, close: file.close };
}

/** Fills all of `into`, as far as there are bytes; tells how many. */
export function readFully(bytes: ByteSource, into: Uint8Array): number {
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
function checked({ claimed, name }: ByteRegion, bytes: ByteSource): ByteSource {
  if (claimed === null) return bytes;
  let length = 0;
  let sum = 0;
  return {
    read(into) {
      const got = bytes.read(into);
      length += got;
      if (length > claimed.bytes) {
        const most = number(claimed.bytes);
        throw new UnreadableMatrix(
          "M_CORRUPT",
          `${name} unpacks to more than the ${most} bytes that its archive says`,
        );
      }
      if (got > 0) {
        sum = crc32(into.subarray(0, got), sum);
      } else if (length < claimed.bytes) {
        throw new UnreadableMatrix(
          "M_CORRUPT",
          `${name} is truncated: ${number(length)} of ${number(claimed.bytes)} bytes`,
        );
      } else if (sum !== claimed.crc32) {
        throw new UnreadableMatrix("M_CORRUPT", `${name} is damaged: its checksum does not fit`);
      }
      return got;
    },
  };
}
