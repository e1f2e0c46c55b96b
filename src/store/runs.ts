// Runs as they are remembered: finished, and listed. Who may do one is the affair of claims.ts.

import { sql } from "kysely";

import type { Json } from "../digest.ts";
import type { FindingDelta } from "../finding.ts";
import type { RunRecord, RunStatus } from "../run.ts";
import type { Lease } from "./lease.ts";
import type { Db } from "./schema.ts";
import { pruneScopes } from "./scopes.ts";
import { closeAttempts } from "./stepAttempts.ts";
import { dropRunning, pruneSteps } from "./stepRuns.ts";
import { storable, storableJson } from "./text.ts";

/** A run as it is listed: one that was only asked for has not started. */
export interface ListedRun extends Omit<RunRecord, "startedAt"> {
  readonly requestedAt: string;
  readonly requestedBy: string | null;
  readonly priority: number;
  /** Null until somebody has claimed it. */
  readonly startedAt: string | null;
}

/** How a run ended. */
export interface RunEnd {
  readonly status: "succeeded" | "degraded" | "failed";
  readonly error: string | null;
  readonly finishedAt: Date;
  readonly deltas: Readonly<Record<string, FindingDelta | null>>;
  readonly failedScopes: Readonly<Record<string, string>>;
}

/** Finishes a run and returns its record; null where it was no longer ours. Safe to repeat when the answer was lost. */
export async function finishRun(db: Db, lease: Lease, end: RunEnd): Promise<RunRecord | null> {
  return db.transaction().execute(async (trx) => {
    const mine = await trx
      .selectFrom("run")
      .select("status")
      .where("id", "=", lease.runId)
      .where("attempt", "=", lease.attempt)
      .where("status", "in", ["running", end.status])
      .forUpdate()
      .executeTakeFirst();
    if (mine === undefined) return null;
    if (mine.status !== "running") return readRun(trx, lease.runId);
    await dropRunning(trx, lease.runId);
    await closeAttempts(trx, lease.runId, "ended", "the run ended");
    await pruneSteps(trx, lease, null);
    await pruneScopes(trx, lease);
    const counts = await readCounts(trx, lease.runId);
    const total = (kind: "added" | "removed") =>
      Object.values(end.deltas)
        .flatMap((delta) => (delta === null ? [] : Object.values(delta[kind])))
        .reduce((sum, count) => sum + count, 0);
    const outcome = {
      ...counts,
      added: total("added"),
      removed: total("removed"),
      failedScopes: end.failedScopes,
    };
    await trx
      .updateTable("run")
      .set({
        status: end.status,
        error: end.error === null ? null : storable(end.error),
        finished_at: end.finishedAt,
        lease_until: null,
        publishing_site: null,
        outcome: mergedOutcome(outcome),
      })
      .where("id", "=", lease.runId)
      .execute();
    return readRun(trx, lease.runId);
  });
}

/**
 * Ends a run before its plan has. Its attempt is raised, so that whoever does it, or comes back to it, has lost it. One that is cancelled
 * keeps the site that it publishes: its worker may be putting a file there until it hears of it.
 */
export async function endEarly(
  trx: Db,
  runId: string,
  status: "failed" | "cancelled",
  error: string,
  finishedAt: Date,
): Promise<void> {
  await dropRunning(trx, runId);
  await closeAttempts(trx, runId, status === "failed" ? "lost" : "stopped", error);
  const counts = await readCounts(trx, runId);
  await trx
    .updateTable("run")
    .set({
      status,
      error: storable(error),
      attempt: sql<number>`attempt + 1`,
      finished_at: finishedAt,
      ...(status === "cancelled" ? {} : { lease_until: null, publishing_site: null }),
      outcome: mergedOutcome(counts),
    })
    .where("id", "=", runId)
    .execute();
}

async function readCounts(db: Db, runId: string): Promise<Counts> {
  const { rows } = await sql<Counts>`${countSteps(sql`${runId}::bigint`)}`.execute(db);
  return rows[0] ?? { hits: 0, ran: 0, failed: 0 };
}

async function readRun(db: Db, runId: string): Promise<RunRecord> {
  const row = await selectStarted(db).where("run.id", "=", runId).executeTakeFirstOrThrow();
  return asRecord(row);
}

/** Reads how a run stands; null where there is none. */
export async function readStatus(db: Db, runId: string): Promise<RunStatus | null> {
  const row = await db
    .selectFrom("run")
    .select("status")
    .where("id", "=", runId)
    .executeTakeFirst();
  return row?.status ?? null;
}

/** Notes in the run's outcome what was published, on its site or in other places by their addresses; false where the run is no longer ours. */
export async function savePublished(
  db: Db,
  { runId, attempt }: Lease,
  published: { readonly published: Json } | { readonly places: Json },
): Promise<boolean> {
  const [result] = await db
    .updateTable("run")
    .set({ outcome: mergedOutcome(published) })
    .where("id", "=", runId)
    .where("attempt", "=", attempt)
    .where("status", "=", "running")
    .execute();
  return result?.numUpdatedRows === 1n;
}

function mergedOutcome(facts: unknown) {
  return sql<string>`coalesce(outcome, '{}'::jsonb) || ${storableJson(facts)}::jsonb`;
}

/** Lists runs, newest first: all, or those of one pipeline, that stand so, that began (or were asked for) since. */
export async function listRuns(
  db: Db,
  options: {
    readonly limit: number;
    readonly pipeline?: string;
    readonly status?: RunStatus;
    readonly since?: Date;
  },
): Promise<readonly ListedRun[]> {
  let query = selectRecords(db)
    .select(["run.requested_at", "run.requested_by", "run.priority"])
    .orderBy("run.id", "desc")
    .limit(options.limit);
  const { pipeline, status, since } = options;
  if (pipeline !== undefined) query = query.where("run.pipeline", "=", pipeline);
  if (status !== undefined) query = query.where("run.status", "=", status);
  if (since !== undefined) {
    query = query.where(sql<boolean>`coalesce(run.started_at, run.requested_at) >= ${since}`);
  }
  return (await query.execute()).map((row) => ({
    ...asRecord({ ...row, started_at: row.started_at ?? row.requested_at }),
    requestedAt: row.requested_at.toISOString(),
    requestedBy: row.requested_by,
    priority: row.priority,
    startedAt: row.started_at?.toISOString() ?? null,
  }));
}

/** Lists the runs of every pipeline that started before this one, newest first. */
export async function listRunsBefore(
  db: Db,
  runId: string,
  limit: number,
): Promise<readonly RunRecord[]> {
  const rows = await selectStarted(db)
    // A run may have been asked for long before it began.
    .where(
      sql<boolean>`(run.started_at, run.id) < (select r.started_at, r.id from run r where r.id = ${runId}::bigint)`,
    )
    .orderBy("run.started_at", "desc")
    .orderBy("run.id", "desc")
    .limit(limit)
    .execute();
  return rows.map(asRecord);
}

/**
 * Counts how many ended runs of a run's pipeline were degraded without another end in between: this one and back from it; 0 where it
 * was not degraded itself. A run that was cancelled says nothing of how it would have ended.
 */
export async function countDegradedInARow(db: Db, run: RunRecord): Promise<number> {
  const { rows } = await sql<{ count: number }>`
    with ended as (
      select status, row_number() over (order by finished_at desc, id desc) as n from run
      where pipeline = ${run.pipeline} and finished_at is not null and status <> 'cancelled'
        and (finished_at, id) <= (select r.finished_at, r.id from run r where r.id = ${run.id}::bigint)
    )
    select coalesce(min(n) filter (where status <> 'degraded') - 1, count(*))::integer as count
    from ended`.execute(db);
  return rows[0]?.count ?? 0;
}

interface Counts {
  readonly hits: number;
  readonly ran: number;
  readonly failed: number;
}

function countSteps(runId: ReturnType<typeof sql>) {
  return sql`
    select count(*) filter (where state = 'hit')::integer as hits,
      count(*) filter (where state = 'ran')::integer as ran,
      count(*) filter (where state = 'failed')::integer as failed
    from step_run where run_id = ${runId}`;
}

type RecordRow = {
  readonly id: string;
  readonly pipeline: string;
  readonly params: unknown;
  readonly status: RunStatus;
  readonly build: string;
  readonly started_at: Date;
  readonly finished_at: Date | null;
  readonly error: string | null;
  readonly outcome: unknown;
  readonly live: unknown;
};

function selectRecords(db: Db) {
  return db.selectFrom("run").select([
    "run.id",
    "run.pipeline",
    "run.params",
    "run.status",
    "run.build",
    "run.started_at",
    "run.finished_at",
    "run.error",
    "run.outcome",
    // A finished run has its counts in its outcome; only those of a running one are counted.
    sql<unknown>`case when run.finished_at is null then
      (select to_jsonb(c) from (${countSteps(sql`run.id`)}) c) end`.as("live"),
  ]);
}

function selectStarted(db: Db) {
  return selectRecords(db)
    .where("run.started_at", "is not", null)
    .$narrowType<{ started_at: Date }>();
}

function asRecord(row: RecordRow): RunRecord {
  // Both are written by this file and by nobody else.
  const outcome = { ...(row.outcome as Partial<RunRecord> | null), ...(row.live as Counts | null) };
  const {
    hits = 0,
    ran = 0,
    failed = 0,
    added = 0,
    removed = 0,
    failedScopes = {},
    published,
  } = outcome;
  return {
    id: row.id,
    pipeline: row.pipeline,
    params: row.params as Json,
    status: row.status,
    build: row.build,
    startedAt: row.started_at.toISOString(),
    finishedAt: row.finished_at?.toISOString() ?? null,
    hits,
    ran,
    failed,
    error: row.error,
    added,
    removed,
    failedScopes,
    published:
      published === undefined || published === null
        ? null
        : { put: published.put, deleted: published.deleted, unchanged: published.unchanged },
  };
}
