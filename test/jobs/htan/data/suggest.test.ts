import { describe, expect, test } from "vitest";

import { didYouMean, isSameButForm, makeSuggest } from "../../../../src/jobs/htan/data/suggest.ts";

/** The distance as textbooks have it, to hold the lookup against. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

describe("makeSuggest(ids)", () => {
  const ids = ["HTA3_1092_5004", "HTA3_1092_6117", "HTA3_2001_7", "HTA3_2001_88"];
  const suggest = makeSuggest(() => ids);

  test.each([
    ["a letter for a digit", "HTA3_1092_5OO4", ["HTA3_1092_5004"]],
    ["a character too many", "HTA3_1092_50044", ["HTA3_1092_5004"]],
    ["a character too few", "HTA3_109_5004", ["HTA3_1092_5004"]],
    ["other signs and case", "hta3-1092-5004", ["HTA3_1092_5004"]],
    ["two characters of the beginning", "XX_1092_5004", []],
    ["nothing", "", []],
    ["nothing that is near", "HTA9_4000_1234", []],
  ])("finds what was meant by %s", (_what, value, near) => {
    expect(suggest(value)).toEqual(near);
  });

  test("takes the nearest alone, and none where many are as near", () => {
    const many = makeSuggest(() => ["HTA3_1_1", "HTA3_1_2", "HTA3_1_3", "HTA3_1_44", "HTA3_1_5"]);
    expect(many("HTA3_1_4")).toEqual([]);
    expect(many("HTA3_1_444")).toEqual(["HTA3_1_44"]);
    const three = makeSuggest(() => ["HTA3_1", "HTA3_2", "HTA3_3"]);
    expect(three("HTA3_9")).toEqual(["HTA3_1", "HTA3_2", "HTA3_3"]);
  });

  test("suggests neither the value itself nor the record that names it", () => {
    expect(suggest("HTA3_1092_5004")).toEqual([]);
    expect(suggest("HTA3_2001_8", "HTA3_2001_7")).toEqual(["HTA3_2001_88"]);
  });

  test("finds exactly what comparing with every id finds", () => {
    const known = Array.from({ length: 400 }, (_, n) => `HTA1_${(n * 37) % 101}_${(n * n) % 977}`);
    const lookup = makeSuggest(() => known);
    for (let n = 0; n < 120; n++) {
      const value = `HTA1_${(n * 31) % 113}_${n * 9}`;
      const others = [...new Set(known)].filter((id) => id !== value);
      const least = Math.min(...others.map((id) => distance(id, value)));
      const near = least > 2 ? [] : others.filter((id) => distance(id, value) === least).sort();
      expect([...lookup(value)].sort(), value).toEqual(near.length > 3 ? [] : near);
    }
  });
});

describe("didYouMean(near)", () => {
  test("asks in words", () => {
    expect(didYouMean([])).toBe("");
    expect(didYouMean(["A"])).toBe("; did you mean A?");
    expect(didYouMean(["A", "B", "C"])).toBe("; did you mean A, B or C?");
  });
});

describe("isSameButForm(ids)", () => {
  test("sees through case and signs, and nothing else", () => {
    const isSame = isSameButForm(["hta3-1-5"]);
    expect([isSame("HTA3_1_5"), isSame("HTA3_1_6")]).toEqual([true, false]);
  });
});
