// Claims on runs: one worker at a time, with a lease that goes by the database's clock.

import { sql } from "kysely";

import { canonicalJson, digestOf, type Json } from "../digest.ts";
import type { Lease } from "./lease.ts";
import { describeProcess, parseIdentity, type ProcessIdentity } from "./processIdentity.ts";
import { endEarly } from "./runs.ts";
import type { Db } from "./schema.ts";
import { closeAttempts } from "./stepAttempts.ts";
import { startAttempt } from "./stepRuns.ts";
import { storableJson } from "./text.ts";

/**
 * A run that was started longer ago than this, and that nobody does, is not gone on with: what it says of itself (when it started, what it
 * compares with) would be of another day. Its results stay, so that the new run finds them. Milliseconds.
 */
export const LONGEST_PAUSE_MS = 6 * 3_600_000;

/** Who wants to do a run. */
export interface Holding {
  readonly build: string;
  readonly worker: ProcessIdentity;
  /** Different for every start, so that a claim whose answer was lost can be asked for again. */
  readonly nonce: string;
  readonly startedAt: Date;
  readonly leaseSeconds: number;
  /** Proves that the worker of a run is dead, so that its lease need not run out. */
  readonly isDead: (worker: ProcessIdentity) => boolean;
}

/** Who wants to do which run. */
export interface ClaimRequest extends Holding {
  readonly pipeline: string;
  readonly params: Json;
  /** From what the run can be begun again; missing or null: from its pipeline's name. */
  readonly origin?: Json | null;
}

export type Claim =
  | {
      readonly kind: "claimed";
      readonly lease: Lease;
      readonly startedAt: Date;
      /** Keys of the steps that earlier attempts of this run ran. */
      readonly earlierKeys: readonly string[];
    }
  | {
      readonly kind: "busy";
      readonly runId: string;
      readonly worker: string;
      readonly since: string;
      readonly leaseUntil: string;
    };

/**
 * Claims the one active run of a pipeline and its parameters: a new one, or one whose worker handed it back, died or fell silent.
 * Runs of the pipeline that were left so more than 6 hours after they started end as failed.
 */
export async function claimRun(db: Db, request: ClaimRequest): Promise<Claim> {
  for (;;) {
    const claim = await db.transaction().execute((trx) => tryClaim(trx, request));
    if (claim !== null) return claim;
  }
}

async function tryClaim(trx: Db, request: ClaimRequest): Promise<Claim | null> {
  const { pipeline, startedAt } = request;
  const params = canonicalJson(request.params);
  const paramsKey = digestOf(params);
  let active = await selectActive(trx, request)
    .where("params_key", "=", paramsKey)
    .forUpdate()
    .executeTakeFirst();
  // Those that somebody is about to claim are not waited for. One that was only asked for has not started, and keeps.
  const others = await selectActive(trx, request)
    .where("params_key", "!=", paramsKey)
    .where("started_at", "<", new Date(startedAt.getTime() - LONGEST_PAUSE_MS))
    .orderBy("id")
    .forUpdate()
    .skipLocked()
    .execute();
  for (const run of active === undefined ? others : [active, ...others]) {
    if (await abandonLate(trx, run, request)) {
      if (run === active) active = undefined;
    }
  }
  if (active === undefined) {
    const made = await trx
      .insertInto("run")
      .values({
        ...holdOf(request),
        pipeline,
        params: storableJson(request.params),
        origin: (request.origin ?? null) === null ? null : storableJson(request.origin),
        params_key: paramsKey,
        attempt: 1,
        requested_at: startedAt,
        started_at: startedAt,
      })
      .onConflict((conflict) => conflict.doNothing())
      .returning("id")
      .executeTakeFirst();
    if (made === undefined) return null; // somebody else was quicker: look again
    const lease = { runId: made.id, attempt: 1 };
    return { kind: "claimed", lease, startedAt, earlierKeys: [] };
  }
  if (active.is_ours) {
    return {
      kind: "claimed",
      lease: { runId: active.id, attempt: active.attempt },
      startedAt: active.started_at ?? startedAt,
      earlierKeys: await startAttempt(trx, active.id),
    };
  }
  if (isHeld(active, request)) {
    return {
      kind: "busy",
      runId: active.id,
      worker: active.worker ?? "an unknown worker",
      since: (active.claimed_at ?? startedAt).toISOString(),
      leaseUntil: (active.lease_until ?? startedAt).toISOString(),
    };
  }
  return takeRun(trx, active.id, request);
}

/** Takes a run whose row is locked and which nobody does: begins its next attempt. */
export async function takeRun(
  trx: Db,
  runId: string,
  request: Holding,
): Promise<Extract<Claim, { kind: "claimed" }>> {
  const taken = await trx
    .updateTable("run")
    .set({
      ...holdOf(request),
      attempt: sql<number>`attempt + 1`,
      started_at: sql<Date>`coalesce(started_at, ${request.startedAt})`,
      publishing_site: null,
      outcome: null,
      error: null,
    })
    .where("id", "=", runId)
    .returning(["attempt", "started_at"])
    .executeTakeFirstOrThrow();
  return {
    kind: "claimed",
    lease: { runId, attempt: taken.attempt },
    startedAt: taken.started_at ?? request.startedAt,
    earlierKeys: await startAttempt(trx, runId),
  };
}

/** Ends a run as failed that was started too long ago to be gone on with, and says whether it was so. */
export async function abandonLate(
  trx: Db,
  run: RunHold & {
    readonly id: string;
    readonly started_at: Date | null;
    readonly is_ours: boolean;
  },
  request: Pick<Holding, "startedAt" | "isDead">,
): Promise<boolean> {
  const { startedAt } = request;
  if (run.started_at === null || run.is_ours) return false;
  if (startedAt.getTime() - run.started_at.getTime() <= LONGEST_PAUSE_MS) return false;
  if (isHeld(run, request)) return false;
  const error = `abandoned: started at ${run.started_at.toISOString()}, more than 6 hours before the next start`;
  await endEarly(trx, run.id, "failed", error, startedAt);
  return true;
}

function holdOf({ worker, nonce, leaseSeconds, build }: Holding) {
  return {
    status: "running" as const,
    worker: describeProcess(worker),
    worker_detail: JSON.stringify({ ...worker, nonce }),
    claimed_at: sql<Date>`now()`,
    lease_until: leaseEnd(leaseSeconds),
    build,
  };
}

function selectActive(trx: Db, request: ClaimRequest) {
  return selectHolds(trx, request)
    .where("pipeline", "=", request.pipeline)
    .where("status", "in", ["queued", "running"]);
}

/** Selects of runs what says whether somebody does them. */
export function selectHolds(trx: Db, { nonce }: Pick<Holding, "nonce">) {
  return trx
    .selectFrom("run")
    .select(["id", "attempt", "started_at", "worker", "worker_detail", "claimed_at", "lease_until"])
    .select(sql<boolean>`coalesce(worker_detail ->> 'nonce' = ${nonce}, false)`.as("is_ours"))
    .select(
      sql<boolean>`status = 'queued' or lease_until is null or lease_until < now()`.as("is_free"),
    );
}

/** What says whether somebody does a run. */
interface RunHold {
  readonly worker_detail: unknown;
  readonly is_free: boolean;
}

function isHeld(
  { worker_detail: detail, is_free: isFree }: RunHold,
  request: Pick<Holding, "isDead">,
): boolean {
  const holder = parseIdentity(detail);
  return !isFree && !(holder !== null && request.isDead(holder));
}

function leaseEnd(seconds: number) {
  return sql<Date>`now() + make_interval(secs => ${seconds})`;
}

/** Renews a lease. Null where the run is no longer ours; else which site it holds. */
export async function renewLease(
  db: Db,
  { runId, attempt }: Lease,
  leaseSeconds: number,
): Promise<{ readonly publishingSite: string | null } | null> {
  const row = await db
    .updateTable("run")
    .set({ lease_until: leaseEnd(leaseSeconds) })
    .where("id", "=", runId)
    .where("attempt", "=", attempt)
    .where("status", "=", "running")
    .returning("publishing_site")
    .executeTakeFirst();
  return row === undefined ? null : { publishingSite: row.publishing_site };
}

/**
 * Begins the next attempt of a run that is ours, with a whole lease, so that whatever the last one has left behind can write no more. Safe
 * to repeat when the answer was lost: the next attempt is ours where the nonce of our start is on it. Null where the run was no longer ours.
 */
export async function startOver(
  db: Db,
  { runId, attempt }: Lease,
  { nonce, leaseSeconds }: Pick<Holding, "nonce" | "leaseSeconds">,
): Promise<{ readonly lease: Lease; readonly earlierKeys: readonly string[] } | null> {
  return db.transaction().execute(async (trx) => {
    const [result] = await trx
      .updateTable("run")
      .set({
        attempt: attempt + 1,
        publishing_site: null,
        lease_until: leaseEnd(leaseSeconds),
      })
      .where("id", "=", runId)
      .where("attempt", "in", [attempt, attempt + 1])
      // Whoever has taken the run over has the next attempt, too.
      .where(sql<boolean>`worker_detail ->> 'nonce' = ${nonce}`)
      .where("status", "=", "running")
      .execute();
    if (result?.numUpdatedRows !== 1n) return null;
    return {
      lease: { runId, attempt: attempt + 1 },
      earlierKeys: await startAttempt(trx, runId),
    };
  });
}

/** Gives a run back for the next start to go on with; false where it was no longer ours. */
export async function handBackRun(db: Db, { runId, attempt }: Lease): Promise<boolean> {
  return db.transaction().execute(async (trx) => {
    const [result] = await trx
      .updateTable("run")
      .set({
        status: "queued",
        worker: null,
        worker_detail: null,
        lease_until: null,
        publishing_site: null,
      })
      .where("id", "=", runId)
      .where("attempt", "=", attempt)
      .where("status", "=", "running")
      .execute();
    if (result?.numUpdatedRows !== 1n) return false;
    await closeAttempts(trx, runId, "stopped", "the run was told to stop");
    return true;
  });
}

/** Tells whether an attempt of a run is going on, as far as its lease says. */
export async function isRunActive(db: Db, { runId, attempt }: Lease): Promise<boolean> {
  const row = await db
    .selectFrom("run")
    .select("id")
    .where("id", "=", runId)
    .where("attempt", "=", attempt)
    .where("status", "=", "running")
    .where("lease_until", ">=", sql<Date>`now()`)
    .executeTakeFirst();
  return row !== undefined;
}
