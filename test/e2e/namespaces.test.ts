// Two deployments side by side in one account, as people and CI handle them: artifacts up, runs, and one of the two away again.

import { readdir, readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { checkoutRevision } from "../../src/artifacts/build.ts";
import { makeFolder, ROOT, stateOf } from "../artifacts/rig.ts";
import { type Ended, hdash, hdashUtil, start } from "../support/command.ts";
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
  const index = await readFile(join(ROOT, "views/htan/index.hbs"), "utf8");
  folder = await makeFolder({
    "config/htan_projects.csv": list.replace("Synthetic Atlas 1", "Renamed Atlas 1"),
    "views/htan/index.hbs": index.replace("<h1>", "<h1>From artifacts: "),
  });
});

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

function s3Text(key: string): string {
  return s3.objects("work").get(key)?.read().toString("utf8") ?? "";
}

/** Makes the artifacts of a namespace those of another version. */
function becomeVersion(namespace: string, version: string): void {
  const key = `${namespace}/artifacts/artifacts.json`;
  const was = '"version": "0.1.0"';
  expect(s3Text(key)).toContain(was);
  s3.setObject("work", key, s3Text(key).replace(was, `"version": "${version}"`));
}

/** Everything that a namespace has: objects of both buckets by etag, and rows of every table. */
async function belongingsOf(
  namespace: string,
): Promise<{ readonly work: unknown; readonly site: unknown; readonly rows: unknown }> {
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
    [["remove", "--namespace", "foo", "--only-work"], /no terminal to ask on\nSay --yes/],
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
    const dry = await artifacts("upload", "--namespace", "dry", "--dry-run");
    expect(dry.code, dry.stderr).toBe(0);
    expect(dry.stdout).toMatch(/would put {5}views\/htan\/index\.hbs \(\d/);
    expect(dry.stdout).toMatch(/was left as it is; without --dry-run: \d+ put, 0 deleted, 0 unch/);
    expect((await belongingsOf("dry")).work).toEqual([]);
    const first = await artifacts("upload", "--namespace", "dry");
    expect(first.stdout).toMatch(
      /s3:\/\/work\/dry\/artifacts: \d+ put, 0 deleted, 0 unchanged; of/,
    );
    const again = await artifacts("upload", "--namespace", "dry");
    expect(again.stdout).toMatch(
      /^s3:\/\/work\/dry\/artifacts: 0 put, 0 deleted, \d+ unchanged; nothing to do\n$/,
    );
  });

  test("writes down the commit that was uploaded", async () => {
    await artifacts("upload", "--namespace", "commit");
    const manifest: unknown = JSON.parse(s3Text("commit/artifacts/artifacts.json"));
    expect(manifest).toMatchObject({
      ...{ version: "0.1.0", revision: await checkoutRevision(ROOT) },
    });
  });

  test("lists what is there, for people and for programs", async () => {
    const none = await artifacts("list", "--namespace", "listed");
    expect(none.stdout).toMatch(/^s3:\/\/work\/listed\/artifacts is empty; `hdash artifacts uplo/);
    await artifacts("upload", "--namespace", "listed");
    const equal = await artifacts("list", "--namespace", "listed");
    expect(equal.stdout).toMatch(/same +[\d.]+ k?B {2}config\/htan_projects\.csv\n/);
    expect(equal.stdout).toMatch(/uploaded .* UTC; the same as this checkout's\n$/);
    s3.setObject("work", "listed/artifacts/views/htan/index.hbs", "changed");
    const damaged = await artifacts("list", "--namespace", "listed");
    expect([none.code, equal.code, damaged.code]).toEqual([0, 0, 1]);
    expect(damaged.stdout).toMatch(/damaged +7 B {2}views\/htan\/index\.hbs\n/);
    expect(damaged.stdout).toMatch(/not whole: runs fail until they are uploaded again\n$/);
    const json = await artifacts("list", "--namespace", "listed", "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({
      ...{ namespace: "listed", uri: "s3://work/listed/artifacts", version: "0.1.0" },
      ...{ verdict: "broken", isEqual: false },
      files: expect.arrayContaining([
        { path: "views/htan/index.hbs", bytes: 7, state: "damaged" },
      ]) as unknown,
    });
  });

  test("lists a damaged set of another version as one that is not used", async () => {
    await artifacts("upload", "--namespace", "ignored");
    becomeVersion("ignored", "9.9.9");
    s3.setObject("work", "ignored/artifacts/views/htan/index.hbs", "changed");
    const listed = await artifacts("list", "--namespace", "ignored");
    expect(listed.code).toBe(0);
    expect(listed.stdout).toMatch(/of hdash 9\.9\.9.*; not used by hdash 0\.1\.0.*\n$/);
    const doctor = await hdash(["doctor"], environmentOf("ignored"));
    expect(doctor.stdout).toMatch(/note +Artifacts .*of hdash 9\.9\.9.*; this is 0\.1\.0/);
  });

  test("removes nothing where the site's bucket is not named, unless it is told so", async () => {
    await artifacts("upload", "--namespace", "half");
    const before = await belongingsOf("half");
    const refused = await artifacts("remove", "--namespace", "half", "--yes");
    expect([refused.code, refused.stderr]).toEqual([
      2,
      "hdash: what half has in the site's bucket would stay: S3_BUCKET_NAME is not set\n" +
        "Set it, or say --only-work if only the work bucket is meant.\n",
    ]);
    expect(await belongingsOf("half")).toEqual(before);
    const told = await artifacts("remove", "--namespace", "half", "--only-work", "--yes");
    expect([told.code, (await belongingsOf("half")).work]).toEqual([0, []]);
  });
});

describe("a run of a namespace", () => {
  test("fails with a damaged set before anything is published, and says what to do", async () => {
    await artifacts("upload", "--namespace", "broken");
    s3.setObject("work", "broken/artifacts/views/htan/index.hbs", "changed");
    const ended = await hdash(["run", "htan", "--log-format", "json"], environmentOf("broken"));
    expect(ended.code, ended.stderr).toBe(1);
    expect(ended.stderr).toContain("views/htan/index.hbs is not what artifacts.json says");
    expect(ended.stderr).toContain('"event":"runEnded","pipeline":"htan","status":"failed"');
    expect(JSON.stringify(services.slack.messages.at(-1))).toContain("hdash artifacts upload");
    expect((await belongingsOf("broken")).site).toEqual([]);
    const doctor = await hdash(["doctor"], environmentOf("broken"));
    expect(doctor.stdout).toMatch(
      /BAD +Artifacts .*not whole: runs fail \(views\/htan\/index\.hbs is not .*\)\n.*hdash artifacts upload/,
    );
  });

  test("uses the artifacts: their list and their templates", async () => {
    await artifacts("upload", "--namespace", "mine");
    const up = await artifacts("upload", "--namespace", "mine", "--from", folder);
    expect(up.stdout).toMatch(/: 2 put, 0 deleted, \d+ unchanged; of hdash 0\.1\.0/);
    const ended = await hdash([], environmentOf("mine"));
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(/the artifacts of mine are used: \d+ files of hdash 0\.1\.0/);
    expect(page("mine/index.html")).toContain("<h1>From artifacts: ");
    expect(page("mine/index.html")).toContain("Renamed Atlas 1");
    const scratch = await readdir(join(environmentOf("mine")["HDASH_HOME"] ?? "", "scratch"));
    expect(scratch.filter((name) => name.startsWith("artifacts"))).toEqual([]);
    const doctor = await hdash(["doctor"], environmentOf("mine"));
    expect(doctor.stdout).toMatch(/ok +Artifacts .*\/mine\/artifacts can be read: \d+ files of hd/);
  });

  test("has init take the list of the artifacts where no file is named", async () => {
    await artifacts("upload", "--namespace", "init", "--from", folder);
    const ended = await hdashUtil(["init"], environmentOf("init"));
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stdout).toMatch(
      /3 atlases registered from config\/htan_projects\.csv of the artifacts: 3 added, 0 changed, 0/,
    );
  });

  test("does not use artifacts of another version, and the log names both", async () => {
    await artifacts("upload", "--namespace", "older", "--from", folder);
    becomeVersion("older", "9.9.9");
    const env = environmentOf("older");
    const refused = await hdashUtil(["init"], env);
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringContaining(
        "hdash-util: the atlas list of older is of another build of hdash; nothing was registered\n",
      ),
    ]);
    await hdashUtil(["init", "--file", join(services.world, "atlases.csv")], env);
    const ended = await hdash(["run", "htan"], env);
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(
      /warning: the artifacts of older .* of hdash 9\.9\.9.*, this is 0\.1\.0/,
    );
    expect(page("older/index.html")).toContain("<h1>");
    expect(page("older/index.html")).not.toContain("From artifacts");
  });

  test("ends soon when it is told to stop while the store is silent", async () => {
    const asked = Promise.withResolvers<void>();
    const silent = createServer(() => asked.resolve());
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const address = silent.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;
    const running = start("src/main.ts", ["run", "htan"], {
      ...environmentOf("silent"),
      S3_ENDPOINT_URL: `http://127.0.0.1:${port}`,
    });
    await asked.promise;
    running.process.kill("SIGTERM");
    const ended = await running.ended;
    await new Promise((resolve) => silent.close(resolve));
    expect(ended.code, ended.stderr).toBe(143);
  });
});

describe("two namespaces side by side", () => {
  /** Uploads other artifacts for one of them, has the other use its own, and runs both. */
  async function deploy(changed: string, plain: string): Promise<void> {
    await artifacts("upload", "--namespace", changed, "--from", folder);
    await hdashUtil(["init", "--file", join(services.world, "atlases.csv")], environmentOf(plain));
    for (const name of [changed, plain]) {
      const ended = await hdash([], environmentOf(name));
      expect(ended.code, ended.stderr).toBe(0);
    }
  }

  test("do not touch each other: a prefix, a schema and a label each", async () => {
    await deploy("foo", "foo-bar");
    expect(page("foo/index.html")).toContain("<h1>From artifacts: ");
    expect(page("foo-bar/index.html")).not.toContain("From artifacts");
    expect(page("foo-bar/index.html")).toContain("Synthetic Atlas 1");
    const foo = await belongingsOf("foo");
    const ended = await hdash(["run", "htan", "--force"], environmentOf("foo-bar"));
    expect(ended.stderr).toContain("foo-bar has no artifacts in s3://work/foo-bar/artifacts");
    expect(JSON.stringify(services.slack.messages.at(-1))).toContain("foo-bar");
    expect(await belongingsOf("foo")).toEqual(foo);
  });

  test("one is removed whole, and the other is as it was byte for byte", async () => {
    await deploy("gone", "gone-not");
    await artifacts("upload", "--namespace", "gone-not");
    const other = await belongingsOf("gone-not");
    const env = environmentOf("gone");
    for (const [change, expected] of [
      [
        { NAMESPACE: "main", HDASH_DB_SCHEMA: "hdash_main", S3_PREFIX: "main" },
        /hdash_main is production's schema/,
      ],
      [
        { NAMESPACE: "", HDASH_DB_SCHEMA: "hdash_main", S3_PREFIX: "" },
        /hdash_main is production's schema/,
      ],
      [
        { HDASH_DB_SCHEMA: "hdash_gone_not" },
        /HDASH_DB_SCHEMA is "hdash_gone_not", but the namespace gone has hdash_gone/,
      ],
      [{ NAMESPACE: "" }, /hdash_gone is not dropped, since NAMESPACE does not say whose it is/],
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
      /schema hdash_gone, as .*: the schema was dropped with \d+ tables/,
    );
    const again = await hdashUtil(["reset", "--drop", "--yes"], env);
    expect([again.code, again.stdout]).toEqual([
      0,
      "there is no schema hdash_gone; nothing was dropped\n",
    ]);

    const removed = await hdash(["artifacts", "remove", "--yes"], env);
    expect(removed.code, removed.stderr).toBe(0);
    expect(removed.stdout).toMatch(
      /^s3:\/\/work\/gone\/ {2}\d+ objects, .*\ns3:\/\/site\/gone\/ {2}\d+ objects, .*\ns3:\/\/work\/gone\/ {2}\d+ objects deleted\ns3:\/\/site\/gone\/ {2}\d+ objects deleted\n$/,
    );
    expect(await belongingsOf("gone")).toEqual({ work: [], site: [], rows: {} });
    expect(await belongingsOf("gone-not")).toEqual(other);
    const nothing = await hdash(["artifacts", "remove", "--yes"], env);
    expect([nothing.code, nothing.stdout]).toEqual([
      0,
      "gone has nothing in s3://work/gone and s3://site/gone\n",
    ]);
  });
});
