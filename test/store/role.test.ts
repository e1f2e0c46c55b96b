// A namespace's role on real Postgres: made by an administrator who is no superuser, as RDS's is none, and shut out of all but its schema.

import { type RawBuilder, sql } from "kysely";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { listAtlases, saveAtlases } from "../../src/jobs/htan/registry/atlasTable.ts";
import { type Database, openDatabase } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { dropLedger, resetLedger } from "../../src/store/reset.ts";
import { dropRole, makeRole } from "../../src/store/role.ts";
import { createEmbeddedDatabase } from "../support/embedded.ts";
import { createEmptyDatabase } from "../support/postgres.ts";

const ATLAS = { atlasId: "HTA3", projectId: "syn3", name: "Example", liaison: "" };
const PASSWORD = "correct-horse-battery-staple";
const run = (database: Database, statement: RawBuilder<unknown>) => statement.execute(database.db);
const raw = (database: Database, statement: string) => run(database, sql.raw(statement));

describe("makeRole(database, options) and dropRole(database)", () => {
  let made: Awaited<ReturnType<typeof createEmptyDatabase>>;
  let superuser: Database;
  /** What is the server's and not the database's: made anew under another name for each test. */
  let [master, foo, fooBar, other] = ["", "", "", ""];
  let opened: Database[] = [];

  beforeEach(async () => {
    made = await createEmptyDatabase();
    const id = crypto.randomUUID().slice(0, 8);
    [master, foo, fooBar, other] = ["master", "foo", "foo_bar", "other"].map(
      (name) => `hdash_test_${id}_${name}`,
    ) as [string, string, string, string];
    superuser = await openDatabase(made.settings);
    opened = [superuser];
    await raw(superuser, `create role ${master} login createrole createdb password 'p'`);
    await raw(superuser, `alter database ${made.settings.name} owner to ${master}`);
  });
  afterEach(async () => {
    for (const database of opened.slice(1)) await database.close();
    await raw(superuser, `drop database if exists ${other} with (force)`);
    for (const name of [foo, fooBar, other, master]) {
      const { rows } = await run(superuser, sql`select from pg_roles where rolname = ${name}`);
      if (rows.length === 0) continue;
      await raw(superuser, `drop owned by ${name} cascade`);
      if (name === master) {
        await raw(superuser, `alter database ${made.settings.name} owner to current_user`);
      }
      await raw(superuser, `drop role ${name}`);
    }
    await superuser.close();
    await made.drop();
  });

  async function open(
    schema: string,
    login: { readonly user: string; readonly password: string },
    name = made.settings.name,
  ): Promise<Database> {
    const database = await openDatabase({ ...made.settings, ...login, schema, name });
    opened.push(database);
    return database;
  }
  const asMaster = (schema: string) => open(schema, { user: master, password: "p" });
  const asRole = (schema: string, password = PASSWORD) => open(schema, { user: schema, password });

  async function ledger(schema: string, { isAlone = false } = {}): Promise<Database> {
    expect(await makeRole(await asMaster(schema), { password: PASSWORD, isAlone })).toBe("made");
    const database = await asRole(schema);
    await migrate(database);
    await saveAtlases(database.db, [ATLAS]);
    return database;
  }

  test("gives a role a schema, in which it migrates, keeps, forgets and drops a ledger", async () => {
    const database = await ledger(foo);
    expect(await listAtlases(database.db)).toEqual([ATLAS]);
    await migrate(database);
    expect(await resetLedger(database.db)).toMatchObject({ atlas: 1 });
    expect(await dropLedger(database)).toBeGreaterThan(8);
  });

  test("calls nothing that the role has put into its schema, while an administrator is at work there", async () => {
    const database = await ledger(foo);
    // Each fits a call with parameters of no type better than Postgres's own of that name does.
    const trap = `begin execute 'alter role ${foo} createrole'; return null; end`;
    for (const [name, args, returns] of [
      ["pg_advisory_xact_lock", "text", "text"],
      ["shobj_description", "oid, text", "text"],
      ["pg_has_role", "name, text, text", "boolean"],
      ["pg_get_userbyid", "oid", "text"],
      ["current_database", "", "text"],
    ]) {
      await raw(
        database,
        `create function ${foo}.${name ?? ""}(${args ?? ""}) returns ${returns ?? ""} language plpgsql as $trap$ ${trap} $trap$`,
      );
    }
    const powers = async (): Promise<unknown> =>
      (await run(superuser, sql`select rolcreaterole from pg_roles where rolname = ${foo}`)).rows;
    const administrator = await asMaster(foo);
    expect(await makeRole(administrator, { password: PASSWORD, isAlone: true })).toBe("kept");
    expect(await powers()).toEqual([{ rolcreaterole: false }]);

    await raw(database, `alter table ${foo}.kysely_migration rename to kysely_migration_lock_2`);
    // It says of itself what a ledger's list of migrations says.
    await raw(
      database,
      `create function ${foo}.named() returns text language plpgsql as $trap$ begin
         execute 'alter role ${foo} createrole'; return '0001_ledger'; end $trap$`,
    );
    await raw(database, `create view ${foo}.kysely_migration as select ${foo}.named() as name`);
    await raw(database, `drop table ${foo}.kysely_migration_lock_2`);
    await expect(dropLedger(administrator)).rejects.toThrow("kysely_migration");
    expect(await powers()).toEqual([{ rolcreaterole: false }]);
  });

  test("keeps it out of all else: its neighbour's schema, other schemas, roles, databases, files", async () => {
    const one = await ledger(foo, { isAlone: true });
    const neighbour = await ledger(fooBar, { isAlone: true });
    const refused = [
      `select * from ${fooBar}.atlas`,
      `insert into ${fooBar}.atlas select * from atlas`,
      `create table ${fooBar}.mine (id integer)`,
      `drop table ${fooBar}.atlas`,
      `drop schema ${fooBar} cascade`,
      `alter schema ${fooBar} owner to ${foo}`,
      `grant usage on schema ${fooBar} to ${foo}`,
      `create schema mine`,
      `create table public.mine (id integer)`,
      `create temporary table mine (id integer)`,
      `create role mine`,
      `create database mine`,
      `alter role ${foo} createrole`,
      `alter role ${fooBar} password 'mine'`,
      `drop role ${fooBar}`,
      `grant ${fooBar} to ${foo}`,
      `set role ${fooBar}`,
      `set role ${master}`,
      `set session authorization ${master}`,
      `select * from pg_catalog.pg_authid`,
      `select pg_read_file('/etc/passwd')`,
      `copy atlas to program 'cat'`,
      `alter database ${made.settings.name} set search_path to public`,
    ];
    const codes = [];
    for (const statement of refused) {
      codes.push(
        await raw(one, statement).then(
          () => [statement, "was let through"],
          (error: Error) => [statement, (error.cause as { code: string }).code],
        ),
      );
    }
    expect(codes).toEqual(refused.map((statement) => [statement, "42501"]));
    expect(await listAtlases(neighbour.db)).toEqual([ATLAS]);
  });

  test("lets nobody else into the administrator's databases where the server is hdash's alone", async () => {
    const admin = await asMaster(foo);
    await raw(admin, `create database ${other}`);
    await makeRole(admin, { password: PASSWORD, isAlone: false });
    await expect(open(foo, { user: foo, password: PASSWORD }, other)).resolves.toBeDefined();
    await makeRole(admin, { password: PASSWORD, isAlone: true });
    const denied = {
      kind: "config",
      message: expect.stringContaining("permission denied for data") as string,
    };
    await expect(open(foo, { user: foo, password: PASSWORD }, other)).rejects.toMatchObject(denied);
    await raw(admin, `create role ${other} login password '${PASSWORD}'`);
    await expect(open(other, { user: other, password: PASSWORD })).rejects.toMatchObject(denied);
    await expect(asRole(foo)).resolves.toBeDefined();
    await expect(asMaster(foo)).resolves.toBeDefined();
  });

  test("tells the server no password, in no statement, and takes another one the next time", async () => {
    const admin = await asMaster(foo);
    const statements: string[] = [];
    const watched = admin.db.withPlugin({
      transformQuery: ({ node }) => {
        statements.push(JSON.stringify(node));
        return node;
      },
      transformResult: ({ result }) => Promise.resolve(result),
    });
    await makeRole({ ...admin, db: watched }, { password: PASSWORD, isAlone: false });
    expect(statements.length).toBeGreaterThan(5);
    expect(statements.filter((statement) => statement.includes(PASSWORD))).toEqual([]);
    await migrate(await asRole(foo));
    const next = PASSWORD.toUpperCase();
    expect(await makeRole(admin, { password: next, isAlone: false })).toBe("kept");
    await expect(asRole(foo)).rejects.toMatchObject({
      kind: "config",
      message: expect.stringContaining("password authentication failed") as string,
    });
    expect(await listAtlases((await asRole(foo, next)).db)).toEqual([]);
  });

  test("hands a role the ledger that was the administrator's", async () => {
    const admin = await asMaster(foo);
    await migrate(admin);
    await saveAtlases(admin.db, [ATLAS]);
    await makeRole(admin, { password: PASSWORD, isAlone: true });
    const database = await asRole(foo);
    expect(await listAtlases(database.db)).toEqual([ATLAS]);
    const { rows } = await run(
      database,
      sql`select relname from pg_class where relnamespace = ${foo}::regnamespace and relowner <> ${foo}::regrole`,
    );
    expect(rows).toEqual([]);
    expect(await resetLedger(database.db)).toMatchObject({ atlas: 1 });
    expect(await dropLedger(database)).toBeGreaterThan(8);
  });

  test("leaves a role alone that hdash did not make, or that may do more by now", async () => {
    const admin = await asMaster(foo);
    const refused = (message: string): object => ({
      kind: "permanent",
      message: expect.stringContaining(message) as string,
    });
    await raw(admin, `create role ${foo}`);
    const strange = `there is a role ${foo} that hdash did not make`;
    await expect(makeRole(admin, { password: PASSWORD, isAlone: false })).rejects.toMatchObject(
      refused(strange),
    );
    await expect(dropRole(admin)).rejects.toMatchObject(refused(strange));
    await raw(admin, `drop role ${foo}`);
    await ledger(foo);
    const powers = [
      ["createrole", "nocreaterole", "makes roles"],
      ["createdb", "nocreatedb", "makes databases"],
      ["replication", "noreplication", "replicates"],
      ["bypassrls", "nobypassrls", "passes row security"],
    ] as const;
    for (const [given, taken, says] of powers) {
      await raw(superuser, `alter role ${foo} ${given}`);
      await expect(makeRole(admin, { password: PASSWORD, isAlone: false })).rejects.toMatchObject(
        refused(`the role ${foo} ${says}`),
      );
      await raw(superuser, `alter role ${foo} ${taken}`);
    }
    await raw(superuser, `create role ${other}; grant ${other} to ${foo}`);
    await expect(makeRole(admin, { password: PASSWORD, isAlone: false })).rejects.toMatchObject(
      refused(`the role ${foo} is a member of others`),
    );
  });

  test("drops the role of a namespace that goes, whatever it made elsewhere, and not its neighbour's", async () => {
    const one = await ledger(foo);
    const neighbour = await ledger(fooBar);
    const admin = await asMaster(foo);
    await expect(dropRole(admin)).rejects.toMatchObject({
      message: expect.stringContaining(`the role ${foo} still has its schema`) as string,
    });
    await raw(one, "select lo_from_bytea(0, 'left')");
    expect(await dropLedger(admin)).toBeGreaterThan(8);
    expect(await dropRole(admin)).toBe(true);
    expect(await dropRole(admin)).toBe(false);
    await expect(asRole(foo)).rejects.toMatchObject({ kind: "config" });
    expect(await listAtlases(neighbour.db)).toEqual([ATLAS]);
    await expect(asRole(fooBar)).resolves.toBeDefined();
  });

  test("is raced by deployments of several namespaces", async () => {
    const admins = await Promise.all([foo, fooBar, foo, fooBar].map(asMaster));
    const done = await Promise.all(
      admins.map((admin) => makeRole(admin, { password: PASSWORD, isAlone: true })),
    );
    expect([...done].sort()).toEqual(["kept", "kept", "made", "made"]);
  });
});

describe("makeRole(database, options) on the Postgres that is embedded, a newer one", () => {
  // From 16 on whoever makes a role is its administrator and not its member: RDS's is of that kind. One connection is all there is, so that it
  // becomes one role after the other; passwords it does not ask for.
  test("makes a role and drops it as an administrator who is no superuser", async () => {
    const embedded = await createEmbeddedDatabase();
    const { rows } = await run(
      embedded,
      sql`select current_setting('server_version_num')::int / 10000 as major`,
    );
    expect(rows).toEqual([{ major: expect.toSatisfy((major: number) => major >= 16) as number }]);
    const become = (name: string) =>
      raw(embedded, `reset session authorization; set session authorization ${name}`);
    await raw(embedded, "create role master login createrole createdb");
    const { rows: databases } = await run(embedded, sql`select current_database() as name`);
    await raw(
      embedded,
      `alter database ${(databases[0] as { name: string }).name} owner to master`,
    );
    const blue = { ...embedded, schema: "hdash_blue" };
    const green = { ...embedded, schema: "hdash_green" };
    await become("master");
    expect(await makeRole(blue, { password: PASSWORD, isAlone: true })).toBe("made");
    expect(await makeRole(green, { password: PASSWORD, isAlone: true })).toBe("made");
    expect(await makeRole(blue, { password: PASSWORD, isAlone: true })).toBe("kept");
    await become("hdash_blue");
    await raw(embedded, "set search_path to hdash_blue");
    await migrate(blue);
    await expect(raw(embedded, "create table hdash_green.mine (id integer)")).rejects.toThrow(
      "permission denied for schema hdash_green",
    );
    await expect(raw(embedded, "create schema mine")).rejects.toThrow("permission denied");
    await become("master");
    expect(await dropLedger(blue)).toBeGreaterThan(8);
    expect(await dropRole(blue)).toBe(true);
    expect(await dropRole(green).catch((error: Error) => error.message)).toContain("still has its");
    await raw(embedded, "reset session authorization");
    await embedded.close();
  });
});
