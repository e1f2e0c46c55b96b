// Objects of any size, put and read by streaming: on the strict S3 server, with its faults, and in a folder.

import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { digestOf } from "../../src/digest.ts";
import { HdashError } from "../../src/error.ts";
import type { Bucket, ByteRange } from "../../src/store/bucket.ts";
import { type ByteSource, bytesSource, fileSource } from "../../src/store/byteSource.ts";
import { openFolderBucket } from "../../src/store/folderBucket.ts";
import { openS3Bucket, type S3Bucket } from "../../src/store/s3Bucket.ts";
import { refusal } from "../support/refusal.ts";
import { type S3Request, type S3Server, startS3 } from "../support/s3Server.ts";

const MIB = 1024 * 1024;
const DATA = { contentType: "application/octet-stream", cacheControl: "no-cache" };
/** Three parts, the last of them small. */
const LARGE = randomBytes(16 * MIB + 17);

let dir: string;
let s3: S3Server;
let clock: number;
let bucket: S3Bucket;

// A server for each test: what a client that was broken off still sends must not be counted by the next.
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-streams-"));
  clock = Date.now();
  s3 = await startS3({ buckets: ["work"], pageKeys: 2, now: () => clock });
  bucket = openS3Bucket({
    ...{ bucket: "work", prefix: "foo/data/", endpoint: s3.url },
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
    policy: { attempts: 3, minDelayMs: 1, maxDelayMs: 2 },
  });
});

afterEach(async () => {
  await bucket.close();
  await s3.close();
  await rm(dir, { recursive: true, force: true });
});

async function write(bytes: Uint8Array, name = "file"): Promise<ByteSource> {
  await writeFile(join(dir, name), bytes);
  return fileSource(join(dir, name));
}

/** A source that counts how often it was read, and may break while it is. */
function counted(bytes: Uint8Array, more: Partial<ByteSource> = {}) {
  const reads = { count: 0 };
  const source: ByteSource = {
    name: "counted",
    bytes: bytes.byteLength,
    async *open() {
      reads.count++;
      for (let at = 0; at < bytes.byteLength; at += MIB) yield bytes.subarray(at, at + MIB);
    },
    ...more,
  };
  return { source, reads };
}

async function drain(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all);
}

async function read(from: Bucket, key: string, range?: ByteRange): Promise<Buffer | null> {
  const opened = await from.open(key, range);
  return opened === null ? null : drain(opened.body);
}

const isSame = (a: Uint8Array | null, b: Uint8Array) => a !== null && Buffer.compare(a, b) === 0;
const asked = (operation: string): readonly S3Request[] =>
  s3.requests.filter((request) => request.operation === operation);

describe.each(["S3", "a folder"])("a bucket in %s", (kind) => {
  const open = (): Bucket => (kind === "S3" ? bucket : openFolderBucket(join(dir, "bucket")));

  test.each([
    ["nothing", Buffer.alloc(0)],
    ["one part", LARGE.subarray(0, 8 * MIB)],
    ["several parts", LARGE],
  ])("puts a file of %s and gives it back, whole and in stretches", async (_name, bytes) => {
    const to = open();
    const put = await to.putStream("a/large", await write(bytes), DATA);
    expect(put).toMatchObject({ bytes: bytes.length, digest: digestOf(bytes) });
    const head = { key: "a/large", etag: put.etag, bytes: bytes.length };
    expect(await to.head("a/large")).toEqual(head);
    const listed = [];
    for await (const one of to.list()) listed.push(one);
    expect(listed).toEqual([head]);
    expect(await to.open("a/large")).toMatchObject(head);
    const ranges: readonly ByteRange[] = [
      ...[{}, { from: 1 }, { to: 5 }, { from: 5, to: 9 * MIB }, { from: bytes.length }],
      ...[{ to: bytes.length + 9 }, { from: 3, to: 3 }],
    ];
    for (const { from = 0, to: end = bytes.length } of ranges) {
      expect(isSame(await read(to, "a/large", { from, to: end }), bytes.subarray(from, end))).toBe(
        true,
      );
    }
  });

  test("has nothing under a name that nobody put", async () => {
    expect([await open().head("none"), await open().open("none")]).toEqual([null, null]);
  });

  test.each([9, LARGE.length])(
    "leaves what was there where %i bytes are not those that were to be put",
    async (length) => {
      const to = open();
      await to.put("key", Buffer.from("old"), DATA);
      const bytes = LARGE.subarray(0, length);
      const putting = (source: ByteSource) =>
        refusal(to.putStream("key", source, { ...DATA, digest: digestOf("another") }));
      const wrong = await putting(counted(bytes).source);
      expect([wrong.kind, wrong.message]).toEqual([
        "permanent",
        `counted is not what was to be put: its SHA-256 is ${digestOf(bytes)}, not ${digestOf("another")}`,
      ]);
      const short = await putting(counted(bytes, { bytes: bytes.length + 1 }).source);
      expect(short.message).toBe(
        `counted changed while it was read: it had ${length + 1} bytes, and gave ${length}`,
      );
      expect((await putting(counted(bytes, { bytes: bytes.length - 1 }).source)).message).toMatch(
        /^counted changed while it was read/,
      );
      expect((await read(to, "key"))?.toString()).toBe("old");
      expect(s3.openUploads("work")).toEqual([]);
      if (kind !== "S3") expect(await readdir(join(dir, "bucket"))).toEqual(["key"]);
    },
  );

  test("hands on the error of a source, and leaves nothing behind", async () => {
    const own = new HdashError("permanent", "a blob is damaged");
    const source = counted(LARGE, {
      async *open() {
        yield LARGE.subarray(0, 9 * MIB);
        throw own;
      },
    });
    expect(await refusal(open().putStream("key", source.source, DATA))).toBe(own);
    expect([await open().head("key"), s3.openUploads("work")]).toEqual([null, []]);
  });

  test("says which file is not there, or is none", async () => {
    expect((await refusal(fileSource(join(dir, "none")))).message).toContain(join(dir, "none"));
    expect((await refusal(fileSource(dir))).message).toBe(`${dir} cannot be read: it is no file`);
  });
});

describe("openS3Bucket(options).putStream(key, source, options)", () => {
  test("keeps user metadata and headers, in one piece and in parts", async () => {
    const metadata = { sha256: "abc" };
    for (const bytes of [LARGE.subarray(0, 5), LARGE]) {
      await bucket.putStream("key", bytesSource(bytes, "bytes"), { ...DATA, metadata });
      expect(s3.objects("work").get("foo/data/key")?.headers).toMatchObject({
        ...{ "x-amz-meta-sha256": "abc", "cache-control": "no-cache" },
        "content-type": DATA.contentType,
      });
    }
  });

  test.each([{ status: 503, code: "SlowDown" }, { hangUp: "before" as const }, { status: 500 }])(
    "sends a part again after %j, without reading the source again",
    async (fault) => {
      const { source, reads } = counted(LARGE);
      s3.setFaults({ nthPut: 2, times: 2, ...fault });
      const { digest } = await bucket.putStream("key", source, DATA);
      expect([digest, reads.count, asked("UploadPart").length]).toEqual([digestOf(LARGE), 1, 5]);
      expect(isSame(await read(bucket, "key"), LARGE)).toBe(true);
    },
  );

  test("begins again where somebody has aborted the upload, and reads the source again", async () => {
    const { source, reads } = counted(LARGE);
    let parts = 0;
    s3.setFaults(({ operation }) =>
      operation === "UploadPart" && ++parts === 2 ? { status: 404, code: "NoSuchUpload" } : null,
    );
    const { digest } = await bucket.putStream("key", source, { ...DATA, digest: digestOf(LARGE) });
    expect([digest, reads.count, s3.openUploads("work")]).toEqual([digestOf(LARGE), 2, []]);
    s3.setFaults(({ operation }) =>
      operation === "UploadPart" ? { status: 404, code: "NoSuchUpload" } : null,
    );
    expect((await refusal(bucket.putStream("other", source, DATA))).message).toBe(
      "put foo/data/other to s3://work: the upload was aborted by somebody",
    );
  });

  test("knows an object for its own whose completion was done, and only not answered", async () => {
    const { source, reads } = counted(LARGE);
    let completions = 0;
    s3.setFaults(({ operation }) =>
      operation === "CompleteMultipartUpload" && ++completions === 1 ? { hangUp: "after" } : null,
    );
    const { etag } = await bucket.putStream("key", source, DATA);
    expect([etag, reads.count, completions]).toEqual([s3.puts[0]?.etag, 1, 2]);
    expect(s3.puts.length).toBe(1);
  });

  test("aborts the upload when it is told to stop in the middle of a part", async () => {
    const stop = new AbortController();
    s3.setFaults(({ operation, query }) => {
      if (operation === "UploadPart" && query.get("partNumber") === "2") stop.abort("stop");
      return null;
    });
    const source = await write(LARGE);
    const stopped = await refusal(bucket.putStream("key", source, DATA, stop.signal));
    expect([stopped.kind, s3.openUploads("work"), s3.puts]).toEqual(["aborted", [], []]);
  });

  test("makes parts larger where ten thousand would not do", async () => {
    // Says that it has 90 GB, and ends after 19 MiB.
    const source = counted(Buffer.alloc(19 * MIB), { bytes: 90 * 1024 ** 3 });
    await refusal(bucket.putStream("key", source.source, DATA));
    const sizes = asked("UploadPart").map(({ headers }) => Number(headers["content-length"]) / MIB);
    expect(sizes.sort((a, b) => b - a)).toEqual([10, 9]);
  });
});

describe("openS3Bucket(options).open(key)", () => {
  test("takes a broken answer up where it broke", async () => {
    await bucket.putStream("key", bytesSource(LARGE, "bytes"), DATA);
    let gets = 0;
    s3.setFaults(({ operation }) =>
      operation === "GetObject" && ++gets <= 2 ? { hangUp: "midBody" } : null,
    );
    expect(isSame(await read(bucket, "key"), LARGE)).toBe(true);
    const ranges = asked("GetObject").map(({ headers }) => headers.range);
    expect([ranges.length, ranges[0]]).toEqual([3, undefined]);
    expect(ranges[1]).toMatch(/^bytes=[1-9]\d*-16777232$/);
  });

  test("gives up where nothing more comes, as transient", async () => {
    await bucket.put("key", Buffer.from("0123456789"), DATA);
    s3.setFaults(({ operation }) => (operation === "GetObject" ? { hangUp: "before" } : null));
    expect((await refusal(read(bucket, "key"))).kind).toBe("transient");
  });

  test("gives no mixture where the object is replaced in the middle", async () => {
    await bucket.putStream("key", bytesSource(LARGE, "bytes"), DATA);
    const opened = await bucket.open("key");
    s3.setObject("work", "foo/data/key", randomBytes(LARGE.length));
    const { kind, message } = await refusal(drain(opened?.body ?? (async function* () {})()));
    expect([kind, message]).toEqual([
      "permanent",
      "get foo/data/key from s3://work: it was replaced or deleted while it was read",
    ]);
  });
});

describe("openS3Bucket(options).abortUploads(before)", () => {
  test("aborts what was begun before, below its prefix and nowhere else", async () => {
    const begin = async (prefix: string, key: string) => {
      const other = openS3Bucket({
        ...{ bucket: "work", prefix, endpoint: s3.url },
        credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
        policy: { attempts: 1, minDelayMs: 1, maxDelayMs: 1 },
      });
      // A put that fails cannot abort, either.
      s3.setFaults(({ operation }) => (/Abort|Complete/.test(operation) ? { status: 403 } : null));
      await refusal(other.putStream(key, bytesSource(LARGE, "bytes"), DATA));
      s3.setFaults(null);
      await other.close();
    };
    for (const key of ["a b", "c", "ü", "z"]) await begin("foo/data/", key);
    await begin("foo/data-2/", "other");
    clock += 60_000;
    await begin("foo/data/", "young");
    expect(s3.openUploads("work").length).toBe(6);
    expect(await bucket.abortUploads(new Date(clock - 30_000))).toBe(4);
    expect(s3.openUploads("work").map(({ key }) => key)).toEqual([
      ...["foo/data-2/other", "foo/data/young"],
    ]);
    expect(await bucket.abortUploads(new Date(clock - 30_000))).toBe(0);
  });
});

test("bytes of a sparse file are zeros, and counted", async () => {
  await writeFile(join(dir, "sparse"), "");
  await truncate(join(dir, "sparse"), 9 * MIB);
  const put = await bucket.putStream("sparse", await fileSource(join(dir, "sparse")), DATA);
  const sha256 = createHash("sha256")
    .update(Buffer.alloc(9 * MIB))
    .digest("hex");
  expect(put).toMatchObject({ bytes: 9 * MIB, digest: sha256 });
});
