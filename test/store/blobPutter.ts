// A process that stores a file as a blob, to be killed in the middle: told where by its only argument.

import { SILENT } from "../../src/log.ts";
import { openBucketBlobs } from "../../src/store/bucketBlobs.ts";
import { openDatabase, type PostgresSettings } from "../../src/store/database.ts";
import { openS3Bucket, type S3BucketOptions } from "../../src/store/s3Bucket.ts";

/** What such a process is told. */
export interface PutterTask {
  readonly database: PostgresSettings;
  readonly place: S3BucketOptions;
  readonly path: string;
}

// Written by the test that starts it.
const { database, place, path } = JSON.parse(process.argv[2] ?? "") as PutterTask;
const { db } = await openDatabase(database);
const clock = () => new Date();
await openBucketBlobs({ db, bucket: openS3Bucket(place), log: SILENT, clock }).putFile(path);
