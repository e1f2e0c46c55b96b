// One test for each rule by which rows are matched and values compared.

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { partConditions } from "../../../../src/jobs/cohort/compare/parts.ts";
import type { DatasetComparison } from "../../../../src/jobs/cohort/data/compareResult.ts";
import type { Fields } from "../../../../src/jobs/cohort/data/schema.ts";
import { makeRig, type Rig } from "../support/cohortRig.ts";
import { compareMade, type MadeDataset, typeOf } from "../support/comparing.ts";

let rig: Rig;
beforeAll(async () => {
  rig = await makeRig();
});
afterAll(() => rig.close());

const PARENT = "dataset_thing";
const DAY = "'2026-01-12T00:00:00'";

/** A dataset of one cohort; its columns are text where nothing else is said. */
function made(
  columns: MadeDataset["columns"] | readonly string[],
  ...rows: readonly (readonly string[])[]
): MadeDataset {
  const named = Array.isArray(columns)
    ? Object.fromEntries(columns.map((name: string) => [name, "string" as const]))
    : (columns as MadeDataset["columns"]);
  return { columns: named, rows: { a: rows } };
}

async function compareParents(
  staging: MadeDataset,
  main: MadeDataset,
  key: readonly string[] = ["k"],
) {
  const fields = Object.fromEntries(key.map((name) => [name, "string" as const]));
  const type = typeOf(fields, key);
  const compared = await compareMade(rig, type, {
    staging: { [PARENT]: staging },
    main: { [PARENT]: main },
  });
  const [found] = compared.found;
  if (found === undefined) throw new Error("nothing was compared");
  return { ...compared, one: found };
}

/** Counts of rows: in common, in staging alone, in main alone, with some inequality. */
const counts = ({ rows }: DatasetComparison): readonly number[] => [
  ...[rows.inCommon, rows.onlyStaging, rows.onlyMain, rows.someUnequal],
];
/** Unequal columns: how often, and how often by a null. */
const unequal = ({ unequal: all }: DatasetComparison): Readonly<Record<string, string>> =>
  Object.fromEntries(all.map((one) => [one.name, `${one.unequal} ${one.nullDiff}`]));

describe("rows of a parent", () => {
  test("are matched on the whole key, whatever cohort they are of", async () => {
    const columns = ["k", "l", "v"];
    const { one } = await compareParents(
      {
        ...made(columns),
        rows: {
          a: [
            ["'1'", "'x'", "'v'"],
            ["'1'", "'y'", "'v'"],
          ],
        },
      },
      {
        ...made(columns),
        rows: {
          b: [
            ["'1'", "'y'", "'v'"],
            ["'2'", "'x'", "'v'"],
          ],
        },
      },
      ["k", "l"],
    );
    expect(counts(one)).toEqual([1, 1, 1, 1]);
    // A cohort is compared as any other column.
    expect(unequal(one)).toEqual({ cohort: "1 0" });
    expect(one.key).toEqual(["k", "l"]);
  });

  test("are told apart where keys joined would be the same text, and matched where one is null", async () => {
    const { one } = await compareParents(
      made(["k", "l"], ["'a'", "'bc'"], ["null", "'n'"]),
      made(["k", "l"], ["'ab'", "'c'"], ["null", "'n'"]),
      ["k", "l"],
    );
    expect(counts(one)).toEqual([1, 1, 1, 0]);
  });

  test("are matched as text where their key is of two types", async () => {
    const { one } = await compareParents(
      made({ k: "string", v: "string" }, ["'12'", "'a'"], ["'no number'", "'a'"]),
      made({ k: "bigint", v: "string" }, ["12", "'a'"], ["13", "'a'"]),
    );
    expect(counts(one)).toEqual([1, 1, 1, 0]);
  });

  test("are counted by the day that their export ends, a row in common by staging's", async () => {
    const columns = ["k", "v", "export_end_date"];
    const other = "'2026-01-13T00:00:00'";
    const { one } = await compareParents(
      made(columns, ["1", "1", DAY], ["2", "1", DAY], ["3", "1", "null"]),
      made(columns, ["1", "1", other], ["2", "2", DAY], ["4", "1", other]),
    );
    const none = { inCommon: 0, onlyStaging: 0, onlyMain: 0, unequal: 0 };
    expect(one.overTime).toEqual([
      { end: null, ...none, onlyStaging: 1 },
      { end: "2026-01-12T00:00:00", ...none, inCommon: 2, unequal: 2 },
      { end: "2026-01-13T00:00:00", ...none, onlyMain: 1 },
    ]);
  });
});

describe("values", () => {
  const VALUES = { s: "string", i: "bigint", d: "double", b: "boolean" } as const;
  test.each([
    ["null and null", ["null", "null", "null", "null"], ["null", "null", "null", "null"], {}],
    ["zero below zero", ["''", "0", "-0.0", "false"], ["''", "0", "0.0", "false"], {}],
    ["not a number", ["''", "0", "'nan'", "false"], ["''", "0", "'nan'", "false"], {}],
    [
      "what is null here",
      ["null", "null", "null", "null"],
      ["''", "0", "0", "false"],
      { s: "1 1", i: "1 1", d: "1 1", b: "1 1" },
    ],
    [
      "the last bit of a double",
      ["'v'", "1", "0.1", "true"],
      ["'v'", "1", "0.10000000000000002", "true"],
      { d: "1 0" },
    ],
    [
      "whole numbers that doubles cannot tell",
      ["'v'", "9007199254740992", "1", "true"],
      ["'v'", "9007199254740993", "1", "true"],
      { i: "1 0" },
    ],
    [
      "text by its case and spaces",
      ["'Low'", "1", "1", "true"],
      ["'low '", "1", "1", "true"],
      { s: "1 0" },
    ],
    [
      "a letter in two forms",
      ["'\u00e9'", "1", "1", "true"],
      ["'e\u0301'", "1", "1", "true"],
      { s: "1 0" },
    ],
  ])("are compared exactly: %s", async (_what, staging, main, expected) => {
    const columns = { k: "string", ...VALUES } as const;
    const { one } = await compareParents(
      made(columns, ["'1'", ...staging]),
      made(columns, ["'1'", ...main]),
    );
    expect(unequal(one)).toEqual(expected);
    expect(counts(one)).toEqual([1, 0, 0, Object.keys(expected).length === 0 ? 0 : 1]);
  });

  test.each([
    ["bigint", "double", "5", "5.0", 0],
    ["bigint", "double", "5", "5.4", 1],
    ["double", "bigint", "9007199254740992", "9007199254740993", 1],
    ["double", "bigint", "1e300", "7", 1],
    ["double", "bigint", "'nan'", "7", 1],
    ["bigint", "double", "null", "0", 1],
    ["bigint", "double", "null", "null", 0],
    ["string", "bigint", "'5'", "5", 0],
    ["string", "bigint", "'5.0'", "5", 1],
    ["boolean", "string", "true", "'true'", 0],
  ] as const)(
    "of two types, %s and %s, are numbers or else text: %s and %s",
    async (here, there, staging, main, differing) => {
      const { one, file } = await compareParents(
        made({ k: "string", v: here }, ["'1'", staging]),
        made({ k: "string", v: there }, ["'1'", main]),
      );
      expect(one.rows.someUnequal).toBe(differing);
      // A column of two types is listed also where no value differs.
      expect(one.unequal).toMatchObject([
        { name: "v", types: { staging: here, main: there }, unequal: differing },
      ]);
      const text = await file(PARENT, "parquet_compare.txt");
      expect(text).toMatch(new RegExp(`^ {2}v {7}${here} +${there} +${differing} `, "m"));
    },
  );

  test("of surrogates are not compared, be they one side's alone", async () => {
    const surrogate = { k: "string", list: "surrogate", other: "surrogate" } as const;
    const { one } = await compareParents(
      made(surrogate, ["'1'", "1", "7"]),
      made({ ...surrogate, other: "bigint" }, ["'1'", "2", "8"]),
    );
    expect(one.columns).toMatchObject({ inCommon: 4, compared: 1 });
    expect([counts(one), unequal(one)]).toEqual([[1, 0, 0, 0], {}]);
  });

  test("of columns that one side alone has are not compared, and named, sorted", async () => {
    const { one, file } = await compareParents(
      made(["k", "b", "a", "v"], ["1", "1", "1", "1"]),
      made(["k", "v", "V", "c"], ["1", "1", "2", "2"]),
    );
    expect(one.columns).toMatchObject({ onlyStaging: ["a", "b"], onlyMain: ["V", "c"] });
    expect(counts(one)).toEqual([1, 0, 0, 0]);
    const text = await file(PARENT, "parquet_compare.txt");
    expect(text).toContain("Missing in ours: V, c\nAdditional in ours, missing in theirs: a, b\n");
  });

  test("of two hundred columns are all told apart", async () => {
    const names = Array.from({ length: 200 }, (_, at) => `v${at}`);
    const row = (change: readonly number[]): readonly string[] => [
      "'1'",
      ...names.map((_, at) => (change.includes(at) ? "null" : "'1'")),
    ];
    const { one } = await compareParents(
      made(["k", ...names], row([])),
      made(["k", ...names], row([0, 61, 62, 123, 124, 199])),
    );
    expect(unequal(one)).toEqual(
      Object.fromEntries([0, 123, 124, 199, 61, 62].map((at) => [`v${at}`, "1 1"])),
    );
    expect(counts(one)).toEqual([1, 0, 0, 1]);
  });
});

describe("rows of one key", () => {
  test("are put in the order of text, not of numbers, and paired one by one", async () => {
    const columns = { k: "string", v: "bigint" } as const;
    const { one } = await compareParents(
      made(columns, ["'1'", "9"], ["'1'", "10"], ["'2'", "1"]),
      made(columns, ["'1'", "11"], ["'1'", "10"], ["'2'", "1"]),
    );
    // 10 and 10, 9 and 11: as numbers, both pairs would be unequal.
    expect(counts(one)).toEqual([3, 0, 0, 1]);
    expect(one.duplicates).toEqual({ staging: 1, main: 1 });
  });

  test("have null first, and what is left belongs to its side alone", async () => {
    const { one, file, files } = await compareParents(
      made(["k", "v"], ["'1'", "'b'"], ["'1'", "null"], ["'1'", "'c'"]),
      made(["k", "v"], ["'1'", "null"]),
    );
    expect(counts(one)).toEqual([1, 2, 0, 0]);
    expect(one.duplicates).toEqual({ staging: 2, main: 0 });
    expect(files.get(PARENT)).toEqual([
      "parquet_compare.txt",
      "all_diff_staging_rows.csv",
      "all_dups_staging_rows.csv",
    ]);
    const rows = "k,v,cohort\r\n1,b,a\r\n1,c,a\r\n";
    expect(await file(PARENT, "all_diff_staging_rows.csv")).toBe(rows);
    expect(await file(PARENT, "all_dups_staging_rows.csv")).toBe(rows);
  });

  test("are not ordered by a column that the other side has not", async () => {
    const { one } = await compareParents(
      made(["k", "extra", "v"], ["'1'", "'1'", "'b'"], ["'1'", "'2'", "'a'"]),
      made(["k", "v"], ["'1'", "'a'"], ["'1'", "'b'"]),
    );
    expect(counts(one)).toEqual([2, 0, 0, 0]);
  });

  test("are found also where the other side has none of the key", async () => {
    const { one } = await compareParents(
      made(["k", "v"], ["'1'", "'a'"], ["'1'", "'a'"], ["'1'", "'a'"]),
      made(["k", "v"], ["'2'", "'a'"], ["'3'", "'a'"]),
    );
    expect(counts(one)).toEqual([0, 3, 2, 0]);
    expect(one.duplicates).toEqual({ staging: 2, main: 0 });
  });
});

describe("sides that are joined part by part", () => {
  /** Some keys of few rows, one of many, null and none; every third row has another value, every fifth is on one side. */
  function rows(side: number): readonly (readonly string[])[] {
    return Array.from({ length: 60 }, (_, at): readonly string[] => {
      const key = at % 7 === 0 ? "null" : `'p${at < 30 ? 5 : at % 9}'`;
      return [key, String(at % 4 === 0 ? 1 : at), at % 3 === 0 ? `'${side}'` : "'same'"];
    }).filter((_, at) => at % 5 !== side);
  }

  test("come to the same, whatever memory there is", async () => {
    const columns = { k: "string", l: "bigint", v: "string" } as const;
    const type = typeOf({ k: "string", l: "int" }, ["k", "l"]);
    const sides = {
      staging: { [PARENT]: made(columns, ...rows(0)) },
      main: { [PARENT]: made(columns, ...rows(1)) },
    };
    const whole = await compareMade(rig, type, sides);
    const names = whole.files.get(PARENT) ?? [];
    expect(names).toHaveLength(5);
    expect(whole.found[0]?.duplicates.staging).toBeGreaterThan(1);
    expect(unequal(whole.found[0] as DatasetComparison)).not.toEqual({});
    for (const bytes of [1, 500, 1500]) {
      const parted = await compareMade(rig, type, sides, null, bytes / 2 ** 20);
      expect(parted.found).toEqual(whole.found);
      for (const name of names.filter((one) => one.endsWith(".csv"))) {
        expect(await parted.file(PARENT, name)).toBe(await whole.file(PARENT, name));
      }
    }
  });
});

describe("partConditions(comparing, cuts, mostRows)", () => {
  test("has every row in one part, and cuts those of one value by their hash", () => {
    const cuts = [
      { from: null, rows: 10 },
      { from: "b'", rows: 50 },
      { from: "c", rows: 9 },
    ];
    const key = ["k", "l"];
    const hash = `hash("k", "l") % 3`;
    expect(partConditions({ key }, cuts, 10)).toEqual([
      `("k" < 'b''' or "k" is null)`,
      ...[0, 1, 2].map((piece) => `"k" >= 'b''' and ("k" < 'c') and ${hash} = ${piece}`),
      `"k" >= 'c'`,
    ]);
    expect(partConditions({ key }, cuts.slice(0, 1), 10)).toEqual(["true"]);
  });
});

const CHILDREN: Fields = {
  k: "string",
  list: { array: { struct: { v: "string", inner: { array: "string" } } } },
};
const CHILD = "dataset_thing_list";
const INNER = "dataset_thing_list_val_inner";
const COLUMNS = {
  [PARENT]: { k: "string", list: "surrogate", export_end_date: "string" },
  [CHILD]: { id: "bigint", index: "bigint", v: "string", inner: "surrogate", k: "string" },
  [INNER]: { id: "bigint", index: "bigint", inner_val: "string", k: "string" },
} as const;

/** A parent, its child and the child's, with the rows given. */
function family(
  parents: readonly (readonly string[])[],
  children: readonly (readonly string[])[],
  inners: readonly (readonly string[])[],
): Readonly<Record<string, MadeDataset>> {
  return {
    [PARENT]: made(COLUMNS[PARENT], ...parents),
    [CHILD]: made(COLUMNS[CHILD], ...children),
    [INNER]: made(COLUMNS[INNER], ...inners),
  };
}

describe("rows of children", () => {
  test("are matched on the parent's key, their index, and that of the element that their array is in", async () => {
    const { found } = await compareMade(rig, typeOf(CHILDREN), {
      staging: family(
        [["'1'", "10", DAY]],
        [
          ["10", "0", "'a'", "100", "'1'"],
          ["10", "1", "'b'", "101", "'1'"],
        ],
        [
          ["100", "0", "'x'", "'1'"],
          ["101", "0", "'y'", "'1'"],
          ["101", "1", "'z'", "'1'"],
        ],
      ),
      // Other surrogates and ids, the same places.
      main: family(
        [["'1'", "20", DAY]],
        [
          ["20", "1", "'b'", "201", "'1'"],
          ["20", "0", "'a'", "200", "'1'"],
        ],
        [
          ["201", "0", "'y'", "'1'"],
          ["200", "0", "'changed'", "'1'"],
          ["200", "1", "'z'", "'1'"],
        ],
      ),
    });
    expect(found.map(({ dataset, key, parent }) => [dataset, key.join(), parent])).toEqual([
      [PARENT, "k", null],
      [CHILD, "k,index", PARENT],
      [INNER, "k,^parent_index,index", CHILD],
    ]);
    expect(found.map(counts)).toEqual([
      [1, 0, 0, 0],
      [2, 0, 0, 0],
      [2, 1, 1, 1],
    ]);
    expect(found.map(unequal)).toEqual([{}, {}, { inner_val: "1 0" }]);
    expect(found.map(({ overTime }) => overTime === null)).toEqual([false, true, true]);
  });

  test("follow main's parents into the exports that count, and staging's do not", async () => {
    const later = "'2026-01-13T00:00:00'";
    const rows = family(
      [
        ["'1'", "10", DAY],
        ["'2'", "20", later],
      ],
      [
        ["10", "0", "'a'", "100", "'1'"],
        ["20", "0", "'a'", "200", "'2'"],
      ],
      [
        ["100", "0", "'x'", "'1'"],
        ["200", "0", "'x'", "'2'"],
      ],
    );
    const exports = [{ cohort: "a", end: "2026-01-12T00:00:00" }];
    const limited = await compareMade(
      rig,
      typeOf(CHILDREN),
      { staging: rows, main: rows },
      exports,
    );
    expect(limited.isLimited).toBe(true);
    for (const one of limited.found) {
      expect([one.isLimited, ...counts(one)]).toEqual([true, 1, 1, 0, 0]);
    }
    // Of another cohort, or day, nothing matches: then all counts, and it says so.
    for (const none of [
      [{ cohort: "b", end: "2026-01-12T00:00:00" }],
      [{ cohort: "a", end: "2026-01-12" }],
      [],
    ]) {
      const whole = await compareMade(rig, typeOf(CHILDREN), { staging: rows, main: rows }, none);
      expect(whole.isLimited).toBe(false);
      expect(whole.found.map(counts)).toEqual([
        [2, 0, 0, 0],
        [2, 0, 0, 0],
        [2, 0, 0, 0],
      ]);
      expect(whole.found.map(({ isLimited }) => isLimited)).toEqual([false, false, false]);
    }
  });
});

describe("datasets without rows", () => {
  const full = family(
    [["'1'", "10", DAY]],
    [["10", "0", "'a'", "100", "'1'"]],
    [["100", "0", "'x'", "'1'"]],
  );
  const empty = family([], [], []);
  test.each([
    ["staging", { staging: empty, main: full }, [0, 0, 1, 0]],
    ["main", { staging: full, main: empty }, [0, 1, 0, 0]],
    ["both", { staging: empty, main: empty }, [0, 0, 0, 0]],
  ])("of %s are compared as others are", async (_which, sides, expected) => {
    for (const exports of [null, [{ cohort: "a", end: "2026-01-12T00:00:00" }]]) {
      const { found, file } = await compareMade(rig, typeOf(CHILDREN), sides, exports);
      expect(found.map(counts)).toEqual([expected, expected, expected]);
      expect(await file(INNER, "parquet_compare.txt")).toContain("Any duplicates of these: No\n");
    }
  });
});

describe("names and values that SQL and CSV take for something else", () => {
  test("are what they are", async () => {
    const odd = `o'd"d, na;me`;
    const { one, file } = await compareParents(
      {
        columns: { k: "string", [odd]: "string", "b b": "double" },
        rows: {
          "it's": [
            ["'1'", "'a'", "1"],
            ["'2'", `'say "hi",\r\nor' || chr(10) || 'not'`, "null"],
            ["'3'", "''", "null"],
          ],
        },
      },
      {
        columns: { k: "string", [odd]: "string", "b b": "double" },
        rows: { "it's": [["'1'", "'b'", "2.5"]] },
      },
    );
    expect(unequal(one)).toEqual({ "b b": "1 0", [odd]: "1 0" });
    expect(await file(PARENT, "all_diff_staging_rows.csv")).toBe(
      `k,"o'd""d, na;me",b b,cohort\r\n2,"say ""hi"",\r\nor\nnot",,it's\r\n3,"",,it's\r\n`,
    );
    const text = await file(PARENT, "parquet_compare.txt");
    expect(text).toMatch(/^ {2}b b +double +double +1 +1\.5 +0$/m);
    expect(text).toContain(String.raw`"say \"hi\",\r\nor\nnot"`);
  });

  test("differ by up to 65 bits", async () => {
    const columns = { k: "string", i: "bigint", d: "double" } as const;
    const { file } = await compareParents(
      made(columns, ["'1'", "-9223372036854775808", "1"], ["'2'", "1", "null"]),
      made(columns, ["'1'", "9223372036854775807", "null"], ["'2'", "3", "1"]),
    );
    const text = await file(PARENT, "parquet_compare.txt");
    expect(text).toMatch(/^ {2}i +bigint +bigint +2 +18446744073709551615 +0$/m);
    // Only nulls differ.
    expect(text).toMatch(/^ {2}d +double +double +2 +- +2$/m);
  });

  test("are shown in the text up to sixty letters", async () => {
    const { file } = await compareParents(
      made(["k", "v"], ["repeat('x', 1000)", "repeat('y', 60)"]),
      made(["k", "v"], ["repeat('x', 1000)", "repeat('z', 61)"]),
    );
    const text = await file(PARENT, "parquet_compare.txt");
    const [x, y, z] = ["x", "y", "z"].map((letter) => letter.repeat(60));
    expect(text).toContain(`  "${x ?? ""}…"  "${y ?? ""}"  "${z ?? ""}…"\n`);
  });
});
