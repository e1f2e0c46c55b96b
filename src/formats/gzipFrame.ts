// A gzip file around a deflate stream that exists already: what a zip's member holds need not be packed a second time.

import { basename } from "node:path";

/** gzip's magic number, method deflate. */
const HEAD = [0x1f, 0x8b, 8];
const HAS_NAME = 8;
/** Where it was made is nobody's concern, and the bytes are to follow from the content. */
const UNKNOWN_SYSTEM = 255;
/** What file systems take, so that gunzip -N can restore it. */
const MOST_NAME_LETTERS = 255;

/**
 * Frames a deflate stream: header with the name and no time, the stream, checksum and length. The last piece comes only when the stream has
 * ended without an error, so nothing that broke is a whole gzip file.
 */
export async function* gzipFrame(
  member: { readonly crc32: number; readonly bytes: number; readonly name: string },
  deflated: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const name = fileNameOf(member.name);
  const flags = name === "" ? 0 : HAS_NAME;
  const head = Buffer.from([...HEAD, flags, 0, 0, 0, 0, 0, UNKNOWN_SYSTEM]);
  yield name === "" ? head : Buffer.concat([head, Buffer.from(`${name}\0`, "latin1")]);
  yield* deflated;
  const tail = Buffer.alloc(8);
  tail.writeUInt32LE(member.crc32, 0);
  // Modulo 2^32, as the format wants it.
  tail.writeUInt32LE(member.bytes % 2 ** 32, 4);
  yield tail;
}

/** The name without folders, in Latin-1 as the format wants it; what that lacks, and control characters, are "_". "" where none is left. */
function fileNameOf(name: string): string {
  const last = basename(name).slice(0, MOST_NAME_LETTERS);
  if (last === "." || last === "..") return "";
  return last.replace(/[^\u0020-\u007e\u00a0-\u00ff]/gu, "_");
}
