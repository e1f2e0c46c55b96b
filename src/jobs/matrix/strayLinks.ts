// Links in the folder of a matrix to files that are not there, or lie elsewhere: which of them are missed, and which lie there by chance.

import { lstatSync, realpathSync, statSync } from "node:fs";
import { join, sep } from "node:path";

import { UnreadableMatrix } from "./problem.ts";
import { showName } from "./reading/boundedRegion.ts";
import { isTableName } from "./reading/tableNames.ts";

const MATRIX =
  /\.(mtx(\.gz)?|h5ad(\.gz)?|h5(\.gz)?|hdf5(\.gz)?|loom(\.gz)?|h5mu|zip|tar|tar\.gz|tgz)$/i;
/** A name without an end may be that of a folder with more of the matrix, on a disk that is not there. */
const FILE = /\.[a-z][a-z0-9]{1,4}(\.gz)?$/i;

/** Tells whether a name is that of a matrix, with or without tables. */
export function isMatrixName(name: string): boolean {
  return MATRIX.test(name);
}

/** Tells whether a link is called as a file that is not read where a matrix lies beside it. */
export function isAside(name: string): boolean {
  return FILE.test(name) && !isReadName(name);
}

/** Tells whether a name is that of a matrix or of one of its tables. */
export function isReadName(name: string): boolean {
  return isMatrixName(name) || isTableName(name);
}

/** Passes over names, some of them for good. */
interface LinkWatch {
  readonly isWanted: (name: string) => boolean;
  /** Throws where a link was passed over and no matrix was seen: it may have been one. */
  refuseStray(): void;
}

/**
 * Watches the names below a folder that are asked about: a link to nowhere, or out of the folder, that is not missed is not wanted. It is
 * looked at while it is asked about, which few files are: those that are called neither as a matrix nor as a table.
 */
export function watchLinks(dir: string, isWanted: (name: string) => boolean): LinkWatch {
  let stray: string | null = null;
  let hasMatrix = false;
  return {
    isWanted(name) {
      if (!isWanted(name)) return false;
      if (isMatrixName(name)) hasMatrix = true;
      if (!isAside(name)) return true;
      const problem = strayProblem(dir, name);
      if (problem === null) return true;
      stray ??= problem;
      return false;
    },
    refuseStray() {
      if (stray !== null && !hasMatrix) throw new UnreadableMatrix("M_UNSAFE", stray);
    },
  };
}

/** Says where a link leads that leads to no file of the folder; null for all else. */
function strayProblem(dir: string, name: string): string | null {
  const path = join(dir, name);
  if (lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() !== true) return null;
  let target: string;
  try {
    target = realpathSync(path);
  } catch {
    // Whatever keeps it from being followed: it is not followed.
    return `${showName(name)} is a link that leads nowhere`;
  }
  const isOutside = !target.startsWith(dir + sep);
  // A folder may hold more of the matrix.
  return isOutside && statSync(target, { throwIfNoEntry: false })?.isFile() === true
    ? `${showName(name)} is a link that leads out of the folder`
    : null;
}
