// Opens the ledger's database: a Postgres server, or the embedded one in a folder of its own. The same SQL runs on both.

import { setTimeout as sleep } from "node:timers/promises";

import pg from "pg";

import { HdashError } from "../error.ts";
import { openEmbedded } from "./embedded.ts";
import { makeDb, STATEMENT_TIMEOUT_MS } from "./pool.ts";
import type { Db } from "./schema.ts";

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

/** Eight steps commit at once at most, and a heartbeat should not have to wait for them. */
const POOL_SIZE = 10;

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
