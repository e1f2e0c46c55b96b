import { describe, expect, test } from "vitest";

import { EMPTY_CATALOG, withEntries } from "../../../../src/jobs/cohort/data/catalog.ts";
import { shapeOf } from "../../../../src/jobs/cohort/data/recordShape.ts";
import type { StagedPart } from "../../../../src/jobs/cohort/data/report.ts";
import { allInputs, typeInputs } from "../../../../src/jobs/cohort/data/typeInput.ts";
import { entry, member, report } from "./cataloguing.ts";

const SHAPES = new Map(
  ["A", "B"].map((name) => [
    name,
    shapeOf(
      {
        ...{
          name,
          key: ["P"],
          deletes: null,
          isSubtyped: false,
          aliases: {},
          participant: null,
          identifying: new Set<string>(),
        },
        fields: { P: "string", L: { array: "int" } },
      },
      "T",
    ),
  ]),
);

const object = (key: string) => ({ key, bytes: 1, sha256: key, etag: null });
const staged = (type: string, ...keys: readonly string[]): StagedPart => ({
  ...{ type, layout: "one" },
  tables: keys.map((key, table) => ({ table, rows: 1, object: object(key) })),
});
const inputs = (...reports: readonly ReturnType<typeof report>[]) =>
  typeInputs(
    withEntries(
      EMPTY_CATALOG,
      reports.map((one) => entry(one)),
    ),
    SHAPES,
  );

describe("typeInputs(catalog, shapes)", () => {
  test("gives every type an input, empty where nobody sent it", () => {
    expect([...inputs().values()]).toEqual(
      ["A", "B"].map((type) => ({
        type,
        parts: [],
        files: [],
        members: [],
        read: {},
        extras: [[], []],
        leftOut: [0, 0],
      })),
    );
  });

  test("names the files of each part, and its members in the order in which they win", () => {
    const first = report(
      "adults_v1/a",
      [member("A_3", { staged: 0 }), member("A_2", { staged: 4 })],
      {
        staged: [staged("A", "a0", "a1"), staged("A", "a2")],
      },
    );
    const second = report("pediatric_v1/b", [member("A_2", { staged: 1, start: "1" })], {
      staged: [staged("A", "b0")],
    });
    const { files, members } = inputs(first, second).get("A") ?? {};
    expect(files).toEqual([
      { part: 0, table: 0, object: object("a0") },
      { part: 0, table: 1, object: object("a1") },
      { part: 1, table: 0, object: object("a2") },
      { part: 2, table: 0, object: object("b0") },
    ]);
    const [adults, pediatric] = [
      { cohort: "adults_v1", start: null },
      { cohort: "pediatric_v1", start: "1" },
    ];
    expect(members).toEqual([
      { part: 0, member: 4, rank: 0, end: "2", ...adults },
      { part: 1, member: 4, rank: 0, end: "2", ...adults },
      { part: 2, member: 1, rank: 1, end: "2", ...pediatric },
      { part: 0, member: 0, rank: 2, end: "3", ...adults },
      { part: 1, member: 0, rank: 2, end: "3", ...adults },
    ]);
  });

  test("leaves out what was sent again, with its files and its undeclared fields", () => {
    const early = report(
      "adults_v1/a",
      [member("A_2", { extras: [["gone"], []] }), member("B_2", { extras: [["x"], ["z", "y"]] })],
      { staged: [staged("A", "a"), staged("B", "b")] },
    );
    const late = report("adults_v1/b", [member("A_2", { extras: [["kept"]] })], {
      staged: [staged("A", "c")],
    });
    const all = inputs(early, late);
    expect(all.get("A")?.files).toEqual([{ part: 0, table: 0, object: object("c") }]);
    expect(all.get("A")?.extras).toEqual([["kept"], []]);
    expect(all.get("B")?.extras).toEqual([["x"], ["y", "z"]]);
  });

  test("leaves out members of no use", () => {
    const { files, members, extras } =
      inputs(
        report(
          "adults_v1/a",
          [
            member("A_2", { status: "bad_member", staged: null, extras: [["x"]] }),
            member("A_3", { status: "bad_member_name", staged: null }),
            member("C_2", { status: "unknown_type", staged: null, extras: [["x"]] }),
            member("A_4", { staged: 7 }),
          ],
          { staged: [staged("A", "a"), staged("C", "c")] },
        ),
      ).get("A") ?? {};
    expect([files?.length, members?.map((one) => one.member), extras]).toEqual([1, [7], [[], []]]);
  });
});

describe("allInputs(catalog, schema, dropped)", () => {
  const digestOf = (
    rows: string,
    {
      start = null as string | null,
      extras = [] as string[][],
      schema = "1",
      dropped = ["x"],
    } = {},
  ) => {
    const members = [member("A_1", { start, extras })];
    const one = report("adults_v1/a", members, { staged: [staged("A", rows)] });
    const catalog = withEntries(EMPTY_CATALOG, [entry(one)]);
    return allInputs(catalog, { name: schema, shapes: SHAPES }, dropped).get("A")?.digest;
  };

  test("gives a digest that differs where anything does that datasets follow from", () => {
    const digests = [
      digestOf("a"),
      digestOf("b"),
      digestOf("a", { start: "1" }),
      digestOf("a", { extras: [["y"], []] }),
      digestOf("a", { schema: "2" }),
      digestOf("a", { dropped: [] }),
    ];
    expect(new Set(digests).size).toBe(digests.length);
    expect(digestOf("a")).toBe(digests[0]);
  });

  test("gives a type the keys that another deletes, and another digest where these differ", () => {
    const deleting = new Map([
      ...SHAPES,
      ["A_Deleted", shapeOf({ ...DELETED, key: ["P"] }, "T")] as const,
    ]);
    const of = (rows: string) => {
      const one = report("adults_v1/a", [member("A_Deleted_1", { type: "A_Deleted" })], {
        staged: [staged("A_Deleted", rows)],
      });
      const catalog = withEntries(EMPTY_CATALOG, [entry(one)]);
      return allInputs(catalog, { name: "1", shapes: deleting }, []).get("A");
    };
    expect(of("a")?.deletions?.files.map(({ object: { key } }) => key)).toEqual(["a"]);
    expect(of("a")?.digest).not.toBe(of("b")?.digest);
  });
});

const DELETED = {
  ...{
    name: "A_Deleted",
    deletes: "A",
    isSubtyped: false,
    aliases: {},
    participant: null,
    identifying: new Set<string>(),
  },
  fields: { P: "string" as const },
};
