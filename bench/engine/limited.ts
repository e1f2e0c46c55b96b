// What a command took in all: with the programs that it ran, and, where a Postgres works for it, that one's time beside it.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { messageOf } from "../../src/error.ts";
import { measureCommand, type Measured } from "../compiled.ts";

const TICKS_PER_SECOND = 100;
const LAST_LINES = 5;

/** A command that was measured; null where it was not done in time. */
export type Taken =
  | (Measured & {
      /** Of the Postgres server, which nobody's own measure has; null where there is none. */
      readonly serverSeconds: number | null;
    })
  | null;

/** Measures commands, each of which may take only so long. */
export interface Meter {
  readonly limitSeconds: number;
  /** The process that all of the server's others come from; null where there is none. */
  readonly server: number | null;
}

/** Runs a command in a folder; null where it took longer than it may, or could not do it. */
export function take(
  { limitSeconds, server }: Meter,
  dir: string,
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Taken {
  const before = server === null ? 0 : serverSeconds(server);
  const since = performance.now();
  // What it says is of interest where it fails.
  const said = join(dir, "said");
  const quietly = ["sh", "-c", 'exec "$@" 2> "$0"', said];
  const within = [...quietly, "env", "-C", dir, "timeout", "-k", "5", String(limitSeconds)];
  try {
    const measured = measureCommand([...within, ...command], environment);
    const after = server === null ? null : serverSeconds(server) - before;
    return { ...measured, serverSeconds: after };
  } catch (error) {
    const isLate = performance.now() - since >= 1000 * limitSeconds;
    const why = isLate ? `takes more than ${limitSeconds} s` : `fails: ${messageOf(error)}`;
    const words = readFileSync(said, "utf8")
      .trimEnd()
      .split("\n")
      .slice(-LAST_LINES)
      .join("\n    ");
    console.error(`  ${command.join(" ")} ${why}${isLate ? "" : `:\n    ${words}`}`);
    return null;
  }
}

/** Processor time of a server and of the processes that it has had, as Linux counts it. */
function serverSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  const ticks = fields.slice(11, 15).reduce((sum, one) => sum + Number(one), 0);
  return ticks / TICKS_PER_SECOND;
}

/** The process that a process comes from. */
export function parentOf(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
}
