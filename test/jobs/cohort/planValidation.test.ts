// What a run tells of checks that it did not do: only what is about the datasets that readers have, or about what is held back.

import { expect, test } from "vitest";

import type { Check, CheckedDataset } from "../../../src/jobs/cohort/data/check.ts";
import { type CheckResult, NO_ROWS, NOT_DONE } from "../../../src/jobs/cohort/data/checkResult.ts";
import type { Current } from "../../../src/jobs/cohort/data/current.ts";
import type { DatasetProfile } from "../../../src/jobs/cohort/data/profile.ts";
import type { Validation } from "../../../src/jobs/cohort/data/validation.ts";
import { toldOf } from "../../../src/jobs/cohort/planValidation.ts";

const TYPES = ["SymptomLog", "FitbitDevices", "FitbitEcg"];
const EMPTY = "FitbitEcg";
const about = (type: string) => ({ type, dataset: `dataset_${type.toLowerCase()}` });
const CHECKS = TYPES.map(
  (type) =>
    ({
      ...about(type),
      id: type,
      kind: "exists",
      column: "Date",
      severity: "warning",
      blocks: false,
    }) as unknown as Check,
);
const CHECKER = {
  checks: CHECKS,
  known: new Map(
    TYPES.map((type) => [
      about(type).dataset,
      { ...about(type), parent: null } as unknown as CheckedDataset,
    ]),
  ),
};

/** What was found of types, each of the build that is named, or of what was tried and held back. */
function known(types: Validation["types"]): Validation {
  return {
    ...{ version: 1, build: "2", at: "2026-01-02T00:00:00.000Z" },
    results: TYPES.map((type) => ({ ...about(type), id: type, outcome: "passed" }) as CheckResult),
    profiles: TYPES.map((type) => ({ ...about(type), rows: 1 }) as DatasetProfile),
    types,
  };
}
const one = (build: string | null, tried?: string) => ({
  ...{ about: "0" as never, build, before: null },
  ...(tried === undefined ? {} : { tried }),
});

/** Readers' build: types with the build that made them, and what is held back. */
function current(
  builds: Readonly<Record<string, string>>,
  held: Readonly<Record<string, string>> = {},
): Current {
  return {
    types: Object.fromEntries(Object.entries(builds).map(([type, build]) => [type, { build }])),
    blocked: Object.entries(held).map(([type, tried]) => ({ type, tried })),
    datasets: TYPES.map((type) => ({ name: about(type).dataset, rows: type === EMPTY ? 0 : 7 })),
  } as unknown as Current;
}

test.each([
  ["what is of readers' build", one("1"), { FitbitDevices: "1" }, {}, true],
  ["nothing of one before it", one("1"), { FitbitDevices: "3" }, {}, false],
  ["nothing of a build that readers have no more", one("1"), {}, {}, false],
  [
    "what is of what is held back, though readers have another",
    one("2", "x"),
    { FitbitDevices: "1" },
    { FitbitDevices: "x" },
    true,
  ],
  [
    "nothing of what was held back before",
    one("2", "x"),
    { FitbitDevices: "1" },
    { FitbitDevices: "y" },
    false,
  ],
  ["nothing of what is held back no more", one("2", "x"), { FitbitDevices: "2" }, {}, false],
  [
    "of a type that is held back what readers have, where nobody has looked at more",
    one("1"),
    { FitbitDevices: "1" },
    { FitbitDevices: "y" },
    true,
  ],
  [
    "nothing of a build before it while another is held back",
    one("0"),
    { FitbitDevices: "1" },
    { FitbitDevices: "y" },
    false,
  ],
] as const)("toldOf tells %s", (_name, devices, builds, held, isTold) => {
  const validation = known({ SymptomLog: one("2"), FitbitDevices: devices, FitbitEcg: one(null) });
  const found = toldOf(
    { known: validation, current: current({ SymptomLog: "2", ...builds }, held) },
    CHECKER,
  );
  // All are listed, always.
  expect(found.checks.map(({ id, outcome, why, rows }) => [id, outcome, why, rows])).toEqual([
    ["SymptomLog", "passed", undefined, undefined],
    isTold
      ? ["FitbitDevices", "passed", undefined, undefined]
      : ["FitbitDevices", "not_run", NOT_DONE, 7],
    ["FitbitEcg", "passed", undefined, undefined],
  ]);
  const datasets = TYPES.filter((type) => isTold || type !== "FitbitDevices").map(
    (type) => about(type).dataset,
  );
  expect([...found.profiles.keys()]).toEqual(datasets);
});

test("toldOf lists all checks where nobody has looked, and none where there is no build", () => {
  const found = toldOf({ known: null, current: current({ SymptomLog: "2" }) }, CHECKER);
  expect(found.checks.map(({ outcome, why }) => [outcome, why])).toEqual([
    ["not_run", NOT_DONE],
    ["not_run", NOT_DONE],
    ["not_run", NO_ROWS],
  ]);
  expect(found.profiles.size).toBe(0);
  expect(toldOf({ known: null, current: null }, CHECKER).checks).toEqual([]);
});
