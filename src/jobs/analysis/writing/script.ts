// Command lines made of values: each is one word to the shell, whatever is in it.

import { HdashError } from "../../../error.ts";
import { makeShellScanner } from "./shellScanner.ts";

/** A command line for a shell. */
export interface Script {
  readonly kind: "script";
  readonly text: string;
}

/** Where a file or a folder lies for a command, relative to the folder that it starts in. */
export interface StagedPath {
  readonly staged: string;
  toString(): string;
}

type Word = string | number | boolean | StagedPath | Raw | null;
/** What may stand in a command line: one word each, a list as many as it has; null is none. */
export type Words = Word | readonly Words[];

/** Text that a shell is to read as it stands. */
interface Raw {
  readonly raw: string;
}

function refuse(what: string): never {
  throw new HdashError("permanent", what);
}

/** Quotes a word for a POSIX shell. Throws for what no word can have: a NUL, and what is no text. */
function quote(word: string): string {
  if (word.includes("\0")) refuse(`${JSON.stringify(word)} cannot be a word: it has a NUL`);
  if (!word.isWellFormed()) {
    refuse(`${JSON.stringify(word)} cannot be a word: it has half a character`);
  }
  return `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Writes words. A number stands as it is, so that it counts in arithmetic, unless a shell would take it for the number of a file. */
function wordsOf(value: unknown, at: number, isBeforeArrow: boolean): string {
  if (value === null) return "";
  if (value === undefined) return refuse(`value ${at} of a command line is undefined`);
  if (Array.isArray(value)) {
    const words = value.map((one: unknown) => wordsOf(one, at, isBeforeArrow));
    return words.filter((word) => word !== "").join(" ");
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) {
      refuse(`${value} in a command line: a number has to be finite`);
    }
    return isBeforeArrow ? quote(String(value)) : String(value);
  }
  if (isRaw(value)) return value.raw;
  if (isStaged(value)) return quote(value.staged);
  if (typeof value === "string") return quote(value);
  if (typeof value === "boolean") return quote(String(value));
  return refuse(`value ${at} of a command line is neither text, number nor file`);
}

function isRaw(value: unknown): value is Raw {
  return typeof value === "object" && value !== null && "raw" in value;
}

function isStaged(value: unknown): value is StagedPath {
  return typeof value === "object" && value !== null && "staged" in value;
}

/**
 * Makes a command line. It is run by bash with `set -eu` and `pipefail`, in a folder that has the step's inputs and nothing else. Values are
 * quoted as one word each, lists as many words. A value that stands where no quoting is right is refused: within quotes, backticks, comments
 * and here-documents, behind a backslash or a `$`. So is a backslash that JavaScript would take away: write two.
 */
export function sh(strings: TemplateStringsArray, ...values: readonly Words[]): Script {
  strings.raw.forEach(checkBackslashes);
  const pieces = dedent(strings);
  const scanner = makeShellScanner();
  let text = "";
  for (const [at, piece] of pieces.entries()) {
    scanner.feed(piece);
    text += piece;
    if (at >= values.length) break;
    const value: unknown = values[at];
    if (isRaw(value)) {
      scanner.feed(value.raw);
      text += value.raw;
      continue;
    }
    const place = scanner.place();
    if (place !== null) {
      refuse(
        `value ${at + 1} of a command line stands in ${place}, where it cannot be quoted: let it stand as a word of its own`,
      );
    }
    const words = wordsOf(
      value,
      at + 1,
      /^[<>]/.test(pieces[at + 1] ?? "") || isRaw(values[at + 1]),
    );
    text += words;
    // Whatever is in it, it is the inside of a word.
    if (words !== "") scanner.feed("x");
  }
  if (text.includes("\0")) refuse("a command line has a NUL, which no program can be given");
  return { kind: "script", text };
}

/** Text that goes into a command line unquoted: whoever uses it has looked at what it may be. */
sh.raw = (text: string): Raw => ({ raw: text });

/** Refuses a backslash that would not reach the shell: of those in a template, JavaScript takes its own. */
function checkBackslashes(raw: string): void {
  for (let at = 0; at < raw.length; at++) {
    if (raw[at] !== "\\") continue;
    const next = raw[++at] ?? "";
    if (!"\\$`{\nnt".includes(next)) {
      refuse(
        `a command line has the backslash of "\\${next}", which JavaScript takes away: write "\\\\${next}"`,
      );
    }
  }
}

/** Takes away the indentation that all lines of a template have: where it stands in a file does not count. Values stay as they are. */
function dedent(strings: readonly string[]): readonly string[] {
  const MARK = "\0";
  if (strings.some((one) => one.includes(MARK))) refuse("a command line has a NUL");
  const lines = strings.join(MARK).split("\n");
  const isBlank = (line: string): boolean => /^[ \t]*$/.test(line);
  const depths = lines
    .slice(1)
    .filter((line) => !isBlank(line))
    .map((line) => /^[ \t]*/.exec(line)?.[0].length ?? 0);
  const depth = depths.length === 0 ? 0 : Math.min(...depths);
  const own = lines.map((line, at) => (isBlank(line) ? "" : at === 0 ? line : line.slice(depth)));
  return own.join("\n").trim().split(MARK);
}
