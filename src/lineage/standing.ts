// How a run stands: as the ledger says, and as far as one can see whether somebody is at it.

import type { RunStatus } from "../run.ts";
import type { ProcessIdentity } from "../store/processIdentity.ts";
import type { WatchedRun } from "../store/watching.ts";

/**
 * As a run's status; of those that have not ended also: handedBack (told to stop, the next start goes on with it) · dead (its worker is
 * proven dead) · silent (its lease has run out, nobody knows why).
 */
export type Standing = RunStatus | "handedBack" | "dead" | "silent";

/** Tells how a run stands. */
export function standingOf(
  { status, attempt, isLapsed, identity }: WatchedRun,
  isDead: (worker: ProcessIdentity) => boolean,
): Standing {
  if (status === "queued") return attempt === 0 ? "queued" : "handedBack";
  if (status !== "running") return status;
  if (identity !== null && isDead(identity)) return "dead";
  return isLapsed ? "silent" : "running";
}

/** Says it in words. */
export const STANDING_WORDS: Readonly<Record<Standing, string>> = {
  queued: "queued",
  running: "running",
  handedBack: "handed back",
  dead: "its worker is dead",
  silent: "its worker is silent",
  succeeded: "succeeded",
  degraded: "degraded",
  failed: "failed",
  cancelled: "cancelled",
};
