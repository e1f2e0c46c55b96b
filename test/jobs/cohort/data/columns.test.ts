import { describe, expect, test } from "vitest";

import { columnsOf } from "../../../../src/jobs/cohort/data/columns.ts";
import { shapeOf } from "../../../../src/jobs/cohort/data/recordShape.ts";
import type { Fields } from "../../../../src/jobs/cohort/data/schema.ts";

const shape = (fields: Fields) =>
  shapeOf(
    {
      ...{
        name: "Thing",
        key: ["P", "N"],
        deletes: null,
        isSubtyped: false,
        aliases: {},
        participant: null,
        identifying: new Set<string>(),
      },
      fields: { P: "string", N: "int", ...fields },
    },
    "T",
  );
const names = (fields: Fields, table: number, ...extras: readonly string[]): readonly string[] =>
  columnsOf(shape(fields), table, new Set(extras)).map(({ name }) => name);
const below = (...path: readonly string[]): string => path.join("\u001f");

const LIST = { L: { array: { struct: { id: "string", v: "double" } } } } as const;
const EXPORT = ["export_start_date", "export_end_date"];

describe("columnsOf(shape, table, extras)", () => {
  test("lists a record's columns with where they come from", () => {
    expect(columnsOf(shape({ A: { array: "int" } }), 0, new Set(["x"]))).toEqual([
      { name: "P", type: "string", source: { kind: "staged", column: 0 } },
      { name: "N", type: "int", source: { kind: "staged", column: 1 } },
      { name: "A", type: "surrogate", source: { kind: "staged", column: 2 } },
      ...EXPORT.map((column) => ({
        ...{ name: column, type: "string", source: { kind: "export", column } },
      })),
      { name: "x", type: "string", source: { kind: "extra", path: "x" } },
    ]);
  });

  test("lists an element's columns with where they come from", () => {
    expect(columnsOf(shape({ ...LIST, ParticipantID: "string" }), 1, new Set())).toEqual([
      { name: "id", type: "int", source: { kind: "id" } },
      { name: "index", type: "int", source: { kind: "index" } },
      { name: "L_id", type: "string", source: { kind: "staged", column: 0 } },
      { name: "v", type: "double", source: { kind: "staged", column: 1 } },
      { name: "P", type: "string", source: { kind: "record", column: "P" } },
      { name: "N", type: "int", source: { kind: "record", column: "N" } },
      {
        name: "ParticipantID",
        type: "string",
        source: { kind: "record", column: "ParticipantID" },
      },
    ]);
  });

  test("puts what nobody declared last, by new name and then by old", () => {
    const extras = ["z", "a b", "a-b", below("O", "x"), "Zed", "ä"];
    expect(names({}, 0, ...extras)).toEqual([
      "P",
      "N",
      ...EXPORT,
      "O_x",
      "Zed",
      "_",
      "a_b",
      "a_b_1",
      "z",
    ]);
    const found = columnsOf(shape({}), 0, new Set(["a-b", "a b"])).slice(-2);
    expect(found.map(({ name, source }) => [name, source])).toEqual([
      ["a_b", { kind: "extra", path: "a b" }],
      ["a_b_1", { kind: "extra", path: "a-b" }],
    ]);
    expect(names({}, 0, ...extras.toReversed())).toEqual(names({}, 0, ...extras));
  });

  test("replaces what readers of SQL do not take in names", () => {
    expect(names({}, 0, "Record Break(s)", "Größe", 'it\'s "x"', "a.b", "").slice(4)).toEqual([
      ...["Gr__e", "Record_Break_s_", "_", "a_b", "it_s__x_"],
    ]);
  });

  test("numbers names that are equal without regard to case", () => {
    expect(
      names({ M: { struct: { foo: "string" } } }, 0, "m_FOO", "Foo", "foo", "FOO", "foo_1"),
    ).toEqual([...["P", "N", "M_foo", ...EXPORT, "FOO", "Foo_1", "foo_2", "foo_1_1", "m_FOO_1"]]);
    expect(names({ a: "string", A: "string" }, 0)).toEqual(["P", "N", "a", "A_1", ...EXPORT]);
    expect(names({}, 0, "COHORT", "p")).toEqual(["P", "N", ...EXPORT, "COHORT_1", "p_1"]);
  });

  test("puts the path before undeclared names that an element has anyway", () => {
    expect(
      names({ L: { array: { struct: {} } } }, 1, "id", "index", "P", "cohort", "ID", "q"),
    ).toEqual([...["id", "index", "P", "N", "ID_1", "L_P", "L_cohort", "L_id", "L_index", "q"]]);
  });

  test("gives none for a table that there is not", () => {
    expect(columnsOf(shape({}), 5, new Set())).toEqual([]);
  });
});
