// What the removal of old blobs needs of the ledger. Frozen, forward only.

import { type Kysely, sql } from "kysely";

/** Renames the column; what a ledger holds counts as used when it was put. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // used_at: when the blob was last put, or last found by who wanted it; to the hour.
  `alter table blob rename column created_at to used_at`,
];
