// The databases of a test server: a migrated template, and clones of it.

import pg from "pg";

import { openDatabase, type PostgresSettings } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";
import type { PostgresServer } from "./postgresServer.ts";

const PREFIX = "hdash_test_";
const TEMPLATE = `${PREFIX}template`;

/** Makes the template database and migrates it. */
export async function makeTemplate(server: PostgresServer): Promise<void> {
  await administer(server, `create database ${TEMPLATE}`);
  const database = await openDatabase(settingsFor(server, TEMPLATE));
  try {
    await migrate(database);
  } finally {
    await database.close();
  }
}

/** Clones the template, or another test database (or makes an empty one), and returns how to open it. */
export async function createClone(
  server: PostgresServer,
  { of = TEMPLATE, isEmpty = false }: { readonly of?: string; readonly isEmpty?: boolean } = {},
): Promise<PostgresSettings> {
  const name = `${PREFIX}${crypto.randomUUID().replaceAll("-", "")}`;
  refuseOthers(of);
  const template = isEmpty ? "template0" : of;
  await administer(server, `create database ${name} template ${template}`);
  return settingsFor(server, name);
}

/** Drops a test database, whoever is connected to it; refuses any other. */
export async function dropClone(server: PostgresServer, name: string): Promise<void> {
  refuseOthers(name);
  await administer(server, `drop database if exists ${name} with (force)`);
}

/** Throws where a name is not that of a test database: a test must never get near anything else. */
function refuseOthers(name: string): void {
  if (!/^hdash_test_[a-z0-9_]+$/.test(name)) throw new Error(`${name} is not a test database`);
}

/** Runs one statement as the server's administrator, outside of every test database. */
async function administer(server: PostgresServer, statement: string): Promise<void> {
  const { host, port, user, password } = server;
  const client = new pg.Client({ host, port, user, password, database: "postgres" });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

function settingsFor(server: PostgresServer, name: string): PostgresSettings {
  const { host, port, user, password } = server;
  return { kind: "postgres", host, port, user, password, name, schema: "hdash", tls: null };
}
