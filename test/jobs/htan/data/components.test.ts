import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { readComponents } from "../../../../src/jobs/htan/data/components.ts";

const table = JSON.parse(
  readFileSync(join(import.meta.dirname, "../../../../config/htan_components.json"), "utf8"),
) as Record<string, unknown>[];
const demographics = table[0];

describe("readComponents(json)", () => {
  test("reads the table that comes with hdash, in its order", () => {
    const { list, byName } = readComponents(table);
    expect(list.map(({ component }) => component)).toEqual(table.map(({ component }) => component));
    expect(byName.get("Demographics")).toEqual({
      ...{ component: "Demographics", kind: "clinical", group: "clinical_tier_1_2" },
      ...{ abbreviation: "D", primaryIdColumn: "HTAN Participant ID", parentIdColumns: [] },
      ...{ adjacentIdColumn: null, isRare: false, older: null },
    });
    expect(byName.get("MicroarrayLevel2")).toMatchObject({
      parentIdColumns: ["HTAN Parent Data File ID", "HTAN Parent Biospecimen ID"],
      isRare: true,
    });
    expect(byName.get("Biospecimen")?.parentIdColumns).toEqual(["HTAN Parent ID"]);
  });

  test.each([
    [null, "the component table is no list but null"],
    [{}, "the component table is no list but object"],
    ["x", "the component table is no list but string"],
  ])("refuses %j", (json, message) => {
    expect(() => readComponents(json)).toThrow(
      expect.objectContaining({ kind: "config", message }),
    );
  });

  test("names everything that is wrong at once", () => {
    const json = [
      demographics,
      7,
      { ...demographics, abbreviation: "", kind: "other", parentIdColumn: undefined },
      { ...demographics, group: 3, adjacentIdColumn: "" },
      demographics,
      [],
    ];
    expect(() => readComponents(json)).toThrow(
      expect.objectContaining({
        kind: "config",
        message:
          "the component table is wrong: entry 2 is no object but number; " +
          'entry 3: kind is none of clinical, biospecimen, assay, table, publication but "other"; ' +
          'entry 3: abbreviation is no text but ""; entry 3: parentIdColumn is no text but missing; ' +
          'entry 4: group is no text but 3; entry 4: adjacentIdColumn is no text but ""; ' +
          'entry 6 is no object but a list; component "Demographics" is there twice; abbreviation "D" is there twice',
      }),
    );
  });
});
