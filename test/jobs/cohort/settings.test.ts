import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { HdashError } from "../../../src/error.ts";
import { JOBS } from "../../../src/jobList.ts";
import { SETTINGS } from "../../../src/jobs/cohort/settings.ts";
import { type Environment, givenJobs, readConfig } from "../../../src/settings/config.ts";

const cohort = { name: "cohort", settings: SETTINGS };
const PLACES = {
  COHORT_SOURCE: "s3://exports/sent/",
  COHORT_RAW: "s3://copies/raw",
  COHORT_INTERMEDIATE: "s3://copies/intermediate",
  COHORT_PROCESSED: "s3://datasets",
};

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-cohort-settings-"));
  await mkdir(join(dir, "in"));
  await writeFile(join(dir, "file"), "");
});
afterAll(() => rm(dir, { recursive: true }));

const settingsOf = (env: Environment) =>
  readConfig({ ...PLACES, ...env }, [], JOBS, ["cohort"]).of(cohort);

/** What is wrong, a line for each problem, without the example at its end. */
function problemsOf(env: Environment, asked = ["cohort"], flags = {}): readonly string[] {
  try {
    readConfig(env, [], JOBS, asked, flags);
    return [];
  } catch (error) {
    if (!(error instanceof HdashError && error.kind === "config")) throw error;
    const lines = error.message.replaceAll(dir, "").split("\n");
    return lines
      .filter((line, at) => at > 0 || lines.length === 1)
      .map((line) => line.trim().replace(/; for example .*$/, ""));
  }
}

describe("COHORT_PART", () => {
  test.each([
    [{}, ["ingest", "sync", "build", "validate"]],
    [{ COHORT_PART: "all" }, ["ingest", "sync", "build", "validate"]],
    [{ COHORT_PART: "ingest" }, ["ingest"]],
    [{ COHORT_PART: "ingest,build" }, ["ingest", "build"]],
    [{ COHORT_PART: "build, Ingest ,build," }, ["ingest", "build"]],
    [{ COHORT_PART: "sync,all" }, ["ingest", "sync", "build", "validate"]],
  ])("of %j is done in the order of the work, each part once", (env, parts) => {
    expect(settingsOf(env)?.parts).toEqual(parts);
  });

  test.each([
    ["bild,ingest", '; "bild" is none of them'],
    ["ingest,x,build,y", '; "x", "y" are none of them'],
    [",", ""],
  ])("refuses %j by name, with those that there are", (part, why) => {
    const flags = { COHORT_PART: "--part" };
    expect(problemsOf({ ...PLACES, COHORT_PART: part }, ["cohort"], flags)).toEqual([
      `--part (COHORT_PART) is "${part}": it must be some of ingest, sync, build, validate, separated by commas, or all${why}`,
    ]);
  });
});

describe("the places of cohorts", () => {
  test("are read as buckets, folders or what is in Synapse", () => {
    expect(settingsOf({ COHORT_PROCESSED: join(dir, "out") })).toMatchObject({
      source: { kind: "s3", bucket: "exports", prefix: "sent" },
      raw: { kind: "s3", bucket: "copies", prefix: "raw" },
      processed: { kind: "folder", dir: join(dir, "out") },
    });
  });

  test("are all asked for at once where one is missing, and only where the job runs", () => {
    const missing = problemsOf({ COHORT_RAW: "s3://copies/raw" });
    expect(missing.map((line) => line.split(" ")[0])).toEqual([
      ...["COHORT_SOURCE", "COHORT_INTERMEDIATE", "COHORT_PROCESSED"],
    ]);
    expect(problemsOf({ COHORT_RAW: "s3://copies/raw" }, [])).toEqual([]);
    expect(readConfig({ COHORT_RAW: "s3://copies/raw" }, [], JOBS).of(cohort)).toBeNull();
  });

  test.each([
    [
      { COHORT_RAW: "https://copies" },
      'COHORT_RAW is "https://copies", which is neither s3://bucket/prefix nor a folder',
    ],
    [
      { COHORT_SOURCE: "synapse:51" },
      'COHORT_SOURCE is "synapse:51", which is neither s3://bucket/prefix, a folder nor synapse:syn123',
    ],
    [
      { COHORT_RAW: "s3://My-Copies" },
      'COHORT_RAW is "s3://My-Copies": behind s3:// it must be a bucket\'s name, which S3 has in small letters only',
    ],
    [
      { COHORT_RAW: "s3://datasets/raw" },
      'COHORT_PROCESSED is "s3://datasets/", which is not apart from COHORT_RAW: "s3://datasets/raw/"',
    ],
    [
      { S3_BUCKET_NAME: "datasets" },
      'COHORT_PROCESSED is "s3://datasets/", which is not apart from the site: everybody may read the bucket datasets',
    ],
  ])("are refused where they will not do (%j)", (env, problem) => {
    expect(problemsOf({ ...PLACES, ...env })).toEqual([problem]);
  });

  test("may be neighbours", () => {
    const env = { COHORT_RAW: "s3://datasets-raw", COHORT_INTERMEDIATE: "s3://copies/raw-2" };
    expect(problemsOf({ ...PLACES, ...env })).toEqual([]);
  });

  test.each([
    ["below the site's folder", "site/cohort"],
    ["around it", ""],
    ["the same", "site"],
  ])("are refused as folders that are %s", (_what, path) => {
    const env = { HDASH_SITE_DIR: join(dir, "site"), COHORT_PROCESSED: join(dir, path) };
    expect(problemsOf({ ...PLACES, ...env })).toEqual([
      `COHORT_PROCESSED is "${join("/", path, "/")}", which is not apart from the site: everybody may read the folder /site/`,
    ]);
    // With a bucket for a site the folder is nobody's.
    const { HDASH_SITE_DIR: _unused, ...others } = env;
    expect(problemsOf({ ...PLACES, ...others, S3_BUCKET_NAME: "site" })).toEqual([]);
  });

  test("have a folder of exports that is there", () => {
    const of = (name: string) => problemsOf({ ...PLACES, COHORT_SOURCE: join(dir, name) });
    expect(of("in")).toEqual([]);
    expect(of("nowhere")).toEqual(['COHORT_SOURCE is "/nowhere": there is no such folder']);
    expect(of("file")).toEqual(['COHORT_SOURCE is "/file": it is no folder']);
  });
});

describe("a run of everything", () => {
  test("asks for cohorts where any of their variables is set, and never else", () => {
    expect(givenJobs({}, JOBS)).toEqual([]);
    expect(givenJobs({ SYNAPSE_PASSWORD: "token", NAMESPACE: "main" }, JOBS)).toEqual(["htan"]);
    expect(givenJobs({ COHORT_KEEP_BUILDS: "3" }, JOBS)).toEqual(["cohort"]);
    expect(JOBS.at(-1)?.name).toBe("cohort");
  });
});
