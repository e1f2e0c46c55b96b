// Blobs of a ledger that has a bucket of its own: small ones are rows, large ones objects, so that bytes do not go through the database. The
// row in `blob` says of every one how long it is and where it lies, and comes last; what lies in the database from before stays readable.

import { createHash } from "node:crypto";

import { type Digest, digestOf } from "../digest.ts";
import { messageOf } from "../error.ts";
import { count } from "../format.ts";
import type { Log } from "../log.ts";
import { findBlobs, insertBlob, listBlobs, useBlobs } from "./blobRows.ts";
import {
  BlobError,
  type BlobStore,
  copyOut,
  type KeptBlob,
  readAll,
  type StoredBlob,
} from "./blobs.ts";
import type { Bucket, ObjectHead } from "./bucket.ts";
import { type ByteSource, bytesSource, digestSource, fileSource } from "./byteSource.ts";
import { openDatabaseBlobs, removeRows } from "./databaseBlobs.ts";
import type { S3Bucket } from "./s3Bucket.ts";
import type { Db } from "./schema.ts";

/** What is larger is an object: a request for each would cost small blobs more than their bytes do. */
const LARGEST_ROW_BYTES = 1024 * 1024;
/** An upload that was begun so long ago belongs to nobody any more: 5 TB at 30 MB a second take as long. Milliseconds. */
const UPLOAD_GRACE_MS = 48 * 3_600_000;

export interface BucketBlobsOptions {
  readonly db: Db;
  /** What lies below a prefix that nobody else uses. */
  readonly bucket: Bucket & Pick<S3Bucket, "abortUploads" | "clear" | "listBefore">;
  readonly log: Log;
  readonly clock: () => Date;
}

/** Opens the blobs of a ledger; nothing is asked of the bucket yet. */
export function openBucketBlobs({ db, bucket, log, clock }: BucketBlobsOptions): BlobStore {
  const rows = openDatabaseBlobs(db);
  const place = bucket.uri;
  let swept: Promise<void> | undefined;

  /** Ends, once, what killed puts have left. It is no reason not to put anything. */
  async function sweep(): Promise<void> {
    try {
      const before = new Date(clock().getTime() - UPLOAD_GRACE_MS);
      const aborted = await bucket.abortUploads(before);
      if (aborted > 0) log.info(`${place}: ${count(aborted, "unfinished upload")} aborted`);
    } catch (error) {
      log.warn(`${place}: unfinished uploads cannot be looked for: ${messageOf(error)}`);
    }
  }

  async function putObject(
    digest: Digest,
    source: ByteSource,
    signal: AbortSignal | undefined,
  ): Promise<StoredBlob> {
    const blob = { digest, bytes: source.bytes };
    if ((await useBlobs(db, [digest], place)).has(digest)) return blob;
    await (swept ??= sweep());
    const options = { ...OBJECT, digest, metadata: { sha256: digest } };
    await bucket.putStream(keyOf(digest), source, options, signal);
    await insertBlob(db, digest, { bytes: blob.bytes, place });
    return blob;
  }

  async function find(digest: Digest) {
    return (await findBlobs(db, [digest], place)).get(digest) ?? null;
  }

  async function has(digest: Digest): Promise<boolean> {
    return (await find(digest)) !== null;
  }

  async function* stream(digest: Digest): AsyncIterable<Uint8Array> {
    const row = await find(digest);
    if (row === null) throw new BlobError(digest, "missing", place);
    if (row.place === null) {
      yield* rows.stream(digest);
      return;
    }
    const object = await bucket.open(keyOf(digest));
    if (object === null) throw new BlobError(digest, "missing", place);
    if (object.bytes !== row.bytes) throw new BlobError(digest, "damaged", place);
    const hash = createHash("sha256");
    for await (const piece of object.body) {
      hash.update(piece);
      yield piece;
    }
    if (hash.digest("hex") !== digest) throw new BlobError(digest, "damaged", place);
  }

  return {
    has,
    stream,

    async put(bytes) {
      if (bytes.byteLength <= LARGEST_ROW_BYTES) return rows.put(bytes);
      const digest = digestOf(bytes);
      return putObject(digest, bytesSource(bytes, `blob ${digest}`), undefined);
    },

    async putFile(path, signal) {
      const source = await fileSource(path);
      if (source.bytes <= LARGEST_ROW_BYTES) return rows.putFile(path);
      // Twice over the file: its digest is the object's name.
      return putObject(await digestSource(source), source, signal);
    },

    async missing(blobs) {
      const digests = blobs.map(({ digest }) => digest);
      const found = await useBlobs(db, digests, place);
      return digests.filter((digest) => !found.has(digest));
    },

    read: (digest) => readAll(stream(digest)),

    localFile: (digest, dir) => copyOut(digest, stream(digest), dir),

    async remove(digest) {
      const row = await find(digest);
      // The object first: a row without one is found when it is read, an object without a row never.
      if (row !== null && row.place !== null) await bucket.delete([keyOf(digest)]);
      await rows.remove(digest);
    },

    list: () => listAll(db, place),

    // Object and row go together: whoever wants to put the blob again waits for both, and finds neither.
    removeUnused: (digests, before) =>
      removeRows(db, digests, before, place, (own) => bucket.delete(own.map(keyOf))),

    async leftovers(before, what) {
      const chunks = await rows.leftovers(before, what);
      const objects = await listLoose(db, bucket, before);
      if (what === "remove") await bucket.delete(objects.map(({ key }) => key));
      return {
        count: chunks.count + objects.length,
        bytes: objects.reduce((sum, { bytes }) => sum + bytes, chunks.bytes),
      };
    },

    async clear() {
      const small = await rows.clear();
      await bucket.abortUploads(new Date(8.64e15));
      return small + (await bucket.clear(() => false));
    },
  };
}

/** Objects of which the ledger is asked in one statement. */
const LOOKED_UP_AT_ONCE = 10_000;

function digestIn({ key }: ObjectHead): Digest {
  return key.slice(3) as Digest;
}

async function* listAll(db: Db, place: string): AsyncIterable<KeptBlob> {
  for await (const { digest, bytes, stored, place: own, usedAt } of listBlobs(db, place)) {
    const kind = own === null ? "database" : "bucket";
    yield { digest, bytes, storedBytes: stored, place: kind, usedAt };
  }
}

/** Lists objects that no row makes count, put so long ago that whoever did it will not come to the row. */
async function listLoose(
  db: Db,
  bucket: BucketBlobsOptions["bucket"],
  before: Date,
): Promise<readonly ObjectHead[]> {
  const loose: ObjectHead[] = [];
  let page: ObjectHead[] = [];
  const look = async () => {
    const known = await findBlobs(db, page.map(digestIn), bucket.uri);
    loose.push(...page.filter((head) => known.get(digestIn(head))?.place !== bucket.uri));
    page = [];
  };
  for await (const head of bucket.listBefore(before)) {
    if (!/^[0-9a-f]{2}\/[0-9a-f]{64}$/.test(head.key)) continue;
    page.push(head);
    if (page.length === LOOKED_UP_AT_ONCE) await look();
  }
  await look();
  return loose;
}

const OBJECT = { contentType: "application/octet-stream", cacheControl: "no-cache" } as const;

function keyOf(digest: Digest): string {
  return `${digest.slice(0, 2)}/${digest}`;
}
