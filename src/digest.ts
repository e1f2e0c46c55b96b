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
  return write(value, "$");
}

function write(value: unknown, at: string): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") {
    return JSON.stringify(value);
  }
  if (typeof value === "number") {
    if (!Number.isFinite(value)) throw new TypeError(`${at} is ${value}, which JSON cannot hold`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map((item, index) => write(item, `${at}[${index}]`)).join(",")}]`;
  }
  if (typeof value === "object" && Object.getPrototypeOf(value) === Object.prototype) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${write(item, `${at}.${key}`)}`).join(",")}}`;
  }
  throw new TypeError(`${at} is not plain JSON (${typeof value})`);
}

/** Gives an interface's plain data the type that JSON has: a mapped type, which TypeScript takes for an index of keys. */
export function asJson<T extends object>(value: T): { readonly [K in keyof T]: T[K] } {
  return value;
}
