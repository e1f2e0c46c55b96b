// What commands open of the world: where blobs go, and which places are private.

import { randomBytes } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { type Effects, makeEffects } from "../src/effects.ts";
import { JOBS } from "../src/jobList.ts";
import { SILENT } from "../src/log.ts";
import { readConfig } from "../src/settings/config.ts";
import { createTestDatabase, databaseEnv, type TestDatabase } from "./support/postgres.ts";
import { refusal } from "./support/refusal.ts";
import { type S3Server, startS3 } from "./support/s3Server.ts";

let dir: string;
let s3: S3Server;
let database: TestDatabase;
const opened: Effects[] = [];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-effects-"));
  s3 = await startS3({ buckets: ["work", "site", "data"] });
  database = await createTestDatabase();
});
afterEach(async () => {
  for (const effects of opened.splice(0)) await effects.close();
  await database.drop();
  await s3.close();
  await rm(dir, { recursive: true, force: true });
});

function open(env: Readonly<Record<string, string>>): Effects {
  const all = {
    HDASH_HOME: join(dir, "home"),
    ...{ S3_ENDPOINT_URL: s3.url, S3_ACCESS_KEY_ID: s3.accessKeyId },
    ...{ S3_SECRET_ACCESS_KEY: s3.secretAccessKey, S3_BUCKET_NAME: "site" },
    ...env,
  };
  const effects = makeEffects(readConfig(all, ["database"], JOBS), SILENT);
  opened.push(effects);
  return effects;
}

describe("makeEffects(config, log).blobs()", () => {
  test.each([
    ["below the namespace", { NAMESPACE: "foo", HDASH_DB_SCHEMA: "hdash_foo" }, "foo/blobs/"],
    ["below the schema, where there is no namespace", { HDASH_DB_SCHEMA: "own" }, "_/own/blobs/"],
  ])("puts large ones %s in the work bucket", async (_where, env, prefix) => {
    const effects = open({
      ...databaseEnv(database.settings),
      ...{ HDASH_WORK_BUCKET: "work", ...env },
    });
    const blobs = await effects.blobs();
    const bytes = randomBytes(1024 * 1024 + 1);
    const { digest } = await blobs.put(bytes);
    expect([...s3.objects("work").keys()]).toEqual([`${prefix}${digest.slice(0, 2)}/${digest}`]);
    expect(Buffer.compare(await blobs.read(digest), bytes)).toBe(0);
  });

  test("uses no bucket without one, nor beside the embedded database", async () => {
    for (const env of [databaseEnv(database.settings), { HDASH_WORK_BUCKET: "work" }]) {
      await (await open(env).blobs()).put(randomBytes(1024 * 1024 + 1));
    }
    expect(s3.requests).toEqual([]);
  });
});

describe("makeEffects(config, log).privatePlace(location, owner)", () => {
  const never = new AbortController().signal;

  test("opens a prefix of a bucket or a folder of its own", async () => {
    const effects = open(databaseEnv(database.settings));
    const variable = "TIDE_PLACE";
    const places = [
      await effects.privatePlace({ kind: "s3", bucket: "data", prefix: "set", variable }, "tide"),
      await effects.privatePlace({ kind: "folder", dir: join(dir, "data"), variable }, "tide"),
    ];
    for (const { visibility, publisher, writer } of places) {
      const how = { contentType: "text/csv", scope: null };
      await writer.put("a.csv", { bytes: Buffer.from("a") }, how, never);
      expect([visibility, writer.uri]).toEqual(["private", publisher.site]);
      expect((await writer.recorded(never)).map(({ path, owner }) => [path, owner])).toEqual([
        ["a.csv", "tide"],
      ]);
    }
    expect([...s3.objects("data").keys()]).toEqual(["set/a.csv"]);
  });

  test("refuses what is, or may be, a part of the site", async () => {
    const effects = open(databaseEnv(database.settings));
    const variable = "TIDE_PLACE";
    const asked = { kind: "s3", bucket: "site", prefix: "private", variable } as const;
    const { kind, message, hint } = await refusal(effects.privatePlace(asked, "tide"));
    expect([kind, message, hint]).toEqual([
      "config",
      "TIDE_PLACE: s3://site is where the site is, which everybody may read",
      "Set TIDE_PLACE to a bucket of its own.",
    ]);
    const site = join(dir, "site");
    const local = open({
      ...databaseEnv(database.settings),
      ...{ HDASH_WORK_BUCKET: "work", S3_BUCKET_NAME: "", HDASH_SITE_DIR: site },
    });
    for (const folder of [site, join(site, "data"), dir]) {
      const place = local.privatePlace({ kind: "folder", dir: folder, variable }, "tide");
      expect((await refusal(place)).kind).toBe("config");
    }
    await local.privatePlace({ kind: "folder", dir: `${site}-data`, variable }, "tide");
  });
});
