// Files and folders of a bucket that a user gave by their address: what the store says of them tells whether they have changed, and what has
// not is not fetched again.

import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";

import { canonicalJson, digestOf, type Json } from "../../../digest.ts";
import type { WrittenPath } from "../../../engine/step.ts";
import { HdashError } from "../../../error.ts";
import { count, oneLine } from "../../../format.ts";
import type { Bucket, ObjectHead } from "../../../store/bucket.ts";

/** An object, or all that lies below a prefix. */
export interface FarPlace {
  readonly bucket: string;
  /** Of a folder it ends in a slash, or is empty: the whole bucket. */
  readonly key: string;
}

/** Opens what lies below a prefix of a bucket. */
export type OpenFar = (
  bucket: string,
  prefix: string,
) => Promise<Pick<Bucket, "head" | "fetch" | "list">>;

/** Objects that are fetched at the same time. */
const AT_ONCE = 8;

/** Tells an address of a bucket from a path. */
export function isFar(text: string): boolean {
  return /^s3:\/\//i.test(text);
}

/** Reads an address. Throws usage that names it. @param at names the value. */
export function readFarPlace(text: string, at: string, kind: "file" | "folder"): FarPlace {
  const [, bucket = "", key = ""] = /^s3:\/\/([^/]*)\/?(.*)$/is.exec(text) ?? [];
  const refuse = (why: string): never => {
    throw new HdashError("usage", `${at} is ${text}: ${why}`);
  };
  if (bucket === "") refuse("it names no bucket");
  if (kind === "file") {
    if (key === "") refuse("it names a bucket, and no object");
    if (key.endsWith("/")) refuse("it names a folder, and a file belongs here");
    return { bucket, key };
  }
  return { bucket, key: key === "" || key.endsWith("/") ? key : `${key}/` };
}

/** The address, as it is part of a key. */
export function farAddress({ bucket, key }: FarPlace): string {
  return `s3://${bucket}/${key}`;
}

/** What the store says of an object. Throws a permanent error where there is none. */
export async function pinObject(
  open: OpenFar,
  place: FarPlace,
  signal: AbortSignal,
): Promise<Json> {
  const head = await (await open(place.bucket, "")).head(place.key, signal);
  if (head === null) throw new HdashError("permanent", `${farAddress(place)} is not there`);
  return { etag: head.etag, bytes: head.bytes };
}

/** Brings an object to this disk. */
export async function bringObject(
  open: OpenFar,
  place: FarPlace,
  { dir, signal }: { readonly dir: string; readonly signal: AbortSignal },
): Promise<WrittenPath> {
  const path = join(dir, "file");
  const fetched = await (await open(place.bucket, "")).fetch(place.key, path, signal);
  if (fetched === null) throw new HdashError("permanent", `${farAddress(place)} is not there`);
  return { path, sha256: fetched.digest };
}

/** What the store says of all that lies below a prefix. Throws a permanent error where that is nothing, or no folder. */
export async function pinPrefix(
  open: OpenFar,
  place: FarPlace,
  signal: AbortSignal,
): Promise<Json> {
  const objects = await listObjects(open, place, signal);
  const said = objects.map(({ key, etag, bytes }) => [key, etag, bytes]);
  return {
    objects: objects.length,
    bytes: objects.reduce((sum, { bytes }) => sum + bytes, 0),
    list: digestOf(canonicalJson(said)),
  };
}

/** Brings all that lies below a prefix to this disk, as a folder. */
export async function bringPrefix(
  open: OpenFar,
  place: FarPlace,
  {
    dir,
    signal,
    onProgress,
  }: {
    readonly dir: string;
    readonly signal: AbortSignal;
    onProgress(done: number, total: number): void;
  },
): Promise<WrittenPath> {
  const objects = await listObjects(open, place, signal);
  const total = objects.reduce((sum, { bytes }) => sum + bytes, 0);
  const root = join(dir, "folder");
  const below = await open(place.bucket, place.key);
  const left = objects.values();
  let done = 0;
  const work = async (): Promise<void> => {
    for (const { key, bytes } of left) {
      const path = join(root, key);
      await mkdir(dirname(path), { recursive: true });
      const fetched = await below.fetch(key, path, signal);
      if (fetched === null) {
        throw new HdashError("transient", `${farAddress(place)}${key} went while it was fetched`);
      }
      onProgress((done += bytes), total);
    }
  };
  const ended = await Promise.allSettled(Array.from({ length: AT_ONCE }, work));
  const failed = ended.find((end) => end.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return { path: root };
}

/** Lists the objects below a prefix that are files, by key. */
async function listObjects(
  open: OpenFar,
  place: FarPlace,
  signal: AbortSignal,
): Promise<readonly ObjectHead[]> {
  const address = farAddress(place);
  const objects: ObjectHead[] = [];
  for await (const object of (await open(place.bucket, place.key)).list(signal)) {
    // Consoles put an empty object where a folder was made.
    if (object.key === "" || (object.key.endsWith("/") && object.bytes === 0)) continue;
    objects.push(object);
  }
  if (objects.length === 0) throw new HdashError("permanent", `${address} has no objects`);
  objects.sort((a, b) => (a.key < b.key ? -1 : 1));
  const files = new Set(objects.map(({ key }) => key));
  const strange = objects.filter(({ key }) => !isPath(key, files)).map(({ key }) => oneLine(key));
  const [first] = strange;
  if (first === undefined) return objects;
  const more = strange.length === 1 ? "" : `, and ${count(strange.length - 1, "more")}`;
  throw new HdashError(
    "permanent",
    `${address} cannot be a folder: ${JSON.stringify(first)}${more} can be no file in it`,
  );
}

/** Tells whether a key can be a file's path: a file is no folder, and nothing leads out. */
function isPath(key: string, files: ReadonlySet<string>): boolean {
  const parts = key.split("/");
  if (parts.some((part) => ["", ".", ".."].includes(part)) || key.includes("\0")) return false;
  return parts.every((_part, end) => end === 0 || !files.has(parts.slice(0, end).join("/")));
}
