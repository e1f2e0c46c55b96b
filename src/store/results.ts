// Results of steps, under their keys: found, and committed together with their facts and the run's note of having done the step.

import { sql } from "kysely";

import { canonicalJson, type Digest, type Json } from "../digest.ts";
import { HdashError } from "../error.ts";
import type { Facts } from "./facts.ts";
import { insertFacts } from "./facts.ts";
import type { Db } from "./schema.ts";
import { type Lease, noteSteps } from "./stepRuns.ts";
import { storableJson } from "./text.ts";

/** An output as it is stored: enough to make a ref of it. */
export type StoredOutput = {
  readonly digest: Digest;
  readonly bytes: number;
  readonly codec: string;
  readonly visibility: string;
};

/** What a step's result comes to. */
export interface StoredResult {
  readonly key: string;
  readonly outputs: Readonly<Record<string, StoredOutput>>;
  /** Digest of the findings and measures; null where there are none. */
  readonly factsDigest: Digest | null;
}

/** A result to be committed. */
export interface NewResult extends StoredResult {
  readonly step: string;
  readonly version: number;
  /** The canonical JSON that the key is the digest of. */
  readonly document: string;
  readonly facts: Facts;
  readonly ms: number;
  /** '' outside of every scope. */
  readonly scope: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
}

/**
 * What a commit came to. inserted: ours is the result · same: it was known already, and ours is equal to it ·
 * differs: another one was known, and `stored` is the one that counts now · lost: the run is no longer ours, nothing was written.
 */
export type Commit =
  | { readonly kind: "inserted" | "same" | "differs"; readonly stored: StoredResult }
  | { readonly kind: "lost" };

/** Finds the results that are known for these keys. */
export async function findResults(
  db: Db,
  keys: readonly string[],
): Promise<ReadonlyMap<string, StoredResult>> {
  const rows = await db
    .selectFrom("step_result")
    .select(["step_key", "outputs", "facts_digest"])
    .where("step_key", "=", sql<string>`any(${[...keys]}::text[])`)
    .execute();
  return new Map(rows.map((row) => [row.step_key, asStored(row)]));
}

/**
 * Commits a result in one transaction: its row, its facts, and the run's step as "ran". Safe to repeat when the answer was lost.
 * @param isReplacing puts our outputs and facts in the place of others that were known for the key (a forced run).
 */
export async function commitResult(
  db: Db,
  lease: Lease,
  result: NewResult,
  isReplacing: boolean,
): Promise<Commit> {
  const lost = new HdashError("transient", `run ${lease.runId} is no longer ours`);
  try {
    return await db.transaction().execute(async (trx) => {
      const commit = await writeResult(trx, lease, result, isReplacing);
      // Last, so that the run's row is locked no longer than it must be: a rival's claim waits for this.
      const noted = await noteSteps(trx, lease, [
        {
          scope: result.scope,
          step: result.step,
          key: result.key,
          state: "ran",
          done: null,
          total: null,
          error: null,
          startedAt: result.startedAt,
          endedAt: result.endedAt,
        },
      ]);
      if (!noted) throw lost;
      return commit;
    });
  } catch (error) {
    if (error === lost) return { kind: "lost" };
    throw error;
  }
}

async function writeResult(
  trx: Db,
  lease: Lease,
  result: NewResult,
  isReplacing: boolean,
): Promise<Commit> {
  const { key, outputs, factsDigest } = result;
  const own: StoredResult = { key, outputs, factsDigest };
  const values = {
    outputs: JSON.stringify(outputs),
    facts_digest: factsDigest,
    ms: result.ms,
    run_id: lease.runId,
  };
  const inserted = await trx
    .insertInto("step_result")
    .values({
      step_key: key,
      step: result.step,
      version: result.version,
      document: result.document,
      ...values,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning("step_key")
    .executeTakeFirst();
  if (inserted !== undefined) {
    await insertFacts(trx, key, result.facts);
    return { kind: "inserted", stored: own };
  }
  const row = await trx
    .selectFrom("step_result")
    .select(["step_key", "outputs", "facts_digest"])
    .where("step_key", "=", key)
    .forUpdate()
    .executeTakeFirstOrThrow();
  const known = asStored(row);
  if (canonicalJson(asJson(known)) === canonicalJson(asJson(own)))
    return { kind: "same", stored: own };
  if (!isReplacing) return { kind: "differs", stored: known };
  await trx
    .updateTable("step_result")
    .set({ ...values, created_at: sql<Date>`now()` })
    .where("step_key", "=", key)
    .execute();
  await trx.deleteFrom("finding").where("step_key", "=", key).execute();
  await trx.deleteFrom("measure").where("step_key", "=", key).execute();
  await insertFacts(trx, key, result.facts);
  return { kind: "differs", stored: own };
}

function asStored(row: {
  readonly step_key: string;
  readonly outputs: unknown;
  readonly facts_digest: string | null;
}): StoredResult {
  return {
    key: row.step_key,
    // Written by writeResult and by nobody else.
    outputs: row.outputs as Readonly<Record<string, StoredOutput>>,
    factsDigest: row.facts_digest as Digest | null,
  };
}

function asJson(stored: StoredResult): Json {
  return JSON.parse(storableJson(stored)) as Json;
}
