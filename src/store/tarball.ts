// A folder as the bytes of a tar archive, and back: plain files and folders with short names, which is all that a database has.

import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { HdashError } from "../error.ts";

/** What an archive holds: a file with its bytes, or a folder. */
export interface TarEntry {
  /** Below the folder, with slashes. */
  readonly path: string;
  /** Null for a folder. */
  readonly bytes: Uint8Array | null;
}

/** What the parts of an archive are a multiple of. */
export const BLOCK = 512;
/** The name's field of a header; longer ones would need an extension of the format. */
const NAME_BYTES = 100;

/** Packs all that lies in a folder; equal folders give equal bytes, whoever made them and whenever. */
export function packFolder(dir: string): Buffer {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true })
    .map((entry) => ({
      path: join(entry.parentPath, entry.name).slice(dir.length + 1),
      isFolder: entry.isDirectory(),
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
  const blocks = entries.flatMap(({ path, isFolder }) => {
    const bytes = isFolder ? Buffer.of() : readFileSync(join(dir, path));
    return [headerOf(path, isFolder, bytes.length), bytes, Buffer.alloc(padding(bytes.length))];
  });
  return Buffer.concat([...blocks, Buffer.alloc(2 * BLOCK)]);
}

/** Reads an archive that packFolder() made; throws a permanent error where it is damaged. The entries share its memory. */
export function readTar(bytes: Buffer): readonly TarEntry[] {
  const entries: TarEntry[] = [];
  let at = 0;
  for (;;) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header.length < BLOCK) throw damaged("ends too early");
    if (header[0] === 0) return entries;
    if (readOctal(header, 148, 8) !== checksum(header)) throw damaged(`has no header at ${at}`);
    const path = header.toString("utf8", 0, header.subarray(0, NAME_BYTES + 1).indexOf(0));
    const size = readOctal(header, 124, 12);
    const start = at + BLOCK;
    if (start + size > bytes.length) throw damaged("ends too early");
    const isFolder = header.toString("latin1", 156, 157) === "5";
    entries.push({ path, bytes: isFolder ? null : bytes.subarray(start, start + size) });
    at = start + size + padding(size);
  }
}

/** Writes entries into a new folder, for its user alone. */
export function writeFolder(dir: string, entries: readonly TarEntry[]): void {
  mkdirSync(dir, { mode: 0o700 });
  for (const { path, bytes } of entries) {
    if (bytes === null) mkdirSync(join(dir, path), { mode: 0o700 });
    else writeFileSync(join(dir, path), bytes, { mode: 0o600 });
  }
}

/** What the header of a file says. */
export interface TarHeader {
  readonly path: string;
  readonly bytes: number;
}

/** Makes the header of a plain file: the same wherever and whenever it is made. */
export function fileHeader({ path, bytes }: TarHeader): Buffer {
  return headerOf(path, false, bytes);
}

/** Reads the header of a plain file; null at the end of the archive. Throws a permanent error for whatever is neither. */
export function readFileHeader(header: Buffer): TarHeader | null {
  if (header.every((byte) => byte === 0)) return null;
  if (readOctal(header, 148, 8) !== checksum(header)) throw damaged("has a header that is damaged");
  const name = header.subarray(0, NAME_BYTES);
  const end = name.indexOf(0);
  const path = name.toString("utf8", 0, end === -1 ? NAME_BYTES : end);
  if (header.toString("latin1", 156, 157) !== "0" || header[157] !== 0 || header[345] !== 0) {
    throw damaged(`has ${JSON.stringify(path)}, which is no plain file`);
  }
  const bytes = readSize(header);
  if (!Number.isSafeInteger(bytes)) throw damaged(`does not say how long ${path} is`);
  return { path, bytes };
}

/** From this on a size is written in binary: 8 GiB. */
const FIRST_BINARY = 8 ** 11;

function writeSize(header: Buffer, size: number): void {
  if (size < FIRST_BINARY) {
    header.write(octal(size, 12), 124);
    return;
  }
  header[124] = 0x80;
  header.writeBigUInt64BE(BigInt(size), 128);
}

function readSize(header: Buffer): number {
  if (header[124] !== 0x80) return readOctal(header, 124, 12);
  return Number(header.readBigUInt64BE(128));
}

function headerOf(path: string, isFolder: boolean, size: number): Buffer {
  if (Buffer.byteLength(path) > NAME_BYTES - 1) {
    throw new HdashError("permanent", `${path} is too long a name for an archive`);
  }
  const header = Buffer.alloc(BLOCK);
  header.write(path, 0);
  header.write(octal(isFolder ? 0o700 : 0o600, 8), 100);
  header.write(octal(0, 8), 108); // user
  header.write(octal(0, 8), 116); // group
  writeSize(header, size);
  header.write(octal(0, 12), 136); // date
  header.write(isFolder ? "5" : "0", 156);
  header.write("ustar\u000000", 257);
  header.write(octal(checksum(header), 8), 148);
  return header;
}

/** The sum of a header's bytes, those of the sum itself counted as spaces. */
function checksum(header: Buffer): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0);
}

function octal(value: number, width: number): string {
  return `${value.toString(8).padStart(width - 1, "0")}\0`;
}

function readOctal(header: Buffer, at: number, width: number): number {
  return Number.parseInt(header.toString("latin1", at, at + width), 8);
}

/** How many zeros follow so many bytes. */
export function padding(size: number): number {
  return (BLOCK - (size % BLOCK)) % BLOCK;
}

function damaged(how: string): HdashError {
  return new HdashError("permanent", `the archive ${how}`);
}
