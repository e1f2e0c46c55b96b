// Files that only their owner may read: participants' rows are in them.

import { writeFile } from "node:fs/promises";

/** Writes a new file, or an existing one anew. */
export async function writePrivate(path: string, text: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
}
