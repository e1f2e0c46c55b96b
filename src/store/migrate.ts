// Brings the ledger's tables to what this build knows. Several workers may start at once: kysely's lock lets one do it, the others find it done.

import { sql } from "kysely";
import { type Migration, Migrator } from "kysely/migration";

import * as ledger from "../../migrations/0001_ledger.ts";
import * as engine from "../../migrations/0002_engine.ts";
import * as objects from "../../migrations/0003_objects.ts";
import * as lineage from "../../migrations/0004_lineage.ts";
import * as ends from "../../migrations/0005_ends.ts";
import * as keeping from "../../migrations/0006_keeping.ts";
import * as voiding from "../../migrations/0007_void.ts";
import { HdashError } from "../error.ts";
import { asDatabaseError } from "./failure.ts";
import type { Database } from "./schema.ts";

/** Every migration there is, by name, oldest first. */
const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001_ledger": ledger,
  "0002_engine": engine,
  "0003_objects": objects,
  "0004_lineage": lineage,
  "0005_ends": ends,
  "0006_keeping": keeping,
  "0007_void": voiding,
};

/** Migrates a database; throws a config error where a newer build has been there before. */
export async function migrate(database: Database): Promise<void> {
  const { db, schema } = database;
  const known = Object.keys(MIGRATIONS);
  const applied = await listApplied(database);
  const unknown = applied.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new HdashError(
      "config",
      `${database.describe()} is newer than this hdash: it has ${unknown.join(", ")}, this build knows up to ${known.at(-1)}`,
      { hint: "Run the newer hdash; a ledger does not go back." },
    );
  }
  if (applied.length === known.length) return;
  const migrator = new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve({ ...MIGRATIONS }) },
    migrationTableSchema: schema,
  });
  const { error } = await migrator.migrateToLatest();
  if (error !== undefined) throw asDatabaseError(error, `migrating ${database.describe()}`);
}

async function listApplied({ db, schema }: Database): Promise<readonly string[]> {
  const table = `"${schema}".kysely_migration`;
  const found = await sql<{
    found: boolean;
  }>`select to_regclass(${table}) is not null as found`.execute(db);
  if (found.rows[0]?.found !== true) return [];
  const { rows } = await sql<{
    name: string;
  }>`select name from ${sql.raw(table)} order by name`.execute(db);
  return rows.map(({ name }) => name);
}
