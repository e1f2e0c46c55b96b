// Objects that are only read, and may be far too large for memory: a bucket of S3 or a folder that holds the same tree.

import type { ObjectHead } from "./bucket.ts";

/** Reading throws HdashError: transient while it may pass, aborted when the signal aborts, permanent else. */
export interface ObjectReader {
  /** For people and pages: "s3://bucket", "a local folder". */
  readonly label: string;
  /** Lists the objects whose keys start with `prefix`, paged to the end; keys are whole. */
  list(prefix: string, signal: AbortSignal): AsyncIterable<ObjectHead>;
  /** Reads a small object; null where there is none. Throws permanent where it is larger than `limitBytes`. */
  get(key: string, limitBytes: number, signal: AbortSignal): Promise<Uint8Array | null>;
  /**
   * Opens the version `etag` of an object from byte `from` on, or from its start where the store cannot do that; null where that
   * version is gone. Tries once.
   */
  open(
    key: string,
    version: { readonly etag: string; readonly from: number },
    signal: AbortSignal,
  ): Promise<{ readonly from: number; readonly body: AsyncIterable<Uint8Array> } | null>;
  close(): Promise<void>;
}
