// The schema of exports, as config/cohort/<version>.json has it: data types with their fields, keys and deletions. It is all that
// hdash knows of a type: a new one is an entry there.

import { HdashError } from "../../../error.ts";

/** Types of values: text, 64-bit integers, doubles, true or false. */
export type Scalar = "string" | "int" | "double" | "boolean";
const SCALARS: readonly string[] = ["string", "int", "double", "boolean"];

/**
 * A field. `from` says what the vendor sends in place of the field's own type: its JSON as "text", or, for an array of pairs, an object
 * whose names are "offsets".
 */
export type Field =
  | Scalar
  | { readonly struct: Fields; readonly from?: "text" }
  | { readonly array: Scalar | { readonly struct: Fields }; readonly from?: "text" | "offsets" };
export type Fields = Readonly<Record<string, Field>>;

/** A data type of exports. */
export interface DataType {
  readonly name: string;
  /** Columns whose values name a record; the cohort is none of them. */
  readonly key: readonly string[];
  /** The type whose records this one's keys delete; null for a type with a dataset of its own. */
  readonly deletes: string | null;
  /** True where the member's subtype is the record's Type. */
  readonly isSubtyped: boolean;
  readonly fields: Fields;
  /** The column of its key that names the participant; null where people cannot be counted. */
  readonly participant: string | null;
  /** Columns of its datasets by which somebody may tell who a participant is. */
  readonly identifying: ReadonlySet<string>;
  /** Other names that fields have had, by the path of the field, e.g. {"Metadata.WithingsLink": ["Withings_Link"]}. */
  readonly aliases: Readonly<Record<string, readonly string[]>>;
}

export interface Schema {
  readonly version: number;
  readonly cohorts: readonly string[];
  /** The column that names the participant in every type whose key has it; null where nothing says so. */
  readonly participant: string | null;
  /** Columns of datasets, whatever their type, by which somebody may tell who a participant is. */
  readonly identifying: readonly string[];
  /** The text column whose instant tells the later of two records of a key. */
  readonly tie: string;
  readonly types: ReadonlyMap<string, DataType>;
}

/** Reads a schema. Throws a config error that names the place in it. */
export function readSchema(text: string, name: string): Schema {
  const fail = (where: string, what: string): never => {
    throw new HdashError("config", `${name}: ${where} ${what}`);
  };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new HdashError("config", `${name} is not JSON`, { cause: error });
  }
  const whole = record(value) ?? fail("it", "is no object");
  const { version, tie } = whole;
  if (typeof version !== "number" || !Number.isSafeInteger(version) || version < 1) {
    return fail("version", "is no whole number from 1");
  }
  if (typeof tie !== "string" || tie === "") return fail("tie", "names no column");
  const cohorts = texts(whole["cohorts"]);
  if (cohorts === null || cohorts.length === 0) return fail("cohorts", "is no list of names");
  const { participant = null } = whole;
  if (participant !== null && (typeof participant !== "string" || participant === "")) {
    return fail("participant", "names no column");
  }
  const identifying = readIdentifying("identifying", whole["identifying"], fail);
  const types = new Map<string, DataType>();
  for (const [type, entry] of Object.entries(
    record(whole["types"]) ?? fail("types", "is no object"),
  )) {
    types.set(type, readType(type, entry, fail, { participant, identifying }));
  }
  for (const { name: type, deletes, key } of types.values()) {
    if (deletes === null) continue;
    const target = types.get(deletes);
    if (target === undefined) fail(`types.${type}.deletes`, `names ${deletes}, which is no type`);
    else if (target.key.join() !== key.join())
      fail(`types.${type}.key`, `is not that of ${deletes}`);
  }
  return { version, cohorts, tie, participant, identifying, types };
}

type Fail = (where: string, what: string) => never;

/** What holds for every type that says nothing else. */
type OfAll = Pick<Schema, "participant" | "identifying">;

function readIdentifying(at: string, value: unknown, fail: Fail): readonly string[] {
  return value === undefined ? [] : (texts(value) ?? fail(at, "is no list of columns"));
}

function readType(type: string, value: unknown, fail: Fail, all: OfAll): DataType {
  const at = `types.${type}`;
  if (!/^[A-Za-z][A-Za-z0-9]*(_Deleted)?$/.test(type)) fail(at, "is no name of a type");
  const entry = record(value) ?? fail(at, "is no object");
  const key = texts(entry["key"]);
  if (key === null || key.length === 0) return fail(`${at}.key`, "is no list of columns");
  const fields = readFields(`${at}.columns`, entry["columns"], fail);
  for (const column of key) {
    const field = fields[column];
    if (typeof field !== "string") fail(`${at}.key`, `names ${column}, which is no plain column`);
  }
  const { deletes = null, subtyped = false, aliases = {} } = entry;
  const participant = readParticipant(`${at}.participant`, entry["participant"], key, all, fail);
  const identifying = readIdentifying(`${at}.identifying`, entry["identifying"], fail);
  if (deletes !== null && typeof deletes !== "string") return fail(`${at}.deletes`, "is no type");
  if (typeof subtyped !== "boolean") return fail(`${at}.subtyped`, "is not true or false");
  const others: Record<string, readonly string[]> = {};
  for (const [path, names] of Object.entries(
    record(aliases) ?? fail(`${at}.aliases`, "is no object"),
  )) {
    others[path] = texts(names) ?? fail(`${at}.aliases.${path}`, "is no list of names");
    if (!hasPath(fields, path.split("."))) fail(`${at}.aliases`, `has ${path}, which is no field`);
  }
  return {
    ...{ name: type, key, deletes, isSubtyped: subtyped, fields, aliases: others, participant },
    identifying: new Set([...all.identifying, ...identifying]),
  };
}

/** The type's own column, or that of all types where its key has it. What is no part of the key is not at hand where people are counted. */
function readParticipant(
  at: string,
  own: unknown,
  key: readonly string[],
  all: OfAll,
  fail: Fail,
): string | null {
  if (own === undefined) {
    return all.participant !== null && key.includes(all.participant) ? all.participant : null;
  }
  if (own === null || (typeof own === "string" && key.includes(own))) return own;
  return fail(at, "is no column of the key");
}

function hasPath(fields: Fields, [name = "", ...rest]: readonly string[]): boolean {
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (field === undefined || rest.length === 0) return field !== undefined;
  if (typeof field === "string") return false;
  if ("struct" in field) return hasPath(field.struct, rest);
  return (
    rest[0] === "val" &&
    typeof field.array !== "string" &&
    hasPath(field.array.struct, rest.slice(1))
  );
}

function readFields(at: string, value: unknown, fail: Fail): Fields {
  const fields: Record<string, Field> = {};
  for (const [name, entry] of Object.entries(record(value) ?? fail(at, "is no object"))) {
    fields[name] = readField(`${at}.${name}`, entry, fail);
  }
  return fields;
}

function readField(at: string, value: unknown, fail: Fail): Field {
  if (isScalar(value)) return value;
  const entry = record(value);
  const { struct, array, from } = entry ?? {};
  if (from !== undefined && from !== "text" && from !== "offsets") {
    return fail(`${at}.from`, "is neither text nor offsets");
  }
  if (struct !== undefined && from !== "offsets") {
    const fields = readFields(at, struct, fail);
    return from === undefined ? { struct: fields } : { struct: fields, from };
  }
  if (array === undefined) return fail(at, "is no type, struct or array");
  if (isScalar(array) && from !== "offsets") {
    return from === undefined ? { array } : { array, from };
  }
  const element = record(array)?.["struct"];
  const fields = readFields(`${at}.array`, element, fail);
  const kinds = Object.values(fields);
  if (
    from === "offsets" &&
    (kinds.length !== 2 || kinds.some((kind) => typeof kind !== "string"))
  ) {
    return fail(at, "is made from offsets, and has not two plain fields");
  }
  return from === undefined ? { array: { struct: fields } } : { array: { struct: fields }, from };
}

function isScalar(value: unknown): value is Scalar {
  return typeof value === "string" && SCALARS.includes(value);
}

function record(value: unknown): Readonly<Record<string, unknown>> | null {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : null;
}

function texts(value: unknown): readonly string[] | null {
  return Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "")
    ? (value as readonly string[])
    : null;
}
