// What is known of a run while it goes on: the events of the engine folded into one value that can be drawn.

import type { Doing, ProgressEvent } from "../engine/progress.ts";

/** A step that is at work. `total` is null where the step cannot say how much there is to do. */
export interface RunningStep {
  readonly key: string;
  readonly step: string;
  readonly done: number;
  readonly total: number | null;
  readonly how: Doing;
}

/** A scope: what it has done and what it is doing. */
export interface ScopeProgress {
  readonly name: string;
  /** What people call it. */
  readonly title: string;
  readonly status: "running" | "done" | "failed";
  readonly hits: number;
  readonly ran: number;
  readonly failed: number;
  /** Oldest first. */
  readonly running: readonly RunningStep[];
  /** Estimate from 0 to 1; never goes back. */
  readonly fraction: number;
  readonly durationMs: number | null;
  readonly error: string | null;
}

/** A run as far as it has got. Instants are milliseconds of the view's own clock. */
export interface ProgressState {
  readonly title: string;
  readonly openedAtMs: number;
  readonly attempt: number;
  /** In the order in which they started. */
  readonly scopes: readonly ScopeProgress[];
  /** Steps that belong to no scope. */
  readonly whole: ScopeProgress;
  readonly waiting: { readonly for: "run" | "site"; readonly worker: string } | null;
  readonly publishing: { readonly done: number; readonly total: number } | null;
  readonly retries: number;
  readonly lastRetry: string | null;
  readonly ended: Extract<ProgressEvent, { kind: "runEnded" }> | null;
}

/** Makes the state of a run of which nothing is known yet. */
export function emptyProgress(title: string, nowMs: number): ProgressState {
  return {
    title,
    openedAtMs: nowMs,
    attempt: 1,
    scopes: [],
    whole: emptyScope(""),
    waiting: null,
    publishing: null,
    retries: 0,
    lastRetry: null,
    ended: null,
  };
}

/** Folds one event into the state. */
export function reduceProgress(state: ProgressState, event: ProgressEvent): ProgressState {
  switch (event.kind) {
    case "runStarted":
      // One view may show several runs, one after the other: each starts from nothing.
      return { ...emptyProgress(state.title, state.openedAtMs), attempt: event.attempt };
    case "waiting":
      // A step that another run does keeps the others from nothing.
      if (event.for === "step") return state;
      return { ...state, waiting: { for: event.for, worker: event.worker } };
    case "scopeStarted":
      return state.scopes.some(({ name }) => name === event.scope)
        ? updateScope(state, event.scope, (scope) => ({ ...scope, status: "running" }))
        : { ...state, scopes: [...state.scopes, emptyScope(event.scope, event.title)] };
    case "scopeEnded":
      return updateScope(state, event.scope, (scope) => ({
        ...scope,
        status: event.ok ? "done" : "failed",
        running: [],
        fraction: 1,
        durationMs: event.durationMs,
        error: event.error,
      }));
    case "stepStarted":
      return updateScope(state, event.scope, (scope) => {
        const { step, key } = event;
        return {
          ...scope,
          running: [...scope.running, { step, key, done: 0, total: null, how: {} }],
        };
      });
    case "stepProgress":
      return updateScope(state, event.scope, (scope) => ({
        ...scope,
        running: scope.running.map((one) =>
          one.key === event.key
            ? { ...one, done: event.done, total: event.total, how: event.how ?? {} }
            : one,
        ),
      }));
    case "stepEnded":
      return updateScope(state, event.scope, (scope) => ({
        ...scope,
        running: scope.running.filter((one) => one.key !== event.key),
        hits: scope.hits + (event.state === "hit" ? 1 : 0),
        ran: scope.ran + (event.state === "ran" ? 1 : 0),
        failed: scope.failed + (event.state === "failed" ? 1 : 0),
      }));
    case "publishProgress":
      return {
        ...state,
        waiting: null,
        publishing: { done: event.done, total: event.total },
      };
    case "published": {
      const total = state.publishing?.total ?? 0;
      return { ...state, waiting: null, publishing: { done: total, total } };
    }
    case "retry":
      return {
        ...state,
        retries: state.retries + 1,
        lastRetry: `${event.subject}: ${event.reason}`,
      };
    case "runEnded":
      return { ...state, waiting: null, ended: event };
  }
}

/** Estimates how much of the run is done, from 0 to 1. Publishing is taken for the last tenth. */
export function overallFraction(state: ProgressState): number {
  if (state.ended !== null) return 1;
  if (state.scopes.length === 0) return 0;
  const scopes = state.scopes.reduce((sum, scope) => sum + scope.fraction, 0) / state.scopes.length;
  const { publishing } = state;
  const published =
    publishing === null || publishing.total === 0 ? 0 : publishing.done / publishing.total;
  return 0.9 * scopes + 0.1 * published;
}

/** Estimates the time left in milliseconds; null while there is too little to go by. */
export function timeLeftMs(state: ProgressState, nowMs: number): number | null {
  const elapsedMs = nowMs - state.openedAtMs;
  const fraction = overallFraction(state);
  // Before this, the guess would jump about more than it would tell.
  if (state.ended !== null || elapsedMs < 2_000 || fraction < 0.05) return null;
  return (elapsedMs * (1 - fraction)) / fraction;
}

/** Adds up the steps of all scopes and of the run itself. */
export function countSteps(state: ProgressState): {
  readonly hits: number;
  readonly ran: number;
  readonly failed: number;
} {
  const all = [...state.scopes, state.whole];
  const sum = (of: (scope: ScopeProgress) => number): number =>
    all.reduce((total, scope) => total + of(scope), 0);
  return {
    hits: sum(({ hits }) => hits),
    ran: sum(({ ran }) => ran),
    failed: sum(({ failed }) => failed),
  };
}

function emptyScope(name: string, title = name): ScopeProgress {
  return {
    name,
    title,
    status: "running",
    hits: 0,
    ran: 0,
    failed: 0,
    running: [],
    fraction: 0,
    durationMs: null,
    error: null,
  };
}

function updateScope(
  state: ProgressState,
  name: string | null,
  update: (scope: ScopeProgress) => ScopeProgress,
): ProgressState {
  if (name === null) return { ...state, whole: update(state.whole) };
  const scopes = state.scopes.map((scope) => {
    if (scope.name !== name) return scope;
    const updated = update(scope);
    const fraction = Math.max(updated.fraction, guessFraction(updated, state.scopes));
    return { ...updated, fraction };
  });
  return { ...state, scopes };
}

/**
 * Guesses how far a scope is. How many steps it will take is known only at its end, so the guess goes by the largest scope
 * that has ended, and by at least four steps more than it has shown so far: a first bar that is too short is soon made good, one that
 * is too long stands still.
 */
function guessFraction(scope: ScopeProgress, scopes: readonly ScopeProgress[]): number {
  if (scope.status !== "running") return 1;
  const ended = stepsEnded(scope);
  const begun = scope.running.reduce((sum, { done, total }) => sum + share(done, total), 0);
  const seen = scopes.filter(({ status }) => status === "done").map(stepsEnded);
  const expected = Math.max(ended + scope.running.length + 4, ...seen);
  return (ended + begun) / expected;
}

function share(done: number, total: number | null): number {
  return total === null || total <= 0 ? 0 : Math.min(1, done / total);
}

function stepsEnded({ hits, ran, failed }: ScopeProgress): number {
  return hits + ran + failed;
}
