// Claims on steps: of all runs that want the result of a key, one does the step and the others wait for it. A claim has a lease by the
// database's clock; it is void as soon as its attempt of the run is over, so that nobody waits for a run that was handed back.

import { type RawBuilder, sql } from "kysely";

import { isRunOurs, type Lease, type StepHolder } from "./lease.ts";
import { describeProcess, parseIdentity, type ProcessIdentity } from "./processIdentity.ts";
import type { Db } from "./schema.ts";

/** Who claims steps: a process that does an attempt of a run. */
export interface ClaimHolder extends StepHolder {
  readonly worker: ProcessIdentity;
  readonly leaseSeconds: number;
}

/** Who does a step that we want. */
export interface Claimant {
  readonly holder: string;
  readonly runId: string;
  readonly worker: string;
  readonly identity: ProcessIdentity | null;
  readonly since: string;
}

export type StepClaim =
  | {
      readonly kind: "claimed";
      /** The number of the attempt that comes next. */
      readonly nextAttempt: number;
    }
  | { readonly kind: "busy"; readonly by: Claimant }
  /** The run itself is no longer ours. */
  | { readonly kind: "lost" };

/**
 * Claims the step of a key: where nobody does it, where its claim has lapsed or belongs to a run that does not go on, or where its holder
 * is proven dead. Safe to repeat when the answer was lost.
 */
export async function claimStep(
  db: Db,
  key: string,
  claimant: ClaimHolder,
  isDead: (worker: ProcessIdentity) => boolean,
): Promise<StepClaim> {
  let deadHolder: string | null = null;
  for (;;) {
    const nextAttempt =
      (await insertClaim(db, key, claimant, sql`nothing`)) ??
      (await takeOver(db, key, claimant, deadHolder));
    if (nextAttempt !== null) return { kind: "claimed", nextAttempt };
    if (!(await isRunOurs(db, claimant.lease))) return { kind: "lost" };
    const by = (await findClaims(db, [key])).get(key);
    // Given back, or lapsed, between two looks.
    if (by === undefined) continue;
    const isProven = by.identity !== null && isDead(by.identity);
    if (!isProven || by.holder === deadHolder) return { kind: "busy", by };
    deadHolder = by.holder;
  }
}

/** Claims a key; null where nothing was written. Gives the number of the next attempt. */
async function insertClaim(
  db: Db,
  key: string,
  { lease, holder, worker, leaseSeconds }: ClaimHolder,
  onConflict: RawBuilder<unknown>,
): Promise<number | null> {
  const { rows } = await sql<{ next_attempt: number }>`
    insert into step_claim (step_key, run_id, run_attempt, holder, worker, worker_detail, claimed_at, lease_until)
    select ${key}, id, attempt, ${holder}, ${describeProcess(worker)}, ${JSON.stringify(worker)}::jsonb, now(),
      ${leaseEnd(leaseSeconds)}
    from run where id = ${lease.runId} and attempt = ${lease.attempt} and status = 'running'
    on conflict (step_key) do ${onConflict}
    returning 1 + greatest(
      (select coalesce(max(n), 0) from step_attempt where step_key = ${key}),
      (select coalesce(max(attempt), 0) from step_result where step_key = ${key})
    ) as next_attempt`.execute(db);
  return rows[0]?.next_attempt ?? null;
}

/** Claims a key that is ours already, or whose claim does not count or has a dead holder. */
async function takeOver(
  db: Db,
  key: string,
  claimant: ClaimHolder,
  deadHolder: string | null,
): Promise<number | null> {
  return db.transaction().execute(async (trx) => {
    // The row is locked before it is judged: a statement that waits for the lock would judge it by the runs as they were when it began,
    // and not know the one that has just claimed it.
    const { rows } = await sql`select from step_claim where step_key = ${key} for update`.execute(
      trx,
    );
    // Given back between two looks: another may claim it before us, and that would be judged without a lock.
    if (rows.length === 0) return null;
    const claim = sql.table("step_claim");
    return insertClaim(
      trx,
      key,
      claimant,
      sql`update set
        run_id = excluded.run_id, run_attempt = excluded.run_attempt, holder = excluded.holder,
        worker = excluded.worker, worker_detail = excluded.worker_detail, claimed_at = excluded.claimed_at,
        lease_until = excluded.lease_until
      where ${claim}.holder = excluded.holder or ${claim}.holder = ${deadHolder} or not (${isGood(claim)})`,
    );
  });
}

/** Finds who does the steps of these keys; a key that nobody does is left out. */
export async function findClaims(
  db: Db,
  keys: readonly string[],
): Promise<ReadonlyMap<string, Claimant>> {
  const rows = await db
    .selectFrom("step_claim")
    .select(["step_key", "holder", "run_id", "worker", "worker_detail", "claimed_at"])
    .where("step_key", "=", sql<string>`any(${[...keys]}::text[])`)
    .where(isGood(sql.table("step_claim")))
    .execute();
  return new Map(
    rows.map((row) => [
      row.step_key,
      {
        holder: row.holder,
        runId: row.run_id,
        worker: row.worker,
        identity: parseIdentity(row.worker_detail),
        since: row.claimed_at.toISOString(),
      },
    ]),
  );
}

/** A claim counts while its lease lasts and its attempt of the run goes on. */
function isGood(claim: ReturnType<typeof sql.table>) {
  return sql<boolean>`${claim}.lease_until >= now() and exists (
    select from run r where r.id = ${claim}.run_id and r.attempt = ${claim}.run_attempt and r.status = 'running')`;
}

function leaseEnd(seconds: number) {
  return sql<Date>`now() + make_interval(secs => ${seconds})`;
}

/** Renews the leases of all claims of a holder, but for those that are just being given up: none of the others waits for that. */
export async function renewClaims(
  db: Db,
  { lease, holder, leaseSeconds }: Omit<ClaimHolder, "worker">,
): Promise<void> {
  await db
    .updateTable("step_claim")
    .set({ lease_until: leaseEnd(leaseSeconds) })
    .where("step_key", "in", (qb) =>
      qb
        .selectFrom("step_claim")
        .select("step_key")
        .where("run_id", "=", lease.runId)
        .where("run_attempt", "=", lease.attempt)
        .where("holder", "=", holder)
        .forUpdate()
        .skipLocked(),
    )
    .execute();
}

/** Gives a claim up, within the transaction that commits or by itself; false where it was no longer ours. */
export async function releaseClaim(
  db: Db,
  key: string,
  { lease, holder }: StepHolder,
): Promise<boolean> {
  const [result] = await db
    .deleteFrom("step_claim")
    .where("step_key", "=", key)
    .where("run_id", "=", lease.runId)
    .where("run_attempt", "=", lease.attempt)
    .where("holder", "=", holder)
    .execute();
  return result?.numDeletedRows === 1n;
}

/**
 * Forgets claims that are void: of this run's attempts up to this one, which is over, and such as nobody has asked for in a day.
 * A statement of its own: within a transaction that has the run's row it could wait for a commit that waits for that row.
 */
export async function dropClaims(db: Db, { runId, attempt }: Lease): Promise<void> {
  await db
    .deleteFrom("step_claim")
    .where((eb) =>
      eb.or([
        eb.and([eb("run_id", "=", runId), eb("run_attempt", "<=", attempt)]),
        eb("lease_until", "<", sql<Date>`now() - interval '1 day'`),
      ]),
    )
    .execute();
}
