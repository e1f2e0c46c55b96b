// What proves that a run, or a step of it, is ours.

import type { Db } from "./schema.ts";

/** A claim on a run. Every claim has a higher attempt, so that whoever has lost the run cannot write to it any more. */
export interface Lease {
  readonly runId: string;
  readonly attempt: number;
}

/** Who holds the claim on a step. */
export interface StepHolder {
  readonly lease: Lease;
  /** Different for every start, so that a claim whose answer was lost can be asked for again. */
  readonly holder: string;
}

/** Tells whether a run still belongs to this attempt of it. */
export async function isRunOurs(db: Db, { runId, attempt }: Lease): Promise<boolean> {
  const row = await db
    .selectFrom("run")
    .select("id")
    .where("id", "=", runId)
    .where("attempt", "=", attempt)
    .where("status", "=", "running")
    .executeTakeFirst();
  return row !== undefined;
}
