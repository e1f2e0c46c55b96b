import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import {
  compareColumns,
  type ComparedTable,
  comparedTables,
  OUTER,
} from "../../../../src/jobs/cohort/data/comparedTables.ts";
import { shapeOf } from "../../../../src/jobs/cohort/data/recordShape.ts";
import { readSchema } from "../../../../src/jobs/cohort/data/schema.ts";
import { SCHEMA_FILE } from "../support/cohortRig.ts";

const { types, tie } = readSchema(readFileSync(SCHEMA_FILE, "utf8"), SCHEMA_FILE);

function tablesOf(name: string): readonly ComparedTable[] {
  const type = types.get(name);
  if (type === undefined) throw new Error(`no ${name}`);
  return comparedTables(shapeOf(type, tie));
}

describe("comparedTables(shape)", () => {
  test("matches children on their place, and those in an element on the element's, too", () => {
    const key = ["ParticipantIdentifier", "StartTimeInSeconds"];
    const parent = "dataset_garminhealthsnapshotsummary";
    expect(tablesOf("GarminHealthSnapshotSummary")).toEqual([
      {
        ...{ type: "GarminHealthSnapshotSummary", dataset: parent, key },
        ...{ parent: null, parentDataset: null, surrogate: null },
        ignored: new Set(["Summaries"]),
      },
      {
        ...{ type: "GarminHealthSnapshotSummary", dataset: `${parent}_summaries` },
        ...{ key: [...key, "index"], parent: 0, parentDataset: parent, surrogate: "Summaries" },
        ignored: new Set(["id", "EpochSummaries"]),
      },
      {
        type: "GarminHealthSnapshotSummary",
        dataset: `${parent}_summaries_val_epochsummaries`,
        ...{ key: [...key, OUTER, "index"], parent: 1, parentDataset: `${parent}_summaries` },
        ...{ surrogate: "EpochSummaries", ignored: new Set(["id"]) },
      },
    ]);
  });
});

describe("compareColumns(table, sides)", () => {
  const [table] = tablesOf("FitbitDevices");
  const columns = (...names: readonly string[]) => names.map((name) => ({ name, type: "string" }));
  const whole = columns("ParticipantIdentifier", "Date", "Device", "Battery");

  test.each([
    [whole, columns("Charge"), "the two have no column in common"],
    [[], [], "the two have no column in common"],
    [
      columns("ParticipantIdentifier", "Device"),
      whole,
      "rows are matched on Date, and staging has no such column",
    ],
    [
      whole,
      columns("ParticipantIdentifier", "Date"),
      "rows are matched on Device, and main has no such column",
    ],
    [whole, [...whole, ...columns("Battery")], "it has the column Battery twice"],
  ])("refuses what cannot be compared (%#)", (staging, main, what) => {
    expect(table?.key.toSorted()).toEqual(["Date", "Device", "ParticipantIdentifier"]);
    if (table === undefined) return;
    const refused = expect.objectContaining({
      kind: "usage",
      message: `dataset_fitbitdevices cannot be compared: ${what}`,
    }) as unknown;
    let error: unknown = null;
    try {
      compareColumns(table, { staging, main });
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toEqual(refused);
  });
});
