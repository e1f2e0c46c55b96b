// The embedded database: Postgres as WebAssembly in this process, on a folder of its own that one process has at a time.

import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setFlagsFromString } from "node:v8";

import type { PGlite, PGliteOptions } from "@electric-sql/pglite";
import pg from "pg";

import { HdashError, messageOf } from "../error.ts";
import { asDatabaseError } from "./failure.ts";
import { type Lock, lockFolder } from "./lockFile.ts";
import { migrate } from "./migrate.ts";
import { makeDb } from "./pool.ts";
import type { Database } from "./schema.ts";
import { fillFolder } from "./template.ts";

export interface EmbeddedSettings {
  readonly kind: "embedded";
  readonly dir: string;
  /** Digests of what this process is going to do, what it does first in front: another that is to do the same need not. */
  readonly purposes?: readonly string[];
}

const SCHEMA = "hdash";

/**
 * How much of a function runs before V8 compiles it once more, optimised: its default, and ours for Postgres. One function of Postgres takes 600 MB
 * and a second of two cores to optimise, which the process waits for at its end, and by default V8 begins with it while the database starts.
 */
const TIERING_BUDGET = 13_000_000;
const POSTGRES_TIERING_BUDGET = 2_000_000_000;

/** Opens the database in a folder, which is made where it is missing; the first time from the template. */
export async function openEmbedded({ dir, purposes }: EmbeddedSettings): Promise<Database> {
  let lock: Lock;
  try {
    lock = lockFolder(dir, purposes);
  } catch (error) {
    if (error instanceof HdashError) throw error;
    throw new HdashError("config", `the folder ${dir} cannot be used: ${messageOf(error)}`, {
      cause: error,
      hint: "Set HDASH_HOME to a folder that can be written.",
    });
  }
  const subject = `embedded database in ${dir}`;
  try {
    const data = join(dir, "data");
    if (!existsSync(data)) {
      // What a first start leaves when it is killed cannot be opened: it counts only when it is whole.
      const draft = join(dir, "data-draft");
      rmSync(draft, { recursive: true, force: true });
      await fillFolder(draft, makeEmbedded);
      renameSync(draft, data);
    }
    const opened = await openPglite(await startPglite({ dataDir: data }), subject);
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

/** Makes a database with every table in a folder that is not there yet: seconds, and a gigabyte of memory. */
export async function makeEmbedded(dir: string): Promise<void> {
  // For its user alone, even where the folder around it is open to others.
  mkdirSync(dir, { mode: 0o700 });
  const database = await openPglite(await startPglite({ dataDir: dir }), "new embedded database");
  try {
    await migrate(database);
  } finally {
    await database.close();
  }
}

/** Makes a database of a running PGlite, which is closed with it. */
export async function openPglite(pglite: PGlite, subject: string): Promise<Database> {
  const { createPgConfig } = await import("@electric-sql/pglite/node-postgres");
  const config = createPgConfig(pglite) as unknown as pg.PoolConfig;
  // One connection is all there is: a query waits until the one before it is done, however long that takes.
  const db = makeDb(new pg.Pool({ ...config, max: 1, idleTimeoutMillis: 0 }), subject, SCHEMA);
  return {
    db,
    kind: "embedded",
    schema: SCHEMA,
    describe: () => subject,
    async close() {
      await db.destroy();
      await pglite.close();
    },
  };
}

/** Starts Postgres in this process. */
export async function startPglite(options: PGliteOptions): Promise<PGlite> {
  const { PGlite } = await import("@electric-sql/pglite");
  // A module keeps the budget that it was compiled under; those of others (HDF5, statistics) keep theirs.
  setFlagsFromString(`--wasm-tiering-budget=${POSTGRES_TIERING_BUDGET}`);
  try {
    return await PGlite.create(options);
  } finally {
    setFlagsFromString(`--wasm-tiering-budget=${TIERING_BUDGET}`);
  }
}
