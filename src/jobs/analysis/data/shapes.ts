// Values against the kinds that were declared for them: at a plan's borders, and as people write them on a command line.

import { count } from "../../../format.ts";
import type { Shape } from "../writing/kinds.ts";

/** What a kind is called. */
export function shapeText(shape: Shape): string {
  switch (shape.kind) {
    case "text":
      return "text";
    case "integer":
      return "a whole number";
    case "number":
      return "a number";
    case "boolean":
      return "true or false";
    case "json":
      return "JSON";
    case "choice":
      return `one of ${shape.values.join(", ")}`;
    case "file":
    case "folder":
      return `a ${shape.kind}`;
    case "list":
      return `a list, each ${shapeText(shape.of)}`;
    case "optional":
      return `${shapeText(shape.of)}, or nothing`;
    case "table":
      return `a table of ${count(Object.keys(shape.columns).length, "column")}`;
  }
}

/** Tells whether files or folders are in it. */
export function hasFiles(shape: Shape): boolean {
  switch (shape.kind) {
    case "file":
    case "folder":
      return true;
    case "list":
    case "optional":
      return hasFiles(shape.of);
    case "table":
      return Object.values(shape.columns).some(hasFiles);
    case "text":
    case "integer":
    case "number":
    case "boolean":
    case "choice":
    case "json":
      return false;
  }
}

type Stands = (value: unknown, shape: Shape) => boolean;

/**
 * Says what is wrong with a value, and where; null where nothing is. `at` names the value. Missing cells of a table are null where their column
 * is optional.
 * @param stands tells what stands for a value of a shape that is not known yet, e.g. for a file.
 */
export function valueProblem(
  shape: Shape,
  value: unknown,
  at: string,
  stands: Stands = () => false,
): string | null {
  if (stands(value, shape)) return null;
  const is = (isSo: boolean): string | null =>
    isSo ? null : `${at} is ${shown(value)}, and should be ${shapeText(shape)}`;
  switch (shape.kind) {
    case "text":
      return is(typeof value === "string");
    case "integer":
      return is(Number.isSafeInteger(value));
    case "number":
      return is(Number.isFinite(value));
    case "boolean":
      return is(typeof value === "boolean");
    case "choice":
      return is(typeof value === "string" && shape.values.includes(value));
    case "json":
      return is(isPlain(value));
    case "file":
    case "folder":
      return is(false);
    case "optional":
      return value === null || value === undefined
        ? null
        : valueProblem(shape.of, value, at, stands);
    case "list":
      if (!Array.isArray(value)) return is(false);
      return firstOf(value, (one, index) => valueProblem(shape.of, one, `${at}[${index}]`, stands));
    case "table":
      if (!Array.isArray(value)) return is(false);
      return firstOf(value, (row, index) =>
        rowProblem(shape.columns, row, `${at}[${index}]`, stands),
      );
  }
}

function rowProblem(
  columns: Readonly<Record<string, Shape>>,
  row: unknown,
  at: string,
  stands: Stands,
): string | null {
  if (typeof row !== "object" || row === null) return `${at} is ${shown(row)}, and should be a row`;
  const cells: Readonly<Record<string, unknown>> = { ...row };
  const strange = Object.keys(cells).find((name) => !Object.hasOwn(columns, name));
  if (strange !== undefined) return `${at} has a column ${strange}, which the table has not`;
  return firstOf(Object.entries(columns), ([name, shape]) =>
    valueProblem(shape, cellOf(cells, name), `${at}.${name}`, stands),
  );
}

function cellOf(cells: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(cells, name) ? (cells[name] ?? null) : null;
}

function firstOf<T>(
  values: readonly T[],
  problemOf: (value: T, index: number) => string | null,
): string | null {
  for (const [index, value] of values.entries()) {
    const problem = problemOf(value, index);
    if (problem !== null) return problem;
  }
  return null;
}

/** A value in the one form that it has in a key: what is missing in a row is its column's default, or null, as it is where somebody wrote null. */
export function inFull(shape: Shape, value: unknown): unknown {
  switch (shape.kind) {
    case "optional":
      return value === null || value === undefined ? null : inFull(shape.of, value);
    case "list":
      return Array.isArray(value) ? value.map((one: unknown) => inFull(shape.of, one)) : value;
    case "table":
      if (!Array.isArray(value)) return value;
      return value.map((row: unknown) => {
        if (typeof row !== "object" || row === null) return row;
        const cells: Readonly<Record<string, unknown>> = { ...row };
        const columns = Object.entries(shape.columns);
        const full = columns.map(([name, of]) => {
          const cell = cellOf(cells, name) ?? shape.fallbacks?.[name] ?? null;
          return [name, inFull(of, cell)] as const;
        });
        return { ...cells, ...Object.fromEntries(full) };
      });
    case "text":
    case "integer":
    case "number":
    case "boolean":
    case "choice":
    case "json":
    case "file":
    case "folder":
      return value;
  }
}

/** How much of a value is told. */
const MOST_SHOWN = 60;

function shown(value: unknown): string {
  if (value === undefined || value === null) return "missing";
  const isWritten = typeof value === "number" || typeof value === "bigint";
  const text = isWritten ? String(value) : (tryJson(value) ?? typeof value);
  return text.length > MOST_SHOWN ? `${text.slice(0, MOST_SHOWN)}…` : text;
}

function tryJson(value: unknown): string | null {
  try {
    return JSON.stringify(value) ?? null;
  } catch {
    // What has no JSON is told by what it is.
    return null;
  }
}

/** Tells whether a value is JSON as it stands: nothing of it would be dropped or changed. */
function isPlain(value: unknown): boolean {
  if (value === null || typeof value === "string" || typeof value === "boolean") return true;
  if (typeof value === "number") return Number.isFinite(value);
  if (Array.isArray(value)) return value.every(isPlain);
  if (typeof value !== "object") return false;
  const proto: unknown = Object.getPrototypeOf(value);
  return (proto === Object.prototype || proto === null) && Object.values(value).every(isPlain);
}

/** What came of reading a value as people write it. */
export type Parsed =
  { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };

/**
 * Reads a value as it stands on a command line or in a cell. Files and folders are paths then; a list's values are separated by commas;
 * a table is the path of a CSV.
 */
export function parseValue(shape: Shape, text: string): Parsed {
  const ok = (value: unknown): Parsed => ({ ok: true, value });
  const no = { ok: false, problem: `must be ${shapeText(shape)}` } as const;
  const own = text.trim();
  switch (shape.kind) {
    case "text":
      return ok(text);
    case "integer":
      return /^[+-]?\d+$/.test(own) && Number.isSafeInteger(Number(own)) ? ok(Number(own) + 0) : no;
    case "number":
      return own !== "" && /^[+-]?[\d.]+(e[+-]?\d+)?$/i.test(own) && Number.isFinite(Number(own))
        ? ok(Number(own))
        : no;
    case "boolean":
      return own === "true" || own === "false" ? ok(own === "true") : no;
    case "choice":
      return shape.values.includes(own) ? ok(own) : no;
    case "json":
      try {
        const value: unknown = JSON.parse(own);
        return isPlain(value) ? ok(value) : no;
      } catch {
        return no;
      }
    case "file":
    case "folder":
    case "table":
      return own === "" ? no : ok(own);
    case "optional":
      return own === "" ? ok(null) : parseValue(shape.of, text);
    case "list": {
      const parts = own === "" ? [] : own.split(",").map((part) => parseValue(shape.of, part));
      const wrong = parts.findIndex((part) => !part.ok);
      if (wrong !== -1) {
        const problem = `must be ${shapeText(shape)}, separated by commas; number ${wrong + 1} is not`;
        return { ok: false, problem };
      }
      return ok(parts.map((part) => (part.ok ? part.value : null)));
    }
  }
}
