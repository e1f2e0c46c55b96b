// Runs what is measured in processes of its own, so that one measurement's memory is not another's.

import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Measurement } from "./stopwatch.ts";

/** How a process ended and what it used in all. */
export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly maxRssBytes: number;
  /** Of files and connections. */
  readonly readBytes: number;
  readonly writtenBytes: number;
}

/** Runs a TypeScript file under Node and tells what it used; `environment` is all of its environment but PATH. */
export async function runNode(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const dir = await mkdtemp(join(tmpdir(), "hdash-bench-"));
  const usageFile = join(dir, "usage.json");
  const start = performance.now();
  const child = spawn(
    process.execPath,
    [
      "--disable-warning=ExperimentalWarning",
      `--import=${join(import.meta.dirname, "usage.ts")}`,
      ...args,
    ],
    {
      env: { PATH: process.env["PATH"], ...environment, BENCH_USAGE_FILE: usageFile },
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const wallMs = performance.now() - start;
  const usage = JSON.parse(await readFile(usageFile, "utf8")) as Pick<
    Ended,
    "cpuMs" | "maxRssBytes" | "readBytes" | "writtenBytes"
  >;
  await rm(dir, { recursive: true });
  return { code, stdout, stderr, wallMs, ...usage };
}

/** Runs one of the bench's own measuring programs several times and returns the run with the median CPU time. */
export async function measure(
  program: string,
  args: readonly string[],
  repeats: number,
): Promise<Measurement> {
  const runs: Measurement[] = [];
  for (let i = 0; i < repeats; i += 1) {
    const ended = await runNode([join(import.meta.dirname, program), ...args]);
    if (ended.code !== 0) throw new Error(`${program} failed:\n${ended.stderr}`);
    runs.push(JSON.parse(ended.stdout) as Measurement);
  }
  runs.sort((a, b) => a.cpuMs - b.cpuMs);
  const median = runs[Math.floor(runs.length / 2)];
  if (median === undefined) throw new Error(`${program} was not run`);
  return median;
}
