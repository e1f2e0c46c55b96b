// What a whole test run has once: a Postgres server with a migrated template database that tests clone, and a folder for what files share.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { TestProject } from "vitest/node";

import { type PostgresServer, startPostgres } from "./postgresServer.ts";
import { makeTemplate } from "./postgresTemplate.ts";

declare module "vitest" {
  interface ProvidedContext {
    postgres: PostgresServer;
    /** A folder for what one file makes for all (demoSite.ts). */
    made: string;
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
  const made = await mkdtemp(join(tmpdir(), "hdash-made-"));
  project.provide("postgres", server);
  project.provide("made", made);
  return async () => {
    await rm(made, { recursive: true, force: true });
    await stop();
  };
}
