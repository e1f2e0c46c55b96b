// Measures what commands use, by looking at their processes from time to time. The system's own account (wait4) cannot be had in Node.

import { type ProcessStat, readProcess, readShare, readUnits } from "./processTable.ts";

/** What one command has used so far. */
export interface Meter {
  /** Notes the processes as they are now, and returns what they take of memory together, in bytes. */
  note(processes: readonly ProcessStat[]): number;
  /** Notes the first look at a program, and returns what to call when it has ended; that resolves when its time is known. */
  begin(pid: number): () => Promise<void>;
  readonly cpuMs: () => number;
  /** The most that was seen: a peak between two looks is not. */
  readonly peakMemoryBytes: () => number;
}

/**
 * Makes meters. Processor time of programs that have ended is what the system adds up for their parent (us), in ticks of 10 ms; it has
 * their children's time where they waited for them. Programs that end in the same instant share what is added: each has what was seen of
 * it last, and an equal part of the rest. Time of processes that outlived their parents is what was seen of them.
 */
export function makeMeters(): { readonly make: (memoryBytes: number | null) => Meter } {
  const { pageBytes, ticksPerSecond } = readUnits();
  let counted = childTicks();
  let ended: { readonly seenTicks: number; readonly settle: (ticks: number) => void }[] = [];

  function shareOut(): void {
    const now = childTicks();
    const added = now - counted;
    counted = now;
    const seen = ended.reduce((sum, { seenTicks }) => sum + seenTicks, 0);
    const rest = Math.max(0, added - seen) / ended.length;
    for (const { seenTicks, settle } of ended) settle(seenTicks + rest);
    ended = [];
  }

  function makeMeter(memoryBytes: number | null): Meter {
    let endedTicks = 0;
    let mostTicks = 0;
    let peakBytes = 0;
    let root: { readonly pid: number; seenTicks: number } | null = null;
    const note = (processes: readonly ProcessStat[]): number => {
      let [ticks, bytes] = [endedTicks, 0];
      for (const stat of processes) {
        ticks += stat.cpuTicks;
        bytes += stat.residentPages * pageBytes;
        if (root?.pid === stat.pid) root.seenTicks = stat.cpuTicks;
      }
      // Pages that several processes share are counted several times: only where it matters they are counted well.
      if (memoryBytes !== null && bytes > memoryBytes && processes.length > 1) {
        bytes = processes.reduce((sum, { pid }) => sum + readShare(pid), 0);
      }
      mostTicks = Math.max(mostTicks, ticks);
      peakBytes = Math.max(peakBytes, bytes);
      return bytes;
    };
    return {
      note,
      begin(pid) {
        const own = (root = { pid, seenTicks: 0 });
        const first = readProcess(pid);
        if (first !== null) note([first]);
        return () =>
          new Promise((resolve) => {
            const settle = (ticks: number): void => {
              endedTicks += ticks;
              resolve();
            };
            ended.push({ seenTicks: own.seenTicks, settle });
            if (ended.length === 1) setImmediate(shareOut);
          });
      },
      cpuMs: () => (Math.max(mostTicks, endedTicks) * 1000) / ticksPerSecond,
      peakMemoryBytes: () => peakBytes,
    };
  }

  return { make: makeMeter };
}

function childTicks(): number {
  return readProcess(process.pid)?.childTicks ?? 0;
}
