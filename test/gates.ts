// `make test` and `make check`: every gate beside every test, and a last line that says how many of them passed.
// All of them are tried, whatever failed before: one look tells everything that is wrong.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { findArea, findTests } from "./support/area.ts";
import { fakedClock, UNFAKED } from "./support/fakedClock.ts";
import {
  addGates,
  addTallies,
  NOTHING,
  readTally,
  type Tally,
  tallyLine,
} from "./support/tally.ts";

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

function run(
  command: readonly string[],
  stdio: "pipe" | "inherit",
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  const [program = "", ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: ["ignore", stdio, stdio],
      env: { ...process.env, ...env },
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

async function runTests(
  filters: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Tally> {
  const dir = mkdtempSync(join(tmpdir(), "hdash-report-"));
  const report = join(dir, "report.json");
  try {
    const { code } = await run(
      [
        ...["vitest", "run", ...filters],
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

/** Runs every file by itself, one after the other: none may need what another leaves behind. */
async function runAlone(files: readonly string[]): Promise<Tally> {
  const tallies: Tally[] = [];
  const failed: string[] = [];
  for (const file of files) {
    const tally = await runTests([join(process.cwd(), file)]);
    tallies.push(tally);
    if (tally.failed > 0) failed.push(file);
  }
  if (failed.length > 0) console.log(`failed alone:\n${failed.join("\n")}`);
  return tallies.reduce(addTallies, NOTHING);
}

const { values, positionals } = parseArgs({
  options: {
    "without-tests": { type: "boolean", default: false },
    /** A path below test/ and src/, e.g. jobs/matrix: its gates and tests alone. */
    area: { type: "string" },
    alone: { type: "boolean", default: false },
    /** In another order, of files and of the tests in them; says its seed, and takes one. */
    shuffle: { type: "string" },
    /** With the clock of all processes at this instant when the tests begin, e.g. 2028-02-28T23:59:50Z. */
    faketime: { type: "string" },
  },
  allowPositionals: true,
});
process.chdir(join(import.meta.dirname, ".."));
const area = values.area === undefined ? null : findArea(values.area);
const files = area?.tests ?? [];

function tests(): Promise<Tally> {
  if (values["without-tests"]) return Promise.resolve(NOTHING);
  if (values.alone) return runAlone(area === null ? findTests() : files);
  const flags = [
    ...(values.shuffle === undefined ? [] : ["--sequence.shuffle"]),
    ...(/^\d+$/.test(values.shuffle ?? "") ? [`--sequence.seed=${values.shuffle}`] : []),
    ...(values.faketime === undefined ? [] : UNFAKED.map((file) => `--exclude=${file}`)),
  ];
  const env = values.faketime === undefined ? {} : fakedClock(values.faketime);
  return runTests([...files, ...positionals, ...flags], env);
}

const [gated, tested] = await Promise.all([runGates(area?.places ?? []), tests()]);
for (const { lines } of gated) console.log(lines);
const tally = addGates(
  tested,
  gated.map(({ isPassed }) => isPassed),
);
console.log(tallyLine(tally));
process.exitCode = tally.failed === 0 ? 0 : 1;
