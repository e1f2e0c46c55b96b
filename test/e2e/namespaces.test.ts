// Two deployments side by side in one account, as people and CI handle them: artifacts up, runs, and one of the two away again.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { makeFolder, ROOT, stateOf } from "../artifacts/rig.ts";
import { type Ended, hdash, hdashUtil } from "../support/command.ts";
import { type S3Server, startS3 } from "../support/s3Server.ts";
import { type Services, startServices } from "../support/services.ts";

let services: Services;
let s3: S3Server;
let folder = "";
/** What `hdash artifacts` needs and nothing else. */
let keys: Readonly<Record<string, string>>;

beforeAll(async () => {
  services = await startServices();
  s3 = await startS3({ buckets: ["site", "work"] });
  keys = {
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    S3_ENDPOINT_URL: s3.url,
    HDASH_WORK_BUCKET: "work",
  };
  const list = await readFile(join(services.world, "atlases.csv"), "utf8");
  const index = await readFile(join(ROOT, "views/index.hbs"), "utf8");
  folder = await makeFolder({
    "config/htan_projects.csv": list.replace("Synthetic Atlas 1", "Renamed Atlas 1"),
    "views/index.hbs": index.replace("<h1>", "<h1>From artifacts: "),
  });
}, 60_000);

afterAll(async () => {
  await services.close();
  await s3.close();
});

/** The environment of a namespace's task, as the stack makes it. */
function environmentOf(namespace: string): Readonly<Record<string, string>> {
  return {
    ...services.env,
    ...keys,
    NAMESPACE: namespace,
    HDASH_LABEL: namespace,
    HDASH_DB_SCHEMA: `hdash_${namespace.replaceAll("-", "_")}`,
    S3_BUCKET_NAME: "site",
    S3_PREFIX: namespace,
    S3_WEB_SITE_URL: `${s3.websiteUrl}/${namespace}/`,
    HDASH_HOME: join(services.env["HDASH_HOME"] ?? "", namespace),
  };
}

function artifacts(...args: readonly string[]): Promise<Ended> {
  return hdash(["artifacts", ...args], keys);
}

function page(key: string): string {
  return s3.objects("site").get(key)?.read().toString("utf8") ?? "";
}

/** Everything that a namespace has: objects of both buckets by etag, and rows of every table. */
async function belongingsOf(namespace: string): Promise<unknown> {
  const mine = (bucket: string) =>
    Object.entries(stateOf(s3, bucket)).filter(([key]) => key.startsWith(`${namespace}/`));
  const schema = `hdash_${namespace.replaceAll("-", "_")}`;
  const { db } = services.database.database;
  const tables = await sql<{ name: string }>`
    select tablename as name from pg_tables where schemaname = ${schema} order by 1`.execute(db);
  const rows: Record<string, unknown> = {};
  for (const { name } of tables.rows) {
    const found = await sql<{ digest: string | null }>`
      select md5(string_agg(t::text, '|' order by t::text)) as digest
      from ${sql.id(schema, name)} t`.execute(db);
    rows[name] = found.rows[0]?.digest;
  }
  return { work: mine("work"), site: mine("site"), rows };
}

describe("hdash artifacts", () => {
  test("needs to be told which namespace, and never guesses", async () => {
    for (const name of ["upload", "list", "remove"]) {
      const ended = await artifacts(name);
      expect(ended.code).toBe(2);
      expect(ended.stderr).toMatch(/no namespace is named\nSay which: --namespace NAME/);
    }
  });

  test.each([
    [["upload", "--namespace", "foo/bar"], /"foo\/bar" cannot be a namespace[\s\S]*foo-bar-/],
    [["remove", "--namespace", "", "--yes"], /"" cannot be a namespace/],
    [["remove", "--namespace", "main", "--yes"], /main is production: nothing removes it/],
    [["remove", "--namespace", "foo"], /no terminal to ask on\nSay --yes/],
    [["upload", "--namespace", "foo", "--from", "/no/such"], /\/no\/such holds no artifacts/],
  ])("refuses %j", async (args, expected) => {
    const before = [stateOf(s3, "work"), stateOf(s3, "site")];
    const ended = await artifacts(...args);
    expect(ended.code, ended.stderr).toBe(2);
    expect(ended.stderr).toMatch(expected);
    expect([stateOf(s3, "work"), stateOf(s3, "site")]).toEqual(before);
  });

  test("refuses to remove production by the variable too, whatever else is set", async () => {
    const ended = await hdash(["artifacts", "remove", "--yes"], { NAMESPACE: "main" });
    expect([ended.code, ended.stderr.split("\n")[0]]).toEqual([
      2,
      "hdash: main is production: nothing removes it",
    ]);
  });

  test("says which variable names a bucket that is not there", async () => {
    const ended = await hdash(["artifacts", "list", "--namespace", "foo"], {
      ...keys,
      HDASH_WORK_BUCKET: "nowhere",
    });
    expect(ended.code).toBe(1);
    expect(ended.stderr).toContain("or correct HDASH_WORK_BUCKET");
  });

  test("says what it would do, does it, and says that nothing is left to do", async () => {
    const dry = await artifacts("upload", "--namespace", "foo", "--dry-run");
    expect(dry.code, dry.stderr).toBe(0);
    expect(dry.stdout).toMatch(/would put {5}views\/index\.hbs \(\d/);
    expect(dry.stdout).toMatch(/was left as it is; without --dry-run: \d+ put, 0 deleted, 0 unch/);
    expect(stateOf(s3, "work")).toEqual({});
    const first = await artifacts("upload", "--namespace", "foo");
    expect(first.stdout).toMatch(
      /s3:\/\/work\/foo\/artifacts: \d+ put, 0 deleted, 0 unchanged; of/,
    );
    const again = await artifacts("upload", "--namespace", "foo");
    expect(again.stdout).toMatch(
      /^s3:\/\/work\/foo\/artifacts: 0 put, 0 deleted, \d+ unchanged; nothing to do\n$/,
    );
  });

  test("lists what is there, for people and for programs", async () => {
    const none = await artifacts("list", "--namespace", "foo-bar");
    expect(none.stdout).toMatch(/^s3:\/\/work\/foo-bar\/artifacts is empty; `hdash artifacts upl/);
    const equal = await artifacts("list", "--namespace", "foo");
    expect(equal.stdout).toMatch(/same +[\d.]+ k?B {2}config\/htan_projects\.csv\n/);
    expect(equal.stdout).toMatch(/uploaded .* UTC; the same as this checkout's\n$/);
    s3.setObject("work", "foo/artifacts/views/index.hbs", "changed");
    const damaged = await artifacts("list", "--namespace", "foo");
    expect([none.code, equal.code, damaged.code]).toEqual([0, 0, 1]);
    expect(damaged.stdout).toMatch(/damaged +7 B {2}views\/index\.hbs\n/);
    expect(damaged.stdout).toMatch(/not whole: runs fail until they are uploaded again\n$/);
    const json = await artifacts("list", "--namespace", "foo", "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({
      ...{ namespace: "foo", uri: "s3://work/foo/artifacts", version: "0.1.0" },
      ...{ isWhole: false, isEqual: false },
      files: expect.arrayContaining([
        { path: "views/index.hbs", bytes: 7, state: "damaged" },
      ]) as unknown,
    });
  });
});

describe("two namespaces side by side", () => {
  test("a damaged set fails the run before anything is published, and says what to do", async () => {
    const ended = await hdash(["run", "htan", "--log-format", "json"], environmentOf("foo"));
    expect(ended.code, ended.stderr).toBe(1);
    expect(ended.stderr).toContain("views/index.hbs is not what artifacts.json says");
    expect(ended.stderr).toContain('"event":"runEnded","pipeline":"htan","status":"failed"');
    expect(JSON.stringify(services.slack.messages.at(-1))).toContain("hdash artifacts upload");
    expect(stateOf(s3, "site")).toEqual({});
    const doctor = await hdash(["doctor"], environmentOf("foo"));
    expect(doctor.stdout).toMatch(
      /BAD +Artifacts .*not whole: runs fail\n.*hdash artifacts upload/,
    );
  }, 60_000);

  test("a run uses the artifacts of its namespace: their list and their templates", async () => {
    const up = await artifacts("upload", "--namespace", "foo", "--from", folder);
    expect(up.stdout).toMatch(/: 2 put, 0 deleted, \d+ unchanged; of hdash 0\.1\.0/);
    const ended = await hdash([], environmentOf("foo"));
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(/the artifacts of foo are used: \d+ files of hdash 0\.1\.0/);
    expect(page("foo/index.html")).toContain("<h1>From artifacts: ");
    expect(page("foo/index.html")).toContain("Renamed Atlas 1");
    const scratch = await readdir(join(environmentOf("foo")["HDASH_HOME"] ?? "", "scratch"));
    expect(scratch.filter((name) => name.startsWith("artifacts"))).toEqual([]);
    const doctor = await hdash(["doctor"], environmentOf("foo"));
    expect(doctor.stdout).toMatch(/ok +Artifacts .*\/foo\/artifacts can be read: \d+ files of hda/);
  }, 60_000);

  test("the other one uses its own, with its own prefix, schema and label, and changes nothing", async () => {
    const foo = await belongingsOf("foo");
    const env = environmentOf("foo-bar");
    const init = await hdashUtil(["init", "--file", join(services.world, "atlases.csv")], env);
    expect(init.code, init.stderr).toBe(0);
    const ended = await hdash([], env);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toContain("foo-bar has no artifacts in s3://work/foo-bar/artifacts");
    expect(page("foo-bar/index.html")).not.toContain("From artifacts");
    expect(page("foo-bar/index.html")).toContain("Synthetic Atlas 1");
    expect(JSON.stringify(services.slack.messages.at(-1))).toContain("foo-bar");
    expect(await belongingsOf("foo")).toEqual(foo);
  }, 60_000);

  test("init takes the list of the artifacts where no file is named", async () => {
    const ended = await hdashUtil(["init"], environmentOf("foo"));
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toMatch(
      /^3 atlases registered from config\/htan_projects\.csv of the artifacts: 0 added, 0 changed, 3/,
    );
  });

  test("artifacts of another version are not used, and the log names both", async () => {
    const key = "foo/artifacts/artifacts.json";
    const text = s3.objects("work").get(key)?.read().toString("utf8") ?? "";
    s3.setObject("work", key, text.replace('"version": "0.1.0"', '"version": "9.9.9"'));
    const ended = await hdash(["run", "htan"], environmentOf("foo"));
    s3.setObject("work", key, text);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(
      /warning: the artifacts of foo .* of hdash 9\.9\.9, this is 0\.1\.0/,
    );
    expect(page("foo/index.html")).not.toContain("From artifacts");
  }, 60_000);

  test("one is removed whole, and the other is as it was byte for byte", async () => {
    await artifacts("upload", "--namespace", "foo-bar");
    const other = await belongingsOf("foo-bar");
    const env = environmentOf("foo");
    for (const [change, expected] of [
      [{ NAMESPACE: "main", HDASH_DB_SCHEMA: "hdash_main" }, /hdash_main is production's schema/],
      [{ HDASH_DB_SCHEMA: "hdash_main" }, /hdash_main is production's schema/],
      [
        { HDASH_DB_SCHEMA: "hdash_foo_bar" },
        /hdash_foo_bar is not the schema of the namespace foo/,
      ],
      [{ NAMESPACE: "" }, /hdash_foo is not dropped, since NAMESPACE does not say whose it is/],
      [{ HDASH_DB_HOST: "", HDASH_DB_USER: "", HDASH_DB_PASSWORD: "", HDASH_DB_NAME: "" }, /embed/],
    ] as const) {
      const refused = await hdashUtil(["reset", "--drop", "--yes"], { ...env, ...change });
      expect(refused.code).toBe(2);
      expect(refused.stderr).toMatch(expected);
    }
    const asked = await hdashUtil(["reset", "--drop"], env);
    expect([asked.code, asked.stderr]).toEqual([2, expect.stringContaining("--yes")]);
    const dropped = await hdashUtil(["reset", "--drop", "--yes"], env);
    expect(dropped.code, dropped.stderr).toBe(0);
    expect(dropped.stdout).toMatch(
      /schema hdash_foo, as .*: the schema was dropped with \d+ tables/,
    );
    const again = await hdashUtil(["reset", "--drop", "--yes"], env);
    expect([again.code, again.stdout]).toEqual([
      0,
      "there is no schema hdash_foo; nothing was dropped\n",
    ]);

    // A folder below the home takes the place of the bucket that is not named.
    const half = await hdash(["artifacts", "remove", "--namespace", "nobody", "--yes"], {
      ...env,
      S3_BUCKET_NAME: "",
      S3_PREFIX: "",
    });
    expect(half.stdout).toContain(
      "the site's bucket is not looked at: S3_BUCKET_NAME is not set\n",
    );
    const removed = await hdash(["artifacts", "remove", "--yes"], env);
    expect(removed.code, removed.stderr).toBe(0);
    expect(removed.stdout).toMatch(
      /^s3:\/\/work\/foo\/ {2}\d+ objects, .*\ns3:\/\/site\/foo\/ {2}\d+ objects, .*\ns3:\/\/work\/foo\/ {2}\d+ objects deleted\ns3:\/\/site\/foo\/ {2}\d+ objects deleted\n$/,
    );
    expect(await belongingsOf("foo")).toEqual({ work: [], site: [], rows: {} });
    expect(await belongingsOf("foo-bar")).toEqual(other);
    const nothing = await hdash(["artifacts", "remove", "--yes"], env);
    expect([nothing.code, nothing.stdout]).toEqual([
      0,
      "foo has nothing in s3://work/foo and s3://site/foo\n",
    ]);
  }, 60_000);
});
