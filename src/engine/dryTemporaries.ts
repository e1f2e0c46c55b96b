// Temporary outputs in a plan that is played dry: hits whose bytes were dropped, and that would be made again for a call that runs.

import type { Digest } from "../digest.ts";
import type { StoredResult } from "../store/results.ts";
import type { BlobAccess } from "./blobAccess.ts";
import type { DryCall } from "./dryCall.ts";
import type { Ref } from "./step.ts";
import { listDropped } from "./temporaries.ts";

/** Remembers temporary outputs of hits, and which calls take them. */
export function openDryTemporaries(access: BlobAccess, calls: readonly DryCall[]) {
  /** Also files of temporary folders → the call that makes them. */
  const makers = new Map<Digest, DryCall>();
  const taken = new Map<DryCall, readonly Ref<unknown>[]>();

  return {
    noteHit(own: DryCall, { outputs }: StoredResult): void {
      for (const { digest, temporary } of Object.values(outputs)) {
        if (temporary === true) makers.set(digest, own);
      }
    },
    noteTaken(own: DryCall, refs: readonly Ref<unknown>[]): void {
      const some = refs.filter(({ digest }) => makers.has(digest));
      if (some.length > 0) taken.set(own, some);
    },
    notePart(folder: Ref<unknown>, file: Ref<unknown>): void {
      const maker = makers.get(folder.digest);
      if (maker !== undefined) makers.set(file.digest, maker);
    },
    /** The call whose output's bytes were dropped, so that it cannot be read; null where it can be. */
    async droppedBy(ref: Ref<unknown>): Promise<DryCall | null> {
      const maker = makers.get(ref.digest);
      if (maker === undefined) return null;
      return (await listDropped(access, [ref])).length > 0 ? maker : null;
    },
    /** Finds hits that would be made again, once all calls are known. */
    async remakeDropped(): Promise<void> {
      const running = calls.filter(({ state }) => state === "run");
      // What is made again needs what it was made from: the list grows while it is gone through.
      for (const own of running) {
        for (const { digest } of await listDropped(access, taken.get(own) ?? [])) {
          const maker = makers.get(digest);
          if (maker?.state !== "hit") continue;
          Object.assign(maker, { state: "run", cause: "dropped", neededBy: own });
          running.push(maker);
        }
      }
    },
  };
}
