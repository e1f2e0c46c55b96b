// Which known id somebody may have meant: the nearest one, where it is one or two characters away.

/** More characters than this are no slip. */
const MOST = 2;
/** Where more ids than this are equally near, none of them is likely to be meant. */
const MOST_TIES = 3;
/** No id is longer; what is longer is another thing. */
const LONGEST = 60;
/** So many different values are looked up, each in some milliseconds; a manifest that is wrong throughout needs no more. */
const MOST_LOOKUPS = 500;

/** Gives the known ids nearest to a value, without the value itself and `not`; empty where none is near, or too many are. */
export type Suggest = (value: string, not?: string) => readonly string[];

/** Makes a lookup among ids. It sorts them when it is first asked, so that one that is never needed costs nothing. */
export function makeSuggest(ids: () => Iterable<string>): Suggest {
  let sorted: readonly Known[] | null = null;
  // Hundreds of files may hang on one specimen that is mistyped.
  const answers = new Map<string, readonly string[]>();
  const search = (value: string, not: string): readonly string[] =>
    nearest((sorted ??= sortKnown(ids())), plainForm(value), (id) => id !== value && id !== not);
  return (value, not = value) => {
    let near = answers.get(value);
    if (near === undefined) {
      if (value === "" || value.length > LONGEST || answers.size >= MOST_LOOKUPS) return [];
      near = search(value, value);
      answers.set(value, near);
    }
    if (near.includes(not)) near = search(value, not);
    return near.length > MOST_TIES ? [] : near;
  };
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

/**
 * Finds the nearest of sorted forms by edit distance. Neighbours share their beginnings, whose rows of the distance table are kept; where
 * a beginning is too far away already, all that begin with it are passed over at once.
 */
function nearest(
  sorted: readonly Known[],
  value: string,
  isAsked: (id: string) => boolean,
): readonly string[] {
  const rows: number[][] = [Array.from({ length: value.length + 1 }, (_, at) => at)];
  let found: string[] = [];
  let best = MOST;
  let before = "";
  for (let index = 0; index < sorted.length;) {
    const { form, id } = sorted[index] as Known;
    let depth = Math.min(commonLength(before, form), rows.length - 1);
    rows.length = depth + 1;
    before = form;
    let isFar = false;
    for (; depth < form.length && !isFar; depth++) {
      const row = nextRow(rows[depth] as number[], form.charCodeAt(depth), value);
      rows.push(row);
      isFar = Math.min(...row) > best;
    }
    if (isFar) {
      index = endOf(sorted, index, form.slice(0, depth));
      continue;
    }
    const distance = rows[depth]?.[value.length] ?? Infinity;
    if (distance <= best && isAsked(id)) {
      if (distance < best) found = [];
      best = distance;
      found.push(id);
    }
    index += 1;
  }
  return found;
}

function nextRow(above: readonly number[], code: number, value: string): number[] {
  const row = [(above[0] ?? 0) + 1];
  for (let at = 1; at <= value.length; at++) {
    const change = (above[at - 1] ?? 0) + (value.charCodeAt(at - 1) === code ? 0 : 1);
    row.push(Math.min(change, (above[at] ?? 0) + 1, (row[at - 1] ?? 0) + 1));
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
