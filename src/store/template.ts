// The embedded database as it is before its first use, migrated and packed: making one takes seconds and a gigabyte of memory, unpacking one
// neither. It lies beside the installed packages, made by `npm run build` or by the first command that misses it.

import {
  accessSync,
  constants,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { findPackageJSON } from "node:module";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { gunzip, gzipSync } from "node:zlib";

import { digestOfJson } from "../digest.ts";
import { HdashError } from "../error.ts";
import { packFolder, readTar, type TarEntry, writeFolder } from "./tarball.ts";

/** Makes a database in a folder that is not there yet, with every table and closed again. */
export type MakeDatabase = (dir: string) => Promise<void>;

/** To be raised when a database is made or packed otherwise than before. */
const FORMAT = 1;
const MIGRATIONS = join(import.meta.dirname, "../../migrations");

/**
 * Fills a new folder with a database: from the template, or by `make` where there is none that can be used.
 * What was made is then kept as the template, unless the installation cannot be written.
 */
export async function fillFolder(
  dir: string,
  make: MakeDatabase,
  path: string = templatePath(),
): Promise<void> {
  const entries = await readTemplate(path);
  if (entries !== null) {
    writeFolder(dir, entries);
    return;
  }
  await make(dir);
  tryToKeep(dir, path);
}

/** Makes the template anew, by way of a folder that is removed again. */
export async function makeTemplate(
  dir: string,
  make: MakeDatabase,
  path: string = templatePath(),
): Promise<void> {
  try {
    await make(dir);
    mkdirSync(dirname(path), { recursive: true });
    keepTemplate(dir, path);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/**
 * Names the template by what it is made of: PGlite's version and the migrations. One that is made of something else has another name, so that
 * nobody finds it.
 */
export function templatePath(
  file = findPackageJSON("@electric-sql/pglite", import.meta.url),
  migrations = MIGRATIONS,
): string {
  if (file === undefined) throw new HdashError("permanent", "PGlite is not installed");
  const { version } = JSON.parse(readFileSync(file, "utf8")) as { readonly version: string };
  const made = readdirSync(migrations)
    .filter((name) => /^\d{4}_\w+\.[jt]s$/.test(name))
    .sort()
    .map((name) => [name, readFileSync(join(migrations, name), "utf8")]);
  const digest = digestOfJson([FORMAT, version, made]).slice(0, 16);
  return join(file, "../../../.cache/hdash", `ledger-${digest}.tar.gz`);
}

/** What is in the template; null where there is none, or one that is damaged (gzip's sum tells), which is then made anew. */
async function readTemplate(path: string): Promise<readonly TarEntry[] | null> {
  try {
    return readTar(await promisify(gunzip)(await readFile(path)));
  } catch {
    return null; // the slow way needs nothing of it
  }
}

/** Several may do this at once: each writes a file of its own, and every one of them is a whole template. */
function keepTemplate(dir: string, path: string): void {
  const draft = `${path}.${crypto.randomUUID()}`;
  try {
    writeFileSync(draft, gzipSync(packFolder(dir)));
    renameSync(draft, path);
  } finally {
    rmSync(draft, { force: true });
  }
}

/** Whoever cannot keep a template has a database all the same. */
function tryToKeep(dir: string, path: string): boolean {
  try {
    mkdirSync(dirname(path), { recursive: true });
    // Packing takes a second, which is saved where it would be in vain.
    accessSync(dirname(path), constants.W_OK);
    keepTemplate(dir, path);
    return true;
  } catch {
    return false; // an installation that is somebody else's, a read-only root, a full disk
  }
}
