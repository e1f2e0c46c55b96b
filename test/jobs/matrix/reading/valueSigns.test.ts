// What single values tell of being logarithms or roots, and what is concluded of them.

import { describe, expect, test } from "vitest";

import {
  signOfLog2,
  signOfRoot,
  whyNoCounts,
} from "../../../../src/jobs/matrix/reading/valueSigns.ts";

const signs = { values: 100, rounded: 13, reachesTwenty: false, log2s: -1, roots: -1 };
const why = (changes: Partial<typeof signs>): string | null =>
  whyNoCounts("x", { ...signs, ...changes }, "the largest is 5");

describe("signOfLog2(value)", () => {
  test.each([
    [Math.log2(3), 1],
    [Math.fround(Math.log2(6)), 1],
    [2.322, 1],
    [Math.log2(1001), 0],
    // The last digit of a whole one.
    [1.999_999_9, 0],
    [0.5, -1],
    [1.5, -1],
    [1e-6, -1],
    [2.4, -1],
    [20.5, -1],
  ])("says of %d: %d", (value, sign) => {
    expect(signOfLog2(value)).toBe(sign);
  });
});

describe("signOfRoot(value)", () => {
  test.each([
    [Math.SQRT2, 1],
    [1.732, 1],
    [Math.sqrt(401), 0],
    [2.999_999_9, 0],
    [0.5, -1],
    [2.5, -1],
    [1e-6, -1],
  ])("says of %d: %d", (value, sign) => {
    expect(signOfRoot(value)).toBe(sign);
  });
});

describe("whyNoCounts(where, signs, largest)", () => {
  test("concludes on logarithms, roots, or nothing", () => {
    const seen = "(13 of 100 values are not whole, the largest is 5)";
    expect(why({})).toBeNull();
    expect(why({ log2s: 3 })).toBeNull();
    expect(why({ log2s: 4 })).toBe(
      `x holds logarithms, not counts: every value is the log2 of a whole number plus 1 ${seen}`,
    );
    expect(why({ log2s: 4, reachesTwenty: true })).toBeNull();
    expect(why({ roots: 4, reachesTwenty: true })).toBe(
      `x holds square roots, not counts: every value is the root of a whole number ${seen}`,
    );
    expect(why({ rounded: 51, values: 100 })).toBe(
      "x holds logarithms or other transformed values, not counts: 51 of 100 values are not whole, the largest is 5",
    );
    expect(why({ rounded: 51, reachesTwenty: true })).toBeNull();
  });
});
