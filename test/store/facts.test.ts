import { describe, expect, test } from "vitest";

import { digestOfJson } from "../../src/digest.ts";
import type { Finding } from "../../src/finding.ts";
import { digestFacts, makeFacts } from "../../src/store/facts.ts";

const finding = (given: Partial<Finding> = {}): Finding => ({
  rule: "H_LINKS",
  severity: "error",
  subject: "syn1",
  row: 2,
  message: "syn1 row 2 names HTA1_1, which does not exist",
  fields: { value: "HTA1_1" },
  ...given,
});
const identity = digestOfJson({ rule: "H_LINKS", subject: "syn1", fields: { value: "HTA1_1" } });

describe("makeFacts(findings, measures)", () => {
  test("identifies a finding by rule, subject and fields, and numbers repeats", () => {
    const { findings } = makeFacts(
      [
        finding(),
        finding({ row: 9, message: "other words", severity: "warning" }),
        finding({ subject: "syn2" }),
        finding({ row: 10 }),
      ],
      [],
    );
    const other = digestOfJson({ rule: "H_LINKS", subject: "syn2", fields: { value: "HTA1_1" } });
    expect(findings.map((found) => found.identity)).toEqual([
      `${identity}:0`,
      `${identity}:1`,
      `${other}:0`,
      `${identity}:2`,
    ]);
  });

  test("replaces what the ledger cannot hold", () => {
    const { findings, measures } = makeFacts(
      [finding({ message: "nul \0", subject: "\ud800", fields: { "a\0": "b\0" } })],
      [{ subject: "s\0", name: "n", value: 1 }],
    );
    expect(findings[0]).toMatchObject({
      message: "nul \uFFFD",
      subject: "\uFFFD",
      fields: { "a\uFFFD": "b\uFFFD" },
    });
    expect(measures).toEqual([{ subject: "s\uFFFD", name: "n", value: 1 }]);
  });

  test("keeps the last value of a measure, in the order of names", () => {
    const measure = (name: string, value: number) => ({ subject: "HTA1", name, value });
    expect(makeFacts([], [measure("b", 1), measure("a", 2), measure("b", 3)]).measures).toEqual([
      measure("a", 2),
      measure("b", 3),
    ]);
  });

  test.each([NaN, Infinity])("refuses the measure %d", (value) => {
    expect(() => makeFacts([], [{ subject: "HTA1", name: "files", value }])).toThrow(
      `the measure files of HTA1 is ${value}`,
    );
  });
});

describe("digestFacts(facts)", () => {
  test("is null for nothing, and differs for whatever is said", () => {
    expect(digestFacts(makeFacts([], []))).toBeNull();
    const digests = [
      makeFacts([finding()], []),
      makeFacts([finding({ row: 3 })], []),
      makeFacts([finding({ severity: "info" })], []),
      makeFacts([], [{ subject: "a", name: "b", value: 1 }]),
      makeFacts([], [{ subject: "a", name: "b", value: 2 }]),
    ].map(digestFacts);
    expect(new Set(digests).size).toBe(5);
    expect(digestFacts(makeFacts([finding()], []))).toBe(digests[0]);
  });
});
