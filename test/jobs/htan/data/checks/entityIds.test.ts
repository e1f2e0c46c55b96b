import { describe, expect, test } from "vitest";

import { analyseAtlas } from "../../../../../src/jobs/htan/data/analyse.ts";
import { decodeEntityIds, encodeEntityIds } from "../../../../../src/jobs/htan/data/entityIds.ts";
import type { Manifest } from "../../../../../src/jobs/htan/data/manifest.ts";
import { components } from "../../fixtureWorld.ts";
import { ASSAY, ATLAS, NO_FILES, rowsOf, sound } from "../../given.ts";

async function foundOf(files: readonly number[], ...manifests: readonly Promise<Manifest>[]) {
  const read = await Promise.all([...sound(), ...manifests]);
  const entities = decodeEntityIds(encodeEntityIds(files));
  const { findings } = analyseAtlas(ATLAS, NO_FILES, read, components, { entities });
  return findings.map(({ rule, row, subject, message }) => [rule, subject, row, message]);
}

describe("checkEntityIds(subject) with the files of the project", () => {
  test("finds files that are none of the project's, and files that two records have", async () => {
    const found = await foundOf(
      [20, 21, 22],
      rowsOf(
        "syn5",
        "ScRNA-seqLevel1",
        ASSAY,
        ["HTA3_1_10", "HTA3_1_1", "syn20"],
        ["HTA3_1_11", "HTA3_1_1", "syn99"],
        ["HTA3_1_12", "HTA3_1_1", "syn20"],
        ["HTA3_1_13", "HTA3_1_1", "syn21x"],
        ["HTA3_1_14", "HTA3_1_1", "nope"],
      ),
      rowsOf("syn6", "ImagingLevel1", ASSAY, ["HTA3_1_15", "HTA3_1_1", "syn20"]),
    );
    const of = "The entityId of a record of";
    expect(found).toEqual([
      [
        "H_ENTITY_ID",
        "syn5",
        3,
        `${of} ScRNA-seqLevel1 is syn99, which is no file of this project.`,
      ],
      [
        "H_ENTITY_ID",
        "syn5",
        4,
        `${of} ScRNA-seqLevel1 is syn20, which is already the file of row 2 of ScRNA-seqLevel1 (syn5).`,
      ],
      [
        "H_ENTITY_ID",
        "syn5",
        5,
        `${of} ScRNA-seqLevel1 is syn21x, which is no file of this project.`,
      ],
      [
        "H_ENTITY_ID",
        "syn5",
        6,
        `${of} ScRNA-seqLevel1 is no Synapse id (syn and digits); what stands there is shown nowhere, since it may name a person.`,
      ],
      [
        "H_ENTITY_ID",
        "syn6",
        2,
        `${of} ImagingLevel1 is syn20, which is already the file of row 2 of ScRNA-seqLevel1 (syn5).`,
      ],
    ]);
  });

  test("lets the rows of a table be in one file", async () => {
    const header = ["HTAN Channel Metadata ID", "entityId"];
    const rows = [
      ["HTA3_0000_9", "syn20"],
      ["HTA3_0000_9", "syn20"],
    ] as const;
    expect(await foundOf([20], rowsOf("syn5", "ImagingLevel3Channels", header, ...rows))).toEqual(
      [],
    );
  });
});

describe("encodeEntityIds(numbers) and decodeEntityIds(text)", () => {
  test("keep every id and no other, in whatever order and however often it is given", () => {
    const numbers = [7, 999_999_999_999_999, 1, 7, 52_861_417];
    const ids = decodeEntityIds(encodeEntityIds(numbers));
    expect(numbers.map((number) => ids.has(number))).toEqual([true, true, true, true, true]);
    expect([0, 2, 6, 8, 52_861_416, NaN].map((number) => ids.has(number))).toEqual(
      Array.from({ length: 6 }, () => false),
    );
    expect(decodeEntityIds(encodeEntityIds([])).has(0)).toBe(false);
  });

  test("take some characters for a file", () => {
    const numbers = Array.from({ length: 10_000 }, (_, at) => 50_000_000 + at * 3);
    expect(encodeEntityIds(numbers).length).toBeLessThan(30_000);
  });
});
