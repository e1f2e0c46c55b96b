// Content addresses: sha256 of bytes, and of values by way of canonical JSON.

import { createHash } from "node:crypto";

/** A sha256 as 64 lower-case hex digits. */
export type Digest = string & { readonly __brand: "Digest" };

/** Plain JSON: what may enter a key, a port or the ledger. */
export type Json =
  null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Digests bytes, or text as UTF-8. */
export function digestOf(data: Uint8Array | string): Digest {
  return createHash("sha256").update(data).digest("hex") as Digest;
}

/** Digests a JSON value independently of the order of its keys. */
export function digestOfJson(value: Json): Digest {
  return digestOf(canonicalJson(value));
}

/**
 * Writes JSON with sorted keys and no spaces, so that equal values give equal text.
 * Throws a TypeError that names the place for whatever JSON would drop or change (undefined, NaN, functions, dates).
 */
export function canonicalJson(value: Json): string {
  const text = write(value);
  if (text !== null) return text;
  throw new TypeError(problem(value, "$") ?? "$ is not plain JSON");
}

/** Null where something is not plain JSON. No places are kept meanwhile: keys are made by the ten thousand, and nearly none is wrong. */
function write(value: unknown): string | null {
  if (value === null || typeof value === "string" || typeof value === "boolean") {
    return JSON.stringify(value);
  }
  if (typeof value === "number") return Number.isFinite(value) ? JSON.stringify(value) : null;
  if (typeof value !== "object") return null;
  let text = "";
  if (Array.isArray(value)) {
    // By index: also what was never set is something that JSON would change.
    for (let at = 0; at < value.length; at++) {
      const item = write(value[at]);
      if (item === null) return null;
      text += at === 0 ? item : `,${item}`;
    }
    return `[${text}]`;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return null;
  for (const key of Object.keys(value).sort(byCodeUnits)) {
    const item = write((value as Readonly<Record<string, unknown>>)[key]);
    if (item === null) return null;
    text += `${text === "" ? "" : ","}${JSON.stringify(key)}:${item}`;
  }
  return `{${text}}`;
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : 1;
}

/** Says what is not plain JSON, and where; null where all is. */
function problem(value: unknown, at: string): string | null {
  if (value === null || typeof value === "boolean" || typeof value === "string") return null;
  if (typeof value === "number") {
    return Number.isFinite(value) ? null : `${at} is ${value}, which JSON cannot hold`;
  }
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const found = problem(value[index], `${at}[${index}]`);
      if (found !== null) return found;
    }
    return null;
  }
  if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    for (const [key, item] of Object.entries(value).sort(([a], [b]) => byCodeUnits(a, b))) {
      const found = problem(item, `${at}.${key}`);
      if (found !== null) return found;
    }
    return null;
  }
  return `${at} is not plain JSON (${typeof value})`;
}

/** Gives an interface's plain data the type that JSON has: a mapped type, which TypeScript takes for an index of keys. */
export function asJson<T extends object>(value: T): { readonly [K in keyof T]: T[K] } {
  return value;
}
