// How fast `hdash matrix stats` counts a matrix, against scipy + numpy, gzip and igzip on the same file in the same run.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { stripTypeScriptTypes } from "node:module";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { BUILT, compile, HDASH, measureCommand, type Measured } from "./compiled.ts";

const HELP = `Measures \`hdash matrix stats\` against scipy + numpy, gzip and igzip on the same file, in turns.

  node bench/matrix.ts [--size medium] [--runs 3] [--json]

  --size   small, medium, large or all (default: medium)
  --runs   rounds; in each every command runs once, and its fastest run counts (default: 3)
  --json   all numbers, for programs
  --help   this text

hdash is compiled first (to bench/worlds/dist) and run so, as the image runs it. Matrices are made once and kept in bench/worlds.
`;

const TOOLS = join(import.meta.dirname, "matrix");
const WORLDS = join(import.meta.dirname, "worlds");

/** Cells of each world of 30,000 genes, and the goals: times faster than scipy, share of gzip's time. */
const SIZES = {
  small: { cells: 3_000, tile: 1, scipy: 2, gzip: 1.3 },
  medium: { cells: 20_000, tile: 1, scipy: 5.5, gzip: 0.45 },
  large: { cells: 120_000, tile: 6, scipy: 7, gzip: 0.4 },
} as const;
type Size = keyof typeof SIZES;
const GENES = 30_000;
/** Any order of entries may take so many times as long as the right one. */
const ORDER_GOAL = 2.5;
/** HDF5 may take so many times as long as reading its datasets to nothing. */
const HDF5_GOAL = 1.3;

/** Finds a Python that can write HDF5: the first on the path may be one without h5py. */
function pythonWithHdf5(): string | null {
  const found = ["python3", "/usr/bin/python3"].find((python) =>
    works(`${python} -c "import h5py"`),
  );
  return found ?? null;
}

/** Makes a world unless it is there. */
function makeWorld(
  name: string,
  size: Size,
  options: readonly string[],
  python = "python3",
): string {
  const dir = join(WORLDS, `matrix-${size}-${name}`);
  if (existsSync(dir)) return dir;
  const { cells, tile } = SIZES[size];
  const making = `${dir}.making`;
  mkdirSync(WORLDS, { recursive: true });
  const numbers = ["--cells", `${cells}`, "--genes", `${GENES}`, "--tile", `${tile}`];
  execFileSync(python, [join(TOOLS, "generator.py"), making, ...numbers, ...options], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  renameSync(making, dir);
  return dir;
}

/**
 * Runs all commands in turns, so that a slow minute of the machine is one for each of them; gives each one's fastest run, for
 * whatever else a machine does only makes a run slower.
 */
function measure<Name extends string>(
  runs: number,
  commands: Readonly<Record<Name, readonly string[] | null>>,
): Readonly<Record<Name, Measured | null>> {
  const fastest: Partial<Record<Name, Measured>> = {};
  const names = Object.keys(commands) as Name[];
  for (let round = 0; round < runs; round++) {
    for (const name of names) {
      const command = commands[name];
      if (command === null) continue;
      const measured = measureCommand(command);
      if (measured.wallSeconds < (fastest[name]?.wallSeconds ?? Infinity)) fastest[name] = measured;
    }
  }
  return Object.fromEntries(names.map((name) => [name, fastest[name] ?? null])) as Record<
    Name,
    Measured | null
  >;
}

function works(command: string): boolean {
  try {
    execFileSync("sh", ["-c", command], { stdio: "ignore" });
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}

const READ_HDF5 = join(BUILT, "readHdf5.js");

interface Row {
  readonly what: string;
  readonly measured: Measured;
  readonly note: string;
}

function compare(ratio: number, goal: number, isAtLeast: boolean): string {
  const met = isAtLeast ? ratio >= goal : ratio <= goal;
  return `${ratio.toFixed(2)}× (goal ${isAtLeast ? "≥" : "≤"} ${goal}×${met ? "" : ", MISSED"})`;
}

function measureSize(size: Size, runs: number): readonly Row[] {
  const goals = SIZES[size];
  const sorted = makeWorld("cell", size, ["--gz"]);
  const matrix = join(sorted, "matrix.mtx.gz");
  const stats = (path: string): readonly string[] => [...HDASH, "matrix", "stats", path, "--json"];
  // Making a matrix in another order, or HDF5, needs all of it in memory.
  const random = size === "large" ? null : makeWorld("random", size, ["--gz", "--order", "random"]);
  const python = size === "large" ? null : pythonWithHdf5();
  const h5ad =
    python === null ? null : join(makeWorld("h5ad", size, ["--h5ad"], python), "matrix.h5ad");
  const measured = measure(runs, {
    hdash: stats(sorted),
    scipy: ["python3", join(TOOLS, "peer.py"), sorted, "/dev/null"],
    gzip: ["gzip", "-dc", matrix],
    igzip: works("command -v igzip") ? ["igzip", "-dc", matrix] : null,
    random: random === null ? null : stats(random),
    nothing: h5ad === null ? null : [process.execPath, READ_HDF5, h5ad],
    hdf5: h5ad === null ? null : stats(h5ad),
  });
  const { hdash: mine, nothing } = measured;
  if (mine === null) throw new RangeError("--runs must be 1 or more");
  const rows: Row[] = [];
  const add = (what: string, of: Measured | null, note: (seconds: number) => string): void => {
    if (of !== null) rows.push({ what, measured: of, note: note(of.wallSeconds) });
  };
  const budget = 130 + (60 * GENES + 24 * goals.cells) / 1e6;
  const fits = mine.peakMB <= budget ? "" : ", MISSED";
  const own = mine.wallSeconds;
  add("hdash matrix stats", mine, () => `memory: goal ≤ ${budget.toFixed(0)} MB${fits}`);
  add("scipy + numpy", measured.scipy, (seconds) => {
    return `hdash is faster ${compare(seconds / own, goals.scipy, true)}`;
  });
  add("gzip -dc", measured.gzip, (seconds) => {
    return `hdash takes ${compare(own / seconds, goals.gzip, false)}`;
  });
  add("igzip -dc", measured.igzip, (seconds) => `hdash takes ${(own / seconds).toFixed(2)}×`);
  add("… entries in any order", measured.random, (seconds) => {
    return `against sorted ${compare(seconds / own, ORDER_GOAL, false)}`;
  });
  add("h5wasm, read to nothing", nothing, () => "");
  add("… of .h5ad", measured.hdf5, (seconds) => {
    return `against reading ${compare(seconds / (nothing?.wallSeconds ?? NaN), HDF5_GOAL, false)}`;
  });
  return rows;
}

const { values } = parseArgs({
  options: {
    size: { type: "string", default: "medium" },
    runs: { type: "string", default: "3" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit();
}
const sizes = (Object.keys(SIZES) as Size[]).filter(
  (size) => values.size === "all" || values.size === size,
);
if (sizes.length === 0)
  throw new RangeError(`--size ${values.size} is none of small, medium, large, all`);
compile();
// The peer must not have to strip types either.
writeFileSync(READ_HDF5, stripTypeScriptTypes(readFileSync(join(TOOLS, "readHdf5.ts"), "utf8")));
const results = sizes.map((size) => ({ size, rows: measureSize(size, Number(values.runs)) }));
if (values.json) {
  console.log(JSON.stringify(results, null, 2));
} else {
  console.log(`hdash is run compiled; each the fastest of ${values.runs}`);
  for (const { size, rows } of results) {
    console.log(`\n${size}`);
    for (const { what, measured, note } of rows) {
      const wall = `${measured.wallSeconds.toFixed(2)} s`.padStart(9);
      const cpu = `${measured.cpuSeconds.toFixed(2)} s CPU`.padStart(13);
      const peak = `${measured.peakMB.toFixed(0)} MB`.padStart(9);
      console.log(`  ${what.padEnd(26)}${wall}${cpu}${peak}   ${note}`);
    }
  }
}
