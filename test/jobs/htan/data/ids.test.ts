import { describe, expect, test } from "vitest";

import {
  atlasOfId,
  exampleIds,
  isAtlasId,
  isDerivedId,
  isIdLike,
  isParticipantId,
  isSpecimenLike,
  onlyIds,
  splitIds,
} from "../../../../src/jobs/htan/data/ids.ts";

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
    ["HTA204_1_B1", true],
    ["HTA200_0000_D7", true],
    ["HTA209_EXT12_B3", true],
    ["HTA204_0000_2_EXT1_D2", true],
    ["HTA204_B1", false],
    ["HTA204_1_1", false],
    ["HTA204_1_E1", false],
    ["HTA204_1_b1", false],
    ["HTA210_1_B1", false],
    ["HTA3_1_B1", false],
    ["", false],
  ])("tells %j: %s", (id, isDerived) => {
    expect(isDerivedId(id)).toBe(isDerived);
  });

  test("tells specimens from files where phase 2 does", () => {
    const kinds = ["specimen", "file", "any"] as const;
    const all = (id: string) => kinds.map((kind) => isDerivedId(id, kind));
    expect(all("HTA204_1_B1")).toEqual([true, false, true]);
    expect(all("HTA204_1_D1")).toEqual([false, true, true]);
    expect(all("HTA3_1_1")).toEqual([true, true, true]);
  });
});

describe("isAtlasId(id) and isParticipantId(id)", () => {
  test.each([
    ["HTA1", true],
    ["HTA16", true],
    ["HTA200", true],
    ["HTA209", true],
    ["HTA100", false],
    ["HTA210", false],
    ["HTA0", false],
    ["HTA3_1", false],
  ])("tell %j: %s", (id, is) => {
    expect([isAtlasId(id), isParticipantId(`${id}_1`)]).toEqual([is, is]);
  });

  test("tell whose record an id would be", () => {
    const ids = ["HTA3_1_1", "HTA204_1", "HTA204_1_B1", "HTA3-1", "unknown", "HTA300_1", ""];
    expect(ids.map(atlasOfId)).toEqual(["HTA3", "HTA204", "HTA204", null, null, null, null]);
  });
});

describe("exampleIds(atlasId)", () => {
  test("gives ids that an atlas of either phase may have", () => {
    for (const atlasId of ["HTA7", "HTA204"]) {
      const { participant, specimen, file } = exampleIds(atlasId);
      expect([participant, specimen, file].map(atlasOfId)).toEqual([atlasId, atlasId, atlasId]);
      expect(isParticipantId(participant)).toBe(true);
      expect([isDerivedId(specimen, "specimen"), isDerivedId(file, "file")]).toEqual([true, true]);
    }
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

describe("isIdLike(text)", () => {
  test.each([
    ...["HTA3_1", "HTA3_EXT7_12", "HTA204_1_B1", "HTA9_14_BA_L_ROI04", "syn123"],
    ...[
      "HTA3-8001_12",
      "hta3 8001 12",
      "HTAN3_1",
      "HTA3_80O1_x",
      "HTA3_1|HTA3_2",
      "HTA3.1.2",
      "HTA3_1_1.",
    ],
  ])("takes %s for an id, or a slip of one", (text) => {
    expect(isIdLike(text)).toBe(true);
  });

  test.each([
    ...["", "MRN 0000-000", "12345678", "John Example", "HTA3_Example", "HTA3 1900-01-01"],
    ...["HTA3_01/02/1950", "HTA3_1 (Example)", "A1B2", "synapse", `HTA3-${"1_".repeat(30)}`],
    "HTA3-123456789012345",
  ])("takes %s for something else", (text) => {
    expect(isIdLike(text)).toBe(false);
  });
});

describe("onlyIds(cell)", () => {
  test.each([
    ["HTA3_1", "HTA3_1", true],
    ["HTA3_1; HTA3-2", "HTA3_1; HTA3-2", true],
    ["Not Reported", "Not Reported", true],
    ["Not allowed to collect", "Not allowed to collect", true],
    ["not applicable (see Example Person)", "Not Applicable", true],
    ["Not John", "", false],
    ["HTA3_1, Example Person, HTA3_2", "HTA3_1;HTA3_2", false],
    [";", ";", true],
  ])("leaves of %j: %j, whole: %j", (cell, ids, isWhole) => {
    expect(onlyIds(cell)).toEqual({ ids, isWhole });
  });
});
