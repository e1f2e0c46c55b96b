// `make test` and `make check`: every gate, then every test, and a last line that says how many of them passed.
// All of them are tried, whatever failed before: one look tells everything that is wrong.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { addGates, readTally, type Tally, tallyLine } from "./support/tally.ts";

const GATES = [
  { name: "types", command: ["npm", "run", "--silent", "types"] },
  { name: "lint", command: ["npm", "run", "--silent", "lint"] },
  { name: "format", command: ["npm", "run", "--silent", "format:check"] },
] as const;

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

function run(command: readonly string[], stdio: "pipe" | "inherit"): Promise<Ended> {
  const [program = "", ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ["ignore", stdio, stdio] });
    const chunks: Buffer[] = [];
    const keep = (chunk: Buffer): void => void chunks.push(chunk);
    child.stdout?.on("data", keep);
    child.stderr?.on("data", keep);
    child.on("error", reject);
    child.on("close", (code) => {
      resolve({ code, output: Buffer.concat(chunks).toString() });
    });
  });
}

/** Runs the gates side by side and shows the output of those that failed. */
async function runGates(): Promise<readonly boolean[]> {
  return Promise.all(
    GATES.map(async ({ name, command }) => {
      const startedAt = performance.now();
      const { code, output } = await run(command, "pipe");
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
      const verdict = code === 0 ? "passed" : "FAILED";
      console.log(`${name.padEnd(7)} ${verdict} in ${seconds} s`);
      if (code !== 0) console.log(output.trimEnd());
      return code === 0;
    }),
  );
}

async function runTests(filters: readonly string[]): Promise<Tally> {
  const dir = mkdtempSync(join(tmpdir(), "hdash-report-"));
  const report = join(dir, "report.json");
  try {
    const { code } = await run(
      [
        ...["vitest", "run", ...filters],
        ...["--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
      ],
      "inherit",
    );
    return readTally(existsSync(report) ? readFileSync(report, "utf8") : null, code);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const { values, positionals } = parseArgs({
  options: { "without-tests": { type: "boolean", default: false } },
  allowPositionals: true,
});
process.chdir(join(import.meta.dirname, ".."));
const outcomes = await runGates();
const tests = values["without-tests"]
  ? { passed: 0, failed: 0, skipped: 0 }
  : await runTests(positionals);
const tally = addGates(tests, outcomes);
console.log(tallyLine(tally));
process.exitCode = tally.failed === 0 ? 0 : 1;
