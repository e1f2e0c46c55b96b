// An object store seen as a bucket: S3 or a folder. The only place that knows either.

export interface PutOptions {
  readonly contentType: string;
  readonly cacheControl: string;
}

export interface ObjectHead {
  readonly key: string;
  readonly etag: string;
  readonly bytes: number;
}

/** Objects under one prefix; keys are relative to it, and nothing outside of it can be named. */
export interface Bucket {
  /** "s3://bucket/prefix" or "file:///…": names the bucket in messages and in the ledger. */
  readonly uri: string;
  /** Puts a whole object and returns its etag. */
  put(key: string, body: Uint8Array, options: PutOptions, signal?: AbortSignal): Promise<string>;
  /** Reads a whole object; null where there is none. */
  get(key: string, signal?: AbortSignal): Promise<Uint8Array | null>;
  /** Lists every object below the prefix, paged to the end. */
  list(signal?: AbortSignal): AsyncIterable<ObjectHead>;
  /** Deletes objects; one that is not there is not an error. */
  delete(keys: readonly string[], signal?: AbortSignal): Promise<void>;
}
