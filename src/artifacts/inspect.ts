// What artifacts a namespace has, and how they compare with those of this hdash.

import type { Bucket } from "../store/bucket.ts";
import { type ArtifactFile, MANIFEST, type Manifest, readManifest } from "./manifest.ts";

/** How a file compares: damaged is what is not as the manifest says; unlisted is not in the manifest at all. */
export type FileState = "same" | "differs" | "only there" | "only here" | "damaged" | "unlisted";

export interface FileReport {
  readonly path: string;
  /** Null where it is only here. */
  readonly bytes: number | null;
  readonly state: FileState;
}

export interface Inspection {
  /** Null where there is none that can be read. */
  readonly manifest: Manifest | null;
  /** Sorted by path; empty where there are no artifacts. */
  readonly files: readonly FileReport[];
  /** True where a run would take them, if its version is the manifest's. */
  readonly isWhole: boolean;
  /** True where they hold just what this hdash would upload. */
  readonly isEqual: boolean;
}

/** Compares the artifacts in a bucket with the files of a set. */
export async function inspectArtifacts(
  bucket: Bucket,
  own: ReadonlyMap<string, ArtifactFile>,
  signal?: AbortSignal,
): Promise<Inspection> {
  const bytes = await bucket.get(MANIFEST, signal);
  const manifest = bytes === null ? null : readManifest(bytes);
  const there = new Map<string, { readonly etag: string; readonly bytes: number }>();
  for await (const { key, ...head } of bucket.list(signal)) {
    if (key !== MANIFEST) there.set(key, head);
  }
  const listed = new Map(manifest?.files.map((file) => [file.path, file]));
  const isThere = bytes !== null || there.size > 0;
  const paths = new Set([...there.keys(), ...listed.keys(), ...(isThere ? own.keys() : [])]);
  const files = [...paths].sort().map((path): FileReport => {
    const [is, said, here] = [there.get(path), listed.get(path), own.get(path)];
    const isRight = is !== undefined && is.etag === said?.etag && is.bytes === said.bytes;
    const state: FileState =
      said === undefined
        ? is === undefined
          ? "only here"
          : "unlisted"
        : !isRight
          ? "damaged"
          : here === undefined
            ? "only there"
            : here.sha256 === said.sha256
              ? "same"
              : "differs";
    return { path, bytes: is?.bytes ?? null, state };
  });
  return {
    manifest,
    files,
    isWhole: manifest !== null && files.every(({ state }) => state !== "damaged"),
    isEqual: manifest !== null && files.every(({ state }) => state === "same"),
  };
}
