// Calls of steps as a run came by them, each with the result that it found or made, and how its last attempt in that run ended.

import { sql } from "kysely";

import type { Digest } from "../digest.ts";
import type { StoredOutput } from "./results.ts";
import type { Db } from "./schema.ts";

/** The last attempt of a run at a step. */
export interface LastAttempt {
  /** The number that the ledger has it under, of all runs' attempts. */
  readonly n: number;
  /** The how manieth of the run it was. */
  readonly inRun: number;
  readonly state: string;
  readonly reason: string | null;
  /** What its program ended with; null where it had none, or a signal ended it. */
  readonly code: number | null;
  /** What people read of its end. */
  readonly message: string | null;
  readonly runner: string;
  /** The blob of its log, where one was kept. */
  readonly logDigest: Digest | null;
}

/** A call of a step. */
export interface CallOfStep {
  /** '' outside of every scope. */
  readonly scope: string;
  readonly step: string;
  readonly label: string | null;
  readonly key: string | null;
  readonly state: "running" | "hit" | "ran" | "failed";
  readonly error: string | null;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
  /** What it found or made; null where it has neither. */
  readonly result: {
    readonly id: string;
    /** The run that made it; null where that is forgotten. */
    readonly runId: string | null;
    /** How long that took. */
    readonly ms: number;
    /** True where its step closes over something of a user's: code. */
    readonly isClosed: boolean;
    readonly outputs: Readonly<Record<string, StoredOutput>>;
  } | null;
  /** Null where the run has begun none. */
  readonly attempt: LastAttempt | null;
}

/** Lists the calls of a run, in the order in which it came by them. */
export async function listCalls(db: Db, runId: string): Promise<readonly CallOfStep[]> {
  const attempts = db
    .selectFrom("step_attempt")
    .distinctOn("step_key")
    .select(["step_key", "n", "state", "reason", "code", "message", "runner", "log_digest"])
    .select(sql<string>`count(*) over (partition by step_key)`.as("in_run"))
    .where("run_id", "=", runId)
    .orderBy("step_key")
    .orderBy("n", "desc");
  const rows = await db
    .selectFrom("step_run as s")
    .leftJoin("step_result as r", "r.id", "s.result_id")
    .leftJoin(attempts.as("a"), "a.step_key", "s.step_key")
    .select(["s.scope", "s.step", "s.label", "s.step_key", "s.state", "s.error"])
    .select(["s.started_at", "s.ended_at", "r.id as result_id", "r.run_id", "r.ms", "r.outputs"])
    .select([
      "a.n",
      "a.in_run",
      "a.state as end_state",
      "a.reason",
      "a.code",
      "a.message",
      "a.runner",
    ])
    .select("a.log_digest")
    .select(sql<boolean | null>`r.document::jsonb -> 'uses' is not null`.as("is_closed"))
    .where("s.run_id", "=", runId)
    .orderBy("s.id")
    .execute();
  return rows.map((row) => ({
    ...{ scope: row.scope, step: row.step, label: row.label, key: row.step_key },
    ...{ state: row.state, error: row.error, startedAt: row.started_at, endedAt: row.ended_at },
    result:
      row.result_id === null
        ? null
        : {
            ...{ id: row.result_id, runId: row.run_id, ms: row.ms ?? 0 },
            isClosed: row.is_closed === true,
            // Written by results.ts and by nobody else.
            outputs: row.outputs as Readonly<Record<string, StoredOutput>>,
          },
    attempt:
      row.n === null
        ? null
        : {
            ...{ n: row.n, inRun: Number(row.in_run), state: row.end_state ?? "" },
            ...{
              reason: row.reason,
              code: row.code,
              message: row.message,
              runner: row.runner ?? "",
            },
            logDigest: row.log_digest as Digest | null,
          },
  }));
}
