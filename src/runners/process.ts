// Runs programs as plain processes of this machine: no wall around them, but nothing of them is left when they have ended.

import { isAbsolute, join, relative } from "node:path";

import { HdashError, messageOf } from "../error.ts";
import { endProcesses } from "./ending.ts";
import { type ExecLogWriter, makeExecLog } from "./execLog.ts";
import { makeFinder } from "./finder.ts";
import { measureFolder } from "./folderBytes.ts";
import type { Ending, Order } from "./frames.ts";
import { type LauncherLink, startLauncher } from "./launcherLink.ts";
import { makeMasks } from "./mask.ts";
import { readProcess } from "./processTable.ts";
import type { ExecEnd, ExecIo, ExecSpec, Runner } from "./runner.ts";
import { makeWorkerMark } from "./workerMark.ts";

export interface ProcessRunnerSettings {
  /** Names the HDASH_HOME, as letters and digits: what carries it in its environment was started for this home. */
  readonly prefix: string;
  /** A folder that exists, on a disk of this machine: pipes have their names there for a moment. */
  readonly folder: string;
  /** Between asking a process to end and killing it. Milliseconds; default 2 s. */
  readonly graceMs?: number;
}

export interface ProcessRunner extends Runner {
  /** The process that starts programs; null where there is none yet, or it died. */
  launcherPid(): number | null;
  /** Ends all that runs, and the launcher; the runner may be used again. */
  close(): Promise<void>;
}

const GRACE_MS = 2000;
const MIB = 1024 * 1024;

const CANNOT_HOLD: readonly string[] = [
  "A program has the rights of hdash's own user: it can read, change and remove whatever that user can, also outside of its work folder.",
  "The network is open to it.",
  "Memory and processes are looked at ten times a second: between two looks a program may take more than its limit, and the machine's own killer may be quicker (failed · signal).",
  "Disk is measured when a program has ended: until then it may fill the disk, and what it writes outside of its work folder does not count.",
  "A process that clears its environment, begins a session of its own and loses its parent, all between two looks, is not found again.",
  "Other programs of this user can read the environment of a running one in /proc, secrets too.",
  "Peak memory and processor time are what was seen: memory between two looks is not in them, nor is the time of a process that outlived its parent.",
];

/** Makes the runner. Nothing is started until it is probed or used; throws a permanent error for a prefix that is no word. */
export function makeProcessRunner(settings: ProcessRunnerSettings): ProcessRunner {
  const { prefix, folder, graceMs = GRACE_MS } = settings;
  const mark = makeWorkerMark(prefix);
  let current: LauncherLink | null = null;
  let lastId = 0;

  function launcher(): LauncherLink {
    if (current !== null) return current;
    const link = (current = startLauncher(folder, graceMs));
    void link.gone.then(() => {
      if (current === link) current = null;
    });
    return link;
  }

  async function execute(spec: ExecSpec, { signal }: ExecIo, log: ExecLogWriter) {
    const order = makeOrder(spec, ++lastId, mark.make());
    const link = launcher();
    let failure: { readonly error: unknown } | null = null;
    const stop = (): void => link.stop(order.id);
    signal.addEventListener("abort", stop, { once: true });
    try {
      const ending = await link.execute(order, (bytes) => {
        if (failure !== null) return;
        try {
          log.write(bytes);
        } catch (error) {
          failure = { error };
          stop();
        }
      });
      const thrown = failure as { readonly error: unknown } | null;
      if (thrown !== null) throw thrown.error;
      if (ending !== null) return ending;
      await endMarked((marker) => marker === order.marker, 0);
      return await link.gone;
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  return {
    name: "process",
    cannotHold: CANNOT_HOLD,
    async probe() {
      if (readProcess(process.pid) === null) {
        return "programs cannot be run as processes: there is no /proc, in which hdash looks after them";
      }
      const why = await launcher().ready;
      return why === null
        ? null
        : `programs cannot be run as processes: their launcher died: ${why}`;
    },
    async run(_key, spec, io) {
      const log = makeExecLog(spec.limits.logBytes, spec.secrets, io.onLine);
      if (io.signal.aborted) return { ...NOTHING, ...CANCELLED, log: log.end() };
      const ending = await execute(spec, io, log);
      const mask = makeMasks(spec.secrets).text;
      if (typeof ending === "string") {
        const message = mask(`the launcher of programs died: ${ending}`);
        return { ...NOTHING, state: "lost", reason: "lease", message, log: log.end() };
      }
      if (ending.refusal?.isMachine === true) {
        throw new HdashError("transient", mask(ending.refusal.message));
      }
      const judged = await judge(spec, ending);
      const message = judged.message === null ? null : mask(judged.message);
      return { ...judged, message, log: log.end() };
    },
    async cleanup() {
      await endMarked(mark.isLeftBehind, graceMs);
    },
    launcherPid: () => current?.pid ?? null,
    async close() {
      current?.close();
      await current?.gone;
    },
  };
}

/** Ends processes of commands, by their marks. */
async function endMarked(isMeant: (marker: string) => boolean, graceMs: number): Promise<void> {
  const finder = makeFinder((marker) => (isMeant(marker) ? marker : null));
  const search = {
    all: () => [...finder.findAll().values()].flat(),
    quickly: () => [...finder.findQuickly().values()].flat(),
  };
  await endProcesses(search, graceMs);
}

const NOTHING = {
  ...{ exitCode: null, signal: null, exitCodes: [], leftBehind: 0 },
  usage: { wallMs: 0, cpuMs: 0, peakMemoryBytes: 0 },
} as const;
const CANCELLED = { state: "cancelled", reason: "user", message: null } as const;

function makeOrder({ folder, script, limits }: ExecSpec, id: number, marker: string): Order {
  if (!isAbsolute(folder)) {
    throw new HdashError("permanent", `the work folder "${folder}" is no absolute path`);
  }
  return {
    ...{ kind: "start", id, marker, timeMs: limits.timeMs, processes: limits.processes },
    memoryBytes: limits.memoryMiB === null ? null : limits.memoryMiB * MIB,
    script: script.map(({ argv, cwd = ".", env }) => {
      const [program = ""] = argv;
      const path = join(folder, cwd);
      if (program === "") throw new HdashError("permanent", "a command names no program");
      if (isAbsolute(cwd) || relative(folder, path).split("/")[0] === "..") {
        throw new HdashError("permanent", `${program} is to start outside of its folder: ${cwd}`);
      }
      return { argv, env, cwd: path };
    }),
  };
}

/** Says in the words of all runners how the programs ended. */
async function judge(
  { limits, folder }: ExecSpec,
  { cause, refusal, exits, leftBehind, ...used }: Ending,
): Promise<Omit<ExecEnd, "log">> {
  const { wallMs, cpuMs, peakMemoryBytes } = used;
  const last = exits.at(-1) ?? null;
  const common = {
    ...{ exitCode: last?.code ?? null, signal: last?.signal ?? null, leftBehind },
    exitCodes: exits.map(({ code }) => code),
    usage: { wallMs, cpuMs, peakMemoryBytes },
  };
  const ended = (
    state: ExecEnd["state"],
    reason: ExecEnd["reason"],
    message: string | null = null,
  ) => ({ ...common, state, reason, message });
  switch (cause) {
    case "user":
      return { ...common, ...CANCELLED };
    case "time":
      return ended("timeout", "time", `it took more than ${(limits.timeMs ?? 0) / 1000} s`);
    case "memory":
      return ended("oom", "memory", `it took more than ${limits.memoryMiB ?? 0} MiB of memory`);
    case "processes":
      return ended("failed", "processes", `it had more than ${limits.processes ?? 0} processes`);
    case null:
  }
  if (refusal !== null) return ended("failed", "not-started", refusal.message);
  const over = await overDisk(folder, limits.diskMiB);
  if (over !== null) return ended("failed", "disk", over);
  if (last !== null && last.signal !== null) {
    return ended("failed", "signal", `${last.signal} ended it`);
  }
  if (last !== null && last.code !== 0) {
    return ended("failed", "exit", `it ended with ${last.code ?? "nothing"}`);
  }
  return ended("succeeded", null);
}

async function overDisk(folder: string, diskMiB: number | null): Promise<string | null> {
  if (diskMiB === null) return null;
  try {
    const bytes = await measureFolder(folder);
    const size = Math.ceil(bytes / MIB);
    return bytes > diskMiB * MIB ? `its folder holds ${size} MiB, more than ${diskMiB} MiB` : null;
  } catch (error) {
    // What cannot be measured cannot be collected either.
    throw new HdashError("permanent", `${folder} cannot be measured: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
