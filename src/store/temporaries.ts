// What the removal of temporary outputs asks of the ledger: which there are, what else needs the same bytes, and whether anybody is at work.

import { sql } from "kysely";

import type { Digest } from "../digest.ts";
import { codeOf } from "../error.ts";
import type { StoredBlob } from "./blobs.ts";
import { readLedgerTime } from "./keeping.ts";
import type { StoredOutput } from "./results.ts";
import type { Database, Db } from "./schema.ts";

/** Finds runs that ended well while one went on, or while such a one did, and that one itself: none of them was alone when it ended. */
export async function findOverlapping(db: Db, runId: string): Promise<readonly string[]> {
  const { rows } = await sql<{ id: string }>`
    with recursive since(at) as (
      select started_at from run where id = ${runId}
      union
      select earlier.at from since cross join lateral (
        select min(started_at) as at from run where status = 'succeeded' and finished_at >= since.at) earlier
      where earlier.at < since.at
    )
    select id from run where status = 'succeeded' and finished_at >= (select min(at) from since) order by id`.execute(
    db,
  );
  return rows.map(({ id }) => id);
}

/** Lists the temporary outputs of all that runs have found or made, each once. */
export async function listTemporary(
  db: Db,
  runIds: readonly string[],
): Promise<readonly StoredOutput[]> {
  const { rows } = await sql<{ output: StoredOutput }>`
    with seen as (
      select distinct result_id as id from step_run where run_id = any(${[...runIds]}::bigint[]) and result_id is not null)
    select distinct o.value as output
    from seen join step_result r using (id) cross join lateral jsonb_each(r.outputs) o
    where o.value ->> 'temporary' = 'true'`.execute(db);
  return rows.map(({ output }) => output);
}

/** Digests of one statement. */
const DIGESTS_AT_ONCE = 1000;

/** A blob that lies in a list. */
export interface ListedBlob extends StoredBlob {
  readonly whole: Digest;
}

/** Lists what lies in lists, or in which lists something lies. */
export async function listParts(
  db: Db,
  by: "whole" | "part",
  digests: readonly Digest[],
): Promise<readonly ListedBlob[]> {
  const found: ListedBlob[] = [];
  for (let from = 0; from < digests.length; from += DIGESTS_AT_ONCE) {
    const rows = await db
      .selectFrom("blob_part")
      .select(["whole", "part", "bytes"])
      .distinct()
      .where(by, "=", sql<string>`any(${digests.slice(from, from + DIGESTS_AT_ONCE)}::text[])`)
      .execute();
    for (const { whole, part, bytes } of rows) {
      found.push({ whole: whole as Digest, digest: part as Digest, bytes: Number(bytes) });
    }
  }
  return found;
}

/** Tells of digests which are outputs, and whether of temporary ports alone. */
export async function findOutputs(
  db: Db,
  digests: readonly Digest[],
): Promise<ReadonlyMap<Digest, { readonly isTemporary: boolean }>> {
  const { rows } = await sql<{ digest: Digest; is_temporary: boolean }>`
    select asked.digest, bool_and(made.is_temporary) as is_temporary
    from unnest(${[...digests]}::text[]) as asked(digest)
    cross join lateral (
      select bool_and(coalesce(o.value ->> 'temporary' = 'true', false)) as is_temporary
      from step_result cross join lateral jsonb_each(outputs) o
      where jsonb_path_query_array(outputs, '$.*.digest') @> jsonb_build_array(asked.digest)
        and o.value ->> 'digest' = asked.digest
    ) made
    where made.is_temporary is not null
    group by asked.digest`.execute(db);
  return new Map(rows.map((row) => [row.digest, { isTemporary: row.is_temporary }]));
}

/** Finds which of these digests somebody may ask for by themselves: results by name, what is published, logs. */
export async function findNamedDigests(
  db: Db,
  digests: readonly Digest[],
  resultsStep: string,
): Promise<readonly Digest[]> {
  const asked = sql`any(${[...digests]}::text[])`;
  const { rows } = await sql<{ digest: Digest }>`
    select digest from (
      select jsonb_path_query(document::jsonb, 'lax $.params.results[*].digest') #>> '{}' as digest
      from step_result where step = ${resultsStep}) named where digest = ${asked}
    union select digest from publication where digest = ${asked}
    union select log_digest from step_attempt where log_digest = ${asked}`.execute(db);
  return rows.map(({ digest }) => digest);
}

/** What the ledger says where a lock that is asked for at once is not to be had. */
const LOCK_NOT_AVAILABLE = "55P03";

/**
 * Does something while no run is going on, and none can begin; null, and does nothing, where one is, or somebody is about to. Whoever has an
 * embedded database is alone with it.
 */
export async function whileNobodyWorks<T>(
  { db, kind }: Pick<Database, "db" | "kind">,
  work: (db: Db) => Promise<T>,
): Promise<T | null> {
  if (kind === "embedded") return work(db);
  try {
    return await db.transaction().execute(async (trx) => {
      // In the order in which a commit takes them. Whoever has one of them is at work: he is not waited for.
      await sql`lock table step_claim, run in share row exclusive mode nowait`.execute(trx);
      if ((await readLedgerTime(trx)).goingSince !== null) return null;
      return await work(trx);
    });
  } catch (error) {
    const { cause } = error as { readonly cause?: unknown };
    if (codeOf(cause) === LOCK_NOT_AVAILABLE) return null;
    throw error;
  }
}
