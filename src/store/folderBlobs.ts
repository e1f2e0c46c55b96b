// Blobs in a folder, for the embedded database: one file each, in 256 subfolders by the digest's first two digits. A process has both for
// itself, so that nobody finds a blob while another removes it, and a file's own time is when the blob was used: when it was put.

import { createHash, type Hash } from "node:crypto";
import { constants, type Stats } from "node:fs";
import {
  access,
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";

import { type Digest, digestOf } from "../digest.ts";
import { codeOf, diskRemedy, HdashError, messageOf } from "../error.ts";
import {
  BlobError,
  type BlobStore,
  copyName,
  type KeptBlob,
  type Leftovers,
  type StoredBlob,
} from "./blobs.ts";
import { readFilePieces, readSmallFile } from "./filePieces.ts";

/** For their user alone: blobs hold data of participants. */
const FOLDER = { recursive: true, mode: 0o700 } as const;
/** Nor does anybody write to a blob. */
const FILE_MODE = 0o400;
/** Where blobs are written before they have a name. */
const DRAFTS = "draft";
/** A file of at most so much goes through memory: copying it aside first takes three times as many calls of the system. */
const SMALL_BYTES = 256 * 1024;
/** What a step does with a copy of its own is its own affair. */
const COPY_MODE = 0o600;

/** Opens a folder of blobs; it is made when the first one is put. */
export function openFolderBlobs(dir: string): BlobStore {
  return {
    has: (digest) => hasBlob(dir, digest),
    stream: (digest) => streamBlob(dir, digest),

    async put(bytes) {
      try {
        return await putWhole(dir, bytes);
      } catch (error) {
        throw failed(`blob ${digestOf(bytes)} cannot be written to ${dir}`, dir, error);
      }
    },

    async putFile(path): Promise<StoredBlob> {
      try {
        const whole = await readSmallFile(path, SMALL_BYTES);
        if (whole !== null) return await putWhole(dir, whole);
        const draft = await newDraft(dir);
        return await orRemove(draft, async () => {
          await copyAside(path, draft, FILE_MODE);
          const blob = await hashFile(draft);
          // A good one is not put again, and a damaged one of this length is found when it is read.
          if (await isWhole(dir, blob)) await rm(draft);
          else await settle(dir, draft, blob.digest);
          return blob;
        });
      } catch (error) {
        throw failed(`${path} cannot be stored as a blob in ${dir}`, dir, error);
      }
    },

    async missing(blobs) {
      const found = await Promise.all(blobs.map((blob) => isWhole(dir, blob)));
      return blobs.filter((_, index) => found[index] !== true).map(({ digest }) => digest);
    },

    async read(digest) {
      let bytes: Uint8Array;
      try {
        bytes = await readFile(pathOf(dir, digest));
      } catch (error) {
        throw unreadable(digest, dir, error);
      }
      if (digestOf(bytes) !== digest) throw damaged(digest, dir);
      return bytes;
    },

    async localFile(digest, folder) {
      const path = copyName(digest, folder);
      try {
        await mkdir(folder, FOLDER);
        await copyAside(pathOf(dir, digest), path, COPY_MODE);
      } catch (error) {
        throw unreadable(digest, `${dir}, to be copied to ${folder}`, error);
      }
      if ((await hashFile(path)).digest !== digest) throw damaged(digest, dir);
      return path;
    },

    remove: (digest) => removeBlob(dir, digest),

    list: () => listFolder(dir),

    async removeUnused(digests, before) {
      const gone: Digest[] = [];
      for (const digest of digests) {
        const stats = await statOrNull(pathOf(dir, digest));
        if (stats === null || (before !== null && stats.mtime >= before)) continue;
        await removeBlob(dir, digest);
        gone.push(digest);
      }
      return gone;
    },

    async leftovers(before, what) {
      try {
        return await tellDrafts(join(dir, DRAFTS), before, what);
      } catch (error) {
        throw failed(`drafts of blobs in ${dir} cannot be removed`, dir, error);
      }
    },

    async clear() {
      try {
        let count = 0;
        for (const shard of await listOrNothing(dir)) {
          if (/^[0-9a-f]{2}$/.test(shard)) count += (await listOrNothing(join(dir, shard))).length;
        }
        await rm(dir, { recursive: true, force: true });
        return count;
      } catch (error) {
        throw failed(`the blobs in ${dir} cannot be deleted`, dir, error);
      }
    },
  };
}

async function putWhole(dir: string, bytes: Uint8Array): Promise<StoredBlob> {
  const blob = { digest: digestOf(bytes), bytes: bytes.byteLength };
  if (await isWhole(dir, blob)) return blob;
  const draft = draftPath(dir);
  await orRemove(draft, async () => {
    await orMake(join(dir, DRAFTS), () => writeFile(draft, bytes, { mode: FILE_MODE }));
    await settle(dir, draft, blob.digest);
  });
  return blob;
}

function pathOf(dir: string, digest: Digest): string {
  return join(dir, digest.slice(0, 2), digest.slice(2));
}

async function removeBlob(dir: string, digest: Digest): Promise<void> {
  try {
    await rm(pathOf(dir, digest), { recursive: true, force: true });
  } catch (error) {
    throw failed(`blob ${digest} cannot be removed from ${dir}`, dir, error);
  }
}

async function hasBlob(dir: string, digest: Digest): Promise<boolean> {
  try {
    await access(pathOf(dir, digest));
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw failed(`blob ${digest} cannot be looked for in ${dir}`, dir, error);
  }
}

/** Tells whether a blob is there in full length: what a power cut has truncated is put again. */
async function isWhole(dir: string, { digest, bytes }: StoredBlob): Promise<boolean> {
  try {
    return (await stat(pathOf(dir, digest))).size === bytes;
  } catch (error) {
    if (isMissing(error)) return false;
    throw failed(`blob ${digest} cannot be looked for in ${dir}`, dir, error);
  }
}

/** Gives a finished draft its final name; a blob that is there already has the same bytes. */
async function settle(dir: string, draft: string, digest: Digest): Promise<void> {
  await orMake(join(dir, digest.slice(0, 2)), () => rename(draft, pathOf(dir, digest)));
}

/** Does something with a file in a folder, which is made where it is missing: that is once, and asking for it would be each time. */
async function orMake<T>(folder: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isMissing(error)) throw error;
    await mkdir(folder, FOLDER);
    return work();
  }
}

/** Leaves nothing of a draft that could not become a blob: on a full disk it is what fills it. */
async function orRemove<T>(draft: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await rm(draft, { force: true });
    throw error;
  }
}

async function tellDrafts(
  drafts: string,
  before: Date,
  what: "tell" | "remove",
): Promise<Leftovers> {
  let [count, bytes] = [0, 0];
  for (const name of await listOrNothing(drafts)) {
    const stats = await statOrNull(join(drafts, name));
    if (stats === null || stats.mtime >= before) continue;
    count++;
    bytes += stats.size;
    if (what === "remove") await rm(join(drafts, name), { force: true });
  }
  return { count, bytes };
}

async function* listFolder(dir: string): AsyncIterable<KeptBlob> {
  try {
    for (const shard of [...(await listOrNothing(dir))].sort()) {
      if (!/^[0-9a-f]{2}$/.test(shard)) continue;
      for (const name of [...(await listOrNothing(join(dir, shard)))].sort()) {
        const stats = /^[0-9a-f]{62}$/.test(name) && (await statOrNull(join(dir, shard, name)));
        if (!stats) continue;
        const digest = `${shard}${name}` as Digest;
        const { size: bytes, mtime: usedAt } = stats;
        yield { digest, bytes, storedBytes: bytes, place: "folder", usedAt };
      }
    }
  } catch (error) {
    throw failed(`the blobs in ${dir} cannot be listed`, dir, error);
  }
}

async function statOrNull(path: string): Promise<Stats | null> {
  try {
    return await stat(path);
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

async function newDraft(dir: string): Promise<string> {
  await mkdir(join(dir, DRAFTS), FOLDER);
  return draftPath(dir);
}

function draftPath(dir: string): string {
  return join(dir, DRAFTS, crypto.randomUUID());
}

async function* streamBlob(dir: string, digest: Digest): AsyncIterable<Uint8Array> {
  const hash = createHash("sha256");
  try {
    for await (const chunk of readFilePieces(pathOf(dir, digest))) {
      hash.update(chunk);
      yield chunk;
    }
  } catch (error) {
    throw unreadable(digest, dir, error);
  }
  if (hash.digest("hex") !== digest) throw damaged(digest, dir);
}

async function hashFile(path: string): Promise<StoredBlob> {
  const hash = createHash("sha256");
  for await (const chunk of readFilePieces(path)) hash.update(chunk);
  return { digest: asDigest(hash), bytes: (await stat(path)).size };
}

function asDigest(hash: Hash): Digest {
  return hash.digest("hex") as Digest;
}

/**
 * Copies a file: shares its pieces until one of both is written to where the file system can (XFS, Btrfs), else byte by byte. A link would
 * cost nothing, but it is the same file: a step that has it open, or is root, could change what the store holds.
 */
async function copyAside(from: string, to: string, mode: number): Promise<void> {
  await copyFile(from, to, constants.COPYFILE_FICLONE);
  await chmod(to, mode);
}

async function listOrNothing(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    if (isMissing(error)) return [];
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  return codeOf(error) === "ENOENT";
}

function failed(what: string, dir: string, error: unknown): HdashError {
  if (error instanceof HdashError) return error;
  const remedy = diskRemedy(error, dir, "HDASH_HOME");
  return new HdashError("permanent", `${what}: ${messageOf(error)}${remedy}`, { cause: error });
}

/** What the disk does not give back is as good as damaged. */
const UNREADABLE = ["EIO", "EISDIR"];

function unreadable(digest: Digest, dir: string, error: unknown): HdashError {
  if (error instanceof HdashError) return error;
  if (isMissing(error)) return new BlobError(digest, "missing", dir, { cause: error });
  if (UNREADABLE.includes(codeOf(error) ?? "")) return damaged(digest, dir, error);
  return failed(`blob ${digest} cannot be read from ${dir}`, dir, error);
}

function damaged(digest: Digest, dir: string, cause?: unknown): BlobError {
  return new BlobError(digest, "damaged", dir, cause === undefined ? {} : { cause });
}
