// The pool of connections that kysely gets: every connection is prepared before its first use, and every error that leaves it is an HdashError.

import { Kysely, PostgresDialect, type PostgresPool, type PostgresPoolClient } from "kysely";
import type { Pool, PoolClient } from "pg";

import { asDatabaseError } from "./failure.ts";
import type { Db, Schema } from "./schema.ts";

/** Longer than any statement of ours takes, short enough that a run does not hang on a lost server. Milliseconds. */
export const STATEMENT_TIMEOUT_MS = 120_000;
const LOCK_TIMEOUT_MS = 30_000;
/** A worker that froze inside a transaction must not keep a run locked for others. */
const IDLE_IN_TRANSACTION_TIMEOUT_MS = 60_000;

/** Makes what statements are written with, of a pool whose connections all see one schema. */
export function makeDb(pool: Pool, subject: string, schema: string): Db {
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

/**
 * Wraps a pg pool for kysely.
 * @param subject names the database in messages; never holds a secret.
 * @param prepare is called once for every new connection; where it fails, the connection is closed.
 */
function makePool(
  pool: Pool,
  subject: string,
  prepare: (client: PoolClient) => Promise<void>,
): PostgresPool {
  const known = new WeakMap<PoolClient, PostgresPoolClient>();
  // Without listeners an error of an idle connection would end the process. The pool drops the connection by itself,
  // and whoever uses the database next gets the error.
  pool.on("error", ignore);
  pool.on("connect", (client) => client.on("error", ignore));
  return {
    options: pool.options,
    async connect() {
      let client: PoolClient;
      try {
        client = await pool.connect();
      } catch (error) {
        throw asDatabaseError(error, subject);
      }
      let wrapped = known.get(client);
      if (wrapped === undefined) {
        try {
          await prepare(client);
        } catch (error) {
          client.release(true);
          throw asDatabaseError(error, subject);
        }
        wrapped = wrapClient(client, subject);
        known.set(client, wrapped);
      }
      return wrapped;
    },
    end: () => pool.end(),
  };
}

function ignore(): void {
  // See makePool.
}

function wrapClient(client: PoolClient, subject: string): PostgresPoolClient {
  async function query(sql: string, parameters: readonly unknown[]): Promise<unknown> {
    try {
      return await client.query(sql, [...parameters]);
    } catch (error) {
      throw asDatabaseError(error, subject);
    }
  }
  return {
    // kysely's second form of query() takes a cursor, which no one here uses.
    query: query as PostgresPoolClient["query"],
    release: (destroy) => client.release(destroy),
  };
}
