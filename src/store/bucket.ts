// An object store seen as a bucket: S3 or a folder. The only place that knows either.

import type { Digest } from "../digest.ts";
import type { ByteSource } from "./byteSource.ts";

export interface PutOptions {
  readonly contentType: string;
  readonly cacheControl: string;
}

export interface StreamOptions extends PutOptions {
  /** The SHA-256 that it has to have: what has another is not put. */
  readonly digest?: Digest;
  /** Kept with the object where the store can do that (S3: x-amz-meta-…). */
  readonly metadata?: Readonly<Record<string, string>>;
}

export interface ObjectHead {
  readonly key: string;
  readonly etag: string;
  readonly bytes: number;
}

/** What was put by streaming. */
export interface PutObject {
  readonly etag: string;
  readonly bytes: number;
  /** Of what was sent. */
  readonly digest: Digest;
}

/** What was brought to this disk. */
export interface FetchedObject {
  readonly bytes: number;
  /** Of what lies there now. */
  readonly digest: Digest;
}

/** An object to be read; nothing is fetched before its body is. */
export interface OpenedObject extends ObjectHead {
  /** The bytes that were asked for. A connection that breaks is taken up where it broke; an object that is replaced meanwhile is an error. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Which bytes: from the first to the one before `to`; what lies behind the end is not there. */
export interface ByteRange {
  readonly from?: number;
  readonly to?: number;
}

/** Objects under one prefix; keys are relative to it, and nothing outside of it can be named. */
export interface Bucket {
  /** "s3://bucket/prefix" or "file:///…": names the bucket in messages and in the ledger. */
  readonly uri: string;
  /** Puts a whole object and returns its etag. */
  put(key: string, body: Uint8Array, options: PutOptions, signal?: AbortSignal): Promise<string>;
  /**
   * Puts an object of any size in bounded memory. The source is read again where the put has to begin again. What comes to another length or
   * digest than was said never stands under the key.
   */
  putStream(
    key: string,
    source: ByteSource,
    options: StreamOptions,
    signal?: AbortSignal,
  ): Promise<PutObject>;
  /** Reads a whole object; null where there is none. */
  get(key: string, signal?: AbortSignal): Promise<Uint8Array | null>;
  /** Looks an object up; null where there is none. */
  head(key: string, signal?: AbortSignal): Promise<ObjectHead | null>;
  /** Opens an object of any size, or a stretch of one; null where there is none. */
  open(key: string, range?: ByteRange, signal?: AbortSignal): Promise<OpenedObject | null>;
  /**
   * Brings a whole object of any size to a new file of this disk; null where there is none, and no file is made. The file is only to be read,
   * and keeps its mode: it may be a folder's own, under a second name. What puts objects replaces files, so that it stays as it was digested;
   * who writes into a folder's files themselves changes it.
   */
  fetch(key: string, path: string, signal?: AbortSignal): Promise<FetchedObject | null>;
  /** Lists every object below the prefix, paged to the end. */
  list(signal?: AbortSignal): AsyncIterable<ObjectHead>;
  /** Lists the keys below a folder, which ends in a slash: nothing else is listed, and nothing is read. */
  keys(folder: string, signal?: AbortSignal): AsyncIterable<string>;
  /** Deletes objects; one that is not there is not an error. */
  delete(keys: readonly string[], signal?: AbortSignal): Promise<void>;
}
