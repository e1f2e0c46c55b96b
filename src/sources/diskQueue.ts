// Who waits for room on the disk, and who holds some of it: served in order, as room comes free.

import { lstat } from "node:fs/promises";

import { codeOf, HdashError } from "../error.ts";

/** What one download has of the disk. */
export interface Held {
  bytes: number;
  written: number;
  isGrowing: boolean;
  path: string | null;
}

interface Waiter {
  readonly subject: string;
  readonly bytes: number;
  /** Whether what is asked for will grow. */
  readonly isOpenEnded: boolean;
  readonly resolve: () => void;
  readonly reject: (error: HdashError) => void;
  readonly hold: Held;
}

/** What a queue shares out, and how often it looks whether room came free. */
export interface DiskQueueOptions {
  readonly bytes: number;
  readonly freeBytes: () => Promise<number>;
  readonly sweepMs: number;
  /** What is downloaded, in a word for people. */
  readonly noun: string;
}

/** The line of those who wait for room. */
export interface DiskQueue {
  readonly held: Set<Held>;
  /** Waits until so many bytes more fit into the hold; growth goes to the front of the line. Throws permanent for what can never fit. */
  wait(
    subject: string,
    bytes: number,
    hold: Held,
    signal: AbortSignal,
    isGrowth: boolean,
  ): Promise<void>;
  /** Serves those who wait, after room came free. */
  serve(): void;
}

/** Makes an empty line. */
export function makeDiskQueue(options: DiskQueueOptions): DiskQueue {
  const { sweepMs } = options;
  const held = new Set<Held>();
  const waiting: Waiter[] = [];
  let isServing = false;
  let isStale = false;
  let timer: NodeJS.Timeout | null = null;

  /** Serves those who wait, in order; a call while another is under way makes that one go round again. */
  function serve(): void {
    isStale = true;
    if (isServing) return;
    isServing = true;
    void (async () => {
      while (isStale) {
        isStale = false;
        await sweep();
        while (waiting.length > 0 && (await serveFirst()));
      }
      isServing = false;
      if (timer === null && waiting.length > 0) {
        timer = setTimeout(() => {
          timer = null;
          serve();
        }, sweepMs);
      }
    })();
  }

  /** Gives back what settled files took that are no longer there. */
  async function sweep(): Promise<void> {
    if (waiting.length === 0) return;
    for (const hold of [...held]) {
      if (hold.path !== null && (await isGone(hold.path))) held.delete(hold);
    }
  }

  /** Serves the first in line; false where it has to wait. */
  async function serveFirst(): Promise<boolean> {
    const first = waiting[0];
    if (first === undefined) return false;
    let free: number;
    try {
      free = await options.freeBytes();
    } catch (error) {
      const message = `${first.subject}: the disk does not say how much is free`;
      leave(first, () => first.reject(new HdashError("permanent", message, { cause: error })));
      return true;
    }
    // Those who grow go to the front, so another may be first by now.
    if (waiting[0] !== first) return true;
    const { used, promised } = sumsOf(held);
    const others = [...held].filter((hold) => hold !== first.hold);
    const isInTheWay = first.isOpenEnded && others.some((hold) => hold.isGrowing);
    const fits = used + first.bytes <= options.bytes && promised + first.bytes <= free;
    if (fits && !isInTheWay) {
      first.hold.bytes += first.bytes;
      held.add(first.hold);
      leave(first, first.resolve);
      return true;
    }
    if (others.length > 0) return false;
    const message = `${first.subject} takes ${first.hold.bytes + first.bytes} bytes, but only ${free + first.hold.written} are free on the disk for downloads`;
    const publicly = tooLarge(options.noun);
    leave(first, () => first.reject(new HdashError("permanent", message, { publicly })));
    return true;
  }

  function leave(waiter: Waiter, then: () => void): void {
    const at = waiting.indexOf(waiter);
    if (at >= 0) {
      waiting.splice(at, 1);
      then();
    }
  }

  function wait(
    subject: string,
    bytes: number,
    hold: Held,
    signal: AbortSignal,
    isGrowth: boolean,
  ): Promise<void> {
    checkLimit(subject, hold.bytes + bytes, options, isGrowth);
    return new Promise((resolve, reject) => {
      const stopped = (): HdashError =>
        new HdashError("aborted", `stopped while waiting for room for ${subject}`, {
          cause: signal.reason,
        });
      if (signal.aborted) return reject(stopped());
      const onAbort = (): void => {
        leave(waiter, () => reject(stopped()));
        // Whoever was behind may fit.
        serve();
      };
      const done =
        <T extends unknown[]>(fn: (...values: T) => void) =>
        (...values: T): void => {
          signal.removeEventListener("abort", onAbort);
          fn(...values);
        };
      const waiter: Waiter = {
        subject,
        bytes,
        isOpenEnded: !isGrowth && hold.isGrowing,
        hold,
        resolve: done(resolve),
        reject: done(reject),
      };
      signal.addEventListener("abort", onAbort, { once: true });
      if (isGrowth) waiting.unshift(waiter);
      else waiting.push(waiter);
      serve();
    });
  }

  return { held, wait, serve };
}

async function isGone(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return false;
  } catch (error) {
    // Anything else than "not there" (a right, a broken disk) says nothing about whether the bytes are gone.
    return codeOf(error) === "ENOENT";
  }
}

function checkLimit(
  subject: string,
  total: number,
  { bytes, noun }: DiskQueueOptions,
  isGrowth: boolean,
): void {
  if (total > bytes) {
    const what = isGrowth ? "at least " : "";
    const message = `${subject} takes ${what}${total} bytes, more than the ${bytes} that downloads may take`;
    const hint = `Allow downloads more disk, or leave this ${noun} out.`;
    throw new HdashError("permanent", message, { hint, publicly: tooLarge(noun) });
  }
}

/** Says it on a public page. */
function tooLarge(noun: string): string {
  return `the ${noun} is larger than what downloads may take on disk`;
}

/** What is held, and how much of it is not on the disk yet. */
function sumsOf(held: ReadonlySet<Held>): { readonly used: number; readonly promised: number } {
  let used = 0;
  let promised = 0;
  for (const hold of held) {
    used += hold.bytes;
    promised += Math.max(0, hold.bytes - hold.written);
  }
  return { used, promised };
}
