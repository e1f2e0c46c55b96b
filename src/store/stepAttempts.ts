// Attempts at steps: each time that a step's work is begun. A row is written before the work is, completed once, and never changed after that.

import { sql } from "kysely";

import type { Digest } from "../digest.ts";
import type { Lease, StepHolder } from "./lease.ts";
import type { Db } from "./schema.ts";
import { storable, storableJson } from "./text.ts";

/** Numbers by name: what was given to an attempt, or what it used. */
export type Amounts = Readonly<Record<string, number>>;

/** Which attempt it is. Numbers of a key's attempts count through all runs; whoever has its claim knows the next one. */
export interface AttemptId {
  readonly key: string;
  readonly n: number;
}

/** An attempt that is about to begin. */
export interface NewAttempt extends AttemptId {
  readonly step: string;
  /** Who does the work: "in-process", or a runner's name. */
  readonly runner: string;
  readonly resources: Amounts;
  readonly startedAt: Date;
}

/** How an attempt ended. */
export interface AttemptEnd {
  /** succeeded, failed, cancelled, lost, or what a runner says of a program's end. */
  readonly state: string;
  /** An exit code, where there is one. */
  readonly code: number | null;
  readonly reason: string | null;
  readonly usage: Amounts | null;
  /** The blob of the whole log, where one was kept. */
  readonly logDigest: Digest | null;
  readonly endedAt: Date;
}

/** An attempt as the ledger has it; `end` is null while it goes on. */
export interface Attempt extends NewAttempt {
  /** Null where the run itself is forgotten. */
  readonly runId: string | null;
  readonly runAttempt: number;
  /** The runner's own name for it. */
  readonly runnerId: string | null;
  readonly end: AttemptEnd | null;
}

/**
 * Writes the row of an attempt before its work begins, for whoever has the step's claim; false where that was lost. Safe to repeat when
 * the answer was lost.
 */
export async function beginAttempt(
  db: Db,
  { lease, holder }: StepHolder,
  attempt: NewAttempt,
): Promise<boolean> {
  const { key, n, step, runner, resources, startedAt } = attempt;
  const { rows } = await sql`
    with claim as (
      select run_id, run_attempt from step_claim
      where step_key = ${key} and holder = ${holder} and run_id = ${lease.runId} and run_attempt = ${lease.attempt}
      for share
    ), mine as (
      insert into step_attempt (step_key, n, step, run_id, run_attempt, runner, state, resources, started_at)
      select ${key}, ${n}, ${storable(step)}, run_id, run_attempt, ${runner}, 'running',
        ${storableJson(resources)}::jsonb, ${startedAt}
      from claim
      on conflict (step_key, n) do nothing
      returning n
    )
    select n from mine
    union all
    select a.n from step_attempt a join claim c on a.run_id = c.run_id and a.run_attempt = c.run_attempt
    where a.step_key = ${key} and a.n = ${n} and a.ended_at is null`.execute(db);
  return rows.length > 0;
}

/** Notes the runner's own name for an attempt of ours, so that whoever comes after us can ask for it. */
export async function nameAttempt(
  db: Db,
  lease: Lease,
  attempt: AttemptId,
  runnerId: string,
): Promise<void> {
  await updateOwn(db, lease, attempt).set({ runner_id: runnerId }).execute();
}

/** Completes the row of an attempt of ours; one that has ended keeps its first end. */
export async function endAttempt(
  db: Db,
  lease: Lease,
  attempt: AttemptId,
  end: AttemptEnd,
): Promise<void> {
  await updateOwn(db, lease, attempt)
    .set({
      state: end.state,
      code: end.code,
      reason: end.reason === null ? null : storable(end.reason),
      usage: end.usage === null ? null : storableJson(end.usage),
      log_digest: end.logDigest,
      ended_at: end.endedAt,
    })
    .execute();
}

/** Selects an attempt for a change, as long as it goes on and belongs to this attempt of the run. */
function updateOwn(db: Db, lease: Lease, { key, n }: AttemptId) {
  return db
    .updateTable("step_attempt")
    .where("step_key", "=", key)
    .where("n", "=", n)
    .where("run_id", "=", lease.runId)
    .where("run_attempt", "=", lease.attempt)
    .where("ended_at", "is", null);
}

/** Ends what a run has left open: its worker is gone, or has stopped. */
export async function closeAttempts(
  db: Db,
  runId: string,
  state: "lost" | "cancelled",
  reason: string,
): Promise<void> {
  await db
    .updateTable("step_attempt")
    .set({ state, reason, ended_at: sql<Date>`now()` })
    .where("run_id", "=", runId)
    .where("ended_at", "is", null)
    .execute();
}

/** Lists the attempts at a step, oldest first: in all runs, or in one. */
export async function listAttempts(
  db: Db,
  key: string,
  runId?: string,
): Promise<readonly Attempt[]> {
  let query = db.selectFrom("step_attempt").selectAll().where("step_key", "=", key).orderBy("n");
  if (runId !== undefined) query = query.where("run_id", "=", runId);
  const rows = await query.execute();
  return rows.map((row) => ({
    key: row.step_key,
    n: row.n,
    step: row.step,
    runId: row.run_id,
    runAttempt: row.run_attempt,
    runner: row.runner,
    runnerId: row.runner_id,
    // Both are written by this file and by nobody else.
    resources: row.resources as Amounts,
    startedAt: row.started_at,
    end:
      row.ended_at === null
        ? null
        : {
            state: row.state,
            code: row.code,
            reason: row.reason,
            usage: row.usage as Amounts | null,
            logDigest: row.log_digest as Digest | null,
            endedAt: row.ended_at,
          },
  }));
}
