import { describe, expect, test } from "vitest";

import { keptList, keptValue, plainText } from "../../../../src/jobs/htan/data/keptValue.ts";

const LONG = "x".repeat(201);

describe("keptValue(text)", () => {
  test.each([
    ["HTA3_1_1", "HTA3_1_1"],
    ["", ""],
    ["x".repeat(200), "x".repeat(200)],
    [LONG, `${"x".repeat(200)}…`],
    ["a\r\n\tb\nc", "a b c"],
    ["a\0b", "a\uFFFDb"],
    [`${"x".repeat(199)}😀`, `${"x".repeat(199)}…`],
  ])("keeps %j as %j", (text, kept) => {
    expect(keptValue(text)).toBe(kept);
  });
});

describe("keptList(text)", () => {
  const ids = Array.from({ length: 60 }, (_, index) => `HTA3_1_${index}`);

  test("keeps lists of any length", () => {
    expect(keptList(ids.join("; "))).toBe(ids.join("; "));
    expect(keptList(ids.join(","))).toBe(ids.join(","));
  });

  test("cuts what is too long for one of its ids, and what is no list", () => {
    expect(keptList(`${LONG},b`)).toBe(`${"x".repeat(200)}…,b`);
    expect(keptList(`a\n${ids.join(",")}`)).toHaveLength(201);
    expect(keptList("a,\nb")).toBe("a, b");
  });
});

describe("plainText(text)", () => {
  test("replaces what the ledger cannot hold", () => {
    expect(plainText("a\0\0")).toBe("a\uFFFD\uFFFD");
  });
});
