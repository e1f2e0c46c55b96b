// Attempts at steps: each time that a step's work is begun. A row is written before the work is, completed once, and never changed after that.

import { sql } from "kysely";

import type { Digest } from "../digest.ts";
import type { Db } from "./schema.ts";
import { storable, storableJson } from "./text.ts";

/** Numbers by name: what was given to an attempt, or what it used. */
export type Amounts = Readonly<Record<string, number>>;

/** An attempt that is about to begin. Numbers of a key's attempts count through all runs; whoever has its claim knows the next one. */
export interface NewAttempt {
  readonly key: string;
  readonly n: number;
  readonly runId: string;
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
export interface Attempt extends Omit<NewAttempt, "runId"> {
  readonly runId: string | null;
  /** The runner's own name for it. */
  readonly runnerId: string | null;
  readonly end: AttemptEnd | null;
}

/** Writes the row of an attempt before its work begins. Safe to repeat; false where another run has that number, so that the step's claim was lost. */
export async function beginAttempt(db: Db, attempt: NewAttempt): Promise<boolean> {
  const { key, n, runId, runner, resources, startedAt } = attempt;
  const { rows } = await sql<{ run_id: string | null }>`
    with mine as (
      insert into step_attempt (step_key, n, run_id, runner, state, resources, started_at)
      values (${key}, ${n}, ${runId}, ${runner}, 'running', ${storableJson(resources)}::jsonb, ${startedAt})
      on conflict (step_key, n) do nothing
      returning run_id
    )
    select run_id from mine
    union all select run_id from step_attempt where step_key = ${key} and n = ${n}`.execute(db);
  return rows[0]?.run_id === runId;
}

/** Notes the runner's own name for an attempt, so that whoever comes after us can ask for it. */
export async function nameAttempt(
  db: Db,
  { key, n }: Pick<Attempt, "key" | "n">,
  runnerId: string,
): Promise<void> {
  await db
    .updateTable("step_attempt")
    .set({ runner_id: runnerId })
    .where("step_key", "=", key)
    .where("n", "=", n)
    .where("ended_at", "is", null)
    .execute();
}

/** Completes the row of an attempt; one that has ended keeps its first end. */
export async function endAttempt(
  db: Db,
  { key, n }: Pick<Attempt, "key" | "n">,
  end: AttemptEnd,
): Promise<void> {
  await db
    .updateTable("step_attempt")
    .set({
      state: end.state,
      code: end.code,
      reason: end.reason === null ? null : storable(end.reason),
      usage: end.usage === null ? null : storableJson(end.usage),
      log_digest: end.logDigest,
      ended_at: end.endedAt,
    })
    .where("step_key", "=", key)
    .where("n", "=", n)
    .where("ended_at", "is", null)
    .execute();
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
    runId: row.run_id,
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
