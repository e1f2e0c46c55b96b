// Which known id somebody may have meant: the nearest one, where it is one or two characters away.

import { LONGEST_ID } from "./ids.ts";

/** More characters than this are no slip. */
const MOST = 2;
/** Farther than anything that is looked for. */
const FAR = 100;
/** Where more ids than this are equally near, none of them is likely to be meant. */
const MOST_TIES = 3;
/** Where so many ids are near, there is no telling which was meant. */
const MOST_NEAR = 1000;
/** So many different values are looked up, each in some milliseconds; a manifest that is wrong throughout needs no more. */
const MOST_LOOKUPS = 500;

/** Gives the known ids nearest to a value, without the value itself and `not`; empty where none is near, or too many are. */
export type Suggest = (value: string, not?: string) => readonly string[];

/** Makes a lookup among ids. It sorts them when it is first asked, so that one that is never needed costs nothing. */
export function makeSuggest(ids: () => Iterable<string>): Suggest {
  let sorted: readonly Known[] | null = null;
  // Hundreds of files may hang on one specimen that is mistyped.
  const nearest = new Map<string, readonly Near[]>();
  /** All that are near, for values whose nearest is a record that names them. */
  const near = new Map<string, readonly Near[]>();
  const look = (value: string, isWide: boolean): readonly Near[] => {
    const answers = isWide ? near : nearest;
    let found = answers.get(value);
    if (found === undefined) {
      if (value === "" || value.length > LONGEST_ID || answers.size >= MOST_LOOKUPS) return [];
      found = findNear((sorted ??= sortKnown(ids())), plainForm(value), value, isWide);
      answers.set(value, found);
    }
    return found;
  };
  return (value, not = value) => {
    const first = look(value, false);
    const found = first.some(({ id }) => id === not) ? look(value, true) : first;
    const others = found.filter(({ id }) => id !== not);
    const least = Math.min(...others.map(({ distance }) => distance));
    const equal = others.filter(({ distance }) => distance === least);
    const form = plainForm(value);
    // Of several, those say nothing that differ in a short number alone: any other number is as near.
    const meant = equal.length === 1 ? equal : equal.filter((known) => isSlip(form, known.form));
    return meant.length > MOST_TIES ? [] : meant.map(({ id }) => id);
  };
}

/** A number of so many digits that is another one is another number, and no slip. */
const SHORT_NUMBER = 2;

/** Tells whether two forms may be the same id but for a slip: they do not differ in a short number alone. */
function isSlip(a: string, b: string): boolean {
  const [parts, others] = [a.split("_"), b.split("_")];
  if (parts.length !== others.length) return true;
  return parts.every((part, at) => {
    const other = others[at] ?? "";
    const longest = Math.max(part.length, other.length);
    return part === other || longest > SHORT_NUMBER || !/^\d*$/.test(part + other);
  });
}

/** Writes "; did you mean A, B or C?" for what was found, "" for nothing. */
export function didYouMean(near: readonly string[]): string {
  if (near.length === 0) return "";
  const last = near.at(-1) ?? "";
  const others = near.slice(0, -1).join(", ");
  return `; did you mean ${others === "" ? last : `${others} or ${last}`}?`;
}

interface Known {
  readonly form: string;
  readonly id: string;
}

/** Case and the sign between an id's parts are slips that count for nothing. */
function plainForm(id: string): string {
  return id
    .trim()
    .toUpperCase()
    .replace(/[-._\s/–—]+/g, "_");
}

function sortKnown(ids: Iterable<string>): readonly Known[] {
  return [...new Set(ids)]
    .filter((id) => id !== "" && id.length <= LONGEST_ID)
    .map((id) => ({ form: plainForm(id), id }))
    .sort((a, b) => (a.form < b.form ? -1 : a.form > b.form ? 1 : a.id < b.id ? -1 : 1));
}

interface Near extends Known {
  readonly distance: number;
}

/** The distance table: a row for each letter of a form, a column for each of the value. One is enough, since nothing is looked up at once. */
const TABLE = Array.from({ length: LONGEST_ID + 1 }, () =>
  new Uint8Array(LONGEST_ID + 2).fill(FAR),
);

/** The least distance in each row, as far as it is filled in. */
const LEAST = new Uint8Array(LONGEST_ID + 1);

/**
 * Finds the sorted forms that are near a value, or with `isWide` false the nearest of them, by the letters that are wrong, missing, too many, or
 * swapped with their neighbour (optimal string alignment). Neighbours share their beginnings, whose rows of the distance table are kept;
 * where a beginning is too far away already, all that begin with it are passed over at once. Of a row only what can be near is filled in.
 */
function findNear(
  sorted: readonly Known[],
  form: string,
  value: string,
  isWide: boolean,
): readonly Near[] {
  const size = form.length;
  const first = TABLE[0] as Uint8Array;
  for (let at = 0; at <= size; at++) first[at] = Math.min(at, FAR);
  let found: Near[] = [];
  let best = MOST;
  let rows = 0;
  let before = "";
  for (let index = 0; index < sorted.length;) {
    const known = sorted[index] as Known;
    let depth = Math.min(commonLength(before, known.form), rows);
    before = known.form;
    let isFar = false;
    for (; depth < known.form.length && !isFar; depth++) {
      fillRow(depth + 1, known.form, form);
      // A swap is told one row later, and takes one from the row before.
      isFar = Math.min(LEAST[depth] ?? FAR, LEAST[depth + 1] ?? FAR) > best;
    }
    rows = depth;
    if (isFar) {
      index = endOf(sorted, index, known.form.slice(0, depth));
      continue;
    }
    const distance = (TABLE[depth] as Uint8Array)[size] ?? FAR;
    if (distance <= best && known.id !== value) {
      if (!isWide && distance < best) found = [];
      if (!isWide) best = distance;
      found.push({ ...known, distance });
      if (found.length >= MOST_NEAR) break;
    }
    index += 1;
  }
  return found;
}

/** Fills the row behind a form's letter, as far as it is near the diagonal. */
function fillRow(depth: number, form: string, value: string): void {
  const [row, above, before] = [TABLE[depth], TABLE[depth - 1], TABLE[depth - 2]] as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  const [letter, last] = [form.charCodeAt(depth - 1), form.charCodeAt(depth - 2)];
  const from = Math.max(0, depth - MOST);
  const to = Math.min(value.length, depth + MOST);
  let least = FAR;
  // What lies beside it may be another form's.
  if (from > 0) row[from - 1] = FAR;
  row[to + 1] = FAR;
  for (let at = from; at <= to; at++) {
    let distance = at === 0 ? depth : FAR;
    if (at > 0) {
      const code = value.charCodeAt(at - 1);
      const change = (above[at - 1] as number) + (code === letter ? 0 : 1);
      distance = Math.min(change, (above[at] as number) + 1, (row[at - 1] as number) + 1);
      if (depth > 1 && at > 1 && code === last && value.charCodeAt(at - 2) === letter) {
        distance = Math.min(distance, (before[at - 2] as number) + 1);
      }
    }
    row[at] = Math.min(distance, FAR);
    least = Math.min(least, distance);
  }
  LEAST[depth] = least;
}

function commonLength(a: string, b: string): number {
  let length = 0;
  while (length < a.length && length < b.length && a[length] === b[length]) length += 1;
  return length;
}

/** Finds the first place behind all forms with this beginning. */
function endOf(sorted: readonly Known[], from: number, beginning: string): number {
  let low = from + 1;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle]?.form ?? "").startsWith(beginning)) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** Makes a test of whether an id is, but for case and the signs between its parts, one of these. */
export function isSameButForm(ids: readonly string[]): (id: string) => boolean {
  const forms = new Set(ids.map(plainForm));
  return (id) => forms.size > 0 && forms.has(plainForm(id));
}
