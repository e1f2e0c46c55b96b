// Starts one Postgres server for a whole test run, with a migrated template database that tests clone.

import type { TestProject } from "vitest/node";

import { type PostgresServer, startPostgres } from "./postgresServer.ts";
import { makeTemplate } from "./postgresTemplate.ts";

declare module "vitest" {
  interface ProvidedContext {
    postgres: PostgresServer;
  }
}

/** Called by vitest; what it returns is called at the end. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { stop, ...server } = await startPostgres();
  try {
    await makeTemplate(server);
  } catch (error) {
    await stop();
    throw error;
  }
  project.provide("postgres", server);
  return stop;
}
