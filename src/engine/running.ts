// Running a step that nobody knows the result of: the attempt, what it notes while it goes on, and its commit.

import { canonicalJson, type Json } from "../digest.ts";
import { messageOf } from "../error.ts";
import type { BlobError } from "../store/blobs.ts";
import { digestFacts, makeFacts } from "../store/facts.ts";
import { commitResult, type StoredResult } from "../store/results.ts";
import {
  type AttemptEnd,
  beginAttempt,
  type Cause,
  endAttempt,
  type NewAttempt,
} from "../store/stepAttempts.ts";
import { IN_PROCESS, type Worked, workInAttempts } from "./attempts.ts";
import { endedAttemptOf, withEndedAttempt } from "./failures.ts";
import { type StepKey } from "./key.ts";
import { labelled, noteFailure } from "./noting.ts";
import type { Hold } from "./places.ts";
import { type AnyStep, type InputRecord, readInputs, storeOutputs } from "./ports.ts";
import type { StepState } from "./progress.ts";
import { lostRun, type ScopeState, type Session, type Sighting } from "./session.ts";
import type { Ref } from "./step.ts";

/** How an attempt ends without a result that counts. */
const TAKEN_OVER = {
  ...{ state: "cancelled", reason: "taken-over" },
  message: "another run has taken the step over",
};
const UNREAD = { state: "cancelled", reason: "input", message: "an input could not be read" };
const MOVED = {
  ...{ state: "cancelled", reason: "moved" },
  message: "its source moved while it was read",
};

/** Callers are told of a step's progress ten times a second at most. */
const PROGRESS_MS = 100;

/** What a doing came to; "moved" where the source has moved in the meantime, so that the step has to be done again. */
export type Done =
  { readonly kind: "hit" | "ran"; readonly stored: StoredResult } | { readonly kind: "moved" };

/** What a single try came to. unclaimed: another run has taken the step over while we did it · damaged: inputs could not be read. */
export type Tried =
  | Done
  | { readonly kind: "unclaimed" }
  | { readonly kind: "damaged"; readonly inputs: ReadonlyMap<Ref<unknown>, BlobError> };

export interface Task {
  readonly key: StepKey;
  readonly document: string;
  readonly pin: Json;
  /** What an observation found; null for every other step. */
  readonly seen: Sighting | null;
  readonly inputs: InputRecord;
}

/** Which attempt at a step this is, and whether it makes again what was known, and then damaged. */
export interface Turn {
  readonly n: number;
  readonly hold: Hold;
  readonly isRemake: boolean;
  /** Why it is done although its result was known; null where nothing was. */
  readonly cause: Cause | null;
}

/** A try while it goes on. */
interface Trying {
  readonly session: Session;
  readonly scope: ScopeState;
  readonly step: AnyStep;
  readonly task: Task;
  readonly turn: Turn;
  readonly startedAt: Date;
  /** The same on the clock of performance. */
  readonly since: number;
  readonly label: {
    readonly scope: string | null;
    readonly step: string;
    readonly label?: string;
    readonly key: StepKey;
  };
  /** What was noted of the step before. */
  readonly wasNoted: StepState | "running" | undefined;
  /** Inputs that could not be read, with why. */
  readonly unread: Map<Ref<unknown>, BlobError>;
}

/** Runs a step, in as many attempts as it has, and commits what came of it. Throws what the step throws, and where the run is stopped. */
export async function run(
  session: Session,
  scope: ScopeState,
  step: AnyStep,
  task: Task,
  turn: Turn,
): Promise<Tried> {
  session.throwIfStopped();
  const trying = begin(session, scope, step, task, turn);
  const { startedAt, since, unread } = trying;
  const { key } = task;
  const damaged = { kind: "damaged", inputs: unread } as const;
  let worked: Worked | null = null;
  try {
    worked =
      task.seen === null
        ? await work(trying)
        : await enterSighting(session, step, {
            ...{ key, n: turn.n, startedAt, cause: turn.cause, ms: task.seen.ms },
          });
    if (worked === null) return await giveUp(trying, null, { kind: "unclaimed" }, TAKEN_OVER);
    session.throwIfStopped();
    // Also where the step took the error for itself: what it made of half an input is worth nothing.
    if (unread.size > 0) return await giveUp(trying, worked, damaged, UNREAD);
    if (await hasMoved(trying)) {
      session.log.debug(`${step.name}: ${MOVED.message}; it is read again`);
      return await giveUp(trying, worked, { kind: "moved" }, MOVED);
    }
    return await commit(trying, worked);
  } catch (error) {
    if (unread.size > 0 && !session.signal.aborted) {
      return await giveUp(trying, worked, damaged, UNREAD);
    }
    if (!turn.isRemake) {
      session.journal.drop(scope.name, key);
      noteFailure(session, scope, step, { key, startedAt, since, error });
    }
    // A run that is stopped closes what it has left open.
    if (session.signal.aborted || worked === null) throw error;
    const failure = { state: "failed", reason: "error", message: messageOf(error) };
    await end(trying, worked, failure);
    throw endedBy(trying, worked, failure, error);
  } finally {
    await worked?.folder?.remove();
  }
}

/** Notes that the step is running, and tells so. */
function begin(session: Session, scope: ScopeState, step: AnyStep, task: Task, turn: Turn): Trying {
  const { key, seen } = task;
  const trying: Trying = {
    ...{ session, scope, step, task, turn },
    startedAt: seen?.startedAt ?? session.clock(),
    since: performance.now(),
    label: {
      scope: scope.name === "" ? null : scope.name,
      step: step.name,
      ...labelled(step),
      key,
    },
    wasNoted: scope.noted.get(key),
    unread: new Map(),
  };
  // What is made again was a hit, and stays one until it has run.
  if (!turn.isRemake) scope.noted.set(key, "running");
  session.onProgress({ kind: "stepStarted", ...trying.label });
  noteRunning(trying, null, null);
  return trying;
}

/** Has the journal say how far the step is; what is made again is no news. */
function noteRunning(
  { session, scope, step, task, turn, startedAt }: Trying,
  done: number | null,
  total: number | null,
): void {
  if (turn.isRemake) return;
  session.journal.note({
    ...{ scope: scope.name, step: step.name, label: step.label, key: task.key },
    ...{ resultId: null, error: null },
    ...{ state: "running", startedAt, endedAt: null, done, total },
  });
}

/** Does the work of the step; null where another run has taken it over. */
function work(trying: Trying): Promise<Worked | null> {
  const { session, step, task, turn, unread, label } = trying;
  let toldAt = -PROGRESS_MS;
  return workInAttempts(session, step, {
    ...{ key: task.key, pin: task.pin, hold: turn.hold, first: turn.n, cause: turn.cause },
    inputs: (folder) =>
      readInputs(session, task.inputs, folder, (input, error) => void unread.set(input, error)),
    isOwn: () => unread.size === 0,
    progress(done, total, how) {
      const now = performance.now();
      if (now - toldAt < PROGRESS_MS && done !== total) return;
      toldAt = now;
      noteRunning(trying, done, total);
      const said = how === undefined ? {} : { how };
      session.onProgress({ kind: "stepProgress", ...label, done, total, ...said });
    },
  });
}

/** Asks the source again, where it may move while it is read. */
async function hasMoved({ session, step, task }: Trying): Promise<boolean> {
  if (step.repin !== true || step.pin === null) return false;
  const again = await step.pin(session.signal);
  return canonicalJson(again) !== canonicalJson(task.pin);
}

/** Stores what the step gave, and enters it in the ledger as its result. */
async function commit(trying: Trying, worked: Worked): Promise<Tried> {
  const { session, scope, step, task, startedAt, since, label, wasNoted } = trying;
  const { key, document, seen } = task;
  const outputs = seen?.outputs ?? (await store(trying, worked));
  const facts = makeFacts(worked.findings, worked.measures);
  session.throwIfStopped();
  session.journal.drop(scope.name, key);
  const ms = seen?.ms ?? performance.now() - since;
  const result = {
    key,
    attempt: worked.n,
    ...{ code: worked.code, usage: worked.usage, logDigest: worked.logDigest },
    outputs,
    factsDigest: digestFacts(facts),
    step: step.name,
    label: step.label,
    version: step.version,
    document,
    facts,
    ms,
    scope: scope.name,
    startedAt,
    endedAt: session.clock(),
  };
  const committed = await session.withLedger(`committing ${step.name}`, () =>
    commitResult(session.db, session.holder, result),
  );
  if (committed.kind === "lost") {
    const lost = lostRun(session.lease);
    session.stop(lost);
    throw lost;
  }
  if (committed.kind === "unclaimed") {
    session.log.warn(`${step.name}: another run has taken it over while it was done here`, { key });
    return giveUp(trying, worked, { kind: "unclaimed" }, TAKEN_OVER);
  }
  if (committed.kind === "inserted" && committed.before !== null) {
    session.log.warn(
      `${step.name} gave another result than before for the same key; the new one counts`,
      { key },
    );
  }
  if (wasNoted === "hit") session.counts.hits--;
  session.ownKeys.add(key);
  scope.noted.set(key, "ran");
  session.counts.ran++;
  session.onProgress({ kind: "stepEnded", ...label, state: "ran", durationMs: ms, error: null });
  return { kind: "ran", stored: committed.stored };
}

/** Stores what the step gave; what cannot be stored is the attempt's failure. */
async function store(trying: Trying, worked: Worked) {
  const { session, step } = trying;
  try {
    return await storeOutputs(session, step, worked.values);
  } catch (error) {
    if (session.signal.aborted) throw error;
    const failure = { state: "failed", reason: "output", message: messageOf(error) };
    await end(trying, worked, failure);
    throw endedBy(trying, worked, failure, error);
  }
}

/** Notes on an error which attempt it ended, where that is not noted yet. */
function endedBy(
  { step, task }: Trying,
  { n, attempt }: Worked,
  { state, reason }: { readonly state: string; readonly reason: string },
  error: unknown,
): unknown {
  if (endedAttemptOf(error) !== null) return error;
  const which = { key: task.key, n, attempt, attempts: step.attempts };
  return withEndedAttempt(error, { ...which, state, reason, lastLines: [] });
}

/** Puts everything back to what it was before the try, and says what that came to. */
async function giveUp<T extends Tried>(
  trying: Trying,
  worked: Worked | null,
  outcome: T,
  how: Pick<AttemptEnd, "state" | "reason" | "message">,
): Promise<T> {
  const { session, scope, task, turn, wasNoted } = trying;
  if (!turn.isRemake) session.journal.drop(scope.name, task.key);
  if (wasNoted === undefined) scope.noted.delete(task.key);
  else scope.noted.set(task.key, wasNoted);
  await end(trying, worked, how);
  return outcome;
}

/** Ends the attempt that did the work, where it comes to nothing all the same; those that failed are ended already. */
async function end(
  { session, step, task }: Trying,
  worked: Worked | null,
  how: Pick<AttemptEnd, "state" | "reason" | "message">,
): Promise<void> {
  if (worked === null) return;
  const { n, code, usage, logDigest } = worked;
  const ended = { ...how, code, usage, logDigest };
  await session.withLedger(`ending ${step.name}`, () =>
    endAttempt(
      session.db,
      session.lease,
      { key: task.key, n },
      { ...ended, endedAt: session.clock() },
    ),
  );
}

/** Enters what an observation found as an attempt that did its work before there was a key; null where another run has the step. */
async function enterSighting(
  session: Session,
  step: AnyStep,
  {
    ms,
    ...of
  }: Pick<NewAttempt, "n" | "startedAt" | "cause"> & {
    readonly key: StepKey;
    readonly ms: number;
  },
): Promise<Worked | null> {
  const { machine } = session;
  const begun = { ...of, step: step.name, runner: IN_PROCESS, resources: {}, machine };
  const isClaimed = await session.withLedger(`beginning ${step.name}`, () =>
    beginAttempt(session.db, session.holder, begun),
  );
  if (!isClaimed) return null;
  const nothing = { values: {}, findings: [], measures: [], logDigest: null, folder: null };
  return { n: of.n, attempt: 1, ...nothing, code: null, usage: { wallMs: Math.round(ms) } };
}
