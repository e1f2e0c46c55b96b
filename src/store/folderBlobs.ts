// Blobs in a folder, for the embedded database: one file each, in 256 subfolders by the digest's first two digits.

import { createHash, type Hash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import {
  access,
  chmod,
  link,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import { type Digest, digestOf } from "../digest.ts";
import { HdashError, messageOf } from "../error.ts";
import type { BlobStore, StoredBlob } from "./blobs.ts";

/** For their user alone: blobs hold data of participants. */
const FOLDER = { recursive: true, mode: 0o700 } as const;
/** Nor does anybody write to a blob. */
const FILE_MODE = 0o400;

/** Opens a folder of blobs; it is made when the first one is put. */
export function openFolderBlobs(dir: string): BlobStore {
  const pathOf = (digest: Digest) => join(dir, digest.slice(0, 2), digest.slice(2));

  async function has(digest: Digest): Promise<boolean> {
    try {
      await access(pathOf(digest));
      return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw failed(`blob ${digest} cannot be looked for in ${dir}`, error);
    }
  }

  /** Tells whether a blob is there in full length: what a power cut has truncated is put again. */
  async function isWhole({ digest, bytes }: StoredBlob): Promise<boolean> {
    try {
      return (await stat(pathOf(digest))).size === bytes;
    } catch (error) {
      if (isMissing(error)) return false;
      throw failed(`blob ${digest} cannot be looked for in ${dir}`, error);
    }
  }

  /** Gives a finished draft its final name; a blob that is there already has the same bytes. */
  async function settle(draft: string, digest: Digest): Promise<void> {
    await mkdir(join(dir, digest.slice(0, 2)), FOLDER);
    await rename(draft, pathOf(digest));
  }

  async function newDraft(): Promise<string> {
    const drafts = join(dir, "draft");
    await mkdir(drafts, FOLDER);
    return join(drafts, crypto.randomUUID());
  }

  async function* stream(digest: Digest): AsyncIterable<Uint8Array> {
    const hash = createHash("sha256");
    try {
      for await (const chunk of createReadStream(pathOf(digest)) as AsyncIterable<Uint8Array>) {
        hash.update(chunk);
        yield chunk;
      }
    } catch (error) {
      throw unreadable(digest, dir, error);
    }
    if (hash.digest("hex") !== digest) throw damaged(digest, dir);
  }

  return {
    has,
    stream,

    async put(bytes) {
      const digest = digestOf(bytes);
      try {
        if (await isWhole({ digest, bytes: bytes.byteLength })) {
          return { digest, bytes: bytes.byteLength };
        }
        const draft = await newDraft();
        await writeFile(draft, bytes, { mode: FILE_MODE });
        await settle(draft, digest);
      } catch (error) {
        throw failed(`blob ${digest} cannot be written to ${dir}`, error);
      }
      return { digest, bytes: bytes.byteLength };
    },

    async putFile(path, { isOurs = false } = {}): Promise<StoredBlob> {
      try {
        if (isOurs) {
          const blob = await hashFile(path);
          if (await isWhole(blob)) return blob;
          if (await moves(path, await newDraft(), (draft) => settle(draft, blob.digest)))
            return blob;
        }
        const draft = await newDraft();
        const hash = createHash("sha256");
        let bytes = 0;
        await pipeline(
          createReadStream(path),
          async function* (source: AsyncIterable<Uint8Array>) {
            for await (const chunk of source) {
              hash.update(chunk);
              bytes += chunk.byteLength;
              yield chunk;
            }
          },
          createWriteStream(draft, { mode: FILE_MODE }),
        );
        const digest = asDigest(hash);
        await settle(draft, digest);
        return { digest, bytes };
      } catch (error) {
        throw failed(`${path} cannot be stored as a blob in ${dir}`, error);
      }
    },

    async missing(blobs) {
      const found = await Promise.all(blobs.map(isWhole));
      return blobs.filter((_, index) => found[index] !== true).map(({ digest }) => digest);
    },

    async read(digest) {
      let bytes: Uint8Array;
      try {
        bytes = await readFile(pathOf(digest));
      } catch (error) {
        throw unreadable(digest, dir, error);
      }
      if (digestOf(bytes) !== digest) throw damaged(digest, dir);
      return bytes;
    },

    async localFile(digest) {
      for await (const _chunk of stream(digest)); // checks the digest
      return pathOf(digest);
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
        throw failed(`the blobs in ${dir} cannot be deleted`, error);
      }
    },
  };
}

async function hashFile(path: string): Promise<StoredBlob> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) hash.update(chunk);
  return { digest: asDigest(hash), bytes: (await stat(path)).size };
}

function asDigest(hash: Hash): Digest {
  return hash.digest("hex") as Digest;
}

/** Links a file to a draft and settles it; false where it is on another file system, so that it has to be copied. */
async function moves(
  path: string,
  draft: string,
  settle: (draft: string) => Promise<void>,
): Promise<boolean> {
  try {
    await link(path, draft);
  } catch (error) {
    if (
      error instanceof Error &&
      "code" in error &&
      ["EXDEV", "EPERM"].includes(String(error.code))
    ) {
      return false;
    }
    throw error;
  }
  await chmod(draft, FILE_MODE);
  await settle(draft);
  return true;
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
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

function failed(what: string, error: unknown): HdashError {
  if (error instanceof HdashError) return error;
  return new HdashError("permanent", `${what}: ${messageOf(error)}`, { cause: error });
}

function unreadable(digest: Digest, dir: string, error: unknown): HdashError {
  if (!isMissing(error)) return failed(`blob ${digest} cannot be read from ${dir}`, error);
  return new HdashError("permanent", `blob ${digest} is missing in ${dir}`, {
    cause: error,
    hint: "Run once with --force to make it again.",
  });
}

function damaged(digest: Digest, dir: string): HdashError {
  return new HdashError(
    "permanent",
    `blob ${digest} in ${dir} is damaged: its bytes have another digest`,
    {
      hint: "Delete it and run again, or run once with --force.",
    },
  );
}
