// What tests of runners share: a runner with a work folder, a shell's script as a spec, and a look at what is running that knows nothing
// of how runners find it.

import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { onTestFinished } from "vitest";

import { makeProcessRunner, type ProcessRunner } from "../../src/runners/process.ts";
import type { ExecEnd, ExecLimits, ExecSpec } from "../../src/runners/runner.ts";

export const NO_LIMITS: ExecLimits = {
  ...{ timeMs: null, memoryMiB: null, logBytes: null, diskMiB: null, processes: null },
};
/** Where a shell finds its programs. */
export const PATH = "/usr/local/bin:/usr/bin:/bin";
/** Nothing that is killed in a test needs longer to be asked first. Milliseconds. */
const GRACE_MS = 200;

/** Makes a folder that goes with the test. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "hdash-runners-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Makes a runner that ends with the test. */
export function makeRunner(prefix = "test", graceMs = GRACE_MS): ProcessRunner {
  const runner = makeProcessRunner({ prefix, folder: makeFolder(), graceMs });
  onTestFinished(() => runner.close());
  return runner;
}

/** A spec of one script of the shell in a new folder; what is given replaces what it has. */
export function shell(script: string, given: Partial<ExecSpec> = {}): ExecSpec {
  const argv = ["/bin/sh", "-c", script];
  return {
    ...{ folder: makeFolder(), script: [{ argv, env: { PATH } }], secrets: [], limits: NO_LIMITS },
    ...given,
  };
}

export interface Ran extends ExecEnd {
  readonly lines: readonly string[];
}

/** Runs a spec to its end; `onLine` is called with each line, and with what cancels the run. */
export async function run(
  runner: ProcessRunner,
  spec: ExecSpec,
  onLine: (line: string, cancel: () => void) => void = () => undefined,
): Promise<Ran> {
  const abort = new AbortController();
  const lines: string[] = [];
  const end = await runner.run("key", spec, {
    signal: abort.signal,
    onLine(line) {
      lines.push(line);
      onLine(line, () => abort.abort());
    },
  });
  return { ...end, lines };
}

let count = 0;

/** Makes a length of time for `sleep` that no other process on this machine sleeps: some hours. */
export function uniqueSleep(): string {
  return `10000.${process.pid}${String(++count).padStart(4, "0")}`;
}

/** Lists the pids of processes that live and have a word among their words. */
export function pidsOf(word: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && isLiving(name))
    .filter((name) => read(`/proc/${name}/cmdline`).split("\0").includes(word))
    .map(Number);
}

function isLiving(pid: string): boolean {
  return !["", "Z", "X"].includes(/\) (\S)/.exec(read(`/proc/${pid}/stat`))?.[1] ?? "");
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it has ended
  }
}

/** Waits until a condition holds. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await pause(10);
}
