// Matrices in a folder of the user's, as a source: files, and folders that hold a matrix, of any name; or one such file or folder itself.

import { createHash } from "node:crypto";
import { readFile, stat } from "node:fs/promises";
import { join, relative, resolve, sep } from "node:path";

import { codeOf, HdashError, isAborted, messageOf } from "../../../error.ts";
import type { Log } from "../../../log.ts";
import {
  type ContentDigests,
  type KnownDigest,
  makeContentDigests,
} from "../../../store/contentDigests.ts";
import { readDigests, writeDigests } from "../../../store/rememberedDigests.ts";
import {
  type MatrixAddress,
  type MatrixEntry,
  type MatrixSkip,
  type MatrixSource,
  UNREADABLE,
} from "../source.ts";
import {
  filesOf,
  findPlace,
  type Found,
  lookAt,
  namesIn,
  type Place,
  Unfit,
} from "./localPlace.ts";
import {
  listingOf,
  LOCAL_FITS,
  type LocalName,
  readBlacklistText,
  readLocalName,
  skipNamed,
  skipNoMatrix,
  tellApart,
  type UnreadMatrix,
} from "./matrixName.ts";

const BLACKLIST = "blacklist";
/** Where a file system keeps what it has repaired: it stands at the top of every disk and is nobody's. */
const LOST = "lost+found";

/** What a file or a folder holds. */
interface Content {
  readonly sha256: string;
  readonly bytes: number;
  /** For a folder the digest is of names and contents, not of a file. */
  readonly isFolder: boolean;
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
  const given = resolve(dir);
  const memory = makeMemory(options);
  let place: Place | null = null;

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
      place ??= await findPlace(given);
      const found = await lookAt(place.root, name);
      now = await readEntry(found, (await memory()).digests, signal);
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
    where: given,
    fits: `What is read: ${LOCAL_FITS}. --path (MATRIX_PATH) is the folder that holds such, or one of them itself.`,
    async list(signal, { isWanted = () => true } = {}) {
      place = await findPlace(given);
      const { root, only, parts } = place;
      const { digests, keep, save } = await memory();
      const skips: MatrixSkip[] = parts.map(skipPart);
      const used = new Set<string>();
      const noted: ContentDigests = {
        of(path, stop) {
          used.add(path);
          return digests.of(path, stop);
        },
      };
      const looked: Looked[] = [];
      const entries: MatrixEntry[] = [];
      const failed: UnreadMatrix[] = [];
      try {
        for (const name of only === null ? await namesIn(root) : [only]) {
          const isHidden = (name.startsWith(".") || name === LOST) && only === null;
          if (name === BLACKLIST || isHidden || parts.includes(name)) continue;
          try {
            signal.throwIfAborted();
            const found = await lookAt(root, name);
            looked.push({ name, matrix: found.matrix, found });
          } catch (error) {
            const message = refusalOf(name, error, signal);
            const matrix = message === null ? null : await guessMatrix(root, name, error);
            if (message === null || matrix === null) skips.push(skipOf(name, error));
            else looked.push({ name, matrix, message });
          }
        }
        const own = tellApart(looked.map(({ matrix }) => matrix));
        for (const [at, one] of looked.entries()) {
          const matrix = own[at] ?? one.matrix;
          const { id, projectId, title } = matrix;
          const { name } = one;
          const fail = (message: string): void =>
            void failed.push({ id, projectId, title, why: UNREADABLE, message, fileName: name });
          if (one.found === undefined) {
            fail(one.message);
            continue;
          }
          try {
            signal.throwIfAborted();
            const read = isWanted(matrix) ? noted : null;
            entries.push(await readEntry({ ...one.found, matrix }, read, signal));
          } catch (error) {
            const message = refusalOf(name, error, signal);
            if (message !== null) fail(message);
            else skips.push({ ...skipOf(name, error), id, projectId, title });
          }
        }
        // What is not wanted this time was not read, but is as listed as the rest.
        const unread = entries.filter(({ version }) => version["sha256"] === undefined);
        const unreadPaths = new Set(unread.map(({ locator }) => join(root, locator)));
        keep((path) => used.has(path) || unreadPaths.has(nameBelow(root, path)));
      } finally {
        // Hours of reading are not lost where the listing was stopped.
        await save();
      }
      return listingOf(entries, skips, failed);
    },
    async blacklist(signal) {
      try {
        return readBlacklistText(
          await readFile(join(given, BLACKLIST), { encoding: "utf8", signal }),
        );
      } catch (error) {
        if (codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR") return null;
        throw failureOf(BLACKLIST, error, signal);
      }
    },
    async pull(entry, _dir, { signal, onProgress }) {
      const { locator, bytes } = await check(entry, signal);
      onProgress(bytes ?? 0, bytes);
      place ??= await findPlace(given);
      return { path: join(place.root, locator), bytes: 0 };
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

/** Makes the skip for a file of a matrix that lies among other matrices, or was named alone: which tables are its own cannot be told. */
function skipPart(name: string): MatrixSkip {
  const message = `${name} is only a part of a matrix: put it and its tables into a folder of their own.`;
  return skipNamed(name, "part", message);
}

/** A name in the folder that stands for a matrix: looked at, or with the reason why it may not be. */
type Looked = { readonly name: string; readonly matrix: LocalName } & (
  { readonly found: Found } | { readonly found?: undefined; readonly message: string }
);

/** Says why something that is there may not be read; null where it is gone, or no matrix. Throws what is not its fault. */
function refusalOf(name: string, error: unknown, signal: AbortSignal): string | null {
  if (signal.aborted) throw failureOf(name, error, signal);
  if (error instanceof Unfit) {
    return error.why === "link" || error.why === UNREADABLE ? error.message : null;
  }
  // What the operating system refuses: no right to read it, a broken disk.
  const isRefusal = error instanceof Error && "syscall" in error;
  if (!isRefusal) throw failureOf(name, error, signal);
  return codeOf(error) === "ENOENT"
    ? null
    : `${name} cannot be read (${codeOf(error) ?? messageOf(error)}).`;
}

/** Tells by its name what a thing is that may not be looked into; null for what is no matrix anyhow. */
async function guessMatrix(root: string, name: string, error: unknown): Promise<LocalName | null> {
  if (error instanceof Unfit) return error.matrix;
  const file = readLocalName(name, "file");
  const stats = await stat(join(root, name)).catch(() => null);
  return stats?.isFile() === true || (stats === null && file !== null)
    ? file
    : readLocalName(name, "folder");
}

/** Makes a skip of what is no matrix, or was removed since the folder was read. */
function skipOf(name: string, error: unknown): MatrixSkip {
  const { why, message, matrix } =
    error instanceof Unfit
      ? error
      : {
          why: "gone",
          message: `${name} was removed while the folder was read.`,
          matrix: readLocalName(name, "file"),
        };
  if (why === "name") return skipNoMatrix(name);
  if (matrix === null) return skipNamed(name, why, message);
  const { id, projectId, title } = matrix;
  return { id, projectId, title, why, message };
}

/** Reads what a name in the folder stands for; without digests it is not read. Throws Unfit for what is not to be read. */
async function readEntry(
  { root, name, matrix, kind, bytes, path }: Found,
  digests: ContentDigests | null,
  signal: AbortSignal,
): Promise<MatrixEntry> {
  const content =
    digests === null
      ? null
      : kind === "file"
        ? { ...(await digests.of(path, signal)), isFolder: false }
        : await readFolder(root, name, digests, signal);
  const { id, projectId, species, title } = matrix;
  return {
    id,
    projectId,
    species,
    title,
    fileName: name,
    bytes: content?.bytes ?? (kind === "file" ? bytes : null),
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
  const hash = createHash("sha256");
  let bytes = 0;
  for (const { path, key } of await filesOf(root, name)) {
    const content = await digests.of(path, signal);
    hash.update(`${JSON.stringify(key)} ${content.sha256}\n`);
    bytes += content.bytes;
  }
  return { sha256: hash.digest("hex"), bytes, isFolder: true };
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
