// What a call of a plan that is played dry comes to.

import type { Digest, Json } from "../digest.ts";
import type { StoredResult } from "../store/results.ts";
import type { StepKey } from "./key.ts";

/**
 * What would become of a call. hit: its result is known · run: it would be done · unknown: that depends on what others give, or on
 * the world · failed: it could not even be asked for.
 */
export interface DryCall {
  readonly scope: string;
  readonly step: string;
  readonly label: string | null;
  readonly version: number;
  /** What it was given to help to fetch. */
  readonly hints: Json;
  state: "hit" | "run" | "unknown" | "failed";
  /**
   * Why what is known does not do: somebody insists, a blob is not there, or bytes of it were dropped that a call needs. Null where nothing
   * is known, and for hits.
   */
  cause: "forced" | "gone" | "dropped" | null;
  /** The call that needs what was dropped. */
  neededBy: DryCall | null;
  /** Null where it depends on what is not known. */
  key: StepKey | null;
  /** Tells it from what it would be if anything of it were another: its key, with the names of other calls in the places of what they would give. */
  shape: Digest | null;
  /** What the key is the digest of. Kept where the call is no hit. */
  document: string | null;
  /** The result that it would find; for an unknown one the result that it would find if what it waits for gave what it gave before. */
  found: StoredResult | null;
  /** Calls that would have to be done first. Empty for an unknown one that looks at the world. */
  waitsFor: readonly DryCall[];
  error: string | null;
}
