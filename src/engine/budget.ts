// What a run may take: asked before each attempt at a step that closes over something of a user's.

import type { Amounts } from "../store/stepAttempts.ts";
import type { Resources } from "./resources.ts";

export interface Budget {
  /**
   * Counts an attempt that begins; what it returns counts it as it ended, null where it came to nothing. Throws a permanent error where
   * nothing may begin any more.
   */
  begin(resources: Resources): (used: Amounts | null) => void;
}
