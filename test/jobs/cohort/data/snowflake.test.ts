// Statements for Snowflake, as text: for datasets of a few columns, and for all that the schema declares.

import { beforeAll, describe, expect, test } from "vitest";

import { datasetsOf } from "../../../../src/jobs/cohort/build/buildType.ts";
import { columnTypes } from "../../../../src/jobs/cohort/building.ts";
import {
  buildPrefix,
  type ColumnType,
  type Dataset,
} from "../../../../src/jobs/cohort/data/current.ts";
import {
  bucketUrl,
  columnStatements,
  copyStatements,
  SESSION,
  setupStatements,
  snowflakeFiles,
  type SnowflakeTarget,
  tableStatement,
} from "../../../../src/jobs/cohort/data/snowflake.ts";
import { loadSchemas } from "../../../../src/jobs/cohort/schemas.ts";

const key = (build: string, name: string, file = "data_0", cohort = "adults_v1"): string =>
  `${buildPrefix(build)}${name}/cohort=${cohort}/${file}.parquet`;
const dataset = (name: string, ...keys: readonly string[]): Dataset => ({
  ...{ name, rows: keys.length },
  columns: [
    { name: "P", type: "string" },
    { name: "cohort", type: "string" },
  ],
  files: keys.map((one) => ({ key: one, bytes: 1, sha256: "0", etag: null, rows: 1 })),
});
const withColumns = (...columns: readonly (readonly [string, ColumnType])[]): Dataset => ({
  ...dataset("dataset_a", key("1", "dataset_a")),
  columns: [...columns, ["cohort", "string"] as const].map(([name, type]) => ({ name, type })),
});
const NAMED: SnowflakeTarget = {
  ...{ database: "recover_main", schema: "parquet", stage: "exports" },
  ...{ url: "s3://my-processed/main", integration: "hdash", roleArn: null },
};

describe("setupStatements(target)", () => {
  test("makes database, schema and a stage whose address ends with a slash, and keeps what is there", () => {
    expect(setupStatements(NAMED)).toBe(
      [
        'CREATE DATABASE IF NOT EXISTS "RECOVER_MAIN";',
        "",
        'CREATE SCHEMA IF NOT EXISTS "RECOVER_MAIN"."PARQUET";',
        "",
        'CREATE STAGE IF NOT EXISTS "RECOVER_MAIN"."PARQUET"."EXPORTS"',
        "  URL = 's3://my-processed/main/'",
        '  STORAGE_INTEGRATION = "HDASH"',
        "  FILE_FORMAT = (TYPE = PARQUET);",
        "",
      ].join("\n"),
    );
  });

  test("makes the integration for a role, and lets it read below that address alone", () => {
    const roleArn = "arn:aws:iam::123456789012:role/snowflake";
    const statements = setupStatements({ ...SESSION, url: "s3://b/p/main/", roleArn });
    expect(statements.split("\n").slice(0, 6)).toEqual([
      'CREATE STORAGE INTEGRATION IF NOT EXISTS "HDASH"',
      "  TYPE = EXTERNAL_STAGE",
      "  STORAGE_PROVIDER = 'S3'",
      "  ENABLED = TRUE",
      `  STORAGE_AWS_ROLE_ARN = '${roleArn}'`,
      "  STORAGE_ALLOWED_LOCATIONS = ('s3://b/p/main/');",
    ]);
    expect(statements).toContain("URL = 's3://b/p/main/'\n");
    expect(statements).not.toContain("DATABASE");
  });

  test("makes no stage over a folder", () => {
    expect(bucketUrl("file:///home/data")).toBeNull();
    expect(bucketUrl("s3://b/main")).toBe("s3://b/main");
    expect(setupStatements({ ...SESSION, url: bucketUrl("file:///home/data") })).toMatch(
      /^-- No stage: .*folder[^\n]*\n$/,
    );
  });
});

describe("tableStatement(dataset, target)", () => {
  test("quotes every name and gives each type Snowflake's", () => {
    const given = withColumns(
      ["order", "string"],
      ["a b", "bigint"],
      ['c"d', "double"],
      ["SELECT", "boolean"],
      ["L", "surrogate"],
    );
    expect(tableStatement(given, NAMED)).toBe(
      [
        "-- dataset_a",
        'CREATE TABLE IF NOT EXISTS "RECOVER_MAIN"."PARQUET"."DATASET_A" (',
        '  "order" VARCHAR,',
        '  "a b" BIGINT,',
        '  "c""d" DOUBLE,',
        '  "SELECT" BOOLEAN,',
        '  "L" BIGINT,',
        '  "cohort" VARCHAR',
        ");",
      ].join("\n"),
    );
  });

  test("keeps a dataset's odd name within its quotes and its comment", () => {
    const statement = tableStatement(dataset('dataset_a\n";drop'), SESSION);
    expect(statement.split("\n").slice(0, 3)).toEqual([
      String.raw`-- dataset_a\n";drop`,
      'CREATE TABLE IF NOT EXISTS "DATASET_A',
      '"";DROP" (',
    ]);
  });

  test("cuts names that are longer than Snowflake takes, and keeps two of them apart", () => {
    const [one, other] = ["x", "y"].map((end) => `${"n".repeat(300)}${end}`);
    const given = withColumns([one ?? "", "string"], [other ?? "", "string"]);
    const names = [...tableStatement(given, SESSION).matchAll(/^ {2}"(n[^"]*)"/gm)].map(
      ([, name = ""]) => name,
    );
    expect(names.map(({ length }) => length)).toEqual([255, 255]);
    expect(new Set(names).size).toBe(2);
    const copied = copyStatements({ build: "1", datasets: [given] }, SESSION);
    expect(copied).toContain(`("${names.join('", "')}", "cohort")`);
    expect(copied).toContain(`$1:"${one ?? ""}"::VARCHAR`);
  });
});

describe("columnStatements(dataset, target)", () => {
  test("adds each column that a table does not have", () => {
    expect(columnStatements(withColumns(["A", "double"]), SESSION).split("\n")).toEqual([
      "-- dataset_a",
      'ALTER TABLE "DATASET_A" ADD COLUMN IF NOT EXISTS "A" DOUBLE;',
      'ALTER TABLE "DATASET_A" ADD COLUMN IF NOT EXISTS "cohort" VARCHAR;',
    ]);
  });
});

describe("copyStatements(build, target)", () => {
  const copied = (datasets: readonly Dataset[], target = SESSION): readonly string[] =>
    copyStatements({ build: "1", datasets }, target).trimEnd().split("\n\n");

  test("empties and fills each table in one transaction", () => {
    const [block = ""] = copied([dataset("dataset_c")]);
    expect(block.split("\n")).toEqual([
      "-- dataset_c: build 1",
      ...["BEGIN;", 'DELETE FROM "DATASET_C";', "COMMIT;"],
    ]);
  });

  test("names the files that readers use, by folder, with the cohort that the folder tells", () => {
    const all = [
      key("1", "dataset_a", "0_0"),
      key("1", "dataset_a", "1_0"),
      key("2", "dataset_a", "0_0", "pediatric_v1"),
    ];
    const [block = ""] = copied([dataset("dataset_a", ...all), dataset("dataset_a_b")], NAMED);
    const how = "FILE_FORMAT = (TYPE = PARQUET) FORCE = TRUE;";
    const place = '"RECOVER_MAIN"."PARQUET".';
    const load = (folder: string, cohort: string, files: string): string =>
      `COPY INTO ${place}"DATASET_A" ("P", "cohort") FROM (SELECT $1:"P"::VARCHAR, '${cohort}' FROM @${place}"EXPORTS"/${folder}cohort=${cohort}/) FILES = (${files}) ${how}`;
    expect(block.split("\n").slice(3, -1)).toEqual([
      load("parquet/v/1/dataset_a/", "adults_v1", "'0_0.parquet', '1_0.parquet'"),
      load("parquet/v/2/dataset_a/", "pediatric_v1", "'0_0.parquet'"),
    ]);
  });

  test("names no more than a thousand files at once, and each once", () => {
    const names = Array.from({ length: 2001 }, (_none, n) => key("1", "dataset_a", `${n}_0`));
    const [block = ""] = copied([dataset("dataset_a", ...names)]);
    const lists = [...block.matchAll(/FILES = \(([^)]*)\)/g)].map(([, list = ""]) =>
      list.split(", "),
    );
    expect(lists.map(({ length }) => length)).toEqual([1000, 1000, 1]);
    expect(new Set(lists.flat()).size).toBe(2001);
  });

  test("gives every type of column Snowflake's name of it", () => {
    const types = ["string", "bigint", "double", "boolean", "surrogate"] as const;
    const [block = ""] = copied([
      withColumns(...types.map((type) => [`a ${type}`, type] as const)),
    ]);
    const casts = [...block.matchAll(/\$1:"a (\w+)"::(\w+)/g)].map(([, type, sql]) => [type, sql]);
    expect(casts).toEqual([
      ["string", "VARCHAR"],
      ["bigint", "BIGINT"],
      ["double", "DOUBLE"],
      ["boolean", "BOOLEAN"],
      ["surrogate", "BIGINT"],
    ]);
  });

  test("names a field with quotes or backslashes in a text of its own, where a path would end", () => {
    const [block = ""] = copied([withColumns(['a"b', "double"], ["c\\'d", "string"])]);
    expect(block).toContain(`SELECT GET($1, 'a"b')::DOUBLE, GET($1, 'c\\\\''d')::VARCHAR, `);
    expect(block).toContain(`("a""b", "c\\'d", "cohort")`);
  });

  test("quotes a path that has other characters than Snowflake takes bare", () => {
    const [block = ""] = copied([dataset("dataset_a", key("1", "dataset_a", "0", "it's b"))]);
    expect(block).toContain(
      `'it''s b' FROM '@"STAGE"/parquet/v/1/dataset_a/cohort=it''s b/') FILES`,
    );
  });
});

describe("snowflakeFiles(datasets, build, target), of all that the schema declares", () => {
  let all: readonly Dataset[] = [];
  const parents = new Map<string, readonly string[]>();
  beforeAll(async () => {
    const { shapes } = (await loadSchemas(".")).of(null);
    all = [...shapes.values()].flatMap((shape) => {
      // Something that nobody declared in each table, under a name that is a word of SQL.
      const extras = shape.tables.map(() => new Set(["table", "Nobody's  Field"]));
      const own = datasetsOf(shape, { extras, dropped: new Set() });
      for (const { name } of own) {
        const children = own.filter((one) => one.name !== name && one.name.startsWith(name));
        parents.set(
          name,
          children.map((one) => one.name),
        );
      }
      return own.map(({ name, columns }) => ({
        ...dataset(name, key("1", name), key("1", name, "data_0", "pediatric_v1")),
        columns: columnTypes(columns),
      }));
    });
  });
  /** A file's statements by dataset. */
  const blocksOf = (file: string, build: string | null = "1"): ReadonlyMap<string, string> => {
    const found = snowflakeFiles(all, build, NAMED).find(({ name }) => name === file);
    const blocks = (found?.text ?? "").trimEnd().split("\n\n");
    return new Map(blocks.map((block) => [/^-- (\w+)/.exec(block)?.[1] ?? "", block]));
  };

  test("has what it says: 59 datasets, 27 of them of arrays", () => {
    expect(all).toHaveLength(59);
    const children = [...parents.values()].flat();
    expect(new Set(children).size).toBe(27);
    expect(snowflakeFiles(all, "1", NAMED).map(({ name }) => name)).toEqual([
      ...["setup.sql", "tables.sql", "columns.sql", "copy.sql"],
    ]);
    expect(snowflakeFiles(all, null, NAMED).map(({ name }) => name)).toEqual([
      ...["setup.sql", "tables.sql", "columns.sql"],
    ]);
  });

  test.each(["tables.sql", "columns.sql"])("names every column once, in order (%s)", (file) => {
    const blocks = blocksOf(file);
    expect(blocks.size).toBe(59);
    const found = all.map(({ name }) =>
      [...(blocks.get(name) ?? "").matchAll(/(?:^ {2}|NOT EXISTS )"([^"]+)" [A-Z]+[,;]?$/gm)].map(
        ([, column]) => column,
      ),
    );
    expect(found).toEqual(all.map(({ columns }) => columns.map(({ name }) => name)));
    for (const columns of found) {
      expect(new Set(columns.map((name) => name?.toLowerCase())).size).toBe(columns.length);
    }
    expect(found.every((columns) => columns.includes("Nobody_s__Field"))).toBe(true);
  });

  test("loads every column once, from its own field, but for the cohort", () => {
    for (const { name, columns } of all) {
      const copies = (blocksOf("copy.sql").get(name) ?? "").split("\n").slice(3, -1);
      expect(copies).toHaveLength(2);
      for (const copy of copies) {
        const [, into = "", selected = ""] =
          /\(("[^)]*)\) FROM \(SELECT (.*) FROM @/.exec(copy) ?? [];
        expect(into.split(", ")).toEqual(columns.map((column) => `"${column.name}"`));
        const fields = [...selected.matchAll(/\$1:"([^"]+)"::/g)].map(([, field]) => field);
        expect(fields).toEqual(columns.slice(0, -1).map((column) => column.name));
      }
    }
  });

  test("names in a parent's statements nothing of a child's: no table, no folder, no column", () => {
    for (const file of ["tables.sql", "columns.sql", "copy.sql"]) {
      const blocks = blocksOf(file);
      for (const [parent, children] of parents) {
        const block = blocks.get(parent)?.toLowerCase() ?? "";
        expect(block).toContain(`"${parent}"`);
        expect(children.filter((child) => block.includes(child))).toEqual([]);
        if (children.length > 0 && !children.some((child) => parent.startsWith(child))) {
          const isChild = [...parents.values()].flat().includes(parent);
          expect(/"(id|index)"/.test(block)).toBe(isChild);
        }
      }
    }
  });

  test("reads below paths of which none is the beginning of another's", () => {
    const paths = [...blocksOf("copy.sql").values()].flatMap((block) =>
      [...block.matchAll(/FROM (@[^ )]*)\)/g)].map(([, path = ""]) => path),
    );
    expect(paths).toHaveLength(118);
    expect(paths.filter((path) => !path.endsWith("/"))).toEqual([]);
    const within = paths.flatMap((path, at) =>
      paths.filter((other, n) => n !== at && other.startsWith(path)),
    );
    expect(within).toEqual([]);
    const folders = all.map(({ name }) => `${buildPrefix("1")}${name}/`);
    expect(
      folders.filter((one) => folders.some((other) => other !== one && other.startsWith(one))),
    ).toEqual([]);
  });

  test("makes this table of symptoms", () => {
    expect(blocksOf("tables.sql").get("dataset_symptomlog_value_symptoms")).toBe(
      [
        "-- dataset_symptomlog_value_symptoms",
        'CREATE TABLE IF NOT EXISTS "RECOVER_MAIN"."PARQUET"."DATASET_SYMPTOMLOG_VALUE_SYMPTOMS" (',
        '  "id" BIGINT,',
        '  "index" BIGINT,',
        '  "Value_symptoms_id" VARCHAR,',
        '  "severity" BIGINT,',
        '  "ParticipantIdentifier" VARCHAR,',
        '  "DataPointKey" VARCHAR,',
        '  "Nobody_s__Field" VARCHAR,',
        '  "table" VARCHAR,',
        '  "cohort" VARCHAR',
        ");",
      ].join("\n"),
    );
  });
});
