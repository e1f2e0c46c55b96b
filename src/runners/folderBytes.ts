// Measures how many bytes lie in a folder.

import { chmod, lstat, readdir } from "node:fs/promises";
import { join } from "node:path";

import { codeOf } from "../error.ts";

/** Adds up the sizes of all files in a folder; a file with several names counts once, a link for itself. In bytes. */
export async function measureFolder(folder: string): Promise<number> {
  const seen = new Set<string>();
  let bytes = 0;
  const walk = async (dir: string): Promise<void> => {
    for (const name of await listFolder(dir)) {
      const path = join(dir, name);
      const info = await lstat(path);
      const id = `${info.dev} ${info.ino}`;
      if (info.isDirectory()) await walk(path);
      else if (!seen.has(id)) bytes += info.size;
      if (info.nlink > 1) seen.add(id);
    }
  };
  await walk(folder);
  return bytes;
}

/** A program may have closed a folder of its own to its own user. */
async function listFolder(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (codeOf(error) !== "EACCES") throw error;
    await chmod(dir, 0o700);
    return readdir(dir);
  }
}
