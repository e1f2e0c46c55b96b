// What a run notes of its steps, in the ledger and to whoever watches: hits and failures, once for each scope.

import { HdashError, isAborted, messageOf } from "../error.ts";
import { type StoredResult } from "../store/results.ts";
import { type StepKey } from "./key.ts";
import { type AnyStep } from "./ports.ts";
import { type ScopeState, type Session } from "./session.ts";

export function noteHit(
  session: Session,
  scope: ScopeState,
  step: AnyStep,
  { id: resultId, key }: StoredResult,
  startedAt: Date,
  since: number,
): void {
  const before = scope.noted.get(key);
  if (before !== undefined && before !== "failed") return;
  scope.noted.set(key, "hit");
  session.journal.note({
    scope: scope.name,
    step: step.name,
    label: step.label,
    key,
    resultId,
    state: "hit",
    done: null,
    total: null,
    error: null,
    startedAt,
    endedAt: session.clock(),
  });
  session.counts.hits++;
  session.onProgress({
    kind: "stepEnded",
    scope: scope.name === "" ? null : scope.name,
    step: step.name,
    ...labelled(step),
    key,
    state: "hit",
    durationMs: performance.now() - since,
    error: null,
  });
}

/** Notes that a step waits for another run that does it: as running, which its claim tells from what this run does itself. */
export function noteWaiting(
  session: Session,
  scope: ScopeState,
  step: AnyStep,
  key: StepKey,
  startedAt: Date,
): void {
  const before = scope.noted.get(key);
  if (before !== undefined && before !== "failed") return;
  session.journal.note({
    ...{ scope: scope.name, step: step.name, label: step.label, key },
    ...{ resultId: null, state: "running", done: null, total: null, error: null },
    ...{ startedAt, endedAt: null },
  });
}

export function noteFailure(
  session: Session,
  scope: ScopeState,
  step: AnyStep,
  failure: {
    readonly key: StepKey | null;
    readonly startedAt: Date;
    readonly since: number;
    readonly error: unknown;
  },
): void {
  // A step that was stopped has not failed; its replay will tell.
  if (session.signal.aborted || (failure.error instanceof HdashError && isAborted(failure.error)))
    return;
  if (failure.key !== null) {
    if (scope.noted.get(failure.key) === "failed") return;
    scope.noted.set(failure.key, "failed");
  }
  const error = messageOf(failure.error);
  session.journal.note({
    scope: scope.name,
    step: step.name,
    label: step.label,
    key: failure.key,
    resultId: null,
    state: "failed",
    done: null,
    total: null,
    error,
    startedAt: failure.startedAt,
    endedAt: session.clock(),
  });
  session.counts.failed++;
  session.onProgress({
    kind: "stepEnded",
    scope: scope.name === "" ? null : scope.name,
    step: step.name,
    ...labelled(step),
    key: failure.key,
    state: "failed",
    durationMs: performance.now() - failure.since,
    error,
  });
}

/** The label of a step, where it has one, as events say it. */
export function labelled({ label }: AnyStep): { readonly label?: string } {
  return label === null ? {} : { label };
}
