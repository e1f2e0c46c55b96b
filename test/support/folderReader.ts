// A folder that holds the tree of a bucket, to be read only: for tests, the demo, and whoever has a copy. The etag is the sha256.

import { createReadStream } from "node:fs";
import { lstat, opendir, readFile, realpath } from "node:fs/promises";
import { join, resolve } from "node:path";

import { HdashError, isAborted, messageOf } from "../../src/error.ts";
import { makeContentDigests } from "../../src/store/contentDigests.ts";
import { checkKey } from "../../src/store/objectKey.ts";
import type { ObjectReader } from "../../src/store/objectReader.ts";

/** Opens the folder `dir`; symbolic links in it are neither read nor followed. */
export function openFolderReader(dir: string): ObjectReader {
  const root = resolve(dir);
  const digests = makeContentDigests();

  async function* walk(folder: string, signal: AbortSignal): AsyncGenerator<string> {
    for (const entry of await entriesIn(join(root, folder))) {
      signal.throwIfAborted();
      const key = `${folder}${entry.name}`;
      if (entry.isFolder) yield* walk(`${key}/`, signal);
      else yield key;
    }
  }

  return {
    label: "a local folder",
    async *list(prefix, signal) {
      // A prefix may end within a name; what is walked is the folder that it lies in.
      const folder = prefix.slice(0, prefix.lastIndexOf("/") + 1);
      if (folder !== "") checkKey(folder.slice(0, -1));
      try {
        for await (const key of walk(folder, signal)) {
          if (!key.startsWith(prefix)) continue;
          const { sha256, bytes } = await digests.of(join(root, key), signal);
          yield { key, etag: sha256, bytes };
        }
      } catch (error) {
        throw failureOf(`list ${prefix}`, error, signal);
      }
    },
    async get(key, limitBytes, signal) {
      try {
        const path = await pathOf(root, key);
        if (path === null) return null;
        const { size } = await lstat(path);
        if (size > limitBytes) {
          const message = `get ${key}: it is larger than ${limitBytes} bytes`;
          throw new HdashError("permanent", message);
        }
        return await readFile(path, { signal });
      } catch (error) {
        throw failureOf(`get ${key}`, error, signal);
      }
    },
    async open(key, { etag, from }, signal) {
      try {
        const path = await pathOf(root, key);
        if (path === null || (await digests.of(path, signal)).sha256 !== etag) return null;
        return { from, body: piecesOf(path, from, `get ${key}`, signal) };
      } catch (error) {
        throw failureOf(`get ${key}`, error, signal);
      }
    },
    close: async () => {},
  };
}

async function* piecesOf(
  path: string,
  from: number,
  what: string,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const piece of createReadStream(path, { start: from, signal })) {
      yield piece as Uint8Array;
    }
  } catch (error) {
    throw failureOf(what, error, signal);
  }
}

/** The path of a key; null where it is no file or a link leads to it. */
async function pathOf(root: string, key: string): Promise<string | null> {
  const path = join(root, checkKey(key));
  try {
    const isStraight = (await realpath(path)) === join(await realpath(root), key);
    return isStraight && (await lstat(path)).isFile() ? path : null;
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

/** Files and folders, sorted, so that listings are the same everywhere; none where the folder does not exist. */
async function entriesIn(
  folder: string,
): Promise<readonly { readonly name: string; readonly isFolder: boolean }[]> {
  const entries: { name: string; isFolder: boolean }[] = [];
  try {
    for await (const entry of await opendir(folder)) {
      if (entry.isFile() || entry.isDirectory()) {
        entries.push({ name: entry.name, isFolder: entry.isDirectory() });
      }
    }
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function isAbsent(error: unknown): boolean {
  return (
    error instanceof Error &&
    "code" in error &&
    (error.code === "ENOENT" || error.code === "ENOTDIR")
  );
}

/** The path is ours to know: the operating system's message would name it, so its code has to do. */
function failureOf(what: string, error: unknown, signal: AbortSignal): HdashError {
  if (error instanceof HdashError) return error;
  if (signal.aborted || isAborted(error)) {
    return new HdashError("aborted", `stopped while: ${what}`, { cause: error });
  }
  const code = error instanceof Error && "code" in error ? String(error.code) : messageOf(error);
  return new HdashError("permanent", `${what} from the local folder: ${code}`, { cause: error });
}
