import { describe, expect, test } from "vitest";

import type { FoundExport } from "../../../../src/jobs/cohort/data/catalog.ts";
import { checkCatalog, checkReadAnew } from "../../../../src/jobs/cohort/data/checks.ts";
import type { CohortState } from "../../../../src/jobs/cohort/data/known.ts";
import { studyFacts } from "../support/studySample.ts";

const DAYS = ["2026-01-11", "2026-01-12", "2026-01-13"];
const facts = (days: readonly string[]) =>
  studyFacts({
    today: "2026-01-13",
    exports: days.map((day) => ({
      ...{ cohort: "adults_v1", day, members: [{ type: "FitbitSleepLogs", lines: 3 }] },
    })),
    datasets: [],
  });
const listed: readonly FoundExport[] = facts(DAYS).listing.exports;
const state = (days: readonly string[], isBuilt: boolean): CohortState => {
  const { catalog, current } = facts(days);
  return { catalog, current: isBuilt ? current : null, segments: {}, validation: null };
};

describe("where the catalog of exports is lost", () => {
  test("nothing is built of it", () => {
    expect(() => checkCatalog(state([], true))).toThrow(/the catalog of exports is lost/);
    expect(() => checkCatalog(state([], false))).not.toThrow();
    expect(() => checkCatalog(state(DAYS, true))).not.toThrow();
  });

  test("nothing is built before every export that is listed has been read anew", () => {
    const { catalog: some } = facts(DAYS.slice(1));
    const { catalog: all } = facts(DAYS);
    expect(() => checkReadAnew(state([], true), some, listed)).toThrow(
      "the catalog of exports was lost, and 1 of 3 exports are not read anew yet: datasets stay as they are",
    );
    expect(() => checkReadAnew(state([], true), all, listed)).not.toThrow();
    // Where it was not lost, an export that could not be read takes nothing away.
    expect(() => checkReadAnew(state(DAYS.slice(1), true), some, listed)).not.toThrow();
    expect(() => checkReadAnew(state([], false), some, listed)).not.toThrow();
  });
});
