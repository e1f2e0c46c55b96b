import { execFile } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { sql } from "kysely";
import { describe, expect, inject, test } from "vitest";

import { listAtlases, saveAtlases } from "../../src/jobs/htan/registry/atlasTable.ts";
import { openDatabase } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { LEDGER_KINDS, openLedger } from "../support/ledger.ts";
import { createEmptyDatabase, createTestDatabase } from "../support/postgres.ts";

const SCHEMA_FILE = join(import.meta.dirname, "../../migrations/schema.sql");

describe("migrate(database)", () => {
  test("is raced safely by 8 workers on an empty database", async () => {
    const { settings, drop } = await createEmptyDatabase();
    const workers = await Promise.all(Array.from({ length: 8 }, () => openDatabase(settings)));
    await Promise.all(workers.map(migrate));
    const applied = await Promise.all(
      workers.map(({ db }) => sql`select name from hdash.kysely_migration`.execute(db)),
    );
    expect(applied.map(({ rows }) => rows)).toEqual(
      Array(8).fill(
        [
          ...["0001_ledger", "0002_engine", "0003_objects"],
          ...["0004_lineage", "0005_ends", "0006_keeping", "0007_void"],
        ].map((name) => ({ name })),
      ),
    );
    await Promise.all(workers.map(({ close }) => close()));
    await drop();
  });

  test("keeps ledgers of different schemas of one database apart", async () => {
    const { settings, drop } = await createEmptyDatabase();
    const blue = await openDatabase({ ...settings, schema: "blue" });
    const green = await openDatabase({ ...settings, schema: "Green_2" });
    await Promise.all([migrate(blue), migrate(green)]);
    const atlas = { atlasId: "HTA1", projectId: "syn1", name: "One", liaison: "" };
    await saveAtlases(blue.db, [atlas]);
    expect(await listAtlases(blue.db)).toEqual([atlas]);
    expect(await listAtlases(green.db)).toEqual([]);
    await Promise.all([blue.close(), green.close()]);
    await drop();
  });

  test.each(LEDGER_KINDS)("refuses a %s database that a newer hdash has migrated", async (kind) => {
    const { database, close } = await openLedger(kind);
    await migrate(database);
    await sql`insert into kysely_migration (name, timestamp) values ('9999_future', '')`.execute(
      database.db,
    );
    await expect(migrate(database)).rejects.toMatchObject({
      kind: "config",
      message: `${database.describe()} is newer than this hdash: it has 9999_future, this build knows up to 0007_void`,
    });
    await close();
  });

  test("says which right is missing to a user that may not make a schema", async () => {
    const { settings, drop } = await createEmptyDatabase();
    const admin = await openDatabase(settings);
    const user = `hdash_test_${crypto.randomUUID().slice(0, 8)}`;
    await sql`create role ${sql.id(user)} login password 'p'`.execute(admin.db);
    const limited = await openDatabase({ ...settings, user, password: "p" });
    await expect(migrate(limited)).rejects.toMatchObject({
      kind: "config",
      message: expect.stringContaining("permission denied for database") as string,
      hint: "Grant the user the right to create and use the schema.",
    });
    await limited.close();
    await sql`drop role ${sql.id(user)}`.execute(admin.db);
    await admin.close();
    await drop();
  });
});

describe("migrations/schema.sql", () => {
  // `make bless` writes it; a difference means that a frozen migration was changed, or that a new one was not blessed.
  test("is what the migrations make", async () => {
    const { settings, drop } = await createTestDatabase();
    const { stdout } = await promisify(execFile)(
      join(inject("postgres").bin, "pg_dump"),
      [
        ...["--schema-only", "--no-owner", "--no-privileges", "--schema", settings.schema],
        ...["--host", settings.host, "--port", String(settings.port), "--username", settings.user],
        settings.name,
      ],
      { env: { PGPASSWORD: settings.password, PGSSLMODE: "disable" } },
    );
    await drop();
    const dump = normalise(stdout);
    if (process.env["BLESS"] === "1") await writeFile(SCHEMA_FILE, dump);
    expect(dump).toBe(await readFile(SCHEMA_FILE, "utf8"));
  });
});

/** Leaves out what depends on the version of pg_dump and not on the schema: comments, settings, session keys. */
function normalise(dump: string): string {
  const statements = dump
    .split("\n")
    .filter((line) => !/^(--|SET |SELECT pg_catalog\.set_config|\\)/.test(line))
    .join("\n");
  return `${statements.replace(/\n{2,}/g, "\n\n").trim()}\n`;
}
