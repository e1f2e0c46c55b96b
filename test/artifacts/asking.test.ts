// What deletes asks first, on a terminal: nothing goes before the right word was typed.

import { Command } from "commander";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { addArtifactCommands } from "../../src/commands/artifacts.ts";
import { addReset } from "../../src/commands/reset.ts";
import { makeEffects } from "../../src/effects.ts";
import { JOBS } from "../../src/jobList.ts";
import { SILENT } from "../../src/log.ts";
import { type Environment, readConfig } from "../../src/settings/config.ts";
import type { Shell } from "../../src/shell.ts";
import { openDatabase } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { createEmptyDatabase } from "../support/postgres.ts";
import { type S3Server, startS3 } from "../support/s3Server.ts";
import { stateOf } from "./rig.ts";

/** Variables of private places. */
const PLACES = ["COHORT_RAW", "COHORT_PROCESSED"];
let s3: S3Server;
let made: Awaited<ReturnType<typeof createEmptyDatabase>>;
let env: Environment;

beforeAll(async () => {
  s3 = await startS3({ buckets: ["work", "site", "private"] });
  made = await createEmptyDatabase();
  const { host, port, user, password, name } = made.settings;
  env = {
    ...{ S3_ENDPOINT_URL: s3.url, S3_BUCKET_NAME: "site", HDASH_WORK_BUCKET: "work" },
    ...{ S3_ACCESS_KEY_ID: s3.accessKeyId, S3_SECRET_ACCESS_KEY: s3.secretAccessKey },
    ...{ HDASH_DB_HOST: host, HDASH_DB_PORT: String(port), HDASH_DB_USER: user },
    ...{ HDASH_DB_PASSWORD: password, HDASH_DB_NAME: name, HDASH_DB_SCHEMA: "hdash_foo" },
    NAMESPACE: "foo",
  };
});

afterAll(async () => {
  await s3.close();
  await made.drop();
});

beforeEach(() => {
  for (const key of ["foo/a", "foo-bar/a"]) {
    s3.setObject("work", key, "12345");
    s3.setObject("site", key, "12345");
  }
});

/** Somebody at a terminal who types one answer. */
async function typing(
  answer: string,
  addCommands: (program: Command, shell: Shell) => void,
  args: readonly string[],
): Promise<{ readonly code: number; readonly asked: readonly string[]; readonly said: string }> {
  const seen = { code: -1, asked: [] as string[], said: "" };
  const shell: Shell = {
    jobs: JOBS,
    learn() {},
    signal: new AbortController().signal,
    isTerminal: true,
    columns: () => 80,
    print: (line) => void (seen.said += `${line}\n`),
    ask: async (question) => {
      seen.asked.push(question);
      return answer;
    },
    environment: () => env,
    config: (needs) => readConfig(env, needs, JOBS),
    logFormat: () => "plain",
    log: () => SILENT,
    report: (error) => {
      throw error;
    },
    withEffects: async (config, log, work) => {
      const effects = makeEffects(config, log);
      try {
        return await work(effects);
      } finally {
        await effects.close();
      }
    },
    exit: (code) => void (seen.code = code),
  };
  const program = new Command();
  addCommands(program, shell);
  await program.parseAsync(["node", "hdash", ...args]);
  return seen;
}

describe("hdash artifacts remove, on a terminal", () => {
  const remove = (answer: string, ...flags: readonly string[]) =>
    typing(
      answer,
      (program, shell) => addArtifactCommands(program, shell, { lists: [], places: PLACES }),
      ["artifacts", "remove", ...flags],
    );

  test("leaves the site's bucket alone where only the work bucket is meant", async () => {
    const site = stateOf(s3, "site");
    expect(await remove("foo", "--only-work")).toEqual({
      code: 0,
      asked: ["Delete all of this? Type the namespace's name: "],
      said: "s3://work/foo/  1 object, 5 B\ns3://work/foo/  1 object deleted\n",
    });
    expect(Object.keys(stateOf(s3, "work"))).toEqual(["foo-bar/a"]);
    expect(stateOf(s3, "site")).toEqual(site);
  });

  test.each(["", "yes", "y", "Foo", "foo-bar"])(
    "deletes nothing where %j is typed",
    async (word) => {
      const before = [stateOf(s3, "work"), stateOf(s3, "site")];
      expect(await remove(word)).toEqual({
        code: 1,
        asked: ["Delete all of this? Type the namespace's name: "],
        said: "s3://work/foo/  1 object, 5 B\ns3://site/foo/  1 object, 5 B\nnothing was deleted\n",
      });
      expect([stateOf(s3, "work"), stateOf(s3, "site")]).toEqual(before);
    },
  );

  test("deletes where the namespace's name is typed, and does not ask where there is nothing", async () => {
    const done = await remove(" foo ");
    expect([done.code, done.said.split("\n").slice(2)]).toEqual([
      0,
      ["s3://work/foo/  1 object deleted", "s3://site/foo/  1 object deleted", ""],
    ]);
    for (const bucket of ["work", "site"]) {
      expect(Object.keys(stateOf(s3, bucket))).toEqual(["foo-bar/a"]);
    }
    expect(await remove("foo")).toEqual({
      ...{ code: 0, asked: [] },
      said: "foo has nothing in s3://work/foo and s3://site/foo\n",
    });
  });
});

describe("hdash artifacts remove, of a job's private places", () => {
  const remove = (own: Environment, ...flags: readonly string[]) =>
    typing(
      "foo",
      (program, shell) =>
        addArtifactCommands(
          program,
          { ...shell, environment: () => ({ ...env, ...own }) },
          { lists: [], places: PLACES },
        ),
      ["artifacts", "remove", ...flags],
    );

  beforeEach(() => {
    for (const key of ["foo/a", "foo-bar/a", "deep/down/foo/b", "deep/down/foo-bar/b"]) {
      s3.setObject("private", key, "123");
    }
  });

  test("removes the namespace's folder of each that the environment names, and nobody else's", async () => {
    const { said, asked } = await remove({
      COHORT_RAW: "s3://private",
      COHORT_PROCESSED: "s3://private/deep/down/",
    });
    expect(asked).toHaveLength(1);
    expect(said.split("\n").filter((line) => line.includes("private"))).toEqual([
      "s3://private/foo/  1 object, 3 B",
      "s3://private/deep/down/foo/  1 object, 3 B",
      "s3://private/foo/  1 object deleted",
      "s3://private/deep/down/foo/  1 object deleted",
    ]);
    expect(Object.keys(stateOf(s3, "private"))).toEqual(["deep/down/foo-bar/b", "foo-bar/a"]);
  });

  test("leaves them alone where only the work bucket is meant, or none is named, and folders always", async () => {
    const before = stateOf(s3, "private");
    const only = await remove({ COHORT_RAW: "s3://private" }, "--only-work");
    expect(only.said).not.toContain("private");
    const folder = await remove({ COHORT_RAW: "/srv/raw", COHORT_PROCESSED: "" });
    expect(folder.said).toMatch(/^left alone {2}COHORT_RAW: \/srv\/raw is no bucket\n/);
    expect(stateOf(s3, "private")).toEqual(before);
  });

  test("says what the store refuses, before anything is asked", async () => {
    const refused = remove({ COHORT_RAW: "s3://no-such-bucket" });
    await expect(refused).rejects.toMatchObject({
      message: expect.stringContaining("no-such-bucket") as string,
      hint: expect.stringContaining("COHORT_RAW") as string,
    });
  });
});

describe("hdash-util reset --drop, on a terminal", () => {
  const reset = (answer: string) => typing(answer, addReset, ["reset", "--drop"]);

  test("drops nothing before yes is typed", async () => {
    const database = await openDatabase({ ...made.settings, schema: "hdash_foo" });
    await migrate(database);
    await database.close();
    const refused = await reset("foo");
    expect([refused.code, refused.said]).toEqual([1, "nothing was deleted\n"]);
    expect(refused.asked).toEqual([expect.stringMatching(/schema hdash_foo, as .*Type "yes": $/)]);
    const done = await reset("yes");
    expect([done.code, done.said]).toEqual([
      0,
      expect.stringMatching(/schema hdash_foo, as .*: the schema was dropped with \d+ tables/),
    ]);
  });
});
