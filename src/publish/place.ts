// A private place as steps use it that put large objects there themselves, while they are made: each object is recorded in the ledger as a
// publisher's are, by its own digest, so that whoever reads it can tell that it is what was put.

import { createHash } from "node:crypto";

import type { Digest } from "../digest.ts";
import { HdashError } from "../error.ts";
import type { Log } from "../log.ts";
import type { RetryPolicy } from "../retry.ts";
import type { Bucket, ObjectHead } from "../store/bucket.ts";
import { bytesSource, digestSource, fileSource } from "../store/byteSource.ts";
import type { Publication, PublicationStore } from "../store/publications.ts";
import { checkOwner, openRecord } from "./record.ts";

/** Every object of a place, by its key, as one listing found it. */
export type Listing = ReadonlyMap<string, ObjectHead>;

export interface PlaceObjectOptions {
  readonly contentType: string;
  /** The scope it belongs to; null: the whole pipeline. */
  readonly scope: string | null;
  /** The SHA-256 that it is known to have: saves a look at the file, and is compared with what is put. */
  readonly digest?: Digest;
  /** What is there: an object that is right already is not put again. Missing: the object alone is looked up. */
  readonly listing?: Listing;
}

export interface PlacedObject {
  readonly key: string;
  readonly bytes: number;
  readonly digest: Digest;
  readonly etag: string;
}

/** A difference between what the ledger says and what is there. */
export interface PlaceFault {
  readonly key: string;
  readonly what: "missing" | "changed";
}

export interface PlaceWriter {
  readonly uri: string;
  /** Puts an object of any size, with its row before and its etag after. What is there and right already is left as it is. */
  put(
    key: string,
    source: { readonly path: string } | { readonly bytes: Uint8Array },
    options: PlaceObjectOptions,
    signal: AbortSignal,
  ): Promise<PlacedObject>;
  /** Lists what this owner has put; an empty etag is an object that was about to be. */
  recorded(signal: AbortSignal): Promise<readonly Publication[]>;
  /** Lists the place once. */
  listing(signal: AbortSignal): Promise<Listing>;
  /** Tells which of the owner's objects are gone, or are not what was put, by length and etag. */
  check(listing: Listing, signal: AbortSignal): Promise<readonly PlaceFault[]>;
  /** Reads one of the owner's objects; throws a permanent error where it has no such, or, at the end at the latest, where it is not what was put. */
  open(key: string, signal: AbortSignal): Promise<OpenedPlaceObject>;
  /** Deletes objects of the owner with their rows; others are left alone. */
  remove(keys: readonly string[], signal: AbortSignal): Promise<void>;
}

export interface OpenedPlaceObject {
  readonly bytes: number;
  readonly digest: Digest;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Opens a place for an owner, the pipeline's name; nothing is asked of anybody yet. */
export function openPlace(options: {
  readonly bucket: Bucket;
  readonly publications: PublicationStore;
  readonly owner: string;
  readonly log: Log;
  /** How the ledger is waited for. */
  readonly policy?: RetryPolicy;
}): PlaceWriter {
  const { bucket, owner } = options;
  const { uri } = bucket;
  const record = openRecord(options);

  /** What everybody has here, as this writer last knew it: asked for once, so that many puts do not ask as often. */
  let known: Promise<Map<string, Publication>> | undefined;
  const rowsOf = async (signal: AbortSignal) =>
    new Map((await record.list(signal)).map((row) => [row.path, row]));

  async function recorded(signal: AbortSignal): Promise<readonly Publication[]> {
    return (await record.list(signal)).filter((row) => row.owner === owner);
  }

  return {
    uri,
    recorded,

    async put(key, given, { contentType, scope, digest, listing }, signal) {
      const source = "path" in given ? await fileSource(given.path) : bytesSource(given.bytes, key);
      known ??= rowsOf(signal);
      known.catch(() => (known = undefined));
      const rows = await known;
      const row = rows.get(key);
      checkOwner(uri, owner, [key], row === undefined ? [] : [row]);
      const live =
        (listing === undefined ? await bucket.head(key, signal) : listing.get(key)) ?? null;
      const own = digest ?? (await digestSource(source));
      const { bytes } = source;
      const wanted = { path: key, owner, digest: own, scope, contentType, bytes };
      const isThere = row?.digest === own && row.contentType === contentType && isRight(row, live);
      if (isThere) {
        if (row.scope !== scope) {
          const moved = { ...row, scope };
          await record.save(moved, signal);
          rows.set(key, moved);
        }
        return { key, bytes: row.bytes, digest: own, etag: row.etag };
      }
      const before = { isKnown: row !== undefined, isForeign: live !== null };
      const send = async () => {
        const how = { contentType, cacheControl: "no-cache", digest: own };
        return (await bucket.putStream(key, source, how, signal)).etag;
      };
      const done = await record.put(wanted, before, send, signal);
      rows.set(key, done);
      return { key, bytes, digest: own, etag: done.etag };
    },

    async listing(signal) {
      const found = new Map<string, ObjectHead>();
      for await (const head of bucket.list(signal)) found.set(head.key, head);
      return found;
    },

    async check(listing, signal) {
      const faults: PlaceFault[] = [];
      for (const row of await recorded(signal)) {
        const live = listing.get(row.path);
        // Of one that was only about to be put nothing can be said but that it is not there.
        if (live === undefined) faults.push({ key: row.path, what: "missing" });
        else if (!isRight(row, live)) faults.push({ key: row.path, what: "changed" });
      }
      return faults;
    },

    async open(key, signal) {
      const row = (await recorded(signal)).find(({ path }) => path === key);
      const wrong = (what: string) => new HdashError("permanent", `${key} on ${uri} ${what}`);
      if (row === undefined) throw wrong(`is none of ${owner}'s`);
      const object = await bucket.open(key, {}, signal);
      if (object === null) throw wrong("is gone");
      const { digest, bytes } = row;
      if (object.bytes !== bytes) throw wrong(`has ${object.bytes} bytes, and not ${bytes}`);
      return { digest, bytes, body: verified(object.body, digest, wrong) };
    },

    async remove(keys, signal) {
      const ours = new Set((await recorded(signal)).map(({ path }) => path));
      known = undefined;
      await record.remove(
        keys.filter((key) => ours.has(key)),
        signal,
      );
    },
  };
}

function isRight(row: Publication, live: ObjectHead | null): boolean {
  return row.etag !== "" && live?.etag === row.etag && live.bytes === row.bytes;
}

async function* verified(
  body: AsyncIterable<Uint8Array>,
  digest: Digest,
  wrong: (what: string) => HdashError,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const piece of body) {
    hash.update(piece);
    yield piece;
  }
  if (hash.digest("hex") !== digest) throw wrong("is not what was put: it has another SHA-256");
}
