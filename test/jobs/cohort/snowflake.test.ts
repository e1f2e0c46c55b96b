// hdash cohort snowflake as people use it, before a build and after one, and what a build itself leaves of it.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Current } from "../../../src/jobs/cohort/data/current.ts";
import { type Ended, hdash as start } from "../../support/command.ts";
import { cohortFolders } from "./support/cohortFolders.ts";

const FILES = ["setup.sql", "tables.sql", "columns.sql"];

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-snowflake-"));
  await mkdir(join(dir, "in/main/adults_v1"), { recursive: true });
  await writeFile(join(dir, "in/main/adults_v1/2026-01-11_text"), "this is no archive");
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function hdash(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return start(args, {
    ...{ HDASH_HOME: join(dir, "home"), HDASH_LOG_LEVEL: "warn" },
    ...cohortFolders(dir),
    COHORT_DROP: "EmailAddress",
    ...env,
  });
}

const read = (path: string): Promise<string> => readFile(join(dir, path), "utf8");
const snowflake = (...args: readonly string[]) => hdash(["cohort", "snowflake", ...args]);

describe("hdash cohort snowflake", () => {
  test("prints what the schema alone has, before there is a build, and makes nothing", async () => {
    const ended = await snowflake();
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    const heads = [...ended.stdout.matchAll(/^-- (\w+\.sql)$/gm)].map(([, name]) => name);
    expect(heads).toEqual(FILES);
    expect(ended.stdout.match(/^CREATE TABLE IF NOT EXISTS "DATASET_\w+" \($/gm)).toHaveLength(59);
    expect(ended.stdout).toContain("-- No stage: COHORT_PROCESSED is a folder");
    expect(ended.stdout).not.toContain("EmailAddress");
    expect(await readdir(dir)).toEqual(["in"]);
  });

  test("writes files for the database, schema and stage that are said", async () => {
    const out = join(dir, "made/out");
    const ended = await snowflake(
      ...["--out", out, "--database", "recover-main", "--schema", "parquet", "--stage", "exports"],
      ...["--stage-url", "s3://my-processed/main", "--integration", "reader"],
      ...["--role-arn", "arn:aws:iam::123456789012:role/snowflake"],
    );
    expect(ended.stderr).toBe("");
    expect(ended.stdout.trimEnd().split("\n")).toEqual(FILES.map((name) => join(out, name)));
    const setup = await read("made/out/setup.sql");
    expect(setup.split("\n").filter((line) => /^CREATE|URL|LOCATIONS/.test(line))).toEqual([
      'CREATE DATABASE IF NOT EXISTS "recover-main";',
      'CREATE SCHEMA IF NOT EXISTS "recover-main"."PARQUET";',
      'CREATE STORAGE INTEGRATION IF NOT EXISTS "READER"',
      "  STORAGE_ALLOWED_LOCATIONS = ('s3://my-processed/main/');",
      'CREATE STAGE IF NOT EXISTS "recover-main"."PARQUET"."EXPORTS"',
      "  URL = 's3://my-processed/main/'",
    ]);
    expect(await read("made/out/tables.sql")).toContain('"recover-main"."PARQUET"."DATASET_FITBIT');
  });

  test.each([
    [["--database", " "], /^hdash: --database is empty$/m],
    [["--stage-url", ""], /^hdash: --stage-url is empty$/m],
    [["--stage-url", "https://b/main"], /^hdash: --stage-url is "https:\/\/b\/main", and no s3:/m],
    [["--role-arn", "snowflake"], /^hdash: --role-arn is "snowflake", and no role of AWS/m],
    [["--namespace", ""], /^hdash: --namespace is empty$/m],
  ])("says what is wrong with %j, with 2", async (args, expected) => {
    const ended = await snowflake(...args);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(expected);
  });

  test("says that a folder cannot be written", async () => {
    await writeFile(join(dir, "file"), "");
    const ended = await snowflake("--out", join(dir, "file"));
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(/^hdash: --out is "\S+file": .*EEXIST/m);
  });

  test("tells what a build has, whose own files stay as long as its datasets", async () => {
    const build = async (env: Readonly<Record<string, string>> = {}): Promise<Current> => {
      const ended = await hdash(["run", "cohort", "--part", "ingest,build"], env);
      expect(ended.code, ended.stderr).toBe(0);
      return JSON.parse(await read("processed/main/parquet/current.json")) as Current;
    };
    const first = await build();
    const second = await build({ COHORT_AGAIN: "1" });
    expect(second.kept.map((one) => one.build)).toEqual([first.build]);
    for (const { prefix } of [first, second]) {
      const names = await readdir(join(dir, "processed/main", prefix));
      expect(names).toEqual(expect.arrayContaining([...FILES, "copy.sql"]));
    }
    const out = join(dir, "built");
    const ended = await snowflake("--out", out);
    expect(ended.code, ended.stderr).toBe(0);
    for (const name of [...FILES, "copy.sql"]) {
      expect(await read(`built/${name}`)).toBe(
        await read(`processed/main/${second.prefix}${name}`),
      );
    }
    expect(await read("built/copy.sql")).toContain(`: build ${second.build}\n`);
  });
});
