// Reads checks of datasets, strictly: each mistake is named with its file, entry and field, and all of them at once.

import { HdashError } from "../../../error.ts";
import { quoted } from "../../../format.ts";
import type { Check, CheckedDataset, CheckedValue, CheckKind, Rule } from "./check.ts";
import type { ColumnType } from "./current.ts";

/** What an entry of each kind has besides what every entry may have. */
const FIELDS: Readonly<Record<CheckKind, readonly string[]>> = {
  between: ["column", "min", "max"],
  set: ["column", "values"],
  pattern: ["column", "pattern"],
  unique: ["columns"],
  not_null: ["column"],
  exists: ["column"],
  fresh: ["column", "days"],
  row_count: ["percent"],
  has_parent: [],
};
const KINDS = Object.keys(FIELDS);
const COMMON = ["id", "dataset", "check", "severity", "blocks", "undeclared"];

type Entry = Readonly<Record<string, unknown>>;
type Fail = (field: string, what: string) => void;

/**
 * Reads checks. Throws a config error that names every mistake. What is said of datasets and columns is compared with `datasets`, by their
 * names; a column that nobody declared is a mistake, unless the entry says "undeclared": true.
 */
export function readChecks(
  text: string,
  file: string,
  datasets: ReadonlyMap<string, CheckedDataset>,
): readonly Check[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new HdashError("config", `${file}: it is not JSON`, { cause: error });
  }
  const entries = isEntry(value) ? value["checks"] : undefined;
  if (!isEntry(value) || !Array.isArray(entries) || Object.keys(value).length > 1) {
    throw new HdashError("config", `${file}: it is no object with "checks", a list, and no more`);
  }
  const mistakes: string[] = [];
  const checks: Check[] = [];
  entries.forEach((entry: unknown, at) => {
    const fail: Fail = (field, what) => mistakes.push(`check ${at + 1}: ${field} ${what}`);
    const check = readCheck(entry, datasets, fail);
    if (check === null) return;
    if (checks.some(({ id }) => id === check.id)) {
      fail("id", `is ${quoted(check.id)}, as that of a check before: give each one of its own`);
    }
    checks.push(check);
  });
  if (mistakes.length === 0) return checks;
  throw new HdashError("config", mistakes.map((one) => `${file}: ${one}`).join("\n"), {
    hint: "docs/cohort.md, Checks, says what an entry has.",
  });
}

function readCheck(
  value: unknown,
  datasets: ReadonlyMap<string, CheckedDataset>,
  fail: Fail,
): Check | null {
  if (!isEntry(value)) return failed(fail, "it", "is no object");
  const { dataset: of, check: kind, blocks = false } = value;
  const { severity = blocks === true ? "error" : "warning" } = value;
  if (!isKind(kind)) return failed(fail, "check", `is ${shown(kind)}: ${oneOf(KINDS)}`);
  const own = [...COMMON, ...FIELDS[kind]];
  for (const field of Object.keys(value)) {
    if (!own.includes(field)) fail(field, `is no field of ${kind}, which has ${own.join(", ")}`);
  }
  if (typeof blocks !== "boolean") return failed(fail, "blocks", "is not true or false");
  if (severity !== "error" && severity !== "warning") {
    return failed(fail, "severity", `is ${shown(severity)}: ${oneOf(["error", "warning"])}`);
  }
  const dataset = typeof of === "string" ? datasets.get(of) : undefined;
  if (dataset === undefined) {
    return failed(fail, "dataset", `is ${shown(of)}, and the schema has no such dataset`);
  }
  const columns = readColumns(kind, value, dataset, fail);
  const rule = columns === null ? null : readRule(kind, value, { dataset, columns }, fail);
  if (rule === null || columns === null) return null;
  const named = columns.length === 0 ? "" : `.${columns.map(({ name }) => name).join("+")}`;
  const { id = `${dataset.name}${named}.${kind}` } = value;
  if (typeof id !== "string" || !/^[\w.+-]{1,200}$/.test(id)) {
    return failed(fail, "id", `is ${shown(id)}: it has letters, digits, "_", ".", "+" and "-"`);
  }
  const [column = null] = columns.map(({ name }) => name);
  return {
    ...{ id, dataset: dataset.name, column: columns.length > 1 ? null : column },
    ...{ severity, blocks, ...rule },
  };
}

/** A column that is checked; its type is text where nobody declared it. */
interface Checked {
  readonly name: string;
  readonly type: ColumnType;
}

/** The columns that an entry names; null, where they cannot be read. */
function readColumns(
  kind: CheckKind,
  entry: Entry,
  { columns, name: of }: CheckedDataset,
  fail: Fail,
): readonly Checked[] | null {
  const { undeclared = false } = entry;
  if (typeof undeclared !== "boolean") return failed(fail, "undeclared", "is not true or false");
  const field = kind === "unique" ? "columns" : "column";
  if (!FIELDS[kind].includes(field)) return [];
  const found: unknown = kind === "unique" ? entry["columns"] : [entry["column"]];
  if (!isNames(found)) {
    return failed(fail, field, kind === "unique" ? "is no list of names" : "names no column");
  }
  if (new Set(found).size < found.length) return failed(fail, field, "names a column twice");
  const strange = found.find((name) => !columns.has(name));
  if (strange !== undefined && !undeclared) {
    const meant = [...columns.keys()].find((one) => one.toLowerCase() === strange.toLowerCase());
    const hint = meant === undefined ? "" : `, but ${meant}`;
    return failed(
      fail,
      field,
      `names ${quoted(strange)}, which ${of} is not declared to have${hint}`,
    );
  }
  return found.map((name) => ({ name, type: columns.get(name) ?? "string" }));
}

/** What an entry says by its kind. */
function readRule(
  kind: CheckKind,
  entry: Entry,
  of: { readonly dataset: CheckedDataset; readonly columns: readonly Checked[] },
  fail: Fail,
): Rule | null {
  const [column] = of.columns;
  switch (kind) {
    case "between":
      return readBetween(entry, column, fail);
    case "set":
      return readSet(entry, column, fail);
    case "pattern":
      return readPattern(entry, column, fail);
    case "unique":
      return { kind, columns: of.columns.map(({ name }) => name) };
    case "fresh": {
      if (column?.type !== "string") {
        return failed(fail, "column", "is no text: a date is, and begins with YYYY-MM-DD");
      }
      const days = readNumber("days", entry["days"], fail);
      return days === null ? null : { kind, days };
    }
    case "row_count": {
      const percent = readNumber("percent", entry["percent"], fail);
      return percent === null ? null : { kind, percent };
    }
    case "has_parent":
      if (of.dataset.parent !== null) return { kind };
      return failed(fail, "dataset", `is ${of.dataset.name}, whose rows belong to no other`);
    case "not_null":
    case "exists":
      return { kind };
  }
}

function readBetween(entry: Entry, column: Checked | undefined, fail: Fail): Rule | null {
  const { min = null, max = null } = entry;
  if (column?.type === "boolean") return failed(fail, "column", "is true or false, and no number");
  for (const [field, value] of Object.entries({ min, max })) {
    if (value !== null && !isNumber(value)) {
      return failed(fail, field, `is ${shown(value)}, which is no number`);
    }
  }
  if (min === null && max === null) return failed(fail, "min", "is missing, and so is max");
  if (isNumber(min) && isNumber(max) && min > max)
    return failed(fail, "min", `is ${min}, above max, which is ${max}`);
  return { kind: "between", min: isNumber(min) ? min : null, max: isNumber(max) ? max : null };
}

/** What values of a column look like in JSON. */
const VALUES: Readonly<Record<ColumnType, "string" | "number" | "boolean">> = {
  ...{ string: "string", bigint: "number", surrogate: "number" },
  ...{ double: "number", boolean: "boolean" },
};

function readSet(entry: Entry, column: Checked | undefined, fail: Fail): Rule | null {
  const { values } = entry;
  const type = VALUES[column?.type ?? "string"];
  const isValue = (value: unknown): value is CheckedValue =>
    typeof value === type && (type !== "number" || isNumber(value));
  if (!Array.isArray(values) || values.length === 0 || !values.every(isValue)) {
    return failed(fail, "values", `is no list of ${type}s, as the column has them`);
  }
  return { kind: "set", values };
}

/** What RE2 does not have, and JavaScript has. */
const NOT_OF_RE2 = /\(\?<?[=!]|\\[1-9]|\\k</;

function readPattern(entry: Entry, column: Checked | undefined, fail: Fail): Rule | null {
  const { pattern } = entry;
  if (column?.type !== "string") return failed(fail, "column", "is no text");
  const shownAs = `is ${shown(pattern)}`;
  if (typeof pattern !== "string" || pattern === "") return failed(fail, "pattern", shownAs);
  try {
    new RegExp(pattern, "u");
  } catch {
    return failed(fail, "pattern", `${shownAs}, which is no regular expression`);
  }
  if (NOT_OF_RE2.test(pattern)) {
    return failed(fail, "pattern", `${shownAs}: it looks ahead or back, which RE2 cannot`);
  }
  return { kind: "pattern", pattern };
}

function readNumber(field: string, value: unknown, fail: Fail): number | null {
  if (isNumber(value) && value >= 0) return value;
  return failed(fail, field, `is ${shown(value)}: it is a number from 0`);
}

function failed(fail: Fail, field: string, what: string): null {
  fail(field, what);
  return null;
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}

function isKind(value: unknown): value is CheckKind {
  return typeof value === "string" && KINDS.includes(value);
}

function isEntry(value: unknown): value is Entry {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isNames(value: unknown): value is readonly string[] {
  return (
    Array.isArray(value) &&
    value.length > 0 &&
    value.every((one) => typeof one === "string" && one !== "")
  );
}

/** So much of a list is enough to find it. */
const MOST_SHOWN = 60;

function shown(value: unknown): string {
  if (value === undefined) return "missing";
  return typeof value === "string" ? quoted(value) : JSON.stringify(value).slice(0, MOST_SHOWN);
}

function oneOf(words: readonly string[]): string {
  return `it is one of ${words.join(", ")}`;
}
