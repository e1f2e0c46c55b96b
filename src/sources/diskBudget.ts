// How much disk downloads may take together: who comes first gets room first, and what is on disk counts until it is removed.

import { lstat } from "node:fs/promises";

import { HdashError } from "../error.ts";

export interface DiskBudgetOptions {
  /** What all downloads together may take, in bytes. */
  readonly bytes: number;
  /** How much is free where they are put. */
  readonly freeBytes: () => Promise<number>;
  /** How often those who wait look whether a settled file was removed; default 1 s. */
  readonly sweepMs?: number;
}

export interface DiskHold {
  /** Asks for more, for a download whose size is not known before; waits until there is room. */
  grow(bytes: number): Promise<void>;
  /** Says how many bytes are on disk by now: those no longer count as free there. */
  wrote(bytes: number): void;
  /** Says that the download is whole: from now on it takes what it has, until `path` is removed or release() is called. */
  settle(path: string, bytes: number): void;
  /** Gives everything back; a second call does nothing. */
  release(): void;
}

export interface DiskBudget {
  /**
   * Waits until there is room for so many bytes; null: not known, it grows as it goes. Of those there is one at a time, so that
   * no two can wait for each other. Throws permanent for what would not fit if it were alone.
   */
  take(
    bytes: number | null,
    options: { readonly subject: string; readonly signal: AbortSignal },
  ): Promise<DiskHold>;
}

/** Growing holds take this much ahead (or an eighth of the budget, if less): asking the disk for each piece would be slow. */
const AHEAD_BYTES = 16 * 1024 * 1024;
const DEFAULT_SWEEP_MS = 1000;

interface Held {
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

/** Makes a budget; nothing is asked of the disk before something is taken. */
export function makeDiskBudget(options: DiskBudgetOptions): DiskBudget {
  const { sweepMs = DEFAULT_SWEEP_MS } = options;
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
    let used = 0;
    let promised = 0;
    for (const hold of held) {
      used += hold.bytes;
      promised += Math.max(0, hold.bytes - hold.written);
    }
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
    leave(first, () => first.reject(new HdashError("permanent", message, { publicly: TOO_LARGE })));
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
    const total = hold.bytes + bytes;
    if (total > options.bytes) {
      const what = isGrowth ? "at least " : "";
      const message = `${subject} takes ${what}${total} bytes, more than the ${options.bytes} that downloads may take`;
      const hint = "Allow downloads more disk, or leave this matrix out by the blacklist.";
      throw new HdashError("permanent", message, { hint, publicly: TOO_LARGE });
    }
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

  return {
    async take(bytes, { subject, signal }) {
      const hold: Held = { bytes: 0, written: 0, isGrowing: bytes === null, path: null };
      await wait(subject, bytes ?? 0, hold, signal, false);
      let ahead = 0;
      return {
        async grow(more) {
          if (more > ahead) {
            const step = Math.min(AHEAD_BYTES, Math.floor(options.bytes / 8));
            const most = Math.max(0, options.bytes - hold.bytes);
            const asked = Math.max(more - ahead, Math.min(step, most));
            await wait(subject, asked, hold, signal, true);
            ahead += asked;
          }
          ahead -= more;
        },
        wrote(total) {
          hold.written = total;
        },
        settle(path, total) {
          Object.assign(hold, { path, bytes: total, written: total, isGrowing: false });
          serve();
        },
        release() {
          if (held.delete(hold)) serve();
        },
      };
    },
  };
}

const TOO_LARGE = "the matrix is larger than what downloads may take on disk";

async function isGone(path: string): Promise<boolean> {
  try {
    await lstat(path);
    return false;
  } catch (error) {
    // Anything else than "not there" (a right, a broken disk) says nothing about whether the bytes are gone.
    return error instanceof Error && "code" in error && error.code === "ENOENT";
  }
}
