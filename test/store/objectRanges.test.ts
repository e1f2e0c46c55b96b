import { createHash } from "node:crypto";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { SILENT } from "../../src/log.ts";
import { openFolderReader } from "../../src/store/folderReader.ts";
import { exactly, openRanges } from "../../src/store/objectRanges.ts";
import type { ObjectReader } from "../../src/store/objectReader.ts";
import { openS3Reader } from "../../src/store/s3Reader.ts";
import { type S3Fault, type S3Server, startS3 } from "../support/s3Server.ts";

const KEY = "main/adults_v1/2026-01-13T05%3A02%3A08Z +1_export";
const BYTES = Buffer.from("0123456789".repeat(30_000));
const NEVER = new AbortController().signal;

let folder: string;
let s3: S3Server;
let fault: S3Fault | null = null;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hdash-ranges-"));
  s3 = await startS3({ buckets: ["site"] });
  s3.setFaults(() => fault);
  fault = null;
  await put(KEY, BYTES);
});

afterEach(async () => {
  await s3.close();
  await rm(folder, { recursive: true });
});

async function put(key: string, bytes: Uint8Array): Promise<void> {
  s3.setObject("site", key, bytes);
  await mkdir(dirname(join(folder, "tree", key)), { recursive: true });
  await writeFile(join(folder, "tree", key), bytes);
}

function open(kind: string): ObjectReader {
  if (kind === "a folder") return openFolderReader(join(folder, "tree"));
  return openS3Reader({
    bucket: "site",
    endpoint: s3.url,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
    policy: { attempts: 1, minDelayMs: 1, maxDelayMs: 1 },
    log: SILENT,
  });
}

function etagOf(kind: string, bytes: Uint8Array): string {
  return createHash(kind === "a folder" ? "sha256" : "md5")
    .update(bytes)
    .digest("hex");
}

async function all(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

describe.each(["a folder", "a bucket"])("openRanges(reader of %s, head)", (kind) => {
  test("reads exactly the bytes that are asked for", async () => {
    const reader = open(kind);
    const ranges = openRanges(reader, { key: KEY, etag: etagOf(kind, BYTES), bytes: 300_000 });
    for (const [from, to] of [
      [0, 300_000],
      [7, 8],
      [100_003, 200_007],
      [299_999, 300_000],
      [5, 5],
    ] as const) {
      expect(await all(ranges.read(from, to, NEVER))).toBe(BYTES.toString("utf8", from, to));
    }
    await reader.close();
  });

  test("refuses another version, an object that is gone, and a range that there is not", async () => {
    const reader = open(kind);
    const head = { key: KEY, etag: etagOf(kind, BYTES), bytes: 300_000 };
    await put(KEY, BYTES.subarray(1));
    const gone = { ...head, key: "main/none" };
    for (const wanted of [head, gone]) {
      await expect(all(openRanges(reader, wanted).read(0, 10, NEVER))).rejects.toMatchObject({
        kind: "permanent",
        message: `${wanted.key} in ${reader.label} was removed or replaced since it was listed`,
      });
    }
    const etag = etagOf(kind, BYTES.subarray(1));
    const shorter = openRanges(reader, { ...head, etag });
    await expect(all(shorter.read(299_990, 300_000, NEVER))).rejects.toThrow();
    await reader.close();
  });

  test("stops when it is told to", async () => {
    const reader = open(kind);
    const ranges = openRanges(reader, { key: KEY, etag: etagOf(kind, BYTES), bytes: 300_000 });
    const stop = new AbortController();
    stop.abort();
    await expect(all(ranges.read(0, 300_000, stop.signal))).rejects.toMatchObject({
      kind: "aborted",
    });
    await reader.close();
  });
});

describe("openFolderReader(dir).openRange(key, range, signal)", () => {
  test("follows no link out of the folder, nor one within it", async () => {
    await writeFile(join(folder, "secret"), "secret");
    await symlink(join(folder, "secret"), join(folder, "tree", "link"));
    await symlink(folder, join(folder, "tree", "up"));
    const reader = openFolderReader(join(folder, "tree"));
    const range = { etag: etagOf("a folder", Buffer.from("secret")), from: 0, to: 3 };
    expect(await reader.openRange("link", range, NEVER)).toBeNull();
    expect(await reader.openRange("up/secret", range, NEVER)).toBeNull();
    await expect(reader.openRange("../secret", range, NEVER)).rejects.toThrow("dot segment");
  });
});

describe("exactly(bytes, body, what)", () => {
  async function* body(...pieces: readonly string[]): AsyncGenerator<Uint8Array> {
    for (const piece of pieces) yield Buffer.from(piece);
  }

  test("passes on what is as long as it should be, and throws where it is not", async () => {
    expect(await all(exactly(5, body("abc", "de"), "get"))).toBe("abcde");
    await expect(all(exactly(6, body("abc", "de"), "get"))).rejects.toMatchObject({
      kind: "transient",
      message: "get: it ended after 5 of 6 bytes",
    });
    await expect(all(exactly(4, body("abc", "de"), "get"))).rejects.toMatchObject({
      kind: "permanent",
    });
  });
});
