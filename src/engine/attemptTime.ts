// The time that an attempt may take: it runs while the attempt works, and stands still while it waits for room.

import { HdashError } from "../error.ts";

/** How long an attempt whose time is over may take to stop before it is given up. */
const GRACE_MS = 7000;

/** A timer of more would fire at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** An attempt's time. */
export interface AttemptTime {
  /** Aborts when the attempt is told to stop, or its time is over. */
  readonly signal: AbortSignal;
  /** Rejects where the attempt's time is over and it does not stop then. */
  readonly over: Promise<never>;
  /** Stands still while the attempt waits for room: that others are at work is not its fault. Ends with as many calls of resume(). */
  pause(): void;
  resume(): void;
  end(): void;
}

/** Watches the time of an attempt; without `minutes` it may take as long as it likes. */
export function limitTime(
  step: string,
  minutes: number | undefined,
  stop: AbortSignal,
): AttemptTime {
  const { promise: over, reject } = Promise.withResolvers<never>();
  // It is of no interest once the attempt has ended.
  over.catch(() => {});
  if (minutes === undefined) {
    return { signal: stop, over, pause() {}, resume() {}, end() {} };
  }
  const late = new AbortController();
  const reason = new HdashError(
    "transient",
    `${step} took longer than the ${minutes} minutes that it may`,
  );
  let left = minutes * 60_000;
  let since = 0;
  let pauses = 0;
  let hasEnded = false;
  let timer: NodeJS.Timeout | undefined;
  const expire = () => {
    late.abort(reason);
    timer = setTimeout(() => reject(reason), GRACE_MS);
  };
  const go = () => {
    since = performance.now();
    timer = setTimeout(expire, Math.min(left, LONGEST_TIMER_MS));
  };
  go();
  return {
    signal: AbortSignal.any([stop, late.signal]),
    over,
    pause() {
      if (pauses++ > 0 || late.signal.aborted) return;
      clearTimeout(timer);
      left -= performance.now() - since;
    },
    resume() {
      if (--pauses === 0 && !late.signal.aborted && !hasEnded) go();
    },
    end() {
      hasEnded = true;
      clearTimeout(timer);
    },
  };
}
