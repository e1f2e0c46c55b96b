import { describe, expect, test } from "vitest";

import { HdashError } from "../src/error.ts";
import { type OnRetry, pause, retry, type RetryPolicy } from "../src/retry.ts";

const POLICY: RetryPolicy = { attempts: 4, minDelayMs: 4, maxDelayMs: 10 };

const passing = (message = "busy", retryAfterMs?: number): HdashError =>
  new HdashError("transient", message, retryAfterMs === undefined ? {} : { retryAfterMs });

/** Fails with the given errors, then succeeds. */
function failing(errors: readonly Error[]): {
  calls: number[];
  fn: (attempt: number) => Promise<string>;
} {
  const calls: number[] = [];
  return {
    calls,
    fn: async (attempt) => {
      calls.push(attempt);
      const error = errors[calls.length - 1];
      if (error !== undefined) throw error;
      return "done";
    },
  };
}

function recorder(): { events: Parameters<OnRetry>[0][]; onRetry: OnRetry } {
  const events: Parameters<OnRetry>[0][] = [];
  return { events, onRetry: (event) => events.push(event) };
}

describe("retry(subject, policy, fn, options)", () => {
  test("returns what the first good attempt gives", async () => {
    const { calls, fn } = failing([passing(), passing()]);
    expect(await retry("it", POLICY, fn)).toBe("done");
    expect(calls).toEqual([1, 2, 3]);
  });

  test("gives up after its attempts with the last error", async () => {
    const last = passing("the fourth");
    const { calls, fn } = failing([passing(), passing(), passing(), last]);
    await expect(retry("it", POLICY, fn)).rejects.toBe(last);
    expect(calls).toEqual([1, 2, 3, 4]);
  });

  test.each([
    new HdashError("permanent", "no"),
    new HdashError("config", "no"),
    new HdashError("aborted", "no"),
    new TypeError("a bug"),
  ])("does not try again after $name $kind", async (error) => {
    const { calls, fn } = failing([error]);
    await expect(retry("it", POLICY, fn)).rejects.toBe(error);
    expect(calls).toEqual([1]);
  });

  test("waits longer each time, at random within half and the whole, up to the policy's bound", async () => {
    const { fn } = failing([passing(), passing(), passing()]);
    const { events, onRetry } = recorder();
    await retry("it", POLICY, fn, { onRetry });
    expect(events.map(({ subject, attempt, reason }) => [subject, attempt, reason])).toEqual([
      ["it", 1, "busy"],
      ["it", 2, "busy"],
      ["it", 3, "busy"],
    ]);
    const bounds = [
      [2, 4],
      [4, 8],
      [5, 10],
    ] as const;
    for (const [index, [low, high]] of bounds.entries()) {
      expect(events[index]?.delayMs).toBeGreaterThanOrEqual(low);
      expect(events[index]?.delayMs).toBeLessThanOrEqual(high);
    }
  });

  test("waits as long as the other side asks, beyond the policy's bound, before it tries again", async () => {
    const { calls, fn } = failing([passing("busy", 60_000)]);
    const { events, onRetry } = recorder();
    const waited: (readonly [delayMs: number, calls: number])[] = [];
    const wait = async (delayMs: number) => void waited.push([delayMs, calls.length]);
    await retry("it", POLICY, fn, { onRetry, wait });
    expect(events[0]?.delayMs).toBe(60_000);
    expect(waited).toEqual([[60_000, 1]]);
    expect(calls).toEqual([1, 2]);
  });

  test("stops in the middle of a wait when the signal aborts", async () => {
    const { calls, fn } = failing([passing("busy", 60_000)]);
    const stop = new AbortController();
    const onRetry = (): void => void setImmediate(() => stop.abort());
    const result = retry("it", POLICY, fn, { signal: stop.signal, onRetry });
    await expect(result).rejects.toMatchObject({ kind: "aborted" });
    expect(calls).toEqual([1]);
  });

  test("does not begin when the signal has aborted", async () => {
    const { calls, fn } = failing([]);
    const signal = AbortSignal.abort();
    await expect(retry("reading it", POLICY, fn, { signal })).rejects.toMatchObject({
      kind: "aborted",
      message: "stopped while: reading it",
    });
    expect(calls).toEqual([]);
  });

  test("calls a failure an abort when the signal aborted during the attempt", async () => {
    const stop = new AbortController();
    const result = retry(
      "it",
      POLICY,
      async () => {
        stop.abort();
        throw passing();
      },
      { signal: stop.signal },
    );
    await expect(result).rejects.toMatchObject({ kind: "aborted" });
  });
});

describe("pause(delayMs, signal)", () => {
  test("rejects at once for a signal that has aborted", async () => {
    await expect(pause(60_000, AbortSignal.abort())).rejects.toMatchObject({ kind: "aborted" });
  });
});
