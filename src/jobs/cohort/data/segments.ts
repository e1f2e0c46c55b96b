// The segments that a type's datasets are kept in, and which of them a build writes anew. Each key is in one segment at most, so that a day's
// records touch only the segments that hold the same keys; the others' files are named again.

import type { DatasetFile } from "./current.ts";
import { type Days, type RecordCounts, sumDays } from "./days.ts";
import type { KeptObject } from "./report.ts";
import { byText } from "./text.ts";
import type { InputPart, TypeInput } from "./typeInput.ts";

/** A set of keys with their rows. */
export interface Segment {
  /** "<build>/<number>". */
  readonly name: string;
  /** The parts of the input, by their ids, whose records have won one of its keys. */
  readonly parts: readonly string[];
  /** What it costs to write it anew: the price of these parts. */
  readonly price: number;
  /** Records that won their key. */
  readonly unique: Days;
  /** Those of them that nobody has deleted. */
  readonly written: Days;
  /** Its keys, by which it is found that a new row has one; of a type that deletes, the keys themselves. */
  readonly keys: KeptObject;
  /**
   * Which rows have won them: part (by its place in `parts`), member and line. Others of its parts have lost to those of other segments, and
   * must not come back when it is written anew.
   */
  readonly winners: KeptObject;
  /** Its participants, each once for each cohort; null where the schema does not say who they are. */
  readonly people: KeptObject | null;
  /** By dataset. */
  readonly files: Readonly<Record<string, readonly DatasetFile[]>>;
  /** By dataset, how many values of each column are there, in the columns' order, without the cohort. */
  readonly filled: Readonly<Record<string, readonly number[]>>;
}

/** What a segment keeps besides its datasets. */
export function keptOf({ keys, winners, people }: Segment): readonly KeptObject[] {
  return people === null ? [keys, winners] : [keys, winners, people];
}

/** A type's segments, oldest first. */
export interface TypeSegments {
  /** Digest of all that they follow from but the records: segments of another are worth nothing. */
  readonly how: string;
  readonly segments: readonly Segment[];
  /** Parts, by their ids, whose records have all lost to others: they need not be read again. */
  readonly dead: readonly string[];
}

/** A set of parts that is written anew, together. */
export interface Group {
  /** By their numbers in the input. */
  readonly parts: readonly number[];
  readonly price: number;
  /** Segments that it is made of: of their parts only the rows count that had won. */
  readonly from: readonly Segment[];
}

/** A segment that stays, or a group in its place. */
export type Slot =
  { readonly kind: "kept"; readonly segment: Segment } | ({ readonly kind: "written" } & Group);

/** When it is cheaper to write a type whole than what is touched of it. */
export interface Prices {
  /** Below such a price that of writing files is above it. */
  readonly small: number;
  /** From so large a share of all rows on. */
  readonly wholeShare: number;
}
export const PRICES: Prices = { small: 1 << 20, wholeShare: 0.6 };

/** So many times larger than what is merged may a segment be that stays as it is. */
const MERGED_TIMES = 4;
/** Readers open a file of each. */
const MOST_SEGMENTS = 32;
/** Of so many of the last days the records are likely to be sent again. */
const RECENT_DAYS = 2;

/**
 * Tells which parts no segment has, by their numbers. Null where a segment was made of a part that is not there any more, or is another
 * one: then it holds what it should not, and nothing is known of what it has let go.
 */
export function freshParts(
  parts: readonly InputPart[],
  { segments, dead }: Pick<TypeSegments, "segments" | "dead">,
): readonly number[] | null {
  const known = new Set([...segments.flatMap((segment) => segment.parts), ...dead]);
  const fresh = parts.flatMap(({ id }, number) => (known.has(id) ? [] : [number]));
  return parts.length - fresh.length === known.size ? fresh : null;
}

/** Groups parts: those of the last days apart from all before, since they are the next that others touch. */
export function wholeSlots(
  parts: readonly InputPart[],
  prices: Prices,
  all: readonly number[] = parts.map((_part, number) => number),
): readonly Slot[] {
  const total = priceOf(parts, all);
  const days = [...new Set(all.map((number) => parts[number]?.end ?? ""))].sort(byText);
  const first = days.at(-RECENT_DAYS);
  if (total < prices.small || first === undefined) return written(parts, all);
  const isRecent = (number: number): boolean => byText(parts[number]?.end ?? "", first) >= 0;
  const old = all.filter((number) => !isRecent(number));
  const recent = all.filter(isRecent);
  if (priceOf(parts, old) < priceOf(parts, recent)) return written(parts, all);
  return [...written(parts, old), ...written(parts, recent)];
}

/** Groups the parts of the segments that are touched, each by itself, and the fresh ones; all, where that costs hardly more. */
export function changedSlots(
  parts: readonly InputPart[],
  segments: readonly Segment[],
  fresh: readonly number[],
  touched: ReadonlySet<string>,
  prices: Prices,
): readonly Slot[] {
  const live = [...groupOf(parts, segments).parts, ...fresh].sort((a, b) => a - b);
  const all = priceOf(parts, live);
  const changed = groupOf(
    parts,
    segments.filter(({ name }) => touched.has(name)),
  );
  const price = priceOf(parts, fresh) + changed.price;
  if (price > 0 && (all < prices.small || price > all * prices.wholeShare)) {
    return wholeSlots(parts, prices, live);
  }
  const slots = segments.map((segment): Slot => {
    if (!touched.has(segment.name)) return { kind: "kept", segment };
    return { kind: "written", ...groupOf(parts, [segment]), from: [segment] };
  });
  return fresh.length === 0 ? slots : [...slots, ...written(parts, fresh)];
}

/** Merges segments, but for the newest: small ones with those before them, until one is met that is much larger. */
export function mergedSlots(parts: readonly InputPart[], slots: readonly Slot[]): readonly Slot[] {
  const last = slots.at(-1);
  if (last === undefined) return slots;
  const merged: Slot[] = [last];
  let run: Slot[] = [];
  let price = 0;
  const close = (): void => {
    const [first] = run;
    if (first === undefined) return;
    if (run.length === 1) merged.unshift(first);
    else merged.unshift(joined(parts, run));
    run = [];
    price = 0;
  };
  for (const slot of slots.slice(0, -1).toReversed()) {
    const own = slot.kind === "kept" ? slot.segment.price : slot.price;
    if (run.length > 0 && own > price * MERGED_TIMES) close();
    run.unshift(slot);
    price += own;
  }
  close();
  return merged;
}

/** Tells whether there are so many segments that they are merged whatever was asked for. */
export function areMany(slots: readonly Slot[]): boolean {
  return slots.length > MOST_SEGMENTS;
}

/** Tells whether merging would change anything. */
export function canMerge(segments: readonly Segment[]): boolean {
  const slots = segments.map((segment): Slot => ({ kind: "kept", segment }));
  return mergedSlots([], slots).length < slots.length;
}

/** What became of a type's records, event by event. */
export function countsOf(
  { read }: Pick<TypeInput, "read">,
  segments: readonly Segment[],
  { hasDeletions, isDeleting }: { readonly hasDeletions: boolean; readonly isDeleting: boolean },
): RecordCounts {
  if (Object.keys(read).length === 0) return {};
  const unique = sumDays(segments.map((segment) => segment.unique));
  if (isDeleting) return { READ: read, DROP_DUPLICATES: unique };
  const written = sumDays(segments.map((segment) => segment.written));
  const dropped = hasDeletions ? { DROP_DELETED_SAMPLES: written } : {};
  return { READ: read, DROP_DUPLICATES: unique, ...dropped, WRITE: written };
}

function written(parts: readonly InputPart[], numbers: readonly number[]): readonly Slot[] {
  if (numbers.length === 0) return [];
  return [{ kind: "written", parts: numbers, price: priceOf(parts, numbers), from: [] }];
}

function groupOf(
  parts: readonly InputPart[],
  segments: readonly Segment[],
): { readonly parts: readonly number[]; readonly price: number } {
  const ids = new Set(segments.flatMap((segment) => segment.parts));
  const numbers = parts.flatMap(({ id }, number) => (ids.has(id) ? [number] : []));
  return { parts: numbers, price: priceOf(parts, numbers) };
}

function joined(parts: readonly InputPart[], slots: readonly Slot[]): Slot {
  const from = slots.flatMap((slot) => (slot.kind === "kept" ? [slot.segment] : slot.from));
  const others = slots.flatMap((slot) => (slot.kind === "kept" ? [] : slot.parts));
  const numbers = [...new Set([...groupOf(parts, from).parts, ...others])].sort((a, b) => a - b);
  return { kind: "written", parts: numbers, price: priceOf(parts, numbers), from };
}

function priceOf(parts: readonly InputPart[], numbers: readonly number[]): number {
  return numbers.reduce((sum, number) => sum + (parts[number]?.price ?? 0), 0);
}
