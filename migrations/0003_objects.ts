// Large blobs may be objects of a bucket: their row says where. Frozen, forward only.

import { type Kysely, sql } from "kysely";

/** Adds the column; what a ledger holds lies in the database, as before. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // place is the address of the bucket that has the bytes, as they are, in one object named by the digest; null: they are in blob_chunk.
  `alter table blob
    add column place text,
    drop constraint blob_encoding_check,
    add constraint blob_encoding_check check (encoding in ('zstd', 'none')),
    add constraint blob_place_check check ((place is null) = (encoding = 'zstd'))`,
];
