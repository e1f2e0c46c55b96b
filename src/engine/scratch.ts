// Work folders: one for each attempt of a run, one in it for each step, and one for artifacts. What dead workers left goes at the next start.

import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { diskRemedy, HdashError, messageOf } from "../error.ts";
import { type Log, SILENT } from "../log.ts";
import { isRunActive } from "../store/claims.ts";
import type { Lease } from "../store/lease.ts";
import {
  identifyProcess,
  livenessOf,
  parseIdentity,
  type ProcessIdentity,
} from "../store/processIdentity.ts";
import type { Db } from "../store/schema.ts";

/** The work folder of one attempt of a run. */
export interface ScratchFolder {
  /** Names a new folder for a step; it is made when it is first asked for. */
  newFolder(): WorkFolder;
  remove(): Promise<void>;
}

export interface WorkFolder {
  /** Makes the folder (once) and returns its path. */
  make(): Promise<string>;
  remove(): Promise<void>;
}

const NAME = /^run-(\d+)-(\d+)-/;
/** Folders of a worker that belong to none of its runs. */
const ARTIFACTS = "artifacts-";
const OWNER = "owner.json";
/** Artifacts are read when a run begins; so long after they were fetched none needs them any more. Milliseconds. */
const ARTIFACTS_MS = 24 * 3_600_000;

/** Makes the work folder of an attempt; throws a permanent error where it cannot be made. */
export async function makeScratch(
  dir: string,
  { runId, attempt }: Lease,
  worker: ProcessIdentity,
  log: Log,
): Promise<ScratchFolder> {
  const root = await makeOwned(dir, `run-${runId}-${attempt}-`, worker);
  let count = 0;
  return {
    newFolder() {
      let path: string | null = null;
      let made: Promise<string> | undefined;
      return {
        make() {
          made ??= (async () => {
            path = join(root, `step-${++count}`);
            await mkdir(path, { recursive: true });
            return path;
          })();
          return made;
        },
        async remove() {
          await made;
          if (path !== null) await removeFolder(path, log);
        },
      };
    },
    remove: () => removeFolder(root, log),
  };
}

/**
 * Makes a folder for a command that works outside of any run, and removes those that killed ones left in the same place: they lie among
 * others' files, so that only folders are touched that this user made and whose maker is certainly dead.
 */
export async function makePassingFolder(parent: string, prefix: string): Promise<string> {
  const user = process.geteuid?.();
  for (const name of await readdir(parent)) {
    if (!name.startsWith(prefix)) continue;
    const folder = join(parent, name);
    const info = await lstat(folder).catch(() => null);
    if (info === null || !info.isDirectory() || (user !== undefined && info.uid !== user)) continue;
    const owner = await readOwner(join(folder, OWNER));
    if (owner === null || livenessOf(owner) !== "dead") continue;
    await removeFolder(folder, SILENT);
  }
  return makeSigned(parent, prefix, identifyProcess());
}

/** Makes a folder and signs it, so that others can tell whether its maker is dead. */
async function makeSigned(dir: string, prefix: string, worker: ProcessIdentity): Promise<string> {
  const made = await mkdtemp(join(dir, prefix));
  await writeFile(join(made, OWNER), JSON.stringify(worker));
  return made;
}

/** Makes a folder for the artifacts of a worker, which has to remove it; throws a permanent error where it cannot be made. */
export async function makeArtifactsFolder(dir: string, worker: ProcessIdentity): Promise<string> {
  return makeOwned(dir, ARTIFACTS, worker);
}

async function makeOwned(dir: string, prefix: string, worker: ProcessIdentity): Promise<string> {
  try {
    await mkdir(dir, { recursive: true });
    return await makeSigned(dir, prefix, worker);
  } catch (error) {
    const remedy = diskRemedy(error, dir, "HDASH_HOME");
    const message = `no work folder can be made in ${dir}: ${messageOf(error)}${remedy}`;
    throw new HdashError("permanent", message, { cause: error });
  }
}

/** Removes work folders whose worker is dead, or cannot be asked and has no active run in this ledger, or fetched its artifacts long ago. */
export async function removeStaleScratch(db: Db, dir: string, log: Log, now: Date): Promise<void> {
  let names: readonly string[];
  try {
    names = await readdir(dir);
  } catch {
    return; // not there yet: makeScratch makes it, or says why it cannot
  }
  for (const name of names) {
    const folder = join(dir, name);
    const [, runId, attempt] = NAME.exec(name) ?? [];
    const lease =
      runId === undefined || attempt === undefined ? null : { runId, attempt: Number(attempt) };
    if (lease === null && !name.startsWith(ARTIFACTS)) continue;
    const owner = await readOwner(join(folder, OWNER));
    const liveness = owner === null ? "unknown" : livenessOf(owner);
    if (liveness === "alive") continue;
    if (liveness === "unknown") {
      const isInUse = lease === null ? await isYoung(folder, now) : await isRunActive(db, lease);
      if (isInUse) continue;
    }
    await removeFolder(folder, log);
  }
}

async function isYoung(folder: string, now: Date): Promise<boolean> {
  const info = await stat(folder).catch(() => null);
  return info !== null && now.getTime() - info.mtimeMs < ARTIFACTS_MS;
}

/** Reads who has signed a folder; null where nobody has, or not to the end. */
export async function readOwner(path: string): Promise<ProcessIdentity | null> {
  try {
    return parseIdentity(JSON.parse(await readFile(path, "utf8")));
  } catch {
    return null; // killed before it was written
  }
}

/** What cannot be removed is only in the way; the next start tries again. */
async function removeFolder(path: string, log: Log): Promise<void> {
  try {
    await rm(path, { recursive: true, force: true, maxRetries: 3 });
  } catch (error) {
    log.warn(`the work folder ${path} could not be removed: ${messageOf(error)}`);
  }
}
