// Trying again: the only place that waits between attempts. Not p-retry, because it cannot let an error say how long to wait
// (Retry-After) without sleeping twice.

import { setTimeout as sleep } from "node:timers/promises";

import { HdashError, isTransient, messageOf } from "./error.ts";

/** How often and how patiently to try. Delays are milliseconds. */
export interface RetryPolicy {
  readonly attempts: number;
  readonly minDelayMs: number;
  readonly maxDelayMs: number;
}

/** For a person who waits for the answer. */
export const IMPATIENT: RetryPolicy = { attempts: 2, minDelayMs: 200, maxDelayMs: 500 };

/** For calls to services: about a minute in all, enough for a restart on the other side. */
export const PATIENT: RetryPolicy = { attempts: 8, minDelayMs: 500, maxDelayMs: 30_000 };

/** Says that an attempt failed and when the next one follows. */
export type OnRetry = (event: {
  readonly subject: string;
  readonly attempt: number;
  readonly delayMs: number;
  readonly reason: string;
}) => void;

/**
 * Calls `fn` until it succeeds, as long as it fails with a transient HdashError and attempts are left.
 * The wait before attempt n is random in [min·2^(n-1)/2, min·2^(n-1)], at most maxDelayMs, and at least what the error's retryAfterMs asks for.
 * Throws the last error, or an aborted one as soon as the signal aborts.
 */
export async function retry<T>(
  subject: string,
  policy: RetryPolicy,
  fn: (attempt: number) => Promise<T>,
  options: {
    readonly signal?: AbortSignal | undefined;
    readonly onRetry?: OnRetry | undefined;
    readonly wait?: typeof pause;
  } = {},
): Promise<T> {
  const { signal, onRetry, wait = pause } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      signal?.throwIfAborted();
      return await fn(attempt);
    } catch (error) {
      if (signal?.aborted) {
        throw new HdashError("aborted", `stopped while: ${subject}`, { cause: signal.reason });
      }
      if (!isTransient(error) || attempt >= policy.attempts) throw error;
      const delayMs = delayBefore(attempt, policy, error);
      onRetry?.({ subject, attempt, delayMs, reason: messageOf(error) });
      await wait(delayMs, signal);
    }
  }
}

function delayBefore(attempt: number, policy: RetryPolicy, error: unknown): number {
  const ceiling = Math.min(policy.maxDelayMs, policy.minDelayMs * 2 ** (attempt - 1));
  const jittered = ceiling * (0.5 + 0.5 * Math.random());
  const asked = error instanceof HdashError ? (error.retryAfterMs ?? 0) : 0;
  return Math.round(Math.max(jittered, asked));
}

/** Waits, or throws an aborted error as soon as the signal aborts. */
export async function pause(delayMs: number, signal?: AbortSignal): Promise<void> {
  try {
    await sleep(delayMs, undefined, signal === undefined ? {} : { signal });
  } catch (error) {
    throw new HdashError("aborted", "stopped while waiting", { cause: error });
  }
}
