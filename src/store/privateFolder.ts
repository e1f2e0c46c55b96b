// HDASH_HOME is private: it holds the ledger, what was downloaded and what is being worked on. A folder that others may enter is closed, or refused.

import type { Dirent } from "node:fs";
import { chmod, lstat, readdir, readlink, stat } from "node:fs/promises";
import { join } from "node:path";

import { HdashError, messageOf } from "../error.ts";
import { listFew } from "../format.ts";
import type { Log } from "../log.ts";

/** What hdash puts there first: a folder that has one of these is its own. */
const OWN_NAMES: readonly string[] = ["blobs", "database", "demo", "detached", "scratch", "story"];
/** A folder that everybody may put something into (such as /tmp) is nobody's own. */
const STICKY = 0o1000;
/** More would bury the sentence. */
const NAMED = 3;
/** Group and others: read, write, enter. */
const OPEN = 0o077;

/**
 * Closes a folder of hdash's to all but its user, and says so. Throws config where it cannot be closed, where it holds other things that
 * closing would take from others, and where what lies in it leads elsewhere or is another user's: somebody may have put it there.
 * A folder that is not there yet is left to be made.
 */
export async function closeFolder(dir: string, setting: string, log: Log): Promise<void> {
  const user = process.geteuid?.();
  const stats = await stat(dir).catch(() => null);
  // Where there are no users there are no modes.
  if (user === undefined || stats === null) return;
  const refuse = (what: string, remedy: string, cause?: unknown): never => {
    throw new HdashError("config", `${setting}: ${dir} ${what}; ${remedy}`, { cause });
  };
  const entries = await readdir(dir, { withFileTypes: true });
  for (const entry of entries) await checkEntry(dir, entry, user, refuse);
  if ((stats.mode & OPEN) === 0) return;
  const mode = `mode ${(stats.mode & 0o7777).toString(8)}`;
  const names = entries.map(({ name }) => name).sort();
  const isOwn = names.length === 0 || names.some((name) => OWN_NAMES.includes(name));
  if (!isOwn || (stats.mode & STICKY) !== 0) {
    const what = names.length === 0 ? "" : `: ${listFew(names, NAMED)}`;
    refuse(
      `is open to others (${mode}) and not a folder of hdash's own${what}`,
      "name one that is empty or new",
    );
  }
  try {
    await chmod(dir, 0o700);
  } catch (error) {
    refuse(
      `is open to others (${mode}) and cannot be closed: ${messageOf(error)}`,
      `give it to user ${user}, or name a folder below it`,
      error,
    );
  }
  log.warn(
    `${setting}: ${dir} was open to others (${mode}) and is closed now to all but user ${user}`,
  );
}

async function checkEntry(
  dir: string,
  entry: Dirent,
  user: number,
  refuse: (what: string, remedy: string) => never,
): Promise<void> {
  const path = join(dir, entry.name);
  if (entry.isSymbolicLink()) {
    const target = await readlink(path).catch(() => "?");
    refuse(
      `holds a link: ${entry.name} → ${target}`,
      "put the folder itself there, or let the setting name where it is",
    );
  }
  const stats = await lstat(path).catch(() => null);
  if (stats !== null && stats.uid !== user && stats.uid !== 0) {
    refuse(
      `holds ${entry.name}, which is user ${stats.uid}'s and not user ${user}'s`,
      "remove it, give it to that user, or name another folder",
    );
  }
}
