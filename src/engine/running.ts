// Running a step that nobody knows the result of: the attempt, what it notes while it goes on, and its commit.

import { canonicalJson, type Json } from "../digest.ts";
import { messageOf } from "../error.ts";
import type { BlobError } from "../store/blobs.ts";
import { digestFacts, makeFacts } from "../store/facts.ts";
import { commitResult, type StoredResult } from "../store/results.ts";
import { beginAttempt, endAttempt } from "../store/stepAttempts.ts";
import { IN_PROCESS, type Worked, workInAttempts } from "./attempts.ts";
import { type StepKey } from "./key.ts";
import { noteFailure } from "./noting.ts";
import type { Hold } from "./places.ts";
import { type AnyStep, type InputRecord, readInputs, storeOutputs } from "./ports.ts";
import { lostRun, type ScopeState, type Session, type Sighting } from "./session.ts";
import type { Ref } from "./step.ts";

/** Of an attempt that ended without a result, and was no program. */
const NO_END = { code: null, usage: null, logDigest: null };

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
}

export async function run(
  session: Session,
  scope: ScopeState,
  step: AnyStep,
  { key, document, pin, seen, inputs }: Task,
  { n, hold, isRemake }: Turn,
): Promise<Tried> {
  session.throwIfStopped();
  const startedAt = seen?.startedAt ?? session.clock();
  const since = performance.now();
  const label = { scope: scope.name === "" ? null : scope.name, step: step.name, key };
  // What is made again was a hit, and stays one until it has run.
  const wasNoted = scope.noted.get(key);
  if (!isRemake) scope.noted.set(key, "running");
  session.onProgress({ kind: "stepStarted", ...label });
  const note = {
    ...{ scope: scope.name, step: step.name, key, resultId: null, error: null },
    ...{ state: "running" as const, startedAt, endedAt: null },
  };
  if (!isRemake) session.journal.note({ ...note, done: null, total: null });

  const unread = new Map<Ref<unknown>, BlobError>();
  const onDamage = (input: Ref<unknown>, error: BlobError) => void unread.set(input, error);
  let toldAt = -PROGRESS_MS;
  let worked: Worked | null = null;
  /** Ends the attempt that did the work, where it comes to nothing all the same; those that failed are ended already. */
  const end = async (state: "failed" | "cancelled", reason: string) => {
    if (worked === null) return;
    const ended = { ...NO_END, logDigest: worked.logDigest, state, reason };
    await session.keep(`ending ${step.name}`, () =>
      endAttempt(session.db, { key, n: worked?.n ?? n }, { ...ended, endedAt: session.clock() }),
    );
  };
  const giveUp = async <T>(outcome: T, reason: string): Promise<T> => {
    if (!isRemake) session.journal.drop(scope.name, key);
    if (wasNoted === undefined) scope.noted.delete(key);
    else scope.noted.set(key, wasNoted);
    await end("cancelled", reason);
    return outcome;
  };
  try {
    worked =
      seen === null
        ? await workInAttempts(session, step, {
            ...{ key, pin, hold, first: n },
            inputs: (folder) => readInputs(session, inputs, folder, onDamage),
            isOwn: () => unread.size === 0,
            progress(done, total) {
              const now = performance.now();
              if (now - toldAt < PROGRESS_MS && done !== total) return;
              toldAt = now;
              if (!isRemake) session.journal.note({ ...note, done, total });
              session.onProgress({ kind: "stepProgress", ...label, done, total });
            },
          })
        : await enterSighting(session, step, { key, n, startedAt });
    if (worked === null) {
      return await giveUp({ kind: "unclaimed" }, "another run has taken the step over");
    }
    session.throwIfStopped();
    // Also where the step took the error for itself: what it made of half an input is worth nothing.
    if (unread.size > 0) {
      return await giveUp({ kind: "damaged", inputs: unread }, "an input could not be read");
    }
    if (step.repin === true) {
      const again = await step.pin(session.signal);
      if (canonicalJson(again) !== canonicalJson(pin)) {
        session.log.debug(`${step.name}: its source moved while it was read; it is read again`);
        return await giveUp({ kind: "moved" }, "its source moved while it was read");
      }
    }
    const outputs = seen?.outputs ?? (await storeOutputs(session, step, worked.values));
    const facts = makeFacts(worked.findings, worked.measures);
    session.throwIfStopped();
    session.journal.drop(scope.name, key);
    const ms = seen?.ms ?? performance.now() - since;
    const result = {
      key,
      attempt: worked.n,
      logDigest: worked.logDigest,
      outputs,
      factsDigest: digestFacts(facts),
      step: step.name,
      version: step.version,
      document,
      facts,
      ms,
      scope: scope.name,
      startedAt,
      endedAt: session.clock(),
    };
    const commit = await session.keep(`committing ${step.name}`, () =>
      commitResult(session.db, session.holder, result),
    );
    if (commit.kind === "lost") {
      const lost = lostRun(session.lease);
      session.stop(lost);
      throw lost;
    }
    if (commit.kind === "unclaimed") {
      session.log.warn(`${step.name}: another run has taken it over while it was done here`, {
        key,
      });
      return await giveUp({ kind: "unclaimed" }, "another run has taken the step over");
    }
    if (commit.kind === "inserted" && commit.before !== null) {
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
    return { kind: "ran", stored: commit.stored };
  } catch (error) {
    if (unread.size > 0 && !session.signal.aborted) {
      return await giveUp({ kind: "damaged", inputs: unread }, "an input could not be read");
    }
    if (!isRemake) session.journal.drop(scope.name, key);
    if (!isRemake) noteFailure(session, scope, step, { key, startedAt, since, error });
    // A run that is stopped closes what it has left open.
    if (!session.signal.aborted) await end("failed", messageOf(error));
    throw error;
  } finally {
    await worked?.folder?.remove();
  }
}

/** Enters what an observation found as an attempt that did its work before there was a key; null where another run has the step. */
async function enterSighting(
  session: Session,
  step: AnyStep,
  { key, n, startedAt }: { readonly key: StepKey; readonly n: number; readonly startedAt: Date },
): Promise<Worked | null> {
  const { runId } = session.lease;
  const begun = { key, n, runId, runner: IN_PROCESS, resources: {}, startedAt };
  const isClaimed = await session.keep(`beginning ${step.name}`, () =>
    beginAttempt(session.db, begun),
  );
  if (!isClaimed) return null;
  return { n, values: {}, findings: [], measures: [], logDigest: null, folder: null };
}
