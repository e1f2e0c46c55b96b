import { describe, expect, test } from "vitest";

import { PATH_MARK } from "../../../../src/jobs/cohort/data/lineState.ts";
import { shownReport } from "../../../../src/jobs/cohort/data/proof.ts";
import {
  makeFieldSet,
  MOST_FIELDS,
  pickFields,
  shownName,
  tooMany,
} from "../../../../src/jobs/cohort/data/undeclared.ts";
import { makeDice } from "../../../../src/lookalikes/dice.ts";
import { member, report } from "./cataloguing.ts";

const numbered = (count: number, name = "f"): readonly string[] =>
  Array.from({ length: count }, (_, at) => `${name}${at}`);

describe("pickFields(paths)", () => {
  test("sorts all, where they are few enough", () => {
    expect(pickFields(["b", "a", "#", `a${PATH_MARK}b`])).toEqual([
      "#",
      "a",
      `a${PATH_MARK}b`,
      "b",
    ]);
  });

  test("prefers plain names to what may be values", () => {
    const values = numbered(3000, "person@example.com ");
    expect(pickFields([...values, "zeta", `zeta${PATH_MARK}eta`])).toEqual(
      expect.arrayContaining(["zeta", `zeta${PATH_MARK}eta`]),
    );
    expect(pickFields(values)).toHaveLength(MOST_FIELDS);
  });

  test("picks no path that is longer than any name", () => {
    expect(pickFields(["a".repeat(1024), "b".repeat(1025)])).toEqual(["a".repeat(1024)]);
  });

  test("picks the same of all at once as of what is picked of parts, in any order", () => {
    const dice = makeDice("fields", 1);
    const all = Array.from({ length: 5000 }, () =>
      String.fromCharCode(...Array.from({ length: 1 + dice.below(4) }, () => 32 + dice.below(90))),
    );
    const wanted = pickFields(new Set(all));
    expect(wanted).toHaveLength(MOST_FIELDS);
    for (let times = 0; times < 5; times++) {
      const parts: string[][] = Array.from({ length: 4 }, () => []);
      for (const one of all) parts[dice.below(parts.length)]?.push(one);
      const picked = parts.flatMap((part) => {
        const set = makeFieldSet();
        for (const one of part) set.add(one);
        expect(set.left().fields + set.kept.size).toBe(new Set(part).size);
        return pickFields(set.kept);
      });
      expect(pickFields(new Set(picked))).toEqual(wanted);
    }
  });
});

describe("makeFieldSet()", () => {
  test("counts what is left once each, and to an end", () => {
    const set = makeFieldSet();
    for (let times = 0; times < 2; times++) numbered(5000).forEach((name) => set.add(name));
    expect([set.left(), set.kept.size]).toEqual([{ fields: 4900, isMore: false }, 100]);
    numbered(100_000, "g").forEach((name) => set.add(name));
    expect([set.left(), set.kept.size]).toEqual([{ fields: 100_000, isMore: true }, 100]);
  });

  test("leaves what is too long for a name", () => {
    const set = makeFieldSet();
    set.add("a".repeat(1025));
    expect([set.left().fields, set.kept.size]).toEqual([1, 0]);
  });
});

describe("shownName(name)", () => {
  test.each(["Steps", "_id", "Sp O2.avg-1", "a".repeat(64), "pm25x1"])("shows %s", (name) => {
    expect(shownName(name)).toBe(name);
  });

  test.each([
    "alice@example.com",
    "MDH-4821-0093",
    "20260110",
    "1",
    "",
    "Zoë",
    "a".repeat(65),
    "a\nb",
    "+1 555 0100",
    "5996f0e9-0eb6-435b-8000-000000000000",
  ])("tells %j by its digest", (name) => {
    expect(shownName(name)).toMatch(/^#[0-9a-f]{12}$/);
  });
});

describe("shownReport(report)", () => {
  test("shows plain names of undeclared fields, and digests of others", () => {
    const known = member("A_2", { extras: [["Plain", `Plain${PATH_MARK}a@b`], []] });
    const [shown] = shownReport(report("adults_v1/a", [known])).members;
    expect(shown?.extras).toEqual([
      ["Plain", expect.stringMatching(/^Plain\.#[0-9a-f]{12}$/) as string],
      [],
    ]);
  });
});

describe("tooMany(dataset, left, kept)", () => {
  test("says how many there are, and how many are columns", () => {
    expect(tooMany("dataset_a", { fields: 0, isMore: false }, 3)).toBeNull();
    expect(tooMany("dataset_a", { fields: 99_000, isMore: false }, 1000)).toBe(
      "has 100,000 fields that nobody declared in dataset_a: 1,000 of them are columns",
    );
    expect(tooMany("dataset_a", { fields: 100_000, isMore: true }, 1000)).toBe(
      "has more than 101,000 fields that nobody declared in dataset_a: 1,000 of them are columns",
    );
  });
});
