// A work bucket on the strict S3 server, for blobs of a ledger.

import type { Log } from "../../src/log.ts";
import { SILENT } from "../../src/log.ts";
import type { BlobStore } from "../../src/store/blobs.ts";
import { openBucketBlobs } from "../../src/store/bucketBlobs.ts";
import { openS3Bucket, type S3Bucket, type S3BucketOptions } from "../../src/store/s3Bucket.ts";
import type { Db } from "../../src/store/schema.ts";
import { type S3Server, startS3 } from "./s3Server.ts";

export interface BlobBucket {
  readonly s3: S3Server;
  /** How it is reached, also from another process. */
  readonly place: S3BucketOptions;
  /** What the server and the stores take for now; milliseconds. */
  readonly clock: { now: number };
  bucket(prefix?: string): S3Bucket;
  open(db: Db, log?: Log, prefix?: string): BlobStore;
  close(): Promise<void>;
}

/** Starts a server with a bucket "work"; a ledger's blobs lie below "foo/blobs/" in it. */
export async function openBlobBucket(): Promise<BlobBucket> {
  const clock = { now: Date.now() };
  const s3 = await startS3({ buckets: ["work"], now: () => clock.now });
  const { accessKeyId, secretAccessKey } = s3;
  const place: S3BucketOptions = {
    ...{ bucket: "work", prefix: "foo/blobs/", endpoint: s3.url },
    credentials: { accessKeyId, secretAccessKey },
    policy: { attempts: 3, minDelayMs: 1, maxDelayMs: 2 },
  };
  const opened: S3Bucket[] = [];
  const bucket = (prefix = place.prefix) => {
    const one = openS3Bucket({ ...place, prefix });
    opened.push(one);
    return one;
  };
  return {
    ...{ s3, place, clock, bucket },
    open: (db, log = SILENT, prefix) =>
      openBucketBlobs({ db, bucket: bucket(prefix), log, clock: () => new Date(clock.now) }),
    async close() {
      for (const one of opened) await one.close();
      await s3.close();
    },
  };
}
