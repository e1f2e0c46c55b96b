// The rows that say of each blob how long it is and where it lies: they make it count. They also say when it was used last, and whoever
// removes a blob locks its row first: so nobody is told of a blob that goes in the same moment.

import { type RawBuilder, sql } from "kysely";

import type { Digest } from "../digest.ts";
import type { Db } from "./schema.ts";

export interface BlobRow {
  readonly bytes: number;
  readonly chunks: number;
  /** The address of the bucket that has it; null: the database. */
  readonly place: string | null;
}

/** Use is noted to the hour: in a run of which everything is known already a note for each blob would be most of the work. */
const NOTED = sql`interval '1 hour'`;

/** Finds blobs that lie in the database, or in `place`: what lies in another bucket cannot be read and is as good as missing. */
export async function findBlobs(
  db: Db,
  digests: readonly Digest[],
  place: string | null,
): Promise<ReadonlyMap<string, BlobRow>> {
  if (digests.length === 0) return new Map();
  const rows = await db
    .selectFrom("blob")
    .select(["digest", "bytes", "chunks", "place"])
    .where("digest", "=", sql<string>`any(${[...digests]}::text[])`)
    .where((eb) => eb.or([eb("place", "is", null), eb("place", "=", place)]))
    .execute();
  return asRows(rows);
}

/** Finds blobs like findBlobs(), and notes that they are in use, so that nobody removes them as unused. */
export async function useBlobs(
  db: Db,
  digests: readonly Digest[],
  place: string | null,
): Promise<ReadonlyMap<string, BlobRow>> {
  if (digests.length === 0) return new Map();
  const isAsked = sql`digest = any(${[...digests]}::text[]) and (place is null or place = ${place})`;
  // Locked in one order, so that nobody waits in a circle. A row that is being removed is waited for, and is not there then.
  const { rows } = await sql<Selected>`
    with old as (
      select digest from blob where ${isAsked} and used_at < now() - ${NOTED} order by digest for update
    ), used as (
      update blob set used_at = now() from old where blob.digest = old.digest
      returning blob.digest, blob.bytes, blob.chunks, blob.place
    )
    select digest, bytes, chunks, place from used
    union all
    select digest, bytes, chunks, place from blob where ${isAsked} and used_at >= now() - ${NOTED}`.execute(
    db,
  );
  return asRows(rows);
}

interface Selected {
  readonly digest: string;
  readonly bytes: string;
  readonly chunks: number;
  readonly place: string | null;
}

function asRows(rows: readonly Selected[]): ReadonlyMap<string, BlobRow> {
  return new Map(
    rows.map(({ digest, bytes, chunks, place }) => [
      digest,
      { bytes: Number(bytes), chunks, place },
    ]),
  );
}

/** Makes a blob of a bucket count; one that lay in another bucket lies here from now on. */
export async function insertBlob(
  db: Db,
  digest: Digest,
  { bytes, place }: { readonly bytes: number; readonly place: string },
): Promise<void> {
  const values = { bytes, stored_bytes: bytes, chunks: 0, encoding: "none", place } as const;
  await db
    .insertInto("blob")
    .values({ digest, ...values })
    .onConflict((conflict) =>
      conflict
        .column("digest")
        .doUpdateSet({ ...values, used_at: sql<Date>`now()` })
        .where("blob.place", "is not", null)
        .where("blob.place", "is distinct from", place),
    )
    .execute();
}

/** Makes a blob of the database count, also where one lay in a bucket; false where not all of its chunks are there: somebody has taken them for a killed put's. */
export async function insertChunked(
  db: Db,
  digest: Digest,
  { bytes, stored, chunks }: Omit<BlobRow, "place"> & { readonly stored: number },
): Promise<boolean> {
  await sql`
    insert into blob (digest, bytes, stored_bytes, chunks, encoding)
    select ${digest}, ${bytes}, ${stored}, ${chunks}, 'zstd'
    where (select count(*) from blob_chunk where digest = ${digest}) >= ${chunks}
    on conflict (digest) do update set bytes = excluded.bytes, stored_bytes = excluded.stored_bytes,
      chunks = excluded.chunks, encoding = excluded.encoding, place = null, used_at = now()
    where blob.place is not null`.execute(db);
  return (await findBlobs(db, [digest], null)).has(digest);
}

/** What notes in an insertion that a blob which is there already was put again. */
export function usedAgain(): RawBuilder<unknown> {
  return sql`on conflict (digest) do update set used_at = now() where blob.used_at < now() - ${NOTED}`;
}

/**
 * Locks and deletes the rows of blobs that may go: not used since an instant, nor within the hour in which use is not noted, and in no
 * list that is there; without an instant all of them. Says where each lay. To be called in the transaction in which their bytes go.
 */
export async function deleteUnused(
  trx: Db,
  digests: readonly Digest[],
  before: Date | null,
  place: string | null,
): Promise<readonly { readonly digest: Digest; readonly place: string | null }[]> {
  const { rows } = await sql<{ digest: Digest; place: string | null }>`
    with doomed as (
      select digest from blob b
      where digest = any(${[...digests]}::text[]) and (place is null or place = ${place})
        and (${before}::timestamptz is null or used_at < least(${before}::timestamptz, now() - ${NOTED})
          and not exists (
            select from blob_part p join blob w on w.digest = p.whole where p.part = b.digest and p.whole <> b.digest))
      order by digest for update
    )
    delete from blob using doomed where blob.digest = doomed.digest returning blob.digest, blob.place`.execute(
    trx,
  );
  return rows;
}

/** A blob's row with all that it says. */
export interface ListedRow extends BlobRow {
  readonly digest: Digest;
  readonly stored: number;
  readonly usedAt: Date;
}

/** Rows of one statement of a list. */
const ROWS_AT_ONCE = 10_000;

/** Lists every blob that lies in the database or in `place`, by digest. */
export async function* listBlobs(db: Db, place: string | null): AsyncIterable<ListedRow> {
  for (let after = ""; ;) {
    const rows = await db
      .selectFrom("blob")
      .select(["digest", "bytes", "stored_bytes", "chunks", "place", "used_at"])
      .where("digest", ">", after)
      .where((eb) => eb.or([eb("place", "is", null), eb("place", "=", place)]))
      .orderBy("digest")
      .limit(ROWS_AT_ONCE)
      .execute();
    for (const row of rows) {
      yield {
        digest: row.digest as Digest,
        bytes: Number(row.bytes),
        stored: Number(row.stored_bytes),
        chunks: row.chunks,
        place: row.place,
        usedAt: row.used_at,
      };
    }
    const last = rows.at(-1);
    if (last === undefined) return;
    after = last.digest;
  }
}

/** Counts and deletes the rows of all blobs, wherever they lie; says how many lay in the database. */
export async function deleteBlobs(db: Db): Promise<number> {
  const rows = await db.deleteFrom("blob").returning("place").execute();
  return rows.filter(({ place }) => place === null).length;
}

/** Finds which of these digests have chunks that no blob's row makes count, and what they take. */
export async function findLooseChunks(
  db: Db,
): Promise<readonly { readonly digest: Digest; readonly bytes: number }[]> {
  const { rows } = await sql<{ digest: Digest; bytes: string }>`
    select digest, sum(octet_length(bytes)) as bytes from blob_chunk c
    where not exists (select from blob b where b.digest = c.digest)
    group by digest order by digest`.execute(db);
  return rows.map(({ digest, bytes }) => ({ digest, bytes: Number(bytes) }));
}

/** Deletes chunks that no blob's row makes count. A put that goes on finds that they are gone when it comes to its row, and begins anew. */
export async function deleteLooseChunks(db: Db, digests: readonly Digest[]): Promise<void> {
  await db.transaction().execute(async (trx) => {
    // Nobody makes one count while we look.
    await sql`lock table blob in share row exclusive mode`.execute(trx);
    await sql`
      delete from blob_chunk c
      where digest = any(${[...digests]}::text[]) and not exists (select from blob b where b.digest = c.digest)`.execute(
      trx,
    );
  });
}
