// Which hdash something belongs to: its version, and the commit it was made from where that is known.

import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

export interface Build {
  /** The package's version. */
  readonly version: string;
  /** The git commit; null where it is not known. */
  readonly revision: string | null;
}

/** Names a build for people, e.g. "0.1.0 (0123456789ab)". */
export function nameBuild({ version, revision }: Build): string {
  return revision === null ? version : `${version} (${revision.slice(0, 12)})`;
}

/** Tells whether two are of different versions or, where both are known, of different commits. */
export function isOtherBuild(a: Build, b: Build): boolean {
  if (a.version !== b.version) return true;
  return a.revision !== null && b.revision !== null && a.revision !== b.revision;
}

/** Reads the commit that an image was built from; null elsewhere. */
export function imageRevision(root: string): string | null {
  const file = join(root, "REVISION");
  const revision = existsSync(file) ? readFileSync(file, "utf8").trim() : "";
  return revision === "" || revision === "unknown" ? null : revision;
}

/** Asks git for the commit of a checkout; null where there is no git, or the folder is none of its own. */
export async function checkoutRevision(root: string): Promise<string | null> {
  // Below another checkout git would answer for that one.
  if (!existsSync(join(root, ".git"))) return null;
  try {
    const { stdout } = await promisify(execFile)("git", ["-C", root, "rev-parse", "HEAD"]);
    return stdout.trim();
  } catch {
    return null; // no git, or no commit yet
  }
}
