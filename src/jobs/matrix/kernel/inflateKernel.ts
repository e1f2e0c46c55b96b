// Unpacking as TypeScript sees it: a source of packed bytes becomes a source of plain ones, deflate or gzip of any number of members.

import { crc32 } from "node:zlib";

import { type KernelMemory, makeInstance, makeLayout, makeMemory } from "./instance.ts";
import { INFLATE_WASM } from "./wasm.ts";

/** Bytes that are asked for. */
export interface ByteSource {
  /** Puts bytes at the beginning of `into`; tells how many: none only at the end. */
  read(into: Uint8Array): number;
}

/** Why packed bytes cannot be unpacked. */
export type InflateProblem = "cut off" | "damaged";

interface InflateExports {
  reset(): void;
  inflate(
    from: number,
    to: number,
    isLast: boolean,
    first: number,
    at: number,
    end: number,
  ): number;
  inputAt(): number;
  outputAt(): number;
}

/** What unpacking stopped for; the numbers are those of assembly/inflate.as. */
const NEED_INPUT = 0;
const NEED_ROOM = 1;
const END = 2;
const CUT_OFF = 3;

/** The module's own tables lie at the bottom of its memory. */
export const INFLATE_TABLE_BYTES = 49_152;
/** What it needs of its memory for packed bytes: 128 KB stay within the cache of a core. */
export const INFLATE_INPUT_BYTES = (1 << 17) + 1024;
/** Deflate's matches reach this far back: so much of what was unpacked must lie before what comes next. */
export const WINDOW_BYTES = 32_768;
/** Unpacking goes on as long as there is more room than this. */
export const ROOM_BYTES = 512;

/** What the module may read behind the end of its input. */
const PAD_BYTES = 1024;
const INPUT_BYTES = INFLATE_INPUT_BYTES - PAD_BYTES;
/** 256 KB stay within the cache of a core. */
const OUTPUT_BYTES = 1 << 18;
const GZIP_TRAILER_BYTES = 8;

/** Unpacks into memory that belongs to somebody else. */
export interface Inflater {
  /**
   * Unpacks some more to `at`; what was unpacked last must lie just before. Tells where it ends, which may be at `at`
   * although more comes; no byte before `end` is safe from being written to.
   */
  unpack(at: number, end: number): number;
  hasEnded(): boolean;
}

/** Where an inflater works: its tables lie at the bottom of the memory, its input at `inputAt`. */
export interface InflatePlace {
  readonly memory: KernelMemory;
  readonly inputAt: number;
}

/** Makes an inflater of what a source holds packed; `fail` makes the error for what is wrong. */
export function makeInflater(
  packed: ByteSource,
  layer: "deflate" | "gzip",
  fail: (problem: InflateProblem, why: string) => Error,
  { memory, inputAt }: InflatePlace,
): Inflater {
  const bytes = new Uint8Array(memory.buffer);
  const words = new DataView(memory.buffer);
  const wasm = makeInstance<InflateExports>(INFLATE_WASM, memory);
  let from = inputAt;
  let to = inputAt;
  let isLast = false;
  /** Bytes of this member that a match may name. */
  let window = 0;
  let sum = 0;
  let size = 0;
  let isMember = layer === "deflate";
  let hasEnded = false;
  let members = 0;

  /** Gets more input behind what is left of it. */
  function fill(): void {
    bytes.copyWithin(inputAt, from, to);
    to = inputAt + (to - from);
    from = inputAt;
    const got = packed.read(bytes.subarray(to, inputAt + INPUT_BYTES));
    if (got === 0) isLast = true;
    to += got;
  }

  function need(count: number): boolean {
    while (to - from < count && !isLast) fill();
    return to - from >= count;
  }

  /** Reads the beginning of a member; false where there is none. */
  function begin(): boolean {
    if (!need(2) || bytes[from] !== 0x1f || bytes[from + 1] !== 0x8b) {
      // What follows the last member is padding, and is left out as gzip does.
      if (members > 0) return false;
      if (to === from) throw fail("cut off", "it is empty");
      if (to === from + 1 && bytes[from] === 0x1f) throw fail("cut off", "its end is missing");
      throw fail("damaged", "it is not gzip");
    }
    if (!need(10)) throw fail("cut off", "its gzip header is not whole");
    if (bytes[from + 2] !== 8) throw fail("damaged", "its gzip method is unknown");
    const flags = bytes[from + 3] ?? 0;
    if ((flags & 0xe0) !== 0) throw fail("damaged", "its gzip header has unknown flags");
    from += 10;
    if ((flags & 4) !== 0) {
      if (!need(2)) throw fail("cut off", "its gzip header is not whole");
      skip(2 + words.getUint16(from, true));
    }
    if ((flags & 8) !== 0) skipText();
    if ((flags & 16) !== 0) skipText();
    if ((flags & 2) !== 0) skip(2);
    wasm.reset();
    window = 0;
    sum = 0;
    size = 0;
    members++;
    return true;
  }

  function skip(count: number): void {
    if (!need(count)) throw fail("cut off", "its gzip header is not whole");
    from += count;
  }

  function skipText(): void {
    for (;;) {
      if (!need(1)) throw fail("cut off", "its gzip header is not whole");
      if (bytes[from++] === 0) return;
    }
  }

  function endMember(): void {
    if (layer === "deflate") {
      hasEnded = true;
      return;
    }
    if (!need(GZIP_TRAILER_BYTES)) throw fail("cut off", "its checksum is missing");
    if (words.getUint32(from, true) !== sum) throw fail("damaged", "its checksum does not fit");
    if (words.getUint32(from + 4, true) !== size) throw fail("damaged", "its length does not fit");
    from += GZIP_TRAILER_BYTES;
    isMember = false;
  }

  return {
    unpack(at, end) {
      if (!isMember) {
        isMember = begin();
        if (!isMember) hasEnded = true;
        return at;
      }
      const status = wasm.inflate(from, to, isLast, at - window, at, end);
      from = wasm.inputAt();
      if (status === CUT_OFF) throw fail("cut off", "its end is missing");
      const stop = wasm.outputAt();
      window = Math.min(WINDOW_BYTES, window + (stop - at));
      if (layer === "gzip") {
        sum = crc32(bytes.subarray(at, stop), sum);
        size = (size + (stop - at)) >>> 0;
      }
      if (status === NEED_INPUT) fill();
      else if (status === END) endMember();
      else if (status !== NEED_ROOM) throw fail("damaged", "what is packed is not valid");
      return stop;
    },
    hasEnded: () => hasEnded,
  };
}

/** Makes a source of what another one holds packed, with memory of its own; `fail` makes the error for what is wrong. */
export function inflateSource(
  packed: ByteSource,
  layer: "deflate" | "gzip",
  fail: (problem: InflateProblem, why: string) => Error,
): ByteSource {
  const layout = makeLayout();
  layout.reserve(INFLATE_TABLE_BYTES);
  const inputAt = layout.reserve(INFLATE_INPUT_BYTES);
  const outputAt = layout.reserve(WINDOW_BYTES + OUTPUT_BYTES);
  const outputEnd = outputAt + WINDOW_BYTES + OUTPUT_BYTES;
  const memory = makeMemory(layout.pages(), true);
  const bytes = new Uint8Array(memory.buffer);
  const inflater = makeInflater(packed, layer, fail, { memory, inputAt });
  /** Unpacked bytes that were not yet asked for. */
  let readyAt = outputAt;
  let readyTo = outputAt;
  return {
    read(into) {
      while (readyAt === readyTo) {
        if (inflater.hasEnded()) return 0;
        if (outputEnd - readyTo < OUTPUT_BYTES / 2) {
          bytes.copyWithin(outputAt, readyTo - WINDOW_BYTES, readyTo);
          readyTo = outputAt + WINDOW_BYTES;
        }
        readyAt = readyTo;
        readyTo = inflater.unpack(readyTo, outputEnd);
      }
      const count = Math.min(into.length, readyTo - readyAt);
      into.set(bytes.subarray(readyAt, readyAt + count));
      readyAt += count;
      return count;
    },
  };
}
