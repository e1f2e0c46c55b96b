// The versions of the schema that there are, and which one an export is read with.

import { readFile } from "node:fs/promises";
import { join } from "node:path";

import { digestOf } from "../../digest.ts";
import { HdashError, messageOf } from "../../error.ts";
import { meant } from "../../settings/nearest.ts";
import { columnsOf } from "./data/columns.ts";
import { type LaidOut, type RecordShape, shapeOf } from "./data/recordShape.ts";
import { readSchema, type Schema } from "./data/schema.ts";
import { byText } from "./data/text.ts";

/**
 * Which version is the default, and until which day exports are of an older one. Datasets have the columns, types and keys of the latest
 * alone; an older version says by which names and in which forms its exports wrote them.
 */
export interface SchemaVersions {
  readonly latest: number;
  /** An export whose name begins with a day before `before` is of `version`; the first rule that fits counts. */
  readonly rules: readonly { readonly before: string; readonly version: number }[];
}

export interface Schemas {
  readonly cohorts: readonly string[];
  /** The schema that an export is read with, by its name; of null the one that datasets have. */
  of(exportName: string | null): LaidOut;
}

/** Where the schemas are, below the folder of config. */
const SCHEMA_FOLDER = "config/cohort";
export const VERSIONS_FILE = `${SCHEMA_FOLDER}/versions.json`;
/** Files of schemas: each is named by its version. */
export const SCHEMA_FILES = /^config\/cohort\/[1-9]\d*\.json$/;

/** Reads the versions. Throws a config error that names the place in the file. */
export function readVersions(text: string): SchemaVersions {
  const fail = (what: string): never => {
    throw new HdashError("config", `${VERSIONS_FILE}: ${what}`);
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return fail("it is not JSON");
  }
  const { latest_version: latest, rules = [] } = (value ?? {}) as Readonly<Record<string, unknown>>;
  if (!isVersion(latest)) return fail("latest_version is no whole number from 1");
  if (!Array.isArray(rules)) return fail("rules is no list");
  const read = rules.map((rule: unknown, at) => {
    const { before, version } = (rule ?? {}) as Readonly<Record<string, unknown>>;
    if (typeof before !== "string" || !/^\d{4}-\d\d-\d\d$/.test(before)) {
      return fail(`rule ${at + 1} has no day before which it holds`);
    }
    if (!isVersion(version)) return fail(`rule ${at + 1} has no version`);
    return { before, version };
  });
  return { latest, rules: read.sort((a, b) => byText(a.before, b.before)) };
}

/** Names the file of the schema that is the default. */
export async function latestSchemaFile(dir: string): Promise<string> {
  return fileOf(readVersions(await read(dir, VERSIONS_FILE)).latest);
}

function fileOf(version: number): string {
  return `${SCHEMA_FOLDER}/${version}.json`;
}

function isVersion(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
}

/** Throws config where the versions cannot be read, or one that they name is not there. */
export function checkVersions(text: string, has: (file: string) => boolean): void {
  const missing = numbersOf(readVersions(text))
    .map(fileOf)
    .find((file) => !has(file));
  if (missing === undefined) return;
  throw new HdashError("config", `${VERSIONS_FILE}: it names ${missing}, which is not there`);
}

/** Throws config where a schema cannot be read, or is of another version than the name of its file says. */
export function checkSchema(text: string, file: string): void {
  layOut({ schema: readNamed(text, file), text }, null);
}

/** The schema that datasets have, of files that `read` gives; null where that cannot be read. */
export function latestOf(read: (file: string) => string | null): LaidOut | null {
  try {
    const file = fileOf(readVersions(read(VERSIONS_FILE) ?? "").latest);
    const text = read(file) ?? "";
    return layOut({ schema: readNamed(text, file), text }, null);
  } catch (error) {
    if (error instanceof HdashError && error.kind === "config") return null;
    throw error;
  }
}

function readNamed(text: string, file: string): Schema {
  const schema = readSchema(text, file);
  if (file === fileOf(schema.version)) return schema;
  throw new HdashError(
    "config",
    `${file}: version is ${schema.version}, and its name says another`,
  );
}

function numbersOf({ latest, rules }: SchemaVersions): readonly number[] {
  return [...new Set([latest, ...rules.map(({ version }) => version)])];
}

/** Loads all versions that are named. */
export async function loadSchemas(dir: string): Promise<Schemas> {
  const versions = readVersions(await read(dir, VERSIONS_FILE));
  const latest = await readVersion(dir, versions.latest);
  const laidOut = new Map([[versions.latest, layOut(latest, null)]]);
  for (const version of numbersOf(versions)) {
    if (laidOut.has(version)) continue;
    laidOut.set(version, layOut(latest, await readVersion(dir, version)));
  }
  const of = (version: number): LaidOut => laidOut.get(version) as LaidOut;
  return {
    cohorts: latest.schema.cohorts,
    of(exportName) {
      const rule = versions.rules.find(
        ({ before }) => exportName !== null && byText(exportName, before) < 0,
      );
      return of(rule?.version ?? versions.latest);
    },
  };
}

/** A version with the text that it was read from. */
interface ReadVersion {
  readonly schema: Schema;
  readonly text: string;
}

async function readVersion(dir: string, version: number): Promise<ReadVersion> {
  const file = fileOf(version);
  const text = await read(dir, file);
  return { schema: readNamed(text, file), text };
}

/** Lays out all types of the latest version, as exports of an older one write them. */
function layOut(latest: ReadVersion, older: ReadVersion | null): LaidOut {
  const { types, tie } = latest.schema;
  const shapes = new Map(
    [...types].map(([name, type]) => [
      name,
      shapeOf(type, tie, older?.schema.types.get(name) ?? null),
    ]),
  );
  checkIdentifying(latest.schema, shapes);
  const { version } = (older ?? latest).schema;
  const texts = older === null ? latest.text : `${older.text}\n${latest.text}`;
  return { version, name: `${version}-${digestOf(texts).slice(0, 12)}`, shapes };
}

/** Throws config where a column that is said to identify people is in no dataset: misspelt, it would be shown as harmless. */
function checkIdentifying(
  { version, types }: Schema,
  shapes: ReadonlyMap<string, RecordShape>,
): void {
  const known = new Set(
    [...shapes.values()].flatMap((shape) =>
      shape.tables.flatMap((_table, at) => columnsOf(shape, at, new Set()).map(({ name }) => name)),
    ),
  );
  for (const { identifying } of types.values()) {
    const strange = [...identifying].find((column) => !known.has(column));
    if (strange === undefined) continue;
    throw new HdashError(
      "config",
      `${fileOf(version)}: identifying names ${strange}, which no dataset is declared to have`,
      { hint: meant(strange, [...known]) },
    );
  }
}

async function read(dir: string, file: string): Promise<string> {
  try {
    return await readFile(join(dir, file), "utf8");
  } catch (error) {
    throw new HdashError("config", `${file} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}
