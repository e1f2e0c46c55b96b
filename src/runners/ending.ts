// Ends processes: asks, waits, kills, and looks again until none is left.

import { setTimeout as sleep } from "node:timers/promises";

import { codeOf } from "../error.ts";
import type { ProcessStat } from "./processTable.ts";

/** How often one looks whether processes have ended: soon at first, later seldom. Milliseconds. */
const [FIRST_LOOK_MS, LAST_LOOK_MS] = [2, 50];

/** Looks for processes, as a Finder does. */
export interface Search {
  all(): readonly ProcessStat[];
  quickly(): readonly ProcessStat[];
}

/**
 * Ends all processes that a search finds, and those it finds then; resolves when it finds none, with how many there were. What belongs to
 * another user can not be ended, and is passed over.
 * @param graceMs how long they may take to end when asked. @param isHurried tells that there is no time for that any more.
 */
export async function endProcesses(
  search: Search,
  graceMs: number,
  isHurried: () => boolean = () => false,
): Promise<number> {
  const seen = new Set<string>();
  const spared = new Set<string>();
  const look = (): readonly ProcessStat[] => {
    // One look misses a process whose parent began it, and ended, between the moment of the list and its own turn.
    for (const find of [search.all, search.quickly]) {
      const left = find().filter((stat) => !spared.has(nameOf(stat)));
      for (const stat of left) seen.add(nameOf(stat));
      if (left.length > 0) return left;
    }
    return [];
  };
  const send = (left: readonly ProcessStat[], ...signals: readonly NodeJS.Signals[]): void => {
    for (const stat of left) {
      for (const signal of signals) if (!sendSignal(stat.pid, signal)) spared.add(nameOf(stat));
    }
  };
  let left = look();
  if (graceMs > 0 && !isHurried()) {
    // One that is stopped hears nothing until it goes on.
    send(left, "SIGTERM", "SIGCONT");
    const until = performance.now() + graceMs;
    for (let ms = FIRST_LOOK_MS; left.length > 0; ms = Math.min(ms * 2, LAST_LOOK_MS)) {
      const restMs = until - performance.now();
      if (restMs <= 0 || isHurried()) break;
      await sleep(Math.min(ms, restMs));
      left = look();
    }
  }
  for (let ms = FIRST_LOOK_MS; left.length > 0; ms = Math.min(ms * 2, LAST_LOOK_MS)) {
    send(left, "SIGKILL");
    await sleep(ms);
    left = look();
  }
  return seen.size;
}

function nameOf({ pid, startTicks }: ProcessStat): string {
  return `${pid} ${startTicks}`;
}

/** False where it may not be sent: another user's process. */
function sendSignal(pid: number, signal: NodeJS.Signals): boolean {
  try {
    process.kill(pid, signal);
    return true;
  } catch (error) {
    return codeOf(error) !== "EPERM"; // ESRCH: it has ended by itself
  }
}
