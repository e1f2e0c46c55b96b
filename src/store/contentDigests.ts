// What files contain, as sha256: read piece by piece, and read again only where size or time of a file changed.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";

export interface ContentDigests {
  /** Digests a file, following links. */
  of(
    path: string,
    signal: AbortSignal,
  ): Promise<{ readonly sha256: string; readonly bytes: number }>;
}

/** Makes a memory of digests; it lives as long as its owner. */
export function makeContentDigests(): ContentDigests {
  const known = new Map<string, { readonly state: string; readonly sha256: string }>();
  return {
    async of(path, signal) {
      const before = await stat(path, { bigint: true });
      // The change time too: whoever sets back a file's own time (cp -p, tar) cannot set that one.
      const state = [before.ino, before.size, before.mtimeNs, before.ctimeNs].join(" ");
      const bytes = Number(before.size);
      const last = known.get(path);
      if (last?.state === state) return { sha256: last.sha256, bytes };
      const hash = createHash("sha256");
      for await (const piece of createReadStream(path, { signal }))
        hash.update(piece as Uint8Array);
      const sha256 = hash.digest("hex");
      known.set(path, { state, sha256 });
      return { sha256, bytes };
    },
  };
}
