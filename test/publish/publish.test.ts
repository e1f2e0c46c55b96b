import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { digestOf } from "../../src/digest.ts";
import { HdashError } from "../../src/error.ts";
import { type Log, SILENT } from "../../src/log.ts";
import { makePublisher } from "../../src/publish/publish.ts";
import type {
  Publication,
  PublicationStore,
  PublishResult,
  SiteFile,
} from "../../src/publish/site.ts";
import type { Bucket } from "../../src/store/bucket.ts";
import { openFolderBucket } from "../../src/store/folderBucket.ts";
import { openS3Bucket, type S3Bucket } from "../../src/store/s3Bucket.ts";
import { refusal } from "../support/refusal.ts";
import { type S3Server, startS3 } from "../support/s3Server.ts";

const TYPES: Readonly<Record<string, string>> = {
  html: "text/html; charset=utf-8",
  css: "text/css; charset=utf-8",
  json: "application/json",
  svg: "image/svg+xml",
};
const PAGE = "no-cache";
const IMMUTABLE = "public, max-age=31536000, immutable";

let s3: S3Server;
let bucket: S3Bucket;
let rows: Map<string, Publication>;
let publications: PublicationStore;
let warnings: string[];
let log: Log;

// A server for each test: what a client that was broken off still sends must not be counted by the next.
beforeEach(async () => {
  s3 = await startS3({ pageKeys: 5 });
  bucket = openS3Bucket({
    bucket: "site",
    prefix: "",
    endpoint: s3.url,
    credentials: { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey },
    policy: { attempts: 3, minDelayMs: 1, maxDelayMs: 2 },
  });
  rows = new Map();
  publications = {
    list: async () => [...rows.values()],
    save: async (_site, row) => void rows.set(row.path, row),
    remove: async (_site, path) => void rows.delete(path),
  };
  warnings = [];
  log = { ...SILENT, warn: (message) => warnings.push(message) };
});

afterEach(async () => {
  await bucket.close();
  await s3.close();
});

function file(path: string, text: string, more: Partial<SiteFile> = {}): SiteFile {
  const body = Buffer.from(text);
  return {
    path,
    contentType: TYPES[path.split(".").at(-1) ?? ""] ?? "text/plain; charset=utf-8",
    cacheControl: path.startsWith("assets/") ? IMMUTABLE : PAGE,
    digest: digestOf(body),
    bytes: body.length,
    scope: /HTA\d+/.exec(path)?.[0] ?? null,
    read: async () => body,
    ...more,
  };
}

/** A site of two atlases, its index first: the publisher has to find the order itself. */
function siteOf(text: string): SiteFile[] {
  return [
    "index.html",
    "runs.html",
    "404.html",
    "HTA1.html",
    "HTA2.html",
    "data/index.json",
    "data/HTA1.json",
    "data/HTA2.json",
    "assets/site.abc123.css",
  ].map((path) => file(path, `${path} ${text}`));
}

interface Asked {
  readonly owner?: string;
  readonly keep?: readonly string[];
  readonly signal?: AbortSignal;
  readonly to?: Bucket;
  readonly store?: PublicationStore;
  readonly onProgress?: (done: number, total: number) => void;
}

function publish(files: readonly SiteFile[], asked: Asked = {}): Promise<PublishResult> {
  const { keep = [], signal = new AbortController().signal, onProgress = () => {} } = asked;
  const publisher = makePublisher({
    bucket: asked.to ?? bucket,
    publications: asked.store ?? publications,
    log,
    policy: { attempts: 3, minDelayMs: 1, maxDelayMs: 2 },
  });
  return publisher.publish(files, {
    owner: asked.owner ?? "htan",
    keepScopes: keep,
    signal,
    onProgress,
  });
}

/** The texts of the site as readers get them, by path. */
function live(): Record<string, string> {
  return Object.fromEntries(
    [...s3.objects("site")].map(([key, object]) => [key, object.read().toString()]),
  );
}

function textsOf(files: readonly SiteFile[], text: string): Record<string, string> {
  return Object.fromEntries(files.map(({ path }) => [path, `${path} ${text}`]));
}

function putPaths(): readonly string[] {
  return s3.puts.map(({ key }) => key);
}

describe("makePublisher(options).publish(files, options)", () => {
  test("puts a whole site, assets first and the index last", async () => {
    const progress: string[] = [];
    const files = siteOf("1");
    const result = await publish(files, {
      onProgress: (done, total) => progress.push(`${done}/${total}`),
    });
    expect(result).toEqual({
      put: 9,
      unchanged: 0,
      deleted: 0,
      kept: 0,
      putBytes: files.reduce((sum, { bytes }) => sum + bytes, 0),
      putPaths: files.map(({ path }) => path).sort(),
      deletedPaths: [],
      goneScopes: [],
    });
    const order = putPaths();
    expect([order[0], order.slice(1, 6).sort(), order.slice(6, 8).sort(), order[8]]).toEqual([
      "assets/site.abc123.css",
      ["404.html", "HTA1.html", "HTA2.html", "data/HTA1.json", "data/HTA2.json"],
      ["data/index.json", "runs.html"],
      "index.html",
    ]);
    expect(progress).toEqual(Array.from({ length: 10 }, (_, done) => `${done}/9`));
    expect([...rows.keys()].sort()).toEqual(result.putPaths);
    expect(live()).toEqual(textsOf(files, "1"));
  });

  test("serves every file with its type and cache header", async () => {
    await publish(siteOf("1"));
    const heads = await Promise.all(
      ["/", "/HTA1.html", "/data/HTA1.json", "/assets/site.abc123.css", "/none"].map(
        async (path) => {
          const response = await fetch(s3.websiteUrl + path);
          const { headers } = response;
          return [path, response.status, headers.get("content-type"), headers.get("cache-control")];
        },
      ),
    );
    expect(heads).toEqual([
      ["/", 200, TYPES["html"], PAGE],
      ["/HTA1.html", 200, TYPES["html"], PAGE],
      ["/data/HTA1.json", 200, TYPES["json"], PAGE],
      ["/assets/site.abc123.css", 200, TYPES["css"], IMMUTABLE],
      ["/none", 404, TYPES["html"], PAGE],
    ]);
  });

  test("puts nothing when nothing changed, and reads no file for it", async () => {
    await publish(siteOf("1"));
    s3.puts.length = 0;
    s3.requests.length = 0;
    const unreadable = siteOf("1").map((one) => ({
      ...one,
      read: () => Promise.reject(new Error("was read")),
    }));
    const result = await publish(unreadable);
    expect([result.put, result.unchanged, result.deleted]).toEqual([0, 9, 0]);
    expect(s3.requests.map(({ operation }) => operation)).toEqual([
      "ListObjectsV2",
      "ListObjectsV2",
    ]);
  });

  test("puts only what changed", async () => {
    await publish(siteOf("1"));
    s3.puts.length = 0;
    const files = siteOf("1").map((one) =>
      one.path === "HTA2.html" ? file("HTA2.html", "new") : one,
    );
    expect((await publish(files)).putPaths).toEqual(["HTA2.html"]);
    expect([putPaths(), live()["HTA2.html"]]).toEqual([["HTA2.html"], "new"]);
  });

  test("puts again what someone changed or removed", async () => {
    await publish(siteOf("1"));
    s3.setObject("site", "HTA1.html", "defaced");
    s3.removeObject("site", "data/HTA1.json");
    expect((await publish(siteOf("1"))).putPaths).toEqual(["HTA1.html", "data/HTA1.json"]);
    expect(live()).toEqual(textsOf(siteOf("1"), "1"));
  });

  test("puts again what only its headers changed", async () => {
    await publish(siteOf("1"));
    const files = siteOf("1").map((one) => {
      if (one.path === "HTA1.html") return { ...one, contentType: "text/html" };
      return one.path === "HTA2.html" ? { ...one, cacheControl: "max-age=60" } : one;
    });
    expect((await publish(files)).putPaths).toEqual(["HTA1.html", "HTA2.html"]);
    const { headers } = await fetch(`${s3.websiteUrl}/HTA2.html`);
    expect(headers.get("cache-control")).toBe("max-age=60");
    expect((await publish(files)).put).toBe(0);
  });

  test("tells a scope that is gone from one that has fewer files, or is another's now", async () => {
    await publish(siteOf("1"));
    const fewer = siteOf("1").flatMap((one) => {
      if (one.path === "data/HTA1.json") return [];
      return one.scope === "HTA2" ? [{ ...one, scope: "HTA1" }] : [one];
    });
    const result = await publish(fewer);
    expect([result.deletedPaths, result.goneScopes]).toEqual([["data/HTA1.json"], []]);
    expect((await publish([])).goneScopes).toEqual(["HTA1"]);
  });

  test("deletes what the site no longer has, after the index", async () => {
    await publish(siteOf("1"));
    s3.requests.length = 0;
    const result = await publish(siteOf("2").filter(({ path }) => !path.includes("HTA2")));
    expect([result.deleted, result.deletedPaths]).toEqual([2, ["HTA2.html", "data/HTA2.json"]]);
    expect(result.goneScopes).toEqual(["HTA2"]);
    expect(s3.requests.slice(-2).map(({ operation, key }) => [operation, key])).toEqual([
      ["PutObject", "index.html"],
      ["DeleteObjects", ""],
    ]);
    expect([
      Object.keys(live()).some((path) => path.includes("HTA2")),
      rows.has("HTA2.html"),
    ]).toEqual([false, false]);
  });

  test("touches no object that it did not put, except one in its way", async () => {
    const foreign = {
      "readme.txt": "foreign",
      "data/other.json": "foreign",
      "HTA9.html": "foreign",
    };
    for (const [key, text] of Object.entries(foreign)) s3.setObject("site", key, text);
    s3.setObject("site", "HTA1.html", "in the way");
    await publish(siteOf("1"));
    const result = await publish([file("index.html", "index.html 2")]);
    expect(result.deleted).toBe(8);
    expect(live()).toEqual({ ...foreign, "index.html": "index.html 2" });
  });

  test("leaves the files of kept scopes, and the assets that they may load", async () => {
    await publish(siteOf("1"));
    const next = siteOf("2")
      .filter(({ path }) => !path.includes("HTA2") && !path.startsWith("assets/"))
      .concat(file("assets/site.def456.css", "assets/site.def456.css 2"));
    const result = await publish(next, { keep: ["HTA2"] });
    expect([result.kept, result.deleted]).toEqual([3, 0]);
    const kept = siteOf("1").filter(
      ({ path }) => path.includes("HTA2") || path.startsWith("assets/"),
    );
    expect(live()).toEqual({ ...textsOf(kept, "1"), ...textsOf(next, "2") });
    const last = await publish(next, { keep: ["HTA1"] });
    expect(last.deletedPaths).toEqual(["HTA2.html", "assets/site.abc123.css", "data/HTA2.json"]);
    expect(last.kept).toBe(0);
  });

  test("warns of files of kept scopes that went missing", async () => {
    await publish(siteOf("1"));
    s3.removeObject("site", "HTA2.html");
    await publish(
      siteOf("1").filter(({ path }) => !path.includes("HTA2")),
      { keep: ["HTA2"] },
    );
    expect(warnings).toEqual([
      "s3://site: 1 file of what this run does not update, e.g. HTA2.html, went missing",
    ]);
  });

  test("remembers a file's new scope without putting it again", async () => {
    await publish([file("figure.svg", "<svg/>", { scope: "HTA1" })]);
    const result = await publish([file("figure.svg", "<svg/>", { scope: "HTA2" })]);
    expect([result.put, rows.get("figure.svg")?.scope]).toEqual([0, "HTA2"]);
    expect((await publish([], { keep: ["HTA2"] })).kept).toBe(1);
  });

  test.each([
    { status: 403, code: "AccessDenied" },
    { status: 503, code: "SlowDown", times: 1000 },
    { hangUp: "before" as const, times: 1000 },
  ])(
    "leaves the old index when the 7th put fails with %j, and finishes next time",
    async (fault) => {
      await publish(siteOf("1"));
      const files = siteOf("2");
      s3.puts.length = 0;
      s3.setFaults({ nthPut: 7, ...fault });
      const error = await refusal(publish(files));
      expect(error.message).toMatch(/^put \S+ to s3:\/\/site: /);
      s3.setFaults(null);
      const done = putPaths();
      // The first put of a stage that fails ends it: what is on its way then still arrives.
      expect(done.length).toBeGreaterThanOrEqual(6);
      expect([done.includes("index.html"), live()["index.html"]]).toEqual([false, "index.html 1"]);
      expect(Object.keys(live()).sort()).toEqual(files.map(({ path }) => path).sort());
      s3.puts.length = 0;
      const result = await publish(files);
      expect([result.put, result.unchanged]).toEqual([9 - done.length, done.length]);
      expect(putPaths().at(-1)).toBe("index.html");
      expect(live()).toEqual(textsOf(files, "2"));
    },
  );

  test("begins no other put after a failure", async () => {
    const files = Array.from({ length: 60 }, (_, index) => file(`p${index}.html`, "x"));
    s3.setFaults(({ operation }) => (operation === "PutObject" ? { status: 403 } : null));
    await refusal(publish(files));
    expect(
      s3.requests.filter(({ operation }) => operation === "PutObject").length,
    ).toBeLessThanOrEqual(6);
  });

  test("puts at most six files at a time", async () => {
    let now = 0;
    let most = 0;
    const slow: Bucket = {
      ...bucket,
      async put(...args) {
        most = Math.max(most, ++now);
        const etag = await bucket.put(...args);
        now -= 1;
        return etag;
      },
    };
    await publish(
      Array.from({ length: 40 }, (_, index) => file(`p${index}.html`, "x")),
      { to: slow },
    );
    expect(most).toBe(6);
  });

  test("puts again what was put but not remembered", async () => {
    let saves = 0;
    const broken: PublicationStore = {
      ...publications,
      save: async (...args) => {
        saves += 1;
        if (saves > 4) throw new HdashError("transient", "the database is gone");
        await publications.save(...args);
      },
    };
    expect((await refusal(publish(siteOf("1"), { store: broken }))).message).toBe(
      "the database is gone",
    );
    const remembered = [...rows.values()].filter(({ etag }) => etag !== "").length;
    const result = await publish(siteOf("1"));
    expect([result.put, live()]).toEqual([9 - remembered, textsOf(siteOf("1"), "1")]);
  });

  test("knows, and deletes, what was put just before it could not be remembered", async () => {
    const broken: PublicationStore = {
      ...publications,
      save: async (site, row) => {
        if (row.etag !== "") throw new HdashError("permanent", "killed");
        await publications.save(site, row);
      },
    };
    const files = [file("HTA7.html", "HTA7.html 1")];
    expect((await refusal(publish(files, { store: broken }))).message).toBe("killed");
    expect(Object.keys(live())).toEqual(["HTA7.html"]);
    const result = await publish(siteOf("1"));
    expect([result.deletedPaths, result.goneScopes]).toEqual([["HTA7.html"], []]);
    expect(live()).toEqual(textsOf(siteOf("1"), "1"));
  });

  test("claims nothing of others' that is in the way before it is replaced", async () => {
    s3.setObject("site", "HTA1.html", "in the way");
    s3.setFaults(({ operation }) => (operation === "PutObject" ? { status: 403 } : null));
    await refusal(publish([file("HTA1.html", "ours")]));
    s3.setFaults(null);
    await publish([file("index.html", "index.html 1")]);
    expect(live()).toEqual({ "HTA1.html": "in the way", "index.html": "index.html 1" });
  });

  test("goes on when the ledger does not answer for a moment", async () => {
    const failures = new Map<string, number>();
    const blip = (what: string): void => {
      const times = (failures.get(what) ?? 0) + 1;
      failures.set(what, times);
      if (times <= 2) throw new HdashError("transient", "the database restarts");
    };
    const flaky: PublicationStore = {
      list: async (...args) => (blip("list"), publications.list(...args)),
      save: async (...args) => (blip(`save ${args[1].path}`), publications.save(...args)),
      remove: async (...args) => (blip("remove"), publications.remove(...args)),
    };
    await publish(siteOf("1"), { store: flaky });
    failures.clear();
    const fewer = siteOf("2").filter(({ path }) => !path.includes("HTA2"));
    expect((await publish(fewer, { store: flaky })).deleted).toBe(2);
    expect(live()).toEqual(textsOf(fewer, "2"));
    expect([...rows.keys()].sort()).toEqual(fewer.map(({ path }) => path).sort());
    expect(warnings[0]).toBe("reading what is on s3://site: the database restarts; trying again");
  });

  test("leaves alone what another pipeline has published on the same site", async () => {
    await publish(siteOf("1"));
    const other = [file("other/index.html", "other/index.html 1", { scope: null })];
    const first = await publish(other, { owner: "survey" });
    expect([first.put, first.deleted, first.kept]).toEqual([1, 0, 0]);
    const again = await publish(siteOf("2"));
    expect([again.put, again.deleted, again.kept]).toEqual([9, 0, 0]);
    expect(live()).toEqual({ ...textsOf(siteOf("2"), "2"), ...textsOf(other, "1") });
    s3.removeObject("site", "other/index.html");
    await publish(siteOf("2"));
    expect(warnings).toEqual([]);
    expect((await publish([], { owner: "survey" })).deletedPaths).toEqual(["other/index.html"]);
    expect(live()).toEqual(textsOf(siteOf("2"), "2"));
  });

  test("refuses a path that another pipeline has published, before anything is put", async () => {
    await publish(siteOf("1"));
    const files = [file("new.html", "new"), file("index.html", "mine")];
    const error = await refusal(publish(files, { owner: "survey" }));
    expect([error.kind, error.message, error.hint]).toEqual([
      "permanent",
      "survey cannot publish index.html on s3://site: it belongs to htan",
      "Publish one of them elsewhere: give it a bucket, a prefix or a folder of its own.",
    ]);
    expect(live()).toEqual(textsOf(siteOf("1"), "1"));
  });

  test("deletes next time what could not be deleted", async () => {
    await publish(siteOf("1"));
    s3.setFaults(({ operation }) => (operation === "DeleteObjects" ? { status: 403 } : null));
    const fewer = siteOf("1").filter(({ path }) => !path.includes("HTA2"));
    expect((await refusal(publish(fewer))).message).toMatch(
      /^delete 2 objects from s3:\/\/site: AccessDenied/,
    );
    s3.setFaults(null);
    expect((await publish(fewer)).deletedPaths).toEqual(["HTA2.html", "data/HTA2.json"]);
    expect(live()).toEqual(textsOf(fewer, "1"));
  });

  test("refuses two files of the same path, before anything is put", async () => {
    const error = await refusal(publish([...siteOf("1"), file("HTA1.html", "again")]));
    expect([error.kind, error.message, s3.requests]).toEqual([
      "permanent",
      "two files are to be published as HTA1.html: this is a mistake in the pipeline",
      [],
    ]);
  });

  test("refuses a path that leaves the site", async () => {
    expect((await refusal(publish([file("../out.html", "x")]))).message).toMatch(
      /cannot name an object/,
    );
    expect(s3.puts).toEqual([]);
  });

  test("stops between files when it is told to, and goes on next time", async () => {
    const stop = new AbortController();
    const files = siteOf("1");
    const onProgress = (done: number): void => {
      if (done === 1) stop.abort("stop");
    };
    expect((await refusal(publish(files, { signal: stop.signal, onProgress }))).kind).toBe(
      "aborted",
    );
    expect(live()).toEqual({ "assets/site.abc123.css": "assets/site.abc123.css 1" });
    expect((await publish(files)).put).toBe(8);
  });

  test("does the same with a folder", async () => {
    const dir = await mkdtemp(join(tmpdir(), "hdash-publish-"));
    const to = openFolderBucket(dir);
    const texts = async (): Promise<Record<string, string>> => {
      const found: [string, string][] = [];
      for await (const { key } of to.list())
        found.push([key, Buffer.from((await to.get(key)) ?? []).toString()]);
      return Object.fromEntries(found);
    };
    try {
      expect(makePublisher({ bucket: to, publications, log }).site).toBe(to.uri);
      await publish(siteOf("1"), { to });
      expect(await texts()).toEqual(textsOf(siteOf("1"), "1"));
      expect((await publish(siteOf("1"), { to })).put).toBe(0);
      const fewer = siteOf("2").filter(({ path }) => !path.includes("HTA2"));
      const result = await publish(fewer, { to });
      expect([result.put, result.deleted, await texts()]).toEqual([7, 2, textsOf(fewer, "2")]);
    } finally {
      await rm(dir, { recursive: true, force: true });
    }
  });
});
