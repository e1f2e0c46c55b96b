// A namespace of exports on a strict S3, with its ledger in Postgres and a home of its own: what a worker of the cohort job needs.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gunzipSync } from "node:zlib";

import { canonicalJson, digestOf, type Json } from "../../../../src/digest.ts";
import type { Catalog } from "../../../../src/jobs/cohort/data/catalog.ts";
import type { Current } from "../../../../src/jobs/cohort/data/current.ts";
import { auditCatalog } from "../../../../src/jobs/cohort/data/proof.ts";
import type { PostgresSettings } from "../../../../src/store/database.ts";
import { COMPILE_CACHE } from "../../../support/compileCache.ts";
import type { PostgresServer } from "../../../support/postgresServer.ts";
import { createClone, dropClone } from "../../../support/postgresTemplate.ts";
import type { StoredObject } from "../../../support/s3Objects.ts";
import { type S3Server, startS3 } from "../../../support/s3Server.ts";
import { digestByDuck, type Rig } from "./cohortRig.ts";
import { runCohort } from "./cohortRun.ts";

export const BUCKETS = {
  source: "exports",
  raw: "raw",
  intermediate: "intermediate",
  processed: "processed",
} as const;
export const NAMESPACE = "main";
export const CURRENT = "main/parquet/current.json";

export interface CohortWorld {
  readonly s3: S3Server;
  readonly settings: PostgresSettings;
  readonly home: string;
  /** Everything that a worker's environment has to say. */
  env(variables?: Readonly<Record<string, string>>): Readonly<Record<string, string>>;
  /** Sends an export, "<cohort>/<name>". */
  send(key: string, bytes: Uint8Array, namespace?: string): void;
  current(namespace?: string): Current | null;
  catalog(namespace?: string): Catalog | null;
  close(): Promise<void>;
}

/** Makes a world without exports. */
export async function makeCohortWorld(server: PostgresServer): Promise<CohortWorld> {
  const home = await mkdtemp(join(tmpdir(), "hdash-cohort-world-"));
  const s3 = await startS3({ buckets: Object.values(BUCKETS) });
  const settings = await createClone(server);
  const read = <T>(key: string): T | null => {
    const object = s3.objects(BUCKETS.processed).get(key);
    if (object === undefined) return null;
    const bytes = key.endsWith(".gz") ? gunzipSync(object.read()) : object.read();
    return JSON.parse(bytes.toString()) as T;
  };
  return {
    ...{ s3, settings, home },
    env: (variables = {}) => ({
      HDASH_DB_HOST: settings.host,
      HDASH_DB_PORT: String(settings.port),
      HDASH_DB_USER: settings.user,
      HDASH_DB_PASSWORD: settings.password,
      HDASH_DB_NAME: settings.name,
      // A namespace has a schema of its own.
      ...("NAMESPACE" in variables ? {} : { HDASH_DB_SCHEMA: settings.schema }),
      HDASH_HOME: home,
      S3_ACCESS_KEY_ID: s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
      S3_ENDPOINT_URL: s3.url,
      COHORT_SOURCE: `s3://${BUCKETS.source}`,
      COHORT_RAW: `s3://${BUCKETS.raw}`,
      COHORT_INTERMEDIATE: `s3://${BUCKETS.intermediate}`,
      COHORT_PROCESSED: `s3://${BUCKETS.processed}`,
      ...variables,
    }),
    send: (key, bytes, namespace = NAMESPACE) =>
      s3.setObject(BUCKETS.source, `${namespace}/${key}`, bytes),
    current: (namespace = NAMESPACE) => read(`${namespace}/parquet/current.json`),
    catalog: (namespace = NAMESPACE) => read(`${namespace}/catalog.json.gz`),
    async close() {
      await s3.close();
      await dropClone(server, settings.name);
      await rm(home, { recursive: true, force: true });
    },
  };
}

export interface WorkerEnd {
  readonly isKilled: boolean;
  /** The run's status, or what it came to instead; null where it never said. */
  readonly outcome: string | null;
  /** What it wrote to its log. */
  readonly log: string;
}

export interface CohortWorker {
  readonly child: ChildProcess;
  readonly ended: Promise<WorkerEnd>;
}

/** Starts a worker, which makes one run. */
export function startWorker(
  world: CohortWorld,
  variables: Readonly<Record<string, string>> = {},
): CohortWorker {
  const program = join(import.meta.dirname, "cohortWorker.ts");
  const child = spawn(process.execPath, ["--disable-warning=ExperimentalWarning", program], {
    env: {
      ...{ PATH: process.env["PATH"] ?? "", TZ: "UTC", NODE_COMPILE_CACHE: COMPILE_CACHE },
      ...world.env(variables),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [stdout, log] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (log += chunk.toString()));
  const ended = new Promise<WorkerEnd>((resolve) => {
    child.once("close", (_code, signal) => {
      resolve({ isKilled: signal === "SIGKILL", outcome: stdout === "" ? null : stdout, log });
    });
  });
  return { child, ended };
}

/** Digests every dataset of a build as a reader finds it: its files fetched, and read by DuckDB. */
export async function digestBuild(
  { s3 }: Pick<CohortWorld, "s3">,
  rig: Rig,
  { datasets }: Current,
  namespace: string = NAMESPACE,
): Promise<Readonly<Record<string, { readonly rows: number; readonly sha256: string }>>> {
  const dir = await rig.folder();
  const objects = s3.objects(BUCKETS.processed);
  const found: Record<string, { rows: number; sha256: string }> = {};
  for (const { name, rows, columns, files } of datasets) {
    for (const { key, sha256 } of files) {
      const bytes = objects.get(`${namespace}/${key}`)?.read();
      if (bytes === undefined || digestOf(bytes) !== sha256) throw new Error(`${key} is lost`);
      // Files of two builds may have one name.
      const [, , build = "", ...below] = key.split("/");
      const path = join(dir, ...below.slice(0, -1), `${build}-${below.at(-1) ?? ""}`);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    }
    const own = columns.slice(0, -1).map((column) => ({
      name: column.name,
      type: column.type === "bigint" ? ("int" as const) : column.type,
    }));
    const shape = [...rig.shapes.values()].find(({ tables }) =>
      tables.some(({ dataset }) => dataset === name),
    );
    if (shape === undefined) throw new Error(`no type has ${name}`);
    found[name] = await digestByDuck(rig, dir, shape, { name, rows, columns: own, files: [] });
  }
  await rm(dir, { recursive: true });
  return found;
}

/** Reads an export of the fixture. */
export function exportOf(folder: string, key: string): Promise<Buffer> {
  return readFile(join(folder, key));
}

const digests = new WeakMap<StoredObject, string>();

/** Digests what an object holds, once. */
export function sha256Of(object: StoredObject): string {
  const known = digests.get(object) ?? digestOf(object.read());
  digests.set(object, known);
  return known;
}

/** What a world came to, as far as that does not depend on when things were done. */
export interface Outcome {
  readonly datasets: Awaited<ReturnType<typeof digestBuild>>;
  readonly counts: Readonly<Record<string, unknown>>;
  readonly audit: unknown;
  /** Objects of each place by key, with the digests of what is the same whenever it is made. */
  readonly places: Readonly<Record<string, readonly string[]>>;
}

/** Tells what a world came to. */
export async function outcomeOf(world: CohortWorld, rig: Rig): Promise<Outcome> {
  const [current, catalog] = [world.current(), world.catalog()];
  if (current === null || catalog === null) throw new Error("there is no build");
  const listed = (bucket: string): readonly string[] =>
    [...world.s3.objects(bucket)].map(([key, object]) => `${key} ${sha256Of(object)}`);
  return {
    datasets: await digestBuild(world, rig, current),
    counts: Object.fromEntries(
      Object.entries(current.types).map(([type, { counts }]) => [type, counts]),
    ),
    audit: auditCatalog(catalog),
    places: { raw: listed(BUCKETS.raw), intermediate: listed(BUCKETS.intermediate) },
  };
}

/** Says in what a world differs from another. */
export function differences(calm: Outcome, found: Outcome): readonly string[] {
  return (Object.keys(calm) as (keyof Outcome)[]).flatMap((name) => {
    const [wanted, got] = [calm[name], found[name]].map((one) => canonicalJson(one as Json));
    return wanted === got ? [] : [`${name} differ: ${firstDifference(wanted ?? "", got ?? "")}`];
  });
}

function firstDifference(wanted: string, got: string): string {
  let at = 0;
  while (at < wanted.length && wanted[at] === got[at]) at++;
  const near = (text: string): string => text.slice(Math.max(0, at - 60), at + 100);
  return `…${near(got)}… instead of …${near(wanted)}…`;
}

/** Makes one run in this process, and tells how it ended. */
export async function runHere(
  world: CohortWorld,
  variables: Readonly<Record<string, string>> = {},
  ownConfig: string | null = null,
): Promise<string> {
  return runCohort(world.env(variables), () => {}, new AbortController().signal, ownConfig);
}
