import { describe, expect, test } from "vitest";

import { compareNatural } from "../../../../src/jobs/htan/data/naturalOrder.ts";

describe("compareNatural(a, b)", () => {
  test("orders runs of digits as numbers, and everything else by its characters", () => {
    const sorted = [
      "",
      "1",
      "a",
      "a1",
      "a-",
      "ab",
      "HTA",
      "HTA1",
      "HTA1-bad",
      "HTA1_2",
      "HTA1_2_1",
      "HTA1_2_1_0",
      "HTA1_2_10",
      "HTA1_10",
      "HTA1_EXT2",
      "HTA1_EXT10",
      "HTA2_1",
      "HTA10_1",
      "HTA99999999999999999999_1",
      "HTA100000000000000000000_1",
      "syn9",
      "syn10",
    ];
    const expected = [
      "",
      "1",
      "HTA",
      "HTA1",
      "HTA1-bad",
      ...sorted.slice(9, 20),
      "a",
      "a1",
      "a-",
      "ab",
      "syn9",
      "syn10",
    ];
    expect([...sorted].reverse().sort(compareNatural)).toEqual(expected);
  });

  test("orders texts that differ in leading zeros alone, so that any order of input gives one of output", () => {
    expect(["a1", "a01", "a001"].sort(compareNatural)).toEqual(["a001", "a01", "a1"]);
    expect(compareNatural("a01b", "a1a")).toBeGreaterThan(0);
    expect(compareNatural("same_1", "same_1")).toBe(0);
  });
});
