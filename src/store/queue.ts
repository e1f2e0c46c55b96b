// The queue of runs: asked for by one, claimed by another, cancelled by whoever changes their mind.

import { sql } from "kysely";

import { canonicalJson, digestOf, type Json } from "../digest.ts";
import type { RunStatus } from "../run.ts";
import { abandonLate, type Claim, type Holding, selectHolds, takeRun } from "./claims.ts";
import { endEarly } from "./runs.ts";
import type { Db } from "./schema.ts";
import { storable, storableJson } from "./text.ts";

/** A run that somebody wants done. */
export interface RunRequested {
  readonly pipeline: string;
  readonly params: Json;
  /** The build that was asked; the one that does it takes its place. */
  readonly build: string;
  readonly requestedBy: string | null;
  /** The highest goes first; among equals the one that has waited longest. */
  readonly priority: number;
}

/**
 * Asks for a run. Where the same pipeline has an active run with the same params, that is the one: it keeps who asked for it first, and
 * gets the higher of both priorities.
 */
export async function requestRun(
  db: Db,
  request: RunRequested,
): Promise<{ readonly runId: string; readonly isNew: boolean }> {
  const paramsKey = digestOf(canonicalJson(request.params));
  for (;;) {
    const made = await insertQueued(db, request, paramsKey);
    if (made !== null) return { runId: made, isNew: true };
    const active = await db
      .updateTable("run")
      .set({ priority: sql<number>`greatest(priority, ${request.priority})` })
      .where("pipeline", "=", request.pipeline)
      .where("params_key", "=", paramsKey)
      .where("status", "in", ["queued", "running"])
      .returning("id")
      .executeTakeFirst();
    // It may have ended between both looks.
    if (active !== undefined) return { runId: active.id, isNew: false };
  }
}

async function insertQueued(
  db: Db,
  { pipeline, params, build, requestedBy, priority }: RunRequested,
  paramsKey: string,
  requestedAt?: Date,
): Promise<string | null> {
  const row = await db
    .insertInto("run")
    .values({
      ...{ pipeline, build, priority, params_key: paramsKey, status: "queued", attempt: 0 },
      params: storableJson(params),
      requested_by: requestedBy === null ? null : storable(requestedBy),
      ...(requestedAt === undefined ? {} : { requested_at: requestedAt }),
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .executeTakeFirst();
  return row?.id ?? null;
}

/** A run from the queue, and what it is of. */
export type NextClaim = Extract<Claim, { kind: "claimed" }> & {
  readonly pipeline: string;
  readonly params: Json;
};

/**
 * Claims the next run of these pipelines: the one of highest priority, then the one that was asked for first. To the queue belong also runs
 * that were handed back, and such as whose worker has fallen silent. Null where there is nothing to do. Those that other workers are about
 * to claim are skipped. A run that was started too long ago ends as failed, and is asked for anew in the same turn.
 */
export async function claimNext(
  db: Db,
  pipelines: readonly string[],
  request: Holding,
): Promise<NextClaim | null> {
  return db.transaction().execute(async (trx) => {
    const own = await selectHolds(trx, request)
      .select(["pipeline", "params"])
      .where("status", "=", "running")
      .where(sql<boolean>`worker_detail ->> 'nonce' = ${request.nonce}`)
      .executeTakeFirst();
    // Its answer was lost.
    if (own !== undefined) return taken(trx, own, request);
    for (;;) {
      const run = await selectHolds(trx, request)
        .select(["pipeline", "params", "params_key", "build"])
        .select(["requested_by", "requested_at", "priority"])
        .where("pipeline", "=", sql<string>`any(${[...pipelines]}::text[])`)
        .where(isQueued())
        .where((eb) =>
          eb.or([eb("status", "=", "queued"), eb("lease_until", "<", sql<Date>`now()`)]),
        )
        .orderBy("priority", "desc")
        .orderBy("requested_at")
        .orderBy("id")
        .limit(1)
        .forUpdate()
        .skipLocked()
        .executeTakeFirst();
      if (run === undefined) return null;
      if (!(await abandonLate(trx, run, request))) return taken(trx, run, request);
      const { pipeline, build, requested_by: requestedBy, priority } = run;
      const asked = { pipeline, params: run.params as Json, build, requestedBy, priority };
      // It has waited since it was asked for first.
      await insertQueued(trx, asked, run.params_key, run.requested_at);
    }
  });
}

/** Word for word what the index run_queue is made for. */
export function isQueued() {
  return sql<boolean>`status in ('queued', 'running')`;
}

async function taken(
  trx: Db,
  run: { readonly id: string; readonly pipeline: string; readonly params: unknown },
  request: Holding,
): Promise<NextClaim> {
  // Params were written by requestRun or claimRun, and by nobody else.
  const of = { pipeline: run.pipeline, params: run.params as Json };
  return { ...(await takeRun(trx, run.id, request)), ...of };
}

/**
 * Cancels a run that has not ended. A worker that does it learns that it has lost it with its next heartbeat, and can write nothing more
 * into the ledger; a site that it is publishing stays its own until it has let go of it. Says how the run stands where it has ended already; null where there is none.
 */
export async function cancelRun(
  db: Db,
  runId: string,
  why: string,
  at: Date,
): Promise<RunStatus | null> {
  return db.transaction().execute(async (trx) => {
    const run = await trx
      .selectFrom("run")
      .select("status")
      .where("id", "=", runId)
      .forUpdate()
      .executeTakeFirst();
    if (run === undefined) return null;
    if (run.status !== "queued" && run.status !== "running") return run.status;
    await endEarly(trx, runId, "cancelled", why, at);
    return "cancelled";
  });
}
