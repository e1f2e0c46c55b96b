import { describe, expect, test } from "vitest";

import { didYouMean, isSameButForm, makeSuggest } from "../../../../src/jobs/htan/data/suggest.ts";
import { countMistakes } from "../../../../src/settings/nearest.ts";

describe("makeSuggest(ids)", () => {
  const ids = ["HTA3_1092_5004", "HTA3_1092_6117", "HTA3_2001_7", "HTA3_2001_88"];
  const suggest = makeSuggest(() => ids);

  test.each([
    ["a letter for a digit", "HTA3_1092_5OO4", ["HTA3_1092_5004"]],
    ["a character too many", "HTA3_1092_50044", ["HTA3_1092_5004"]],
    ["a character too few", "HTA3_109_5004", ["HTA3_1092_5004"]],
    ["two neighbours that are swapped", "HTA3_1029_5004", ["HTA3_1092_5004"]],
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
    const three = makeSuggest(() => ["HTA3_A1", "HTA3_A2", "HTA3_A3"]);
    expect(three("HTA3_A9")).toEqual(["HTA3_A1", "HTA3_A2", "HTA3_A3"]);
  });

  test("does not take another short number for a slip where several are as near", () => {
    const short = makeSuggest(() => ["HTA3_1", "HTA3_2", "HTA3_8001_1", "HTA3_8002_2"]);
    expect(short("HTA3_9")).toEqual([]);
    expect(short("HTA3_8002_1")).toEqual(["HTA3_8001_1"]);
  });

  test("searches once for what many records name, whoever they are", () => {
    let asked = 0;
    const lookup = makeSuggest(() => {
      asked += 1;
      return ids;
    });
    expect(lookup("HTA3_2001_8", "HTA3_2001_88")).toEqual(["HTA3_2001_7"]);
    expect(lookup("HTA3_2001_8", "HTA3_2001_7")).toEqual(["HTA3_2001_88"]);
    expect(asked).toBe(1);
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
      const least = Math.min(...others.map((id) => countMistakes(id, value)));
      const near =
        least > 2 ? [] : others.filter((id) => countMistakes(id, value) === least).sort();
      const isShort = (id: string): boolean =>
        id.split("_").every((part, at) => {
          const other = value.split("_")[at] ?? "";
          return part === other || Math.max(part.length, other.length) > 2;
        });
      const meant = near.length === 1 ? near : near.filter(isShort);
      expect([...lookup(value)].sort(), value).toEqual(meant.length > 3 ? [] : meant);
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
