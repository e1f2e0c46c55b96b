// What a stored folder is: a blob of JSON lines that names its files by path, each a blob of its own, and its empty folders. Equal folders
// give equal bytes: lines are sorted, and say nothing of times, owners or other modes.

import { canonicalJson, type Digest } from "../digest.ts";
import { HdashError } from "../error.ts";
import { oneLine } from "../format.ts";
import type { StoredBlob } from "../store/blobs.ts";

/** A file of a stored folder. `path` is relative, with forward slashes. */
export interface FolderEntry extends StoredBlob {
  readonly path: string;
  readonly isExecutable: boolean;
}

export interface Manifest {
  readonly files: readonly FolderEntry[];
  readonly emptyFolders: readonly string[];
}

/** The first line. With it an empty folder has bytes that no empty file has; a manifest of another shape would have another number. */
const HEAD = canonicalJson({ folder: 1 });

/** Tells whether a name can be one in a stored folder: what is no text, or moves a cursor, cannot be told to anybody. */
export function isPlainName(name: string): boolean {
  return name !== "" && name !== "." && name !== ".." && !/\p{Cc}|\//u.test(name);
}

/** Writes a manifest, in whatever order its parts are given. */
export function writeManifest({ files, emptyFolders }: Manifest): string {
  const lines = [
    ...files.map(({ path, digest, bytes, isExecutable }) => ({
      path,
      line: canonicalJson({ path, sha256: digest, bytes, isExecutable }),
    })),
    ...emptyFolders.map((path) => ({ path, line: canonicalJson({ path, isFolder: true }) })),
  ].sort((a, b) => byCodePoint(a.path, b.path));
  return [HEAD, ...lines.map(({ line }) => line), ""].join("\n");
}

/** Reads a manifest. Throws a permanent error where the text is none: what is laid out by it must not leave its folder. */
export function parseManifest(digest: Digest, text: string): Manifest {
  const wrong = (what: string, cause?: unknown): HdashError =>
    new HdashError("permanent", `blob ${digest} is no list of a folder: ${what}`, { cause });
  const [head, ...lines] = text.split("\n");
  if (head !== HEAD || lines.pop() !== "") throw wrong("its first or last line is another's");
  const files: FolderEntry[] = [];
  const emptyFolders: string[] = [];
  let before: string | null = null;
  for (const line of lines) {
    const entry = parseLine(line);
    if (entry === null) throw wrong(`it has a line ${oneLine(line.slice(0, 200))}`);
    const { path } = entry;
    if (before !== null && byCodePoint(before, path) >= 0) {
      throw wrong(`${oneLine(path)} does not stand in its place`);
    }
    before = path;
    if ("isFolder" in entry) emptyFolders.push(path);
    else files.push(entry);
  }
  return { files, emptyFolders };
}

function parseLine(line: string): FolderEntry | { path: string; isFolder: true } | null {
  let found: unknown;
  try {
    found = JSON.parse(line);
  } catch {
    return null;
  }
  if (typeof found !== "object" || found === null || !("path" in found)) return null;
  const { path } = found;
  if (typeof path !== "string" || !path.split("/").every(isPlainName)) return null;
  if ("isFolder" in found) return { path, isFolder: true };
  if (!("sha256" in found) || !("bytes" in found) || !("isExecutable" in found)) return null;
  const { sha256, bytes, isExecutable } = found;
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/.test(sha256)) return null;
  if (typeof bytes !== "number" || !Number.isSafeInteger(bytes) || bytes < 0) return null;
  if (typeof isExecutable !== "boolean") return null;
  return { path, digest: sha256 as Digest, bytes, isExecutable };
}

/** Compares texts by code points, as UTF-8 sorts: `<` puts what lies beyond U+FFFF before U+E000. */
function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    if (a.charCodeAt(at) === b.charCodeAt(at)) continue;
    return (a.codePointAt(at) ?? 0) - (b.codePointAt(at) ?? 0);
  }
  return a.length - b.length;
}
