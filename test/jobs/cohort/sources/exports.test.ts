import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rename, rm, symlink, utimes, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { FoundExport } from "../../../../src/jobs/cohort/data/catalog.ts";
import { bucketExports, type ExportSource } from "../../../../src/jobs/cohort/sources/exports.ts";
import { folderExports } from "../../../../src/jobs/cohort/sources/folderExports.ts";
import { openS3Bucket } from "../../../../src/store/s3Bucket.ts";
import { refusal } from "../../../support/refusal.ts";
import { type S3Fault, type S3Server, startS3 } from "../../../support/s3Server.ts";

const ODD = [
  "adults_v1/2026-01-13T05%3A02%3A08Z +1_a&b",
  "adults_v1/2026-01-13T05:02:08Z, “x”.zip",
  "adults_v1/older/2025",
  "owner.txt",
  "pediatric_v1/ünï <1>",
];
const KEY = "adults_v1/2026-01-13T05%3A02%3A08Z +1_a&b";
const BYTES = Buffer.from("0123456789".repeat(300_000));
const NEVER = new AbortController().signal;
const MOVED = {
  kind: "transient",
  message: `export ${KEY} has changed, or gone, since it was listed`,
};

let folder: string;
let s3: S3Server;
let faults: S3Fault[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hdash-exports-"));
  faults = [];
  s3 = await startS3({ buckets: ["exports"], pageKeys: 2 });
  s3.setFaults(({ operation }) => (operation === "GetObject" ? (faults.shift() ?? null) : null));
});

afterEach(async () => {
  await s3.close();
  await rm(folder, { recursive: true });
});

/** Puts an export of the namespace main. */
async function put(key: string, bytes: Uint8Array): Promise<void> {
  s3.setObject("exports", `sent/main/${key}`, bytes);
  const path = join(folder, "main", key);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, bytes);
}

function open(kind: string, namespace = "main"): ExportSource {
  if (kind === "a folder") return folderExports(join(folder, namespace));
  return bucketExports(
    openS3Bucket({
      ...{ bucket: "exports", prefix: `sent/${namespace}`, endpoint: s3.url },
      credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
      policy: { attempts: 3, minDelayMs: 1, maxDelayMs: 1 },
    }),
  );
}

async function find(source: ExportSource, key = KEY): Promise<FoundExport> {
  const found = (await source.list(NEVER)).find((one) => one.key === key);
  if (found === undefined) throw new Error(`${key} is not listed`);
  return { ...found, cohort: "", export: "" };
}

async function text(pieces: AsyncIterable<Uint8Array>): Promise<string> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) all.push(piece);
  return Buffer.concat(all).toString();
}

describe.each(["a folder", "a bucket"])("exports of %s", (kind) => {
  test("are listed to the end, by their keys as they are, of this namespace alone", async () => {
    for (const key of ODD) await put(key, Buffer.from(key));
    s3.setObject("exports", "sent/main-2/adults_v1/x", BYTES);
    s3.setObject("exports", "sent/main/", Buffer.of());
    await mkdir(join(folder, "main-2"));
    await mkdir(join(folder, "main", "empty"));
    const found = await open(kind).list(NEVER);
    expect(found.map(({ key, bytes }) => [key, bytes]).sort()).toEqual(
      ODD.map((key) => [key, Buffer.byteLength(key)]).sort(),
    );
    expect(new Set(found.map(({ etag }) => etag)).size).toBe(ODD.length);
  });

  test("are none where nobody has sent anything of the namespace", async () => {
    await put(KEY, BYTES);
    expect(await open(kind, "staging").list(NEVER)).toEqual([]);
  });

  test("are read in exactly the ranges that are asked for", async () => {
    await put(KEY, BYTES);
    const source = open(kind);
    const opened = await source.open(await find(source), NEVER);
    expect(opened.bytes).toBe(BYTES.length);
    for (const [from, to] of [
      [0, 3_000_000],
      [7, 8],
      [1_000_003, 2_200_007],
      [2_999_999, 3_000_000],
    ] as const) {
      const read = await text(opened.read(from, to, NEVER));
      expect(read === BYTES.toString("utf8", from, to)).toBe(true);
    }
    await source.close();
  });

  test.each([
    ["replaced by one of the same length", () => put(KEY, Buffer.from(BYTES).fill("x"))],
    ["replaced by a longer one", () => put(KEY, Buffer.concat([BYTES, BYTES]))],
    [
      "removed",
      async () => {
        s3.removeObject("exports", `sent/main/${KEY}`);
        await rm(join(folder, "main", KEY));
      },
    ],
    [
      "removed with all of its cohort",
      async () => {
        s3.removeObject("exports", `sent/main/${KEY}`);
        await rm(join(folder, "main", "adults_v1"), { recursive: true });
        await writeFile(join(folder, "main", "adults_v1"), "no folder any more");
      },
    ],
  ])("are told of when %s between two ranges", async (_what, change) => {
    await put(KEY, BYTES);
    await utimes(join(folder, "main", KEY), 1, 1);
    const source = open(kind);
    const opened = await source.open(await find(source), NEVER);
    expect(await text(opened.read(0, 3, NEVER))).toBe("012");
    await change();
    expect(await refusal(text(opened.read(3, 6, NEVER)))).toMatchObject(MOVED);
  });

  test("stop when the reader is told to", async () => {
    await put(KEY, BYTES);
    const source = open(kind);
    const opened = await source.open(await find(source), NEVER);
    const stop = new AbortController();
    stop.abort();
    await expect(text(opened.read(0, 3, stop.signal))).rejects.toThrow();
    await expect(source.list(stop.signal)).rejects.toThrow();
  });
});

describe("exports of a bucket", () => {
  test("are read on where a connection broke", async () => {
    await put(KEY, BYTES);
    const source = open("a bucket");
    const opened = await source.open(await find(source), NEVER);
    faults = [{ hangUp: "midBody" }];
    const read = await text(opened.read(10, 3_000_000, NEVER));
    expect(read === BYTES.toString("utf8", 10)).toBe(true);
  });

  test("are told of when replaced while a range is on its way", async () => {
    await put(KEY, BYTES);
    const source = open("a bucket");
    const opened = await source.open(await find(source), NEVER);
    faults = [{ hangUp: "midBody" }];
    const pieces = opened.read(0, 3_000_000, NEVER)[Symbol.asyncIterator]();
    await pieces.next();
    await put(KEY, Buffer.from(BYTES).fill("x"));
    const rest = { [Symbol.asyncIterator]: () => pieces };
    expect(await refusal(text(rest))).toMatchObject(MOVED);
  });

  test("say that they may not be read, as they are", async () => {
    await put(KEY, BYTES);
    const source = open("a bucket");
    const opened = await source.open(await find(source), NEVER);
    faults = [{ status: 403, code: "AccessDenied" }];
    const error = await refusal(text(opened.read(0, 3, NEVER)));
    expect(error.kind).toBe("permanent");
    expect(error.message).toContain("AccessDenied");
  });
});

describe("exports of a folder", () => {
  test("are not what links lead to, within it or out of it", async () => {
    await put(KEY, BYTES);
    await writeFile(join(folder, "secret"), "secret");
    await symlink(join(folder, "secret"), join(folder, "main", "adults_v1", "link"));
    await symlink(join(folder, "main", KEY), join(folder, "main", "adults_v1", "second"));
    await symlink(folder, join(folder, "main", "up"));
    await symlink(join(folder, "none"), join(folder, "main", "dangling"));
    const found = await open("a folder").list(NEVER);
    const read = found.filter(({ refused }) => refused === undefined);
    expect(read.map(({ key }) => key)).toEqual([KEY]);
    const links = found.filter(({ refused }) => refused !== undefined);
    const why = "it is a symbolic link, which is not followed";
    expect(links).toEqual(
      ["adults_v1/link", "adults_v1/second", "dangling", "up"].map((key) => ({
        ...{ key, bytes: 0, etag: "", refused: { outcome: "no_file", why } },
      })),
    );
  });

  test("are no pipes, sockets and devices, and nothing without a name in UTF-8: each is listed as such", async () => {
    await put(KEY, BYTES);
    const cohort = join(folder, "main", "adults_v1");
    execFileSync("mkfifo", [join(cohort, "pipe")]);
    const server = createServer().listen(join(cohort, "socket"));
    await once(server, "listening");
    const bytes = (name: string): Buffer =>
      Buffer.concat([Buffer.from(`${cohort}/`), Buffer.from(name, "latin1")]);
    await writeFile(bytes("b\xffc\n"), "x");
    await mkdir(bytes("\xe4ltere"));
    await writeFile(bytes("\xe4ltere/2025"), "x");
    try {
      const found = await open("a folder").list(NEVER);
      const refused = found.flatMap(({ key, refused: of }) =>
        of ? [[key, of.outcome, of.why]] : [],
      );
      expect(refused).toEqual([
        ["adults_v1/b\\xffc\n", "bad_name", "its name is not UTF-8"],
        ["adults_v1/pipe", "no_file", "it is a pipe"],
        ["adults_v1/socket", "no_file", "it is a socket"],
        ["adults_v1/\\xe4ltere", "bad_name", "its name is not UTF-8"],
      ]);
      expect(found).toHaveLength(1 + refused.length);
    } finally {
      server.close();
    }
  });

  test("are not read where a link has taken their place", async () => {
    await put(KEY, BYTES);
    const source = open("a folder");
    const opened = await source.open(await find(source), NEVER);
    const path = join(folder, "main", KEY);
    // The same file, of the same time: only that a link leads to it is new.
    await rename(path, join(folder, "moved"));
    await symlink(join(folder, "moved"), path);
    expect(await refusal(text(opened.read(0, 3, NEVER)))).toMatchObject(MOVED);
  });

  test("are told to be unreadable where their folder is none", async () => {
    await writeFile(join(folder, "main"), "a file");
    expect(await refusal(open("a folder").list(NEVER))).toMatchObject({
      kind: "permanent",
      message: expect.stringMatching(/ cannot be read: ENOTDIR/) as string,
    });
  });
});
