// Finds the processes of each command, wherever they went: a process group alone loses those that left it.

import { listPids, type ProcessStat, readProcess, readVariable } from "./processTable.ts";

/** The variable of the environment that names the command which a process belongs to. Children get it from their parents. */
export const MARKER = "HDASH_EXEC";

export interface Finder {
  /** Finds all processes of all commands, by their command. */
  findAll(): ReadonlyMap<string, readonly ProcessStat[]>;
  /** The same without looking again at pids that were others' a moment ago: for measuring. */
  findQuickly(): ReadonlyMap<string, readonly ProcessStat[]>;
}

/** The kernel's threads have no environment, and never get one. */
const OTHERS = { value: null, isDecided: true } as const;

interface Known {
  readonly startTicks: string;
  /** Null: no process of ours, and since it is none now, it never becomes one. */
  readonly command: string | null;
}

/**
 * Makes a finder. A process belongs to a command when it carries its marker, when it is in a session with one that does (each command
 * begins a session of its own), when it is the child of one that does, or when it ever was one of these: a program may clear its
 * environment, leave its session and lose its parent.
 * @param commandOf tells the command of a marker; null for a marker that is none of ours.
 */
export function makeFinder(commandOf: (marker: string) => string | null): Finder {
  let known = new Map<number, Known>();

  function find(isQuick: boolean): ReadonlyMap<string, readonly ProcessStat[]> {
    const next = new Map<number, Known>();
    const undecided: ProcessStat[] = [];
    const unsure = new Set<number>();
    const sessions = new Map<number, string>();
    const found = new Map<string, ProcessStat[]>();
    const take = (stat: ProcessStat, command: string): void => {
      next.set(stat.pid, { startTicks: stat.startTicks, command });
      sessions.set(stat.session, command);
      const others = found.get(command);
      if (others === undefined) found.set(command, [stat]);
      else others.push(stat);
    };
    for (const pid of listPids()) {
      const before = known.get(pid);
      if (isQuick && before?.command === null) {
        next.set(pid, before);
        continue;
      }
      const stat = readProcess(pid);
      if (stat === null) continue;
      if (before?.startTicks === stat.startTicks) {
        if (before.command === null) next.set(pid, before);
        else take(stat, before.command);
        continue;
      }
      const marker = stat.isKernel ? OTHERS : readVariable(pid, MARKER);
      if (!marker.isDecided) unsure.add(pid);
      const command = marker.value === null ? null : commandOf(marker.value);
      if (command === null) undecided.push(stat);
      else take(stat, command);
    }
    // Kin of kin: until a round finds nobody more.
    let rest = undecided;
    for (let before = -1; before !== rest.length;) {
      before = rest.length;
      rest = rest.filter((stat) => {
        const command = sessions.get(stat.session) ?? next.get(stat.parent)?.command ?? null;
        if (command !== null) take(stat, command);
        return command === null;
      });
    }
    for (const { pid, startTicks } of rest) {
      if (!unsure.has(pid)) next.set(pid, { startTicks, command: null });
    }
    known = next;
    return found;
  }

  return { findAll: () => find(false), findQuickly: () => find(true) };
}
