// How much disk downloads may take together: who comes first gets room first, and what is on disk counts until it is removed.

import { type Held, makeDiskQueue } from "./diskQueue.ts";

export interface DiskBudgetOptions {
  /** What all downloads together may take, in bytes. */
  readonly bytes: number;
  /** How much is free where they are put. */
  readonly freeBytes: () => Promise<number>;
  /** How often those who wait look whether a settled file was removed; default 1 s. */
  readonly sweepMs?: number;
  /** What is downloaded, in a word for people; default "file". */
  readonly noun?: string;
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

/** Makes a budget; nothing is asked of the disk before something is taken. */
export function makeDiskBudget(options: DiskBudgetOptions): DiskBudget {
  const { wait, serve, held } = makeDiskQueue({
    ...options,
    sweepMs: options.sweepMs ?? DEFAULT_SWEEP_MS,
    noun: options.noun ?? "file",
  });
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
