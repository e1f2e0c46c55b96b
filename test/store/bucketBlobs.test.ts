// Large blobs as objects of the work bucket: on the strict S3 server and real Postgres, with faults and a kill.

import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type Digest, digestOf } from "../../src/digest.ts";
import { SILENT } from "../../src/log.ts";
import { openBucketBlobs } from "../../src/store/bucketBlobs.ts";
import { openDatabaseBlobs } from "../../src/store/databaseBlobs.ts";
import { resetLedger } from "../../src/store/reset.ts";
import type { Db } from "../../src/store/schema.ts";
import { type BlobBucket, openBlobBucket } from "../support/blobBucket.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { refusal } from "../support/refusal.ts";
import type { PutterTask } from "./blobPutter.ts";

const MIB = 1024 * 1024;
const DAY_MS = 24 * 3_600_000;

let dir: string;
let made: TestDatabase;
let db: Db;
let work: BlobBucket;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-bucket-blobs-"));
  made = await createTestDatabase();
  ({ db } = made.database);
});
afterAll(async () => {
  await made.drop();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  await resetLedger(db);
  work = await openBlobBucket();
  return () => work.close();
});

const keyOf = (digest: Digest) => `foo/blobs/${digest.slice(0, 2)}/${digest}`;
const keys = () => [...work.s3.objects("work").keys()];

async function rows(): Promise<readonly unknown[]> {
  return (await db.selectFrom("blob").select(["bytes", "chunks", "place"]).execute()).map(
    ({ bytes, ...row }) => ({ bytes: Number(bytes), ...row }),
  );
}

async function store(name: string, bytes: Uint8Array): Promise<string> {
  await writeFile(join(dir, name), bytes);
  return join(dir, name);
}

async function drain(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of stream) all.push(piece);
  return Buffer.concat(all);
}

describe("openBucketBlobs(options)", () => {
  test("keeps a mebibyte in a row, and a byte more in an object named by its digest", async () => {
    const blobs = work.open(db);
    const [small, large] = [randomBytes(MIB), randomBytes(MIB + 1)];
    await blobs.put(small);
    expect(await blobs.putFile(await store("small", small))).toMatchObject({ bytes: MIB });
    expect(keys()).toEqual([]);
    const { digest } = await blobs.put(large);
    expect(keys()).toEqual([keyOf(digest)]);
    expect(await rows()).toEqual([
      { bytes: MIB, chunks: 1, place: null },
      { bytes: MIB + 1, chunks: 0, place: "s3://work/foo/blobs" },
    ]);
    expect((await sql`select from blob_chunk where digest = ${digest}`.execute(db)).rows).toEqual(
      [],
    );
    // Known: nothing is sent again.
    await blobs.putFile(await store("large", large));
    expect(work.s3.puts.length).toBe(1);
  });

  test("reads what the database had before there was a bucket, also what is large", async () => {
    const bytes = randomBytes(2 * MIB);
    const before = await openDatabaseBlobs(db).put(bytes);
    const blobs = work.open(db);
    expect(await blobs.missing([before])).toEqual([]);
    expect(await blobs.put(bytes)).toEqual(before);
    expect(Buffer.compare(await blobs.read(before.digest), bytes)).toBe(0);
    expect(work.s3.requests).toEqual([]);
    await blobs.remove(before.digest);
    expect(await rows()).toEqual([]);
  });

  test("takes what lies in another bucket, or in none that there is, for missing, and puts it anew", async () => {
    for (const blobs of [openDatabaseBlobs(db), work.open(db)]) {
      const bytes = randomBytes(2 * MIB);
      const blob = await work.open(db, SILENT, "foo/old/").put(bytes);
      expect([await blobs.has(blob.digest), await blobs.missing([blob])]).toEqual([
        ...[false, [blob.digest]],
      ]);
      expect((await refusal(blobs.read(blob.digest))).message).toMatch(/is missing in/);
      await blobs.put(bytes);
      expect(Buffer.compare(await blobs.read(blob.digest), bytes)).toBe(0);
    }
    expect((await rows()).length).toBe(2);
  });

  test("asks the database once for many, and the bucket not at all", async () => {
    const blobs = work.open(db);
    const large = await blobs.put(randomBytes(2 * MIB));
    work.s3.requests.length = 0;
    const none = digestOf("none");
    const many = Array.from({ length: 500 }, () => large);
    expect(await blobs.missing([...many, { digest: none, bytes: 1 }])).toEqual([none]);
    expect(work.s3.requests).toEqual([]);
  });

  test.each<[string, (key: string, bytes: Buffer) => void, string]>([
    ["is gone", (key) => work.s3.removeObject("work", key), "missing"],
    [
      "is shorter",
      (key, bytes) => work.s3.setObject("work", key, bytes.subarray(0, 99)),
      "damaged",
    ],
    [
      "has another byte",
      (key, bytes) => {
        bytes[7] = ((bytes[7] ?? 0) + 1) % 256;
        work.s3.setObject("work", key, bytes);
      },
      "damaged",
    ],
  ])(
    "notices an object that %s, and puts it anew once it is removed",
    async (_what, harm, word) => {
      const blobs = work.open(db);
      const bytes = randomBytes(2 * MIB);
      const { digest } = await blobs.put(bytes);
      harm(keyOf(digest), Buffer.from(bytes));
      const says = `blob ${digest} is ${word} in s3://work/foo/blobs`;
      expect((await refusal(blobs.read(digest))).message).toBe(says);
      expect((await refusal(drain(blobs.stream(digest)))).message).toBe(says);
      expect((await refusal(blobs.localFile(digest, dir))).message).toBe(says);
      await blobs.remove(digest);
      expect([keys(), await rows()]).toEqual([[], []]);
      await blobs.put(bytes);
      expect(Buffer.compare(await readFile(await blobs.localFile(digest, dir)), bytes)).toBe(0);
    },
  );

  test("lets nothing count of a put whose parts are refused, and aborts it", async () => {
    const path = await store("refused", randomBytes(9 * MIB));
    work.s3.setFaults({ nthPut: 2, times: 3, status: 503, code: "SlowDown" });
    const { kind, message } = await refusal(work.open(db).putFile(path));
    expect([kind, message]).toEqual([
      "transient",
      expect.stringContaining("SlowDown (503)") as string,
    ]);
    expect([keys(), work.s3.openUploads("work"), await rows()]).toEqual([[], [], []]);
  });

  test("stops a put that is told to, and leaves nothing of it", async () => {
    const path = await store("stopped", randomBytes(9 * MIB));
    const stop = new AbortController();
    work.s3.setFaults(({ operation }) => {
      if (operation === "UploadPart") stop.abort("stop");
      return null;
    });
    const { kind } = await refusal(work.open(db).putFile(path, stop.signal));
    expect([kind, keys(), work.s3.openUploads("work"), await rows()]).toEqual([
      ...["aborted", [], [], []],
    ]);
  });

  test("refuses a file that changes between its digest and its put", async () => {
    const blobs = work.open(db);
    const path = await store("moving", randomBytes(9 * MIB));
    work.s3.setFaults(({ operation }) => {
      // Between the two: when unfinished uploads are looked for.
      if (operation === "ListMultipartUploads") void writeFile(path, randomBytes(9 * MIB));
      return null;
    });
    expect((await refusal(blobs.putFile(path))).message).toMatch(
      /is not what was to be put|changed while it was read/,
    );
    expect([keys(), work.s3.openUploads("work"), await rows()]).toEqual([[], [], []]);
  });

  test("clears rows, objects and unfinished uploads of its own, and nobody else's", async () => {
    const blobs = work.open(db);
    const [one, two] = [randomBytes(2 * MIB), Buffer.from("small")];
    await work.open(db, SILENT, "foo/blobs-2/").put(randomBytes(2 * MIB));
    await db.deleteFrom("blob").execute();
    await blobs.put(one);
    await blobs.put(two);
    work.s3.setObject("work", "foo/artifacts/artifacts.json", "{}");
    expect(await blobs.clear()).toBe(2);
    expect(await rows()).toEqual([]);
    expect(keys().map((key) => key.slice(0, 12))).toEqual(["foo/artifact", "foo/blobs-2/"]);
    await blobs.put(one);
    // As `hdash-util reset` does it: rows first.
    await resetLedger(db);
    expect(await blobs.clear()).toBe(1);
  });
});

describe("a put that was killed (kill -9) in the middle", () => {
  test("counts for nothing, and is aborted by a later one, not by one that may be beside it", async () => {
    const bytes = randomBytes(20 * MIB);
    const path = await store("killed", bytes);
    const task: PutterTask = { database: made.settings, place: work.place, path };
    const putter = spawn(
      process.execPath,
      [
        "--disable-warning=ExperimentalWarning",
        join(import.meta.dirname, "blobPutter.ts"),
        JSON.stringify(task),
      ],
      { stdio: "inherit" },
    );
    const ended = new Promise<NodeJS.Signals | null>((resolve) =>
      putter.once("exit", (_code, signal) => resolve(signal)),
    );
    work.s3.setFaults(({ operation, query }) => {
      // One part is there by then.
      if (operation !== "UploadPart" || query.get("partNumber") !== "3") return null;
      putter.kill("SIGKILL");
      return { hangUp: "before" };
    });
    expect(await ended).toBe("SIGKILL");
    work.s3.setFaults(null);
    const digest = digestOf(bytes);
    expect([keys(), await rows()]).toEqual([[], []]);
    const [left, ...others] = work.s3.openUploads("work");
    expect([left?.key, others]).toEqual([keyOf(digest), []]);

    const blobs = work.open(db);
    expect(await blobs.has(digest)).toBe(false);
    await blobs.putFile(path);
    expect(Buffer.compare(await blobs.read(digest), bytes)).toBe(0);
    // Too young to be nobody's.
    expect(work.s3.openUploads("work").map(({ id }) => id)).toEqual([left?.id]);

    const told: string[] = [];
    const log = { ...SILENT, info: (message: string) => void told.push(message) };
    // Only the store's clock goes on: the server refuses what is signed three days ago.
    const clock = () => new Date(work.clock.now + 3 * DAY_MS);
    const next = openBucketBlobs({ db, bucket: work.bucket(), log, clock });
    await next.put(randomBytes(2 * MIB));
    expect(work.s3.openUploads("work")).toEqual([]);
    expect(told).toEqual(["s3://work/foo/blobs: 1 unfinished upload aborted"]);
  });

  test("is no reason not to put where unfinished uploads may not be listed", async () => {
    const warnings: string[] = [];
    const log = { ...SILENT, warn: (message: string) => void warnings.push(message) };
    work.s3.setFaults(({ operation }) =>
      operation === "ListMultipartUploads" ? { status: 403 } : null,
    );
    const blobs = work.open(db, log);
    await blobs.put(randomBytes(2 * MIB));
    await blobs.put(randomBytes(2 * MIB));
    expect(warnings).toEqual([
      expect.stringMatching(
        /^s3:\/\/work\/foo\/blobs: unfinished uploads cannot be looked for: .*AccessDenied/,
      ),
    ]);
  });
});
