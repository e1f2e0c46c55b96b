// A folder of exports. What is no file, and what has no name in UTF-8, is listed as such and never opened; links are not followed. A file's
// version is its size and the time of its last change.

import { isUtf8 } from "node:buffer";
import { type BigIntStats, constants } from "node:fs";
import { type FileHandle, lstat, open, readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { codeOf, HdashError, messageOf } from "../../../error.ts";
import { oneLine } from "../../../format.ts";
import { readHandlePieces } from "../../../store/filePieces.ts";
import type { ListedObject, Refusal } from "../data/catalog.ts";
import { type ExportSource, moved } from "./exports.ts";

/** What opening a file ends with where it, or a folder above it, is no longer there, or a link by now. */
const GONE: readonly string[] = ["ENOENT", "ENOTDIR", "ELOOP"];

/** Tells whether there is nothing of this name. */
export async function isMissing(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return false;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return true;
    throw unreadable(path, error);
  }
}

/** Opens the exports of a folder: below it lie "<cohort>/<export>". */
export function folderExports(dir: string): ExportSource {
  return {
    label: pathToFileURL(dir).href,
    async list(signal) {
      const objects: ListedObject[] = [];
      await walk(dir, "", objects, signal);
      return objects;
    },
    async open({ key, bytes, etag }) {
      const path = join(dir, key);
      return {
        bytes,
        async *read(from, to, signal) {
          const handle = await openFile(path, key);
          try {
            const found = await handle.stat({ bigint: true });
            if (versionOf(found) !== etag) throw moved(key);
            signal.throwIfAborted();
            for await (const piece of readHandlePieces(handle, { from, to })) {
              yield piece;
              signal.throwIfAborted();
            }
          } finally {
            await handle.close();
          }
        },
      };
    },
    close: () => Promise.resolve(),
  };
}

async function openFile(path: string, key: string): Promise<FileHandle> {
  try {
    return await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  } catch (error) {
    if (GONE.includes(codeOf(error) ?? "")) throw moved(key);
    throw unreadable(key, error);
  }
}

async function walk(
  dir: string,
  below: string,
  objects: ListedObject[],
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  let names: readonly Buffer[];
  try {
    names = (await readdir(join(dir, below), { encoding: "buffer" })).sort(Buffer.compare);
  } catch (error) {
    // A namespace that nobody has sent anything of is empty.
    if (below === "" && codeOf(error) === "ENOENT") return;
    throw unreadable(below === "" ? dir : below, error);
  }
  for (const name of names) {
    if (!isUtf8(name)) {
      objects.push({ key: `${below}${escapeBytes(name)}`, bytes: 0, etag: "", refused: NO_TEXT });
      continue;
    }
    const key = `${below}${name.toString()}`;
    const found = await lookAt(join(dir, key), key);
    if (found === null) continue;
    if (found.isDirectory()) await walk(dir, `${key}/`, objects, signal);
    else if (found.isFile()) {
      objects.push({ key, bytes: Number(found.size), etag: versionOf(found) });
    } else objects.push({ key, bytes: 0, etag: "", refused: noFile(found) });
  }
}

const NO_TEXT: Refusal = { outcome: "bad_name", why: "its name is not UTF-8" };

/** Writes a name that is no text: its bytes beyond ASCII as \xff. */
function escapeBytes(name: Buffer): string {
  const bytes = [...name].map((byte) =>
    byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`,
  );
  return bytes.join("");
}

function noFile(found: BigIntStats): Refusal {
  const kinds = [
    [found.isSymbolicLink(), "a symbolic link, which is not followed"],
    [found.isFIFO(), "a pipe"],
    [found.isSocket(), "a socket"],
  ] as const;
  const [, kind = "a device"] = kinds.find(([is]) => is) ?? [];
  return { outcome: "no_file", why: `it is ${kind}` };
}

/** Looks at what a listing names, and not at what a link leads to; null where it is gone since. */
async function lookAt(path: string, key: string): Promise<BigIntStats | null> {
  try {
    return await lstat(path, { bigint: true });
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw unreadable(key, error);
  }
}

function versionOf({ size, mtimeNs }: { readonly size: bigint; readonly mtimeNs: bigint }): string {
  return `${size}-${mtimeNs}`;
}

function unreadable(key: string, error: unknown): HdashError {
  return new HdashError("permanent", `${oneLine(key)} cannot be read: ${messageOf(error)}`, {
    cause: error,
  });
}
