// The files of a folder, as regions with names within it; links that lead out of it are refused.

import type { Dirent } from "node:fs";
import { readdir, realpath, stat } from "node:fs/promises";
import { join, sep } from "node:path";

import { HdashError } from "../../../error.ts";
import { number } from "../../../format.ts";
import { UnreadableMatrix } from "../problem.ts";
import { showName, stopIfAborted, wholeFile } from "./boundedRegion.ts";
import type { ByteRegion } from "./region.ts";

/** A folder of matrices has some thousand files; with more than this somebody named the wrong folder. */
const MOST_FILES = 100_000;
/** Deeper than any export; and an end where folders are mounted into each other. */
const MOST_DEPTH = 32;

/** How a folder is listed. */
export interface FolderListing {
  /** False: the files of the folder itself only. */
  readonly isDeep: boolean;
  /** Names within the folder that count (folders end in "/"); others are passed over, whatever they are. */
  readonly isWanted: (name: string) => boolean;
  readonly signal: AbortSignal;
}

/** Lists the wanted files below a folder, sorted by name. A file that is reached by a link within the folder counts once. */
export async function listFolder(
  dir: string,
  { isDeep, isWanted, signal }: FolderListing,
): Promise<readonly ByteRegion[]> {
  const root = await realpath(dir);
  const files = new Map<string, ByteRegion>();
  const linked: ByteRegion[] = [];

  async function take(path: string, name: string, isLink: boolean): Promise<void> {
    const { size } = await stat(path);
    const file = wholeFile(path, name, size);
    if (isLink) linked.push(file);
    else files.set(path, file);
    if (files.size + linked.length > MOST_FILES) {
      throw new UnreadableMatrix(
        "M_TOO_LARGE",
        `the folder holds more than ${number(MOST_FILES)} files`,
        { hint: "Name the folder of the matrix itself." },
      );
    }
  }

  async function takeLink(path: string, name: string): Promise<void> {
    let target: string;
    try {
      target = await realpath(path);
    } catch (error) {
      throw new UnreadableMatrix("M_UNSAFE", `${showName(name)} is a link that leads nowhere`, {
        cause: error,
      });
    }
    if (target !== root && !target.startsWith(root + sep)) {
      throw new UnreadableMatrix(
        "M_UNSAFE",
        `${showName(name)} is a link that leads out of the folder`,
      );
    }
    // A folder that is linked within is read where it lies.
    if ((await stat(target)).isFile()) await take(target, name, true);
  }

  async function walk(folder: string, prefix: string, depth: number): Promise<void> {
    stopIfAborted(signal);
    const entries: readonly Dirent[] = await readdir(folder, { withFileTypes: true });
    for (const entry of entries) {
      const name = prefix + entry.name;
      const path = join(folder, entry.name);
      if (!isWanted(entry.isDirectory() ? `${name}/` : name)) continue;
      if (entry.isSymbolicLink()) await takeLink(path, name);
      else if (entry.isFile()) await take(path, name, false);
      else if (entry.isDirectory() && isDeep) {
        if (depth === MOST_DEPTH) {
          throw new UnreadableMatrix(
            "M_TOO_LARGE",
            `${showName(name)} lies more than ${MOST_DEPTH} folders deep`,
          );
        }
        await walk(path, `${name}/`, depth + 1);
      }
    }
  }

  try {
    await walk(root, "", 1);
  } catch (error) {
    if (error instanceof HdashError) throw error;
    throw new HdashError("permanent", "the folder of the matrix cannot be read", { cause: error });
  }
  // The link's name is the one that people gave it where they wanted it read.
  for (const file of linked) files.set(file.path, file);
  return [...files.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}
