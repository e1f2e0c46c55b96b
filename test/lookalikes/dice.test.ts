import { describe, expect, test } from "vitest";

import { makeDice } from "../../src/lookalikes/dice.ts";

const throwsOf = (...keys: (string | number)[]): number[] => {
  const dice = makeDice(...keys);
  return Array.from({ length: 5 }, () => dice.below(1000));
};

describe("makeDice(...keys)", () => {
  test("throws the same for the same keys and something else for others", () => {
    const others = [throwsOf("b", 1), throwsOf("a", 2), throwsOf(1, "a"), throwsOf("a1")];

    expect(throwsOf("a", 1)).toEqual(throwsOf("a", 1));
    expect(new Set([throwsOf("a", 1), ...others].map(String)).size).toBe(5);
  });

  test("throws evenly, both in a row and from key to key", () => {
    const dice = makeDice("even");
    const row = new Array<number>(10).fill(0);
    const first = new Array<number>(10).fill(0);
    for (let i = 0; i < 10_000; i += 1) {
      row[dice.below(10)]! += 1;
      first[makeDice("key", i).below(10)]! += 1;
    }

    // Six standard deviations of 30 around 1000: chance does not fail this, a lopsided die does.
    for (const count of [...row, ...first]) expect(Math.abs(count - 1000)).toBeLessThan(180);
  });

  test("picks from the whole list and grants chances in their share", () => {
    const dice = makeDice("list");
    const picked = new Set(Array.from({ length: 100 }, () => dice.pick(["x", "y", "z"])));
    const granted = Array.from({ length: 1000 }, () => dice.chance(0.1)).filter(Boolean).length;

    expect([...picked].sort()).toEqual(["x", "y", "z"]);
    expect(granted).toBeGreaterThan(40);
    expect(granted).toBeLessThan(160);
  });
});
