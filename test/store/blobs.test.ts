import { createHash, randomBytes } from "node:crypto";
import {
  appendFile,
  chmod,
  mkdtemp,
  open as openFile,
  readFile,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type Digest, digestOf } from "../../src/digest.ts";
import type { BlobStore } from "../../src/store/blobs.ts";
import { openDatabaseBlobs } from "../../src/store/databaseBlobs.ts";
import { openFolderBlobs } from "../../src/store/folderBlobs.ts";
import { type BlobBucket, openBlobBucket } from "../support/blobBucket.ts";
import { openLedger, type TestLedger } from "../support/ledger.ts";

const MIB = 1024 * 1024;
const ABSENT = digestOf("never put");

let dir: string;
/** The folder of the folder's store: each test has one of its own, in which no other has damaged anything. */
let store: string;
const ledgers = new Map<string, TestLedger>();
let work: BlobBucket;
beforeAll(async () => {
  work = await openBlobBucket();
  dir = await mkdtemp(join(tmpdir(), "hdash-blobs-"));
  ledgers.set("postgres", await openLedger("postgres"));
  ledgers.set("embedded", await openLedger("embedded"));
});
afterAll(async () => {
  await work.close();
  for (const { close } of ledgers.values()) await close();
  await rm(dir, { recursive: true, force: true });
});

beforeEach(async () => {
  store = await mkdtemp(join(dir, "store-"));
});

function dbOf(kind: string) {
  const ledger = ledgers.get(kind);
  if (ledger === undefined) throw new Error(kind);
  return ledger.database.db;
}

function open(kind: string): BlobStore {
  if (kind === "bucket") return work.open(dbOf("postgres"));
  return kind === "folder" ? openFolderBlobs(store) : openDatabaseBlobs(dbOf(kind));
}

describe.each(["folder", "postgres", "embedded", "bucket"])("BlobStore in %s", (kind) => {
  test.each([
    ["nothing", 0],
    ["a byte", 1],
    ["exactly one piece", MIB],
    ["one byte more than a piece", MIB + 1],
    ["several pieces", 3 * MIB + 17],
  ])("gives back %s, put as bytes and as a file", async (_name, size) => {
    const blobs = open(kind);
    const bytes = randomBytes(size);
    const digest = digestOf(bytes);
    expect(await blobs.has(digest)).toBe(false);
    expect(await blobs.put(bytes)).toEqual({ digest, bytes: size });
    expect(await blobs.put(bytes)).toEqual({ digest, bytes: size });
    expect(await blobs.has(digest)).toBe(true);
    expect(Buffer.compare(await blobs.read(digest), bytes)).toBe(0);

    const other = randomBytes(size + 1);
    const path = join(dir, `${kind}-${size}`);
    await writeFile(path, other);
    expect(await blobs.putFile(path)).toEqual({ digest: digestOf(other), bytes: size + 1 });
    expect(await blobs.putFile(path)).toEqual({ digest: digestOf(other), bytes: size + 1 });
    const hash = createHash("sha256");
    for await (const chunk of blobs.stream(digestOf(other))) hash.update(chunk);
    expect(hash.digest("hex")).toBe(digestOf(other));
    const local = await blobs.localFile(digestOf(other), join(dir, "local"));
    expect(Buffer.compare(await readFile(local), other)).toBe(0);
  });

  // As root, too: a file's mode does not keep root from writing.
  test("keeps a file whatever becomes of its path, and of a handle that somebody has kept", async () => {
    const blobs = open(kind);
    const bytes = randomBytes(100);
    const path = join(dir, `${kind}-own`);
    await writeFile(path, bytes);
    const handle = await openFile(path, "r+");
    await blobs.putFile(path);
    await handle.write("changed", 0);
    await handle.close();
    await appendFile(path, "more");
    await rm(path);
    expect(Buffer.compare(await blobs.read(digestOf(bytes)), bytes)).toBe(0);
  });

  test("keeps a blob whatever is done to a local copy of it, and gives each caller one of its own", async () => {
    const blobs = open(kind);
    const { digest } = await blobs.put(Buffer.from("true bytes"));
    const folder = join(dir, "own-copies");
    const [one, two] = [
      await blobs.localFile(digest, folder),
      await blobs.localFile(digest, folder),
    ];
    await chmod(one, 0o600);
    await appendFile(one, " and more");
    expect(await readFile(two, "utf8")).toBe("true bytes");
    expect(Buffer.from(await blobs.read(digest)).toString()).toBe("true bytes");
  });

  test("puts a blob anew after it was removed", async () => {
    const blobs = open(kind);
    const bytes = randomBytes(2 * MIB);
    const { digest } = await blobs.put(bytes);
    await blobs.remove(digest);
    await blobs.remove(digest);
    expect(await blobs.has(digest)).toBe(false);
    await expect(blobs.read(digest)).rejects.toMatchObject({ digest });
    await blobs.put(bytes);
    expect(Buffer.compare(await blobs.read(digest), bytes)).toBe(0);
  });

  test("streams 64 MiB in bounded memory", async () => {
    const blobs = open(kind);
    const path = join(dir, `${kind}-large`);
    await writeFile(path, "");
    await truncate(path, 64 * MIB);
    const { digest } = await blobs.putFile(path);
    let bytes = 0;
    let largest = 0;
    for await (const chunk of blobs.stream(digest)) {
      bytes += chunk.byteLength;
      largest = Math.max(largest, chunk.byteLength);
    }
    expect(bytes).toBe(64 * MIB);
    expect(largest).toBeLessThanOrEqual(MIB);
  });

  test("says which blobs are missing", async () => {
    const blobs = open(kind);
    const here = await blobs.put(Buffer.from("here"));
    expect(await blobs.missing([here, { digest: ABSENT, bytes: 4 }])).toEqual([ABSENT]);
    expect(await blobs.missing([])).toEqual([]);
  });

  test("refuses to read a missing blob, whichever way it is read", async () => {
    const blobs = open(kind);
    const refused = {
      kind: "permanent",
      message: expect.stringMatching(`blob ${ABSENT} is missing in`) as string,
    };
    await expect(blobs.read(ABSENT)).rejects.toMatchObject(refused);
    await expect(drain(blobs.stream(ABSENT))).rejects.toMatchObject(refused);
    await expect(blobs.localFile(ABSENT, join(dir, "local"))).rejects.toMatchObject(refused);
  });

  test("refuses to store a file that is not there", async () => {
    await expect(open(kind).putFile(join(dir, "none"))).rejects.toMatchObject({
      kind: "permanent",
      message: expect.stringContaining(join(dir, "none")) as string,
    });
  });

  test("takes the same bytes from many at once", async () => {
    const blobs = open(kind);
    const bytes = randomBytes(2 * MIB);
    await Promise.all(Array.from({ length: 5 }, () => blobs.put(bytes)));
    expect(Buffer.compare(await blobs.read(digestOf(bytes)), bytes)).toBe(0);
  });

  test("clears, says how many there were, and goes on", async () => {
    const blobs = open(kind);
    await blobs.clear();
    expect(await blobs.clear()).toBe(0);
    const { digest } = await blobs.put(Buffer.from("one"));
    await blobs.put(Buffer.from("two"));
    expect(await blobs.clear()).toBe(2);
    expect(await blobs.has(digest)).toBe(false);
    await blobs.put(Buffer.from("one"));
    expect(await blobs.has(digest)).toBe(true);
  });
});

describe("openFolderBlobs(dir)", () => {
  const pathOf = (digest: Digest) => join(store, digest.slice(0, 2), digest.slice(2));

  test("notices a blob whose bytes were changed", async () => {
    const blobs = open("folder");
    const { digest } = await blobs.put(Buffer.from("true bytes"));
    await chmod(pathOf(digest), 0o644);
    await writeFile(pathOf(digest), "other byte");
    const refused = { kind: "permanent", message: expect.stringContaining("is damaged") as string };
    await expect(blobs.read(digest)).rejects.toMatchObject(refused);
    await expect(drain(blobs.stream(digest))).rejects.toMatchObject(refused);
    await expect(blobs.localFile(digest, dir)).rejects.toMatchObject(refused);
  });

  test("puts a blob again that a power cut has truncated", async () => {
    const blobs = open("folder");
    const { digest } = await blobs.put(Buffer.from("whole again"));
    await chmod(pathOf(digest), 0o644);
    await truncate(pathOf(digest), 3);
    await blobs.put(Buffer.from("whole again"));
    expect(Buffer.from(await blobs.read(digest)).toString()).toBe("whole again");
  });

  test("takes a blob that a power cut has truncated for missing", async () => {
    const blobs = open("folder");
    const whole = await blobs.put(Buffer.from("whole"));
    const cut = await blobs.put(Buffer.from("to be cut"));
    await chmod(pathOf(cut.digest), 0o644);
    await truncate(pathOf(cut.digest), 3);
    expect(await blobs.missing([whole, cut])).toEqual([cut.digest]);
  });

  test("lets nobody else look at what it keeps", async () => {
    const root = join(dir, "private");
    const blobs = openFolderBlobs(join(root, "store"));
    const path = join(dir, "own-file");
    await writeFile(path, "own", { mode: 0o644 });
    const foreign = join(dir, "foreign-file");
    await writeFile(foreign, "foreign");
    const stored = [
      await blobs.put(Buffer.from("bytes")),
      await blobs.putFile(path),
      await blobs.putFile(foreign),
    ];
    const modes: string[] = [];
    for (const { digest } of stored) {
      const folder = join(root, "store", digest.slice(0, 2));
      for (const name of [root, join(root, "store"), folder, join(folder, digest.slice(2))]) {
        modes.push(((await stat(name)).mode & 0o777).toString(8));
      }
    }
    expect(modes).toEqual(Array.from({ length: 3 }, () => ["700", "700", "700", "400"]).flat());
    const draft = join(root, "store", "draft");
    expect((await stat(draft)).mode & 0o777).toBe(0o700);
  });

  test("says which folder cannot be written", async () => {
    await writeFile(join(dir, "a-file"), "");
    await expect(openFolderBlobs(join(dir, "a-file")).put(Buffer.from("x"))).rejects.toMatchObject({
      kind: "permanent",
      message: expect.stringContaining(join(dir, "a-file")) as string,
    });
  });

  test("takes what the disk does not give back for damaged", async () => {
    const blobs = open("folder");
    const { digest } = await blobs.put(Buffer.from("on a bad sector"));
    await rm(pathOf(digest));
    // Reading it fails with EIO, as a bad sector does.
    await symlink("/proc/self/mem", pathOf(digest));
    const refused = { digest, message: `blob ${digest} is damaged in ${store}` };
    await expect(blobs.read(digest)).rejects.toMatchObject(refused);
    await expect(drain(blobs.stream(digest))).rejects.toMatchObject(refused);
    await blobs.remove(digest);
    await blobs.put(Buffer.from("on a bad sector"));
    expect(await blobs.has(digest)).toBe(true);
  });

  test("says what cannot be removed", async () => {
    const digest = digestOf("below a file");
    await writeFile(join(dir, "not-a-store"), "");
    await expect(openFolderBlobs(join(dir, "not-a-store")).remove(digest)).rejects.toMatchObject({
      kind: "permanent",
      message: expect.stringContaining(`blob ${digest} cannot be removed from`) as string,
    });
  });
});

describe("openDatabaseBlobs(db)", () => {
  test("compresses, and is not misled by pieces that a killed put has left", async () => {
    const db = dbOf("postgres");
    const blobs = openDatabaseBlobs(db);
    const bytes = Buffer.alloc(3 * MIB, "abcdefgh");
    const { digest } = await blobs.put(bytes);
    const { rows } = await sql<{ stored: string; chunks: number }>`
      select stored_bytes as stored, chunks from blob where digest = ${digest}`.execute(db);
    expect(rows).toEqual([{ stored: expect.any(String) as string, chunks: 3 }]);
    expect(Number(rows[0]?.stored)).toBeLessThan(MIB / 100);

    await sql`delete from blob where digest = ${digest}`.execute(db);
    await sql`delete from blob_chunk where digest = ${digest} and n = 2`.execute(db);
    expect(await blobs.has(digest)).toBe(false);
    await blobs.put(bytes);
    expect(Buffer.compare(await blobs.read(digest), bytes)).toBe(0);
  });

  test.each([
    ["a piece is missing", sql`delete from blob_chunk where n = 1`],
    ["a piece is not what it was", sql`update blob_chunk set bytes = '\\x00' where n = 1`],
    [
      "a piece is another's",
      sql`update blob_chunk c set bytes = (select bytes from blob_chunk b where b.digest = c.digest and b.n = 0) where n = 1`,
    ],
  ])("notices that %s", async (_name, harm) => {
    const db = dbOf("postgres");
    const blobs = openDatabaseBlobs(db);
    await blobs.clear();
    const { digest } = await blobs.put(randomBytes(2 * MIB));
    await harm.execute(db);
    await expect(blobs.read(digest)).rejects.toMatchObject({
      kind: "permanent",
      message: `blob ${digest} is damaged in the database`,
    });
  });

  test("lets nobody else look at a local copy", async () => {
    const blobs = openDatabaseBlobs(dbOf("postgres"));
    const { digest } = await blobs.put(Buffer.from("private copy"));
    const path = await blobs.localFile(digest, join(dir, "copies"));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await stat(join(dir, "copies"))).mode & 0o777).toBe(0o700);
  });

  test("says where a local copy cannot be written", async () => {
    const blobs = openDatabaseBlobs(dbOf("postgres"));
    const { digest } = await blobs.put(Buffer.from("copy"));
    await writeFile(join(dir, "no-folder"), "");
    await expect(blobs.localFile(digest, join(dir, "no-folder"))).rejects.toMatchObject({
      kind: "permanent",
      message: expect.stringContaining("cannot be written") as string,
    });
  });
});

async function drain(stream: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const _chunk of stream);
}
