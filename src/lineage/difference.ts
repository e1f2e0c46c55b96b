// What is different between two documents of a step, to the field.

import { canonicalJson, type Digest, type Json } from "../digest.ts";
import type { Given, GivenDocument } from "./given.ts";

/** What stood in a place: a value, or content by its digest. */
export type Leaf =
  | { readonly kind: "value"; readonly value: Json }
  | { readonly kind: "content"; readonly digest: Digest };

/** A place in which two documents differ. */
export interface Change {
  /** What a step was given: "lane", "tables[1]", "sheet[3].lane"; or what else is in its key: "code", "env.MODE", "version". */
  readonly at: string;
  readonly isGiven: boolean;
  readonly kind: "changed" | "added" | "removed";
  readonly before: Leaf | null;
  readonly after: Leaf | null;
}

/** What two documents come to beside each other. */
export interface Difference {
  readonly changes: readonly Change[];
  /** What both have in common: names of what the step was given, and of what else is in its key. */
  readonly same: readonly string[];
}

/** Lists of more are compared place by place behind what they begin and end with alike: all pairs would be too many. */
const MOST_ALIGNED = 1500;

/** Compares what a step was given, and what else is in its key. */
export function compareDocuments(before: GivenDocument, after: GivenDocument): Difference {
  const changes: Change[] = [];
  const same: string[] = [];
  for (const name of namesOf(before.given, after.given)) {
    const found = compareGiven(name, before.given[name], after.given[name]);
    if (found.length === 0) same.push(name);
    changes.push(...found);
  }
  for (const name of namesOf(before.identity, after.identity)) {
    const [was, is] = [before.identity[name], after.identity[name]];
    if (textOf(was) === textOf(is)) {
      same.push(name);
      continue;
    }
    changes.push({ at: name, isGiven: false, ...ofSides(valueOf(was), valueOf(is)) });
  }
  return { changes, same };
}

function namesOf(a: object, b: object): readonly string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])];
}

function textOf(value: Json | undefined): string {
  return value === undefined ? "" : canonicalJson(value);
}

function valueOf(value: Json | undefined): Leaf | null {
  return value === undefined ? null : { kind: "value", value };
}

function ofSides(before: Leaf | null, after: Leaf | null): Omit<Change, "at" | "isGiven"> {
  const kind = before === null ? "added" : after === null ? "removed" : "changed";
  return { kind, before, after };
}

function compareGiven(at: string, before: Given | undefined, after: Given | undefined): Change[] {
  if (before !== undefined && after !== undefined) {
    if (before.kind === "list" && after.kind === "list") {
      return compareLists(at, before.items, after.items);
    }
    if (before.kind === "row" && after.kind === "row") {
      return namesOf(before.cells, after.cells).flatMap((name) =>
        compareGiven(`${at}.${name}`, before.cells[name], after.cells[name]),
      );
    }
    if (givenText(before) === givenText(after)) return [];
  }
  return [{ at, isGiven: true, ...ofSides(leafOf(before), leafOf(after)) }];
}

/** Compares lists by what they have in common in the same order, so that one more is one more, and not a change of all behind it. */
function compareLists(at: string, before: readonly Given[], after: readonly Given[]): Change[] {
  const [a, b] = [before.map(givenText), after.map(givenText)];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let [endA, endB] = [a.length, b.length];
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA--;
    endB--;
  }
  const kept = alignment(a.slice(start, endA), b.slice(start, endB));
  const changes: Change[] = [];
  let [i, j] = [start, start];
  for (const [keptA, keptB] of [...kept, [endA - start, endB - start] as const]) {
    const [toA, toB] = [start + keptA, start + keptB];
    // What stands in the same gap of both is one that has changed; the rest of the longer gap came or went.
    while (i < toA && j < toB)
      changes.push(...compareGiven(`${at}[${j}]`, before[i++], after[j++]));
    while (i < toA) changes.push(...compareGiven(`${at}[${i}]`, before[i++], undefined));
    while (j < toB) changes.push(...compareGiven(`${at}[${j}]`, undefined, after[j++]));
    [i, j] = [toA + 1, toB + 1];
  }
  return changes;
}

/** Pairs of places of the longest sequence that both have in common. */
function alignment(
  a: readonly string[],
  b: readonly string[],
): readonly (readonly [number, number])[] {
  if (a.length === 0 || b.length === 0) return [];
  if (a.length > MOST_ALIGNED || b.length > MOST_ALIGNED) {
    const shared: [number, number][] = [];
    for (let at = 0; at < Math.min(a.length, b.length); at++) {
      if (a[at] === b[at]) shared.push([at, at]);
    }
    return shared;
  }
  const width = b.length + 1;
  const lengths = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      const [right = 0, below = 0] = [lengths[i * width + j + 1], lengths[(i + 1) * width + j]];
      const diagonal = lengths[(i + 1) * width + j + 1] ?? 0;
      lengths[i * width + j] = a[i] === b[j] ? diagonal + 1 : Math.max(right, below);
    }
  }
  const pairs: [number, number][] = [];
  for (let i = 0, j = 0; i < a.length && j < b.length;) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if ((lengths[(i + 1) * width + j] ?? 0) >= (lengths[i * width + j + 1] ?? 0)) i++;
    else j++;
  }
  return pairs;
}

function leafOf(given: Given | undefined): Leaf | null {
  if (given === undefined) return null;
  if (given.kind === "value" || given.kind === "content") return given;
  return { kind: "value", value: plainOf(given) };
}

/** A list or a row as a value, with content by its digest. */
function plainOf(given: Given): Json {
  switch (given.kind) {
    case "value":
      return given.value;
    case "content":
      return `sha256:${given.digest}`;
    case "list":
      return given.items.map(plainOf);
    case "row":
      return Object.fromEntries(
        Object.entries(given.cells).map(([name, cell]) => [name, plainOf(cell)]),
      );
  }
}

function givenText(given: Given): string {
  return `${given.kind === "content" ? "content" : "value"} ${canonicalJson(plainOf(given))}`;
}
