// What the removal of old blobs asks of the ledger: which runs there are, what they have as outputs and logs, what lies in which list.

import { sql } from "kysely";

import type { Digest } from "../digest.ts";
import type { RunStatus } from "../run.ts";
import { isWhole } from "./lineage.ts";
import type { StoredOutput } from "./results.ts";
import type { Db } from "./schema.ts";

/** A run as its age and end decide whether it is kept. */
export interface AgedRun {
  readonly id: string;
  readonly pipeline: string;
  readonly status: RunStatus;
  /** Null while it is going on, or waits to. */
  readonly finishedAt: Date | null;
  /** False where it was asked for some results only. */
  readonly isWhole: boolean;
}

/** Lists every run, newest first. */
export async function listAgedRuns(db: Db): Promise<readonly AgedRun[]> {
  const rows = await db
    .selectFrom("run")
    .select(["id", "pipeline", "status", "finished_at"])
    .select(isWhole().as("isWhole"))
    .orderBy("id", "desc")
    .execute();
  return rows.map(({ finished_at: finishedAt, ...row }) => ({ ...row, finishedAt }));
}

/** The database's time, and when the oldest of the runs was claimed that somebody is doing now; null where nobody does one. */
export interface LedgerTime {
  readonly now: Date;
  readonly goingSince: Date | null;
}

/**
 * Reads the time. A run counts as being done for a day after its lease: its worker may be a machine that sleeps, and takes up in the
 * morning what it has found in the evening.
 */
export async function readLedgerTime(db: Db): Promise<LedgerTime> {
  const { rows } = await sql<{ now: Date; since: Date | null }>`
    select now() as now, min(claimed_at) as since from run
    where status = 'running' and lease_until > now() - interval '1 day'`.execute(db);
  const [row] = rows;
  return { now: row?.now ?? new Date(0), goingSince: row?.since ?? null };
}

/** Runs of one statement: a run has up to 100,000 steps. */
const RUNS_AT_ONCE = 20;

/** Lists the digests of all that runs have found or made: outputs of results, and logs of attempts. One may come more than once. */
export async function* listRunDigests(db: Db, runIds: readonly string[]): AsyncIterable<Digest> {
  for (let from = 0; from < runIds.length; from += RUNS_AT_ONCE) {
    const ids = sql`any(${runIds.slice(from, from + RUNS_AT_ONCE)}::bigint[])`;
    const { rows } = await sql<{ digest: Digest }>`
      with seen as (select distinct result_id as id from step_run where run_id = ${ids} and result_id is not null)
      select o.value ->> 'digest' as digest
        from seen join step_result r using (id) cross join lateral jsonb_each(r.outputs) o
      union
      select a.log_digest from seen join step_result r using (id)
        join step_attempt a on a.step_key = r.step_key and a.n = r.attempt where a.log_digest is not null
      union
      select log_digest from step_attempt where run_id = ${ids} and log_digest is not null`.execute(
      db,
    );
    for (const { digest } of rows) yield digest;
  }
}

/** Lists the logs of the attempts that made results. */
export async function listLogDigests(
  db: Db,
  resultIds: readonly string[],
): Promise<readonly Digest[]> {
  if (resultIds.length === 0) return [];
  const { rows } = await sql<{ digest: Digest }>`
    select distinct a.log_digest as digest from step_result r
    join step_attempt a on a.step_key = r.step_key and a.n = r.attempt
    where r.id = any(${[...resultIds]}::bigint[]) and a.log_digest is not null`.execute(db);
  return rows.map(({ digest }) => digest);
}

/** Lists the contents of all that is published, on whatever site. */
export async function listPublishedDigests(db: Db): Promise<readonly Digest[]> {
  const rows = await db.selectFrom("publication").select("digest").distinct().execute();
  return rows.map(({ digest }) => digest as Digest);
}

/** Lists the lists of stored folders and sets of files of which it is known what lies in them. */
export async function listWholes(db: Db): Promise<readonly Digest[]> {
  const rows = await db.selectFrom("blob_part").select("whole").distinct().execute();
  return rows.map(({ whole }) => whole as Digest);
}

/** Lists of one statement. */
const WHOLES_AT_ONCE = 500;

/** Lists what lies in some lists. One digest may come more than once. */
export async function* listPartsOf(db: Db, wholes: readonly Digest[]): AsyncIterable<Digest> {
  for (let from = 0; from < wholes.length; from += WHOLES_AT_ONCE) {
    const rows = await db
      .selectFrom("blob_part")
      .select("part")
      .distinct()
      .where("whole", "=", sql<string>`any(${wholes.slice(from, from + WHOLES_AT_ONCE)}::text[])`)
      .execute();
    for (const { part } of rows) yield part as Digest;
  }
}

/** Finds outputs that are lists of files, and of which it is not known which: from before that was noted, or of nothing. */
export async function findUnlisted(
  db: Db,
): Promise<readonly Pick<StoredOutput, "digest" | "codec">[]> {
  const { rows } = await sql<{ digest: Digest; codec: string }>`
    select distinct o.value ->> 'digest' as digest, o.value ->> 'codec' as codec
    from step_result cross join lateral jsonb_each(outputs) o
    where o.value ->> 'codec' in ('tree', 'files', 'folder')
      and not exists (select from blob_part p where p.whole = o.value ->> 'digest')`.execute(db);
  return rows;
}

/** How many rows of records went, by table. */
export type GoneRecords = Readonly<Record<"runs" | "results" | "attempts" | "parts", number>>;

/** Which records may go. */
export interface OldRecords {
  readonly runIds: readonly string[];
  /** What is older than this goes, unless it is kept. */
  readonly before: Date;
  readonly keptResults: readonly string[];
}

/**
 * Deletes runs, and results that no run has seen then; null, and deletes nothing, while a run is going on: it may have found a result that
 * it has not noted yet. What is only to be told is deleted, counted, and put back.
 */
export async function deleteRecords(
  db: Db,
  { runIds, before, keptResults }: OldRecords,
  what: "tell" | "remove",
): Promise<GoneRecords | null> {
  const told = new Error("this was only to be told");
  const done: { gone: GoneRecords | null } = { gone: null };
  try {
    await db.transaction().execute(async (trx) => {
      // In the order in which a commit takes them, so that neither waits for the other. Whoever wants to begin a run waits for us.
      await sql`lock table step_claim, run in share row exclusive mode`.execute(trx);
      if ((await readLedgerTime(trx)).goingSince !== null) return;
      const runs = await sql`delete from run where id = any(${[...runIds]}::bigint[])`.execute(trx);
      const results = await sql`
        delete from step_result r
        where created_at < ${before} and not (id = any(${[...keptResults]}::bigint[]))
          and not exists (select from step_run s where s.result_id = r.id)`.execute(trx);
      const attempts = await sql`
        delete from step_attempt a
        where run_id is null and not exists (select from step_result r where r.step_key = a.step_key)`.execute(
        trx,
      );
      // A list that lies in another stays with that.
      const parts = await sql`
        delete from blob_part where whole in (
          select whole from (select distinct whole from blob_part) w
          where not exists (select from blob_part p where p.part = w.whole) and not exists (
            select from step_result where jsonb_path_query_array(outputs, '$.*.digest') @> jsonb_build_array(w.whole)))`.execute(
        trx,
      );
      const count = (of: { readonly numAffectedRows?: bigint }) => Number(of.numAffectedRows ?? 0n);
      done.gone = {
        runs: count(runs),
        results: count(results),
        attempts: count(attempts),
        parts: count(parts),
      };
      if (what === "tell") throw told;
    });
  } catch (error) {
    if (error !== told) throw error;
  }
  return done.gone;
}
