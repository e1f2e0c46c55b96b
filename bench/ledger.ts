// What a first command takes on an empty HDASH_HOME, from the template of the embedded database and without it, and what the next one takes.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { templatePath } from "../src/store/template.ts";
import { BUILT, compile, HDASH, measureCommand, type Measured } from "./compiled.ts";

const HELP = `Measures \`hdash runs\` on an empty HDASH_HOME, from the template and without it, and once more.

  node bench/ledger.ts [--runs 3] [--json]

  --runs   rounds; in each every command runs once, and its fastest run counts (default: 3)
  --json   all numbers, for programs
  --help   this text

hdash is compiled first (to bench/worlds/dist) and run so, as the image runs it.
`;

/** What a first command may take where there is a template. */
const GOAL = { wallSeconds: 1.5, peakMB: 450 };

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit();
}

type Name = "made" | "first" | "next";
const WHAT: Readonly<Record<Name, string>> = {
  made: "first command, no template",
  first: "… from the template",
  next: "… the database there",
};

/** Runs the three in turns, so that a slow minute of the machine is one for all of them, and keeps each one's fastest run. */
function measureAll(rounds: number, template: string): Readonly<Partial<Record<Name, Measured>>> {
  const fastest: Partial<Record<Name, Measured>> = {};
  const take = (name: Name, home: string): void => {
    const measured = measureCommand([...HDASH, "runs"], { HDASH_HOME: home });
    if (measured.wallSeconds < (fastest[name]?.wallSeconds ?? Infinity)) fastest[name] = measured;
  };
  for (let round = 0; round < rounds; round++) {
    const dir = mkdtempSync(join(tmpdir(), "hdash-bench-"));
    // The command that misses it makes it, and makes its database by it.
    rmSync(template, { force: true });
    take("made", join(dir, "slow"));
    take("first", join(dir, "home"));
    take("next", join(dir, "home"));
    rmSync(dir, { recursive: true });
  }
  return fastest;
}

compile();
const results = measureAll(Number(values.runs), templatePath(undefined, join(BUILT, "migrations")));
const { first } = results;
if (first === undefined) throw new RangeError("--runs must be 1 or more");
const misses = [
  ...(first.wallSeconds <= GOAL.wallSeconds ? [] : ["time"]),
  ...(first.peakMB <= GOAL.peakMB ? [] : ["memory"]),
];
if (values.json) {
  console.log(JSON.stringify({ goal: GOAL, results, misses }, null, 2));
} else {
  console.log(`hdash runs, compiled; each the fastest of ${values.runs}`);
  for (const [name, what] of Object.entries(WHAT)) {
    const measured = results[name as Name];
    if (measured === undefined) continue;
    const wall = `${measured.wallSeconds.toFixed(2)} s`.padStart(9);
    const cpu = `${measured.cpuSeconds.toFixed(2)} s CPU`.padStart(13);
    const peak = `${measured.peakMB.toFixed(0)} MB`.padStart(9);
    console.log(`  ${what.padEnd(28)}${wall}${cpu}${peak}`);
  }
  const verdict = misses.length === 0 ? "reached" : `MISSED: ${misses.join(" and ")}`;
  const goal = `≤ ${GOAL.wallSeconds} s and ≤ ${GOAL.peakMB} MB from the template`;
  console.log(`  goal: ${goal}: ${verdict}`);
}
process.exitCode = misses.length === 0 ? 0 : 1;
