import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { HdashError } from "../../../../src/error.ts";
import { readSchema } from "../../../../src/jobs/cohort/data/schema.ts";
import { SCHEMA_FILE } from "../support/cohortRig.ts";

const TYPE = { key: ["P"], columns: { P: "string", A: { array: { struct: { x: "int" } } } } };
const SCHEMA = { version: 1, cohorts: ["adults_v1"], tie: "T", types: { Thing: TYPE } };

const read = (value: unknown) => readSchema(JSON.stringify(value), "1.json");
const withType = (more: object, name = "Thing") =>
  ({ ...SCHEMA, types: { [name]: { ...TYPE, ...more } } }) as unknown;
const withField = (field: unknown) => withType({ columns: { P: "string", F: field } });

function message(value: unknown): string {
  try {
    read(value);
  } catch (error) {
    if (error instanceof HdashError) return `${error.kind}: ${error.message}`;
    throw error;
  }
  return "no error";
}

describe("readSchema(text, name)", () => {
  test("reads a type with all that it may say", () => {
    const aliases = { "O.v": ["w"], "A.val.x": ["y", "z"], A: ["B"] };
    const columns = {
      ...{ P: "string", O: { struct: { v: "double" }, from: "text" }, A: TYPE.columns.A },
      ...{ L: { array: "boolean", from: "text" } },
      G: { array: { struct: { o: "int", v: "int" } }, from: "offsets" },
    };
    const { types, ...rest } = read({
      ...{ ...SCHEMA, participant: "P", identifying: ["P"] },
      types: {
        Thing: { key: ["P"], columns, aliases, subtyped: true, identifying: ["O_v"] },
        Thing_Deleted: {
          ...{ key: ["P"], columns: { P: "string" }, deletes: "Thing", participant: null },
        },
      },
    });
    expect(rest).toEqual({
      ...{ version: 1, cohorts: ["adults_v1"], tie: "T" },
      ...{ participant: "P", identifying: ["P"] },
    });
    expect([...types.values()]).toEqual([
      {
        ...{ name: "Thing", key: ["P"], deletes: null, isSubtyped: true, fields: columns, aliases },
        ...{ participant: "P", identifying: new Set(["P", "O_v"]) },
      },
      {
        ...{ participant: null, identifying: new Set(["P"]) },
        ...{ name: "Thing_Deleted", key: ["P"], deletes: "Thing", isSubtyped: false },
        ...{ fields: { P: "string" }, aliases: {} },
      },
    ]);
  });

  test("reads the one that is configured", () => {
    const { types } = readSchema(readFileSync(SCHEMA_FILE, "utf8"), SCHEMA_FILE);
    const deleting = [...types.values()].filter(({ deletes }) => deletes !== null);
    expect([types.size, deleting.length]).toEqual([38, 6]);
  });

  test("says of what it is that is no JSON", () => {
    expect(() => readSchema("{", "1.json")).toThrow("1.json is not JSON");
  });

  test.each<[string, unknown]>([
    ["it is no object", []],
    ["it is no object", null],
    ["version is no whole number from 1", { ...SCHEMA, version: 0 }],
    ["version is no whole number from 1", { ...SCHEMA, version: 1.5 }],
    ["version is no whole number from 1", { ...SCHEMA, version: "1" }],
    ["tie names no column", { ...SCHEMA, tie: "" }],
    ["tie names no column", { ...SCHEMA, tie: 1 }],
    ["cohorts is no list of names", { ...SCHEMA, cohorts: [] }],
    ["cohorts is no list of names", { ...SCHEMA, cohorts: ["a", ""] }],
    ["cohorts is no list of names", { ...SCHEMA, cohorts: "a" }],
    ["types is no object", { ...SCHEMA, types: [] }],
    ["types.Thing is no object", { ...SCHEMA, types: { Thing: "x" } }],
    ["types.Th_ing is no name of a type", withType({}, "Th_ing")],
    ["types.1a is no name of a type", withType({}, "1a")],
    ["types.Thing.key is no list of columns", withType({ key: [] })],
    ["types.Thing.key is no list of columns", withType({ key: "P" })],
    ["types.Thing.key names Q, which is no plain column", withType({ key: ["P", "Q"] })],
    ["types.Thing.key names A, which is no plain column", withType({ key: ["A"] })],
    ["types.Thing.key names toString, which is no plain column", withType({ key: ["toString"] })],
    ["types.Thing.columns is no object", withType({ columns: null })],
    ["types.Thing.columns is no object", withType({ columns: ["P"] })],
    ["types.Thing.deletes is no type", withType({ deletes: 1 })],
    ["types.Thing.deletes names Other, which is no type", withType({ deletes: "Other" })],
    ["participant names no column", { ...SCHEMA, participant: "" }],
    ["participant names no column", { ...SCHEMA, participant: ["P"] }],
    ["identifying is no list of columns", { ...SCHEMA, identifying: "P" }],
    ["types.Thing.participant is no column of the key", withType({ participant: "Q" })],
    ["types.Thing.participant is no column of the key", withType({ participant: 1 })],
    ["types.Thing.identifying is no list of columns", withType({ identifying: [1] })],
    ["types.Thing.subtyped is not true or false", withType({ subtyped: "yes" })],
    ["types.Thing.aliases is no object", withType({ aliases: [] })],
    ["types.Thing.aliases.P is no list of names", withType({ aliases: { P: "Q" } })],
    ["types.Thing.aliases has Q, which is no field", withType({ aliases: { Q: ["R"] } })],
    ["types.Thing.aliases has P.x, which is no field", withType({ aliases: { "P.x": ["R"] } })],
    ["types.Thing.aliases has A.x, which is no field", withType({ aliases: { "A.x": ["R"] } })],
    ["types.Thing.columns.F is no type, struct or array", withField("text")],
    ["types.Thing.columns.F is no type, struct or array", withField(null)],
    ["types.Thing.columns.F is no type, struct or array", withField({})],
    [
      "types.Thing.columns.F is no type, struct or array",
      withField({ struct: {}, from: "offsets" }),
    ],
    ["types.Thing.columns.F is no object", withField({ struct: [] })],
    ["types.Thing.columns.F.x is no type, struct or array", withField({ struct: { x: 1 } })],
    ["types.Thing.columns.F.array is no object", withField({ array: "text" })],
    ["types.Thing.columns.F.array is no object", withField({ array: { array: "int" } })],
    [
      "types.Thing.columns.F.array.x is no type, struct or array",
      withField({ array: { struct: { x: 0 } } }),
    ],
    [
      "types.Thing.columns.F.from is neither text nor offsets",
      withField({ struct: {}, from: "csv" }),
    ],
    ["types.Thing.columns.F.array is no object", withField({ array: "int", from: "offsets" })],
    [
      "types.Thing.columns.F is made from offsets, and has not two plain fields",
      withField({ array: { struct: { x: "int" } }, from: "offsets" }),
    ],
    [
      "types.Thing.columns.F is made from offsets, and has not two plain fields",
      withField({ array: { struct: { x: "int", y: { array: "int" } } }, from: "offsets" }),
    ],
  ])("says that %s", (what, value) => {
    expect(message(value)).toBe(`config: 1.json: ${what}`);
  });

  test("wants one key of a type and of what deletes its records", () => {
    const other = { key: ["Q"], columns: { Q: "string" }, deletes: "Thing" };
    expect(message({ ...SCHEMA, types: { Thing: TYPE, Thing_Deleted: other } })).toBe(
      "config: 1.json: types.Thing_Deleted.key is not that of Thing",
    );
  });
});
