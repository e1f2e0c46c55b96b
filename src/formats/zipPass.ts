// One pass over a member's bytes: each piece goes on as it is and through a codec, and checksum and sizes are checked at the end.

import { crc32, type DeflateRaw, type InflateRaw } from "node:zlib";

import { HdashError, messageOf } from "../error.ts";
import { number } from "../format.ts";
import { BadMember } from "./badMember.ts";
import type { Pipe } from "./pipe.ts";
import type { ZipEntry } from "./zip.ts";
import type { ZipCursor } from "./zipCursor.ts";

const LOCAL = 0x04034b50;
/** The length of a local header without the name and the extra field. */
export const LOCAL_BYTES = 30;

/** The two ends of a pass. */
export interface Ends {
  readonly deflated: Pipe;
  readonly content: Pipe;
}

/** Goes to the first byte of a member's data, past its local header, which has to say the same as the directory. */
export async function toData(entry: ZipEntry, cursor: ZipCursor, end: number): Promise<void> {
  await cursor.seek(entry.localHeaderOffset, end);
  const header = await takeAll(cursor, LOCAL_BYTES);
  const bad = (what: string): BadMember => new BadMember(entry, "header", what);
  if (header.readUInt32LE(0) !== LOCAL) throw bad("has no local header where it should begin");
  const method = header.readUInt16LE(8);
  if (method !== entry.method) {
    throw bad(`has method ${method} in its local header and ${entry.method} in the directory`);
  }
  if ((header.readUInt16LE(6) & 1) !== 0) throw bad("is encrypted by its local header");
  const nameBytes = header.readUInt16LE(26);
  if (nameBytes !== entry.nameBytes.length) throw bad("has another name in its local header");
  const extraBytes = header.readUInt16LE(28);
  const dataStart = entry.localHeaderOffset + LOCAL_BYTES + nameBytes + extraBytes;
  if (dataStart + entry.compressedBytes > end) {
    throw bad("has a local header that leaves no room for its bytes");
  }
  const names = await takeAll(cursor, nameBytes + extraBytes);
  if (!names.subarray(0, nameBytes).equals(entry.nameBytes)) {
    throw bad("has another name in its local header");
  }
}

async function takeAll(cursor: ZipCursor, bytes: number): Promise<Buffer> {
  const all = Buffer.alloc(bytes);
  for (let at = 0; at < bytes;) {
    const piece = await cursor.take(bytes - at);
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** Passes a deflated member's bytes on as they are, and what they hold. */
export async function inflate(
  entry: ZipEntry,
  cursor: ZipCursor,
  codec: InflateRaw,
  { deflated, content }: Ends,
): Promise<void> {
  let isOver = false;
  const unpacking = (async () => {
    const tally = { bytes: 0, crc: 0 };
    try {
      for await (const piece of codec as AsyncIterable<Buffer>) {
        if (tally.bytes + piece.length > entry.bytes) {
          throw new BadMember(
            entry,
            "size",
            `unpacks to more than the ${number(entry.bytes)} bytes that it states`,
          );
        }
        tally.bytes += piece.length;
        tally.crc = crc32(piece, tally.crc);
        await content.write(piece);
      }
    } catch (error) {
      if (error instanceof HdashError) throw error;
      throw new BadMember(entry, "inflate", `is damaged: ${messageOf(error)}`, error);
    } finally {
      isOver = true;
    }
    return tally;
  })();
  // Its error is awaited at the end; until then it is nobody's.
  unpacking.catch(() => {});
  const isLeft = (): boolean => deflated.hasLeft() && content.hasLeft();
  try {
    for (let left = entry.compressedBytes; left > 0 && !isOver && !isLeft();) {
      const piece = await cursor.take(left);
      left -= piece.length;
      if (!codec.write(piece)) await hasRoom(codec, () => isOver);
      await deflated.write(piece);
    }
  } catch (error) {
    codec.destroy();
    await unpacking.catch(() => {});
    throw error;
  }
  if (isLeft()) return void codec.destroy();
  if (!isOver) codec.end();
  const tally = await unpacking;
  if (codec.bytesWritten !== entry.compressedBytes) {
    throw new BadMember(
      entry,
      "size",
      `ends after ${number(codec.bytesWritten)} of the ${number(entry.compressedBytes)} packed bytes that it states`,
    );
  }
  checkContent(entry, tally);
}

/** Passes a stored member's bytes on as they are, and deflated. */
export async function store(
  entry: ZipEntry,
  cursor: ZipCursor,
  codec: DeflateRaw | null,
  { deflated, content }: Ends,
): Promise<void> {
  const tally = { bytes: 0, crc: 0 };
  let isOver = false;
  const packing = (async () => {
    try {
      for await (const piece of (codec ?? []) as AsyncIterable<Buffer>) await deflated.write(piece);
    } finally {
      isOver = true;
    }
  })();
  packing.catch(() => {});
  const isLeft = (): boolean => deflated.hasLeft() && content.hasLeft();
  while (tally.bytes < entry.bytes && !isLeft()) {
    const piece = await cursor.take(entry.bytes - tally.bytes);
    tally.bytes += piece.length;
    tally.crc = crc32(piece, tally.crc);
    if (codec !== null && !isOver && !codec.write(piece)) await hasRoom(codec, () => isOver);
    await content.write(piece);
  }
  if (isLeft()) return;
  checkContent(entry, tally);
  codec?.end();
  await packing;
}

/** Waits until a codec can take more, or is done with. */
async function hasRoom(codec: InflateRaw | DeflateRaw, isOver: () => boolean): Promise<void> {
  if (isOver() || codec.destroyed) return;
  await new Promise<void>((resolve) => {
    const done = (): void => {
      for (const event of ROOM_EVENTS) codec.off(event, done);
      resolve();
    };
    for (const event of ROOM_EVENTS) codec.on(event, done);
  });
}

const ROOM_EVENTS = ["drain", "end", "close", "error"] as const;

function checkContent(
  entry: ZipEntry,
  tally: { readonly bytes: number; readonly crc: number },
): void {
  if (tally.bytes !== entry.bytes) {
    throw new BadMember(
      entry,
      "size",
      `unpacks to ${number(tally.bytes)} of the ${number(entry.bytes)} bytes that it states`,
    );
  }
  if (tally.crc !== entry.crc32) {
    const [own, stated] = [tally.crc, entry.crc32].map((crc) => crc.toString(16).padStart(8, "0"));
    throw new BadMember(entry, "crc", `has the checksum ${own} and states ${stated}`);
  }
}
