// Equal work is done once: the claim on a step's key, and waiting while another run has it. A claim is taken with a place to work in hand
// and given back with it, and its holder waits for no other claim: so nobody waits for somebody who waits.

import { pause } from "../retry.ts";
import { type Claimant, claimStep, releaseClaim } from "../store/stepClaims.ts";
import { lostRun, type Session } from "./session.ts";
import { isDead } from "./worker.ts";

/** Steps that take a moment are waited for by the moment, others by the second. Milliseconds. */
const FIRST_POLL_MS = 50;
const LONGEST_POLL_MS = 1000;

/** Another run has the step. */
export interface Busy {
  readonly kind: "busy";
  readonly by: Claimant;
}

/** Takes the claim on a key for the time of some work, which is told the number of the attempt that comes next. Work that "ran" has given it back. */
export async function withClaim<T extends { readonly kind: string }>(
  session: Session,
  key: string,
  work: (nextAttempt: number) => Promise<T>,
): Promise<T | Busy> {
  const { db, holder, withLedger } = session;
  session.throwIfStopped();
  const claim = await withLedger("claiming a step", () => claimStep(db, key, holder, isDead));
  if (claim.kind === "busy") return claim;
  if (claim.kind === "lost") {
    const lost = lostRun(session.lease);
    session.stop(lost);
    throw lost;
  }
  let isCommitted = false;
  try {
    const done = await work(claim.nextAttempt);
    isCommitted = done.kind === "ran";
    return done;
  } finally {
    // After a commit there is nothing left to give back; a run that is stopped gives its claims up with itself.
    if (!isCommitted && !session.signal.aborted) {
      await withLedger("giving a step back", () => releaseClaim(db, key, holder));
    }
  }
}

/** Waits until a step that another run has claimed is free, or until `isDone` says that it is not needed any more. */
export async function waitForClaim(
  session: Session,
  step: string,
  key: string,
  { by }: Busy,
  isDone: () => Promise<boolean>,
): Promise<void> {
  const { worker, since } = by;
  if (!session.waitedFor.has(by.runId)) {
    session.waitedFor.add(by.runId);
    session.onProgress({ kind: "waiting", for: "step", worker, since });
  }
  session.log.debug(`${step}: run ${by.runId} does it already; it is waited for`);
  let claimant: Claimant | null = by;
  for (let poll = FIRST_POLL_MS; claimant !== null; poll = Math.min(2 * poll, LONGEST_POLL_MS)) {
    await pause(poll, session.signal);
    if (await isDone()) return;
    claimant = await session.journal.findClaimant(key);
    if (isProvenDead(claimant)) return;
  }
}

function isProvenDead(claimant: Claimant | null): boolean {
  return claimant !== null && claimant.identity !== null && isDead(claimant.identity);
}
