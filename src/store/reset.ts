// Empties the ledger. The published site is not touched; nor are blobs that live outside of the database.

import { sql } from "kysely";

import type { Db, Schema } from "./schema.ts";

/** In an order in which no row is still referred to when it goes. */
const TABLES = [
  "publication",
  "measure",
  "finding",
  "step_run",
  "run_scope",
  "step_result",
  "run",
  "atlas",
  "blob_chunk",
  "blob",
] as const satisfies readonly (keyof Schema)[];

/**
 * Deletes every row of the ledger in one transaction and says how many went from each table.
 * Numbers of runs go on where they were: a worker that still does a run of before would share the lease of a new one of the same number.
 */
export async function resetLedger(db: Db): Promise<Readonly<Record<string, number>>> {
  return db.transaction().execute(async (trx) => {
    // A run that is going on waits here until we are done, and then finds that it has lost its lease.
    await sql`lock table run in access exclusive mode`.execute(trx);
    const deleted: Record<string, number> = {};
    for (const table of TABLES) {
      const [result] = await trx.deleteFrom(table).execute();
      deleted[table] = Number(result?.numDeletedRows ?? 0);
    }
    return deleted;
  });
}
