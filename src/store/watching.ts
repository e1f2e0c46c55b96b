// Runs as those who watch them see them: who does one, which of its steps are at work or wait, which have failed, what was logged.

import { sql } from "kysely";

import type { Digest } from "../digest.ts";
import type { RunStatus } from "../run.ts";
import { parseIdentity, type ProcessIdentity } from "./processIdentity.ts";
import type { Db } from "./schema.ts";

/** How many steps of a run are in which state. */
export interface StepCounts {
  readonly hits: number;
  readonly ran: number;
  readonly failed: number;
  readonly running: number;
}

/** A run, and who does it. */
export interface WatchedRun {
  readonly id: string;
  readonly pipeline: string;
  readonly status: RunStatus;
  /** 0 where nobody has begun it. */
  readonly attempt: number;
  readonly worker: string | null;
  /** As whom the worker can be looked for; null where that is not known. */
  readonly identity: ProcessIdentity | null;
  readonly claimedAt: Date | null;
  readonly leaseUntil: Date | null;
  /** True where the lease has run out, by the database's clock. */
  readonly isLapsed: boolean;
  readonly requestedAt: Date;
  readonly requestedBy: string | null;
  readonly startedAt: Date | null;
  readonly finishedAt: Date | null;
  readonly error: string | null;
  readonly steps: StepCounts;
}

function selectWatched(db: Db) {
  return db
    .selectFrom("run")
    .innerJoinLateral(
      (eb) =>
        eb
          .selectFrom("step_run")
          .select([countOf("hit").as("hits"), countOf("ran").as("ran")])
          .select([countOf("failed").as("failed"), countOf("running").as("running")])
          .whereRef("step_run.run_id", "=", "run.id")
          .as("steps"),
      (join) => join.onTrue(),
    )
    .select(["run.id", "pipeline", "status", "attempt", "worker", "worker_detail", "claimed_at"])
    .select(["lease_until", "requested_at", "requested_by", "started_at", "finished_at", "error"])
    .select(sql<boolean>`coalesce(lease_until < now(), true)`.as("is_lapsed"))
    .select(["steps.hits", "steps.ran", "steps.failed", "steps.running"]);
}

function countOf(state: string) {
  return sql<number>`(count(*) filter (where state = ${sql.lit(state)}))::integer`;
}

type Row = Awaited<ReturnType<ReturnType<typeof selectWatched>["executeTakeFirstOrThrow"]>>;

function asWatched(row: Row): WatchedRun {
  const { hits, ran, failed, running } = row;
  return {
    id: row.id,
    pipeline: row.pipeline,
    status: row.status,
    attempt: row.attempt,
    worker: row.worker,
    identity: parseIdentity(row.worker_detail),
    claimedAt: row.claimed_at,
    leaseUntil: row.lease_until,
    isLapsed: row.is_lapsed,
    requestedAt: row.requested_at,
    requestedBy: row.requested_by,
    startedAt: row.started_at,
    finishedAt: row.finished_at,
    error: row.error,
    steps: { hits, ran, failed, running },
  };
}

/** Lists the runs that have not ended, oldest first. */
export async function listActive(db: Db, limit: number): Promise<readonly WatchedRun[]> {
  const rows = await selectWatched(db)
    .where("status", "in", ["queued", "running"])
    .orderBy("run.id")
    .limit(limit)
    .execute();
  return rows.map(asWatched);
}

/** Reads a run; null where there is none of this number. */
export async function readWatched(db: Db, runId: string): Promise<WatchedRun | null> {
  const row = await selectWatched(db).where("run.id", "=", runId).executeTakeFirst();
  return row === undefined ? null : asWatched(row);
}

/** A step that a run has come by and that has not ended. */
export interface StepAtWork {
  readonly scope: string;
  readonly step: string;
  readonly label: string | null;
  readonly key: string | null;
  readonly done: number | null;
  readonly total: number | null;
  readonly startedAt: Date;
  /** The number of the attempt that goes on; null where none does. */
  readonly attempt: number | null;
  /** The other run that does it, which is waited for; null where this one does. */
  readonly waitsFor: { readonly runId: string; readonly worker: string } | null;
}

/** Lists the steps of a run that are at work or wait for another run, those that began first in front. */
export async function listAtWork(
  db: Db,
  runId: string,
  limit: number,
): Promise<readonly StepAtWork[]> {
  const rows = await db
    .selectFrom("step_run as s")
    .leftJoin("step_claim as c", (join) =>
      join.onRef("c.step_key", "=", "s.step_key").on("c.lease_until", ">=", sql<Date>`now()`),
    )
    .leftJoin("step_attempt as a", (join) =>
      join
        .onRef("a.step_key", "=", "s.step_key")
        .onRef("a.run_id", "=", "s.run_id")
        .on("a.ended_at", "is", null),
    )
    .select(["s.scope", "s.step", "s.label", "s.step_key", "s.done", "s.total", "s.started_at"])
    .select(["a.n", "c.run_id as claimed_by", "c.worker"])
    .where("s.run_id", "=", runId)
    .where("s.state", "=", "running")
    .orderBy("s.started_at")
    .orderBy("s.id")
    .limit(limit)
    .execute();
  return rows.map((row) => ({
    scope: row.scope,
    step: row.step,
    label: row.label,
    key: row.step_key,
    done: row.done,
    total: row.total,
    startedAt: row.started_at,
    attempt: row.n,
    waitsFor:
      row.claimed_by === null || row.claimed_by === runId
        ? null
        : { runId: row.claimed_by, worker: row.worker ?? "an unknown worker" },
  }));
}

/** A step of a run that has failed, and its last attempt. */
export interface FailedStep {
  readonly scope: string;
  readonly step: string;
  readonly label: string | null;
  readonly key: string | null;
  readonly error: string;
  /** Null where no attempt was begun: its source could not be read. */
  readonly attempt: LoggedAttempt | null;
}

/** Lists the steps of a run that have failed, in the order in which they did. */
export async function listFailed(
  db: Db,
  runId: string,
  limit: number,
): Promise<readonly FailedStep[]> {
  const rows = await db
    .selectFrom("step_run")
    .select(["scope", "step", "label", "step_key", "error"])
    .where("run_id", "=", runId)
    .where("state", "=", "failed")
    .orderBy("ended_at")
    .orderBy("id")
    .limit(limit)
    .execute();
  const keys = rows.flatMap(({ step_key: key }) => key ?? []);
  const attempts = await selectAttempts(db)
    .distinctOn("a.step_key")
    .where("a.run_id", "=", runId)
    .where("a.step_key", "=", sql<string>`any(${keys}::text[])`)
    .orderBy("a.step_key")
    .orderBy("a.n", "desc")
    .execute();
  const byKey = new Map(attempts.map((row) => [row.step_key, asLogged(row)]));
  return rows.map((row) => ({
    scope: row.scope,
    step: row.step,
    label: row.label,
    key: row.step_key,
    error: row.error ?? "it failed",
    attempt: row.step_key === null ? null : (byKey.get(row.step_key) ?? null),
  }));
}

/** An attempt, as far as its log is asked for. */
export interface LoggedAttempt {
  readonly key: string;
  readonly n: number;
  readonly step: string;
  /** How the call was called where a run has come by it; null where nobody said. */
  readonly label: string | null;
  readonly runId: string | null;
  readonly state: string;
  readonly reason: string | null;
  readonly code: number | null;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  /** The blob of its whole log; null where there is none: what lines there are, the ledger has. */
  readonly logDigest: Digest | null;
}

function selectAttempts(db: Db) {
  return db
    .selectFrom("step_attempt as a")
    .select(["a.step_key", "a.n", "a.step", "a.run_id", "a.state", "a.reason", "a.code"])
    .select(["a.started_at", "a.ended_at", "a.log_digest"])
    .select((eb) =>
      eb
        .selectFrom("step_run as s")
        .select("s.label")
        .whereRef("s.step_key", "=", "a.step_key")
        .where("s.label", "is not", null)
        .orderBy("s.id", "desc")
        .limit(1)
        .as("label"),
    );
}

type AttemptRow = Awaited<ReturnType<ReturnType<typeof selectAttempts>["executeTakeFirstOrThrow"]>>;

function asLogged(row: AttemptRow): LoggedAttempt {
  return {
    key: row.step_key,
    n: row.n,
    step: row.step,
    label: row.label,
    runId: row.run_id,
    state: row.state,
    reason: row.reason,
    code: row.code,
    startedAt: row.started_at,
    endedAt: row.ended_at,
    logDigest: row.log_digest as Digest | null,
  };
}

/** Attempts that ended otherwise than well: those that are looked for first. */
const IS_BAD = sql<boolean>`a.state not in ('succeeded', 'running')`;

/** Where a list of a run's attempts goes on. */
export type AttemptCursor = Pick<LoggedAttempt, "startedAt" | "key" | "n">;

/** Lists attempts of a run, those that began first in front, so many behind a cursor: the ones that ended badly, or the others. */
export async function listRunAttempts(
  db: Db,
  runId: string,
  {
    isBad,
    after,
    limit,
  }: { readonly isBad: boolean; readonly after: AttemptCursor | null; readonly limit: number },
): Promise<readonly LoggedAttempt[]> {
  let query = selectAttempts(db)
    .where("a.run_id", "=", runId)
    .where(isBad ? IS_BAD : sql<boolean>`not ${IS_BAD}`)
    .orderBy("a.started_at")
    .orderBy("a.step_key")
    .orderBy("a.n")
    .limit(limit);
  if (after !== null) {
    const { startedAt, key, n } = after;
    query = query.where(
      sql<boolean>`(a.started_at, a.step_key, a.n) > (${startedAt}::timestamptz, ${key}, ${n})`,
    );
  }
  return (await query.execute()).map(asLogged);
}

/**
 * Lists attempts of a run that go on, or have ended since a moment (null: ever), those that began first in front. Of a run that is followed
 * these are all that may have something new.
 */
export async function listChanged(
  db: Db,
  runId: string,
  since: Date | null,
): Promise<readonly LoggedAttempt[]> {
  let query = selectAttempts(db)
    .where("a.run_id", "=", runId)
    .orderBy("a.started_at")
    .orderBy("a.step_key")
    .orderBy("a.n");
  if (since !== null) {
    query = query.where((eb) =>
      eb.or([eb("a.ended_at", "is", null), eb("a.ended_at", ">=", since)]),
    );
  }
  return (await query.execute()).map(asLogged);
}

/** Lists the attempts at a key, oldest first, in all runs or in one. */
export async function listKeyAttempts(
  db: Db,
  key: string,
  runId?: string,
): Promise<readonly LoggedAttempt[]> {
  let query = selectAttempts(db).where("a.step_key", "=", key).orderBy("a.n");
  if (runId !== undefined) query = query.where("a.run_id", "=", runId);
  return (await query.execute()).map(asLogged);
}

/** Finds keys that begin so and were attempted: at most so many. A step that has failed has attempts, and no result. */
export async function findAttempted(
  db: Db,
  prefix: string,
  limit: number,
): Promise<readonly { readonly key: string; readonly step: string }[]> {
  const rows = await db
    .selectFrom("step_attempt")
    .select(["step_key", "step"])
    .distinctOn("step_key")
    .where("step_key", ">=", prefix)
    // Keys are hex digits: none has a g.
    .where("step_key", "<", `${prefix}g`)
    .orderBy("step_key")
    .limit(limit)
    .execute();
  return rows.map(({ step_key: key, step }) => ({ key, step }));
}
