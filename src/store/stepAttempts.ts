// Attempts at steps: each time that a step's work is begun. A row is written before the work is, completed once, and never changed after that.

import { sql } from "kysely";

import type { Digest } from "../digest.ts";
import type { Lease, StepHolder } from "./lease.ts";
import type { Db } from "./schema.ts";
import { storable, storableJson } from "./text.ts";

/** Numbers by name: what was given to an attempt, or what it used. */
export type Amounts = Readonly<Record<string, number>>;

/** What a worker's machine has. */
export interface Machine {
  readonly cpus: number;
  readonly memoryMiB: number;
  /** As the system calls it, e.g. "x86_64". */
  readonly arch: string;
}

/** Which attempt it is. Numbers of a key's attempts count through all runs; whoever has its claim knows the next one. */
export interface AttemptId {
  readonly key: string;
  readonly n: number;
}

/** Why work is done whose result was known: somebody insisted, a blob of it was not there, or could not be read. */
export type Cause = "forced" | "gone" | "damaged";

/** An attempt that is about to begin. */
export interface NewAttempt extends AttemptId {
  readonly step: string;
  /** Null or missing: nothing was known under its key. */
  readonly cause?: Cause | null;
  /** Who does the work: "in-process", or a runner's name. */
  readonly runner: string;
  /** What was given to it. */
  readonly resources: Amounts;
  /** Missing or null where nobody said. */
  readonly machine?: Machine | null;
  readonly startedAt: Date;
}

/**
 * How an attempt ended, in the words of all runners: succeeded · failed · timeout · oom · cancelled · lost, and why. failed · error is a
 * function's own failure, failed · output what was not given, or could not be kept. cancelled · user: told to stop · run: its run ended
 * without it · taken-over: another run has the step · moved: its source moved while it was read · input: an input could not be read.
 */
export interface AttemptEnd {
  readonly state: string;
  /** A word; null where it succeeded. */
  readonly reason: string | null;
  /** What people read of it; null where state and reason say it all. */
  readonly message: string | null;
  /** An exit code, where there is one. */
  readonly code: number | null;
  /** wallMs of the attempt's work, and what its runner has measured: programMs, cpuMs, peakMemoryBytes, leftBehind. */
  readonly usage: Amounts | null;
  /** The blob of the whole log, where one was kept. */
  readonly logDigest: Digest | null;
  readonly endedAt: Date;
}

/** An attempt as the ledger has it; `end` is null while it goes on. */
export interface Attempt extends NewAttempt {
  readonly machine: Machine | null;
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
  const { key, n, step, runner, resources, startedAt, cause = null } = attempt;
  const machine = (attempt.machine ?? null) === null ? null : storableJson(attempt.machine);
  const { rows } = await sql`
    with claim as (
      select run_id, run_attempt from step_claim
      where step_key = ${key} and holder = ${holder} and run_id = ${lease.runId} and run_attempt = ${lease.attempt}
      for share
    ), mine as (
      insert into step_attempt (step_key, n, step, run_id, run_attempt, runner, state, resources, machine, started_at, cause)
      select ${key}, ${n}, ${storable(step)}, run_id, run_attempt, ${runner}, 'running',
        ${storableJson(resources)}::jsonb, ${machine}::jsonb, ${startedAt}, ${cause}
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
      reason: end.reason,
      message: end.message === null ? null : storable(end.message),
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

/** Ends what a run has left open: its worker is gone (lost), it was told to stop (cancelled · user), or it ended without them. */
export async function closeAttempts(
  db: Db,
  runId: string,
  end: "lost" | "stopped" | "ended",
  message: string,
): Promise<void> {
  await db
    .updateTable("step_attempt")
    .set({ ...CLOSED[end], message: storable(message), ended_at: sql<Date>`now()` })
    .where("run_id", "=", runId)
    .where("ended_at", "is", null)
    .execute();
}

const CLOSED = {
  lost: { state: "lost", reason: "lease" },
  stopped: { state: "cancelled", reason: "user" },
  ended: { state: "cancelled", reason: "run" },
} as const;

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
    // All are written by this file and by nobody else.
    resources: row.resources as Amounts,
    machine: row.machine as Machine | null,
    startedAt: row.started_at,
    cause: row.cause as Cause | null,
    end:
      row.ended_at === null
        ? null
        : {
            state: row.state,
            reason: row.reason,
            message: row.message,
            code: row.code,
            usage: row.usage as Amounts | null,
            logDigest: row.log_digest as Digest | null,
            endedAt: row.ended_at,
          },
  }));
}
