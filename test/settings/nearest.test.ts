import { describe, expect, test } from "vitest";

import { countMistakes, meant, nearest } from "../../src/settings/nearest.ts";

const COMMANDS = ["run", "runs", "doctor", "demo", "artifacts", "matrix"];

describe("nearest(word, known)", () => {
  test.each([
    ["rnu", "run"],
    ["RUN", "run"],
    ["rund", "run"],
    ["doktor", "doctor"],
    ["doc", "doctor"],
    ["matrx", "matrix"],
    ["artefact", "artifacts"],
    ["publish", null],
    ["statistics", null],
    ["", null],
  ])("finds what %s was meant for", (word, expected) => {
    expect(nearest(word, COMMANDS)).toBe(expected);
  });

  test("says it, or all that there are", () => {
    expect(meant("htn", ["matrix", "htan"])).toBe("Did you mean htan?");
    expect(meant("publish", ["matrix", "htan"])).toBe("There are: matrix, htan.");
    expect(meant("publish", [])).toBe("There is none.");
    const many = Array.from({ length: 30 }, (_, at) => `m${at}`);
    expect(meant("publish", many)).toMatch(/^There are: m0, m1, .*, m19 and 10 more\.$/);
  });
});

describe("countMistakes(a, b)", () => {
  test.each([
    ["", "", 0],
    ["abc", "", 3],
    ["abc", "acb", 1],
    ["abc", "abd", 1],
    ["abc", "bc", 1],
    ["kitten", "sitting", 3],
  ])("counts those from %s to %s", (a, b, expected) => {
    expect([countMistakes(a, b), countMistakes(b, a)]).toEqual([expected, expected]);
  });
});
