import { describe, expect, test } from "vitest";

import { nameFindings } from "../../../../src/jobs/cohort/data/exportName.ts";

describe("nameFindings(name)", () => {
  test.each([
    ["2026-99-99T05--00--08Z_a", true],
    ["2026-02-30", true],
    ["2025-02-29_a", true],
    ["2026-00-01", true],
    ["2024-02-29T05--00--08Z_a", false],
    ["2026-01-11T05%3A02%3A08Z", false],
    ["export", false],
    ["20269999", false],
    ["a_2026-99-99", false],
  ])("finds a day that there is not in %s: %s", (name, expected) => {
    expect(nameFindings(name)).toHaveLength(expected ? 1 : 0);
  });
});
