// What a tar holds, as regions that are read where they lie; and the refusal of archives that are made to do harm.

import { type FileHandle, open } from "node:fs/promises";

import { HdashError } from "../../../error.ts";
import { number } from "../../../format.ts";
import { UnreadableMatrix } from "../problem.ts";
import { plainName, showName, stopIfAborted } from "./boundedRegion.ts";
import type { ByteRegion } from "./region.ts";

const BLOCK = 512;
/** A tar of a matrix has a handful of entries, one of many samples some thousands. */
const MOST_ENTRIES = 100_000;
/** Names and their like that are longer than a header has room for lie in entries of their own. */
const MOST_EXTRA_BYTES = 1 << 20;
const NO_FILES: Readonly<Record<string, string>> = {
  "1": "is a link to another entry",
  "2": "is a symbolic link",
  "3": "is no regular file",
  "4": "is no regular file",
  "6": "is no regular file",
};

/** What precedes an entry and is said of it there. */
interface Extra {
  readonly path: string | null;
  readonly size: number | null;
}

interface Header {
  readonly name: string;
  readonly size: number;
  readonly type: string;
}

/** Lists the files of a tar that lies on disk as it is, sorted by name. `name` is what messages call it. */
export async function listTar(
  path: string,
  name: string,
  isWanted: (name: string) => boolean,
  signal: AbortSignal,
): Promise<readonly ByteRegion[]> {
  const archive = showName(name);
  try {
    await using file = await open(path);
    const { size } = await file.stat();
    return await readEntries(file, size, path, archive, isWanted, signal);
  } catch (error) {
    if (error instanceof HdashError) throw error;
    throw new HdashError("permanent", `${archive} cannot be read`, { cause: error });
  }
}

async function readEntries(
  file: FileHandle,
  bytes: number,
  path: string,
  archive: string,
  isWanted: (name: string) => boolean,
  signal: AbortSignal,
): Promise<readonly ByteRegion[]> {
  const regions: ByteRegion[] = [];
  const names = new Set<string>();
  let extra: Extra = { path: null, size: null };
  let entries = 0;
  for (let at = 0; at < bytes;) {
    stopIfAborted(signal);
    const header = readHeader(await readAt(file, at, BLOCK), archive);
    // Noughts are the end.
    if (header === null) break;
    if (++entries > MOST_ENTRIES) {
      throw new UnreadableMatrix(
        "M_TOO_LARGE",
        `${archive} has more than ${number(MOST_ENTRIES)} entries`,
      );
    }
    const { type } = header;
    const isExtra = /^[LKxgX]$/.test(type);
    const size = isExtra ? header.size : (extra.size ?? header.size);
    const entry = tidyName(isExtra ? header.name : (extra.path ?? header.name), archive);
    const from = at + BLOCK;
    if (from + size > bytes) {
      throw new UnreadableMatrix(
        "M_CORRUPT",
        `${archive} is truncated: it ends within ${showName(entry)}`,
      );
    }
    at = from + Math.ceil(size / BLOCK) * BLOCK;
    if (isExtra) {
      extra = await readExtra(file, { from, size, type }, extra, archive);
      continue;
    }
    extra = { path: null, size: null };
    const wrong = NO_FILES[type];
    if (wrong !== undefined) {
      throw new UnreadableMatrix("M_UNSAFE", `${archive}: ${showName(entry)} ${wrong}`);
    }
    if (type === "5" || entry === "") continue;
    if (!/^[07\0]$/.test(type)) {
      throw new UnreadableMatrix(
        "M_FORMAT",
        `${archive}: ${showName(entry)} is kept in a way that is not read (type ${plainName(type)})`,
      );
    }
    if (names.has(entry)) {
      throw new UnreadableMatrix("M_UNSAFE", `${archive} holds ${showName(entry)} twice`);
    }
    names.add(entry);
    if (!isWanted(entry)) continue;
    regions.push({ path, offset: from, length: size, layers: [], name: entry, claimed: null });
  }
  return regions.sort((a, b) => (a.name < b.name ? -1 : 1));
}

async function readAt(file: FileHandle, from: number, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  for (let done = 0; done < size;) {
    const { bytesRead } = await file.read(bytes, done, size - done, from + done);
    // The last block may be cut: what is missing is read as noughts, and its checksum tells.
    if (bytesRead === 0) break;
    done += bytesRead;
  }
  return bytes;
}

function readHeader(block: Buffer, archive: string): Header | null {
  if (block.every((byte) => byte === 0)) return null;
  const stated = numberAt(block, 148, 8);
  let sum = 8 * 32;
  for (const [at, byte] of block.entries()) if (at < 148 || at >= 156) sum += byte;
  const size = numberAt(block, 124, 12);
  if (sum !== stated || size === null) {
    throw new UnreadableMatrix(
      "M_CORRUPT",
      `${archive} is a damaged tar or cut off: a header of an entry makes no sense`,
    );
  }
  const isPosix = block.toString("latin1", 257, 263) === "ustar\0";
  const prefix = isPosix ? textAt(block, 345, 155) : "";
  const name = textAt(block, 0, 100);
  return {
    name: prefix === "" ? name : `${prefix}/${name}`,
    size,
    type: block.toString("latin1", 156, 157),
  };
}

function textAt(block: Buffer, from: number, length: number): string {
  const field = block.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.toString("utf8", 0, end === -1 ? length : end);
}

/** A number in octal digits, or in bytes where it is too large for these; null where it is none. */
function numberAt(block: Buffer, from: number, length: number): number | null {
  if (((block[from] ?? 0) & 0x80) !== 0) {
    const value = block.readUIntBE(from + length - 6, 6);
    return block.subarray(from + 1, from + length - 6).some((byte) => byte !== 0) ? null : value;
  }
  const digits = textAt(block, from, length).trim();
  return /^[0-7]{1,12}$/.test(digits) ? Number.parseInt(digits, 8) : null;
}

/** Reads what an entry says of the next one: its long name (GNU), or its name and size (POSIX). */
async function readExtra(
  file: FileHandle,
  { from, size, type }: { readonly from: number; readonly size: number; readonly type: string },
  before: Extra,
  archive: string,
): Promise<Extra> {
  if (size > MOST_EXTRA_BYTES) {
    throw new UnreadableMatrix(
      "M_UNSAFE",
      `${archive} has a name of ${number(size)} bytes, which is no name`,
    );
  }
  const bytes = await readAt(file, from, size);
  if (type === "L") return { ...before, path: textAt(bytes, 0, size) };
  if (type !== "x" && type !== "X") return before;
  let { path, size: stated } = before;
  for (let at = 0; at < size;) {
    const record = /^(\d{1,7}) ([^=]+)=/.exec(bytes.toString("latin1", at, at + 300));
    const length = Number(record?.[1] ?? 0);
    if (record === null || length < record[0].length || at + length > size) break;
    const value = bytes.toString("utf8", at + record[0].length, at + length - 1);
    if (record[2] === "path") path = value;
    if (record[2] === "size" && /^\d{1,15}$/.test(value)) stated = Number(value);
    if (record[2]?.startsWith("GNU.sparse.") === true) {
      throw new UnreadableMatrix("M_FORMAT", `${archive} holds a sparse file, which is not read`);
    }
    at += length;
  }
  return { path, size: stated };
}

function tidyName(name: string, archive: string): string {
  const parts = plainName(name).split("/");
  if (name.startsWith("/") || parts.includes("..")) {
    throw new UnreadableMatrix(
      "M_UNSAFE",
      `${archive}: ${showName(name)} leads out of the archive`,
    );
  }
  return parts.filter((part) => part !== "" && part !== ".").join("/");
}
