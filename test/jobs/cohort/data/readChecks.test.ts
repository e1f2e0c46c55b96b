import { readFileSync } from "node:fs";

import { beforeAll, describe, expect, test } from "vitest";

import { HdashError } from "../../../../src/error.ts";
import { checkChecks, CHECKS_FILE, loadChecks } from "../../../../src/jobs/cohort/checkList.ts";
import type { CheckedDataset } from "../../../../src/jobs/cohort/data/check.ts";
import { checkedDatasets } from "../../../../src/jobs/cohort/data/checkedDatasets.ts";
import { readChecks } from "../../../../src/jobs/cohort/data/readChecks.ts";
import { checkSchema, loadSchemas } from "../../../../src/jobs/cohort/schemas.ts";
import { SCHEMA_FILE } from "../support/cohortRig.ts";

const DEVICES = "dataset_fitbitdevices";
const SYMPTOMS = "dataset_symptomlog_value_symptoms";
const SLEEP = "dataset_fitbitsleeplogs";

let datasets: ReadonlyMap<string, CheckedDataset>;
beforeAll(async () => {
  datasets = checkedDatasets((await loadSchemas(".")).of(null).shapes);
});

const read = (...checks: readonly unknown[]) =>
  readChecks(JSON.stringify({ checks }), "checks.json", datasets);

function problem(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof HdashError && error.kind === "config") return error.message;
    throw error;
  }
  return "none";
}

describe("readChecks(text, file, datasets)", () => {
  test("reads an entry of each kind, with what it does not say", () => {
    const checks = read(
      { dataset: DEVICES, check: "between", column: "Battery", max: 5 },
      { dataset: DEVICES, check: "set", column: "Type", values: ["a"], blocks: true },
      { dataset: DEVICES, check: "pattern", column: "Date", pattern: "\\d+", severity: "error" },
      { dataset: DEVICES, check: "unique", columns: ["Date", "Device"], id: "one-a-day" },
      { dataset: DEVICES, check: "not_null", column: "New", undeclared: true },
      { dataset: SLEEP, check: "set", column: "IsMainSleep", values: [true] },
      { dataset: DEVICES, check: "fresh", column: "Date", days: 2 },
      { dataset: DEVICES, check: "row_count", percent: 12.5 },
      { dataset: SYMPTOMS, check: "has_parent", blocks: true, severity: "warning" },
    );
    const plain = { severity: "warning", blocks: false };
    const of = (column: string | null, more: object = plain) => ({
      ...{ dataset: DEVICES, column },
      ...more,
    });
    expect(checks).toEqual([
      { ...of("Battery"), id: `${DEVICES}.Battery.between`, kind: "between", min: null, max: 5 },
      {
        ...of("Type", { severity: "error", blocks: true }),
        ...{ id: `${DEVICES}.Type.set`, kind: "set", values: ["a"] },
      },
      {
        ...of("Date", { severity: "error", blocks: false }),
        ...{ id: `${DEVICES}.Date.pattern`, kind: "pattern", pattern: "\\d+" },
      },
      { ...of(null), id: "one-a-day", kind: "unique", columns: ["Date", "Device"] },
      { ...of("New"), id: `${DEVICES}.New.not_null`, kind: "not_null" },
      {
        ...{ ...plain, dataset: SLEEP, column: "IsMainSleep" },
        ...{ id: `${SLEEP}.IsMainSleep.set`, kind: "set", values: [true] },
      },
      { ...of("Date"), id: `${DEVICES}.Date.fresh`, kind: "fresh", days: 2 },
      { ...of(null), id: `${DEVICES}.row_count`, kind: "row_count", percent: 12.5 },
      {
        ...{ dataset: SYMPTOMS, column: null, severity: "warning", blocks: true },
        ...{ id: `${SYMPTOMS}.has_parent`, kind: "has_parent" },
      },
    ]);
  });

  test.each<[string, unknown]>([
    ["it is no object", 5],
    ['check is "range": it is one of between, set, pattern, unique', { check: "range" }],
    ["check is missing: it is one of", { dataset: DEVICES }],
    ["dataset is missing, and the schema has no such dataset", { check: "exists" }],
    [
      'dataset is "fitbitdevices", and the schema has',
      { check: "exists", dataset: "fitbitdevices" },
    ],
    ["column names no column", { check: "exists", dataset: DEVICES }],
    ["columns is no list of names", { check: "unique", dataset: DEVICES, columns: "Date" }],
    ["columns is no list of names", { check: "unique", dataset: DEVICES, columns: [] }],
    [
      "columns names a column twice",
      { check: "unique", dataset: DEVICES, columns: ["Date", "Date"] },
    ],
    [
      `column names "battery", which ${DEVICES} is not declared to have, but Battery`,
      { check: "exists", dataset: DEVICES, column: "battery" },
    ],
    [
      `column names "cohort", which ${DEVICES} is not declared to have`,
      { check: "not_null", dataset: DEVICES, column: "cohort" },
    ],
    [
      "undeclared is not true or false",
      { check: "exists", dataset: DEVICES, column: "x", undeclared: 1 },
    ],
    [
      "blocks is not true or false",
      { check: "exists", dataset: DEVICES, column: "Date", blocks: 1 },
    ],
    [
      'severity is "info": it is one of error, warning',
      { check: "exists", dataset: DEVICES, column: "Date", severity: "info" },
    ],
    [
      "mins is no field of between, which has id, dataset,",
      { check: "between", dataset: DEVICES, column: "Battery", mins: 1, max: 2 },
    ],
    ["min is missing, and so is max", { check: "between", dataset: DEVICES, column: "Battery" }],
    [
      'min is "1", which is no number',
      { check: "between", dataset: DEVICES, column: "Date", min: "1" },
    ],
    [
      "min is 2, above max, which is 1",
      { check: "between", dataset: DEVICES, column: "Battery", min: 2, max: 1 },
    ],
    [
      "column is true or false, and no number",
      { check: "between", dataset: SLEEP, column: "IsMainSleep", min: 0 },
    ],
    [
      "values is no list of strings",
      { check: "set", dataset: DEVICES, column: "Type", values: [1] },
    ],
    [
      "values is no list of strings",
      { check: "set", dataset: DEVICES, column: "Type", values: [] },
    ],
    [
      "values is no list of booleans",
      { check: "set", dataset: SLEEP, column: "IsMainSleep", values: ["true"] },
    ],
    ["pattern is missing", { check: "pattern", dataset: DEVICES, column: "Date" }],
    [
      'pattern is "(", which is no reg',
      { check: "pattern", dataset: DEVICES, column: "Date", pattern: "(" },
    ],
    [
      'pattern is "a(?!b)": it looks ahead',
      { check: "pattern", dataset: DEVICES, column: "Date", pattern: "a(?!b)" },
    ],
    [
      "column is no text",
      { check: "pattern", dataset: SLEEP, column: "IsMainSleep", pattern: "true" },
    ],
    [
      "column is no text: a date",
      { check: "fresh", dataset: SLEEP, column: "IsMainSleep", days: 1 },
    ],
    [
      "days is -1: it is a number from 0",
      { check: "fresh", dataset: DEVICES, column: "Date", days: -1 },
    ],
    ["percent is missing: it is a number from 0", { check: "row_count", dataset: DEVICES }],
    [
      `dataset is ${DEVICES}, whose rows belong to no other`,
      { check: "has_parent", dataset: DEVICES },
    ],
    ['id is "a b": it has', { check: "exists", dataset: DEVICES, column: "Date", id: "a b" }],
    ["id is 5: it has", { check: "exists", dataset: DEVICES, column: "Date", id: 5 }],
  ])("says %s, of which entry", (expected, entry) => {
    const good = { check: "exists", dataset: DEVICES, column: "Device" };
    const found = problem(() => read(good, entry));
    expect(found).toContain(`checks.json: check 2: ${expected}`);
  });

  test("names all mistakes at once, and ids that are there twice", () => {
    const check = { check: "exists", dataset: DEVICES, column: "Date" };
    expect(problem(() => read(check, check, { ...check, column: "Dat" })).split("\n")).toEqual([
      `checks.json: check 2: id is "${DEVICES}.Date.exists", as that of a check before: give each one of its own`,
      `checks.json: check 3: column names "Dat", which ${DEVICES} is not declared to have`,
    ]);
  });

  test.each(["{", "[]", "null", '{"checks":{}}', '{"checks":[],"more":1}'])(
    "refuses %s",
    (text) => {
      expect(problem(() => readChecks(text, "checks.json", datasets))).toMatch(
        /^checks\.json: it is no/,
      );
    },
  );
});

test("a column that is said to identify people, and that no dataset has, is a mistake of the schema", () => {
  const text = readFileSync(SCHEMA_FILE, "utf8");
  const other = text.replace('"EmailAddress",', '"EmailAdress",');
  expect(problem(() => checkSchema(text, SCHEMA_FILE))).toBe("none");
  expect(problem(() => checkSchema(other, SCHEMA_FILE))).toBe(
    "config/cohort/1.json: identifying names EmailAdress, which no dataset is declared to have",
  );
});

describe("the checks that are configured", () => {
  test("are those of the predecessor, and none of them blocks", async () => {
    const checks = await loadChecks(".", await loadSchemas("."));
    expect(checks.filter(({ kind }) => kind === "between")).toHaveLength(30);
    expect(checks.filter(({ kind }) => kind === "exists")).toHaveLength(1);
    expect(checks.filter(({ blocks }) => blocks)).toEqual([]);
  });

  test("are held against the schema beside them where they are uploaded", () => {
    const text = readFileSync(CHECKS_FILE, "utf8");
    const beside = (file: string): string => readFileSync(file, "utf8");
    expect(problem(() => checkChecks(text, beside))).toBe("none");
    const other = text.replace('"Steps"', '"Stepz"');
    expect(problem(() => checkChecks(other, beside))).toContain('check 3: column names "Stepz"');
    // What is wrong with the schema is said of the schema.
    expect(problem(() => checkChecks(other, () => null))).toBe("none");
  });

  test("that are not there are named", async () => {
    const schemas = await loadSchemas(".");
    await expect(loadChecks("nowhere", schemas)).rejects.toThrow(
      "config/cohort/checks.json cannot be read",
    );
  });
});
