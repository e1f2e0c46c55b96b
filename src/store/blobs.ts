// Blobs: bytes under the name of their sha256. Where they are kept is the implementation's affair (a folder, or the database).

import type { Digest } from "../digest.ts";

/** What there is to say of a blob besides its bytes. */
export interface StoredBlob {
  readonly digest: Digest;
  readonly bytes: number;
}

/** A private store of blobs. What it gives back is what was put, or an error: every read checks the digest. */
export interface BlobStore {
  /** Puts bytes; putting them again changes nothing. */
  put(bytes: Uint8Array): Promise<StoredBlob>;
  /** Puts a file of any size in bounded memory. `isOurs` allows the store to move the file instead of copying it. */
  putFile(path: string, options?: { readonly isOurs?: boolean }): Promise<StoredBlob>;
  has(digest: Digest): Promise<boolean>;
  /** Says which of these blobs are not there, or not in full length. */
  missing(blobs: readonly StoredBlob[]): Promise<readonly Digest[]>;
  /** Reads a whole blob. Throws a permanent error where it is missing or damaged. */
  read(digest: Digest): Promise<Uint8Array>;
  /** Reads a blob in pieces, in bounded memory; the error of a damaged one comes at its end at the latest. */
  stream(digest: Digest): AsyncIterable<Uint8Array>;
  /** Names a local file with the blob's bytes, which must not be changed: the store's own, or a copy made in `dir`. */
  localFile(digest: Digest, dir: string): Promise<string>;
  /** Deletes every blob and says how many there were. */
  clear(): Promise<number>;
}
