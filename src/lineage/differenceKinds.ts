// Of what kind a difference between two contents is: what stands where they begin to differ tells what the step has looked at.

/** What is known of the two doings: what is of the one alone shows where a step has let it in. */
export interface Doings {
  /** When the second was done. */
  readonly began: Date;
  readonly ended: Date;
  /** The folder in which the second was done. */
  readonly folder: string;
  /** Numbers of processors: those that the first may have seen, and that which the second was given. */
  readonly cpus: { readonly before: readonly number[]; readonly now: readonly number[] };
}

/**
 * A kind of difference. time: a time stamp · path: of the work folder · cpus: the number of processors · number: a number that is another
 * one · random: digits and letters of equal length, as of an identifier · size: the one goes on where the other ends, or they are of different length ·
 * text, bytes: anything else.
 */
export type ContentKind =
  "time" | "path" | "cpus" | "number" | "random" | "size" | "text" | "bytes";

/** Two contents around the place at which they begin to differ. */
export interface Places {
  /** From some bytes before that place on. */
  readonly before: Buffer;
  readonly now: Buffer;
  /** Where in both the place is. */
  readonly at: number;
  /** How long the contents are. */
  readonly bytes: { readonly before: number; readonly now: number };
  /** Where in the contents the place is. */
  readonly offset: number;
}

/** What stands in the place, where that says something. */
export interface Kinded {
  readonly kind: ContentKind;
  readonly before: string | null;
  readonly now: string | null;
}

const DAY = /\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[a-z]*,? /;
const MONTH = /(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*/;
const CLOCK = /\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?/;
const ZONE = /(?: ?(?:Z|UTC|GMT|[+-]\d{2}:?\d{2}))?/;
/** Dates and times of day, as programs write them. */
const TIMES = [
  `\\d{4}[-/.]\\d{2}[-/.]\\d{2}(?:[T _]${CLOCK.source}${ZONE.source})?`,
  `(?:19|20)\\d{6}[T_-]?\\d{6}Z?`,
  `(?:${DAY.source})?(?:\\d{1,2} ${MONTH.source}|${MONTH.source} {1,2}\\d{1,2}),?(?: \\d{4})?(?: ${CLOCK.source}${ZONE.source})?(?: \\d{4})?`,
  `${CLOCK.source}${ZONE.source}`,
].map((pattern) => String.raw`(?<![\w.])(?:${pattern})(?![\w])`);
const PATH = String.raw`/[^\s"'<>|:;,]*`;
const NUMBER = String.raw`[-+]?\d[\d_,]*(?:\.\d+)?(?:[eE][-+]?\d+)?`;
const RANDOM = String.raw`[0-9A-Za-z][0-9A-Za-z_+/-]{7,}={0,2}`;

/** An instant that was written as a number may be so far from when the work was done. Milliseconds. */
const NEAR_MS = 5000;
/** Units of such a number: seconds to nanoseconds. */
const UNITS_PER_MS = [0.001, 1, 1000, 1_000_000];
/** More of a word helps nobody. */
const LONGEST_WORD = 80;
/** Where gzip keeps the time at which it was made. */
const GZIP = { magic: "1f8b", from: 4, to: 8 };

/** Tells of what kind a difference is. */
export function kindOf(places: Places, doings: Doings): Kinded {
  const { before, now, at, bytes, offset } = places;
  if (isGzipTime(places)) return { kind: "time", before: null, now: null };
  if (offset >= Math.min(bytes.before, bytes.now)) return nothing("size");
  if (isBinary(before) || isBinary(now)) {
    return nothing(bytes.before === bytes.now ? "bytes" : "size");
  }
  const [a, b] = [lineAround(before, at), lineAround(now, at)];
  const both = (pattern: string): readonly [string, string] | null => {
    const [was, is] = [wordAt(a, pattern), wordAt(b, pattern)];
    return was === null || is === null ? null : [was, is];
  };
  const path = both(PATH);
  if (path !== null && path[1].startsWith(doings.folder)) return words("path", path);
  const time = TIMES.map(both).find((found) => found !== null) ?? null;
  if (time !== null) return words("time", time);
  const numbers = both(NUMBER);
  const random = both(RANDOM);
  // Part of a longer word is no number: a digest has many.
  if (numbers !== null && (random === null || random[1].length <= numbers[1].length + 1)) {
    if (isInstant(numbers[1], doings)) return words("time", numbers);
    const [was, is] = numbers.map(Number);
    const { cpus } = doings;
    const isCpus = cpus.before.includes(was ?? NaN) && cpus.now.includes(is ?? NaN);
    return words(isCpus ? "cpus" : "number", numbers);
  }
  if (random !== null && random[0].length === random[1].length && random.every(hasDigit)) {
    return words("random", random);
  }
  return nothing("text");
}

function nothing(kind: ContentKind): Kinded {
  return { kind, before: null, now: null };
}

function words(kind: ContentKind, [before, now]: readonly [string, string]): Kinded {
  return { kind, before: before.slice(0, LONGEST_WORD), now: now.slice(0, LONGEST_WORD) };
}

function hasDigit(word: string): boolean {
  return /\d/.test(word);
}

function isGzipTime({ before, now, at, offset }: Places): boolean {
  if (offset < GZIP.from || offset >= GZIP.to || at !== offset) return false;
  return [before, now].every((one) => one.subarray(0, 2).toString("hex") === GZIP.magic);
}

/** Text has no zero, and nothing that is no UTF-8 but where the window cuts it. */
function isBinary(window: Buffer): boolean {
  if (window.includes(0)) return true;
  const text = window.toString("utf8");
  const broken = text.split("\uFFFD").length - 1;
  return broken > 8;
}

interface Around {
  readonly line: string;
  readonly at: number;
}

/** The line in which the place is, byte by byte: an offset in it is one of the bytes. */
function lineAround(window: Buffer, at: number): Around {
  const text = window.toString("latin1");
  const start = at === 0 ? 0 : text.lastIndexOf("\n", at - 1) + 1;
  const end = text.indexOf("\n", at);
  return { line: text.slice(start, end === -1 ? text.length : end), at: at - start };
}

/** The word of a pattern that stands in the place, or ends just before it; null where there is none. */
function wordAt({ line, at }: Around, pattern: string): string | null {
  for (const found of line.matchAll(new RegExp(pattern, "g"))) {
    if (found.index > at) return null;
    if (found.index + found[0].length >= at) return found[0];
  }
  return null;
}

/** Tells whether a number is an instant of the second doing, in seconds or smaller units. */
function isInstant(word: string, { began, ended }: Doings): boolean {
  const value = Number(word.replaceAll(/[_,]/g, ""));
  return UNITS_PER_MS.some((units) => {
    const ms = value / units;
    return ms >= began.getTime() - NEAR_MS && ms <= ended.getTime() + NEAR_MS;
  });
}
