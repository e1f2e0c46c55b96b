import { describe, expect, test } from "vitest";

import type { ProgressEvent } from "../../src/engine/progress.ts";
import {
  countSteps,
  emptyProgress,
  overallFraction,
  type ProgressState,
  reduceProgress,
  timeLeftMs,
} from "../../src/progress/state.ts";

const START: ProgressEvent = {
  kind: "runStarted",
  runId: "r1",
  pipeline: "htan",
  startedAt: "2026-03-04T12:00:00.000Z",
  attempt: 2,
  isReplay: true,
};
const END: ProgressEvent = {
  kind: "runEnded",
  runId: "r1",
  status: "degraded",
  hits: 1,
  ran: 1,
  failed: 1,
  durationMs: 5_000,
  error: null,
};

function scopeStarted(scope: string): ProgressEvent {
  return { kind: "scopeStarted", scope };
}
function scopeEnded(scope: string, error: string | null = null): ProgressEvent {
  return { kind: "scopeEnded", scope, ok: error === null, error, durationMs: 1_000 };
}
function stepStarted(scope: string | null, step: string): ProgressEvent {
  return { kind: "stepStarted", scope, step, key: step };
}
function stepProgress(scope: string | null, step: string, done: number): ProgressEvent {
  return { kind: "stepProgress", scope, step, key: step, done, total: 4 };
}
function stepEnded(
  scope: string | null,
  step: string,
  state: "hit" | "ran" | "failed",
): ProgressEvent {
  return { kind: "stepEnded", scope, step, key: step, state, durationMs: 10, error: null };
}
function fold(...events: readonly ProgressEvent[]): ProgressState {
  return events.reduce(reduceProgress, emptyProgress("HTAN dashboard", 0));
}
function fractionsOf(state: ProgressState): readonly number[] {
  return state.scopes.map(({ fraction }) => fraction);
}

describe("reduceProgress(state, event)", () => {
  test("keeps what each scope does and has done", () => {
    const state = fold(
      START,
      scopeStarted("HTA1"),
      scopeStarted("HTA2"),
      stepEnded("HTA1", "pullView", "hit"),
      stepStarted("HTA1", "pullManifest"),
      stepProgress("HTA1", "pullManifest", 1),
      stepStarted("HTA2", "pullView"),
      stepEnded("HTA2", "pullView", "failed"),
      scopeEnded("HTA2", "no answer"),
    );
    expect(state).toEqual({
      ...emptyProgress("HTAN dashboard", 0),
      attempt: 2,
      scopes: [
        {
          name: "HTA1",
          title: "HTA1",
          status: "running",
          hits: 1,
          ran: 0,
          failed: 0,
          running: [{ key: "pullManifest", step: "pullManifest", done: 1, total: 4, how: {} }],
          fraction: 1.25 / 6,
          durationMs: null,
          error: null,
        },
        {
          name: "HTA2",
          title: "HTA2",
          status: "failed",
          hits: 0,
          ran: 0,
          failed: 1,
          running: [],
          fraction: 1,
          durationMs: 1_000,
          error: "no answer",
        },
      ],
    });
  });

  test("keeps steps that belong to no scope apart, and counts all of them", () => {
    const state = fold(
      scopeStarted("HTA1"),
      stepEnded("HTA1", "pullView", "hit"),
      stepStarted(null, "index"),
      stepEnded(null, "index", "ran"),
    );
    expect(state.whole).toMatchObject({ ran: 1, running: [] });
    expect(countSteps(state)).toEqual({ hits: 1, ran: 1, failed: 0 });
  });

  test("takes a scope that starts again for the same scope", () => {
    const state = fold(scopeStarted("HTA1"), scopeEnded("HTA1"), scopeStarted("HTA1"));
    expect(state.scopes.map(({ name, status }) => [name, status])).toEqual([["HTA1", "running"]]);
  });

  test("knows who is waited for until the wait is over", () => {
    const waiting: ProgressEvent = {
      kind: "waiting",
      for: "run",
      worker: "host:1",
      since: "2026-03-04T12:00:00.000Z",
    };
    expect(fold(waiting).waiting).toEqual({ for: "run", worker: "host:1" });
    expect(fold(waiting, START).waiting).toBeNull();
  });

  test("starts from nothing when another run starts in the same view", () => {
    const started = (runId: string) =>
      ({
        kind: "runStarted",
        runId,
        pipeline: "htan",
        startedAt: "2025-03-03T02:00:00.000Z",
        attempt: 1,
        isReplay: false,
      }) as const;
    const scope = { kind: "scopeStarted", scope: "HTA1" } as const;
    const end = {
      kind: "scopeEnded",
      scope: "HTA1",
      ok: true,
      error: null,
      durationMs: 5,
    } as const;
    expect(fold(started("1"), scope, end, started("2"))).toEqual(fold(started("2")));
  });

  test("counts retries and keeps the last one's reason", () => {
    const retry: ProgressEvent = {
      kind: "retry",
      subject: "query of syn1",
      attempt: 1,
      delayMs: 500,
      reason: "429",
    };
    expect(fold(retry, retry)).toMatchObject({ retries: 2, lastRetry: "query of syn1: 429" });
  });

  test("follows publishing to its end", () => {
    const progress: ProgressEvent = { kind: "publishProgress", site: "s3://a", done: 3, total: 9 };
    const published: ProgressEvent = {
      kind: "published",
      site: "s3://a",
      put: 9,
      deleted: 0,
      unchanged: 0,
      durationMs: 9,
    };
    expect(fold(progress).publishing).toEqual({ done: 3, total: 9 });
    expect(fold(progress, published).publishing).toEqual({ done: 9, total: 9 });
    expect(fold(published).publishing).toEqual({ done: 0, total: 0 });
  });
});

describe("overallFraction(state)", () => {
  test("never goes back, whatever turns up, and reaches one only at the end", () => {
    const events: readonly ProgressEvent[] = [
      START,
      scopeStarted("HTA1"),
      scopeStarted("HTA2"),
      stepStarted("HTA1", "pullView"),
      stepProgress("HTA1", "pullView", 3),
      stepEnded("HTA1", "pullView", "ran"),
      ...["a", "b", "c", "d"].map((name) => stepStarted("HTA1", name)),
      ...["a", "b", "c", "d"].map((name) => stepEnded("HTA1", name, "ran")),
      scopeEnded("HTA1"),
      stepEnded("HTA2", "pullView", "hit"),
      scopeEnded("HTA2"),
      { kind: "publishProgress", site: "s", done: 1, total: 2 },
      END,
    ];
    const fractions = events.map((_, at) => overallFraction(fold(...events.slice(0, at + 1))));
    expect(fractions).toEqual([...fractions].sort((a, b) => a - b));
    expect(fractions.slice(0, 3)).toEqual([0, 0, 0]);
    expect(fractions.at(-2)).toBeCloseTo(0.95);
    expect(fractions.at(-1)).toBe(1);
  });

  test("expects a scope to take as many steps as the largest that is done", () => {
    const steps = [..."abcdefgh"].map((name) => stepEnded("HTA1", name, "hit"));
    const state = fold(
      scopeStarted("HTA1"),
      scopeStarted("HTA2"),
      ...steps,
      scopeEnded("HTA1"),
      stepEnded("HTA2", "a", "hit"),
    );
    expect(fractionsOf(state)).toEqual([1, 1 / 8]);
  });
});

describe("timeLeftMs(state, now)", () => {
  test("goes by the time that the part which is done has taken", () => {
    const half = fold(scopeStarted("HTA1"), scopeEnded("HTA1"), scopeStarted("HTA2"));
    expect(timeLeftMs(half, 9_000)).toBeCloseTo(11_000);
  });

  test("does not guess too early, and has nothing left to say at the end", () => {
    const half = fold(scopeStarted("HTA1"), scopeEnded("HTA1"), scopeStarted("HTA2"));
    expect(timeLeftMs(half, 1_999)).toBeNull();
    expect(timeLeftMs(fold(scopeStarted("HTA1")), 60_000)).toBeNull();
    expect(timeLeftMs(fold(scopeStarted("HTA1"), END), 60_000)).toBeNull();
  });
});
