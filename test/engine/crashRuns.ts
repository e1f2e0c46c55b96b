// What tests and the bench of crashes share: starting a worker of the crash pipeline, and reading what it leaves.

import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

import type { CrashWork } from "./crashWorker.ts";

export interface WorkerEnd {
  readonly isKilled: boolean;
  /** Its exit code or signal. */
  readonly how: string;
  readonly output: string;
}

export interface CrashRun {
  readonly child: ChildProcess;
  /** Settles when the database is open, or never will be. */
  readonly isReady: Promise<unknown>;
  readonly ended: Promise<WorkerEnd>;
}

/** Starts a worker. */
export function startWorker(work: CrashWork): CrashRun {
  const program = join(import.meta.dirname, "crashWorker.ts");
  const child = spawn(process.execPath, [program, JSON.stringify(work)], {
    stdio: ["ignore", "pipe", "inherit", "ipc"],
  });
  let output = "";
  child.stdout?.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<WorkerEnd>((resolve) => {
    child.once("close", (code, signal) => {
      resolve({ isKilled: signal === "SIGKILL", how: String(signal ?? code), output });
    });
  });
  const ready = new Promise((resolve) => child.once("message", resolve));
  return { child, isReady: Promise.race([ready, ended]), ended };
}

/** Reads every page of a site, by its name. */
export function readSite(site: string): Readonly<Record<string, string>> {
  const files = readdirSync(site).sort();
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(site, name), "utf8")]));
}

/** Reads which steps were begun, and which were known to be committed, each as often as it was. */
export function readDiary(path: string): {
  readonly begun: readonly string[];
  readonly known: readonly string[];
} {
  const lines = readFileSync(path, "utf8").trim().split("\n");
  return {
    begun: lines.filter((line) => line.startsWith("run ")).sort(),
    known: lines.filter((line) => line.startsWith("ran ")).sort(),
  };
}
