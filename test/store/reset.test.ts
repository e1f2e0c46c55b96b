// Dropping a ledger on real Postgres: the schema of one namespace goes, the one next to it stays row by row.

import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { listAtlases, saveAtlases } from "../../src/store/atlases.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { dropLedger } from "../../src/store/reset.ts";
import { createEmptyDatabase } from "../support/postgres.ts";

const ATLAS = { atlasId: "HTA3", projectId: "syn3", name: "Example", liaison: "" };

describe("dropLedger(database)", () => {
  let made: Awaited<ReturnType<typeof createEmptyDatabase>>;
  const opened: Database[] = [];
  beforeAll(async () => {
    made = await createEmptyDatabase();
  });
  afterAll(async () => {
    for (const database of opened) await database.close();
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

  test("refuses a schema with somebody else's tables, and the one that is everybody's", async () => {
    const other = await open("payroll");
    await sql`create schema payroll create table salary (id integer)`.execute(other.db);
    await expect(dropLedger(other)).rejects.toMatchObject({
      kind: "permanent",
      message: expect.stringContaining("not hdash's, e.g. salary") as string,
    });
    await expect(dropLedger(await ledger("public"))).rejects.toMatchObject({
      kind: "permanent",
      message: expect.stringContaining("it is everybody's") as string,
    });
    expect(await schemas(other)).toContain("payroll");
  });
});
