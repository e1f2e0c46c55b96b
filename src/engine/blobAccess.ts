// How blobs are reached: by a run, which tries again what a lost connection has ended, or by who only asks.

import type { Digest } from "../digest.ts";
import type { BlobPart } from "../store/blobParts.ts";
import type { BlobStore } from "../store/blobs.ts";

/** What reading and writing ports needs of the world. `withLedger` runs every access to the blobs, so that a lost connection is tried again. */
export interface BlobAccess {
  readonly blobs: BlobStore;
  readonly withLedger: <T>(subject: string, access: () => Promise<T>) => Promise<T>;
  /** Aborts when what is large need not be put any more. */
  readonly signal?: AbortSignal;
  /** Keeps of which files a stored list consists, so that one is found by its digest; missing: nobody asks. */
  readonly noteParts?: (whole: Digest, parts: readonly BlobPart[]) => Promise<void>;
}

/** Access for who does not run anything: what fails is told, and not tried again. */
export function plainAccess(blobs: BlobStore, signal?: AbortSignal): BlobAccess {
  const withLedger: BlobAccess["withLedger"] = (_subject, work) => work();
  return { blobs, withLedger, ...(signal === undefined ? {} : { signal }) };
}
