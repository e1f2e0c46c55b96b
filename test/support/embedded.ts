// Embedded databases for tests. The first start of one takes seconds, so a migrated one is dumped once, kept beside the
// installed packages, and loaded by every test that wants one.

import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { PGlite } from "@electric-sql/pglite";

import { digestOf } from "../../src/digest.ts";
import { type Database, openPglite } from "../../src/store/database.ts";
import { migrate } from "../../src/store/migrate.ts";

const ROOT = join(import.meta.dirname, "../..");
const CACHE = join(ROOT, "node_modules/.cache/hdash-test");

/** Creates an embedded database in memory with every table, empty. */
export async function createEmbeddedDatabase(): Promise<Database> {
  const pglite = await PGlite.create({ loadDataDir: await readDump() });
  return openPglite(pglite, "embedded test database");
}

/** Fills the folder of an embedded database with a migrated one, so that openDatabase() finds it as if it were not the first start. */
export async function fillEmbeddedFolder(dir: string): Promise<void> {
  await mkdir(join(dir, "data"), { recursive: true });
  const pglite = await PGlite.create(join(dir, "data"), { loadDataDir: await readDump() });
  await pglite.close();
}

async function readDump(): Promise<Blob> {
  const path = await findDump();
  if (!existsSync(path)) await makeDump(path);
  return new Blob([await readFile(path)]);
}

/** Names the dump by what it is made of: the migrations and PGlite's version. */
async function findDump(): Promise<string> {
  const folder = join(ROOT, "migrations");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".ts")).sort();
  const migrations = await Promise.all(names.map((name) => readFile(join(folder, name), "utf8")));
  const engine = await readFile(
    join(ROOT, "node_modules/@electric-sql/pglite/package.json"),
    "utf8",
  );
  return join(CACHE, `embedded-${digestOf(migrations.join("") + engine).slice(0, 16)}.tar`);
}

async function makeDump(path: string): Promise<void> {
  const pglite = await PGlite.create();
  const database = await openPglite(pglite, "embedded template");
  await migrate(database);
  const dump = await pglite.dumpDataDir("none");
  await database.close();
  await mkdir(CACHE, { recursive: true });
  const draft = `${path}.${crypto.randomUUID()}`;
  await writeFile(draft, new Uint8Array(await dump.arrayBuffer()));
  await rename(draft, path);
}
