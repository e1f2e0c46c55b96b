import { describe, expect, test } from "vitest";

import { sumDays } from "../../../../src/jobs/cohort/data/days.ts";
import {
  areMany,
  canMerge,
  changedSlots,
  countsOf,
  freshParts,
  mergedSlots,
  PRICES,
  type Segment,
  type Slot,
  wholeSlots,
} from "../../../../src/jobs/cohort/data/segments.ts";

const MIB = 1 << 20;
const part = (day: number, price = 10 * MIB) => ({
  ...{
    id: `p${day}`,
    export: `adults_v1/${day}`,
    layout: "one",
    price,
    end: `2026-01-${String(day).padStart(2, "0")}T00:00:00`,
  },
});
const days = (first: number, last: number, price?: number) =>
  Array.from({ length: last - first + 1 }, (_none, n) => part(first + n, price));
const object = { key: "k", bytes: 1, sha256: "0", etag: null };
const segment = (name: string, parts: readonly string[], price = 10 * MIB): Segment => ({
  ...{ name, parts, price, unique: {}, written: {}, files: {}, keys: object, winners: object },
  ...{ people: null, filled: {} },
});
/** What is written, by the numbers of its parts; what stays, by its name. */
const plain = (slots: readonly Slot[]) =>
  slots.map((slot) => (slot.kind === "kept" ? slot.segment.name : slot.parts));

describe("freshParts(parts, segments)", () => {
  const parts = days(1, 3);
  test("are those that no segment has, and that are not dead", () => {
    const known = { segments: [segment("a", ["p1"])], dead: ["p2"] };
    expect(freshParts(parts, known)).toEqual([2]);
  });
  test.each([
    ["segment", { segments: [segment("a", ["p1", "gone"])], dead: [] }],
    ["dead part", { segments: [segment("a", ["p1"])], dead: ["gone"] }],
  ])("are unknown where a %s was made of what is not there any more", (_what, known) => {
    expect(freshParts(parts, known)).toBeNull();
  });
});

describe("wholeSlots(parts, prices)", () => {
  test("part the last days from those before them", () => {
    expect(plain(wholeSlots(days(1, 30), PRICES))).toEqual([
      Array.from({ length: 28 }, (_none, n) => n),
      [28, 29],
    ]);
  });
  test.each([
    ["it costs little", days(1, 30, 1000)],
    ["there is nothing before the last days", days(1, 2)],
    ["the last days are most of it", [part(1), part(2, 100 * MIB), part(3)]],
  ])("are one where %s", (_what, parts) => {
    expect(plain(wholeSlots(parts, PRICES))).toEqual([parts.map((_part, number) => number)]);
  });
  test("are none without parts", () => {
    expect(wholeSlots([], PRICES)).toEqual([]);
  });
});

describe("changedSlots(parts, segments, fresh, touched, prices)", () => {
  const parts = days(1, 31);
  const base = segment(
    "base",
    parts.slice(0, 28).map(({ id }) => id),
    280 * MIB,
  );
  const recent = segment("recent", ["p29", "p30"], 20 * MIB);
  const changed = (touched: readonly string[], fresh = [30]) =>
    changedSlots(parts, [base, recent], fresh, new Set(touched), PRICES);

  test("write what is touched and what is new, each by itself", () => {
    const slots = changed(["recent"]);
    expect(plain(slots)).toEqual(["base", [28, 29], [30]]);
    expect(slots.map((slot) => (slot.kind === "written" ? slot.from : []))).toEqual([
      ...[[], [recent], []],
    ]);
  });
  test("write only what is touched where nothing is new", () => {
    expect(plain(changed(["recent"], []))).toEqual(["base", [28, 29]]);
  });
  test("keep all where nothing is touched or new", () => {
    expect(plain(changed([], []))).toEqual(["base", "recent"]);
  });
  test("write all where most of it is touched, but for parts that have no row in it", () => {
    const all = [...parts, part(32), part(33)];
    const slots = changedSlots(all, [base, recent], [30, 31], new Set(["base"]), PRICES);
    expect(plain(slots)).toEqual([Array.from({ length: 30 }, (_none, n) => n), [30, 31]]);
    expect(slots.every((slot) => slot.kind === "written" && slot.from.length === 0)).toBe(true);
  });
  test("write all of what is small, without what is dead", () => {
    const small = days(1, 4, 1000);
    const known = [segment("a", ["p3"], 1000)];
    expect(plain(changedSlots(small, known, [3], new Set(), PRICES))).toEqual([[2, 3]]);
  });
});

describe("mergedSlots(parts, slots)", () => {
  const parts = days(1, 9);
  const kept = (name: string, ids: readonly string[], price: number): Slot => ({
    ...{ kind: "kept", segment: segment(name, ids, price) },
  });
  test("merge small segments, but neither the newest nor one that is much larger", () => {
    const slots = [
      kept("a", ["p1"], 900),
      kept("b", ["p2"], 40),
      kept("c", ["p3"], 30),
      kept("d", ["p4"], 30),
    ];
    const merged = mergedSlots(parts, slots);
    expect(plain(merged)).toEqual(["a", [1, 2], "d"]);
    expect(merged[1]).toMatchObject({ from: [{ name: "b" }, { name: "c" }] });
  });
  test("take along the larger one when what is merged has grown", () => {
    const slots = [
      kept("a", ["p1"], 900),
      kept("b", ["p2"], 200),
      kept("c", ["p3"], 50),
      kept("d", ["p4"], 30),
    ];
    expect(plain(mergedSlots(parts, slots))).toEqual([[0, 1, 2], "d"]);
  });
  test("take along what is written anyway, with the segment that it was", () => {
    const touched: Slot = { kind: "written", parts: [1], price: 40, from: [segment("b", ["p2"])] };
    const merged = mergedSlots(parts, [kept("a", ["p1"], 50), touched, kept("c", ["p3"], 30)]);
    expect(plain(merged)).toEqual([[0, 1], "c"]);
    expect(merged[0]).toMatchObject({ from: [{ name: "a" }, { name: "b" }] });
  });
  test("leave one alone, and nothing", () => {
    expect(plain(mergedSlots(parts, [kept("a", ["p1"], 1)]))).toEqual(["a"]);
    expect(mergedSlots(parts, [])).toEqual([]);
  });
  test("are told of beforehand", () => {
    const [a, b, c] = [segment("a", ["p1"], 9), segment("b", ["p2"], 9), segment("c", ["p3"], 9)];
    expect([canMerge([]), canMerge([a, b]), canMerge([a, b, c])]).toEqual([false, false, true]);
    expect(canMerge([{ ...a, price: 90 }, b, c])).toBe(false);
  });
  test("come of themselves when there are many", () => {
    const slots = Array.from({ length: 33 }, () => kept("a", ["p1"], 1));
    expect([areMany(slots), areMany(slots.slice(1))]).toEqual([true, false]);
  });
});

describe("countsOf(input, segments, how)", () => {
  const [one, two] = [
    { ...segment("a", []), unique: { d1: 3 }, written: { d1: 2 } },
    { ...segment("b", []), unique: { d1: 1, d2: 4 }, written: { d2: 4 } },
  ];
  const input = { read: { d1: 9, d2: 5 } };
  test("add up what became of the records of all segments", () => {
    expect(countsOf(input, [one, two], { hasDeletions: true, isDeleting: false })).toEqual({
      ...{ READ: { d1: 9, d2: 5 }, DROP_DUPLICATES: { d1: 4, d2: 4 } },
      ...{ DROP_DELETED_SAMPLES: { d1: 2, d2: 4 }, WRITE: { d1: 2, d2: 4 } },
    });
  });
  test("have no event that nothing went through", () => {
    const counted = (hasDeletions: boolean, isDeleting: boolean, read = input) =>
      Object.keys(countsOf(read, [one], { hasDeletions, isDeleting }));
    expect(counted(false, false)).toEqual(["READ", "DROP_DUPLICATES", "WRITE"]);
    expect(counted(false, true)).toEqual(["READ", "DROP_DUPLICATES"]);
    expect(countsOf({ read: {} }, [], { hasDeletions: false, isDeleting: false })).toEqual({});
  });
});

test("sumDays(all) adds up by day, in order, and leaves out days without rows", () => {
  expect(Object.entries(sumDays([{ b: 1, a: 2 }, { b: 3, c: 0 }, {}]))).toEqual([
    ["a", 2],
    ["b", 4],
  ]);
});
