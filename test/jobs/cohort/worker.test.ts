// The cohort job as a worker does it: exports and three private places on a strict S3, the ledger in Postgres, a run after another.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { makeEffects } from "../../../src/effects.ts";
import { bindCohort } from "../../../src/jobs/cohort/bind.ts";
import type { Catalog } from "../../../src/jobs/cohort/data/catalog.ts";
import type { Current } from "../../../src/jobs/cohort/data/current.ts";
import { makeCohortJob } from "../../../src/jobs/cohort/job.ts";
import { SILENT } from "../../../src/log.ts";
import { readConfig } from "../../../src/settings/config.ts";
import { execute } from "../../../src/work/work.ts";
import { createTestDatabase, databaseEnv, type TestDatabase } from "../../support/postgres.ts";
import { type S3Server, startS3 } from "../../support/s3Server.ts";
import { readMenu } from "./support/cohortRun.ts";

const CASES = join(import.meta.dirname, "../../fixtures/cohort/cases");
const EXPORT = "main/adults_v1/2026-01-11T05--00--08Z_case";
const BUCKETS = {
  source: "exports",
  raw: "raw",
  intermediate: "intermediate",
  processed: "processed",
};
const job = makeCohortJob();

let home: string;
let s3: S3Server;
let database: TestDatabase;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "hdash-cohort-"));
  s3 = await startS3({ buckets: Object.values(BUCKETS) });
  database = await createTestDatabase();
});
afterAll(async () => {
  await s3.close();
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

/** Sends a case's export under a name of its own. */
async function send(name: string): Promise<void> {
  s3.setObject(BUCKETS.source, `${EXPORT}-${name}`, await readFile(join(CASES, name, EXPORT)));
}

/** Makes one run, and tells how it ended. */
async function run(variables: Readonly<Record<string, string>> = {}): Promise<string> {
  const env = {
    ...databaseEnv(database.settings),
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    S3_ENDPOINT_URL: s3.url,
    HDASH_HOME: home,
    HDASH_SITE_DIR: join(home, "site"),
    COHORT_SOURCE: `s3://${BUCKETS.source}`,
    COHORT_RAW: `s3://${BUCKETS.raw}`,
    COHORT_INTERMEDIATE: `s3://${BUCKETS.intermediate}`,
    COHORT_PROCESSED: `s3://${BUCKETS.processed}`,
    ...variables,
  };
  const config = readConfig(env, ["database", "site"], [job], [job.name]);
  const effects = makeEffects(config, SILENT);
  try {
    const settings = config.of(job);
    if (settings === null) throw new Error("the job is not configured");
    const bound = await bindCohort(effects, settings, readMenu);
    const { signal } = new AbortController();
    const outcome = await execute(effects, bound, { force: false, wait: false }, signal, () => {});
    return outcome.kind === "finished" ? outcome.record.status : outcome.kind;
  } finally {
    await effects.close();
  }
}

function read<T>(key: string): T {
  const object = s3.objects(BUCKETS.processed).get(key);
  if (object === undefined) throw new Error(`there is no ${key}`);
  const bytes = key.endsWith(".gz") ? gunzipSync(object.read()) : object.read();
  return JSON.parse(bytes.toString()) as T;
}

const current = (): Current => read("main/parquet/current.json");
const rowsOf = (name: string): number | undefined =>
  current().datasets.find((dataset) => dataset.name === name)?.rows;
const filesOf = ({ datasets }: Current, name: string) =>
  datasets.find((dataset) => dataset.name === name)?.files;

/** A run that builds all types for the first time takes a minute on a busy machine. */
const LONG_MS = 600_000;

describe("runs of the cohort job", () => {
  // One story: each run goes on with what the one before has left.
  test(
    "keep datasets and copies true to what was sent",
    async () => {
      await send("offsets");
      await send("open-names");
      expect(await run()).toBe("succeeded");
      expect(current().datasets).toHaveLength(59);
      expect(rowsOf("dataset_healthkitv2samples")).toBe(3);
      expect(rowsOf("dataset_garminstressdetailsummary")).toBe(3);
      const { exports } = read<Catalog>("main/catalog.json.gz");
      expect(exports.map(({ report }) => report.outcome)).toEqual(["read", "read"]);
      const copies = exports.flatMap(({ report }) =>
        report.members.flatMap(({ raw }) => raw ?? []),
      );
      const held = [...s3.objects(BUCKETS.raw).keys()];
      expect(held).toEqual(copies.map(({ key }) => `main/${key}`).sort());

      // Nothing is new: the source is listed once, and nothing is put.
      const first = current();
      s3.requests.length = 0;
      s3.puts.length = 0;
      expect(await run()).toBe("succeeded");
      expect(s3.puts).toEqual([]);
      const ofSource = s3.requests.filter(({ bucket }) => bucket === BUCKETS.source);
      expect(ofSource.map(({ operation }) => operation)).toEqual(["ListObjectsV2"]);

      // A new export: its types are built, and the files of all others are named again.
      await send("name-twice");
      expect(await run()).toBe("succeeded");
      const second = current();
      expect(second.build).not.toBe(first.build);
      expect(rowsOf("dataset_fitbitdailydata")).toBe(1);
      const other = "dataset_healthkitv2samples";
      expect(filesOf(second, other)).toEqual(filesOf(first, other));

      // A copy is lost, and made again; nothing else is put into its place.
      const [lost = ""] = held;
      const before = s3.objects(BUCKETS.raw).get(lost)?.read();
      s3.removeObject(BUCKETS.raw, lost);
      s3.puts.length = 0;
      expect(await run({ COHORT_PART: "sync" })).toBe("succeeded");
      expect(s3.objects(BUCKETS.raw).get(lost)?.read()).toEqual(before);
      expect(s3.puts.filter(({ bucket }) => bucket === BUCKETS.raw)).toHaveLength(1);

      // Another is lost whose export the source has no longer: the run says so, and goes on.
      const [sent = ""] = [...s3.objects(BUCKETS.source).keys()];
      const gone = s3.objects(BUCKETS.source).get(sent)?.read() ?? Buffer.alloc(0);
      const name = sent.slice(sent.indexOf("/") + 1);
      const own = read<Catalog>("main/catalog.json.gz").exports.find(
        ({ report }) => `${report.cohort}/${report.export}` === name,
      );
      const copy = own?.report.members.flatMap(({ raw }) => raw ?? [])[0]?.key ?? "";
      s3.removeObject(BUCKETS.source, sent);
      s3.removeObject(BUCKETS.raw, `main/${copy}`);
      expect(await run({ COHORT_PART: "sync" })).toBe("degraded");
      s3.setObject(BUCKETS.source, sent, gone);
      expect(await run({ COHORT_PART: "sync" })).toBe("succeeded");
      expect(s3.objects(BUCKETS.raw).has(`main/${copy}`)).toBe(true);

      // A file of a dataset is lost: its type is built again.
      const file = filesOf(current(), "dataset_fitbitdailydata")?.[0]?.key ?? "";
      s3.removeObject(BUCKETS.processed, `main/${file}`);
      expect(await run()).toBe("succeeded");

      // What a build consists of is damaged: nobody misses it.
      const whole = current();
      s3.setObject(BUCKETS.processed, `main/${whole.segments?.key ?? ""}`, Buffer.from("rubbish"));
      expect(await run()).toBe("succeeded");
      expect(current().datasets.map(({ name, rows }) => [name, rows])).toEqual(
        whole.datasets.map(({ name, rows }) => [name, rows]),
      );

      // The catalog is lost: datasets are not built of nothing, and are as they were once exports are read again.
      s3.removeObject(BUCKETS.processed, "main/catalog.json.gz");
      const kept = current();
      expect(await run({ COHORT_PART: "build" })).toBe("failed");
      expect(current()).toEqual(kept);
      expect(await run({ COHORT_PART: "ingest,build" })).toBe("succeeded");
      expect(current().datasets).toEqual(kept.datasets);

      const objects = s3.objects(BUCKETS.processed);
      for (const { files } of current().datasets) {
        for (const { key, bytes } of files) expect(objects.get(`main/${key}`)?.bytes).toBe(bytes);
      }
    },
    LONG_MS,
  );
});
