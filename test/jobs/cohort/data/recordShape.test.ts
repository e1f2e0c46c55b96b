import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { columnsOf } from "../../../../src/jobs/cohort/data/columns.ts";
import {
  carriedColumns,
  looseName,
  pathName,
  shapeOf,
} from "../../../../src/jobs/cohort/data/recordShape.ts";
import { type DataType, type Fields, readSchema } from "../../../../src/jobs/cohort/data/schema.ts";
import { FIXTURE, SCHEMA_FILE } from "../support/cohortRig.ts";

/** A type as the tables of the predecessor have it. */
interface Table {
  readonly key: readonly string[];
  readonly columns: Fields;
  readonly deletes?: string;
  readonly children?: Readonly<
    Record<string, { readonly path: string; readonly columns: Readonly<Record<string, string>> }>
  >;
}
const TABLES = JSON.parse(readFileSync(`${FIXTURE}/recover-tables.json`, "utf8")) as Readonly<
  Record<string, Table>
>;
const SCHEMA = readSchema(readFileSync(SCHEMA_FILE, "utf8"), SCHEMA_FILE);

type Column = readonly [name: string, type: string];

/** Columns of a parent: a struct's fields by their path, an array as a number. */
function flat(fields: Fields, below = ""): readonly Column[] {
  return Object.entries(fields).flatMap(([name, field]): readonly Column[] => {
    if (typeof field === "string") return [[below + name, field]];
    return "array" in field ? [[below + name, "int"]] : flat(field.struct, `${below}${name}_`);
  });
}

/** The later of two names that are equal without regard to case has a number: "workoutname" beside "WorkoutName". */
const numbered = (columns: readonly Column[]): readonly Column[] =>
  columns.map(([name, type], at) => {
    const before = columns.slice(0, at).filter(([one]) => one.toLowerCase() === name.toLowerCase());
    return [before.length === 0 ? name : `${name}_${before.length}`, type];
  });

const made = (columns: ReturnType<typeof columnsOf>): readonly Column[] =>
  columns.map(({ name, type }) => [name, type === "surrogate" ? "int" : type]);

const thing = (fields: Fields, more: Partial<DataType> = {}): DataType => ({
  ...{
    name: "Thing",
    key: ["P"],
    deletes: null,
    isSubtyped: false,
    aliases: {},
    participant: null,
    identifying: new Set<string>(),
  },
  fields: { P: "string", ...fields },
  ...more,
});

describe("shapeOf(type, tie)", () => {
  test("lays out all 38 types, in their order", () => {
    expect([...SCHEMA.types.keys()]).toEqual(Object.keys(TABLES));
    expect(SCHEMA.types.size).toBe(38);
  });

  test("makes the datasets and columns of the predecessor's tables, in their order", () => {
    let datasets = 0;
    for (const [name, { key, columns, children = {}, deletes = null }] of Object.entries(TABLES)) {
      const type = SCHEMA.types.get(name) as DataType;
      const shape = shapeOf(type, SCHEMA.tie);
      const names = [`dataset_${name.toLowerCase()}`, ...Object.keys(children)];
      expect([name, type.key, type.deletes]).toEqual([name, key, deletes]);
      expect(shape.tables.map(({ dataset }) => dataset)).toEqual(names);
      const wanted = [
        flat(columns),
        ...Object.values(children).map((one) => Object.entries(one.columns)),
      ];
      shape.tables.forEach((table, at) => {
        const own = Object.values(children)[at - 1];
        expect([table.dataset, table.path]).toEqual([table.dataset, own?.path ?? ""]);
        expect([table.dataset, made(columnsOf(shape, at, new Set()))]).toEqual([
          table.dataset,
          numbered(wanted[at] ?? []),
        ]);
        if (deletes === null) datasets++;
      });
    }
    expect(datasets).toBe(59);
  });

  test("says which table and column an array's elements belong to", () => {
    const type = thing({ O: { struct: { L: { array: { struct: { M: { array: "int" } } } } } } });
    const { tables } = shapeOf(type, "T");
    expect(
      tables.map(({ dataset, path, parent, column }) => [dataset, path, parent, column]),
    ).toEqual([
      ["dataset_thing", "", null, null],
      ["dataset_thing_o_l", "O.L", 0, 1],
      ["dataset_thing_o_l_val_m", "O.L.val.M", 1, 0],
    ]);
    expect(tables.map(({ columns }) => columns)).toEqual([
      [
        { name: "P", type: "string" },
        { name: "O_L", type: "surrogate" },
      ],
      [{ name: "M", type: "surrogate" }],
      [{ name: "M_val", type: "int" }],
    ]);
  });

  test("knows keys and the tie at the top alone", () => {
    const type = thing({ T: "string", O: { struct: { P: "string", T: "string" } } });
    const { root } = shapeOf(type, "T");
    const [p, t, o] = root.nodes;
    expect([p, t]).toMatchObject([
      { isKey: true, isTie: false },
      { isKey: false, isTie: true },
    ]);
    expect(o).toMatchObject({
      nodes: [
        { isKey: false, isTie: false, path: "O.P" },
        { isKey: false, isTie: false },
      ],
    });
    expect(shapeOf(thing({ T: "int" }), "T").root.nodes[1]).toMatchObject({ isTie: false });
  });

  test("takes an exact name before another's former name", () => {
    const type = thing(
      { A: "string", B: "string" },
      { aliases: { A: ["b", "C", " c "], B: ["D"] } },
    );
    const { loose } = shapeOf(type, "T").root;
    expect(Object.fromEntries(loose)).toEqual({ p: 0, a: 1, b: 2, c: 1, d: 2 });
  });

  test("refuses arrays that lie three deep", () => {
    const deep = {
      array: { struct: { M: { array: { struct: { N: { array: "int" } } } } } },
    } as const;
    expect(() => shapeOf(thing({ L: deep }), "T")).toThrow(
      "Thing: L.val.M.val.N is an array in an array in an array",
    );
  });
});

describe("carriedColumns(type)", () => {
  test("are the key, and the participant's other identifier where it is text", () => {
    expect(carriedColumns(thing({}))).toEqual(["P"]);
    expect(carriedColumns(thing({ ParticipantID: "string" }))).toEqual(["P", "ParticipantID"]);
    expect(carriedColumns(thing({ ParticipantID: { struct: {} } }))).toEqual(["P"]);
    const keyed = thing({ ParticipantID: "string" }, { key: ["ParticipantID", "P"] });
    expect(carriedColumns(keyed)).toEqual(["ParticipantID", "P"]);
  });
});

describe("looseName(name) and pathName(path)", () => {
  test("leave case, white space and points behind", () => {
    expect(looseName(" With\tings\u00a0LINK ")).toBe("withingslink");
    expect(pathName("A.val.B")).toBe("A_val_B");
  });
});
