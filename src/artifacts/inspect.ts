// What artifacts a namespace has, and how they compare with those of this hdash.

import type { Bucket } from "../store/bucket.ts";
import type { Build } from "./build.ts";
import {
  type ArtifactFile,
  judgeManifest,
  MANIFEST,
  type Manifest,
  type PutFile,
  readManifest,
  type Verdict,
  wrongWith,
} from "./manifest.ts";

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
  /** What a run of the build that was named would make of them. */
  readonly verdict: Verdict;
  /** True where they hold just what this hdash would upload. */
  readonly isEqual: boolean;
}

/** Judges the artifacts in a bucket, and compares them with the files of a set. */
export async function inspectArtifacts(
  bucket: Bucket,
  own: ReadonlyMap<string, ArtifactFile>,
  build: Build,
  signal?: AbortSignal,
): Promise<Inspection> {
  const bytes = await bucket.get(MANIFEST, signal);
  const manifest = bytes === null ? null : readManifest(bytes);
  const there = new Map<string, Head>();
  for await (const { key, ...head } of bucket.list(signal)) {
    if (key !== MANIFEST) there.set(key, head);
  }
  const listed = new Map(manifest?.files.map((file) => [file.path, file]));
  const isThere = bytes !== null || there.size > 0;
  const paths = new Set([...there.keys(), ...listed.keys(), ...(isThere ? own.keys() : [])]);
  const files = [...paths].sort().map((path): FileReport => {
    const [is, said, here] = [there.get(path), listed.get(path), own.get(path)];
    return { path, bytes: is?.bytes ?? null, state: stateOf(is, said, here) };
  });
  const [beside = null] = there.keys();
  const verdict = judgeManifest(bytes, beside, build);
  const damaged = files.find(({ state }) => state === "damaged");
  const isBroken = verdict.kind === "usable" && damaged !== undefined;
  return {
    manifest,
    files,
    verdict: isBroken
      ? { kind: "broken", why: wrongWith(damaged.path, damaged.bytes !== null) }
      : verdict,
    isEqual: manifest !== null && files.every(({ state }) => state === "same"),
  };
}

interface Head {
  readonly etag: string;
  readonly bytes: number;
}

function stateOf(
  is: Head | undefined,
  said: PutFile | undefined,
  here: ArtifactFile | undefined,
): FileState {
  if (said === undefined) return is === undefined ? "only here" : "unlisted";
  if (is?.etag !== said.etag || is.bytes !== said.bytes) return "damaged";
  if (here === undefined) return "only there";
  return here.sha256 === said.sha256 ? "same" : "differs";
}
