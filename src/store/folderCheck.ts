// Whether a folder can be used, before anything is done in it: there or to be made, writable, with room, and, for a site, empty or hdash's own.

import type { Dirent, Stats } from "node:fs";
import { mkdtemp, readdir, rmdir, stat, statfs } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { codeOf, HdashError, messageOf } from "../error.ts";
import { bytes, listFew } from "../format.ts";

/** What a folder is for. */
export interface FolderUse {
  /** The setting that names it, e.g. "HDASH_HOME". */
  readonly setting: string;
  /** What it has to have room for at least. */
  readonly leastBytes: number;
}

/** A disk with less than this is as good as full. */
export const LEAST_BYTES = 1_000_000;
/** What the embedded database takes before it holds anything, and as much again for what a first run stores. */
export const LEAST_NEW_HOME_BYTES = 80_000_000;

/** Throws config, in one line, where a folder cannot be written to; nothing is made yet. */
export async function checkFolder(dir: string, { setting, leastBytes }: FolderUse): Promise<void> {
  const path = resolve(dir);
  const { at, stats } = await nearestThere(path, setting);
  const where = at === path ? path : `${path}, in ${at}`;
  if (!stats.isDirectory()) {
    const what = at === path ? "is a file" : `cannot be made: ${at} is a file`;
    throw refused(setting, `${path} ${what}`, "name a folder");
  }
  const full = (free: string, cause?: unknown): HdashError =>
    refused(
      setting,
      `the disk of ${where} is full (${free})`,
      "free some space, or name a folder on another disk",
      cause,
    );
  try {
    // What the system allows is not always what it says beforehand: a share of the network may refuse even root.
    await rmdir(await mkdtemp(join(at, ".hdash-check-")));
  } catch (error) {
    if (codeOf(error) === "ENOSPC" || codeOf(error) === "EDQUOT")
      throw full("no file can be made", error);
    const user = process.geteuid?.();
    const who = user === undefined ? "this user" : `user ${user}`;
    throw refused(
      setting,
      `${who} has no right to write to ${where}`,
      "give that right, or name another folder",
      error,
    );
  }
  const free = await freeBytes(at);
  if (free === null || free >= leastBytes) return;
  throw full(`${bytes(free)} free, ${bytes(leastBytes)} needed`);
}

/**
 * Throws config where a site cannot go to a folder: what can be written but holds somebody else's files is not a site's.
 * @param isKnown tells whether something was published to it before; asked only where the folder itself does not tell.
 */
export async function checkSiteFolder(
  dir: string,
  setting: string,
  isKnown: () => Promise<boolean> = async () => false,
): Promise<void> {
  await checkFolder(dir, { setting, leastBytes: LEAST_BYTES });
  const entries = await entriesIn(resolve(dir), setting);
  const names = entries.map(({ name }) => name).sort();
  if (names.length === 0 || (await isOurs(resolve(dir), entries)) || (await isKnown())) return;
  throw refused(
    setting,
    `${resolve(dir)} is not empty and holds no site of hdash (there are ${listFew(names, 3)})`,
    "name an empty folder or a new one",
  );
}

function refused(setting: string, what: string, remedy: string, cause?: unknown): HdashError {
  return new HdashError("config", `${setting}: ${what}; ${remedy}`, { cause });
}

/** Finds what there is of a path: itself, or the folder that it would be made in. */
async function nearestThere(
  path: string,
  setting: string,
): Promise<{ readonly at: string; readonly stats: Stats }> {
  for (let at = path; ; at = dirname(at)) {
    try {
      return { at, stats: await stat(at) };
    } catch (error) {
      const code = codeOf(error);
      if ((code === "ENOENT" || code === "ENOTDIR") && at !== dirname(at)) continue;
      throw refused(
        setting,
        `${path} cannot be looked at: ${messageOf(error)}`,
        "name another folder",
        error,
      );
    }
  }
}

/** What this user may still write to a disk; null where its file system does not say. */
async function freeBytes(at: string): Promise<number | null> {
  const said = await statfs(at).catch(() => null);
  if (said === null) return null;
  const { bavail, bfree, blocks, bsize } = said;
  if (blocks === 0) return null;
  return (process.geteuid?.() === 0 ? bfree : bavail) * bsize;
}

async function entriesIn(dir: string, setting: string): Promise<readonly Dirent[]> {
  try {
    const entries = await readdir(dir, { withFileTypes: true });
    return entries.filter(({ name }) => !name.startsWith("."));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return [];
    throw refused(
      setting,
      `${dir} cannot be read: ${messageOf(error)}`,
      "name another folder",
      error,
    );
  }
}

/** The style sheet of hdash's pages, which is published before any page. */
const STYLE_SHEET = /^site\.[0-9a-f]{8}\.css$/;

/** Tells a site of hdash by its assets, at its root or in the folder of each job; a folder that merely holds a site is none. */
async function isOurs(dir: string, entries: readonly Dirent[]): Promise<boolean> {
  if (await hasStyleSheet(join(dir, "assets"))) return true;
  const folders = entries.filter((entry) => entry.isDirectory());
  const have = await Promise.all(
    folders.map(({ name }) => hasStyleSheet(join(dir, name, "assets"))),
  );
  return have.length > 0 && have.every(Boolean);
}

/** What cannot be listed is no sign of ours. */
async function hasStyleSheet(assets: string): Promise<boolean> {
  const names = await readdir(assets).catch(() => []);
  return names.some((name) => STYLE_SHEET.test(name));
}
