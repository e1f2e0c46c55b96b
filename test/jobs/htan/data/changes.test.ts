import { describe, expect, test } from "vitest";

import type { Finding } from "../../../../src/finding.ts";
import { compareFindings } from "../../../../src/jobs/htan/data/changes.ts";

function finding(value: string, row: number | null = null): Finding {
  return {
    rule: "H_LINKS",
    severity: "error",
    subject: "syn1",
    row,
    message: value,
    fields: { value },
  };
}

describe("compareFindings(now, before)", () => {
  test("calls nothing new where there is nothing to compare with", () => {
    expect(compareFindings([finding("a")], null)).toEqual({ isNew: [false], fixed: [] });
  });

  test("finds what came and what went, whatever the rows", () => {
    const before = [finding("a", 2), finding("gone", 3)];
    expect(compareFindings([finding("a", 9), finding("b", 2)], before)).toEqual({
      isNew: [false, true],
      fixed: [finding("gone", 3)],
    });
  });

  test("counts findings that are alike", () => {
    const [one, two] = [finding("a", 2), finding("a", 3)];
    expect(compareFindings([one, two], [one])).toEqual({ isNew: [false, true], fixed: [] });
    expect(compareFindings([one], [one, two])).toEqual({ isNew: [false], fixed: [two] });
  });

  test("tells the same value in another subject apart", () => {
    const moved = { ...finding("a"), subject: "syn2" };
    expect(compareFindings([moved], [finding("a")])).toEqual({
      isNew: [true],
      fixed: [finding("a")],
    });
  });
});
