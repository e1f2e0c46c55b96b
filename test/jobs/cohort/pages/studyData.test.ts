import { beforeAll, describe, expect, test } from "vitest";

import { comparedDataset, compareResult } from "../support/compareSample.ts";
import { schemaFaults } from "../support/jsonSchema.ts";
import { check, studyFiles } from "../support/studyPages.ts";
import { studyFacts } from "../support/studySample.ts";

const MANY = { adults_v1: 20, pediatric_v1: 20 };

let files: ReadonlyMap<string, string>;
beforeAll(async () => {
  const members = [
    { type: "FitbitSleepLogs", lines: 10, aside: 2 },
    { type: "FitbitDevices", lines: 3 },
    { type: "HealthKitV2Samples_Deleted", lines: 4 },
  ];
  const facts = studyFacts({
    today: "2026-01-13",
    exports: [
      { cohort: "adults_v1", day: "2026-01-12", members },
      {
        ...{ cohort: "pediatric_v1", day: "2026-01-13", members },
        findings: [{ code: "no_manifest", member: null }],
      },
    ],
    datasets: [
      { type: "FitbitSleepLogs", rows: 16, people: MANY },
      { type: "FitbitDevices", rows: 6, people: { adults_v1: 2 } },
    ],
    checks: [
      check({
        type: "FitbitSleepLogs",
        dataset: "dataset_fitbitsleeplogs",
        outcome: "failed",
        unexpected: 3,
      }),
    ],
  });
  const compared = compareResult(
    [
      comparedDataset("FitbitSleepLogs", { onlyMain: 2, unequal: 1 }),
      comparedDataset("FitbitDevices", { onlyMain: 7 }),
    ],
    ["FitbitDevices"],
  );
  files = await studyFiles(
    facts,
    { "devices-value": [{ at: "2026-01-12T00:00:00Z", value: 1 }] },
    compared,
  );
});

const read = (path: string): Record<string, unknown> =>
  JSON.parse(files.get(path) ?? "null") as Record<string, unknown>;

describe("data beside the pages", () => {
  test.each([
    "index",
    "checks",
    "compare",
    "FitbitSleepLogs",
    "FitbitDevices",
    "EnrolledParticipants",
  ])("is as its schema says: %s", (name) => {
    const value = read(`data/${name}.json`);
    const schema = read(`data/${String(value["$schema"])}`);
    expect(schemaFaults(schema, value)).toEqual([]);
    expect(value["schema"]).toMatch(/^hdash\/cohort/);
  });

  test("is held by its schema: another value is found", () => {
    const value = { ...read("data/index.json"), isAccountedFor: "yes", leastPeople: -1, more: 1 };
    expect(schemaFaults(read("data/index.schema.json"), value)).toEqual([
      "it.leastPeople is too small: -1",
      'it.isAccountedFor is no boolean: "yes"',
      "it has more, of which nothing is said",
    ]);
  });

  test.each(["exports", "members", "record-counts", "checks"])(
    "has a column for each that is described: %s.csv",
    (name) => {
      const [head = "", ...rows] = (files.get(`data/${name}.csv`) ?? "")
        .replace("\ufeff", "")
        .trimEnd()
        .split("\r\n");
      const { url, tableSchema } = read(`data/${name}.csv-metadata.json`) as {
        readonly url: string;
        readonly tableSchema: {
          readonly columns: readonly { readonly name: string; readonly datatype: string }[];
        };
      };
      expect(url).toBe(`${name}.csv`);
      expect(head.split(",")).toEqual(tableSchema.columns.map((column) => column.name));
      expect(rows.length).toBeGreaterThan(0);
      for (const row of rows) {
        const cells = row.split(",");
        expect(cells).toHaveLength(tableSchema.columns.length);
        tableSchema.columns.forEach(({ datatype }, at) => {
          if (datatype === "integer") expect(cells[at]).toMatch(/^\d*$/);
          if (datatype === "date") expect(cells[at]).toMatch(/^(\d{4}-\d\d-\d\d)?$/);
          if (datatype === "boolean") expect(cells[at]).toMatch(/^(true|false)$/);
        });
      }
    },
  );

  test("tells of a comparison what may be told", () => {
    const { datasets, days } = read("data/compare.json") as {
      readonly datasets: readonly unknown[];
      readonly days: unknown;
    };
    expect(datasets).toMatchObject([
      { type: "FitbitSleepLogs", isSame: false, rows: { onlyMain: 2, someUnequal: 1 } },
      { type: "FitbitDevices", isSame: false, rows: null, duplicates: null },
    ]);
    expect(days).toEqual({
      onlyStaging: {},
      onlyMain: { "2026-01-12": 2 },
      unequal: { "2026-01-12": 1 },
    });
    expect([...files.keys()].filter((path) => path.startsWith("figures/compare-")).sort()).toEqual(
      ["columns", "days", "rows"].flatMap((name) => [
        `figures/compare-${name}.png`,
        `figures/compare-${name}.svg`,
      ]),
    );
  });
});
