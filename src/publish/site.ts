// What publishing needs to know of a file, and what it says when it is done.

import type { Digest } from "../digest.ts";
import type { ByteSource } from "../store/byteSource.ts";

export type { Publication, PublicationStore } from "../store/publications.ts";

/** One file to be published. */
export interface SiteFile {
  /** Path below the site's root, with forward slashes, e.g. "data/HTA3.json". */
  readonly path: string;
  readonly contentType: string;
  readonly cacheControl: string;
  readonly digest: Digest;
  readonly bytes: number;
  /** The scope it belongs to; null where it is the whole pipeline's. */
  readonly scope: string | null;
  read(): Promise<Uint8Array>;
  /**
   * Lets `use` read what is too large for memory; where it turns out to be damaged, it is made again and `use` begins anew. Missing: the
   * file is small.
   */
  readonly withSource?: <T>(use: (source: ByteSource) => Promise<T>) => Promise<T>;
}

export interface PublishResult {
  readonly put: number;
  readonly unchanged: number;
  readonly deleted: number;
  /** Files of kept scopes, left as they were. */
  readonly kept: number;
  readonly putBytes: number;
  /** Paths that were put and deleted, sorted. */
  readonly putPaths: readonly string[];
  readonly deletedPaths: readonly string[];
  /** Scopes that had files on the site and have none any more, sorted. */
  readonly goneScopes: readonly string[];
}

/** How files are to be published. */
export interface PublishOptions {
  /** The pipeline whose files these are: what others have published on the same site is left alone. */
  readonly owner: string;
  /** Scopes whose files stay as they are, though they are not among the given ones. */
  readonly keepScopes: readonly string[];
  /** What this pipeline once put below one of these stays as well. */
  readonly keepPrefixes?: readonly string[];
  /** The path that is put when everything else is: by it readers find the rest. */
  readonly index?: string;
  readonly signal: AbortSignal;
  readonly onProgress: (done: number, total: number) => void;
}

/** Where a pipeline publishes to, and who may read what is there. */
export interface Place<V extends "public" | "private" = "public" | "private"> {
  readonly visibility: V;
  readonly publisher: Publisher;
}

/** Makes the bucket match `files`; given to the engine so that it need not know of buckets. */
export interface Publisher {
  /** Names the site: the bucket's uri with its prefix. */
  readonly site: string;
  publish(files: readonly SiteFile[], options: PublishOptions): Promise<PublishResult>;
}
