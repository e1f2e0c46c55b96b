// Blobs: bytes under the name of their sha256. Where they are kept is the implementation's affair (a folder, the database, or a bucket beside it).

import { createWriteStream } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";

import type { Digest } from "../digest.ts";
import { HdashError, messageOf } from "../error.ts";

/** What there is to say of a blob besides its bytes. */
export interface StoredBlob {
  readonly digest: Digest;
  readonly bytes: number;
}

/** A blob as it lies in a store. */
export interface KeptBlob extends StoredBlob {
  /** What it takes there: less than it has where it is compressed. */
  readonly storedBytes: number;
  readonly place: "folder" | "database" | "bucket";
  /** When it was last put or found; to the hour. */
  readonly usedAt: Date;
}

/** What puts have left that were killed. */
export interface Leftovers {
  readonly count: number;
  readonly bytes: number;
}

/** Says that a blob is not there, or not what was put: whoever made it can make it again. */
export class BlobError extends HdashError {
  readonly digest: Digest;
  constructor(
    digest: Digest,
    what: "missing" | "damaged",
    place: string,
    options: { readonly cause?: unknown } = {},
  ) {
    super("permanent", `blob ${digest} is ${what} in ${place}`, options);
    this.digest = digest;
  }
}

/** Names a copy of a blob: each is one's own, also where somebody is given the same bytes twice. */
export function copyName(digest: Digest, dir: string): string {
  return join(dir, `blob-${digest.slice(0, 16)}-${crypto.randomUUID()}`);
}

/** Writes what a stream gives into a file of the caller's own, and names it. */
export async function copyOut(
  digest: Digest,
  stream: AsyncIterable<Uint8Array>,
  dir: string,
): Promise<string> {
  const path = copyName(digest, dir);
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await pipeline(stream, createWriteStream(path, { mode: 0o600 }));
  } catch (error) {
    if (error instanceof HdashError) throw error;
    throw new HdashError("permanent", `${path} cannot be written: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return path;
}

/** Reads a stream to its end. */
export async function readAll(stream: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

/** A private store of blobs. What it gives back is what was put, or an error: every read checks the digest. */
export interface BlobStore {
  /** Puts bytes; putting them again changes nothing. */
  put(bytes: Uint8Array): Promise<StoredBlob>;
  /** Puts a copy of a file of any size, in bounded memory: whoever has the file open can do nothing to the blob. */
  putFile(path: string, signal?: AbortSignal): Promise<StoredBlob>;
  has(digest: Digest): Promise<boolean>;
  /** Says which of these blobs are not there, or not in full length. The others are in use from now on: removeUnused() leaves them alone. */
  missing(blobs: readonly StoredBlob[]): Promise<readonly Digest[]>;
  /** Reads a whole blob. Throws a BlobError where it is missing or damaged. */
  read(digest: Digest): Promise<Uint8Array>;
  /** Reads a blob in pieces, in bounded memory; the error of a damaged one comes at its end at the latest. */
  stream(digest: Digest): AsyncIterable<Uint8Array>;
  /** Makes a file with the blob's bytes in `dir` and names it. It is the caller's own: what is done to it does nothing to the blob. */
  localFile(digest: Digest, dir: string): Promise<string>;
  /** Forgets a blob, so that putting it again puts its bytes in their place, whatever stands there now. */
  remove(digest: Digest): Promise<void>;
  /** Lists every blob, by digest. */
  list(): AsyncIterable<KeptBlob>;
  /**
   * Removes of these blobs those that nobody has put, or found, since an instant, and that lie in no stored list which is there: lists go
   * before their files. Says which went. An instant of less than an hour ago counts as an hour ago where others may use the store. Null
   * removes all of them: whoever says so has made sure that nobody uses the store meanwhile, and that no list has to have them.
   */
  removeUnused(digests: readonly Digest[], before: Date | null): Promise<readonly Digest[]>;
  /** Tells what killed puts left behind before an instant, and removes it unless that is only to be told. */
  leftovers(before: Date, what: "tell" | "remove"): Promise<Leftovers>;
  /** Deletes every blob and says how many there were. */
  clear(): Promise<number>;
}
