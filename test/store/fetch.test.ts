// Objects brought to this disk: from the strict S3 server, from a folder of the same disk, and from one of another.

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { lstat, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { digestOf } from "../../src/digest.ts";
import type { Bucket } from "../../src/store/bucket.ts";
import { openFolderBucket } from "../../src/store/folderBucket.ts";
import { openS3Bucket, type S3Bucket } from "../../src/store/s3Bucket.ts";
import { refusal } from "../support/refusal.ts";
import { type S3Server, startS3 } from "../support/s3Server.ts";

const DATA = { contentType: "application/octet-stream", cacheControl: "no-cache" };
const LARGE = randomBytes(3 * 1024 * 1024 + 17);
/** A disk that is never that of temporary files. */
const OTHER_DISK = "/dev/shm";

let dir: string;
let other: string;
let s3: S3Server;
let remote: S3Bucket;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-fetch-"));
  other = await mkdtemp(join(OTHER_DISK, "hdash-fetch-"));
  s3 = await startS3({ buckets: ["work"], pageKeys: 2, now: Date.now });
  remote = openS3Bucket({
    ...{ bucket: "work", prefix: "foo/", endpoint: s3.url },
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
    policy: { attempts: 2, minDelayMs: 1, maxDelayMs: 2 },
  });
});

afterEach(async () => {
  await remote.close();
  await s3.close();
  await rm(dir, { recursive: true, force: true });
  await rm(other, { recursive: true, force: true });
});

describe.each(["S3", "a folder", "a folder of another disk"])("from %s", (kind) => {
  const open = (): Bucket =>
    kind === "S3" ? remote : openFolderBucket(join(kind === "a folder" ? dir : other, "bucket"));

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["some mebibytes", LARGE],
  ])("brings an object of %s, and tells what it is", async (_name, bytes) => {
    const bucket = open();
    await bucket.put("a/key", bytes, DATA);
    const path = join(dir, "brought");
    const fetched = await bucket.fetch("a/key", path);
    expect(fetched).toEqual({ bytes: bytes.length, digest: digestOf(bytes) });
    expect(Buffer.compare(await readFile(path), bytes)).toBe(0);
  });

  test("keeps what was brought as it was when the object is put anew, or deleted", async () => {
    const bucket = open();
    await bucket.put("key", Buffer.from("old"), DATA);
    const [first, second] = [join(dir, "first"), join(dir, "second")];
    await bucket.fetch("key", first);
    await bucket.put("key", Buffer.from("new"), DATA);
    await bucket.fetch("key", second);
    await bucket.delete(["key"]);
    expect(await readFile(first, "utf8")).toBe("old");
    expect(await readFile(second, "utf8")).toBe("new");
    await rm(second);
    await bucket.put("key", Buffer.from("newer"), DATA);
    await bucket.fetch("key", second);
    // What was brought may go, and the object stays.
    await rm(second);
    expect(Buffer.from((await bucket.get("key")) ?? []).toString()).toBe("newer");
  });

  test("brings nothing where there is nothing, and makes no file", async () => {
    expect(await open().fetch("none", join(dir, "brought"))).toBeNull();
    expect(existsSync(join(dir, "brought"))).toBe(false);
  });

  test("leaves a file alone that lies where an object is to go, and names it", async () => {
    const bucket = open();
    await bucket.put("key", Buffer.from("new"), DATA);
    const path = join(dir, "brought");
    await writeFile(path, "mine");
    const { kind: how, message } = await refusal(bucket.fetch("key", path));
    expect([how, message]).toEqual([
      "permanent",
      expect.stringMatching(/brought cannot be written: EEXIST/),
    ]);
    expect(await readFile(path, "utf8")).toBe("mine");
  });

  test("names the place that cannot be written to", async () => {
    const bucket = open();
    await bucket.put("key", Buffer.from("new"), DATA);
    const { message } = await refusal(bucket.fetch("key", join(dir, "gone/brought")));
    expect(message).toMatch(/gone\/brought cannot be written: ENOENT/);
  });

  test("stops when it is told to, and leaves no file", async () => {
    const bucket = open();
    await bucket.put("key", LARGE, DATA);
    const { kind: how } = await refusal(
      bucket.fetch("key", join(dir, "brought"), AbortSignal.abort("enough")),
    );
    expect(how).toBe("aborted");
    expect(await readdir(dir)).not.toContain("brought");
  });
});

test("takes a folder's file by a second name on its own disk, and as a copy from another", async () => {
  const [own, far] = [openFolderBucket(join(dir, "bucket")), openFolderBucket(join(other, "far"))];
  await own.put("key", Buffer.from("one"), DATA);
  await far.put("key", Buffer.from("one"), DATA);
  await own.fetch("key", join(dir, "linked"));
  await far.fetch("key", join(dir, "copied"));
  const { ino } = await stat(join(dir, "bucket/key"));
  expect((await stat(join(dir, "linked"))).ino).toBe(ino);
  const copied = await stat(join(dir, "copied"));
  expect([copied.nlink, copied.mode & 0o777]).toEqual([1, 0o600]);
});

test("follows no link, as if nothing were there", async () => {
  const bucket = openFolderBucket(join(dir, "bucket"));
  await bucket.put("key", Buffer.from("one"), DATA);
  await writeFile(join(dir, "secret"), "secret");
  await symlink(join(dir, "secret"), join(dir, "bucket/link"));
  expect(await bucket.fetch("link", join(dir, "brought"))).toBeNull();
  await expect(lstat(join(dir, "brought"))).rejects.toThrow("ENOENT");
});

test("takes a body up where it broke, and leaves no file where it breaks for good", async () => {
  await remote.put("key", LARGE, DATA);
  let gets = 0;
  s3.setFaults(({ operation }) =>
    operation === "GetObject" && ++gets === 1 ? { hangUp: "midBody" } : null,
  );
  const whole = { bytes: LARGE.length, digest: digestOf(LARGE) };
  expect(await remote.fetch("key", join(dir, "whole"))).toEqual(whole);
  expect(gets).toBe(2);
  s3.setFaults(({ operation }) => {
    if (operation !== "GetObject") return null;
    return ++gets === 3 ? { hangUp: "midBody" } : { status: 503, retryAfterSeconds: 0 };
  });
  const { kind, message } = await refusal(remote.fetch("key", join(dir, "brought")));
  expect([kind, message]).toEqual(["transient", expect.stringMatching(/foo\/key/)]);
  expect(gets).toBeGreaterThan(3);
  expect(existsSync(join(dir, "brought"))).toBe(false);
});
