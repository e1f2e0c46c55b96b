// Marks what a worker starts, so that a later worker can prove that it was left behind: by whom, and that they are dead.

import { randomUUID } from "node:crypto";
import { readlinkSync } from "node:fs";

import { HdashError } from "../error.ts";
import { readProcess } from "./processTable.ts";

/** Makes markers of a worker, and reads others'. Written `<prefix>.<namespace>-<pid>-<start>.<id>`. */
export interface WorkerMark {
  /** Makes a marker for one command. */
  make(): string;
  /** Tells whether a marker has our prefix and is of a worker of this machine that is certainly dead. */
  isLeftBehind(marker: string): boolean;
}

/** Makes the marks of this process. Throws a permanent error for a prefix that would not be read again as it is. */
export function makeWorkerMark(prefix: string): WorkerMark {
  if (!/^[\w-]+$/.test(prefix)) {
    throw new HdashError("permanent", `"${prefix}" cannot begin the mark of a command`);
  }
  const identify = (): string | null => {
    const start = readProcess(process.pid)?.startTicks;
    const space = pidNamespace();
    return start === undefined || space === null ? null : `${space}-${process.pid}-${start}`;
  };
  return {
    make: () => `${prefix}.${identify() ?? "unknown"}.${randomUUID()}`,
    isLeftBehind(marker) {
      const [of, worker = ""] = marker.split(".");
      const [, space, pid, start] = /^(\d+)-(\d+)-(\d+)$/.exec(worker) ?? [];
      // Pids of another container say nothing here.
      if (of !== prefix || pid === undefined || space !== pidNamespace()) return false;
      return readProcess(Number(pid))?.startTicks !== start;
    },
  };
}

function pidNamespace(): string | null {
  try {
    return /\d+/.exec(readlinkSync("/proc/self/ns/pid"))?.[0] ?? null;
  } catch {
    return null; // no Linux: probe() says so
  }
}
