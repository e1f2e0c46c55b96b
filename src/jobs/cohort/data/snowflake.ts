// What Snowflake is told of the datasets, as files of statements: where their files are, a table for each dataset, columns that came later,
// and how each table is filled. Nothing here reaches Snowflake.

import { digestOf } from "../../../digest.ts";
import { oneLine } from "../../../format.ts";
import type { ColumnType, Current, Dataset } from "./current.ts";
import { COHORT } from "./recordShape.ts";

/** Where the tables are to be, and how their files are reached. */
export interface SnowflakeTarget {
  /** Null: those of the session. */
  readonly database: string | null;
  readonly schema: string | null;
  /** Name of the stage over the namespace. */
  readonly stage: string;
  /** The namespace's folder in the private place; null where that is in no bucket. */
  readonly url: string | null;
  /** The storage integration that may read there. */
  readonly integration: string;
  /** The role of AWS that the integration takes on; null where the integration is there already. */
  readonly roleArn: string | null;
}

/** What of a build the statements follow from. */
export type LoadedBuild = Pick<Current, "build" | "datasets">;

export interface StatementFile {
  readonly name: string;
  readonly text: string;
}

/** Names of all files, in the order in which Snowflake is to run them. */
export const STATEMENT_FILES = ["setup.sql", "tables.sql", "columns.sql", "copy.sql"] as const;

/** What the files of a build are written for: whoever runs them has chosen a database and a schema. */
export const SESSION: SnowflakeTarget = {
  ...{ database: null, schema: null, stage: "STAGE", url: null },
  ...{ integration: "HDASH", roleArn: null },
};

/** The address of a place that Snowflake can read; null where it is a folder. */
export function bucketUrl(uri: string): string | null {
  return uri.startsWith("s3://") ? uri : null;
}

/** Snowflake's names of the types. */
const SQL_TYPES: Readonly<Record<ColumnType, string>> = {
  ...{ string: "VARCHAR", bigint: "BIGINT", double: "DOUBLE", boolean: "BOOLEAN" },
  surrogate: "BIGINT",
};
/** So many files one COPY may name. */
const MOST_FILES = 1000;
/** So many characters an identifier may have. */
const MOST_CHARACTERS = 255;
const HASH_CHARACTERS = 8;

/** Writes all files; without a build there is nothing to be copied, and the tables are those of the schema. */
export function snowflakeFiles(
  datasets: readonly Dataset[],
  build: string | null,
  target: SnowflakeTarget,
): readonly StatementFile[] {
  const texts: Readonly<Record<(typeof STATEMENT_FILES)[number], string | null>> = {
    "setup.sql": setupStatements(target),
    "tables.sql": blocks(datasets.map((dataset) => tableStatement(dataset, target))),
    "columns.sql": blocks(datasets.map((dataset) => columnStatements(dataset, target))),
    "copy.sql": build === null ? null : copyStatements({ build, datasets }, target),
  };
  return STATEMENT_FILES.flatMap((name) => {
    const text = texts[name];
    return text === null ? [] : [{ name, text }];
  });
}

/**
 * Writes what has to be there before tables: database and schema where they are named, the integration where its role is, and the stage. Its
 * address ends with a slash: without one "main" would also be what "main-2" has.
 */
export function setupStatements(target: SnowflakeTarget): string {
  const { database, schema, url, integration, roleArn } = target;
  const location = url === null ? null : text(withSlash(url));
  const statements: string[] = [];
  if (database !== null)
    statements.push(`CREATE DATABASE IF NOT EXISTS ${identifier(asSaid(database))};`);
  if (schema !== null) {
    statements.push(
      `CREATE SCHEMA IF NOT EXISTS ${qualified({ ...target, schema: null }, schema)};`,
    );
  }
  if (location === null) {
    statements.push("-- No stage: COHORT_PROCESSED is a folder, which Snowflake cannot read.");
    return blocks(statements);
  }
  if (roleArn !== null) {
    // Never replaced: AWS trusts an integration by an id that a new one would not have.
    statements.push(
      [
        `CREATE STORAGE INTEGRATION IF NOT EXISTS ${identifier(asSaid(integration))}`,
        "  TYPE = EXTERNAL_STAGE",
        "  STORAGE_PROVIDER = 'S3'",
        "  ENABLED = TRUE",
        `  STORAGE_AWS_ROLE_ARN = ${text(roleArn)}`,
        `  STORAGE_ALLOWED_LOCATIONS = (${location});`,
      ].join("\n"),
    );
  }
  statements.push(
    [
      `CREATE STAGE IF NOT EXISTS ${qualified(target, target.stage)}`,
      `  URL = ${location}`,
      `  STORAGE_INTEGRATION = ${identifier(asSaid(integration))}`,
      "  FILE_FORMAT = (TYPE = PARQUET);",
    ].join("\n"),
  );
  return blocks(statements);
}

/** Writes the statement that makes a dataset's table, with its own columns in their order and none of another's. */
export function tableStatement(dataset: Dataset, target: SnowflakeTarget): string {
  const columns = dataset.columns.map((column) => `  ${columnOf(column)}`);
  const table = tableOf(dataset, target);
  return `-- ${oneLine(dataset.name)}\nCREATE TABLE IF NOT EXISTS ${table} (\n${columns.join(",\n")}\n);`;
}

/** Writes the statements that add to a table that is there already what it lacks: fields come up that nobody has sent before. */
export function columnStatements(dataset: Dataset, target: SnowflakeTarget): string {
  const table = tableOf(dataset, target);
  // One each: only so does every release of Snowflake take IF NOT EXISTS.
  const statements = dataset.columns.map(
    (column) => `ALTER TABLE ${table} ADD COLUMN IF NOT EXISTS ${columnOf(column)};`,
  );
  return [`-- ${oneLine(dataset.name)}`, ...statements].join("\n");
}

/**
 * Writes the statements that load each dataset whole into a table of its name, as Snowflake takes them. Files are named one by one: a folder
 * also has those that only an older build shows. What a folder's name says of its rows, the cohort, is no column of its files. A table is
 * emptied and filled in one transaction; FORCE, since what was loaded before counts as loaded although its rows are gone.
 */
export function copyStatements({ build, datasets }: LoadedBuild, target: SnowflakeTarget): string {
  return blocks(
    datasets.map((dataset) => {
      const table = tableOf(dataset, target);
      return [
        `-- ${oneLine(dataset.name)}: build ${build}`,
        "BEGIN;",
        `DELETE FROM ${table};`,
        ...copyOf(dataset, table, `@${qualified(target, target.stage)}`),
        "COMMIT;",
      ].join("\n");
    }),
  );
}

function copyOf({ columns, files }: Dataset, table: string, stage: string): readonly string[] {
  const own = columns.filter(({ name }) => name !== COHORT);
  const names = [...own.map(({ name }) => identifier(name)), identifier(COHORT)].join(", ");
  const values = own.map(({ name, type }) => `${fieldOf(name)}::${SQL_TYPES[type]}`);
  const byFolder = Map.groupBy(files, ({ key }) => key.slice(0, key.lastIndexOf("/") + 1));
  return [...byFolder].flatMap(([folder, all]) => {
    const cohort = /\/cohort=([^/]+)\/$/.exec(folder)?.[1] ?? "";
    const selected = [...values, text(cohort)].join(", ");
    const from = isPlainPath(folder) ? `${stage}/${folder}` : text(`${stage}/${folder}`);
    const batches: string[] = [];
    for (let at = 0; at < all.length; at += MOST_FILES) {
      const some = all.slice(at, at + MOST_FILES).map(({ key }) => text(key.slice(folder.length)));
      batches.push(
        `COPY INTO ${table} (${names}) FROM (SELECT ${selected} FROM ${from}) ` +
          `FILES = (${some.join(", ")}) FILE_FORMAT = (TYPE = PARQUET) FORCE = TRUE;`,
      );
    }
    return batches;
  });
}

/** A path that Snowflake takes without quotes. */
function isPlainPath(path: string): boolean {
  return /^[\w=./-]*$/.test(path);
}

/** A dataset's table: its name in capitals, as Snowflake takes names without quotes. */
function tableOf({ name }: Dataset, target: SnowflakeTarget): string {
  return qualified(target, name.toUpperCase());
}

function columnOf({ name, type }: Dataset["columns"][number]): string {
  return `${identifier(name)} ${SQL_TYPES[type]}`;
}

/** A field of a row of a file. By a function where the name has what ends or escapes a quoted path. */
function fieldOf(name: string): string {
  return /["\\]/.test(name) ? `GET($1, ${text(name)})` : `$1:"${name}"`;
}

function qualified({ database, schema }: SnowflakeTarget, name: string): string {
  const parts = [database, schema, name].filter((part) => part !== null);
  return parts.map((part) => identifier(asSaid(part))).join(".");
}

/** A name as Snowflake understands it where somebody says it: in capitals, unless it could only be said in quotes. */
function asSaid(name: string): string {
  return /^[A-Za-z_][\w$]*$/.test(name) ? name.toUpperCase() : name;
}

/** Quotes a name, so that it may be a word of SQL or have any character; one that is too long is cut, and stays one of its own. */
function identifier(name: string): string {
  const characters = [...name];
  const short =
    characters.length <= MOST_CHARACTERS
      ? name
      : `${characters.slice(0, MOST_CHARACTERS - HASH_CHARACTERS - 1).join("")}_${digestOf(name).slice(0, HASH_CHARACTERS)}`;
  return `"${short.replaceAll('"', '""')}"`;
}

/** Quotes a text; a backslash escapes in Snowflake. */
function text(value: string): string {
  return `'${value.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
}

function withSlash(url: string): string {
  return url.endsWith("/") ? url : `${url}/`;
}

function blocks(statements: readonly string[]): string {
  return `${statements.join("\n\n")}\n`;
}
