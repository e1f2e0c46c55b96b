// A worker's hold on a run: claiming it, keeping the lease alive, and knowing when it is lost.

import { HdashError } from "../error.ts";
import type { Log } from "../log.ts";
import { pause } from "../retry.ts";
import { type Claim, type ClaimRequest, claimRun, renewLease } from "../store/claims.ts";
import { isRunOurs } from "../store/lease.ts";
import { livenessOf, type ProcessIdentity } from "../store/processIdentity.ts";
import type { Db } from "../store/schema.ts";
import { type ClaimHolder, renewClaims } from "../store/stepClaims.ts";
import type { OnProgress } from "./progress.ts";

/** A worker that is silent for this long has lost its run to the next one that asks. Four heartbeats: one may fail, or be late by a busy step. */
export const TIMING: LeaseTiming = { leaseSeconds: 60, heartbeatMs: 15_000, lookMs: 2500 };

/** For a process that slept through its lease: the database knows at once whether somebody has taken the run since. */
const AWAKE_MS = 1000;

/** How long a lease lasts, and how often it is renewed. */
export interface LeaseTiming {
  readonly leaseSeconds: number;
  readonly heartbeatMs: number;
  /** How often one looks, between two beats, whether the run is still ours: who cancels it waits no longer. Missing: never. */
  readonly lookMs?: number;
}

/** How often a waiting start looks whether its turn has come. */
export const WAIT_POLL_MS = 1000;

/** Tells whether a worker is provably dead. */
export function isDead(worker: ProcessIdentity): boolean {
  return livenessOf(worker) === "dead";
}

/** Claims a run; where another worker has it and `wait` is set, waits until it is free. Throws an aborted error as soon as the signal aborts. */
export async function claim(
  db: Db,
  request: Omit<ClaimRequest, "leaseSeconds" | "isDead">,
  wait: boolean,
  signal: AbortSignal,
  onProgress: OnProgress,
): Promise<Claim> {
  for (let told: string | null = null; ;) {
    const claimed = await claimRun(db, { ...request, leaseSeconds: TIMING.leaseSeconds, isDead });
    if (claimed.kind === "claimed" || !wait) return claimed;
    const { runId, worker, since } = claimed;
    if (told !== runId) onProgress({ kind: "waiting", for: "run", worker, since });
    told = runId;
    await pause(WAIT_POLL_MS, signal);
  }
}

/** A lease that is being renewed in the background. */
export interface Heartbeat {
  /** Says that this run holds a site from now on, or no more: whether it still does is checked with every beat. */
  holdSite(site: string | null): void;
  stop(): void;
}

/**
 * Renews the lease of a run, and those of the steps that it has claimed, until stopped. `onLost` is called once, when the run or its site has been taken over,
 * or when the lease has run out because the database did not answer.
 */
export function startHeartbeat(
  db: Db,
  { lease, holder }: Pick<ClaimHolder, "lease" | "holder">,
  log: Log,
  onLost: (error: HdashError) => void,
  { leaseSeconds, heartbeatMs, lookMs = heartbeatMs }: LeaseTiming = TIMING,
): Heartbeat {
  const stopped = new AbortController();
  let site: string | null = null;
  // Not the wall clock, which may be set; the lease itself goes by the database's clock.
  let renewedAt = performance.now();

  const subject = `run ${lease.runId}`;
  const takenAway = (): HdashError =>
    new HdashError(
      "transient",
      `${subject} was taken over by another worker or cancelled, or the ledger was reset`,
    );

  /** Reads one row, where a beat writes: whatever keeps the answer from coming is the next beat's to tell. */
  async function look(): Promise<HdashError | null> {
    try {
      return (await answerWithin(lookMs, isRunOurs(db, lease))) ? null : takenAway();
    } catch {
      return null;
    }
  }

  async function beat(): Promise<HdashError | null> {
    const sentAt = performance.now();
    const held = site;
    try {
      // An answer that comes later than this is of no use: another worker may have the run by then.
      const leftMs = renewedAt + leaseSeconds * 1000 - sentAt;
      const deadlineMs = leftMs > 0 ? leftMs : AWAKE_MS;
      const renewed = await answerWithin(deadlineMs, renewLease(db, lease, leaseSeconds));
      if (stopped.signal.aborted) return null;
      if (renewed === null) return takenAway();
      renewedAt = sentAt;
      await answerWithin(deadlineMs, renewClaims(db, { lease, holder, leaseSeconds }));
      if (held !== null && site === held && renewed.publishingSite !== held) {
        return new HdashError(
          "transient",
          `${subject} has lost its turn to publish ${held} to another run`,
        );
      }
    } catch (error) {
      if (stopped.signal.aborted) return null;
      const silentMs = performance.now() - renewedAt;
      log.warn(`${subject}: the lease could not be renewed`, { silentMs: Math.round(silentMs) });
      if (silentMs >= leaseSeconds * 1000) {
        return new HdashError(
          "transient",
          `${subject} has lost its lease: the database did not answer in time`,
          {
            cause: error,
          },
        );
      }
    }
    return null;
  }

  async function run(): Promise<void> {
    let restMs = heartbeatMs;
    for (;;) {
      const pauseMs = Math.min(lookMs, restMs);
      await pause(pauseMs, stopped.signal);
      restMs -= pauseMs;
      const isBeat = restMs <= 0;
      const lost = await (isBeat ? beat() : look());
      if (isBeat) restMs = heartbeatMs;
      if (lost !== null) {
        onLost(lost);
        return;
      }
    }
  }
  run().catch((error: unknown) => {
    if (!stopped.signal.aborted) {
      onLost(new HdashError("permanent", `${subject}: the heartbeat failed`, { cause: error }));
    }
  });

  return {
    holdSite(held) {
      site = held;
    },
    stop() {
      stopped.abort();
    },
  };
}

/** Waits for an answer, but for no longer than this; throws a transient error where it does not come in time. */
async function answerWithin<T>(deadlineMs: number, answer: Promise<T>): Promise<T> {
  const done = new AbortController();
  // Rounded up: a timer counts whole milliseconds, and the lease is to be over when it fires.
  const late = pause(Math.ceil(deadlineMs) + 1, done.signal).then(() => {
    throw new HdashError("transient", "the database has not answered while the lease lasted");
  });
  try {
    return await Promise.race([answer, late]);
  } finally {
    // Whichever comes second has nobody to hear of its failure.
    answer.catch(() => {});
    late.catch(() => {});
    done.abort();
  }
}
