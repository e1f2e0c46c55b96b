// What lies in a user's folder: which of its files and folders are matrices by name and kind, where their links lead, and what is none.

import type { Dirent } from "node:fs";
import { lstat, readdir, realpath, stat } from "node:fs/promises";
import { basename, dirname, join, relative, sep } from "node:path";

import { codeOf, HdashError, messageOf } from "../../../error.ts";
import { UNREADABLE } from "../source.ts";
import { isAside, isMatrixName, isReadName } from "../strayLinks.ts";
import { type LocalName, readLocalName, readMatrixName } from "./matrixName.ts";

/** A folder of a matrix has three files and perhaps a readme, at any depth; one with more than this is something else. */
const MAX_FILES = 10_000;
/** The end of a file that makes a folder one of a matrix. */
const MATRIX_FILE = /\.mtx(\.gz)?$/i;
/** A table that belongs to such a file. */
const TABLE_FILE = /(^|[._-])(genes|features|barcodes|cells)\.(tsv|csv|txt)(\.gz)?$/i;

/** Says in one sentence why something is not read. */
export class Unfit extends HdashError {
  readonly why: string;
  readonly matrix: LocalName | null;
  constructor(why: string, message: string, matrix: LocalName | null = null) {
    super("permanent", message, { publicly: message });
    this.name = "Unfit";
    this.why = why;
    this.matrix = matrix;
  }
}

/** Where matrices are looked for. */
export interface Place {
  readonly root: string;
  /** The one name in it that counts, where the user gave a matrix itself; null: all. */
  readonly only: string | null;
  /** Files of a matrix that lie directly in it, among other matrices. */
  readonly parts: readonly string[];
}

/** A name in the folder, looked at but not read. */
export interface Found {
  readonly root: string;
  readonly name: string;
  readonly path: string;
  readonly kind: "file" | "folder";
  readonly matrix: LocalName;
  readonly bytes: number;
}

/** What makes a folder unfit as a source, and a person has to mend. */
const UNFIT_ROOT = ["ENOENT", "ENOTDIR", "EACCES", "EPERM", "ELOOP", "ENAMETOOLONG"];

/** Finds out whether a path is a folder of matrices or a matrix itself: a file, or a folder with a .mtx directly in it. */
export async function findPlace(path: string): Promise<Place> {
  const only = basename(path);
  if (await isFile(path)) {
    return { root: dirname(path), only, parts: MATRIX_FILE.test(only) ? [only] : [] };
  }
  const names = (await namesIn(path)).filter((name) => !name.startsWith("."));
  const mtx: string[] = [];
  for (const name of names) {
    if (MATRIX_FILE.test(name) && (await isFile(join(path, name)))) mtx.push(name);
  }
  if (mtx.length === 0) return { root: path, only: null, parts: [] };
  for (const name of names) {
    // Where something lies in the folder that is a matrix by itself, the folder is none.
    if (!(await isMatrix(path, name))) continue;
    const parts = [...mtx, ...names.filter((one) => TABLE_FILE.test(one))];
    return { root: path, only: null, parts };
  }
  return { root: dirname(path), only, parts: [] };
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isFile();
  } catch (error) {
    // What is not there, or may not be looked at, is told where it is read.
    if (codeOf(error) === null) throw error;
    return false;
  }
}

async function isMatrix(root: string, name: string): Promise<boolean> {
  try {
    await lookAt(root, name);
    return true;
  } catch (error) {
    if (!(error instanceof Unfit) && codeOf(error) === null) throw error;
    return false;
  }
}

/** Names in a folder, sorted. Throws config where it cannot be read and a person has to see to that. */
export async function namesIn(root: string): Promise<readonly string[]> {
  try {
    return (await readdir(root)).sort();
  } catch (error) {
    const code = codeOf(error) ?? messageOf(error);
    const message = `the folder of matrices cannot be read (${code})`;
    if (!UNFIT_ROOT.includes(code)) throw new HdashError("permanent", message, { cause: error });
    const hint = "Check that the folder that is set for local matrices exists and may be read.";
    throw new HdashError("config", message, { cause: error, hint });
  }
}

/** Looks at a name in the folder: links are followed wherever they lead. Throws Unfit for what is no matrix. */
export async function lookAt(root: string, name: string): Promise<Found> {
  const path = join(root, name);
  if (await leadsNowhere(path)) {
    const matrix = readLocalName(name, "file");
    throw new Unfit("link", `${name} is a link that leads nowhere.`, matrix);
  }
  if (await holds(path, root)) {
    throw new Unfit("link", `${name} is a link to a folder that this one lies in.`);
  }
  const stats = await stat(path);
  const kind = stats.isDirectory() ? "folder" : "file";
  const matrix = readLocalName(name, kind);
  if (matrix === null) throw new Unfit("name", `${name} does not name a matrix.`);
  if (kind === "file" && !stats.isFile()) {
    throw new Unfit(UNREADABLE, `${name} is ${kindOf(stats)}, and no file or folder.`, matrix);
  }
  const found: Found = { root, name, path, kind, matrix, bytes: stats.size };
  // A folder that is called by a uuid was meant for a matrix: what it lacks is said when it is read.
  if (kind === "folder" && readMatrixName(name, "folder") === null) await checkFolder(found);
  return found;
}

/** Throws Unfit for a folder that holds no matrix: without looking into files, by their names. */
async function checkFolder({ root, name, matrix }: Found): Promise<void> {
  const files = await listBelow(join(root, name), name, matrix);
  const isMatrix = files.some(
    ({ entry }) => MATRIX_FILE.test(entry.name) || readLocalName(entry.name, "file") !== null,
  );
  if (isMatrix) return;
  if (files.length === 0) throw new Unfit("empty", `The folder ${name} is empty.`, matrix);
  const message = `The folder ${name} has no .mtx and no file of another format that is read in it.`;
  throw new Unfit("format", message, matrix);
}

/** A file below the folder of a matrix. */
interface FileBelow {
  readonly entry: Dirent;
  readonly path: string;
  /** Its path within the folder, with slashes. */
  readonly key: string;
}

/** Lists the files below the folder of a matrix, sorted. Throws Unfit for none, too many, and links that lead out of it. */
export async function filesOf(root: string, name: string): Promise<readonly FileBelow[]> {
  const folder = join(root, name);
  const files = await listBelow(folder, name, readLocalName(name, "folder"));
  if (files.length === 0) throw new Unfit("empty", `The folder ${name} is empty.`);
  // What is linked as a whole may lie anywhere; what is linked within it lies there or in the folder of all.
  const homes = [await realpath(folder), await realpath(root)];
  const own: FileBelow[] = [];
  let aside: string | null = null;
  for (const file of files) {
    const { entry, path, key } = file;
    const problem = entry.isFile() ? null : await problemOf(homes, entry, path);
    if (problem === null) {
      own.push(file);
      continue;
    }
    if (problem === LINKED_WITHIN) continue;
    const message = `${name}/${key} is ${problem}.`;
    const isMissed = entry.isSymbolicLink()
      ? problem === LINKED_FOLDER || !isAside(entry.name)
      : isReadName(entry.name);
    if (isMissed) throw new Unfit("link", message);
    aside ??= message;
  }
  if (aside !== null && !own.some(({ key }) => isMatrixName(key))) throw new Unfit("link", aside);
  return own;
}

const ELSE = "link the whole folder, or put the file there";
/** What it holds is read where it lies. */
const LINKED_WITHIN = "a link to a folder within";
const LINKED_FOLDER = `a link to another folder: ${ELSE}`;

/** Says what a file below the folder of a matrix is that cannot be read; null for a link that leads to one that can. */
async function problemOf(
  homes: readonly string[],
  entry: Dirent,
  path: string,
): Promise<string | null> {
  if (!entry.isSymbolicLink()) return `${kindOf(entry)}, and no file`;
  if (await leadsNowhere(path)) return "a link that leads nowhere";
  const stats = await stat(path);
  if (stats.isDirectory()) {
    const [home = ""] = homes;
    const isWithin = `${await realpath(path)}${sep}`.startsWith(`${home}${sep}`);
    return isWithin ? LINKED_WITHIN : LINKED_FOLDER;
  }
  if (!stats.isFile()) return `a link to ${kindOf(stats)}, and no file`;
  return (await liesIn(homes, path)) ? null : `a link that leads out of the folder: ${ELSE}`;
}

/** Names what is neither a file nor a folder. */
function kindOf(one: Pick<Dirent, "isFIFO" | "isSocket">): string {
  return one.isFIFO() ? "a pipe" : one.isSocket() ? "a socket" : "a device";
}

/** Lists the files below a folder, without following links; no more than a matrix has, for the folder may be anybody's home. */
async function listBelow(
  folder: string,
  name: string,
  matrix: LocalName | null,
): Promise<readonly FileBelow[]> {
  const files: FileBelow[] = [];
  const folders = [folder];
  let seen = 0;
  for (let at = folders.pop(); at !== undefined; at = folders.pop()) {
    for (const entry of await readdir(at, { withFileTypes: true })) {
      if (++seen > MAX_FILES) {
        const message = `The folder ${name} has more than ${MAX_FILES} files.`;
        throw new Unfit("format", message, matrix);
      }
      const path = join(at, entry.name);
      if (entry.isDirectory()) folders.push(path);
      else if (!entry.name.startsWith(".")) {
        files.push({ entry, path, key: relative(folder, path).split(sep).join("/") });
      }
    }
  }
  return files.sort((a, b) => (a.key < b.key ? -1 : 1));
}

/** Whether a path, links followed, lies in one of these folders. */
async function liesIn(homes: readonly string[], path: string): Promise<boolean> {
  const real = await realpath(path);
  return homes.some((home) => real.startsWith(`${home}${sep}`));
}

/** Whether a path, links followed, is the root or a folder that the root lies in. */
async function holds(path: string, root: string): Promise<boolean> {
  const [real, home] = [await realpath(path), await realpath(root)];
  return home === real || home.startsWith(real.endsWith(sep) ? real : `${real}${sep}`);
}

async function leadsNowhere(path: string): Promise<boolean> {
  try {
    await realpath(path);
    return false;
  } catch (error) {
    const code = codeOf(error);
    if ((code === "ENOENT" || code === "ELOOP") && (await lstat(path)).isSymbolicLink())
      return true;
    throw error;
  }
}
