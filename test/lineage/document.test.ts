// What a key's document says in words that people use.

import { describe, expect, test } from "vitest";

import type { Digest } from "../../src/digest.ts";
import { broughtBy, inputsOf, userUses, valuesOf } from "../../src/lineage/document.ts";

const uses = { kind: "command", code: "c0de", env: { LANG: "C" }, network: true };

describe("valuesOf(document)", () => {
  test("tells the values of a user's step by name, and of tables what is no file", () => {
    const params = {
      run: "17",
      values: {
        k: ["value", 6],
        lane: ["input", 0],
        names: [
          "list",
          [
            ["value", "a"],
            ["value", "b"],
          ],
        ],
        sheet: ["list", [["row", { sample: ["value", "A"], lane: ["input", 1] }]]],
        files: ["list", [["input", 2]]],
        odd: "not ours",
      },
    };
    expect(valuesOf({ params, uses })).toEqual({
      k: 6,
      names: ["a", "b"],
      sheet: [{ sample: "A" }],
    });
  });

  test("tells a plain step's params as they are", () => {
    expect(valuesOf({ params: { values: 1 } })).toEqual({ values: 1 });
    expect(valuesOf({ params: null })).toEqual({});
    expect(valuesOf({ params: [1] })).toEqual({ params: [1] });
  });
});

describe("userUses(document)", () => {
  test("tells what a user's step closes over, and null for a step of another kind", () => {
    expect(userUses({ uses })).toEqual({ ...uses, uses: null, stub: false });
    expect(userUses({ uses: { kind: "function", code: "c", uses: "d", stub: true } })).toEqual({
      ...{ kind: "function", code: "c", uses: "d", env: {}, network: false, stub: true },
    });
    expect(userUses({ uses: { templates: "d" } })).toBeNull();
    expect(userUses({})).toBeNull();
  });
});

describe("broughtBy(document)", () => {
  test("tells what was given to a pipeline from what somebody's step of that name has made", () => {
    const inputs = {};
    expect(broughtBy({ step: "import file", inputs })).toBe("file");
    expect(broughtBy({ step: "import folder", inputs })).toBe("folder");
    expect(broughtBy({ step: "import file", inputs, uses })).toBeNull();
    expect(broughtBy({ step: "import", inputs })).toBeNull();
  });
});

describe("inputsOf(document)", () => {
  test("numbers what is one of several", () => {
    const [a, b] = ["a", "b"] as unknown as readonly [Digest, Digest];
    expect(inputsOf({ inputs: { one: a, only: [a], all: [a, b], none: [] } })).toEqual([
      { name: "one", digest: a },
      { name: "only", digest: a },
      { name: "all[0]", digest: a },
      { name: "all[1]", digest: b },
    ]);
  });
});
