// A folder as a bucket: for sites without S3, and for the demo. Files are objects; symbolic links are neither read nor followed.

import { createHash } from "node:crypto";
import { constants, type Stats } from "node:fs";
import { link, lstat, mkdir, open, opendir, rename, rm, rmdir } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { type Digest, digestOf } from "../digest.ts";
import { codeOf, diskRemedy, HdashError, messageOf } from "../error.ts";
import type { Bucket, ByteRange, FetchedObject, ObjectHead, PutObject } from "./bucket.ts";
import { type ByteSource, bytesSource, checkGiven } from "./byteSource.ts";
import { digestPieces, writeBody } from "./fetchFile.ts";
import { readFilePieces, readHandlePieces } from "./filePieces.ts";
import { checkKey } from "./objectKey.ts";

/** Names of files that are not whole yet; the part between is made from the key. */
const PART = /^\.hdash-[0-9a-f]{16}\.part$/;

/** Who may read what is made: everybody whom the user's umask lets, or the user alone. */
const MODES = {
  open: { file: 0o666, folder: 0o777 },
  private: { file: 0o600, folder: 0o700 },
} as const;
type Modes = (typeof MODES)[keyof typeof MODES];

/** The folder of a bucket, and what names it to people. */
interface Folder {
  readonly root: string;
  readonly setting: string;
}

/**
 * Opens the folder `dir` as a bucket; it is made when the first object is put. The etag is the MD5 of the content; content types
 * and cache headers are not stored, since a folder has no place for them.
 * Its methods throw a permanent error where a link or a file stands in the way, or the disk refuses.
 * @param isPrivate true where files and folders that are made are for the user alone. @param setting what names the folder, for messages
 * about a full disk or a missing right.
 */
export function openFolderBucket(
  dir: string,
  { isPrivate = false, setting = "HDASH_SITE_DIR, or --site of a demo" } = {},
): Bucket {
  const root = resolve(dir);
  const folder: Folder = { root, setting };
  const modes = isPrivate ? MODES.private : MODES.open;
  return {
    uri: pathToFileURL(root).href,
    async put(key, body, _options, signal) {
      return (await putSource(folder, key, bytesSource(body, key), { modes }, signal)).etag;
    },
    putStream: (key, source, { digest }, signal) =>
      putSource(folder, key, source, { modes, digest }, signal),
    head: (key, signal) => lookUp(folder, key, signal),
    async open(key, range = {}, signal) {
      const head = await lookUp(folder, key, signal);
      if (head === null) return null;
      return { ...head, body: readRange(folder, key, head.bytes, range, signal) };
    },
    fetch: (key, path, signal) => fetchFile(folder, key, path, signal),
    async get(key, signal) {
      stopIfAborted(signal, key);
      const name = checkName(key);
      return await onDisk(folder, `${key} in ${root} cannot be read`, async () => {
        if ((await enter(root, name, null)) === null) return null;
        return await read(join(root, name));
      });
    },
    async *list(signal) {
      for await (const { key, bytes } of walk(folder, "", signal)) {
        const path = join(root, key);
        const etag = await onDisk(folder, `${key} in ${root} cannot be read`, () => md5Of(path));
        yield { key, etag, bytes };
      }
    },
    async *keys(below, signal) {
      // A link on the way is not followed, as everywhere.
      const isThere = await onDisk(folder, `${below} in ${root} cannot be listed`, () =>
        enter(root, below, null),
      );
      if (isThere === null) return;
      for await (const { key } of walk(folder, below, signal)) yield key;
    },
    async delete(keys, signal) {
      for (const key of keys) {
        stopIfAborted(signal, key);
        const name = checkName(key);
        await onDisk(folder, `${key} in ${root} cannot be deleted`, async () => {
          if ((await enter(root, name, null)) === null) return;
          await rm(join(root, name), { force: true });
          await removeEmpty(root, dirname(join(root, name)));
        });
      }
    },
  };
}

function checkName(key: string): string {
  if (!key.split("/").some((segment) => PART.test(segment))) return checkKey(key);
  throw new HdashError("permanent", `${JSON.stringify(key)} is a name kept for unfinished files`);
}

/** Walks to the folder of a key without following links; null where it does not exist (and is not to be made). */
async function enter(root: string, key: string, made: Modes | null): Promise<string | null> {
  let folder = root;
  for (const segment of key.split("/").slice(0, -1)) {
    folder = join(folder, segment);
    let stats = await statOf(folder);
    if (stats === null) {
      if (made === null) return null;
      // Recursive, because another put may make the same folder now.
      await mkdir(folder, { recursive: true, mode: made.folder });
      stats = await lstat(folder);
    }
    if (stats.isSymbolicLink()) throw new Error(`${folder} is a symbolic link`);
    if (!stats.isDirectory()) {
      if (made === null) return null;
      throw new Error(`${folder} is not a folder`);
    }
  }
  return folder;
}

async function putSource(
  of: Folder,
  key: string,
  source: ByteSource,
  how: { readonly modes: Modes; readonly digest?: Digest | undefined },
  signal: AbortSignal | undefined,
): Promise<PutObject> {
  stopIfAborted(signal, key);
  const { root } = of;
  const name = checkName(key);
  return await onDisk(of, `${key} in ${root} cannot be written`, async () => {
    await mkdir(root, { recursive: true, mode: how.modes.folder });
    const folder = await enter(root, name, how.modes);
    if (folder === null) throw new Error("its folder went away");
    return await write(folder, join(root, name), name, source, how, signal);
  });
}

/**
 * Writes beside the target and renames, so that a reader sees the old file or the new one. The name of the unfinished file is made
 * from the key: what a killed run left is overwritten by the next and needs no sweeping. Not synced to disk: after a power cut a
 * torn file has another MD5 than was recorded, and is put again.
 */
async function write(
  folder: string,
  target: string,
  key: string,
  source: ByteSource,
  { modes, digest }: { readonly modes: Modes; readonly digest?: Digest | undefined },
  signal: AbortSignal | undefined,
): Promise<PutObject> {
  const part = join(folder, `.hdash-${digestOf(key).slice(0, 16)}.part`);
  await rm(part, { force: true });
  const handle = await open(part, "wx", modes.file);
  const [md5, sha256] = [createHash("md5"), createHash("sha256")];
  let bytes = 0;
  try {
    try {
      for await (const piece of source.open()) {
        stopIfAborted(signal, key);
        md5.update(piece);
        sha256.update(piece);
        bytes += piece.byteLength;
        await handle.writeFile(piece);
      }
    } finally {
      await handle.close();
    }
    const put = { bytes, digest: sha256.digest("hex") as Digest };
    checkGiven(source, put, digest);
    await rename(part, target);
    return { ...put, etag: md5.digest("hex") };
  } catch (error) {
    await rm(part, { force: true });
    throw error;
  }
}

/** Looks a file up; null where there is none, or where a link or a folder has its name. */
async function lookUp(
  folder: Folder,
  key: string,
  signal: AbortSignal | undefined,
): Promise<ObjectHead | null> {
  stopIfAborted(signal, key);
  const { root } = folder;
  const name = checkName(key);
  return await onDisk(folder, `${key} in ${root} cannot be read`, async () => {
    if ((await enter(root, name, null)) === null) return null;
    const path = join(root, name);
    const stats = await statOf(path);
    if (stats?.isFile() !== true) return null;
    return { key, etag: await md5Of(path), bytes: stats.size };
  });
}

async function* readRange(
  folder: Folder,
  name: string,
  bytes: number,
  { from = 0, to = bytes }: ByteRange,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const { root } = folder;
  const end = Math.min(to, bytes);
  if (from >= end) return;
  const flags = constants.O_RDONLY | constants.O_NOFOLLOW;
  const subject = `${name} in ${root} cannot be read`;
  const handle = await onDisk(folder, subject, () => open(join(root, name), flags));
  const iterator = readHandlePieces(handle, { from, to: end });
  let at = from;
  try {
    for (;;) {
      stopIfAborted(signal, name);
      const found = await onDisk(folder, subject, () => iterator.next());
      if (found.done === true) break;
      at += found.value.byteLength;
      yield found.value;
    }
  } finally {
    await handle.close();
  }
  if (at < end) throw new HdashError("permanent", `${subject}: it was cut short while it was read`);
}

/** Gives a file a second name, where the disk can; what puts an object replaces its file, so that this one stays as it is. */
async function fetchFile(
  folder: Folder,
  key: string,
  path: string,
  signal: AbortSignal | undefined,
): Promise<FetchedObject | null> {
  stopIfAborted(signal, key);
  const { root } = folder;
  const name = checkName(key);
  const subject = `${key} in ${root} cannot be read`;
  const found = await onDisk(folder, subject, async () => {
    if ((await enter(root, name, null)) === null) return null;
    const stats = await statOf(join(root, name));
    return stats?.isFile() === true ? stats : null;
  });
  if (found === null) return null;
  if (!(await onDisk(folder, subject, () => isLinked(join(root, name), path)))) {
    return await writeBody(readRange(folder, name, found.size, {}, signal), path);
  }
  try {
    return await onDisk(folder, subject, () =>
      digestPieces(readFilePieces(path), () => stopIfAborted(signal, key)),
    );
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  }
}

/** Tells whether a file has a second name now. Disks of their own, and files of other users, may not have one. */
async function isLinked(from: string, path: string): Promise<boolean> {
  try {
    await link(from, path);
  } catch {
    return false;
  }
  // A link that came in the place of the file would have been taken along, and leads who knows where.
  if ((await lstat(path)).isFile()) return true;
  await rm(path);
  return false;
}

async function read(path: string): Promise<Uint8Array | null> {
  const stats = await statOf(path);
  if (stats === null || !stats.isFile()) return null;
  const handle = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW);
  try {
    return await handle.readFile();
  } finally {
    await handle.close();
  }
}

async function* walk(
  folder: Folder,
  prefix: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Pick<ObjectHead, "key" | "bytes">> {
  const { root, setting } = folder;
  for (const name of await namesIn({ root: join(root, prefix), setting })) {
    const key = prefix + name;
    stopIfAborted(signal, key);
    const path = join(root, key);
    const stats = await onDisk(folder, `${key} in ${root} cannot be read`, () => statOf(path));
    if (stats === null) continue;
    if (stats.isDirectory()) yield* walk(folder, `${key}/`, signal);
    else if (stats.isFile() && !PART.test(name)) yield { key, bytes: stats.size };
  }
}

/** Names in a folder, sorted so that listings are the same everywhere; none where the folder does not exist. */
async function namesIn(folder: Folder): Promise<readonly string[]> {
  const { root } = folder;
  return await onDisk(folder, `${root} cannot be listed`, async () => {
    const names: string[] = [];
    try {
      for await (const entry of await opendir(root)) names.push(entry.name);
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
    return names.sort();
  });
}

async function md5Of(path: string): Promise<string> {
  const hash = createHash("md5");
  for await (const piece of readFilePieces(path)) hash.update(piece);
  return hash.digest("hex");
}

/** Removes the folders that a deletion left empty, from the inside out, but never the root. */
async function removeEmpty(root: string, from: string): Promise<void> {
  for (let folder = from; folder !== root; folder = dirname(folder)) {
    try {
      await rmdir(folder);
    } catch (error) {
      if (isAbsent(error)) continue;
      if (codeOf(error) === "ENOTEMPTY" || codeOf(error) === "EEXIST") return;
      throw error;
    }
  }
}

async function statOf(path: string): Promise<Stats | null> {
  try {
    return await lstat(path);
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

function isAbsent(error: unknown): boolean {
  return codeOf(error) === "ENOENT" || codeOf(error) === "ENOTDIR";
}

async function onDisk<T>(
  { root, setting }: Folder,
  subject: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // What is wrong with a source is not the folder's affair.
    if (error instanceof HdashError) throw error;
    const remedy = diskRemedy(error, root, setting);
    throw new HdashError("permanent", `${subject}: ${messageOf(error)}${remedy}`, { cause: error });
  }
}

function stopIfAborted(signal: AbortSignal | undefined, key: string): void {
  if (signal?.aborted) {
    throw new HdashError("aborted", `stopped before ${key}`, { cause: signal.reason });
  }
}
