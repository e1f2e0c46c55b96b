// Empties the ledger, or drops it whole. The published site is not touched; nor are blobs that live outside of the database.

import { sql } from "kysely";

import { HdashError } from "../error.ts";
import type { Database } from "./database.ts";
import { type Db, RELATIONS } from "./schema.ts";
import { trustCatalogAlone } from "./searchPath.ts";

const TABLES = relationsOf("table");
const VIEWS = relationsOf("view");

function relationsOf(kind: "table" | "view"): readonly string[] {
  return Object.entries(RELATIONS).flatMap(([name, own]) => (own === kind ? [name] : []));
}

/**
 * Deletes every row of the ledger in one transaction and says how many went from each table.
 * Numbers of runs go on where they were: a worker that still does a run of before would share the lease of a new one of the same number.
 */
export async function resetLedger(db: Db): Promise<Readonly<Record<string, number>>> {
  return db.transaction().execute(async (trx) => {
    // A run that is going on waits here until we are done, and then finds that it has lost its lease. In the order in which a commit
    // takes them, so that neither waits for the other.
    await sql`lock table step_claim, run in access exclusive mode`.execute(trx);
    const deleted: Record<string, number> = {};
    for (const table of await sortTables(trx)) {
      const { numAffectedRows } = await sql`delete from ${sql.table(table)}`.execute(trx);
      deleted[table] = Number(numAffectedRows ?? 0n);
    }
    return deleted;
  });
}

/** Sorts the tables so that no row is still referred to when it goes. */
async function sortTables(trx: Db): Promise<readonly string[]> {
  const { rows } = await sql<{ from: string; to: string }>`
    select f.relname as "from", t.relname as "to" from pg_catalog.pg_constraint c
    join pg_catalog.pg_class f on f.oid = c.conrelid join pg_catalog.pg_class t on t.oid = c.confrelid
    where c.contype = 'f' and c.connamespace = current_schema()::regnamespace`.execute(trx);
  const sorted: string[] = [];
  const add = (table: string) => {
    if (sorted.includes(table)) return;
    for (const { from, to } of rows) if (to === table && from !== table) add(from);
    sorted.push(table);
  };
  TABLES.forEach(add);
  return sorted;
}

/** What a ledger has beside its own: what kysely remembers of migrations. */
const MIGRATIONS = ["kysely_migration", "kysely_migration_lock"];
/** The migration that every ledger began with. */
const FIRST_MIGRATION = "0001_ledger";

/**
 * Drops the Postgres schema that holds the ledger, with everything in it, and says how many tables went; null where there is none.
 * The ledger need not be migrated: one that a newer hdash has changed goes as well, unless it has tables that this one does not know.
 * Throws a permanent error for a schema in which anything is not hdash's.
 */
export async function dropLedger({ db, schema, describe }: Database): Promise<number | null> {
  return db.transaction().execute(async (trx) => {
    await trustCatalogAlone(trx);
    // Indexes are of their table; so are sequences that Postgres made for a column.
    const { rows } = await sql<{ name: string | null; is_table: boolean }>`
      select c.relname as name, c.relkind in ('r', 'p') as is_table from pg_catalog.pg_namespace n
      left join pg_catalog.pg_class c on c.relnamespace = n.oid and c.relkind not in ('i', 'I', 't')
        and not exists (
          select from pg_catalog.pg_depend d
          where d.classid = 'pg_catalog.pg_class'::regclass and d.objid = c.oid
            and c.relkind = 'S' and d.refobjsubid > 0 and d.deptype in ('a', 'i'))
      where n.nspname = ${schema}
      order by 1`.execute(trx);
    if (rows.length === 0) return null;
    const relations = rows.flatMap(({ name }) => (name === null ? [] : [name]));
    const foreign = await findForeign(trx, schema, relations);
    if (foreign !== null || schema === "public") {
      const why =
        foreign === null ? "it is everybody's" : `it holds what is not hdash's, e.g. ${foreign}`;
      throw new HdashError("permanent", `${describe()}: the schema is not dropped: ${why}`);
    }
    await sql`drop schema ${sql.id(schema)} cascade`.execute(trx);
    return rows.filter(({ is_table }) => is_table).length;
  });
}

/** A relation that no ledger has, or one that only looks like it; null where all are a ledger's. */
async function findForeign(
  trx: Db,
  schema: string,
  relations: readonly string[],
): Promise<string | null> {
  const known = [...TABLES, ...VIEWS, ...MIGRATIONS];
  const unknown = relations.find((name) => !known.includes(name));
  if (unknown !== undefined) return unknown;
  const [first] = relations.filter((name) => !MIGRATIONS.includes(name));
  // Tables come in one transaction with the note that they were made; others may have some of the same names.
  if (!relations.includes("kysely_migration")) return first ?? relations[0] ?? null;
  if (!(await isPlainTable(trx, schema, "kysely_migration"))) return "kysely_migration";
  const { rows } = await sql<{ name: string }>`
    select name from ${sql.id(schema, "kysely_migration")}`.execute(trx);
  if (rows.some(({ name }) => name === FIRST_MIGRATION)) return null;
  // Stopped before the first migration, kysely leaves its own tables and nothing in them.
  return rows.length === 0 ? (first ?? null) : "kysely_migration";
}

/**
 * Tells whether a relation is a table without policies, and keeps it as it is until the transaction ends: to read a view, or a table with
 * policies, is to call whatever functions its owner has put into it.
 */
async function isPlainTable(trx: Db, schema: string, name: string): Promise<boolean> {
  await sql`lock table ${sql.id(schema, name)} in access share mode`.execute(trx);
  const { rows } = await sql`
    select from pg_catalog.pg_class c join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = ${schema} and c.relname = ${name} and c.relkind = 'r' and not c.relrowsecurity`.execute(
    trx,
  );
  return rows.length > 0;
}
