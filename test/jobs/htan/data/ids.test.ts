import { describe, expect, test } from "vitest";

import { isDerivedId, isSpecimenLike, splitIds } from "../../../../src/jobs/htan/data/ids.ts";

describe("isDerivedId(id)", () => {
  test.each([
    ["HTA1_1_1", true],
    ["HTA99_0000_0000", true],
    ["HTA3_EXT7_12", true],
    ["HTA3_8001", false],
    ["HTA0_1_1", false],
    ["HTA100_1_1", false],
    ["HTA3_xxxx_1", false],
    ["HTA3__1", false],
    ["HTA3_1_", false],
    ["HTA3_1_1_1", false],
    ["HTA3_1_EXT1", false],
    [" HTA3_1_1", false],
    ["HTA3_1_1\n", false],
    ["hta3_1_1", false],
    ["", false],
  ])("tells %j: %s", (id, isDerived) => {
    expect(isDerivedId(id)).toBe(isDerived);
  });
});

describe("isSpecimenLike(parentId)", () => {
  test.each([
    ["HTA3_8001", false],
    ["HTA3_EXT7", false],
    ["HTA3-bad", false],
    ["", false],
    ["HTA3_8001_1", true],
    ["HTA3_xxxx_1", true],
    ["HTA3_1;HTA3_2", true],
  ])("tells %j: %s", (id, isSpecimen) => {
    expect(isSpecimenLike(id)).toBe(isSpecimen);
  });
});

describe("splitIds(cell)", () => {
  test.each([
    ["", []],
    ["  ", []],
    [" a ", ["a"]],
    ["a;b", ["a", "b"]],
    ["a, b;c ,", ["a", "b", "c"]],
    ["a b", ["a b"]],
  ])("splits %j", (cell, ids) => {
    expect(splitIds(cell)).toEqual(ids);
  });
});
