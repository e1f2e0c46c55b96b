// Reads what Linux tells of processes in /proc, in as few calls as it takes: it is read many times while a program runs.

import { closeSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";

/** A process at one moment. */
export interface ProcessStat {
  readonly pid: number;
  /** One letter; Z and X are dead and only wait to be looked at. */
  readonly state: string;
  readonly parent: number;
  readonly session: number;
  readonly isKernel: boolean;
  /** Of the process and of its children that it has waited for, in clock ticks. */
  readonly cpuTicks: number;
  /** The same, of children alone. */
  readonly childTicks: number;
  /** When it started, in clock ticks since boot: with the pid it names a process for good. */
  readonly startTicks: string;
  readonly residentPages: number;
}

/** A flag of the kernel's own threads. */
const KERNEL_THREAD = 0x00200000;
/** A line of /proc/<pid>/stat has at most some 400 bytes. */
const line = Buffer.alloc(4096);

/** Lists all pids. Throws where there is no /proc. */
export function listPids(): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d/.test(name))
    .map(Number);
}

/** Reads a process; null where it is gone, or dead. */
export function readProcess(pid: number): ProcessStat | null {
  let text: string;
  try {
    const file = openSync(`/proc/${pid}/stat`, "r");
    try {
      text = line.toString("latin1", 0, readSync(file, line));
    } finally {
      closeSync(file);
    }
  } catch {
    return null; // gone since it was listed
  }
  // The second field is the command in brackets, which may itself hold spaces and brackets.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const number = (index: number): number => Number(fields[index] ?? 0);
  const [state = "X", startTicks = ""] = [fields[0], fields[19]];
  if (state === "Z" || state === "X") return null;
  return {
    pid,
    state,
    parent: number(1),
    session: number(3),
    isKernel: (number(6) & KERNEL_THREAD) !== 0,
    cpuTicks: number(11) + number(12) + number(13) + number(14),
    childTicks: number(13) + number(14),
    startTicks,
    residentPages: number(21),
  };
}

/**
 * Reads a variable of the environment that a process was started with; null where it has none of that name. Undecided is a process that
 * has no environment at all: one that is just becoming another program has none for a moment.
 */
export function readVariable(
  pid: number,
  name: string,
): { readonly value: string | null; readonly isDecided: boolean } {
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/environ`, "latin1");
  } catch {
    return { value: null, isDecided: true }; // gone, or another user's
  }
  const start = text.startsWith(`${name}=`) ? 0 : text.indexOf(`\0${name}=`) + 1;
  if (start === 0 && !text.startsWith(`${name}=`)) return { value: null, isDecided: text !== "" };
  const end = text.indexOf("\0", start);
  const value = text.slice(start + name.length + 1, end === -1 ? undefined : end);
  return { value, isDecided: true };
}

/** Reads what a process takes of memory when what it shares with others is divided among them, in bytes: dear, it walks all pages. */
export function readShare(pid: number): number {
  try {
    const [, kibibytes] =
      /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, "latin1")) ?? [];
    return Number(kibibytes ?? 0) * 1024;
  } catch {
    return 0; // gone since it was listed
  }
}

/** Reads the sizes that numbers in /proc are counted in: what the kernel tells every program when it starts. */
export function readUnits(): { readonly pageBytes: number; readonly ticksPerSecond: number } {
  const [PAGE, CLOCK] = [6, 17];
  const words = new BigUint64Array(new Uint8Array(readFileSync("/proc/self/auxv")).buffer);
  const of = (type: number, otherwise: number): number => {
    for (let at = 0; at + 1 < words.length; at += 2) {
      if (words[at] === BigInt(type)) return Number(words[at + 1]);
    }
    return otherwise;
  };
  return { pageBytes: of(PAGE, 4096), ticksPerSecond: of(CLOCK, 100) };
}
