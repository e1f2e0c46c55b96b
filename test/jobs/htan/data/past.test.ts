import { describe, expect, test } from "vitest";

import { joinPresent } from "../../../../src/jobs/htan/data/past.ts";

function version(day: number, factsDigest: string) {
  return {
    runId: String(day),
    startedAt: `2025-03-0${day}`,
    factsDigest,
    measures: { errors: day },
  };
}

describe("joinPresent(known, present, most)", () => {
  const known = [version(1, "a"), version(2, "b"), version(3, "a")];

  test("adds facts that are new, and compares them with the newest known", () => {
    const joined = joinPresent(known, version(4, "c"), 60);
    expect(joined.versions.map(({ startedAt }) => startedAt)).toEqual([
      "2025-03-01",
      "2025-03-02",
      "2025-03-03",
      "2025-03-04",
    ]);
    expect(joined.beforeRunId).toBe("3");
  });

  test("lets facts that stand keep their day, and compares them with what was before them", () => {
    const joined = joinPresent(known, version(4, "a"), 60);
    expect(joined.versions.at(-1)).toEqual({ startedAt: "2025-03-03", measures: { errors: 4 } });
    expect(joined.versions).toHaveLength(3);
    expect(joined.beforeRunId).toBe("2");
  });

  test("has nothing to compare the first facts with", () => {
    expect(joinPresent([], version(1, "a"), 60)).toEqual({
      versions: [{ startedAt: "2025-03-01", measures: { errors: 1 } }],
      beforeRunId: null,
    });
  });

  test("gives the same when a run follows in which nothing moved, also where the past is cut", () => {
    const changed = joinPresent(known, version(4, "c"), 3);
    // What the ledger tells of at most three versions once that run has finished.
    const later = joinPresent([...known, version(4, "c")].slice(-3), version(5, "c"), 3);
    expect(changed.versions.map(({ startedAt }) => startedAt)).toEqual(
      later.versions.map(({ startedAt }) => startedAt),
    );
    expect(later.beforeRunId).toBe(changed.beforeRunId);
  });
});
