// The processors that this process may use. What depends on their number shows when there are fewer.

import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";

const run = promisify(execFile);

/**
 * Takes one processor away from this process, and from all that it starts from now on, and says how many are left. Where there is but one,
 * or the system does not let us, all stays as it is.
 */
export async function takeProcessorAway(): Promise<number> {
  try {
    const allowed = parseList(await readFile("/proc/self/status", "utf8"));
    if (allowed.length > 1) {
      const left = allowed.slice(0, -1).join(",");
      await run("taskset", ["-a", "-c", "-p", left, String(process.pid)]);
    }
  } catch {
    // Another system, or one without util-linux: what depends on it is not found then, and the number says so.
  }
  return availableParallelism();
}

/** Reads "Cpus_allowed_list: 0-3,8" of a process's status. */
function parseList(status: string): readonly number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? "";
  return list.split(",").flatMap((part) => {
    const [from = NaN, to = from] = part.split("-").map(Number);
    return Number.isNaN(to - from)
      ? []
      : Array.from({ length: to - from + 1 }, (_, at) => from + at);
  });
}
