// hdash compiled as the image has it, and what a command takes from its start to its very end, as the system counts it.

import { execFileSync } from "node:child_process";
import { rmSync } from "node:fs";
import { join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const MEASURE = join(import.meta.dirname, "matrix", "measure.py");

/** Where the compiled program is put: within the repository, so that it finds the packages. */
export const BUILT = join(import.meta.dirname, "worlds", "dist");

/** The compiled program. */
export const HDASH = [process.execPath, join(BUILT, "src/main.js")];

/** What a process took: with what V8 does after the last line of JavaScript, which the process itself cannot see. */
export interface Measured {
  readonly wallSeconds: number;
  readonly cpuSeconds: number;
  readonly peakMB: number;
}

/** Compiles the program as it is now, without checking its types. */
export function compile(): void {
  rmSync(BUILT, { recursive: true, force: true });
  const compiler = join(ROOT, "node_modules/typescript/bin/tsc");
  const options = ["-p", join(ROOT, "tsconfig.build.json"), "--noCheck", "--outDir", BUILT];
  execFileSync(process.execPath, [compiler, ...options], { stdio: ["ignore", 2, "inherit"] });
}

/** Runs a command with its output thrown away; `environment` is added to this process's own. */
export function measureCommand(
  command: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Measured {
  const env = { ...process.env, ...environment };
  const out = execFileSync("python3", [MEASURE, ...command], { env });
  return JSON.parse(out.toString()) as Measured;
}
