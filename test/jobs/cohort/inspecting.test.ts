// Rows counted for checks, in files that hold whatever may be in them: what is missing, what is unexpected, and that nothing else is told.

import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect as show } from "node:util";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { literal } from "../../../src/jobs/cohort/build/duck.ts";
import type { KeptObject } from "../../../src/jobs/cohort/data/report.ts";
import { type Scan, sumTallies } from "../../../src/jobs/cohort/data/scan.ts";
import { countRecent, inspect } from "../../../src/jobs/cohort/inspecting.ts";
import { fileSource } from "../../../src/store/byteSource.ts";
import { contextOf, effectsOf, makeRig, type Rig } from "./support/cohortRig.ts";

let rig: Rig;
let home: string;
beforeAll(async () => {
  rig = await makeRig();
  home = await rig.folder();
});
afterAll(() => rig.close());

let files = 0;

/** Puts rows into the processed place as a file of a dataset. */
async function put(columns: string, ...rows: readonly string[]): Promise<KeptObject> {
  const values = rows.map((row) => `(${row})`).join(", ");
  return putSelect(`select * from (values ${values}) t(${columns})`);
}

const STRETCH = 2048;

/** Puts what is selected, in stretches of so many rows. */
async function putSelect(select: string): Promise<KeptObject> {
  const key = `${++files}.parquet`;
  const path = join(await rig.folder(), key);
  const how = `format parquet, row_group_size ${STRETCH}`;
  await rig.duck.run("putting", `copy (${select}) to ${literal(path)} (${how})`);
  const { processed } = effectsOf(rig, home).places;
  const as = { contentType: "application/octet-stream", cacheControl: "no-cache" };
  const { digest, ...put } = await processed.putStream(key, await fileSource(path), as);
  return { key, sha256: digest, ...put };
}

/** Does scans of some files as the step does. */
async function scan(
  objects: readonly KeptObject[],
  scans: readonly Scan[],
  parents: readonly KeptObject[] = [],
) {
  const effects = effectsOf(rig, home);
  const inputs = { files: objects, parents };
  return inspect(effects, inputs, { dataset: "dataset_a", scans }, await contextOf(rig));
}

/** Text as people and devices write it. */
const TEXTS = [
  ...["null", "''", "'  '", "e'\\t'"],
  ...["'12'", "' 12 '", "'+12'", "'12.'", "'.5'", "'1e1'"],
  ...["'abc'", "'1_0'", "'nan'", "'inf'", "'1e999'", "'0x10'", "'1,5'", "'−5'"],
];

describe("inspect(effects, inputs, params, ctx)", () => {
  test("counts text that is missing, and what is no number, or none of the range", async () => {
    const file = await put("v", ...TEXTS);
    const between = { kind: "between", column: "v", type: "string" } as const;
    const found = await scan(
      [file],
      [
        { ...between, min: 0, max: 100 },
        { ...between, min: 11, max: null },
        { ...between, min: null, max: 11 },
      ],
    );
    expect(found).toEqual([
      { missing: 4, unexpected: 8 },
      { missing: 4, unexpected: 10 },
      { missing: 4, unexpected: 12 },
    ]);
  });

  test("counts numbers by their range, ends included", async () => {
    const file = await put(
      "i, d",
      "1::bigint, 1::double",
      "2, 2.5",
      "3, 3",
      "null, null",
      "-4, -0.5",
    );
    const of = (column: string, type: "bigint" | "double", min: number, max: number): Scan => ({
      ...{ kind: "between", column, type, min, max },
    });
    const found = await scan(
      [file],
      [of("i", "bigint", 1, 3), of("d", "double", -0.5, 2.5), of("d", "double", 1e300, 1e301)],
    );
    expect(found).toEqual([
      { missing: 1, unexpected: 1 },
      { missing: 1, unexpected: 1 },
      { missing: 1, unexpected: 4 },
    ]);
  });

  test("counts numbers in stretches of files, whatever their statistics tell", async () => {
    // Of five stretches one has what is no number, one a number out of bounds, and one nothing.
    const select = `
      select case when i = 5 then 'nan'::double when i = 3000 then 41 when i >= 8192 then null else 10 + i % 30 end as d,
             case when i = 3000 then -1 when i < 8192 then i % 3 end::bigint as n
      from range(10240) t(i)`;
    const both = [await putSelect(select), await put("d, n", "40::double, 2::bigint")];
    const of = (column: string, min: number | null, max: number | null): Scan => ({
      ...{ kind: "between", column, type: column === "d" ? "double" : "bigint", min, max },
    });
    const found = await scan(both, [
      ...[
        of("d", 10, 40),
        of("d", 10, null),
        of("d", null, 39.5),
        of("n", -0.5, 2),
        of("n", 0, 1.5),
      ],
    ]);
    // What is no number is greater than all.
    expect(found).toEqual([
      { missing: 2048, unexpected: 2 },
      { missing: 2048, unexpected: 0 },
      { missing: 2048, unexpected: 3 },
      { missing: 2048, unexpected: 1 },
      { missing: 2048, unexpected: 2731 + 1 },
    ]);
  });

  test("takes no column for one of its own, whatever it is called", async () => {
    const file = await put('"s0", "S1", "^s0"', "5::bigint, 'x', 7::bigint", "null, null, null");
    const between = { kind: "between", min: 0, max: 6 } as const;
    const found = await scan(
      [file],
      [
        { kind: "not_null", column: "S1", type: "string" },
        { kind: "set", column: "S1", type: "string", values: ["x"] },
        { ...between, column: "s0", type: "bigint" },
      ],
    );
    expect(found).toEqual([
      { missing: 1, unexpected: 1 },
      { missing: 1, unexpected: 0 },
      { missing: 1, unexpected: 0 },
    ]);
  });

  test("counts what is in no set, by text, number, truth and empty text", async () => {
    const file = await put(
      "t, i, b",
      ...["'a', 1::bigint, true", "'A', 2, false", "'it''s', 3, null", "'', null, true"],
    );
    const found = await scan(
      [file],
      [
        { kind: "set", column: "t", type: "string", values: ["a", "it's"] },
        { kind: "set", column: "t", type: "string", values: ["a", ""] },
        { kind: "set", column: "i", type: "bigint", values: [1, 2] },
        { kind: "set", column: "b", type: "boolean", values: [true] },
      ],
    );
    expect(found).toEqual([
      { missing: 1, unexpected: 1 },
      { missing: 0, unexpected: 2 },
      { missing: 1, unexpected: 1 },
      { missing: 1, unexpected: 1 },
    ]);
  });

  test("counts what a pattern does not fit as a whole, and what is never to be missing", async () => {
    const file = await put("t", "'12'", "'12a'", "' '", "null");
    const found = await scan(
      [file],
      [
        { kind: "pattern", column: "t", pattern: "\\d+" },
        { kind: "pattern", column: "t", pattern: "1.*|\\s*" },
        { kind: "not_null", column: "t", type: "string" },
      ],
    );
    expect(found).toEqual([
      { missing: 2, unexpected: 1 },
      { missing: 2, unexpected: 0 },
      { missing: 2, unexpected: 2 },
    ]);
  });

  test("counts rows that share their values, in all files together", async () => {
    const [one, two] = [
      await put('a, "b c"', "1, 'x'", "1, 'y'", "2, null"),
      await put('a, "b c"', "1, 'x'", "3, 'z'"),
    ];
    const unique: Scan = { kind: "unique", columns: ["a", "b c"] };
    expect(await scan([one, two], [unique])).toEqual([{ missing: 1, unexpected: 2 }]);
    // Apart, none of them is equal: such a check is not one whose counts add up.
    const apart = [await scan([one], [unique]), await scan([two], [unique])];
    expect(sumTallies(apart)).toEqual([{ missing: 1, unexpected: 0 }]);
  });

  test("counts rows whose parent is not there", async () => {
    const child = await put("id", "1::bigint", "1", "2", "3", "null");
    const parent = await put("Things", "1::bigint", "3", "3", "null");
    const scans: readonly Scan[] = [{ kind: "has_parent", parent: "Things" }];
    expect(await scan([child], scans, [parent])).toEqual([{ missing: 1, unexpected: 1 }]);
    expect(await scan([child], scans)).toEqual([{ missing: 1, unexpected: 4 }]);
  });

  test("gives counts in the order of the scans, whatever their kinds", async () => {
    const file = await put("a, b", "1::bigint, 'x'", "1, null");
    const found = await scan(
      [file],
      [
        { kind: "unique", columns: ["a"] },
        { kind: "not_null", column: "b", type: "string" },
      ],
    );
    expect(found).toEqual([
      { missing: 0, unexpected: 2 },
      { missing: 1, unexpected: 1 },
    ]);
  });

  test("adds up over files as over one", async () => {
    const rows = TEXTS.map((text) => `${text}, 1`);
    const scans: readonly Scan[] = [
      { kind: "between", column: "v", type: "string", min: 0, max: 100 },
      { kind: "not_null", column: "v", type: "string" },
    ];
    const whole = await scan([await put("v, n", ...rows)], scans);
    const parts = [
      await scan([await put("v, n", ...rows.slice(0, 7))], scans),
      await scan([await put("v, n", ...rows.slice(7))], scans),
    ];
    expect(sumTallies(parts)).toEqual(whole);
  });

  test.each<[string, Scan]>([
    ["a pattern", { kind: "pattern", column: "v", pattern: "(?:" }],
    ["a column", { kind: "not_null", column: "SYN-1", type: "string" }],
  ])("says of %s that cannot be asked for no value that is there", async (_what, asked) => {
    const file = await put("v", "'SYN-SECRET'");
    const error: unknown = await scan([file], [asked]).catch((one: unknown) => one);
    expect(String(error)).toMatch(/^HdashError: checking dataset_a: DuckDB gave up \(/);
    expect(show(error, { depth: 9, showHidden: true })).not.toContain("SYN-");
  });

  test("refuses a file that is not what was put", async () => {
    const file = await put("v", "1");
    await writeFile(join(home, "processed", file.key), "PAR1 and no more");
    const scans: readonly Scan[] = [{ kind: "not_null", column: "v", type: "bigint" }];
    await expect(scan([file], scans)).rejects.toThrow(`${file.key} is damaged`);
    await expect(scan([{ ...file, key: "gone" }], scans)).rejects.toThrow("gone is missing");
  });
});

test("countRecent(effects, inputs, params, ctx) counts rows of days, both ends included", async () => {
  const file = await put(
    "d",
    ...["'2026-01-01'", "'2026-01-02T23:59:59Z'", "'2026-01-03'", "'2026-01-04'", "''", "null"],
  );
  const params = { dataset: "dataset_a", column: "d", from: "2026-01-02", to: "2026-01-03" };
  const context = await contextOf(rig);
  expect(await countRecent(effectsOf(rig, home), { files: [file] }, params, context)).toBe(2);
});
