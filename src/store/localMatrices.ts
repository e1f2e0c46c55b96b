// Matrices in a folder of the user's, as a source: files, and folders that hold a matrix, both named <uuid>[.<species>].

import { createHash } from "node:crypto";
import { type Dirent } from "node:fs";
import { lstat, readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";

import { HdashError, isAborted, messageOf } from "../error.ts";
import type { MatrixEntry, MatrixSkip, MatrixSource } from "../matrixSource.ts";
import { type ContentDigests, makeContentDigests } from "./contentDigests.ts";
import {
  listingOf,
  readBlacklistText,
  readMatrixName,
  skipNamed,
  skipUnnamed,
} from "./matrixName.ts";

const BLACKLIST = "blacklist";
/** A folder of a matrix has three files and perhaps a readme, at any depth; one with more than this is something else. */
const MAX_FILES = 10_000;

/** What a file or a folder holds. */
interface Content {
  readonly sha256: string;
  readonly bytes: number;
  /** For a folder the digest is of names and contents, not of a file. */
  readonly isFolder: boolean;
}

/** Says in one sentence why something is not read. */
class Unfit extends HdashError {
  readonly why: string;
  constructor(why: string, message: string) {
    super("permanent", message, { publicly: message });
    this.name = "Unfit";
    this.why = why;
  }
}

/**
 * Opens the folder as a source. An entry's version is the sha256 of its content, computed again only where a file's size or time changed since
 * this source was opened. Nothing in the folder is ever written.
 */
export function openLocalMatrices(dir: string): MatrixSource {
  const root = resolve(dir);
  const digests = makeContentDigests();
  return {
    kind: "local",
    label: "a local folder",
    async list(signal) {
      const found: MatrixEntry[] = [];
      const skips: MatrixSkip[] = [];
      for (const name of await namesIn(root)) {
        if (name === BLACKLIST || name.startsWith(".")) continue;
        try {
          found.push(await readEntry(root, name, digests, signal));
        } catch (error) {
          if (!(error instanceof Unfit)) throw failureOf(name, error, signal);
          skips.push(
            error.why === "name" ? skipUnnamed(name) : skipNamed(name, error.why, error.message),
          );
        }
      }
      return listingOf(found, skips);
    },
    async blacklist(signal) {
      try {
        return readBlacklistText(
          await readFile(join(root, BLACKLIST), { encoding: "utf8", signal }),
        );
      } catch (error) {
        if (codeOf(error) === "ENOENT") return null;
        throw failureOf(BLACKLIST, error, signal);
      }
    },
    async pull(entry, _dir, { signal, onProgress }) {
      // What is asked for comes back from the ledger: it has to be one name in the folder, and nothing that climbs out of it.
      const name = entry.locator;
      if (name !== entry.fileName || name.startsWith(".") || /[\\/\0]/.test(name)) {
        throw new HdashError("permanent", `${JSON.stringify(name)} is not a name in the folder`);
      }
      const gone = `${name} was changed or removed after it was listed`;
      let now: MatrixEntry;
      try {
        now = await readEntry(root, name, digests, signal);
      } catch (error) {
        if (!(error instanceof Unfit) && codeOf(error) !== "ENOENT")
          throw failureOf(name, error, signal);
        throw new HdashError("transient", gone, { cause: error, publicly: gone });
      }
      if (now.version["sha256"] !== entry.version["sha256"]) {
        throw new HdashError("transient", gone, { publicly: `${gone}; the next run reads it` });
      }
      onProgress(now.bytes ?? 0, now.bytes);
      return { path: join(root, name), bytes: 0 };
    },
  };
}

async function namesIn(root: string): Promise<readonly string[]> {
  try {
    return (await readdir(root)).sort();
  } catch (error) {
    const message = `the folder of matrices cannot be read (${codeOf(error) ?? messageOf(error)})`;
    const hint = "Check that the folder that is set for local matrices exists and may be read.";
    throw new HdashError("config", message, { cause: error, hint });
  }
}

/** Reads what a name in the folder stands for. Throws Unfit for what is not to be read. */
async function readEntry(
  root: string,
  name: string,
  digests: ContentDigests,
  signal: AbortSignal,
): Promise<MatrixEntry> {
  const path = join(root, name);
  if (!(await isInside(root, path))) throw outside(name);
  const stats = await stat(path);
  const kind = stats.isDirectory() ? "folder" : "file";
  const matrix = readMatrixName(name, kind);
  if (matrix === null) throw new Unfit("name", `${name} does not name a matrix.`);
  if (kind === "file" && !stats.isFile())
    throw new Unfit("format", `${name} is no file or folder.`);
  const content =
    kind === "file"
      ? { ...(await digests.of(path, signal)), isFolder: false }
      : await readFolder(root, name, digests, signal);
  const { id, projectId, species } = matrix;
  return {
    id,
    projectId,
    species,
    title: id,
    fileName: name,
    bytes: content.bytes,
    version: { sha256: content.sha256 },
    sha256: content.isFolder ? null : content.sha256,
    approaches: [],
    cells: null,
    pageUrl: null,
    locator: name,
  };
}

/** Digests the sorted names and contents of all files below a folder, whatever its own name is. */
async function readFolder(
  root: string,
  name: string,
  digests: ContentDigests,
  signal: AbortSignal,
): Promise<Content> {
  const folder = join(root, name);
  const listed = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = listed
    .filter((entry) => !entry.isDirectory() && !entry.name.startsWith("."))
    .map((entry) => ({ entry, path: join(entry.parentPath, entry.name) }))
    .map(({ entry, path }) => ({ entry, path, key: relative(folder, path).split(sep).join("/") }))
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  if (files.length === 0) throw new Unfit("empty", `The folder ${name} is empty.`);
  if (files.length > MAX_FILES) {
    throw new Unfit("format", `The folder ${name} has more than ${MAX_FILES} files.`);
  }
  const hash = createHash("sha256");
  let bytes = 0;
  for (const { entry, path, key } of files) {
    if (!(await isRegular(root, path, entry))) throw outside(`${name}/${key}`);
    const content = await digests.of(path, signal);
    hash.update(`${JSON.stringify(key)} ${content.sha256}\n`);
    bytes += content.bytes;
  }
  return { sha256: hash.digest("hex"), bytes, isFolder: true };
}

/** A file, or a link to one that lies in the root; links to folders are not followed, since they may lead in circles. */
async function isRegular(root: string, path: string, entry: Dirent): Promise<boolean> {
  if (entry.isFile()) return true;
  return entry.isSymbolicLink() && (await isInside(root, path)) && (await stat(path)).isFile();
}

/** Whether a path, links followed, lies below the root; a link to nothing does not. */
async function isInside(root: string, path: string): Promise<boolean> {
  try {
    return (await realpath(path)).startsWith(`${await realpath(root)}${sep}`);
  } catch (error) {
    const code = codeOf(error);
    if ((code === "ENOENT" || code === "ELOOP") && (await lstat(path)).isSymbolicLink())
      return false;
    throw error;
  }
}

function outside(name: string): Unfit {
  const message = `${name} is a link that leads out of the folder, to another folder, or nowhere.`;
  return new Unfit("link", message);
}

function codeOf(error: unknown): string | null {
  return error instanceof Error && "code" in error ? String(error.code) : null;
}

/** The folder's place is the user's own: the operating system's message would name it, so its code has to do. */
function failureOf(name: string, error: unknown, signal: AbortSignal): HdashError {
  if (signal.aborted || isAborted(error)) {
    return new HdashError("aborted", `stopped while reading ${name}`, { cause: error });
  }
  if (error instanceof HdashError) return error;
  const code = codeOf(error) ?? messageOf(error);
  return new HdashError("permanent", `${name} cannot be read (${code})`, { cause: error });
}
