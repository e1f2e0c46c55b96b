// Reads what is small of a region: its head, to tell formats apart; its bytes up to a limit, for tables; a copy of it on disk, for HDF5.

import { createWriteStream } from "node:fs";
import { open } from "node:fs/promises";
import { pipeline } from "node:stream/promises";
import { setImmediate } from "node:timers/promises";
import { constants, gunzipSync, inflateRawSync } from "node:zlib";

import { HdashError } from "../../../error.ts";
import { bytes as showBytes, number } from "../../../format.ts";
import { UnreadableMatrix } from "../problem.ts";
import type { ByteRegion } from "./region.ts";
import { openRegion } from "./regionBytes.ts";

/** Deflate cannot do better than 1,032 to 1, so whatever gets here is no table and no matrix: it is made to fill disks. */
export const MOST_RATIO = 1000;
/** Small files of one repeated line are no bombs: what unpacks to less than this is harmless at any ratio. */
const HARMLESS_BYTES = 1 << 20;
/** No known matrix is larger unpacked; scratch disks are seldom. */
const MOST_BYTES = 100e9;
/** A head unpacks to no more than this, whatever it claims. */
const MOST_HEAD_BYTES = 32 << 20;
/** 256 kB: few calls, and still within the cache of a core. */
const PIECE_BYTES = 256 << 10;

/** Gives the region of a whole file on disk; how it is packed is told by its head. */
export function wholeFile(path: string, name: string, length: number): ByteRegion {
  return { path, offset: 0, length, layers: [], name: plainName(name), claimed: null };
}

/** Replaces in a name what could move a cursor or break a line. */
export function plainName(name: string): string {
  return name.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "?");
}

/** Makes a name fit for a message: plain, and no more than a line. */
export function showName(name: string): string {
  const plain = plainName(name);
  return plain.length <= 120 ? plain : `${plain.slice(0, 80)}…${plain.slice(-30)}`;
}

/** Throws HdashError aborted once the signal has aborted. */
export function stopIfAborted(signal: AbortSignal): void {
  if (!signal.aborted) return;
  const reason: unknown = signal.reason;
  if (reason instanceof HdashError) throw reason;
  throw new HdashError("aborted", "reading of the matrix was stopped", { cause: reason });
}

/** Reads up to `rawBytes` of a region's packed bytes and unpacks what they hold; null where they are damaged at once. */
export async function readHead(region: ByteRegion, rawBytes: number): Promise<Buffer | null> {
  let head = await readPacked(region, Math.min(rawBytes, region.length));
  // A head ends anywhere: what was unpacked until there is taken without complaint.
  const options = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength: MOST_HEAD_BYTES };
  for (const layer of region.layers) {
    try {
      head = layer === "gzip" ? gunzipSync(head, options) : inflateRawSync(head, options);
    } catch {
      // What is wrong with it is said by whoever needs the rest of it; here it only has no head.
      return null;
    }
  }
  return head;
}

async function readPacked(region: ByteRegion, bytes: number): Promise<Buffer> {
  const raw = Buffer.alloc(bytes);
  let length = 0;
  try {
    const file = await open(region.path, "r");
    try {
      while (length < bytes) {
        const at = region.offset + length;
        const { bytesRead } = await file.read(raw, length, bytes - length, at);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new HdashError("permanent", `${showName(region.name)} cannot be read from disk`, {
      cause: error,
    });
  }
  return raw.subarray(0, length);
}

/** Reads a region unpacked, piece by piece, each in the memory of the last; refuses to unpack more than `mostBytes`, or a bomb. */
export async function* readBounded(
  region: ByteRegion,
  mostBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  const bytes = openRegion(region);
  try {
    const memory = Buffer.alloc(PIECE_BYTES);
    let total = 0;
    for (;;) {
      // Reading is synchronous: without a pause nobody could say that it should stop.
      await setImmediate();
      stopIfAborted(signal);
      const got = bytes.read(memory);
      if (got === 0) return;
      total += got;
      checkSize(region, total, mostBytes);
      yield memory.subarray(0, got);
    }
  } finally {
    bytes.close();
  }
}

function checkSize(region: ByteRegion, total: number, mostBytes: number): void {
  if (total > mostBytes) {
    throw new UnreadableMatrix(
      "M_UNSAFE",
      `${showName(region.name)} unpacks to more than ${showBytes(mostBytes)}`,
    );
  }
  if (total > HARMLESS_BYTES && total > region.length * MOST_RATIO) {
    throw new UnreadableMatrix(
      "M_UNSAFE",
      `${showName(region.name)} unpacks to more than ${number(MOST_RATIO)} times its size of ${showBytes(region.length)}`,
    );
  }
}

/** Tells how many bytes a region may unpack to: what its archive says of it, within what any packing can do and any disk holds. */
export function mostUnpackedBytes({ length, layers, claimed }: ByteRegion): number {
  // What an archive says is of its own layer only: packed by gzip within, the bytes are more.
  const said = layers.includes("gzip") ? null : claimed;
  return Math.min(said?.bytes ?? Math.max(HARMLESS_BYTES, length * MOST_RATIO), MOST_BYTES);
}

/** Unpacks a region into a new private file. */
export async function unpackRegion(
  region: ByteRegion,
  to: string,
  mostBytes: number,
  signal: AbortSignal,
): Promise<void> {
  try {
    const file = createWriteStream(to, { flags: "wx", mode: 0o600 });
    await pipeline(readCopies(region, mostBytes, signal), file, { signal });
  } catch (error) {
    stopIfAborted(signal);
    if (error instanceof HdashError) throw error;
    throw new HdashError(
      "permanent",
      `${showName(region.name)} cannot be unpacked to the scratch folder`,
      {
        cause: error,
        hint: "HDF5 files within an archive, and tars that are packed, need as much free disk as they are large.",
      },
    );
  }
}

/** A stream keeps pieces until they are written, so each needs memory of its own. */
async function* readCopies(
  region: ByteRegion,
  mostBytes: number,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  for await (const piece of readBounded(region, mostBytes, signal)) yield Buffer.from(piece);
}
