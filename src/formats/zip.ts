// What a zip holds, by its directory, which is read with three ranges at most, however many members there are.
//
// yauzl decodes names and extra fields. It does not read the directory here, because it believes the 16 bits in which the end states the
// number of members (of 65,536 it lists none), refuses a whole archive for one member that is strongly encrypted or has a damaged extra
// field, and tells what is wrong by sentences only. The tests compare the two on archives that both can read.

import { getFileNameLowLevel, parseExtraFields } from "yauzl";

import { bytes as showBytes, number } from "../format.ts";
import { type RangeSource, readRange } from "./rangeSource.ts";

/** A member as the directory describes it; nothing of it is believed until its content has been read. */
export interface ZipEntry {
  /** As it is written, decoded: it may climb, be absolute, or hold a NUL, and is no path for anybody to write to. */
  readonly name: string;
  /** As it stands in the archive; the local header has to have the same. */
  readonly nameBytes: Uint8Array;
  /** 0: stored, 8: deflated. */
  readonly method: number;
  readonly flags: number;
  readonly crc32: number;
  readonly compressedBytes: number;
  readonly bytes: number;
  readonly localHeaderOffset: number;
  /** Where the next local header in the archive begins, or the directory. */
  readonly regionEnd: number;
  /** Where the directory begins: no member's bytes reach so far. */
  readonly directoryOffset: number;
  readonly isEncrypted: boolean;
  readonly isFolder: boolean;
}

/** Why an object is set aside whole: it has no bytes; it is no zip; it is one without a directory that could be believed; or with too large a one. */
export type ZipRefusal = "empty_object" | "not_archive" | "truncated_archive" | "too_many_members";

export type ZipListing =
  | {
      readonly refusal: null;
      /** In the directory's order; of several with one name the last. */
      readonly entries: readonly ZipEntry[];
      /** The ones that a later one of the same name took the place of. */
      readonly dropped: readonly ZipEntry[];
    }
  | {
      readonly refusal: ZipRefusal;
      /** In a clause, for people. */
      readonly why: string;
    };

const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const RECORD_BYTES = 56;
const CENTRAL_BYTES = 46;
const END = 0x06054b50;
const LOCATOR = 0x07064b50;
const RECORD = 0x06064b50;
const CENTRAL = 0x02014b50;
const LOCAL = 0x04034b50;
/** What stands for "see the 64-bit field". */
const MAX_16 = 0xffff;
const MAX_32 = 0xffffffff;
/** Holds the longest comment and both ends, and in most cases the directory too: an export's 110 members need some 14 kB. */
const TAIL_BYTES = 128 << 10;
/** Exports have some hundred members; what has far more is made to fill memory, or to keep everybody busy. */
const MOST_MEMBERS = 200_000;
/** So many members with long names need 40 MB. */
const MOST_DIRECTORY_BYTES = 64 << 20;

/** The last bytes of a source, and where they begin. */
interface Tail {
  readonly from: number;
  readonly buffer: Buffer;
}

interface Directory {
  readonly offset: number;
  readonly bytes: number;
  /** As stated; of the older form only its last 16 bits. */
  readonly members: number;
  readonly disk: number;
  readonly isWide: boolean;
}

/** Lists the members of a zip. What is wrong with the object is a value; errors are the source's own. */
export async function listMembers(source: RangeSource, signal: AbortSignal): Promise<ZipListing> {
  if (source.bytes === 0) return refuse("empty_object", "it has no bytes");
  const from = Math.max(0, source.bytes - TAIL_BYTES);
  const tail = { from, buffer: await readRange(source, from, source.bytes, signal) };
  const end = findEnd(tail);
  if (end === null) return await withoutDirectory(source, tail, signal);
  const directory = typeof end === "number" ? await readRecord(source, tail, end, signal) : end;
  if (typeof directory === "string") return refuse("truncated_archive", directory);
  const problem = checkDirectory(directory, source);
  if (problem !== null) return refuse("truncated_archive", problem);
  const { offset, bytes } = directory;
  if (bytes > MOST_DIRECTORY_BYTES) {
    const most = `more than the ${showBytes(MOST_DIRECTORY_BYTES)} that can be handled`;
    return refuse("too_many_members", `its directory has ${showBytes(bytes)}, ${most}`);
  }
  const buffer = await readAt(source, tail, offset, offset + bytes, signal);
  return readDirectory(buffer, directory);
}

function refuse(refusal: ZipRefusal, why: string): ZipListing {
  return { refusal, why };
}

/**
 * Finds the end of the directory: what it says, or the place of the locator of its 64-bit form; null where there is none. The comment
 * behind it may hold anything, so the candidate that reaches exactly to the end goes first; of the others (something was appended), only
 * one whose directory ends where it begins.
 */
function findEnd({ from, buffer }: Tail): Directory | number | null {
  let appended: Directory | number | null = null;
  for (let at = buffer.length - END_BYTES; at >= 0; at--) {
    if (buffer[at] !== 0x50 || buffer.readUInt32LE(at) !== END) continue;
    const rest = buffer.length - at - END_BYTES - buffer.readUInt16LE(at + 20);
    if (rest < 0) continue;
    const hasLocator = at >= LOCATOR_BYTES && buffer.readUInt32LE(at - LOCATOR_BYTES) === LOCATOR;
    const directory = {
      offset: buffer.readUInt32LE(at + 16),
      bytes: buffer.readUInt32LE(at + 12),
      members: buffer.readUInt16LE(at + 10),
      disk: buffer.readUInt16LE(at + 4),
      isWide: false,
    };
    const found = hasLocator ? at - LOCATOR_BYTES : directory;
    const isAdjacent = hasLocator || directory.offset + directory.bytes === from + at;
    if (rest === 0 && (isAdjacent || directory.offset + directory.bytes < from + at)) return found;
    if (isAdjacent) appended ??= found;
    // Stated with a directory that reaches behind its own end: kept, since "points outside" is what there is to say.
    else if (rest === 0) appended ??= directory;
  }
  return appended;
}

/** Reads what the 64-bit locator leads to; a clause where that is nothing. */
async function readRecord(
  source: RangeSource,
  tail: Tail,
  locator: number,
  signal: AbortSignal,
): Promise<Directory | string> {
  const offset = readUInt64(tail.buffer, locator + 8);
  const end = tail.from + locator;
  if (offset + RECORD_BYTES > end) return "its directory's 64-bit record lies outside of it";
  const record = await readAt(source, tail, offset, offset + RECORD_BYTES, signal);
  if (record.readUInt32LE(0) !== RECORD) return "its directory's 64-bit record is missing";
  return {
    members: readUInt64(record, 32),
    disk: record.readUInt32LE(16),
    bytes: readUInt64(record, 40),
    offset: readUInt64(record, 48),
    isWide: true,
  };
}

function checkDirectory(directory: Directory, source: RangeSource): string | null {
  const { offset, bytes, disk } = directory;
  if (disk !== 0) return "it is one of several parts of a zip";
  if (offset + bytes > source.bytes - END_BYTES) {
    return `its directory should end at byte ${number(offset + bytes)} of ${number(source.bytes)}`;
  }
  return null;
}

/** Without a directory, the first bytes tell whether it was a zip. */
async function withoutDirectory(
  source: RangeSource,
  tail: Tail,
  signal: AbortSignal,
): Promise<ZipListing> {
  const head = await readAt(source, tail, 0, Math.min(4, source.bytes), signal);
  // Three bytes of a signature are as little of a zip as none.
  const isZip = head.length === 4 && [LOCAL, END, RECORD].includes(head.readUInt32LE(0));
  return isZip
    ? refuse("truncated_archive", "it begins like a zip and has no directory at its end")
    : refuse("not_archive", "it neither begins like a zip nor has a zip's directory");
}

/** Reads a range from the tail where that holds it, else what is missing of it in one request. */
async function readAt(
  source: RangeSource,
  tail: Tail,
  from: number,
  to: number,
  signal: AbortSignal,
): Promise<Buffer> {
  if (from === to) return Buffer.alloc(0);
  if (from >= tail.from) return tail.buffer.subarray(from - tail.from, to - tail.from);
  const missing = await readRange(source, from, Math.min(to, tail.from), signal);
  if (to <= tail.from) return missing;
  return Buffer.concat([missing, tail.buffer.subarray(0, to - tail.from)]);
}

/** Reads the entries up to the directory's last byte; its size, not its number of members, says where that is. */
function readDirectory(buffer: Buffer, directory: Directory): ZipListing {
  const entries: ZipEntry[] = [];
  let at = 0;
  while (at < buffer.length) {
    const entry = readEntry(buffer, at, directory.offset);
    if (entry === null) {
      return refuse(
        "truncated_archive",
        `its directory is damaged at member ${entries.length + 1}`,
      );
    }
    if (entries.length === MOST_MEMBERS) {
      const most = `more than the ${number(MOST_MEMBERS)} members that can be handled`;
      return refuse("too_many_members", `it has ${most}`);
    }
    entries.push(entry.entry);
    at = entry.end;
  }
  // The older form has 16 bits for it, and writers that ran over have left what remained.
  const stated = directory.isWide ? entries.length : entries.length & MAX_16;
  const isRunOver = !directory.isWide && directory.members === MAX_16 && entries.length > MAX_16;
  if (directory.members !== stated && !isRunOver) {
    return refuse(
      "truncated_archive",
      `its directory has ${number(entries.length)} members and states ${number(directory.members)}`,
    );
  }
  return lastOfEachName(withRegions(entries, directory.offset));
}

function readEntry(
  buffer: Buffer,
  at: number,
  directoryOffset: number,
): { readonly entry: ZipEntry; readonly end: number } | null {
  if (at + CENTRAL_BYTES > buffer.length || buffer.readUInt32LE(at) !== CENTRAL) return null;
  const nameStart = at + CENTRAL_BYTES;
  const nameEnd = nameStart + buffer.readUInt16LE(at + 28);
  const extraEnd = nameEnd + buffer.readUInt16LE(at + 30);
  const end = extraEnd + buffer.readUInt16LE(at + 32);
  if (end > buffer.length) return null;
  const flags = buffer.readUInt16LE(at + 8);
  const nameBytes = buffer.subarray(nameStart, nameEnd);
  const extraFields = readExtraFields(buffer.subarray(nameEnd, extraEnd));
  const name = getFileNameLowLevel(flags, nameBytes, extraFields, true);
  const wide = extraFields.find(({ id }) => id === 1)?.data ?? Buffer.alloc(0);
  let used = 0;
  /** A number of 32 bits, or of the 64-bit field, which holds only those that do not fit, in this order. */
  const size = (place: number): number => {
    const narrow = buffer.readUInt32LE(place);
    if (narrow !== MAX_32 || used + 8 > wide.length) return narrow;
    used += 8;
    return readUInt64(wide, used - 8);
  };
  const bytes = size(at + 24);
  const compressedBytes = size(at + 20);
  const localHeaderOffset = size(at + 42);
  const entry = {
    name,
    nameBytes,
    method: buffer.readUInt16LE(at + 10),
    flags,
    crc32: buffer.readUInt32LE(at + 16),
    compressedBytes,
    bytes,
    localHeaderOffset,
    regionEnd: directoryOffset,
    directoryOffset,
    isEncrypted: (flags & 1) !== 0,
    isFolder: name.endsWith("/"),
  };
  return { entry, end };
}

/** Damaged extra fields are none: what they should have said shows when the member is read. */
function readExtraFields(bytes: Buffer): ReturnType<typeof parseExtraFields> {
  try {
    return parseExtraFields(bytes);
  } catch {
    return [];
  }
}

/** Tells each entry where the next thing in the archive begins: a member need not be asked for beyond that. */
function withRegions(entries: readonly ZipEntry[], directoryOffset: number): readonly ZipEntry[] {
  const starts = [...new Set(entries.map(({ localHeaderOffset }) => localHeaderOffset))]
    .filter((start) => start < directoryOffset)
    .sort((a, b) => a - b);
  const next = new Map(starts.map((start, index) => [start, starts[index + 1] ?? directoryOffset]));
  return entries.map((entry) => {
    return { ...entry, regionEnd: next.get(entry.localHeaderOffset) ?? directoryOffset };
  });
}

function lastOfEachName(entries: readonly ZipEntry[]): ZipListing {
  const last = new Map(entries.map((entry) => [entry.name, entry]));
  if (last.size === entries.length) return { refusal: null, entries, dropped: [] };
  const isLast = (entry: ZipEntry): boolean => last.get(entry.name) === entry;
  return {
    refusal: null,
    entries: entries.filter(isLast),
    dropped: entries.filter((entry) => !isLast(entry)),
  };
}

/** Beyond 2^53 a number is no longer exact, and far outside of any archive, which is all that matters here. */
function readUInt64(buffer: Buffer, at: number): number {
  return buffer.readUInt32LE(at) + buffer.readUInt32LE(at + 4) * 2 ** 32;
}
