import { describe, expect, test } from "vitest";

import type { Check, Rule } from "../../../../src/jobs/cohort/data/check.ts";
import {
  checkFindings,
  checkMeasures,
  type CheckResult,
  checkResult,
  freshFacts,
  rowCountFacts,
  worstFirst,
} from "../../../../src/jobs/cohort/data/checkResult.ts";
import { checkText } from "../../../../src/jobs/cohort/data/checkText.ts";

const check = (rule: Rule, more: Partial<Check> = {}): Check =>
  ({
    ...{ id: "c", dataset: "dataset_a", column: "X", severity: "warning", blocks: false },
    ...rule,
    ...more,
  }) as Check;
const OF = { type: "A", parent: null };
const BETWEEN: Rule = { kind: "between", min: 1, max: 200_000 };
const result = (more: Partial<CheckResult> = {}): CheckResult => ({
  ...checkResult(check(BETWEEN), OF, 51, { isMet: true, missing: 3, unexpected: 0, why: null }),
  ...more,
});

describe("checkText(check, parent)", () => {
  test.each<[string, Rule]>([
    ["X is between 1 and 200,000", BETWEEN],
    ["X is at least −15", { kind: "between", min: -15, max: null }],
    ["X is at most 0.5", { kind: "between", min: null, max: 0.5 }],
    ["X is one of a, 1, true", { kind: "set", values: ["a", 1, true] }],
    [
      "X is one of 0, 1, 2, 3, 4, 5, 6, 7 or 2 more",
      { kind: "set", values: [...Array(10).keys()] },
    ],
    ["X matches \\d+", { kind: "pattern", pattern: "\\d+" }],
    ["A is unique", { kind: "unique", columns: ["A"] }],
    ["A, B and C are unique together", { kind: "unique", columns: ["A", "B", "C"] }],
    ["X is never missing", { kind: "not_null" }],
    ["There is a column X", { kind: "exists" }],
    ["The newest X is at most 1 day old", { kind: "fresh", days: 1 }],
    ["The number of rows is within 10% of the build before", { kind: "row_count", percent: 10 }],
    ["Every row belongs to one of dataset_p", { kind: "has_parent" }],
  ])("says: %s", (expected, rule) => {
    expect(checkText(check(rule), "dataset_p")).toBe(expected);
  });
});

describe("checkResult(check, dataset, rows, facts)", () => {
  test("is failed, passed or not run by what was found out", () => {
    const common = {
      ...{ id: "c", dataset: "dataset_a", type: "A", column: "X", kind: "between" },
      ...{ text: "X is between 1 and 200,000", severity: "warning", blocks: false, rows: 51 },
    };
    const facts = { missing: 3, unexpected: 1, why: null };
    const of = (isMet: boolean) => checkResult(check(BETWEEN), OF, 51, { isMet, ...facts });
    expect(of(false)).toEqual({ ...common, outcome: "failed", ...facts });
    expect(of(true)).toEqual({ ...common, outcome: "passed", ...facts });
    expect(checkResult(check(BETWEEN), OF, 51, { isMet: null, why: "broken" })).toEqual({
      ...common,
      ...{ outcome: "not_run", missing: null, unexpected: null, why: "broken" },
    });
  });
});

describe("rowCountFacts(rows, before, percent)", () => {
  test.each<[number, number | null, boolean | null, string | null]>([
    [90, 100, true, null],
    [110, 100, true, null],
    [89, 100, false, "there are fewer than in the build before"],
    [111, 100, false, "there are more than in the build before"],
    [0, 1, false, "there are fewer than in the build before"],
    [0, 0, null, "the dataset has no rows"],
    [5, 0, null, "the build before has no rows"],
    [5, null, null, "there is no build before"],
  ])("of %i rows after %j, within 10%%, is %j", (rows, before, isMet, why) => {
    expect(rowCountFacts(rows, before, 10)).toMatchObject({ isMet, why });
  });
});

test("freshFacts(isFresh, check) says which days have no row", () => {
  const fresh = check({ kind: "fresh", days: 3 }) as Check & { kind: "fresh" };
  expect(freshFacts(true, fresh)).toMatchObject({ isMet: true, why: null });
  expect(freshFacts(false, fresh).why).toBe("there is no row of the last 3 days by X");
});

describe("checkFindings(results)", () => {
  test("has what failed, as severe as the check says, and what could not be done", () => {
    const failed = result({ outcome: "failed", unexpected: 2, severity: "error" });
    const broken = result({ id: "d", column: null, outcome: "not_run", why: "DuckDB gave up" });
    expect(checkFindings([result(), failed, broken])).toEqual([
      {
        ...{ rule: "check_failed", severity: "error", subject: "dataset_a", row: null },
        message: "X is between 1 and 200,000: 2 of 51 rows are not so.",
        fields: { check: "c", column: "X" },
      },
      {
        ...{ rule: "check_not_run", severity: "warning", subject: "dataset_a", row: null },
        message: "X is between 1 and 200,000: not run: DuckDB gave up.",
        fields: { check: "d" },
      },
    ]);
  });

  test("says why where no number does, and nothing of a dataset without rows", () => {
    const why = "there is none";
    const none = result({ outcome: "failed", unexpected: null, missing: null, why });
    expect(checkFindings([none])[0]?.message).toContain(`: ${why}.`);
    const counted = check({ kind: "row_count", percent: 10 });
    const fewer = checkResult(counted, OF, 9, rowCountFacts(9, 12, 10));
    expect(checkFindings([fewer])[0]?.message).toContain("of the build before: 3 rows fewer.");
    const more = checkResult(counted, OF, 2, rowCountFacts(2, 1, 10));
    expect(checkFindings([more])[0]?.message).toContain("of the build before: 1 row more.");
    const empty = result({ outcome: "not_run", rows: 0, why: "the dataset has no rows" });
    expect(checkFindings([empty])).toEqual([]);
  });
});

test("checkMeasures(results) has numbers of what was done", () => {
  const results = [
    result({ outcome: "failed", unexpected: 2 }),
    result({ id: "d", missing: null, unexpected: null }),
    result({ id: "e", outcome: "not_run" }),
  ];
  expect(checkMeasures(results)).toEqual([
    ...[
      ["c", "rows", 51] as const,
      ["c", "missing", 3],
      ["c", "unexpected", 2],
      ["c", "failed", 1],
    ],
    ...[["d", "rows", 51] as const, ["d", "failed", 0]],
  ]);
});

test("worstFirst(results) has errors, warnings, what was not run, what passed, what nobody sent", () => {
  const all = [
    result({ id: "empty", outcome: "not_run", rows: 0 }),
    result({ id: "passed" }),
    result({ id: "broken", outcome: "not_run" }),
    result({ id: "warning", outcome: "failed" }),
    result({ id: "error", outcome: "failed", severity: "error" }),
  ];
  const order = ["error", "warning", "broken", "passed", "empty"];
  expect(worstFirst(all).map(({ id }) => id)).toEqual(order);
});
