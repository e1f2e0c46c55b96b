// A private place as steps write to it, on the strict S3 server and in a folder, with the ledger's rows in memory.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { digestOf } from "../../src/digest.ts";
import { HdashError } from "../../src/error.ts";
import { SILENT } from "../../src/log.ts";
import { openPlace } from "../../src/publish/place.ts";
import type { Publication, PublicationStore } from "../../src/publish/site.ts";
import type { Bucket } from "../../src/store/bucket.ts";
import { openFolderBucket } from "../../src/store/folderBucket.ts";
import { openS3Bucket, type S3Bucket } from "../../src/store/s3Bucket.ts";
import { refusal } from "../support/refusal.ts";
import { type S3Server, startS3 } from "../support/s3Server.ts";

const QUICK = { attempts: 3, minDelayMs: 1, maxDelayMs: 2 };
const CSV = { contentType: "text/csv", scope: null };
const never = new AbortController().signal;

describe.each(["S3", "a folder"])("openPlace(options) in %s", (kind) => {
  let dir: string;
  let s3: S3Server;
  let opened: S3Bucket;
  let bucket: Bucket;
  let rows: Map<string, Publication>;
  /** What was done, in order. */
  let done: string[];
  let publications: PublicationStore;
  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), "hdash-place-"));
    s3 = await startS3({ buckets: ["data"] });
    const { accessKeyId, secretAccessKey } = s3;
    opened = openS3Bucket({
      ...{ bucket: "data", prefix: "set/", endpoint: s3.url, policy: QUICK },
      credentials: { accessKeyId, secretAccessKey },
    });
    const real = kind === "S3" ? opened : openFolderBucket(join(dir, "data"));
    done = [];
    bucket = {
      ...real,
      async putStream(key, ...rest) {
        done.push(`put ${key}`);
        return real.putStream(key, ...rest);
      },
    };
    rows = new Map();
    publications = {
      list: async () => [...rows.values()],
      async save(_place, row) {
        done.push(`${row.etag === "" ? "announce" : "record"} ${row.path}`);
        rows.set(row.path, row);
      },
      remove: async (_place, path) => void rows.delete(path),
    };
  });
  afterEach(async () => {
    await opened.close();
    await s3.close();
    await rm(dir, { recursive: true, force: true });
  });

  const open = (owner = "tide") =>
    openPlace({ bucket, publications, owner, log: SILENT, policy: QUICK });
  const bytes = (text: string) => ({ bytes: Buffer.from(text) });

  async function read(key: string): Promise<string> {
    const { body } = await open().open(key, never);
    const pieces: Uint8Array[] = [];
    for await (const piece of body) pieces.push(piece);
    return Buffer.concat(pieces).toString();
  }

  test("announces an object, puts it and records it; what is right already is left as it is", async () => {
    const place = open();
    const path = join(dir, "file");
    await writeFile(path, "a,b");
    const put = await place.put("v1/a.csv", { path }, CSV, never);
    expect(put).toEqual({
      ...{ key: "v1/a.csv", bytes: 3, digest: digestOf("a,b") },
      etag: (await bucket.head("v1/a.csv"))?.etag,
    });
    expect(done).toEqual(["announce v1/a.csv", "put v1/a.csv", "record v1/a.csv"]);
    expect(await place.recorded(never)).toEqual([
      {
        ...{ path: "v1/a.csv", owner: "tide", scope: null, contentType: "text/csv" },
        bytes: 3,
        digest: put.digest,
        etag: put.etag,
      },
    ]);
    done.length = 0;
    const listing = await place.listing(never);
    for (const how of [{ ...CSV, listing }, { ...CSV, digest: put.digest }, CSV]) {
      expect(await open().put("v1/a.csv", { path }, how, never)).toEqual(put);
    }
    expect(done).toEqual([]);
    await place.put("v1/a.csv", { path }, { ...CSV, scope: "north", listing }, never);
    expect([done, rows.get("v1/a.csv")?.scope]).toEqual([["record v1/a.csv"], "north"]);
    expect(await read("v1/a.csv")).toBe("a,b");
  });

  test.each<[string, () => Promise<void>]>([
    ["its bytes are others", async () => {}],
    [
      "it was changed behind our back",
      async () =>
        void (await bucket.put("key", Buffer.from("old!"), {
          contentType: "text/csv",
          cacheControl: "",
        })),
    ],
    ["it is gone", () => bucket.delete(["key"])],
  ])("puts again where %s", async (what, change) => {
    await open().put("key", bytes("old"), CSV, never);
    await change();
    done.length = 0;
    await open().put("key", bytes(what.startsWith("its") ? "new" : "old"), CSV, never);
    // Its row is there: until the new one is recorded, what it says is not what lies there, and so it would be put again.
    expect(done).toEqual(["put key", "record key"]);
  });

  test("puts again where only the type is another, or it was announced and never recorded", async () => {
    await open().put("key", bytes("x"), CSV, never);
    const row = rows.get("key");
    done.length = 0;
    await open().put("key", bytes("x"), { ...CSV, contentType: "text/plain" }, never);
    if (row !== undefined) rows.set("key", { ...row, etag: "" });
    await open().put("key", bytes("x"), CSV, never);
    expect(done).toEqual(["put key", "record key", "put key", "record key"]);
  });

  test("does not announce what stands where another's object is, before its own has replaced it", async () => {
    await bucket.put("key", Buffer.from("theirs"), { contentType: "text/csv", cacheControl: "" });
    await open().put("key", bytes("ours"), CSV, never);
    expect(done).toEqual(["put key", "record key"]);
    expect((await refusal(open("ebb").put("key", bytes("x"), CSV, never))).message).toBe(
      `ebb cannot publish key on ${bucket.uri}: it belongs to tide`,
    );
  });

  test("puts nothing that has another digest than it was said to have", async () => {
    const wrong = { ...CSV, digest: digestOf("other") };
    expect((await refusal(open().put("key", bytes("x"), wrong, never))).message).toMatch(
      /^key is not what was to be put/,
    );
    expect([await bucket.head("key"), rows.get("key")?.etag]).toEqual([null, ""]);
    expect(await open().check(await open().listing(never), never)).toEqual([
      { key: "key", what: "missing" },
    ]);
  });

  test("tells what is missing and what was changed, of its own objects only", async () => {
    for (const key of ["gone", "changed", "longer", "right"]) {
      await open().put(key, bytes(key), CSV, never);
    }
    await open("ebb").put("theirs", bytes("x"), CSV, never);
    await bucket.delete(["gone", "theirs"]);
    const odd = { contentType: "text/csv", cacheControl: "" };
    await bucket.put("changed", Buffer.from("CHANGED"), odd);
    await bucket.put("longer", Buffer.from("longer!"), odd);
    const faults = await open().check(await open().listing(never), never);
    expect(faults).toEqual([
      { key: "gone", what: "missing" },
      { key: "changed", what: "changed" },
      { key: "longer", what: "changed" },
    ]);
    await expect(read("longer")).rejects.toThrow("longer on");
    await expect(read("changed")).rejects.toThrow("has another SHA-256");
    await expect(read("gone")).rejects.toThrow("gone on");
    await expect(read("theirs")).rejects.toThrow("is none of tide's");
    expect(await read("right")).toBe("right");
  });

  test("removes its own objects with their rows, and nobody else's", async () => {
    await open().put("own", bytes("x"), CSV, never);
    await open("ebb").put("theirs", bytes("x"), CSV, never);
    await open().remove(["own", "theirs", "none"], never);
    expect([...(await open().listing(never)).keys()]).toEqual(["theirs"]);
    expect([...rows.keys()]).toEqual(["theirs"]);
  });

  test("waits for the ledger, and asks it once for many puts", async () => {
    let [asked, failures] = [0, 2];
    const flaky: PublicationStore = {
      ...publications,
      async list() {
        asked++;
        if (failures-- > 0) throw new HdashError("transient", "the database restarts");
        return publications.list("");
      },
    };
    const place = openPlace({
      bucket,
      publications: flaky,
      owner: "tide",
      log: SILENT,
      policy: QUICK,
    });
    for (const key of ["a", "b", "c"]) await place.put(key, bytes(key), CSV, never);
    expect(asked).toBe(3);
  });
});
