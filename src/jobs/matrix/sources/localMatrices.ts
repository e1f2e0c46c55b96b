// Matrices in a folder of the user's, as a source: files, and folders that hold a matrix, both named <uuid>[.<species>].

import { createHash } from "node:crypto";
import { type Dirent } from "node:fs";
import { lstat, readdir, readFile, realpath, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";

import { HdashError, isAborted, messageOf } from "../../../error.ts";
import type { Log } from "../../../log.ts";
import {
  type ContentDigests,
  type KnownDigest,
  makeContentDigests,
} from "../../../store/contentDigests.ts";
import { readDigests, writeDigests } from "../../../store/rememberedDigests.ts";
import type {
  ListOptions,
  MatrixAddress,
  MatrixEntry,
  MatrixSkip,
  MatrixSource,
} from "../source.ts";
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

/** How the folder is read. */
export interface LocalMatricesOptions {
  /** A file outside the folder that remembers digests over runs; missing: every process reads all files. */
  readonly rememberIn?: string;
  /** Is told where that file cannot be written. */
  readonly log?: Pick<Log, "warn">;
}

/**
 * Opens the folder as a source. An entry's version is the sha256 of its content, computed again only where a file's inode, size or
 * time changed since it was last computed. Nothing in the folder is ever written.
 */
export function openLocalMatrices(dir: string, options: LocalMatricesOptions = {}): MatrixSource {
  const root = resolve(dir);
  const memory = makeMemory(options);

  /** Throws transient where an entry is no longer what its version says; what did not move is not read again. */
  async function check(entry: MatrixAddress, signal: AbortSignal): Promise<MatrixEntry> {
    // What is asked for comes back from the ledger: it has to be one name in the folder, and nothing that climbs out of it.
    const name = entry.locator;
    if (name !== entry.fileName || name.startsWith(".") || /[\\/\0]/.test(name)) {
      throw new HdashError("permanent", `${JSON.stringify(name)} is not a name in the folder`);
    }
    const gone = `${name} was changed or removed after it was listed`;
    let now: MatrixEntry;
    try {
      now = await readEntry(root, name, { digests: (await memory()).digests, signal });
    } catch (error) {
      if (!(error instanceof Unfit) && codeOf(error) !== "ENOENT")
        throw failureOf(name, error, signal);
      throw new HdashError("transient", gone, { cause: error, publicly: gone });
    }
    if (now.version["sha256"] !== entry.version["sha256"]) {
      throw new HdashError("transient", gone, { publicly: `${gone}; the next run reads it` });
    }
    return now;
  }

  return {
    kind: "local",
    label: "a local folder",
    async list(signal, { isWanted = () => true } = {}) {
      const names = await namesIn(root);
      const { digests, keep, save } = await memory();
      const found: MatrixEntry[] = [];
      const skips: MatrixSkip[] = [];
      const used = new Set<string>();
      const noted: ContentDigests = {
        of(path, stop) {
          used.add(path);
          return digests.of(path, stop);
        },
      };
      try {
        for (const name of names) {
          if (name === BLACKLIST || name.startsWith(".")) continue;
          try {
            signal.throwIfAborted();
            found.push(await readEntry(root, name, { digests: noted, signal, isWanted }));
          } catch (error) {
            skips.push(skipOf(name, error, signal));
          }
        }
        // What is not wanted this time was not read, but is as listed as the rest.
        const unread = found.filter(({ version }) => version["sha256"] === undefined);
        const unreadPaths = new Set(unread.map(({ locator }) => join(root, locator)));
        keep((path) => used.has(path) || unreadPaths.has(nameBelow(root, path)));
      } finally {
        // Hours of reading are not lost where the listing was stopped.
        await save();
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
      const { locator, bytes } = await check(entry, signal);
      onProgress(bytes ?? 0, bytes);
      return { path: join(root, locator), bytes: 0 };
    },
    async confirm(entry, signal) {
      await check(entry, signal);
    },
  };
}

interface Memory {
  readonly digests: ContentDigests;
  /** Forgets all files but these. */
  keep(isKept: (path: string) => boolean): void;
  save(): Promise<void>;
}

/** Makes the question for the digests that are known; the file is read when it is first asked. */
function makeMemory({ rememberIn, log }: LocalMatricesOptions): () => Promise<Memory> {
  let made: Promise<Memory> | undefined;
  const open = async (): Promise<Memory> => {
    const known =
      rememberIn === undefined ? new Map<string, KnownDigest>() : await readDigests(rememberIn);
    return {
      digests: makeContentDigests(known),
      keep(isKept) {
        for (const path of [...known.keys()]) if (!isKept(path)) known.delete(path);
      },
      async save() {
        if (rememberIn === undefined) return;
        try {
          await writeDigests(rememberIn, known);
        } catch (error) {
          // Only the next run's time is lost.
          const code = codeOf(error) ?? messageOf(error);
          log?.warn(
            `digests of local matrices cannot be remembered (${code}): the next run reads them again`,
          );
        }
      },
    };
  };
  return () => (made ??= open());
}

/** The path of what lies in the folder itself and holds `path`; a path from elsewhere gives one that nothing has. */
function nameBelow(root: string, path: string): string {
  return join(root, relative(root, path).split(sep)[0] ?? "");
}

/** Makes a skip of what is wrong with one file or folder. Throws what is not its fault. */
function skipOf(name: string, error: unknown, signal: AbortSignal): MatrixSkip {
  if (signal.aborted) throw failureOf(name, error, signal);
  if (error instanceof Unfit) {
    return error.why === "name" ? skipUnnamed(name) : skipNamed(name, error.why, error.message);
  }
  // What the operating system refuses: no right to read it, gone since the folder was read, a broken disk.
  const isRefusal = error instanceof Error && "syscall" in error;
  if (!isRefusal) throw failureOf(name, error, signal);
  const message = `${name} cannot be read (${codeOf(error) ?? messageOf(error)}).`;
  return skipNamed(name, "unreadable", message);
}

/** What makes a folder unfit as a source, and a person has to mend. */
const UNFIT_ROOT = ["ENOENT", "ENOTDIR", "EACCES", "EPERM", "ELOOP", "ENAMETOOLONG"];

async function namesIn(root: string): Promise<readonly string[]> {
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

/** Reads what a name in the folder stands for; what is not wanted is looked at but not read. Throws Unfit for what is not to be read. */
async function readEntry(
  root: string,
  name: string,
  {
    digests,
    signal,
    isWanted = () => true,
  }: {
    readonly digests: ContentDigests;
    readonly signal: AbortSignal;
    readonly isWanted?: NonNullable<ListOptions["isWanted"]>;
  },
): Promise<MatrixEntry> {
  const path = join(root, name);
  if (!(await isInside(root, path))) throw outside(name);
  const stats = await stat(path);
  const kind = stats.isDirectory() ? "folder" : "file";
  const matrix = readMatrixName(name, kind);
  if (matrix === null) throw new Unfit("name", `${name} does not name a matrix.`);
  if (kind === "file" && !stats.isFile())
    throw new Unfit("format", `${name} is no file or folder.`);
  const { id, projectId, species } = matrix;
  const content = !isWanted({ id, projectId })
    ? null
    : kind === "file"
      ? { ...(await digests.of(path, signal)), isFolder: false }
      : await readFolder(root, name, digests, signal);
  return {
    id,
    projectId,
    species,
    title: id,
    fileName: name,
    bytes: content?.bytes ?? (kind === "file" ? stats.size : null),
    version: content === null ? {} : { sha256: content.sha256 },
    sha256: content === null || content.isFolder ? null : content.sha256,
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
