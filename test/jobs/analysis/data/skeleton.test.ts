import { describe, expect, test } from "vitest";

import { digestOfJson } from "../../../../src/digest.ts";
import { putTogether, takeApart } from "../../../../src/jobs/analysis/data/skeleton.ts";

class Handle {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}
const isHandle = (value: unknown): value is Handle => value instanceof Handle;
const [a, b, c] = [new Handle("a"), new Handle("b"), new Handle("c")];

const apart = (value: unknown) => {
  const handles: Handle[] = [];
  const skeleton = takeApart(value, isHandle, handles);
  return { skeleton, handles };
};
/** What a key holds of a value. */
const keyOf = (value: unknown): string => digestOfJson(apart(value).skeleton);
const names = (value: unknown): readonly string[] => apart(value).handles.map(({ name }) => name);

describe("takeApart(value, isHandle, handles) and putTogether(skeleton, inputOf)", () => {
  test.each<[string, unknown, readonly string[]]>([
    ["a text", "a", []],
    ["an empty list", [], []],
    ["an empty row", {}, []],
    ["false, zero and an empty text", [false, 0, ""], []],
    ["a handle", a, ["a"]],
    ["a list of handles", [b, a, b], ["b", "a", "b"]],
    ["handles among values", [1, a, null, "x"], ["a"]],
    [
      "rows",
      [
        { sample: "x", lane: a },
        { sample: "y", lane: b },
      ],
      ["a", "b"],
    ],
    [
      "lists in rows in lists",
      [
        { reads: [a, [b]], no: [] },
        { reads: [], no: [c] },
      ],
      ["a", "b", "c"],
    ],
    ["a handle deep in a row", { x: { y: { z: [0, a] } }, plain: { k: [1] } }, ["a"]],
    ["a column called __proto__", JSON.parse('{"__proto__": {"k": 1}}'), []],
  ])("gives %s back", (_what, value, handles) => {
    const { skeleton, handles: found } = apart(value);
    expect(found.map(({ name }) => name).sort()).toEqual([...handles].sort());
    // As a key holds it, and a worker reads it again.
    const stored = JSON.parse(JSON.stringify(skeleton)) as typeof skeleton;
    expect(putTogether(stored, (index) => found[index])).toEqual(value);
  });

  test("keeps a value without handles as it stands", () => {
    expect(apart({ k: [1, "x"] }).skeleton).toEqual(["value", { k: [1, "x"] }]);
  });

  test("makes null of undefined, also within a value", () => {
    expect(apart(undefined).skeleton).toEqual(["value", null]);
    expect(apart([a, undefined]).skeleton).toEqual([
      "list",
      [
        ["input", 0],
        ["value", null],
      ],
    ]);
  });

  test("has the same key for an undefined and an empty cell of a row with handles", () => {
    expect(keyOf([{ lane: a, note: undefined }])).toBe(keyOf([{ lane: a, note: null }]));
  });

  test("has the same key for an undefined and an empty cell of a row without handles", () => {
    expect(keyOf([{ sample: "a", note: undefined }])).toBe(keyOf([{ sample: "a", note: null }]));
  });

  test.each<[string, unknown]>([
    ["input", ["input", 0]],
    ["value", ["value", 1]],
    ["list", ["list", [["input", 0]]]],
    ["row", ["row", { k: ["input", 0] }]],
  ])("does not take a user's JSON that looks like %j for one", (_word, value) => {
    const { skeleton, handles } = apart(value);
    expect(handles).toEqual([]);
    const wrong = () => expect.unreachable("it asked for an input");
    expect(putTogether(skeleton, wrong)).toEqual(value);
    // Beside a handle, too, where it is taken apart itself.
    const beside = apart([value, a, { k: value }]);
    expect(beside.handles).toEqual([a]);
    expect(putTogether(beside.skeleton, () => "it")).toEqual([value, "it", { k: value }]);
  });

  test("has another key for a handle than for JSON that looks like one", () => {
    expect(keyOf(a)).not.toBe(keyOf(["input", 0]));
    expect(keyOf([a])).not.toBe(keyOf([["input", 0]]));
    expect(keyOf({ k: a })).not.toBe(keyOf({ k: ["input", 0] }));
  });

  test("has the same key in whatever order the cells of a row were written", () => {
    expect(names({ y: b, x: a })).toEqual(["a", "b"]);
    expect(names({ x: a, y: b })).toEqual(["a", "b"]);
    expect(keyOf({ y: b, x: a, k: 1 })).toBe(keyOf({ k: 1, x: a, y: b }));
    expect(keyOf([{ k: 1, x: "x" }])).toBe(keyOf([{ x: "x", k: 1 }]));
  });

  test("has another key where a list has another order", () => {
    expect(names([b, a])).toEqual(["b", "a"]);
    expect(keyOf([1, 2])).not.toBe(keyOf([2, 1]));
    expect(keyOf([a, 1])).not.toBe(keyOf([1, a]));
    expect(keyOf([[a, b]])).not.toBe(keyOf([[a], [b]]));
  });
});
