// Opens the ledger's database: a Postgres server, or the embedded one in a folder of its own. The same SQL runs on both.

import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import type { PGlite } from "@electric-sql/pglite";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";

import { HdashError, messageOf } from "../error.ts";
import { asDatabaseError } from "./failure.ts";
import { type Lock, lockFolder } from "./lockFile.ts";
import { makePool } from "./pool.ts";
import type { Db, Schema } from "./schema.ts";

export type DatabaseSettings = PostgresSettings | EmbeddedSettings;

export interface PostgresSettings {
  readonly kind: "postgres";
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly name: string;
  /** The Postgres schema that holds all tables, so that several ledgers can share a database. */
  readonly schema: string;
  readonly tls: { readonly ca: string | null; readonly rejectUnauthorized: true } | null;
}

export interface EmbeddedSettings {
  readonly kind: "embedded";
  readonly dir: string;
}

/** An open database. */
export interface Database {
  readonly db: Db;
  readonly kind: "postgres" | "embedded";
  /** The Postgres schema that holds all tables. */
  readonly schema: string;
  /** Names the database for people, without secrets. */
  readonly describe: () => string;
  readonly close: () => Promise<void>;
}

/** The schema of the embedded database, and the default of the other. */
const DEFAULT_SCHEMA = "hdash";

/** Eight steps commit at once at most, and a heartbeat should not have to wait for them. */
const POOL_SIZE = 10;

/** Longer than any statement of ours takes, short enough that a run does not hang on a lost server. Milliseconds. */
const STATEMENT_TIMEOUT_MS = 120_000;
const LOCK_TIMEOUT_MS = 30_000;
/** A worker that froze inside a transaction must not keep a run locked for others. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;
const CONNECT_TIMEOUT_MS = 20_000;
const CLOSE_TIMEOUT_MS = 3000;
/** For a server that is gone without a word: a little after it would have ended the statement itself. */
const ANSWER_TIMEOUT_MS = STATEMENT_TIMEOUT_MS + 10_000;

/**
 * Opens the database and proves that it answers; tables are migrate()'s job.
 * Throws a transient error where the server cannot be reached, a config error where it refuses us or the folder is in use.
 */
export async function openDatabase(settings: DatabaseSettings): Promise<Database> {
  return settings.kind === "postgres" ? openPostgres(settings) : openEmbedded(settings);
}

async function openPostgres(settings: PostgresSettings): Promise<Database> {
  const { host, port, user, name, schema, tls } = settings;
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(schema)) {
    throw new HdashError("config", `"${schema}" cannot be the name of a Postgres schema`, {
      hint: "Use letters, digits and underscores, at most 63.",
    });
  }
  const subject = `Postgres database ${name} at ${host}:${port}`;
  const pool = new pg.Pool({
    host,
    port,
    user,
    password: settings.password,
    database: name,
    ssl:
      tls === null
        ? false
        : {
            rejectUnauthorized: tls.rejectUnauthorized,
            ...(tls.ca === null ? {} : { ca: tls.ca }),
          },
    max: POOL_SIZE,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: ANSWER_TIMEOUT_MS,
    keepAlive: true,
    application_name: "hdash",
  });
  const db = makeDb(pool, subject, schema);
  try {
    await db.selectNoFrom((eb) => eb.lit(1).as("one")).execute();
  } catch (error) {
    await db.destroy();
    throw error;
  }
  return {
    db,
    kind: "postgres",
    schema,
    describe: () => `${subject}, schema ${schema}, as ${user}`,
    async close() {
      // A statement that is under way is waited for, but not on a server that is gone without a word.
      const late = new AbortController();
      const deadline = sleep(CLOSE_TIMEOUT_MS, undefined, { signal: late.signal }).catch(() => {});
      await Promise.race([db.destroy(), deadline]);
      late.abort();
    },
  };
}

async function openEmbedded({ dir }: EmbeddedSettings): Promise<Database> {
  let lock: Lock;
  try {
    lock = lockFolder(dir);
  } catch (error) {
    if (error instanceof HdashError) throw error;
    throw new HdashError("config", `the folder ${dir} cannot be used: ${messageOf(error)}`, {
      cause: error,
      hint: "Set HDASH_HOME to a folder that can be written.",
    });
  }
  const subject = `embedded database in ${dir}`;
  try {
    const { PGlite } = await import("@electric-sql/pglite");
    const data = join(dir, "data");
    if (!existsSync(data)) {
      // The first start takes seconds, and what it leaves when it is killed cannot be opened: it counts only when it is whole.
      const draft = join(dir, "data-draft");
      rmSync(draft, { recursive: true, force: true });
      // For its user alone, even where the folder around it is open to others.
      mkdirSync(draft, { recursive: true, mode: 0o700 });
      const first = await PGlite.create(draft);
      await first.close();
      renameSync(draft, data);
    }
    const pglite = await PGlite.create(data);
    const opened = await openPglite(pglite, subject);
    return {
      ...opened,
      async close() {
        try {
          await opened.close();
        } finally {
          lock.release();
        }
      },
    };
  } catch (error) {
    lock.release();
    throw asDatabaseError(error, subject);
  }
}

/** Makes a database of a running PGlite, which is closed with it. */
export async function openPglite(pglite: PGlite, subject: string): Promise<Database> {
  const { createPgConfig } = await import("@electric-sql/pglite/node-postgres");
  const config = createPgConfig(pglite) as unknown as pg.PoolConfig;
  // One connection is all there is: a query waits until the one before it is done, however long that takes.
  const db = makeDb(
    new pg.Pool({ ...config, max: 1, idleTimeoutMillis: 0 }),
    subject,
    DEFAULT_SCHEMA,
  );
  return {
    db,
    kind: "embedded",
    schema: DEFAULT_SCHEMA,
    describe: () => subject,
    async close() {
      await db.destroy();
      await pglite.close();
    },
  };
}

function makeDb(pool: pg.Pool, subject: string, schema: string): Db {
  const settings = {
    search_path: `"${schema}"`,
    statement_timeout: String(STATEMENT_TIMEOUT_MS),
    lock_timeout: String(LOCK_TIMEOUT_MS),
    idle_in_transaction_session_timeout: String(IDLE_IN_TRANSACTION_TIMEOUT_MS),
    timezone: "UTC",
  };
  const names = Object.keys(settings);
  const prepare = `select ${names.map((name, index) => `set_config('${name}', $${index + 1}, false)`).join(", ")}`;
  return new Kysely<Schema>({
    dialect: new PostgresDialect({
      pool: makePool(pool, subject, async (client) => {
        await client.query(prepare, Object.values(settings));
      }),
    }),
  });
}
