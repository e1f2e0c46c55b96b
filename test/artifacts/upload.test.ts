// What an upload does to a bucket, what can be fetched from it afterwards, and what cannot.

import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { readArtifactSet } from "../../src/artifacts/artifactSet.ts";
import { mapAtOnce } from "../../src/artifacts/atOnce.ts";
import type { Build } from "../../src/artifacts/build.ts";
import { fetchArtifacts } from "../../src/artifacts/fetch.ts";
import { SILENT } from "../../src/log.ts";
import type { S3Bucket } from "../../src/store/s3Bucket.ts";
import {
  AT,
  BUILD,
  LIST,
  LISTS,
  makeFolder,
  openAt,
  ROOT,
  stateOf,
  uploadTo,
  useWorkBucket,
} from "./rig.ts";

const MANIFEST = "foo/artifacts/artifacts.json";
const INDEX = "foo/artifacts/views/htan/index.hbs";

const own = await readArtifactSet(ROOT, null, LISTS);
const { s3, bucket, folder, inspect, download } = await useWorkBucket(own);

function putKeys(): readonly string[] {
  return s3.puts.splice(0).map(({ key }) => key);
}

describe("uploadArtifacts(options)", () => {
  test("puts every file, and the manifest last", async () => {
    putKeys();
    const done = await uploadTo(s3, "foo");
    const keys = putKeys();
    expect(done).toEqual({
      put: [...own.files.keys()],
      deleted: [],
      unchanged: 0,
      isChanged: true,
    });
    expect(keys.at(-1)).toBe(MANIFEST);
    expect([...keys].sort()).toEqual(
      [...own.files.keys(), "artifacts.json"].map((path) => `foo/artifacts/${path}`).sort(),
    );
    const manifest: unknown = JSON.parse(
      s3.objects("work").get(MANIFEST)?.read().toString("utf8") ?? "",
    );
    expect(manifest).toEqual({
      ...{ ...BUILD, uploadedAt: AT.toISOString() },
      files: [...own.files.values()].map(({ path, bytes, sha256 }) => ({
        ...{ path, bytes, sha256 },
        etag: s3.objects("work").get(`foo/artifacts/${path}`)?.etag,
      })),
    });
  });

  test("does nothing where nothing changed", async () => {
    await uploadTo(s3, "foo");
    putKeys();
    const done = await uploadTo(s3, "foo", { clock: () => new Date(0) });
    expect(done).toMatchObject({ put: [], deleted: [], isChanged: false });
    expect(done.unchanged).toBe(own.files.size);
    expect(putKeys()).toEqual([]);
  });

  test("puts what changed and deletes what is gone, then the manifest", async () => {
    await uploadTo(s3, "foo", { from: folder });
    putKeys();
    s3.requests.length = 0;
    const done = await uploadTo(s3, "foo");
    expect(done).toMatchObject({
      put: ["config/htan_projects.csv"],
      deleted: ["views/assets/größe + 1%2F2.css"],
    });
    const changes = s3.requests
      .filter(({ operation }) => /Put|Delete/.test(operation))
      .map(({ operation, key }) => `${operation} ${key}`.trim());
    expect(changes).toEqual([
      "PutObject foo/artifacts/config/htan_projects.csv",
      "DeleteObjects",
      `PutObject ${MANIFEST}`,
    ]);
    expect(await inspect()).toMatchObject({ verdict: { kind: "usable" }, isEqual: true });
  });

  test("puts back what somebody changed or removed behind its back", async () => {
    await uploadTo(s3, "foo");
    s3.setObject("work", INDEX, "changed");
    s3.removeObject("work", "foo/artifacts/views/htan/atlas.hbs");
    s3.setObject("work", "foo/artifacts/stray//odd.hbs", "stray");
    const done = await uploadTo(s3, "foo");
    expect(done).toMatchObject({
      put: ["views/htan/atlas.hbs", "views/htan/index.hbs"],
      deleted: ["stray//odd.hbs"],
    });
    expect(await inspect()).toMatchObject({ verdict: { kind: "usable" }, isEqual: true });
  });

  test.each([
    ["version", { ...BUILD, version: "1.1.0" }],
    ["commit", { ...BUILD, revision: "fedcba9876543210" }],
  ])("writes the manifest anew for another %s with the same files", async (_what, build) => {
    await uploadTo(s3, "foo");
    putKeys();
    expect(await uploadTo(s3, "foo", { build })).toMatchObject({ isChanged: true });
    expect(putKeys()).toEqual([MANIFEST]);
    expect(await uploadTo(s3, "foo", { build })).toMatchObject({ isChanged: false });
  });

  test("fails where another upload came in between, and is mended by the next", async () => {
    const real = openAt(s3, "work", "foo/artifacts/");
    const mixed: S3Bucket = {
      ...real,
      put: async (key, ...rest) => {
        // All files are put: now somebody else uploads, from the first file to the manifest.
        if (key === "artifacts.json") await uploadTo(s3, "foo", { from: folder });
        return real.put(key, ...rest);
      },
    };
    await expect(uploadTo(s3, "foo", { bucket: mixed })).rejects.toMatchObject({
      kind: "transient",
      message:
        "another upload to s3://work/foo/artifacts was under way: config/htan_projects.csv is not what artifacts.json says",
      hint: expect.stringContaining("Upload again") as string,
    });
    await uploadTo(s3, "foo");
    expect(await inspect()).toMatchObject({ verdict: { kind: "usable" }, isEqual: true });
    await real.close();
  });

  test("fails where another upload of another build replaced its manifest", async () => {
    const real = openAt(s3, "work", "foo/artifacts/");
    const overtaken: S3Bucket = {
      ...real,
      put: async (key, ...rest) => {
        const etag = await real.put(key, ...rest);
        const build = { ...BUILD, version: "1.1.0" };
        if (key === "artifacts.json") await uploadTo(s3, "foo", { build });
        return etag;
      },
    };
    await expect(uploadTo(s3, "foo", { bucket: overtaken })).rejects.toMatchObject({
      kind: "transient",
      message: expect.stringContaining("artifacts.json is not the one just put") as string,
    });
    await real.close();
  });

  test("says what it would do and does nothing when dry", async () => {
    await uploadTo(s3, "foo", { from: folder });
    const before = stateOf(s3, "work");
    const done = await uploadTo(s3, "foo", { isDry: true });
    expect(done).toMatchObject({
      put: ["config/htan_projects.csv"],
      deleted: ["views/assets/größe + 1%2F2.css"],
      isChanged: true,
    });
    expect(stateOf(s3, "work")).toEqual(before);
  });

  test("leaves other namespaces alone, byte for byte", async () => {
    for (const name of ["foo-bar", "fo", "foo2"]) await uploadTo(s3, name, { from: folder });
    s3.setObject("work", "foo", "a file of that name");
    const others = stateOf(s3, "work");
    await uploadTo(s3, "foo", { from: folder });
    await uploadTo(s3, "foo");
    const after = Object.entries(stateOf(s3, "work")).filter(([key]) => !key.startsWith("foo/"));
    expect(Object.fromEntries(after)).toEqual(others);
  });

  test("leaves no manifest of what is not there when it breaks in the middle", async () => {
    await uploadTo(s3, "foo", { from: folder });
    const manifest = stateOf(s3, "work")[MANIFEST];
    // The manifest would be taken.
    s3.setFaults(({ operation, key }) =>
      operation === "PutObject" && key !== MANIFEST ? { status: 403, code: "AccessDenied" } : null,
    );
    await expect(uploadTo(s3, "foo")).rejects.toMatchObject({
      kind: "permanent",
      hint: expect.stringContaining("s3:PutObject") as string,
    });
    expect(stateOf(s3, "work")[MANIFEST]).toBe(manifest);
  });
});

describe("downloadArtifacts(options)", () => {
  test("fetches every file as it was uploaded", async () => {
    await uploadTo(s3, "foo", { from: folder });
    const found = await download();
    if (found.kind !== "fetched") throw new Error(found.kind);
    const paths = (await readdir(found.dir, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name).slice(found.dir.length + 1));
    expect(paths.sort()).toEqual([...own.files.keys(), "views/assets/größe + 1%2F2.css"].sort());
    expect(await readFile(join(found.dir, "config/htan_projects.csv"), "utf8")).toBe(LIST);
    await rm(found.dir, { recursive: true });
  });

  test("finds none where there are none", async () => {
    await uploadTo(s3, "foo-bar");
    expect(await download()).toEqual({ kind: "none" });
  });

  test("does not even look at files of another version", async () => {
    await uploadTo(s3, "foo", { build: { ...BUILD, version: "2.0.0" } });
    s3.removeObject("work", INDEX);
    expect(await download()).toMatchObject({
      kind: "otherBuild",
      manifest: { version: "2.0.0" },
    });
  });

  test.each([
    ["another commit", "aaaa", "bbbb", "otherBuild"],
    ["the same commit", "aaaa", "aaaa", "fetched"],
    ["an uploader without git", null, "bbbb", "fetched"],
    ["a worker that knows no commit", "aaaa", null, "fetched"],
  ])("of %s: %j for %j is %s", async (_what, uploaded, running, kind) => {
    await uploadTo(s3, "foo", { build: { ...BUILD, revision: uploaded } });
    const found = await download({ ...BUILD, revision: running });
    expect(found.kind).toBe(kind);
    if (found.kind === "fetched") await rm(found.dir, { recursive: true });
  });

  test.each([
    [
      "a file was changed",
      () => s3.setObject("work", INDEX, "changed"),
      "views/htan/index.hbs is not",
    ],
    [
      "a file was changed and is as long as it was",
      () =>
        s3.setObject("work", INDEX, "x".repeat(own.files.get("views/htan/index.hbs")?.bytes ?? 0)),
      "views/htan/index.hbs is not",
    ],
    ["a file is missing", () => s3.removeObject("work", INDEX), "views/htan/index.hbs is missing"],
    ["a manifest is no manifest", () => s3.setObject("work", MANIFEST, "{}"), "cannot be read"],
    ["there is no manifest", () => s3.removeObject("work", MANIFEST), "artifacts.json is missing"],
  ])("is a transient error that says to upload again where %s", async (_what, damage, why) => {
    await uploadTo(s3, "foo");
    damage();
    await expect(download()).rejects.toMatchObject({
      kind: "transient",
      message: expect.stringContaining(why) as string,
      hint: expect.stringContaining("`hdash artifacts upload`") as string,
    });
  });

  test("waits for an upload that is under way", async () => {
    await uploadTo(s3, "foo", { from: folder });
    const stopped = stateOf(s3, "work")[MANIFEST];
    s3.setObject("work", "foo/artifacts/config/htan_projects.csv", "half-way");
    let looks = 0;
    s3.setFaults(({ operation, key }) => {
      // The second time that somebody looks, the upload has ended.
      if (operation === "GetObject" && key === MANIFEST && ++looks === 2) {
        s3.setObject("work", "foo/artifacts/config/htan_projects.csv", LIST);
      }
      return null;
    });
    expect(await download()).toMatchObject({ kind: "fetched" });
    expect([looks, stateOf(s3, "work")[MANIFEST]]).toEqual([2, stopped]);
  });

  test("passes on what the store refuses", async () => {
    await uploadTo(s3, "foo");
    s3.setFaults(() => ({ status: 403, code: "AccessDenied" }));
    await expect(download()).rejects.toMatchObject({ kind: "permanent" });
  });
});

describe("fetchArtifacts(options)", () => {
  async function fetching(build: Build): Promise<readonly [dir: string | null, log: string[]]> {
    const log: string[] = [];
    const say = (level: string) => (message: string) => void log.push(`${level}: ${message}`);
    const { dir } = await fetchArtifacts({
      ...{ bucket, namespace: "foo", build, makeFolder: () => makeFolder({}) },
      log: { debug: say("debug"), info: say("info"), warn: say("warn"), error: say("error") },
    });
    return [dir, log];
  }

  test("says in one line what is used", async () => {
    expect(await fetching(BUILD)).toEqual([
      null,
      [
        "info: foo has no artifacts in s3://work/foo/artifacts: hdash's own views and lists are used",
      ],
    ]);
    await uploadTo(s3, "foo");
    const [dir, log] = await fetching(BUILD);
    expect(await readdir(dir ?? "")).toEqual(["config", "views"]);
    expect(log).toEqual([
      `info: the artifacts of foo are used: ${own.files.size} files of hdash 1.0.0 (0123456789ab), uploaded 21 Nov 2026, 10:00 UTC`,
    ]);
  });

  test.each([
    ["version", { ...BUILD, version: "1.1.0" }, "1.1.0 (0123456789ab)"],
    ["commit", { ...BUILD, revision: "fedcba9876543210" }, "1.0.0 (fedcba987654)"],
  ])("warns of another %s, naming both, and uses hdash's own", async (_what, build, named) => {
    await uploadTo(s3, "foo");
    expect(await fetching(build)).toEqual([
      null,
      [
        `warn: the artifacts of foo in s3://work/foo/artifacts are of hdash 1.0.0 (0123456789ab), this is ${named}: its own views and lists are used; \`hdash artifacts upload\` replaces them`,
      ],
    ]);
  });
});

describe("a folder that cannot be written", () => {
  test("fails the fetch, naming it, and is removed", async () => {
    await uploadTo(s3, "foo");
    // A file lies where a folder has to be made.
    const dir = await makeFolder({ views: "a file" });
    const given = { bucket, namespace: "foo", build: BUILD, log: SILENT };
    await expect(fetchArtifacts({ ...given, makeFolder: async () => dir })).rejects.toMatchObject({
      kind: "permanent",
      message: expect.stringContaining(`no artifacts can be written to ${dir}: `) as string,
    });
    await expect(readdir(dir)).rejects.toMatchObject({ code: "ENOENT" });
  });
});

describe("mapAtOnce(items, work)", () => {
  test("begins nothing after one has failed", async () => {
    const begun: number[] = [];
    const gate = Promise.withResolvers<void>();
    const items = Array.from({ length: 40 }, (_, n) => n);
    const all = mapAtOnce(items, async (n) => {
      begun.push(n);
      if (n === 3) throw new Error("three");
      await gate.promise;
    });
    await expect(all).rejects.toThrow("three");
    gate.resolve();
    // What was under way ends, and would make room for others.
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun.length).toBeLessThan(12);
  });
});
