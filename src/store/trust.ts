// Somebody's word that a step's new code gives what other code gave: kept with the reason, also when it is withdrawn.

import { asTrust, type Trust } from "./ancestry.ts";
import type { Db } from "./schema.ts";
import { storable } from "./text.ts";

/** A word of trust to be kept. */
export type NewTrust = Pick<
  Trust,
  "pipeline" | "step" | "code" | "standsFor" | "because" | "trustedAt"
>;

/** Keeps words of trust; one that was given for the same code and still holds gives way to the new one. */
export async function addTrust(db: Db, words: readonly NewTrust[]): Promise<void> {
  await db.transaction().execute(async (trx) => {
    for (const { pipeline, step, code, standsFor, because, trustedAt } of words) {
      await trx
        .updateTable("step_trust")
        .set({ withdrawn_at: trustedAt, withdrawn_why: "another word was given" })
        .where("pipeline", "=", pipeline)
        .where("step", "=", step)
        .where("code", "=", code)
        .where("withdrawn_at", "is", null)
        .execute();
      await trx
        .insertInto("step_trust")
        .values({
          ...{ pipeline, step, code, stands_for: standsFor },
          ...{ because: storable(because), trusted_at: trustedAt },
        })
        .execute();
    }
  });
}

/** Lists the words that hold, of a pipeline. */
export async function listHolding(db: Db, pipeline: string): Promise<readonly Trust[]> {
  const rows = await db
    .selectFrom("step_trust")
    .selectAll()
    .where("pipeline", "=", pipeline)
    .where("withdrawn_at", "is", null)
    .orderBy("id")
    .execute();
  return rows.map(asTrust);
}

/** Lists all words that were ever given, oldest first. */
export async function listAllTrust(db: Db): Promise<readonly Trust[]> {
  const rows = await db.selectFrom("step_trust").selectAll().orderBy("id").execute();
  return rows.map(asTrust);
}

/** Withdraws what holds of a step, for these codes or for all, and says how many words that were. */
export async function withdrawTrust(
  db: Db,
  { pipeline, step, codes }: Pick<Trust, "pipeline" | "step"> & Codes,
  { at, why }: { readonly at: Date; readonly why: string },
): Promise<number> {
  const { numUpdatedRows } = await db
    .updateTable("step_trust")
    .set({ withdrawn_at: at, withdrawn_why: storable(why) })
    .where("pipeline", "=", pipeline)
    .where("step", "=", step)
    .where("withdrawn_at", "is", null)
    .$if(codes !== null, (query) => query.where("code", "in", codes ?? []))
    .executeTakeFirstOrThrow();
  return Number(numUpdatedRows);
}

interface Codes {
  /** Null: whatever its code. */
  readonly codes: readonly string[] | null;
}

/** Finds the newest result that a good run of a pipeline has found or made by a step; null where there is none. */
export async function findLastOfStep(
  db: Db,
  pipeline: string,
  step: string,
): Promise<{ readonly runId: string; readonly document: string } | null> {
  const row = await db
    .selectFrom("step_run")
    .innerJoin("run", "run.id", "step_run.run_id")
    .innerJoin("step_result", "step_result.id", "step_run.result_id")
    .select(["run.id", "step_result.document"])
    .where("run.pipeline", "=", pipeline)
    .where("run.status", "in", ["succeeded", "degraded"])
    .where("step_run.step", "=", step)
    .where("step_run.state", "in", ["hit", "ran"])
    .orderBy("run.finished_at", "desc")
    .orderBy("step_run.id", "desc")
    .limit(1)
    .executeTakeFirst();
  return row === undefined ? null : { runId: row.id, document: row.document };
}

/** Lists a step's results that count and were made since an instant, oldest first. */
export async function listMadeSince(
  db: Db,
  step: string,
  since: Date,
): Promise<readonly { readonly id: string; readonly key: string; readonly document: string }[]> {
  const rows = await db
    .selectFrom("step_result")
    .select(["id", "step_key", "document"])
    .where("step", "=", step)
    .where("void_why", "is", null)
    .where("created_at", ">=", since)
    .orderBy("id")
    .execute();
  return rows.map(({ id, step_key: key, document }) => ({ id, key, document }));
}
