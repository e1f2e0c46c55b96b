// Which known id somebody may have meant: the nearest one, where it is one or two characters away.

/** More characters than this are no slip. */
const MOST = 2;
/** Where more ids than this are equally near, none of them is likely to be meant. */
const MOST_TIES = 3;
/** No id is longer; what is longer is another thing. */
const LONGEST = 60;
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
  const answers = new Map<string, readonly Near[]>();
  return (value, not = value) => {
    let near = answers.get(value);
    if (near === undefined) {
      if (value === "" || value.length > LONGEST || answers.size >= MOST_LOOKUPS) return [];
      const form = plainForm(value);
      near = findNear((sorted ??= sortKnown(ids())), form).filter(({ id }) => id !== value);
      answers.set(value, near);
    }
    const others = near.filter(({ id }) => id !== not);
    const least = Math.min(...others.map(({ distance }) => distance));
    const nearest = others.filter(({ distance }) => distance === least);
    const form = plainForm(value);
    // Of several, those say nothing that differ in a short number alone: any other number is as near.
    const meant =
      nearest.length === 1 ? nearest : nearest.filter((known) => isSlip(form, known.form));
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
    .filter((id) => id !== "" && id.length <= LONGEST)
    .map((id) => ({ form: plainForm(id), id }))
    .sort((a, b) => (a.form < b.form ? -1 : a.form > b.form ? 1 : a.id < b.id ? -1 : 1));
}

interface Near extends Known {
  readonly distance: number;
}

/**
 * Finds the sorted forms that are near, by the letters that are wrong, missing, too many, or swapped with their neighbour (optimal string
 * alignment). Neighbours share their beginnings, whose rows of the distance table are kept; where a beginning is too far away already,
 * all that begin with it are passed over at once.
 */
function findNear(sorted: readonly Known[], value: string): readonly Near[] {
  const rows: number[][] = [Array.from({ length: value.length + 1 }, (_, at) => at)];
  const found: Near[] = [];
  let before = "";
  for (let index = 0; index < sorted.length;) {
    const { form, id } = sorted[index] as Known;
    let depth = Math.min(commonLength(before, form), rows.length - 1);
    rows.length = depth + 1;
    before = form;
    let isFar = false;
    for (; depth < form.length && !isFar; depth++) {
      rows.push(nextRow(rows, form, value));
      // A swap is told one row later, and takes one from the row before.
      isFar = Math.min(...(rows[depth] ?? []), ...(rows[depth + 1] ?? [])) > MOST;
    }
    if (isFar) {
      index = endOf(sorted, index, form.slice(0, depth));
      continue;
    }
    const distance = rows[depth]?.[value.length] ?? Infinity;
    if (distance <= MOST) found.push({ form, id, distance });
    if (found.length >= MOST_NEAR) break;
    index += 1;
  }
  return found;
}

/** Makes the row of the next letter of a form, of which `rows` has those before. */
function nextRow(rows: readonly number[][], form: string, value: string): number[] {
  const depth = rows.length - 1;
  const above = rows[depth] ?? [];
  const before = rows[depth - 1];
  const [letter, last] = [form.charCodeAt(depth), form.charCodeAt(depth - 1)];
  const row = [(above[0] ?? 0) + 1];
  for (let at = 1; at <= value.length; at++) {
    const code = value.charCodeAt(at - 1);
    const change = (above[at - 1] ?? 0) + (code === letter ? 0 : 1);
    let least = Math.min(change, (above[at] ?? 0) + 1, (row[at - 1] ?? 0) + 1);
    if (before !== undefined && at > 1 && code === last && value.charCodeAt(at - 2) === letter) {
      least = Math.min(least, (before[at - 2] ?? 0) + 1);
    }
    row.push(least);
  }
  return row;
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
