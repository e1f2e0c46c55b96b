// Fields that nobody declared: which of them are columns where there are too many, and by which names they are told of.

import { digestOf } from "../../../digest.ts";
import { number } from "../../../format.ts";
import { PATH_MARK } from "./lineState.ts";
import { byText } from "./text.ts";

/**
 * So many of a table's undeclared fields are columns: a sender who puts values in the place of names has no end of them. Measured with 0.9 GB for
 * DuckDB, which is what 2 GB for the process leave: 200,000 rows of 100 such columns are sorted and written, of 200 they are not.
 */
export const MOST_FIELDS = 100;
/** A field whose path is longer is no column. */
const MOST_LENGTH = 1024;
/** Up to so many fields that are no columns are counted one by one. */
const MOST_COUNTED = 100_000;

/** What people call a field by. */
const PLAIN = /^[A-Za-z_][A-Za-z0-9_ .-]{0,63}$/;
/** So many digits are no part of such a name, but of a day, a number or an identifier. */
const MOST_DIGITS = 3;
const DIGEST_LETTERS = 12;

function isPlain(name: string): boolean {
  return PLAIN.test(name) && name.replace(/\D/g, "").length <= MOST_DIGITS;
}

/** Names an undeclared field where others may read it: what may be a value that was sent in a name's place is told by its digest. */
export function shownName(name: string): string {
  return isPlain(name) ? name : `#${digestOf(name).slice(0, DIGEST_LETTERS)}`;
}

/** Names the path of one. */
export function shownPath(path: string): string {
  return path.split(PATH_MARK).map(shownName).join(".");
}

/** Tells whether a path has names alone that may be read by others. */
export function isPlainPath(path: string): boolean {
  return path.split(PATH_MARK).every(isPlain);
}

/** The order in which fields become columns, whoever has sent them first: plain names before others, then by their text. */
function byPriority(a: string, b: string): number {
  const [first, second] = [a, b].map((path) => (isPlainPath(path) ? 0 : 1));
  return (first ?? 0) - (second ?? 0) || byText(a, b);
}

/**
 * Picks the fields that are columns, sorted. It is the same whether it is asked of all at once or of what it has picked of each part: the first
 * of all are among the first of their part.
 */
export function pickFields(paths: Iterable<string>): readonly string[] {
  const short = [...paths].filter(({ length }) => length <= MOST_LENGTH);
  if (short.length <= MOST_FIELDS) return short.sort(byText);
  return short.sort(byPriority).slice(0, MOST_FIELDS).sort(byText);
}

/** A table's undeclared fields as they come, in bounded memory. */
export interface FieldSet {
  add(path: string): void;
  /** Those that may be columns. */
  readonly kept: ReadonlySet<string>;
  /** How many have come that are none; as many or more, where there is no end of them. */
  left(): { readonly fields: number; readonly isMore: boolean };
}

/** Makes an empty set. */
export function makeFieldSet(): FieldSet {
  const kept = new Set<string>();
  const left = new Set<string>();
  let isMore = false;
  /** What comes behind it is no column any more. */
  let last: string | null = null;
  const leave = (path: string): void => {
    if (left.size < MOST_COUNTED) left.add(digestOf(path).slice(0, DIGEST_LETTERS));
    else isMore = true;
  };
  const prune = (most: number): void => {
    if (kept.size <= most) return;
    const picked = [...kept].sort(byPriority);
    for (const path of picked.slice(MOST_FIELDS)) {
      kept.delete(path);
      leave(path);
    }
    last = picked[MOST_FIELDS - 1] ?? null;
  };
  return {
    kept,
    add(path) {
      if (kept.has(path)) return;
      if (path.length > MOST_LENGTH || (last !== null && byPriority(path, last) > 0)) leave(path);
      else {
        kept.add(path);
        prune(2 * MOST_FIELDS);
      }
    },
    left() {
      prune(MOST_FIELDS);
      return { fields: left.size, isMore };
    },
  };
}

/** Says, to follow who has them, how many fields are no columns of a dataset; null where none is. */
export function tooMany(
  dataset: string,
  { fields, isMore }: ReturnType<FieldSet["left"]>,
  kept: number,
): string | null {
  if (fields === 0) return null;
  const all = `${isMore ? "more than " : ""}${number(fields + kept)}`;
  return `has ${all} fields that nobody declared in ${dataset}: ${number(kept)} of them are columns`;
}
