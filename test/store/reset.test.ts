// Dropping a ledger on real Postgres: the schema of one namespace goes, the one next to it stays row by row.

import { sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { listAtlases, saveAtlases } from "../../src/jobs/htan/registry/atlasTable.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { dropLedger } from "../../src/store/reset.ts";
import { createEmptyDatabase } from "../support/postgres.ts";

const ATLAS = { atlasId: "HTA3", projectId: "syn3", name: "Example", liaison: "" };

describe("dropLedger(database)", () => {
  let made: Awaited<ReturnType<typeof createEmptyDatabase>>;
  const opened: Database[] = [];
  beforeEach(async () => {
    made = await createEmptyDatabase();
  });
  afterEach(async () => {
    for (const database of opened.splice(0)) await database.close();
    await made.drop();
  });

  async function open(schema: string): Promise<Database> {
    const database = await openDatabase({ ...made.settings, schema });
    opened.push(database);
    return database;
  }

  async function ledger(schema: string): Promise<Database> {
    const database = await open(schema);
    await migrate(database);
    await saveAtlases(database.db, [ATLAS]);
    return database;
  }

  async function schemas({ db }: Database): Promise<readonly string[]> {
    const { rows } = await sql<{ name: string }>`
      select nspname as name from pg_namespace
      where nspname not like 'pg_%' and nspname not in ('information_schema', 'public')
      order by 1`.execute(db);
    return rows.map(({ name }) => name);
  }

  test("drops this namespace's schema and leaves the one whose name begins like it", async () => {
    const [foo, fooBar] = [await ledger("hdash_foo"), await ledger("hdash_foo_bar")];
    await ledger("hdash_fo");
    expect(await schemas(foo)).toEqual(["hdash_fo", "hdash_foo", "hdash_foo_bar"]);
    expect(await dropLedger(foo)).toBeGreaterThan(8);
    expect(await schemas(foo)).toEqual(["hdash_fo", "hdash_foo_bar"]);
    expect(await listAtlases(fooBar.db)).toEqual([ATLAS]);
    expect(await dropLedger(foo)).toBeNull();
  });

  test("drops a ledger of a newer hdash, which could not be migrated", async () => {
    const newer = await ledger("hdash_newer");
    await sql`insert into kysely_migration (name, timestamp) values ('9999_future', '')`.execute(
      newer.db,
    );
    await expect(migrate(newer)).rejects.toThrow("is newer than this hdash");
    expect(await dropLedger(newer)).toBeGreaterThan(8);
  });

  test("drops a schema without tables", async () => {
    const empty = await open("hdash_empty");
    await sql`create schema hdash_empty`.execute(empty.db);
    expect(await dropLedger(empty)).toBe(0);
    expect(await dropLedger(empty)).toBeNull();
  });

  test("drops what a start left that was killed before the first migration", async () => {
    const begun = await open("hdash_begun");
    await sql`create schema hdash_begun
      create table kysely_migration (name text, timestamp text)
      create table kysely_migration_lock (id text, is_locked integer)`.execute(begun.db);
    expect(await dropLedger(begun)).toBe(2);
  });

  test.each([
    ["somebody else's table", "create table s.salary (id integer)", "salary"],
    ["a view alone", "create view s.salaries as select 1 as one", "salaries"],
    ["a sequence alone", "create sequence s.counter", "counter"],
    ["a type alone", "create type s.pair as (a integer, b integer)", "pair"],
    [
      "somebody else's migrations",
      "create table s.kysely_migration (name text); insert into s.kysely_migration values ('2020_payroll')",
      "kysely_migration",
    ],
    ["a table of a ledger's name", "create table s.run (id integer)", "run"],
    [
      "a table of a ledger's name beside an empty list of migrations",
      "create table s.kysely_migration (name text); create table s.run (id serial)",
      "run",
    ],
    ["a lock of migrations alone", "create table s.kysely_migration_lock (id text)", "kysely_mig"],
  ])("refuses a schema with %s, and names it", async (_what, statements, named) => {
    const other = await open("s");
    await sql`create schema s`.execute(other.db);
    for (const one of statements.split(";")) await sql.raw(one).execute(other.db);
    await expect(dropLedger(other)).rejects.toMatchObject({
      kind: "permanent",
      message: expect.stringContaining(`what is not hdash's, e.g. ${named}`) as string,
    });
    expect(await schemas(other)).toContain("s");
    await sql`drop schema s cascade`.execute(other.db);
  });

  test("refuses a ledger beside which somebody keeps a table, and the schema that is everybody's", async () => {
    const shared = await ledger("hdash_shared");
    await sql`create table hdash_shared.zebra (id integer generated always as identity)`.execute(
      shared.db,
    );
    await expect(dropLedger(shared)).rejects.toMatchObject({
      message: expect.stringContaining("what is not hdash's, e.g. zebra") as string,
    });
    expect(await listAtlases(shared.db)).toEqual([ATLAS]);
    await expect(dropLedger(await ledger("public"))).rejects.toMatchObject({
      kind: "permanent",
      message: expect.stringContaining("it is everybody's") as string,
    });
  });
});
