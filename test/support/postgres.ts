// Databases on the test run's Postgres server: each test file clones the template and drops its clone.

import { inject } from "vitest";

import { type Database, openDatabase, type PostgresSettings } from "../../src/store/database.ts";
import { createClone, dropClone } from "./postgresTemplate.ts";

/** A database of a test's own. */
export interface TestDatabase {
  readonly settings: PostgresSettings;
  readonly database: Database;
  /** Closes it and drops it. */
  readonly drop: () => Promise<void>;
}

/** Creates a database with every table: empty, or with what the test database `of` holds, to which nobody may be connected. */
export async function createTestDatabase(of?: string): Promise<TestDatabase> {
  const settings = await createClone(inject("postgres"), of === undefined ? {} : { of });
  const database = await openDatabase(settings);
  return {
    settings,
    database,
    async drop() {
      await database.close();
      await dropClone(inject("postgres"), settings.name);
    },
  };
}

/** The variables by which hdash is told of a database. */
export function databaseEnv(settings: PostgresSettings): Readonly<Record<string, string>> {
  return {
    HDASH_DB_HOST: settings.host,
    HDASH_DB_PORT: String(settings.port),
    HDASH_DB_USER: settings.user,
    HDASH_DB_PASSWORD: settings.password,
    HDASH_DB_NAME: settings.name,
    HDASH_DB_SCHEMA: settings.schema,
  };
}

/** Creates a database without tables and returns how to open it. */
export async function createEmptyDatabase(): Promise<{
  readonly settings: PostgresSettings;
  readonly drop: () => Promise<void>;
}> {
  const settings = await createClone(inject("postgres"), { isEmpty: true });
  return { settings, drop: () => dropClone(inject("postgres"), settings.name) };
}
