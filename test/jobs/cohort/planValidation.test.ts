// What a run that looks at nothing tells of checks: only what is about the datasets that readers have.

import { expect, test } from "vitest";

import type { CheckResult } from "../../../src/jobs/cohort/data/checkResult.ts";
import type { Current } from "../../../src/jobs/cohort/data/current.ts";
import type { DatasetProfile } from "../../../src/jobs/cohort/data/profile.ts";
import type { Validation } from "../../../src/jobs/cohort/data/validation.ts";
import { toldOf } from "../../../src/jobs/cohort/planValidation.ts";

const TYPES = ["SymptomLog", "FitbitDevices", "FitbitEcg"];
const about = (type: string) => ({ type, dataset: `dataset_${type.toLowerCase()}` });

/** What was found of three types, each of the build that is named. */
function known(builds: Readonly<Record<string, string | null>>): Validation {
  return {
    ...{ version: 1, build: "2", at: "2026-01-02T00:00:00.000Z" },
    results: TYPES.map((type) => ({ ...about(type), id: type }) as CheckResult),
    profiles: TYPES.map((type) => ({ ...about(type), rows: 1 }) as DatasetProfile),
    types: Object.fromEntries(
      Object.entries(builds).map(([type, build]) => [
        type,
        { about: "0" as never, build, before: null },
      ]),
    ),
  };
}

/** Readers' build: types with the build that made them, and those that are held back. */
function current(
  builds: Readonly<Record<string, string>>,
  blocked: readonly string[] = [],
): Current {
  return {
    types: Object.fromEntries(Object.entries(builds).map(([type, build]) => [type, { build }])),
    blocked: blocked.map((type) => ({ type })),
  } as unknown as Current;
}

test.each([
  ["of the build that it is about", { FitbitDevices: "1" }, [], TYPES],
  ["not of one that was built since", { FitbitDevices: "3" }, [], ["SymptomLog", "FitbitEcg"]],
  ["of one that is held back, though readers have another", {}, ["FitbitDevices"], TYPES],
  ["not of one that readers have no more", {}, [], ["SymptomLog", "FitbitEcg"]],
])("toldOf(known, current) tells %s", (_name, devices, blocked, told) => {
  const found = toldOf(
    known({ SymptomLog: "2", FitbitDevices: "1", FitbitEcg: null }),
    current({ SymptomLog: "2", ...devices }, blocked),
  );
  expect(found.checks.map(({ type }) => type)).toEqual(told);
  expect([...found.profiles.keys()]).toEqual(told.map((type) => about(type).dataset));
});

test("toldOf(known, current) tells nothing where nothing is known", () => {
  expect(toldOf(null, current({ SymptomLog: "2" }))).toEqual({ checks: [], profiles: new Map() });
});
