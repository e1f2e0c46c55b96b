// Command lines made of values: each is one word to the shell, whatever is in it.

import { HdashError } from "../../../error.ts";

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

/** Quotes a word for a POSIX shell. Throws for a NUL, which no word can have. */
function quote(word: string): string {
  if (word.includes("\0")) {
    throw new HdashError("permanent", `${JSON.stringify(word)} cannot be a word: it has a NUL`);
  }
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

function wordsOf(value: Words): string {
  if (value === null) return "";
  if (Array.isArray(value)) {
    const words = (value as readonly Words[]).map(wordsOf);
    return words.filter((word) => word !== "").join(" ");
  }
  if (typeof value === "object" && "raw" in value) return value.raw;
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new HdashError("permanent", `${value} in a command line: a number has to be finite`);
  }
  if (isStaged(value)) return quote(value.staged);
  return quote(typeof value === "string" ? value : JSON.stringify(value));
}

function isStaged(value: Words): value is StagedPath {
  return typeof value === "object" && value !== null && "staged" in value;
}

/**
 * Makes a command line. It is run by `sh` with `set -eu` (and `pipefail` where the shell has it), in a folder that has the step's inputs
 * and nothing else. Values are quoted as one word each, lists as many words. Where a value stands between quotes of its own, it is refused:
 * quoted twice it would be another word.
 */
export function sh(strings: TemplateStringsArray, ...values: readonly Words[]): Script {
  let text = strings[0] ?? "";
  for (const [at, value] of values.entries()) {
    const open = openQuote(text);
    if (open !== null) {
      throw new HdashError(
        "permanent",
        `value ${at + 1} of a command line stands inside of ${open}: leave the quotes away, sh quotes it itself`,
      );
    }
    text += wordsOf(value) + (strings[at + 1] ?? "");
  }
  return { kind: "script", text: dedent(text) };
}

/** Text that goes into a command line unquoted: whoever uses it has looked at what it may be. */
sh.raw = (text: string): Raw => ({ raw: text });

/** The quote that a command line is inside of at its end; null where it is in none. */
function openQuote(text: string): string | null {
  let open: string | null = null;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (open === "'") {
      if (char === "'") open = null;
    } else if (char === "\\") at++;
    else if (open === '"') {
      if (char === '"') open = null;
    } else if (char === "'" || char === '"') open = char;
    else if (char === "#" && /(^|\s)$/.test(text.slice(0, at))) {
      // A comment: whatever stands in it ends with the line.
      const end = text.indexOf("\n", at);
      if (end === -1) return null;
      at = end;
    }
  }
  return open;
}

/** Takes away the indentation that all lines have: where a command line stands in a file does not count. */
function dedent(text: string): string {
  const lines = text.split("\n").map((line) => (/^\s*$/.test(line) ? "" : line));
  const [first = "", ...rest] = lines;
  const depths = rest
    .filter((line) => line !== "")
    .map((line) => /^[ \t]*/.exec(line)?.[0].length ?? 0);
  const depth = depths.length === 0 ? 0 : Math.min(...depths);
  return [first, ...rest.map((line) => line.slice(depth))].join("\n").trim();
}
