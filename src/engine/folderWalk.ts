// What lies in a folder on local disk, as far as it can be stored: regular files and folders. Whatever else is found is refused by its path.

import { isUtf8 } from "node:buffer";
import type { BigIntStats } from "node:fs";
import { lstat, readdir, realpath } from "node:fs/promises";
import { join, sep } from "node:path";

import { codeOf, HdashError, messageOf } from "../error.ts";
import { oneLine } from "../format.ts";
import { isPlainName } from "./folderManifest.ts";

/** A file that was found. */
export interface FoundFile {
  /** Relative to the folder, with forward slashes. */
  readonly path: string;
  /** Where its bytes lie: elsewhere in the folder, where the path is that of a link. */
  readonly source: string;
  /** Changes when the file does. */
  readonly state: string;
  readonly isExecutable: boolean;
}

export interface FoundFolder {
  readonly files: readonly FoundFile[];
  readonly emptyFolders: readonly string[];
}

/** Whoever owns a file decides whether it is a program. */
const OWNER_EXECUTES = 0o100n;
/** Nothing is there, or links lead in a circle, or through a file. */
const NOWHERE = ["ENOENT", "ELOOP", "ENOTDIR"];

/**
 * Lists what is in a folder.
 * @param subject begins every message, e.g. "output pack.made cannot be stored".
 */
export async function walkFolder(
  folder: string,
  subject: string,
  signal: AbortSignal | undefined,
): Promise<FoundFolder> {
  const files: FoundFile[] = [];
  const emptyFolders: string[] = [];
  const refused = (path: string, what: string, cause?: unknown): HdashError =>
    new HdashError("permanent", `${subject}: ${oneLine(path)} ${what}`, { cause });
  const unreadable = (path: string, error: unknown): HdashError =>
    refused(path, `cannot be read: ${messageOf(error)}`, error);

  async function look(source: string, path: string): Promise<BigIntStats> {
    try {
      return await lstat(source, { bigint: true });
    } catch (error) {
      throw unreadable(path, error);
    }
  }

  const top = await look(folder, folder);
  if (!top.isDirectory()) throw refused(folder, `is ${kindOf(top)}, not a folder`);
  const root = await realpath(folder);
  const inside = root.endsWith(sep) ? root : root + sep;

  function add(path: string, source: string, found: BigIntStats): void {
    const isExecutable = (found.mode & OWNER_EXECUTES) !== 0n;
    files.push({ path, source, state: stateOf(found), isExecutable });
  }

  /** Takes a link for what it leads to, where that is a file of the folder. */
  async function follow(source: string, path: string): Promise<void> {
    let end: string;
    try {
      end = await realpath(source);
    } catch (error) {
      if (!NOWHERE.includes(codeOf(error) ?? "")) throw unreadable(path, error);
      throw refused(path, "is a link that leads nowhere", error);
    }
    if (!(end + sep).startsWith(inside)) {
      throw refused(path, `is a link that leads out of the folder, to ${oneLine(end)}`);
    }
    const found = await look(end, path);
    if (!found.isFile()) throw refused(path, `is a link to ${kindOf(found)}, not to a file`);
    add(path, end, found);
  }

  async function walk(dir: string, below: string): Promise<void> {
    signal?.throwIfAborted();
    let names: readonly Buffer[];
    try {
      // Sorted, so that of several things to be refused it is always the same one.
      names = (await readdir(dir, { encoding: "buffer" })).sort(Buffer.compare);
    } catch (error) {
      throw unreadable(below === "" ? folder : below, error);
    }
    if (names.length === 0 && below !== "") emptyFolders.push(below.slice(0, -1));
    for (const bytes of names) {
      if (!isUtf8(bytes)) throw refused(below + escapeBytes(bytes), "has a name that is not UTF-8");
      const name = bytes.toString();
      const path = below + name;
      if (!isPlainName(name)) throw refused(path, "has a name with control characters, or none");
      const source = join(dir, name);
      const found = await look(source, path);
      if (found.isDirectory()) await walk(source, `${path}/`);
      else if (found.isFile()) add(path, source, found);
      else if (found.isSymbolicLink()) await follow(source, path);
      else throw refused(path, `is ${kindOf(found)}, not a file`);
    }
  }

  await walk(root, "");
  return { files, emptyFolders };
}

/** Tells whether a file is as it was when it was found. */
export async function isUnchanged({ source, state }: FoundFile): Promise<boolean> {
  try {
    return stateOf(await lstat(source, { bigint: true })) === state;
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

function stateOf({ mode, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  // The change time too: whoever sets back a file's own time cannot set that one.
  return [mode, ino, size, mtimeNs, ctimeNs].join(" ");
}

function kindOf(found: BigIntStats): string {
  const kinds = [
    [found.isFile(), "a file"],
    [found.isDirectory(), "a folder"],
    [found.isSymbolicLink(), "a link"],
    [found.isFIFO(), "a pipe"],
    [found.isSocket(), "a socket"],
  ] as const;
  const [, kind = "a device"] = kinds.find(([is]) => is) ?? [];
  return kind;
}

/** Writes a name that is no text: its bytes beyond ASCII as \xff. */
function escapeBytes(name: Buffer): string {
  const shown = [...name].map((byte) =>
    byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`,
  );
  return shown.join("");
}
