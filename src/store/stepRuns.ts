// What a run notes of its steps: which it found, which it ran, which failed, and how far one is that is running.

import { sql } from "kysely";

import type { Lease } from "./lease.ts";
import type { Db } from "./schema.ts";
import { closeAttempts } from "./stepAttempts.ts";
import { storableJson } from "./text.ts";

/** A step of a run. A note of the same scope and key replaces an earlier one, but never takes back that the run ran it. */
export interface StepNote {
  /** '' outside of every scope. */
  readonly scope: string;
  readonly step: string;
  /** How people call this call of it; null where nobody said. */
  readonly label?: string | null;
  /** Null where the source could not be pinned, so that there is no key. */
  readonly key: string | null;
  /** The result that the run found or made; null where there is none yet, or none at all. */
  readonly resultId: string | null;
  readonly state: "running" | "hit" | "ran" | "failed";
  readonly done: number | null;
  readonly total: number | null;
  readonly error: string | null;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
}

/** Writes notes in one statement; false where the run is no longer ours, and then nothing is written. `notes` has no scope and key twice. */
export async function noteSteps(
  db: Db,
  { runId, attempt }: Lease,
  notes: readonly StepNote[],
): Promise<boolean> {
  const rows = storableJson(
    notes.map(({ key, resultId, startedAt, endedAt, ...note }) => ({
      ...note,
      step_key: key,
      result_id: resultId,
      started_at: startedAt,
      ended_at: endedAt,
    })),
  );
  const isKept = sql`step_run.state = 'ran' and excluded.state in ('hit', 'running')`;
  const written = await sql`
    with mine as (
      select id, attempt from run
      where id = ${runId} and attempt = ${attempt} and status = 'running' for share
    )
    insert into step_run (run_id, scope, step, label, step_key, result_id, state, attempt, done, total, error, started_at, ended_at)
    select mine.id, note.scope, note.step, note.label, note.step_key, note.result_id, note.state, mine.attempt, note.done, note.total,
      note.error, note.started_at, note.ended_at
    from mine, jsonb_to_recordset(${rows}::jsonb) as note(scope text, step text, label text, step_key text, result_id bigint, state text,
      done double precision, total double precision, error text, started_at timestamptz, ended_at timestamptz)
    on conflict (run_id, scope, step_key) do update set
      attempt = excluded.attempt,
      result_id = case when excluded.state = 'running' and ${isKept} then step_run.result_id else excluded.result_id end,
      state = case when ${isKept} then step_run.state else excluded.state end,
      done = case when ${isKept} then step_run.done else excluded.done end,
      total = case when ${isKept} then step_run.total else excluded.total end,
      error = case when ${isKept} then step_run.error else excluded.error end,
      started_at = case when ${isKept} then step_run.started_at else excluded.started_at end,
      ended_at = case when ${isKept} then step_run.ended_at else excluded.ended_at end`.execute(db);
  return Number(written.numAffectedRows ?? 0n) === notes.length;
}

/**
 * Starts a new attempt of a run: forgets what earlier ones noted, except for the steps that they ran, whose keys it returns.
 * Those count as this run's own work when the replay finds them.
 */
export async function startAttempt(db: Db, runId: string): Promise<readonly string[]> {
  await closeAttempts(db, runId, "lost", "the run went on without it");
  await db.deleteFrom("step_run").where("run_id", "=", runId).where("state", "!=", "ran").execute();
  const rows = await db
    .selectFrom("step_run")
    .select("step_key")
    .distinct()
    .where("run_id", "=", runId)
    .where("step_key", "is not", null)
    .execute();
  return rows.map(({ step_key: key }) => key).filter((key) => key !== null);
}

/** Forgets what earlier attempts ran in a scope (null: in any) but this one did not come by again, because the world has moved in between. */
export async function pruneSteps(
  db: Db,
  { runId, attempt }: Lease,
  scope: string | null,
): Promise<void> {
  let query = db.deleteFrom("step_run").where("run_id", "=", runId).where("attempt", "<", attempt);
  if (scope !== null) query = query.where("scope", "=", scope);
  await query.execute();
}

/** Forgets steps that were still running when the run ended: they were stopped, and have neither result nor failure. */
export async function dropRunning(db: Db, runId: string): Promise<void> {
  await db
    .deleteFrom("step_run")
    .where("run_id", "=", runId)
    .where("state", "=", "running")
    .execute();
}

/** Lists the scopes of a run in which a step ran: those in which something was not known yet, or had moved. */
export async function listMovedScopes(db: Db, runId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("step_run")
    .select("scope")
    .distinct()
    .where("run_id", "=", runId)
    .where("state", "=", "ran")
    .where("scope", "!=", "")
    .orderBy("scope")
    .execute();
  return rows.map(({ scope }) => scope);
}
