// JSON of the job's own that lies in a private place: what would make the ledger grow with all that there is, and names that are nobody else's.

import { promisify } from "node:util";
import { gunzip, gzip } from "node:zlib";

import { digestOf } from "../../digest.ts";
import type { Bucket } from "../../store/bucket.ts";
import { contentName } from "./data/keptObjects.ts";
import type { KeptObject } from "./data/report.ts";

/** Programs read it, and know when it changes. */
export const JSON_OBJECT = { contentType: "application/json", cacheControl: "no-cache" } as const;

export const pack = promisify(gzip);
export const unpack = promisify(gunzip);

/** Puts a value, packed, under the key that is made from its digest. */
export async function putJson(
  bucket: Bucket,
  keyOf: (content: string) => string,
  value: unknown,
  signal?: AbortSignal,
): Promise<KeptObject> {
  const bytes = await pack(JSON.stringify(value));
  const sha256 = digestOf(bytes);
  const key = keyOf(contentName(sha256));
  const etag = await bucket.put(key, bytes, JSON_OBJECT, signal);
  return { key, bytes: bytes.length, sha256, etag };
}

/** Reads a value that was put; null where it is gone, or another one. What is in it, we wrote ourselves. */
export async function getJson<T>(
  bucket: Bucket,
  { key, sha256 }: KeptObject,
  signal?: AbortSignal,
): Promise<T | null> {
  const bytes = await bucket.get(key, signal);
  if (bytes === null || digestOf(bytes) !== sha256) return null;
  return JSON.parse((await unpack(bytes)).toString()) as T;
}
