// Members of a zip, read in one pass that gives both their deflate stream, as it lies in the archive, and what it holds. Nothing of a
// member is right before its end: both are ended by an error where content, checksum, sizes, method or header do not fit.

import { createDeflateRaw, createInflateRaw, type DeflateRaw, type InflateRaw } from "node:zlib";

import { bytes as showBytes, number } from "../format.ts";
import { BadMember, type BadMemberReason } from "./badMember.ts";
import { makePipe, type Pipe } from "./pipe.ts";
import type { RangeSource } from "./rangeSource.ts";
import type { ZipEntry } from "./zip.ts";
import { GAP_BYTES, makeCursor, stopped, type ZipCursor } from "./zipCursor.ts";
import { methodName } from "./zipMethods.ts";
import { inflate, LOCAL_BYTES, store, toData } from "./zipPass.ts";

/** How far a member may unpack. */
export interface ZipLimits {
  /** The most that its bytes may grow by. Deflate cannot do better than 1,032 to 1; exports have some 40 to 1. */
  readonly mostRatio: number;
  readonly mostBytes: number;
}

/** A member that is being read. Its content and its deflate stream are two ends of one pass: who wants both reads them side by side. */
export interface ZipMember {
  readonly entry: ZipEntry;
  /** The compressed bytes as they lie in the archive; of a stored member, its content deflated. Throws BadMember at its end. */
  readonly deflated: AsyncIterable<Uint8Array>;
  /** The content. Throws BadMember at its end, and never gives more than the directory states. */
  readonly content: AsyncIterable<Uint8Array>;
}

export interface MemberOptions {
  /** Names the one end that is read. Without it each waits for the other to be read, too. */
  readonly only?: "deflated" | "content";
  readonly limits?: ZipLimits;
}

/** What unpacks from 1 MB to 1 GB is no data; a member of an export has some 10 GB at most. */
const LIMITS: ZipLimits = { mostRatio: 1000, mostBytes: 1e12 };
/** Small files of one repeated line are no bombs: what unpacks to less than this is harmless at any ratio. */
const HARMLESS_BYTES = 1 << 20;
const MAX_16 = 0xffff;
/** How far one end may be ahead of the other. */
const ROOM_BYTES = 1 << 20;
/** Pieces of the content: large enough that the work per piece does not count. */
const PIECE_BYTES = 128 << 10;
/** Memory for a piece: no more than a small member fills. */
const pieceOf = ({ bytes }: ZipEntry): number =>
  Math.max(1 << 10, Math.min(PIECE_BYTES, bytes + 1));

/** Opens one member by a request of its own, which is made when reading begins. */
export function openMember(
  source: RangeSource,
  entry: ZipEntry,
  signal: AbortSignal,
  options: MemberOptions = {},
): ZipMember {
  const cursor = makeCursor(source, signal);
  const end = endOf(entry);
  return makeMember(entry, cursor, end, signal, options, () => cursor.close()).member;
}

/**
 * Reads members in the order in which they lie, by one request for all that are no more than a megabyte apart. Each is to be read before the
 * next is asked for; what is not read of it is passed over. All of them together may unpack no further than the ratio allows the archive.
 */
export async function* readMembers(
  source: RangeSource,
  entries: readonly ZipEntry[],
  signal: AbortSignal,
  options: MemberOptions = {},
): AsyncGenerator<ZipMember> {
  const cursor = makeCursor(source, signal);
  const ordered = entries.toSorted((a, b) => a.localHeaderOffset - b.localHeaderOffset);
  const ends = endsOfRuns(ordered);
  const limits = options.limits ?? LIMITS;
  // Members that share their bytes make a large whole of small parts, each of which is within its own bounds.
  let left = limits.mostRatio * source.bytes + HARMLESS_BYTES;
  try {
    for (const [index, entry] of ordered.entries()) {
      const isTooMuch = entry.bytes > left;
      // What is refused unread takes nothing from the others.
      if (!isTooMuch && checkEntry(entry, limits) === null) left -= entry.bytes;
      const end = ends[index] ?? endOf(entry);
      const opened = makeMember(entry, cursor, end, signal, options, async () => {}, isTooMuch);
      yield opened.member;
      await opened.leave();
    }
  } finally {
    await cursor.close();
  }
}

/** Where the last byte of a member may lie: its local header states how long its name and extra field are, the directory what follows. */
function endOf(entry: ZipEntry): number {
  const { localHeaderOffset, compressedBytes, regionEnd, directoryOffset } = entry;
  const least = leastEndOf(entry);
  const most = localHeaderOffset + LOCAL_BYTES + 2 * MAX_16 + compressedBytes;
  // Where another member should begin within this one, one of the two is wrong, which reading tells.
  return Math.min(most, regionEnd >= least ? regionEnd : directoryOffset);
}

function leastEndOf({ localHeaderOffset, nameBytes, compressedBytes }: ZipEntry): number {
  return localHeaderOffset + LOCAL_BYTES + nameBytes.length + compressedBytes;
}

/** For each member the end of the run of members that lie together, so that one request serves them all. */
function endsOfRuns(ordered: readonly ZipEntry[]): readonly number[] {
  const ends: number[] = [];
  for (let index = ordered.length - 1; index >= 0; index--) {
    const entry = ordered[index] as ZipEntry;
    const own = endOf(entry);
    const next = ordered[index + 1];
    const isTogether = next !== undefined && next.localHeaderOffset - own <= GAP_BYTES;
    ends[index] = isTogether ? Math.max(own, ends[index + 1] ?? 0) : own;
  }
  return ends;
}

/** Says what is known to be wrong before a byte is read. */
function checkEntry(entry: ZipEntry, limits: ZipLimits): BadMember | null {
  const { bytes, compressedBytes, method, localHeaderOffset, directoryOffset } = entry;
  const bad = (reason: BadMemberReason, what: string): BadMember =>
    new BadMember(entry, reason, what);
  if (entry.isEncrypted) return bad("encrypted", "is encrypted");
  if (method !== 0 && method !== 8) {
    const name = methodName(method);
    return bad("method", `is packed by ${name} (method ${method}), neither stored nor deflated`);
  }
  if (leastEndOf(entry) > directoryOffset) {
    return bad(
      "header",
      `should lie at byte ${number(localHeaderOffset)} with ${showBytes(compressedBytes)}, where the archive has none`,
    );
  }
  if (
    bytes > limits.mostBytes ||
    (bytes > HARMLESS_BYTES && bytes > compressedBytes * limits.mostRatio)
  ) {
    return bad(
      "bomb",
      `states that ${showBytes(compressedBytes)} unpack to ${showBytes(bytes)}; ${number(limits.mostRatio)} times as much and ${showBytes(limits.mostBytes)} are the most`,
    );
  }
  if (method === 0 && bytes !== compressedBytes) {
    return bad(
      "size",
      `is stored with ${number(compressedBytes)} bytes and states ${number(bytes)}`,
    );
  }
  return null;
}

/** Makes a member whose reading begins when somebody reads one of its ends. */
function makeMember(
  entry: ZipEntry,
  cursor: ZipCursor,
  end: number,
  signal: AbortSignal,
  options: MemberOptions,
  onEnd: () => Promise<void>,
  isTooMuch = false,
): { readonly member: ZipMember; readonly leave: () => Promise<void> } {
  const { only, limits = LIMITS } = options;
  let running: Promise<void> | null = null;
  let codec: DeflateRaw | InflateRaw | null = null;

  /** Who is told to stop may wait for one end while nobody reads the other: both are ended at once. */
  function stop(): void {
    const error = stopped(signal);
    deflated.end(error);
    content.end(error);
    codec?.destroy();
  }

  async function pump(): Promise<void> {
    let failure: unknown;
    signal.addEventListener("abort", stop, { once: true });
    try {
      const bad = checkEntry(entry, limits);
      if (bad !== null) throw bad;
      if (isTooMuch) {
        const what = "would make the archive unpack to more than its bytes can hold";
        throw new BadMember(entry, "bomb", what);
      }
      await toData(entry, cursor, end);
      if (entry.method === 8) {
        const inflater = createInflateRaw({ chunkSize: pieceOf(entry) });
        codec = inflater;
        await inflate(entry, cursor, inflater, { deflated, content });
      } else {
        const deflater = deflated.hasLeft()
          ? null
          : createDeflateRaw({ chunkSize: pieceOf(entry) });
        codec = deflater;
        await store(entry, cursor, deflater, { deflated, content });
      }
    } catch (error) {
      failure = error;
    } finally {
      codec?.destroy();
      signal.removeEventListener("abort", stop);
    }
    try {
      await onEnd();
    } catch (error) {
      failure ??= error;
    }
    deflated.end(failure);
    content.end(failure);
  }

  const start = (): void => void (running ??= pump());
  const onLeave = (): void => {
    // Nobody is left who could take anything: what waits within the codec is let go.
    if (deflated.hasLeft() && content.hasLeft()) codec?.destroy();
  };
  const deflated: Pipe = makePipe(ROOM_BYTES, start, onLeave);
  const content: Pipe = makePipe(ROOM_BYTES, start, onLeave);
  if (only === "content") deflated.leave();
  if (only === "deflated") content.leave();
  return {
    member: { entry, deflated: deflated.out, content: content.out },
    async leave() {
      deflated.leave();
      content.leave();
      await running;
    },
  };
}
