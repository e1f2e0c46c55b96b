// Which process holds something, told so that another process can prove that it is dead: pids alone are reused.

import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";

/** A process on a machine. What the system does not tell is null, and then nothing can be proved. */
export interface ProcessIdentity {
  readonly host: string;
  readonly pid: number;
  /** When the process started, in clock ticks since boot. */
  readonly startTicks: string | null;
  readonly pidNamespace: string | null;
  readonly bootId: string | null;
}

/** Identifies this process. */
export function identifyProcess(): ProcessIdentity {
  return {
    host: hostname(),
    pid: process.pid,
    startTicks: readStat(process.pid)?.startTicks ?? null,
    pidNamespace: attempt(() => readlinkSync("/proc/self/ns/pid")),
    bootId: attempt(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
  };
}

/** Tells whether a process lives; "unknown" where it is on another machine or in another container. */
export function livenessOf(identity: ProcessIdentity): "alive" | "dead" | "unknown" {
  const here = identifyProcess();
  if (
    identity.bootId === null ||
    identity.pidNamespace === null ||
    identity.startTicks === null ||
    here.startTicks === null ||
    identity.bootId !== here.bootId ||
    identity.pidNamespace !== here.pidNamespace
  ) {
    return "unknown";
  }
  const stat = readStat(identity.pid);
  // A zombie holds nothing any more; it only waits for its parent to look at it.
  if (stat === null || stat.state === "Z" || stat.state === "X") return "dead";
  return stat.startTicks === identity.startTicks ? "alive" : "dead";
}

/** Reads an identity that was stored as JSON; null where it is not one. */
export function parseIdentity(value: unknown): ProcessIdentity | null {
  if (typeof value !== "object" || value === null) return null;
  if (!("host" in value) || typeof value.host !== "string") return null;
  if (!("pid" in value) || typeof value.pid !== "number") return null;
  const text = (key: string): string | null => {
    const found: unknown = Object.getOwnPropertyDescriptor(value, key)?.value;
    return typeof found === "string" ? found : null;
  };
  return {
    host: value.host,
    pid: value.pid,
    startTicks: text("startTicks"),
    pidNamespace: text("pidNamespace"),
    bootId: text("bootId"),
  };
}

/** Names a process for people. */
export function describeProcess({ host, pid }: ProcessIdentity): string {
  return `pid ${pid} on ${host}`;
}

function readStat(pid: number): { readonly state: string; readonly startTicks: string } | null {
  const text = attempt(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
  if (text === null) return null;
  // The second field is the command in brackets, which may itself hold spaces and brackets.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const [state, startTicks] = [fields[0], fields[19]];
  return state === undefined || startTicks === undefined ? null : { state, startTicks };
}

/** Null where the file is not there: another system than Linux, or a process that is gone. */
function attempt(read: () => string): string | null {
  try {
    return read();
  } catch {
    return null;
  }
}
