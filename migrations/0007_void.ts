// Results that are found no more, since the word of trust that they were made under was taken back. Frozen, forward only.

import { type Kysely, sql } from "kysely";

/** Adds the column; all that a ledger holds counts as before. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // void_why: why it does not count any more, e.g. what verify found; null while it counts. Its provenance stays.
  `alter table step_result add column void_why text`,
];
