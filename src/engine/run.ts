// A run of a pipeline, start to finish: claimed, planned, finished or handed back.

import { setMaxListeners } from "node:events";
import { machine as machineArch } from "node:os";

import type { Json } from "../digest.ts";
import { HdashError, messageOf } from "../error.ts";
import type { Log } from "../log.ts";
import type { Publisher } from "../publish/site.ts";
import { retry } from "../retry.ts";
import { noteParts } from "../store/blobParts.ts";
import type { BlobStore } from "../store/blobs.ts";
import { startOver } from "../store/claims.ts";
import type { Lease } from "../store/lease.ts";
import { identifyProcess, type ProcessIdentity } from "../store/processIdentity.ts";
import type { Db } from "../store/schema.ts";
import { dropClaims } from "../store/stepClaims.ts";
import type { Budget } from "./budget.ts";
import { closeRun, handBack, type Played, type RunOutcome, within } from "./ending.ts";
import { openJournal } from "./journal.ts";
import { type Capacity, machineCapacity, openPlaces } from "./places.ts";
import { makePlan, settle } from "./plan.ts";
import type { OnProgress } from "./progress.ts";
import { makeScratch, removeStaleScratch } from "./scratch.ts";
import { LEDGER_RETRY, lostRun, makeWithLedger, newScope, type Session } from "./session.ts";
import type { Pipeline } from "./step.ts";
import { claim, startHeartbeat, TIMING } from "./worker.ts";

/** What a run is made of. */
export interface RunSpec<P extends Json> {
  readonly pipeline: Pipeline<P>;
  readonly params: P;
  readonly db: Db;
  readonly blobs: BlobStore;
  /** Null where nothing is to be published; a plan that wants to is refused. */
  readonly publisher: Publisher | null;
  /** Folder for work folders. */
  readonly scratch: string;
  readonly clock: () => Date;
  readonly build: string;
  readonly log: Log;
  /** Aborting it hands the run back within 10 seconds. */
  readonly signal: AbortSignal;
  readonly onProgress: OnProgress;
  /** Does every step again, or those of these names, whatever is known; default none. */
  readonly force?: boolean | readonly string[];
  /** Where the same run is going on elsewhere, waits for it to end and then runs; default false. */
  readonly wait?: boolean;
  /** From what the run can be begun again, where its pipeline is none of hdash's own. */
  readonly origin?: Json | null;
  /** Opens what the run may take; default whatever it takes. */
  readonly budget?: (runId: string) => Promise<Budget>;
  /** How many steps run at once; default 8, of which most wait for the network. */
  readonly concurrency?: number;
  /** What there is for steps besides places; default what this machine has. */
  readonly machine?: Pick<Capacity, "cpus" | "memoryMiB">;
}

/** How long running steps may take to stop. With the statement that hands the run back it stays below the 10 seconds that are promised. */
const GRACE_MS = 7000;

const DROP_CLAIMS_MS = 500;

const DEFAULT_CONCURRENCY = 8;

/** How often one start plays the plan again because what was damaged could not be made again as it was. */
const MAX_STARTS_OVER = 3;

/**
 * Runs a pipeline once. What a plan throws ends the run as failed and is in its record.
 * Throws a transient error where the ledger is out of reach or the run was taken over, and an aborted one where the signal aborts before a run is claimed.
 */
export async function executeRun<P extends Json>(request: RunSpec<P>): Promise<RunOutcome> {
  const { pipeline, params, db, clock, build, signal, onProgress } = request;
  const since = performance.now();
  if (signal.aborted)
    throw new HdashError("aborted", `${pipeline.name} was stopped before it began`, {
      cause: signal.reason,
    });
  const worker = identifyProcess();
  const nonce = crypto.randomUUID();
  const claimed = await retry(
    `claiming ${pipeline.name}`,
    LEDGER_RETRY,
    () =>
      claim(
        db,
        {
          ...{ pipeline: pipeline.name, params, build, worker, nonce, startedAt: clock() },
          origin: request.origin ?? null,
        },
        request.wait === true,
        signal,
        onProgress,
      ),
    { signal, onRetry: (event) => onProgress({ kind: "retry", ...event }) },
  );
  if (claimed.kind === "busy") return claimed;

  const { startedAt } = claimed;
  for (let { lease, earlierKeys } = claimed, startsOver = 0; ; startsOver++) {
    const part = { lease, earlierKeys, startedAt, worker, nonce, startsOver, since };
    const outcome = await playAttempt(request, part);
    if (outcome.kind !== "startedOver") return outcome;
    const old = lease;
    const next = await retry("starting the run over", LEDGER_RETRY, () =>
      startOver(db, old, { nonce, leaseSeconds: TIMING.leaseSeconds }),
    );
    if (next === null) throw lostRun(old);
    ({ lease, earlierKeys } = next);
  }
}

/** What an attempt of a run begins with. */
interface Part {
  readonly lease: Lease;
  readonly earlierKeys: readonly string[];
  readonly startedAt: Date;
  readonly worker: ProcessIdentity;
  readonly nonce: string;
  /** How often this start has started the run over. */
  readonly startsOver: number;
  readonly since: number;
}

async function playAttempt<P extends Json>(
  request: RunSpec<P>,
  { lease, earlierKeys, startedAt, worker, nonce, startsOver, since }: Part,
): Promise<RunOutcome | { readonly kind: "startedOver" }> {
  const { pipeline, params, db, clock, build, signal, log, onProgress, force = false } = request;
  const { runId, attempt } = lease;
  const stopping = new AbortController();
  // Every request of every step listens to it.
  setMaxListeners(0, stopping.signal);
  const stop = (reason: HdashError) => {
    if (!stopping.signal.aborted) stopping.abort(reason);
  };
  const onSignal = () =>
    stop(new HdashError("aborted", `run ${runId} was told to stop`, { cause: signal.reason }));
  signal.addEventListener("abort", onSignal);
  if (signal.aborted) onSignal();
  let over: HdashError | null = null;

  const withLedger = makeWithLedger(stopping.signal, stop, onProgress);
  const capacity = {
    ...machineCapacity(request.concurrency ?? DEFAULT_CONCURRENCY),
    ...request.machine,
  };
  const places = openPlaces(capacity, stopping.signal);
  const holder = { lease, holder: nonce, worker, leaseSeconds: TIMING.leaseSeconds };
  const heartbeat = startHeartbeat(db, holder, log, stop);
  const access = { blobs: request.blobs, withLedger, log };
  const journal = openJournal(db, lease, access, () => stop(lostRun(lease)));
  onProgress({
    kind: "runStarted",
    runId,
    pipeline: pipeline.name,
    startedAt: startedAt.toISOString(),
    attempt,
    isReplay: attempt > 1,
  });
  let scratch: Awaited<ReturnType<typeof makeScratch>> | undefined;
  try {
    let budget: Budget | null;
    try {
      budget =
        (await withLedger("reading what was spent", async () => request.budget?.(runId))) ?? null;
      // Only now that the run is ours nobody is at work in what its last attempt has left.
      await withLedger("cleaning up", () => removeStaleScratch(db, request.scratch, log, clock()));
      scratch = await makeScratch(request.scratch, lease, worker, log);
    } catch (error) {
      await handBack({ db, lease, log });
      throw error;
    }
    const session: Session = {
      db,
      blobs: request.blobs,
      withLedger,
      noteParts: (whole, parts) => withLedger("noting files", () => noteParts(db, whole, parts)),
      lease,
      holder,
      machine: { cpus: capacity.cpus, memoryMiB: capacity.memoryMiB, arch: machineArch() },
      pipeline: pipeline.name,
      build,
      startedAt,
      clock,
      log,
      publisher: request.publisher,
      scratch,
      isForced: (step) => force === true || (force !== false && force.includes(step)),
      budget,
      limit: (work) => places.run(work),
      onProgress,
      journal,
      heartbeat,
      signal: stopping.signal,
      ownKeys: new Set(earlierKeys),
      doings: new Map(),
      sightings: new Map(),
      producers: new Map(),
      healings: new Map(),
      mayLackBytes: new Set(),
      waitedFor: new Set(),
      scopes: new Map(),
      gone: [],
      news: null,
      publishing: { place: null, results: {} },
      deltas: new Map(),
      counts: { hits: 0, ran: 0, failed: 0 },
      stop,
      startOver(why) {
        if (startsOver === MAX_STARTS_OVER) {
          const hint = "What a step gives must follow from its inputs, params and pin alone.";
          const times = `, after the run was started over ${MAX_STARTS_OVER} times`;
          throw new HdashError("permanent", why + times, { hint });
        }
        if (!stopping.signal.aborted) {
          log.warn(`${why}; the run starts over, and finds what it has done`);
          over = new HdashError("aborted", `run ${runId} starts over: ${why}`);
          stop(over);
        }
        throw over ?? new HdashError("aborted", why);
      },
      throwIfStopped: () => stopping.signal.throwIfAborted(),
    };
    const played = await play(session, pipeline, params);
    if (played.kind === "stopped" && played.reason === over && !signal.aborted) {
      return { kind: "startedOver" };
    }
    return await closeRun(session, played, signal, since);
  } finally {
    signal.removeEventListener("abort", onSignal);
    // Whatever is still going on has been abandoned; it must not begin anything any more.
    stop(new HdashError("aborted", `run ${runId} is over`));
    journal.close();
    heartbeat.stop();
    await scratch?.remove();
    // What is left of them is void, and in nobody's way.
    await within(
      DROP_CLAIMS_MS,
      dropClaims(db, lease).catch(() => {}),
    );
  }
}

/** Plays the plan until it ends or is stopped, and waits for what it has begun; not for longer than the grace once it is stopped. */
async function play<P extends Json>(
  session: Session,
  pipeline: Pipeline<P>,
  params: P,
): Promise<Played> {
  const top = newScope("");
  const settleAll = async () => {
    await settle(top);
    for (const scope of session.scopes.values()) await settle(scope);
  };
  const playing = (async (): Promise<Played> => {
    try {
      await pipeline.plan(makePlan(session, top), params);
      await settleAll();
      session.throwIfStopped();
      await session.journal.flush();
      return { kind: "done" };
    } catch (error) {
      return { kind: "failed", error };
    }
  })();
  const played = await Promise.race([playing, whenAborted(session.signal)]);
  if (played?.kind === "done") return played;
  if (played !== null && !session.signal.aborted) {
    // Notes of what failed, before nothing can be written any more.
    await session.journal.flush().catch(() => {});
  }
  const reason = session.signal.aborted ? reasonOf(session.signal) : null;
  session.stop(new HdashError("aborted", "the plan has failed"));
  await within(GRACE_MS, Promise.all([playing, settleAll()]));
  return reason === null && played !== null
    ? played
    : { kind: "stopped", reason: reason ?? reasonOf(session.signal) };
}

function whenAborted(signal: AbortSignal): Promise<null> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(null);
    else signal.addEventListener("abort", () => resolve(null), { once: true });
  });
}

function reasonOf(signal: AbortSignal): HdashError {
  const reason: unknown = signal.reason;
  return reason instanceof HdashError ? reason : new HdashError("aborted", messageOf(reason));
}
