// Files and folders on their way out of a step, and on their way into one.

import type { Digest } from "../digest.ts";

/** A file or a folder as a step gives it, by where it lies on local disk. */
export interface WrittenPath {
  readonly path: string;
  /** What its digest has to be, where that is known beforehand: anything else is a transient failure of whoever gives it. */
  readonly sha256?: Digest;
}

/** One file of a tree. `path` is relative, with forward slashes; `contentType` includes the charset where there is one. */
export interface TreeFile {
  readonly path: string;
  readonly contentType: string;
  readonly bytes: Uint8Array;
}

/** A file of any size as a step gives it. `path` is its place among the others, as a TreeFile's is. */
export interface WrittenFile {
  readonly path: string;
  readonly contentType: string;
  /** Where it lies on local disk. */
  readonly file: string;
}

/** The same as a step gets it, or whoever publishes it. */
export interface StoredFile {
  readonly path: string;
  readonly contentType: string;
  readonly file: BlobFile;
}

/** A blob as a step's input: read it as a stream, or as a file on local disk. */
export interface BlobFile {
  readonly digest: Digest;
  readonly bytes: number;
  stream(): AsyncIterable<Uint8Array>;
  /** The path of a copy that is the step's own, and gone after it. */
  path(): Promise<string>;
}

/** A file of a folder as a step gets it. `path` is relative to the folder, with forward slashes. */
export interface FolderFile {
  readonly path: string;
  readonly bytes: number;
  /** Whether its owner may execute it. */
  readonly isExecutable: boolean;
  readonly file: BlobFile;
}

/** A whole folder as a step's input. */
export interface StoredFolder {
  /** Follows from its paths, contents, executable bits and empty folders, and from nothing else. */
  readonly digest: Digest;
  /** Of all its files together. */
  readonly bytes: number;
  /** How many files it has. */
  readonly count: number;
  /** Gives its files, sorted by the code points of their paths. */
  files(): Iterable<FolderFile>;
  /** The file at a path; null where there is none. */
  at(path: string): BlobFile | null;
  /** The path of a copy of all of it that is the step's own, and gone after it. */
  path(): Promise<string>;
}

/** Where content lies: a file, or a folder, which is looked through where somebody reads it. */
export type LocalContent =
  { readonly path: string } | { readonly open: (signal: AbortSignal) => Promise<LocalFolder> };

export interface LocalFolder {
  /** What is stored of it under its digest. */
  readonly list: string;
  /** Its files, by content. */
  readonly files: ReadonlyMap<Digest, string>;
}
