// Empties the ledger, or drops it whole. The published site is not touched; nor are blobs that live outside of the database.

import { sql } from "kysely";

import { HdashError } from "../error.ts";
import type { Database } from "./database.ts";
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

/**
 * Drops the Postgres schema that holds the ledger, with everything in it, and says how many tables went; null where there is none.
 * The ledger need not be migrated: one of a newer hdash goes as well. Throws a permanent error for a schema that is not hdash's.
 */
export async function dropLedger({ db, schema, describe }: Database): Promise<number | null> {
  return db.transaction().execute(async (trx) => {
    const { rows } = await sql<{ name: string | null }>`
      select t.tablename as name from pg_catalog.pg_namespace n
      left join pg_catalog.pg_tables t on t.schemaname = n.nspname
      where n.nspname = ${schema}`.execute(trx);
    if (rows.length === 0) return null;
    const tables = rows.flatMap(({ name }) => (name === null ? [] : [name]));
    // Every ledger has it from its first moment; what lies in a schema without it was made by somebody else.
    const isOurs = tables.length === 0 || tables.includes("kysely_migration");
    if (!isOurs || schema === "public") {
      const why = isOurs
        ? "it is everybody's"
        : `it holds tables that are not hdash's, e.g. ${tables[0] ?? ""}`;
      throw new HdashError("permanent", `${describe()}: the schema is not dropped: ${why}`);
    }
    await sql`drop schema ${sql.id(schema)} cascade`.execute(trx);
    return tables.length;
  });
}
