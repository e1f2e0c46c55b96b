// Work folders: one for each attempt of a run, one in it for each step. What dead workers left is removed at the next start.

import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { HdashError, messageOf } from "../error.ts";
import type { Log } from "../log.ts";
import { isRunActive } from "../store/claims.ts";
import { livenessOf, parseIdentity, type ProcessIdentity } from "../store/processIdentity.ts";
import type { Db } from "../store/schema.ts";
import type { Lease } from "../store/stepRuns.ts";

/** The work folder of one attempt of a run. */
export interface ScratchFolder {
  /** Names a new folder for a step; it is made when it is first asked for. */
  newFolder(): WorkFolder;
  remove(): Promise<void>;
}

export interface WorkFolder {
  /** Makes the folder (once) and returns its path. */
  make(): Promise<string>;
  /** The path, if the folder was made. */
  path(): string | null;
  remove(): Promise<void>;
}

const NAME = /^run-(\d+)-(\d+)-/;
const OWNER = "owner.json";

/** Makes the work folder of an attempt; throws a permanent error where it cannot be made. */
export async function makeScratch(
  dir: string,
  { runId, attempt }: Lease,
  worker: ProcessIdentity,
  log: Log,
): Promise<ScratchFolder> {
  let root: string;
  try {
    await mkdir(dir, { recursive: true });
    root = await mkdtemp(join(dir, `run-${runId}-${attempt}-`));
    await writeFile(join(root, OWNER), JSON.stringify(worker));
  } catch (error) {
    throw new HdashError("permanent", `no work folder can be made in ${dir}: ${messageOf(error)}`, {
      cause: error,
    });
  }
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
        path: () => path,
        async remove() {
          await made;
          if (path !== null) await removeFolder(path, log);
        },
      };
    },
    remove: () => removeFolder(root, log),
  };
}

/** Removes work folders whose worker is dead, or cannot be asked and has no active run in this ledger. */
export async function removeStaleScratch(db: Db, dir: string, log: Log): Promise<void> {
  let names: readonly string[];
  try {
    names = await readdir(dir);
  } catch {
    return; // not there yet: makeScratch makes it, or says why it cannot
  }
  for (const name of names) {
    const [, runId, attempt] = NAME.exec(name) ?? [];
    if (runId === undefined || attempt === undefined) continue;
    const owner = await readOwner(join(dir, name, OWNER));
    const liveness = owner === null ? "unknown" : livenessOf(owner);
    if (liveness === "alive") continue;
    if (liveness === "unknown" && (await isRunActive(db, { runId, attempt: Number(attempt) })))
      continue;
    await removeFolder(join(dir, name), log);
  }
}

async function readOwner(path: string): Promise<ProcessIdentity | null> {
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
