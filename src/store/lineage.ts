// Results as those who ask where something came from see them: by key, by what they gave, by the run that named them.

import { sql } from "kysely";

import type { Digest, Json } from "../digest.ts";
import type { RunStatus } from "../run.ts";
import { hasOutput, type StoredOutput } from "./results.ts";
import type { Db } from "./schema.ts";

/** A result with all that the ledger says of it. */
export interface LedgerResult {
  readonly id: string;
  readonly key: string;
  readonly step: string;
  readonly version: number;
  /** The canonical JSON that the key is the digest of. */
  readonly document: string;
  readonly outputs: Readonly<Record<string, StoredOutput>>;
  readonly factsDigest: Digest | null;
  readonly ms: number;
  readonly createdAt: Date;
  /** The run that made it; null where that is forgotten. */
  readonly runId: string | null;
  /** The attempt at its key that made it; null for results from before attempts were kept. */
  readonly attempt: number | null;
}

function selectResults(db: Db) {
  return db
    .selectFrom("step_result")
    .select(["id", "step_key", "step", "version", "document", "outputs", "facts_digest"])
    .select(["ms", "created_at", "run_id", "attempt"]);
}

type Row = Awaited<ReturnType<ReturnType<typeof selectResults>["executeTakeFirstOrThrow"]>>;

function asResult(row: Row): LedgerResult {
  return {
    id: row.id,
    key: row.step_key,
    step: row.step,
    version: row.version,
    document: row.document,
    // Both are written by results.ts and by nobody else.
    outputs: row.outputs as LedgerResult["outputs"],
    factsDigest: row.facts_digest as Digest | null,
    ms: row.ms,
    createdAt: row.created_at,
    runId: row.run_id,
    attempt: row.attempt,
  };
}

/** Reads results by their ids, in no order. */
export async function readResults(
  db: Db,
  ids: readonly string[],
): Promise<readonly LedgerResult[]> {
  if (ids.length === 0) return [];
  const rows = await selectResults(db)
    .where("id", "=", sql<string>`any(${[...ids]}::bigint[])`)
    .execute();
  return rows.map(asResult);
}

/** Finds the results that count for keys that begin so, by key: at most so many keys. */
export async function findByKey(
  db: Db,
  prefix: string,
  limit: number,
): Promise<readonly LedgerResult[]> {
  const rows = await selectResults(db)
    .distinctOn("step_key")
    .where("step_key", ">=", prefix)
    // Keys are hex digits: none has a g.
    .where("step_key", "<", `${prefix}g`)
    .orderBy("step_key")
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
  return rows.map(asResult);
}

/** Finds the results that have an output of this digest, newest first. */
export async function findMakers(
  db: Db,
  digest: Digest,
  limit: number,
): Promise<readonly LedgerResult[]> {
  const rows = await selectResults(db)
    .where(hasOutput(digest))
    .orderBy(byAge, "desc")
    .limit(limit)
    .execute();
  return rows.map(asResult);
}

/**
 * The order of results where few are meant, in a form that no index has: for the first few of all ids the planner would walk through every
 * result there is, since it takes what a digest finds for a ten-thousandth of them. With a million that is a second for each digest.
 */
const byAge = sql<string>`id + 0`;

/** A step as a run came by it. */
export interface RunStep {
  readonly scope: string;
  readonly step: string;
  readonly label: string | null;
  readonly key: string | null;
  readonly resultId: string | null;
  readonly state: "running" | "hit" | "ran" | "failed";
  readonly error: string | null;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
}

function selectSteps(db: Db) {
  return db
    .selectFrom("step_run")
    .select(["run_id", "scope", "step", "label", "step_key", "result_id", "state", "error"])
    .select(["started_at", "ended_at"]);
}

type StepRow = Awaited<ReturnType<ReturnType<typeof selectSteps>["executeTakeFirstOrThrow"]>>;

function asSighted(row: StepRow): Sighted {
  return {
    runId: row.run_id,
    scope: row.scope,
    step: row.step,
    label: row.label,
    key: row.step_key,
    resultId: row.result_id,
    state: row.state,
    error: row.error,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  };
}

/** Lists the steps of a run, in the order in which it came by them. */
export async function listRunSteps(db: Db, runId: string): Promise<readonly RunStep[]> {
  const rows = await selectSteps(db).where("run_id", "=", runId).orderBy("id").execute();
  return rows.map(asSighted);
}

/** A run as its ledger row tells it, with what is needed to begin it again. */
export interface LedgerRun {
  readonly id: string;
  readonly pipeline: string;
  readonly params: Json;
  readonly status: RunStatus;
  readonly build: string;
  readonly worker: string | null;
  readonly workerDetail: Json | null;
  readonly origin: Json | null;
  readonly requestedAt: Date;
  readonly requestedBy: string | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly error: string | null;
}

function selectRuns(db: Db) {
  return db
    .selectFrom("run")
    .select(["id", "pipeline", "params", "status", "build", "worker", "worker_detail", "origin"])
    .select(["requested_at", "requested_by", "started_at", "finished_at", "error"]);
}

type RunRow = Awaited<ReturnType<ReturnType<typeof selectRuns>["executeTakeFirstOrThrow"]>>;

function asRun(row: RunRow): LedgerRun {
  return {
    id: row.id,
    pipeline: row.pipeline,
    params: row.params as Json,
    status: row.status,
    build: row.build,
    worker: row.worker,
    workerDetail: row.worker_detail as Json | null,
    origin: row.origin as Json | null,
    requestedAt: row.requested_at,
    requestedBy: row.requested_by,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    error: row.error,
  };
}

/** Reads a run; null where there is none of this number. */
export async function readLedgerRun(db: Db, runId: string): Promise<LedgerRun | null> {
  // A number that no bigint holds is no run's.
  if (!/^\d{1,18}$/.test(runId)) return null;
  const row = await selectRuns(db).where("id", "=", runId).executeTakeFirst();
  return row === undefined ? null : asRun(row);
}

/** A run that was asked for some results only, or of which only a part was imported, says nothing of the others. */
export function isWhole() {
  return sql<boolean>`coalesce(jsonb_typeof(origin -> 'only'), 'null') = 'null' and origin -> 'isPartial' is null`;
}

/** Finds the last run of a pipeline that ended well and that says something of a part of it only. */
export async function findLastPartialRun(db: Db, pipeline: string): Promise<LedgerRun | null> {
  const row = await selectRuns(db)
    .where("pipeline", "=", pipeline)
    .where("status", "in", ["succeeded", "degraded"])
    .orderBy("finished_at", "desc")
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : asRun(row);
}

/** Finds the last run of a pipeline that ended well or degraded and was asked for all, before another one where that is said. */
export async function findLastGoodRun(
  db: Db,
  pipeline: string,
  before?: string,
): Promise<LedgerRun | null> {
  let query = selectRuns(db)
    .where("pipeline", "=", pipeline)
    .where("status", "in", ["succeeded", "degraded"])
    .where(isWhole())
    .orderBy("finished_at", "desc")
    .orderBy("id", "desc")
    .limit(1);
  if (before !== undefined) query = query.where("id", "<", before);
  const row = await query.executeTakeFirst();
  return row === undefined ? null : asRun(row);
}

/** Finds of each pipeline the last run that has ended and has pages on the site. */
export async function listShownRuns(
  db: Db,
  pipelines: readonly string[],
): Promise<readonly LedgerRun[]> {
  if (pipelines.length === 0) return [];
  const rows = await selectRuns(db)
    .distinctOn("pipeline")
    .where("pipeline", "in", pipelines)
    .where("finished_at", "is not", null)
    .where(sql<boolean>`origin -> 'isPublished' = 'true'`)
    .orderBy("pipeline")
    .orderBy("finished_at", "desc")
    .orderBy("id", "desc")
    .execute();
  return rows.map(asRun);
}

/** Tells whether the ledger has any run of a pipeline. */
export async function hasRuns(db: Db, pipeline: string): Promise<boolean> {
  const row = await db
    .selectFrom("run")
    .select("id")
    .where("pipeline", "=", pipeline)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** A step of a run in which a result was seen. */
export interface Sighted extends RunStep {
  readonly runId: string;
}

/** Lists where a result was seen, newest run first. */
export async function listSightings(
  db: Db,
  resultId: string,
  limit: number,
): Promise<readonly Sighted[]> {
  const rows = await selectSteps(db)
    .where("result_id", "=", resultId)
    .orderBy("run_id", "desc")
    .orderBy("id", "desc")
    .limit(limit)
    .execute();
  return rows.map(asSighted);
}

/** Finds what was published last under a path of any site. */
export async function findPublished(
  db: Db,
  path: string,
): Promise<{
  readonly site: string;
  readonly digest: Digest;
  readonly runId: string | null;
} | null> {
  const row = await db
    .selectFrom("publication")
    .select(["site", "digest", "run_id"])
    .where("path", "=", path)
    .where("etag", "!=", "")
    .orderBy("published_at", "desc")
    .limit(1)
    .executeTakeFirst();
  if (row === undefined) return null;
  return { site: row.site, digest: row.digest as Digest, runId: row.run_id };
}

/** A call of a run that came to a result. */
export interface RunCall {
  readonly scope: string;
  readonly step: string;
  readonly label: string | null;
  readonly key: string;
  readonly state: "hit" | "ran";
  readonly resultId: string;
  readonly outputs: LedgerResult["outputs"];
  /** What the work took, whenever that was. */
  readonly ms: number;
}

/** Lists the calls of a run that came to a result, in the order in which it came by them. */
export async function listRunCalls(db: Db, runId: string): Promise<readonly RunCall[]> {
  const rows = await db
    .selectFrom("step_run")
    .innerJoin("step_result", "step_result.id", "step_run.result_id")
    .select(["step_run.scope", "step_run.step", "step_run.label", "step_run.state"])
    .select(["step_result.id", "step_result.step_key", "step_result.outputs", "step_result.ms"])
    .where("step_run.run_id", "=", runId)
    .where("step_run.state", "in", ["hit", "ran"])
    .orderBy("step_run.id")
    .execute();
  return rows.map((row) => ({
    scope: row.scope,
    step: row.step,
    label: row.label,
    key: row.step_key,
    state: row.state === "ran" ? "ran" : "hit",
    resultId: row.id,
    outputs: row.outputs as LedgerResult["outputs"],
    ms: row.ms,
  }));
}

/** What is known of some content: what gave it, and how big it is. */
export interface KnownContent {
  readonly digest: Digest;
  readonly resultId: string;
  readonly step: string;
  /** How the call was called that gave it; null where nobody said. */
  readonly label: string | null;
  readonly port: string;
  readonly codec: string;
  readonly bytes: number;
  /** The run that made it. */
  readonly runId: string | null;
}

/** Tells for many digests what gave them, newest first. Those that no step has given are missing. */
export async function describeContents(
  db: Db,
  digests: readonly Digest[],
): Promise<ReadonlyMap<Digest, KnownContent>> {
  if (digests.length === 0) return new Map();
  const { rows } = await sql<{
    digest: Digest;
    id: string;
    step: string;
    outputs: LedgerResult["outputs"];
    run_id: string | null;
    label: string | null;
  }>`
    select asked.digest, made.id, made.step, made.outputs, made.run_id, called.label
    from unnest(${[...new Set(digests)]}::text[]) as asked(digest)
    cross join lateral (
      select id, step, outputs, run_id from step_result
      where jsonb_path_query_array(outputs, '$.*.digest') @> jsonb_build_array(asked.digest)
      order by ${byAge} desc limit 1
    ) made
    left join lateral (
      select label from step_run where result_id = made.id and label is not null order by id desc limit 1
    ) called on true`.execute(db);
  return new Map(
    rows.map(({ digest, id: resultId, run_id: runId, ...made }) => [
      digest,
      contentOf(digest, { ...made, resultId, runId }),
    ]),
  );
}

/** What is known of the content of an output of a call. */
export function contentOf(
  digest: Digest,
  call: Pick<RunCall, "step" | "label" | "outputs" | "resultId"> & Pick<KnownContent, "runId">,
): KnownContent {
  const { step, label, outputs, resultId, runId } = call;
  const port = portOf(outputs, digest) ?? "";
  const { bytes = 0, codec = "" } = outputs[port] ?? {};
  return { digest, resultId, step, label, port, codec, bytes, runId };
}

/** The first port that gave some content; null where none did. */
export function portOf(outputs: LedgerResult["outputs"], digest: Digest): string | null {
  return Object.entries(outputs).find(([, output]) => output.digest === digest)?.[0] ?? null;
}
