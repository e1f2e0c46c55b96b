// What comes of doing a step again: kept beside the result that it was compared with, which stays as it is.

import { sql } from "kysely";

import type { Verdict } from "./ancestry.ts";
import type { Db } from "./schema.ts";
import type { Machine } from "./stepAttempts.ts";
import { storableJson } from "./text.ts";

/** A verdict to be kept. */
export interface NewVerdict extends Pick<
  Verdict,
  "resultId" | "state" | "differences" | "build" | "checkedAt"
> {
  readonly machine: Machine;
  readonly ms: number;
}

/** Keeps a verdict; those from before stay. Of a result that has been forgotten meanwhile nothing is kept. */
export async function addVerdict(db: Db, verdict: NewVerdict): Promise<void> {
  const { resultId, state, differences, build, machine, ms, checkedAt } = verdict;
  await sql`
    insert into step_verdict (result_id, state, differences, build, machine, ms, checked_at)
    select id, ${state}, ${storableJson(differences)}::jsonb, ${build}, ${storableJson(machine)}::jsonb,
      ${ms}::double precision, ${checkedAt.toISOString()}::timestamptz
    from step_result where id = ${resultId}::bigint`.execute(db);
}
