// Runs hdash as users do: a process of its own, with nothing in its environment but what the test says.

import { type ChildProcess, spawn } from "node:child_process";
import { join } from "node:path";

import { COMPILE_CACHE } from "./compileCache.ts";
import { ownClock } from "./fakedClock.ts";

const ROOT = join(import.meta.dirname, "..", "..");

export interface Ended {
  /** The exit code; null where a signal ended it. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly process: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with the first line of either output that matches; rejects where the process ends without it. */
  line(pattern: RegExp): Promise<string>;
}

/** Starts `node <script> …args`; `script` is relative to the repository. */
export function start(
  script: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Running {
  return startProgram(
    process.execPath,
    // "--" as in package.json: without it Node itself takes an --env-file that stands behind the script.
    ["--disable-warning=ExperimentalWarning", "--", join(ROOT, script), ...args],
    { TZ: "UTC", NO_COLOR: "1", NODE_COMPILE_CACHE: COMPILE_CACHE, ...env },
  );
}

/** Starts any program, in the repository. */
export function startProgram(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Running {
  const child = spawn(program, args, {
    cwd: ROOT,
    env: { PATH: process.env["PATH"] ?? "", ...ownClock(), ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  const output = { stdout: "", stderr: "" };
  const watchers = new Set<() => void>();
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      output[name] += text;
      for (const watch of watchers) watch();
    });
  }
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ code, ...output }));
  });
  return {
    process: child,
    ended,
    line: (pattern) =>
      new Promise((resolve, reject) => {
        const watch = () => {
          const found = `${output.stdout}\n${output.stderr}`
            .split("\n")
            .find((line) => pattern.test(line));
          if (found === undefined) return;
          watchers.delete(watch);
          resolve(found);
        };
        watchers.add(watch);
        watch();
        void ended.then(() =>
          reject(
            new Error(`no line matched ${String(pattern)}:\n${output.stdout}\n${output.stderr}`),
          ),
        );
      }),
  };
}

/** Runs `hdash …args` to its end. */
export function hdash(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return start("src/main.ts", args, env).ended;
}

/** Runs `hdash-util …args` to its end. */
export function hdashUtil(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return start("src/util.ts", args, env).ended;
}
