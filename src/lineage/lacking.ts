// Which blobs an archive may lack: those that temporary outputs alone have, and whose bytes may have gone.

import type { Digest } from "../digest.ts";

/** Collects what outputs, logs and lists name. */
export function makeLacking() {
  const temporary = new Set<Digest>();
  const lasting = new Set<Digest>();
  const parts = new Map<Digest, Digest[]>();
  return {
    /** Notes a blob that has a name of its own. */
    add(digest: Digest, isTemporary: boolean): void {
      (isTemporary ? temporary : lasting).add(digest);
    },
    addPart(whole: Digest, part: Digest): void {
      const known = parts.get(whole);
      if (known === undefined) parts.set(whole, [part]);
      else known.push(part);
    },
    /** Lists what may be missing. */
    end(): ReadonlySet<Digest> {
      if (temporary.size === 0) return new Set();
      // Sets give also what is added while they are gone through.
      for (const own of [temporary, lasting]) {
        for (const whole of own) for (const part of parts.get(whole) ?? []) own.add(part);
      }
      return new Set([...temporary].filter((digest) => !lasting.has(digest)));
    },
  };
}
