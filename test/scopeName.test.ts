import { describe, expect, test } from "vitest";

import { calledOf } from "../src/scopeName.ts";

describe("calledOf(scope)", () => {
  test.each([
    ["HTA1", "HTAN Boston", "HTA1"],
    ["HTA1", "", "HTA1"],
    ["pbmc3k", "pbmc3k", "pbmc3k"],
    ["K-ln-two", "Köln two", "Köln two"],
    ["10k-PBMC-v3--ab12cd", "10k PBMC (v3)", "10k PBMC (v3)"],
    ["unnamed-77710a", "日本語", "日本語"],
    ["unnamed", "-", "-"],
    ["HTA1", "日本語", "HTA1"],
    ["00000000-0000-4000-8000-000000000001.homo_sapiens", "Human pancreas", "Human pancreas"],
    ["brain", "Human brain", "brain"],
  ])("calls %s, titled %j, %s", (name, title, expected) => {
    expect(calledOf({ name, title })).toBe(expected);
  });
});
