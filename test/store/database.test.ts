import { spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sql } from "kysely";
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  inject,
  test,
  vi,
} from "vitest";

import { listAtlases, saveAtlases } from "../../src/jobs/htan/registry/atlasTable.ts";
import { openDatabase, type PostgresSettings } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";

const ATLAS = { atlasId: "HTA3", projectId: "syn22124336", name: "Example", liaison: "" };

describe("openDatabase(postgres)", () => {
  let made: TestDatabase;
  beforeAll(async () => {
    made = await createTestDatabase();
  });
  afterAll(() => made.drop());

  const opening = (settings: Partial<PostgresSettings>) =>
    openDatabase({ ...made.settings, ...settings });

  test("describes itself without the password", () => {
    const { host, port, name } = made.settings;
    expect(made.database.describe()).toBe(
      `Postgres database ${name} at ${host}:${port}, schema hdash, as hdash`,
    );
  });

  test("refuses a wrong password as a config error that does not quote it", async () => {
    const error = await opening({ password: "hunter2" }).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      kind: "config",
      hint: "Check HDASH_DB_USER and HDASH_DB_PASSWORD.",
    });
    expect(JSON.stringify(error) + String(error)).not.toContain("hunter2");
  });

  test("refuses a database that does not exist as a config error", async () => {
    await expect(opening({ name: "hdash_test_none" })).rejects.toMatchObject({
      kind: "config",
      message: expect.stringContaining('database "hdash_test_none" does not exist') as string,
    });
  });

  test("refuses a schema that Postgres cannot name", async () => {
    await expect(opening({ schema: 'x"; drop' })).rejects.toMatchObject({ kind: "config" });
  });

  test("calls a port where nobody listens transient", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    await new Promise((resolve) => server.close(resolve));
    const port = typeof address === "object" && address !== null ? address.port : 0;
    await expect(opening({ port })).rejects.toMatchObject({
      kind: "transient",
      message: expect.stringContaining(`127.0.0.1:${port}: connect ECONNREFUSED`) as string,
    });
  });

  test("speaks TLS with a certificate of the given authority, and with no other", async () => {
    const { ca } = inject("postgres");
    const opened = await opening({ tls: { ca, rejectUnauthorized: true } });
    const { rows } = await sql<{ ssl: boolean }>`
      select ssl from pg_stat_ssl where pid = pg_backend_pid()`.execute(opened.db);
    await opened.close();
    expect(rows).toEqual([{ ssl: true }]);
    await expect(opening({ tls: { ca: null, rejectUnauthorized: true } })).rejects.toMatchObject({
      kind: "config",
      hint: expect.stringContaining(
        "Check HDASH_DB_TLS and HDASH_DB_CA_FILE against what the server offers",
      ) as string,
    });
  });

  test("survives that the server ends its connections, idle and in a transaction", async () => {
    const { db, close } = await opening({});
    const pidOf = async (on: typeof db) =>
      (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(on)).rows[0]?.pid;
    const end = (pid: number | undefined) =>
      sql`select pg_terminate_backend(${pid})`.execute(made.database.db);

    await end(await pidOf(db));
    const during = db.transaction().execute(async (trx) => {
      await end(await pidOf(trx));
      await sql`select 1`.execute(trx);
    });
    await expect(during).rejects.toMatchObject({ kind: "transient" });
    await expect.poll(() => pidOf(db)).toBeGreaterThan(0);
    await close();
  });

  test("throws a wrong statement as a permanent error that names the database", async () => {
    await expect(sql`select nonsense`.execute(made.database.db)).rejects.toMatchObject({
      kind: "permanent",
      message: expect.stringContaining('column "nonsense" does not exist') as string,
    });
  });
});

describe("openDatabase(embedded)", () => {
  let dir: string;
  beforeEach(async () => {
    dir = join(await mkdtemp(join(tmpdir(), "hdash-database-")), "database");
  });
  afterEach(() => rm(join(dir, ".."), { recursive: true, force: true }));

  test("keeps what was written, refuses a second process, and forgets a half-made start", async () => {
    // What a first start leaves that was killed.
    await mkdir(join(dir, "data-draft", "base"), { recursive: true });
    await writeFile(join(dir, "data-draft", "PG_VERSION"), "");

    const first = await openDatabase({ kind: "embedded", dir });
    await migrate(first);
    await saveAtlases(first.db, [ATLAS]);
    expect(first.describe()).toBe(`embedded database in ${dir}`);
    expect(existsSync(join(dir, "data-draft"))).toBe(false);
    // Nobody else may look at what is in it.
    expect((await stat(join(dir, "data"))).mode & 0o777).toBe(0o700);
    await expect(openDatabase({ kind: "embedded", dir })).rejects.toMatchObject({
      kind: "busy",
      message: expect.stringContaining(`pid ${process.pid} on `) as string,
    });
    await first.close();

    const second = await openDatabase({ kind: "embedded", dir });
    await migrate(second);
    expect(await listAtlases(second.db)).toEqual([ATLAS]);
    await second.close();
  });

  test("opens after a process that was killed while it had it open", async () => {
    const child = spawn(
      process.execPath,
      [
        "--input-type=module-typescript",
        "--eval",
        `import { openDatabase } from ${JSON.stringify(join(import.meta.dirname, "../../src/store/database.ts"))};
         import { saveAtlases } from ${JSON.stringify(join(import.meta.dirname, "../../src/jobs/htan/registry/atlasTable.ts"))};
         import { migrate } from ${JSON.stringify(join(import.meta.dirname, "../../src/store/migrate.ts"))};
         const database = await openDatabase({ kind: "embedded", dir: ${JSON.stringify(dir)} });
         await migrate(database);
         await saveAtlases(database.db, [{ atlasId: "HTA4", projectId: "syn4", name: "n", liaison: "" }]);
         process.stdout.write("saved\\n");
         setInterval(() => {}, 1000);`,
      ],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    await new Promise((resolve) => child.stdout.once("data", resolve));
    child.kill("SIGKILL");
    await new Promise((resolve) => child.once("exit", resolve));
    const again = await openDatabase({ kind: "embedded", dir });
    expect((await listAtlases(again.db)).map(({ atlasId }) => atlasId)).toEqual(["HTA4"]);
    await again.close();
  });

  test.each([1, 30, 300])(
    "begins after a first start that was killed when it had written %i files",
    async (count) => {
      const home = join(dir, "..", `killed-${count}`);
      const draft = join(home, "data-draft");
      const open = `import { openDatabase } from ${JSON.stringify(join(import.meta.dirname, "../../src/store/database.ts"))};
        await openDatabase({ kind: "embedded", dir: ${JSON.stringify(home)} });`;
      const child = spawn(process.execPath, ["--input-type=module-typescript", "--eval", open], {
        stdio: "inherit",
      });
      const ended = new Promise((resolve) => child.once("exit", resolve));
      // Looked at without a pause: unpacking takes a moment only. Where it is over before we look, there is a whole database.
      const isFar = () =>
        existsSync(join(home, "data")) ||
        (existsSync(draft) && readdirSync(draft, { recursive: true }).length >= count);
      await vi.waitUntil(isFar, { timeout: 300_000, interval: 1 });
      child.kill("SIGKILL");
      await ended;
      const again = await openDatabase({ kind: "embedded", dir: home });
      await migrate(again);
      expect(await listAtlases(again.db)).toEqual([]);
      expect(existsSync(draft)).toBe(false);
      await again.close();
    },
  );

  test("refuses a folder that cannot be made", async () => {
    const path = join(dir, "..", "file");
    await writeFile(path, "");
    await expect(openDatabase({ kind: "embedded", dir: join(path, "x") })).rejects.toMatchObject({
      kind: "config",
      hint: "Set HDASH_HOME to a folder that can be written.",
    });
  });
});
