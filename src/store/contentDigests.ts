// What files contain, as sha256: read piece by piece, and read again only where size or time of a file changed.

import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";

import { readFilePieces } from "./filePieces.ts";

export interface ContentDigests {
  /** Digests a file, following links. */
  of(
    path: string,
    signal: AbortSignal,
  ): Promise<{ readonly sha256: string; readonly bytes: number }>;
}

/** What a file was like when it was read, and what was in it. */
export interface KnownDigest {
  /** inode, size, and the times of content and change, in nanoseconds. */
  readonly state: string;
  readonly sha256: string;
}

/** Makes a memory of digests by path; it lives as long as `known`, which it reads and adds to. */
export function makeContentDigests(
  known: Map<string, KnownDigest> = new Map<string, KnownDigest>(),
): ContentDigests {
  return {
    async of(path, signal) {
      const { state, bytes } = await stateOf(path);
      const last = known.get(path);
      if (last?.state === state) return { sha256: last.sha256, bytes };
      const hash = createHash("sha256");
      for await (const piece of readFilePieces(path)) {
        signal.throwIfAborted();
        hash.update(piece);
      }
      const sha256 = hash.digest("hex");
      // What was written to meanwhile may be half of this and half of that: it is no knowledge of any state.
      if ((await stateOf(path)).state === state) known.set(path, { state, sha256 });
      else known.delete(path);
      return { sha256, bytes };
    },
  };
}

async function stateOf(path: string): Promise<{ readonly state: string; readonly bytes: number }> {
  const { ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
  // The change time too: whoever sets back a file's own time (cp -p, tar) cannot set that one.
  return { state: [ino, size, mtimeNs, ctimeNs].join(" "), bytes: Number(size) };
}
