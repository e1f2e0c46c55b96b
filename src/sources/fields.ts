// Reading fields out of JSON from outside: unknown goes in, a typed value or an error that names the field comes out.

import { HdashError } from "../error.ts";

/** A JSON object from outside, with what it is called in messages. */
export interface Fields {
  readonly at: string;
  readonly values: Readonly<Record<string, unknown>>;
}

/** Takes a value as an object. Throws permanent where it is something else. */
export function fieldsOf(value: unknown, at: string): Fields {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw wrong(at, "an object", value);
  }
  return { at, values: value as Readonly<Record<string, unknown>> };
}

/** Reads a field that must be an object. */
export function objectField(fields: Fields, name: string): Fields {
  return fieldsOf(fields.values[name], `${fields.at}.${name}`);
}

/** Reads a field that must be text and not empty. */
export function textField(fields: Fields, name: string): string {
  const value = fields.values[name];
  if (typeof value !== "string" || value === "") throw wrong(`${fields.at}.${name}`, "text", value);
  return value;
}

/** Reads a field that may be missing; "" and null count as missing. */
export function optionalText(fields: Fields, name: string): string | null {
  const value = fields.values[name];
  return value === undefined || value === null || value === "" ? null : textField(fields, name);
}

/** Reads a field that must be a whole number of at least 0, or missing. */
export function optionalCount(fields: Fields, name: string): number | null {
  const value = fields.values[name];
  if (value === undefined || value === null) return null;
  if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0) {
    throw wrong(`${fields.at}.${name}`, "a count", value);
  }
  return value;
}

/** Reads a field that must be a list. */
export function listField(fields: Fields, name: string): readonly unknown[] {
  const value = fields.values[name];
  if (!Array.isArray(value)) throw wrong(`${fields.at}.${name}`, "a list", value);
  return value;
}

/** The value itself is not quoted: it may be data that must not reach a log. */
function wrong(at: string, wanted: string, value: unknown): HdashError {
  const found = value === undefined ? "missing" : value === null ? "null" : `a ${typeof value}`;
  const what = Array.isArray(value) ? "a list" : value === "" ? "empty" : found;
  return new HdashError("permanent", `${at} should be ${wanted} but is ${what}`);
}
