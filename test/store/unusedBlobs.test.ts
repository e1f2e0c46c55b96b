// What may be removed of a store of blobs, and what not: by when it was used, by the lists that name it, whoever puts or finds meanwhile.

import { randomBytes } from "node:crypto";
import { mkdir, mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type Digest, digestOf } from "../../src/digest.ts";
import { noteParts } from "../../src/store/blobParts.ts";
import type { BlobStore, KeptBlob, StoredBlob } from "../../src/store/blobs.ts";
import { openDatabaseBlobs } from "../../src/store/databaseBlobs.ts";
import { openFolderBlobs } from "../../src/store/folderBlobs.ts";
import { resetLedger } from "../../src/store/reset.ts";
import type { Db } from "../../src/store/schema.ts";
import { type BlobBucket, openBlobBucket } from "../support/blobBucket.ts";
import { openLedger, type TestLedger } from "../support/ledger.ts";

const MIB = 1024 * 1024;
const DAY_MS = 24 * 3_600_000;

let dir: string;
let store: string;
const ledgers = new Map<string, TestLedger>();
let work: BlobBucket;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-unused-"));
  ledgers.set("postgres", await openLedger("postgres"));
  ledgers.set("embedded", await openLedger("embedded"));
});
afterAll(async () => {
  for (const { close } of ledgers.values()) await close();
  await rm(dir, { recursive: true, force: true });
});
beforeEach(async () => {
  store = await mkdtemp(join(dir, "store-"));
  for (const { database } of ledgers.values()) await resetLedger(database.db);
  work = await openBlobBucket();
  return () => work.close();
});

function dbOf(kind: string): Db {
  const ledger = ledgers.get(kind === "embedded" ? kind : "postgres");
  if (ledger === undefined) throw new Error(kind);
  return ledger.database.db;
}

function open(kind: string): BlobStore {
  if (kind === "bucket") return work.open(dbOf(kind));
  return kind === "folder" ? openFolderBlobs(store) : openDatabaseBlobs(dbOf(kind));
}

/** Makes blobs so old as nobody waits for in a test. */
async function age(kind: string, digests: readonly Digest[], days: number): Promise<void> {
  if (kind !== "folder") {
    await sql`update blob set used_at = now() - make_interval(days => ${days})
      where digest = any(${[...digests]}::text[])`.execute(dbOf(kind));
    return;
  }
  const at = new Date(Date.now() - days * DAY_MS);
  for (const digest of digests) {
    await utimes(join(store, digest.slice(0, 2), digest.slice(2)), at, at);
  }
}

const daysAgo = (days: number): Date => new Date(Date.now() - days * DAY_MS);

async function listAll(blobs: BlobStore): Promise<readonly KeptBlob[]> {
  const all: KeptBlob[] = [];
  for await (const blob of blobs.list()) all.push(blob);
  return all;
}

describe.each(["folder", "postgres", "embedded", "bucket"])("BlobStore in %s", (kind) => {
  /** Puts blobs of which one is an object where there is a bucket. */
  async function putThree(blobs: BlobStore): Promise<readonly [Digest, Digest, Digest]> {
    const [a, b, c] = [
      await blobs.put(Buffer.from("a")),
      await blobs.put(randomBytes(2 * MIB)),
      await blobs.put(Buffer.from("c")),
    ];
    return [a.digest, b.digest, c.digest];
  }

  test("lists every blob by digest, with what it takes and when it was used", async () => {
    const blobs = open(kind);
    const digests = await putThree(blobs);
    await age(kind, [digests[1]], 3);
    const listed = await listAll(blobs);
    expect(listed.map(({ digest }) => digest)).toEqual([...digests].sort());
    const large = listed.find(({ digest }) => digest === digests[1]);
    const place = { folder: "folder", bucket: "bucket" }[kind] ?? "database";
    expect(large).toMatchObject({ bytes: 2 * MIB, place });
    expect(large?.storedBytes).toBeGreaterThan(2 * MIB - 1);
    const old = listed.filter(({ usedAt }) => usedAt < daysAgo(2));
    expect(old.map(({ digest }) => digest)).toEqual([digests[1]]);
  });

  test("removes what nobody has used since an instant, and says what that was", async () => {
    const blobs = open(kind);
    const [a, b, c] = await putThree(blobs);
    await age(kind, [a, b], 3);
    const gone = await blobs.removeUnused([a, b, c, digestOf("none")], daysAgo(1));
    expect([...gone].sort()).toEqual([a, b].sort());
    expect((await listAll(blobs)).map(({ digest }) => digest)).toEqual([c]);
    expect([await blobs.has(a), await blobs.has(b), await blobs.has(c)]).toEqual([
      false,
      false,
      true,
    ]);
    expect(work.s3.objects("work").size).toBe(0);
    // It can be put again, and is whole then.
    await blobs.put(Buffer.from("a"));
    expect(Buffer.from(await blobs.read(a)).toString()).toBe("a");
  });
});

describe.each(["postgres", "embedded", "bucket"])("BlobStore in %s, which others use", (kind) => {
  test("keeps what was put again or found since, small or large", async () => {
    const blobs = open(kind);
    const [small, large, found] = [
      Buffer.from("small"),
      randomBytes(2 * MIB),
      Buffer.from("found"),
    ];
    const path = join(dir, `${kind}-file`);
    await writeFile(path, randomBytes(2 * MIB + 1));
    const put: StoredBlob[] = [
      await blobs.put(small),
      await blobs.put(large),
      await blobs.putFile(path),
      await blobs.put(found),
    ];
    const digests = put.map(({ digest }) => digest);
    await age(kind, digests, 3);
    await blobs.put(small);
    await blobs.put(large);
    await blobs.putFile(path);
    expect(await blobs.missing(put.slice(3))).toEqual([]);
    expect(await blobs.removeUnused(digests, daysAgo(1))).toEqual([]);
    expect(await blobs.missing(put)).toEqual([]);
  });

  test("keeps what was used within the hour, whatever it is told", async () => {
    const blobs = open(kind);
    const { digest } = await blobs.put(Buffer.from("new"));
    expect(await blobs.removeUnused([digest], new Date(Date.now() + DAY_MS))).toEqual([]);
  });

  test("keeps the files of a list as long as the list is there", async () => {
    const blobs = open(kind);
    const [list, part] = [await blobs.put(Buffer.from("list")), await blobs.put(Buffer.from("p"))];
    await noteParts(dbOf(kind), list.digest, [{ path: "p", ...part }]);
    await age(kind, [part.digest], 3);
    // The list has just been found: its files are needed, whenever they were used themselves.
    expect(await blobs.removeUnused([part.digest], daysAgo(1))).toEqual([]);
    await age(kind, [list.digest], 3);
    expect(await blobs.removeUnused([list.digest], daysAgo(1))).toEqual([list.digest]);
    expect(await blobs.removeUnused([part.digest], daysAgo(1))).toEqual([part.digest]);
  });
});

describe("removeUnused(digests, before)", () => {
  // Both orders of the two who want the same row, forced by a transaction that is held open.
  test("makes a put that comes while a blob goes wait, and put it anew", async () => {
    const blobs = open("postgres");
    const bytes = Buffer.from("wanted again");
    const { digest } = await blobs.put(bytes);
    await age("postgres", [digest], 3);
    const db = dbOf("postgres");
    let putting: Promise<unknown> = Promise.resolve();
    await db.transaction().execute(async (trx) => {
      expect(await openDatabaseBlobs(trx).missing([])).toEqual([]);
      await sql`delete from blob where digest = ${digest}`.execute(trx);
      putting = blobs.put(bytes);
      await waitsForLock(db);
      await sql`delete from blob_chunk where digest = ${digest}`.execute(trx);
    });
    await putting;
    expect(Buffer.from(await blobs.read(digest))).toEqual(bytes);
  });

  test("finds a blob gone that is looked for while it goes", async () => {
    const blobs = open("postgres");
    const blob = await blobs.put(Buffer.from("looked for"));
    await age("postgres", [blob.digest], 3);
    const db = dbOf("postgres");
    let looking: Promise<readonly Digest[]> = Promise.resolve([]);
    await db.transaction().execute(async (trx) => {
      await sql`delete from blob where digest = ${blob.digest}`.execute(trx);
      looking = blobs.missing([blob]);
      await waitsForLock(db);
    });
    expect(await looking).toEqual([blob.digest]);
  });

  test("leaves a blob that is found while it is to go", async () => {
    const blobs = open("postgres");
    const blob = await blobs.put(Buffer.from("found first"));
    await age("postgres", [blob.digest], 3);
    const db = dbOf("postgres");
    let removing: Promise<readonly Digest[]> = Promise.resolve([]);
    await db.transaction().execute(async (trx) => {
      expect(await openDatabaseBlobs(trx).missing([blob])).toEqual([]);
      removing = blobs.removeUnused([blob.digest], daysAgo(1));
      await waitsForLock(db);
    });
    expect(await removing).toEqual([]);
    expect(await blobs.missing([blob])).toEqual([]);
  });

  test("removes neither row nor object where the bucket cannot be asked", async () => {
    const blobs = open("bucket");
    const blob = await blobs.put(randomBytes(2 * MIB));
    await age("bucket", [blob.digest], 3);
    await work.s3.close();
    await expect(blobs.removeUnused([blob.digest], daysAgo(1))).rejects.toMatchObject({
      kind: "transient",
    });
    expect(await blobs.missing([blob])).toEqual([]);
    work = await openBlobBucket();
  });
});

/** Waits until another connection waits for a lock. */
async function waitsForLock(db: Db): Promise<void> {
  await expect
    .poll(
      async () =>
        (
          await sql`select from pg_stat_activity
            where datname = current_database() and wait_event_type = 'Lock'`.execute(db)
        ).rows.length,
      { timeout: 20_000, interval: 5 },
    )
    .toBeGreaterThan(0);
}

describe("leftovers(before, what)", () => {
  test("tells and removes drafts in a folder that are old enough", async () => {
    const blobs = open("folder");
    await mkdir(join(store, "draft"), { recursive: true });
    await writeFile(join(store, "draft", "old"), "12345");
    await writeFile(join(store, "draft", "new"), "123");
    await utimes(join(store, "draft", "old"), daysAgo(3), daysAgo(3));
    expect(await blobs.leftovers(daysAgo(1), "tell")).toEqual({ count: 1, bytes: 5 });
    expect(await blobs.leftovers(daysAgo(1), "remove")).toEqual({ count: 1, bytes: 5 });
    expect(await blobs.leftovers(daysAgo(1), "remove")).toEqual({ count: 0, bytes: 0 });
  });

  test("removes chunks that have no row, and a put that had made them begins anew", async () => {
    const blobs = open("postgres");
    const kept = await blobs.put(Buffer.from("kept"));
    const db = dbOf("postgres");
    const bytes = randomBytes(3 * MIB);
    const digest = digestOf(bytes);
    await sql`insert into blob_chunk (digest, n, bytes) values (${digest}, 0, 'abc')`.execute(db);
    expect(await blobs.leftovers(daysAgo(1), "tell")).toEqual({ count: 1, bytes: 3 });
    expect(await blobs.leftovers(daysAgo(1), "remove")).toEqual({ count: 1, bytes: 3 });
    expect(await blobs.leftovers(daysAgo(1), "tell")).toEqual({ count: 0, bytes: 0 });
    // A put that is stopped at its last chunk while those before it are taken for a killed one's.
    let putting: Promise<unknown> = Promise.resolve();
    const stop = new Error("roll back");
    const holding = db.transaction().execute(async (trx) => {
      await sql`insert into blob_chunk (digest, n, bytes) values (${digest}, 2, 'x')`.execute(trx);
      putting = blobs.put(bytes).then(
        () => "put",
        (error: unknown) => error,
      );
      await waitsForLock(db);
      expect(await blobs.leftovers(daysAgo(1), "remove")).toMatchObject({ count: 1 });
      throw stop;
    });
    await expect(holding).rejects.toBe(stop);
    expect(await putting).toMatchObject({ kind: "transient" });
    await blobs.put(bytes);
    expect(Buffer.compare(await blobs.read(digest), bytes)).toBe(0);
    expect(await blobs.missing([kept])).toEqual([]);
  });

  test("removes objects that have no row and are old enough", async () => {
    const blobs = open("bucket");
    const [kept, lost] = [
      await blobs.put(randomBytes(2 * MIB)),
      await blobs.put(randomBytes(MIB + 7)),
    ];
    await sql`delete from blob where digest = ${lost.digest}`.execute(dbOf("bucket"));
    const now = new Date(work.clock.now);
    expect(await blobs.leftovers(now, "remove")).toEqual({ count: 0, bytes: 0 });
    const later = new Date(work.clock.now + 2000);
    expect(await blobs.leftovers(later, "tell")).toEqual({ count: 1, bytes: MIB + 7 });
    expect(await blobs.leftovers(later, "remove")).toEqual({ count: 1, bytes: MIB + 7 });
    expect([...work.s3.objects("work").keys()]).toEqual([
      `foo/blobs/${kept.digest.slice(0, 2)}/${kept.digest}`,
    ]);
  });
});
