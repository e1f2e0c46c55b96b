// `make test` and `make check`: every gate beside every test, and a last line that says how many of them passed.
// All of them are tried, whatever failed before: one look tells everything that is wrong.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { COMPILE_CACHE } from "./support/compileCache.ts";
import {
  addGates,
  addTallies,
  NOTHING,
  readTally,
  type Tally,
  tallyLine,
} from "./support/tally.ts";
import { readTestRun, type TestRun } from "./support/testRun.ts";

/** The gates; in an area's run only the area is linted, since that takes longest by far. */
const gatesOf = (places: readonly string[]) =>
  [
    { name: "types", command: ["npm", "run", "--silent", "types"] },
    places.length === 0
      ? { name: "lint", command: ["npm", "run", "--silent", "lint"] }
      : { name: "lint", command: ["eslint", "--max-warnings=0", ...places] },
    { name: "format", command: ["npm", "run", "--silent", "format:check"] },
  ] as const;

interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** What `make test` was told is for it, and not for each make that a test calls: make hands on its flags and variables by these. */
const OF_MAKE = ["MAKEFLAGS", "MFLAGS", "MAKELEVEL", "AREA", "ALONE", "SHUFFLE", "FAKETIME"];

function ownEnvironment(): NodeJS.ProcessEnv {
  const given = Object.entries(process.env).filter(([name]) => !OF_MAKE.includes(name));
  return { NODE_COMPILE_CACHE: COMPILE_CACHE, ...Object.fromEntries(given) };
}

function run(
  command: readonly string[],
  stdio: "pipe" | "inherit",
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const [program = "", ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["ignore", stdio, stdio],
      env: { ...ownEnvironment(), ...env },
    });
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

interface Gated {
  readonly isPassed: boolean;
  /** What there is to say of it. */
  readonly lines: string;
}

/** Runs the gates, one after the other: the tests beside them have two cores to themselves but for one. */
async function runGates(places: readonly string[]): Promise<readonly Gated[]> {
  const gated: Gated[] = [];
  for (const { name, command } of gatesOf(places)) {
    const startedAt = performance.now();
    const { code, output } = await run(command, "pipe");
    const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
    const verdict = `${name.padEnd(7)} ${code === 0 ? "passed" : "FAILED"} in ${seconds} s`;
    const lines = code === 0 ? verdict : `${verdict}\n${output.trimEnd()}`;
    gated.push({ isPassed: code === 0, lines });
  }
  return gated;
}

/** Calls vitest once. */
async function callVitest(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Tally> {
  const dir = mkdtempSync(join(tmpdir(), "hdash-report-"));
  const report = join(dir, "report.json");
  try {
    const { code } = await run(
      [
        ...["vitest", "run", ...args],
        ...["--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
      ],
      "inherit",
      env,
    );
    return readTally(existsSync(report) ? readFileSync(report, "utf8") : null, code);
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

async function runTests({ calls, env }: TestRun): Promise<Tally> {
  const tallies: Tally[] = [];
  const failed: string[] = [];
  for (const { name, args } of calls) {
    const tally = await callVitest(args, env);
    tallies.push(tally);
    if (tally.failed > 0) failed.push(name);
  }
  if (calls.length > 1 && failed.length > 0) console.log(`failed alone:\n${failed.join("\n")}`);
  return tallies.reduce(addTallies, NOTHING);
}

process.chdir(join(import.meta.dirname, ".."));
const asked = readTestRun(process.argv.slice(2));
if (typeof asked === "string") {
  console.error(`test: ${asked}`);
  process.exitCode = 2;
} else {
  const places = asked.area?.places ?? [];
  const [gated, tested] = await Promise.all([runGates(places), runTests(asked)]);
  for (const { lines } of gated) console.log(lines);
  const tally = addGates(
    tested,
    gated.map(({ isPassed }) => isPassed),
  );
  console.log(tallyLine(tally));
  process.exitCode = tally.failed === 0 ? 0 : 1;
}
