// Blobs of a ledger that has a bucket of its own: small ones are rows, large ones objects, so that bytes do not go through the database. The
// row in `blob` says of every one how long it is and where it lies, and comes last; what lies in the database from before stays readable.

import { createHash } from "node:crypto";

import { type Digest, digestOf } from "../digest.ts";
import { messageOf } from "../error.ts";
import { count } from "../format.ts";
import type { Log } from "../log.ts";
import { findBlobs, insertBlob } from "./blobRows.ts";
import { BlobError, type BlobStore, copyOut, readAll, type StoredBlob } from "./blobs.ts";
import type { Bucket } from "./bucket.ts";
import { type ByteSource, bytesSource, digestSource, fileSource } from "./byteSource.ts";
import { openDatabaseBlobs } from "./databaseBlobs.ts";
import type { S3Bucket } from "./s3Bucket.ts";
import type { Db } from "./schema.ts";

/** What is larger is an object: a request for each would cost small blobs more than their bytes do. */
const LARGEST_ROW_BYTES = 1024 * 1024;
/** An upload that was begun so long ago belongs to nobody any more: 5 TB at 30 MB a second take as long. Milliseconds. */
const UPLOAD_GRACE_MS = 48 * 3_600_000;

export interface BucketBlobsOptions {
  readonly db: Db;
  /** What lies below a prefix that nobody else uses. */
  readonly bucket: Bucket & Pick<S3Bucket, "abortUploads" | "clear">;
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
    if (await has(digest)) return blob;
    await (swept ??= sweep());
    const options = { ...OBJECT, digest, metadata: { sha256: digest } };
    await bucket.putStream(keyOf(digest), source, options, signal);
    await insertBlob(db, digest, { bytes: blob.bytes, stored: blob.bytes, chunks: 0, place });
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
      const found = await findBlobs(db, digests, place);
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

    async clear() {
      const small = await rows.clear();
      await bucket.abortUploads(new Date(8.64e15));
      return small + (await bucket.clear(() => false));
    },
  };
}

const OBJECT = { contentType: "application/octet-stream", cacheControl: "no-cache" } as const;

function keyOf(digest: Digest): string {
  return `${digest.slice(0, 2)}/${digest}`;
}
