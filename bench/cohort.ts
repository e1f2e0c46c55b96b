// The cohort job beside its floor: everything at once, a day on top of thirty, a thousand exports with nothing new, and its memory.

import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { sql } from "kysely";

import { openDatabase } from "../src/store/database.ts";
import { startPostgres } from "../test/support/postgresServer.ts";
import { createClone, makeTemplate } from "../test/support/postgresTemplate.ts";
import { type Ended, measure, runNode } from "./children.ts";
import type { Measurement } from "./stopwatch.ts";

const HELP = `Measures hdash run cohort, with folders in place of buckets and a Postgres of its own.

  node bench/cohort.ts [--stage whole|days|nothing|ledger|validate|memory|compare]...
      [--participants 250] [--rows 300] [--gib 10] [--checked 20000000] [--compared 5] [--memory 2048]

  --stage         what is measured; default: whole, days and nothing
  --participants  people of each of two cohorts; --rows their densest type's rows a day
  --checked       rows of the densest dataset of "validate", made on disk
  --gib           size of the exports of "memory", unzipped; it takes an hour, and half as much disk
  --compared      million rows of each of the two datasets of "compare"; a million may take some 400 MB of disk
  --memory        COHORT_MEMORY_MB of "compare"
  --help          this text
`;

const { values } = parseArgs({
  options: {
    stage: { type: "string", multiple: true, default: ["whole", "days", "nothing"] },
    participants: { type: "string", default: "250" },
    rows: { type: "string", default: "300" },
    gib: { type: "string", default: "10" },
    checked: { type: "string", default: "20000000" },
    compared: { type: "string", default: "5" },
    memory: { type: "string", default: "2048" },
    help: { type: "boolean", default: false },
  },
});

const MIB = 1024 ** 2;
const PARTS = "ingest,build";
const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;
const mib = (bytes: number): string => `${(bytes / MIB).toFixed(0)} MiB`;

/** A place where one story of exports is told. */
interface Story {
  readonly dir: string;
  /** What is there to be sent. */
  readonly world: string;
  /** Exports in the order in which they come. */
  readonly exports: readonly string[];
  send(count: number): Promise<void>;
  run(part: string, ...flags: readonly string[]): Promise<Ended>;
  /** Bytes of all that the ledger has stored of steps: before packing, and as they lie. */
  ledger(): Promise<{ readonly bytes: number; readonly stored: number }>;
}

const closing: (() => Promise<void>)[] = [];

async function tell(options: {
  readonly exports: number;
  readonly participants: number;
  readonly rows: number;
}): Promise<Story> {
  const dir = await mkdtemp(join(tmpdir(), "hdash-bench-cohort-"));
  closing.push(() => rm(dir, { recursive: true, force: true }));
  const [world, source] = [join(dir, "world"), join(dir, "source")];
  const made = await runNode([
    join(import.meta.dirname, "cohortWorld.ts"),
    ...[world, "--exports", String(options.exports)],
    ...["--participants", String(options.participants), "--rows", String(options.rows)],
  ]);
  if (made.code !== 0) throw new Error(made.stderr);
  const cohorts = await readdir(join(world, "main"));
  const names = await Promise.all(
    cohorts.map(async (cohort) =>
      (await readdir(join(world, "main", cohort))).map((name) => join("main", cohort, name)),
    ),
  );
  const day = (path: string): string => path.split("/").at(-1) ?? "";
  const exports = names.flat().sort((a, b) => (day(a) < day(b) ? -1 : 1));
  for (const cohort of cohorts) await mkdir(join(source, "main", cohort), { recursive: true });
  const { stop, ...server } = await startPostgres();
  closing.push(stop);
  await makeTemplate(server);
  const database = await createClone(server);
  let sent = 0;
  return {
    ...{ dir, world, exports },
    async send(count) {
      for (; sent < count; sent++) {
        const path = exports[sent] ?? "";
        await rename(join(world, path), join(source, path));
      }
    },
    async run(part, ...flags) {
      const program = join(import.meta.dirname, "../src/main.ts");
      const ended = await runNode([program, "run", "cohort", ...flags], {
        HDASH_DB_HOST: database.host,
        HDASH_DB_PORT: String(database.port),
        HDASH_DB_USER: database.user,
        HDASH_DB_PASSWORD: database.password,
        HDASH_DB_NAME: database.name,
        HDASH_DB_SCHEMA: database.schema,
        HDASH_HOME: join(dir, "home"),
        HDASH_LOG_FORMAT: "plain",
        COHORT_SOURCE: source,
        COHORT_RAW: join(dir, "raw"),
        COHORT_INTERMEDIATE: join(dir, "intermediate"),
        COHORT_PROCESSED: join(dir, "processed"),
        COHORT_PART: part,
        TZ: "UTC",
      });
      if (ended.code !== 0) throw new Error(`hdash ended with ${ended.code}:\n${ended.stderr}`);
      return ended;
    },
    async ledger() {
      const { db, close } = await openDatabase(database);
      try {
        const { rows } = await sql<{ bytes: string; stored: string }>`
          select coalesce(sum(bytes), 0) as bytes, coalesce(sum(stored_bytes), 0) as stored from blob`.execute(
          db,
        );
        return { bytes: Number(rows[0]?.bytes), stored: Number(rows[0]?.stored) };
      } finally {
        await close();
      }
    },
  };
}

const [participants, rows] = [Number(values.participants), Number(values.rows)];

/** Ingest and build of everything against three times the floor. */
async function whole(): Promise<void> {
  const story = await tell({ exports: 3, participants, rows });
  const floor = await measure(
    "cohort/floor.ts",
    [join(story.world, "main"), join(story.dir, "floor")],
    1,
  );
  const { members = 0, bytes = 0, lines = 0 } = floor.counts;
  console.log(
    `everything: ${members} members, ${mib(bytes)}, ${lines.toLocaleString("en")} records`,
  );
  const of = (stage: string): number => floor.stages.find((one) => one.stage === stage)?.cpuMs ?? 0;
  const lowest = of("inflate") + of("datasets");
  console.log(
    `  floor ${seconds(lowest)} CPU: inflate ${seconds(of("inflate"))}, DuckDB ${seconds(of("datasets"))}; JSON.parse of every line ${seconds(of("parse"))}`,
  );
  await story.send(story.exports.length);
  const ingest = await story.run("ingest");
  const build = await story.run("build");
  const again = await story.run(PARTS);
  const own = ingest.cpuMs + build.cpuMs;
  console.log(
    `  hdash ${seconds(own)} CPU: ingest ${seconds(ingest.cpuMs)}, build ${seconds(build.cpuMs)}, start-up of both counted (${seconds(again.cpuMs)} each)`,
  );
  console.log(
    `  ${(own / lowest).toFixed(1)} times the floor (goal 3, stretch 2); peak memory ${mib(ingest.maxRssBytes)} and ${mib(build.maxRssBytes)} (goal 2304)`,
  );
}

/** A day's exports on top of thirty days against the third day's. */
async function days(): Promise<void> {
  const story = await tell({ exports: 31, participants, rows: Math.ceil(rows / 4) });
  const nothing: Ended[] = [];
  const dayOf = async (day: number): Promise<Ended> => {
    await story.send((day - 1) * 2);
    await story.run(PARTS);
    nothing.push(await story.run(PARTS));
    await story.send(day * 2);
    return story.run(PARTS);
  };
  console.log("a day's exports, without what a run with nothing new takes:");
  const [third, last] = [await dayOf(3), await dayOf(31)];
  const [idle3, idle31] = nothing;
  if (idle3 === undefined || idle31 === undefined) throw new Error("nothing was measured");
  const numbers = (ended: Ended, idle: Ended) => ({
    cpu: ended.cpuMs - idle.cpuMs,
    bytes: ended.readBytes + ended.writtenBytes - idle.readBytes - idle.writtenBytes,
  });
  const [a, b] = [numbers(third, idle3), numbers(last, idle31)];
  for (const [name, one] of [
    ["the third", a],
    ["the thirty-first", b],
  ] as const) {
    console.log(`  ${name}: ${seconds(one.cpu)} CPU, ${mib(one.bytes)} read and written`);
  }
  console.log(
    `  ${(b.cpu / a.cpu).toFixed(2)} times the CPU, ${(b.bytes / a.bytes).toFixed(2)} times the bytes (goal 2)`,
  );
  const merging = await story.run("build");
  console.log(`  the weekly build, which merges: ${seconds(merging.cpuMs)} CPU`);
}

/** A thousand exports with nothing new. */
async function nothing(): Promise<void> {
  const story = await tell({ exports: 500, participants: 1, rows: 1 });
  await story.send(story.exports.length);
  const first = await story.run(PARTS);
  const again = await story.run(PARTS);
  console.log(`${story.exports.length} exports: read and built in ${seconds(first.wallMs)}`);
  console.log(
    `  with nothing new ${seconds(again.wallMs)} (goal 5 s), ${seconds(again.cpuMs)} CPU, peak memory ${mib(again.maxRssBytes)}`,
  );
}

/** What a day's two exports add to the ledger, on top of few and of three hundred. */
async function ledger(): Promise<void> {
  const story = await tell({ exports: 150, participants: 1, rows: 1 });
  const dayOf = async (day: number): Promise<void> => {
    await story.send((day - 1) * 2);
    await story.run(PARTS);
    const before = await story.ledger();
    await story.send(day * 2);
    await story.run(PARTS);
    const after = await story.ledger();
    const [own, stored] = [after.bytes - before.bytes, after.stored - before.stored];
    console.log(
      `  day ${day}: ${(own / 1024).toFixed(1)} KiB, ${(stored / 1024).toFixed(1)} KiB packed`,
    );
  };
  console.log("what a day's two exports add to the ledger:");
  await dayOf(3);
  await dayOf(150);
}

/** Validation of many rows, made on disk, against a scan of the columns that checks need. */
async function validate(): Promise<void> {
  const story = await tell({ exports: 1, participants: 1, rows: 1 });
  await story.run("build");
  const folder = join(story.dir, "processed", "main");
  const program = (name: string): string => join(import.meta.dirname, "cohort", name);
  const made = await runNode([program("bigBuild.ts"), folder, values.checked]);
  if (made.code !== 0) throw new Error(made.stderr);
  const scans: Scanned[] = [];
  for (let n = 0; n < 3; n += 1) {
    const ended = await runNode([program("scan.ts"), folder]);
    if (ended.code !== 0) throw new Error(ended.stderr);
    scans.push(JSON.parse(ended.stdout) as Scanned);
  }
  const [, scan] = scans.sort((a, b) => a.cpuMs - b.cpuMs);
  if (scan === undefined) throw new Error("nothing was scanned");
  const first = await story.run("validate");
  // Draws its pages once more, and has nothing left to check.
  const again = await story.run("validate", "--force");
  const own = first.cpuMs - again.cpuMs;
  console.log(
    `${scan.rows.toLocaleString("en")} rows that are checked, ${mib(scan.bytes)} of files:`,
  );
  console.log(`  a scan by DuckDB of the columns that checks need: ${seconds(scan.cpuMs)} CPU`);
  console.log(
    `  hdash ${seconds(own)} CPU without what a run takes that only draws pages (${seconds(again.cpuMs)}): ${(own / scan.cpuMs).toFixed(2)} times that (goal 1); peak memory ${mib(first.maxRssBytes)} (goal 2304)`,
  );
}

/** What a scan took, and what it went over. */
interface Scanned {
  readonly cpuMs: number;
  readonly rows: number;
  readonly bytes: number;
}

/** The promise of COHORT_MEMORY_MB on many gibibytes. */
async function memory(): Promise<void> {
  const gib = Number(values.gib);
  // Three exports of two cohorts; a participant's day of 300 rows is some 0.3 MB of the three.
  const story = await tell({ exports: 3, participants: Math.ceil(gib * 700), rows: 300 });
  let zipped = 0;
  for (const path of story.exports) zipped += (await stat(join(story.world, path))).size;
  await story.send(story.exports.length);
  console.log(`${mib(zipped)} of exports, some ${gib} GiB unzipped:`);
  for (const part of ["ingest", "build"]) {
    const ended = await story.run(part);
    console.log(
      `  ${part} ${seconds(ended.cpuMs)} CPU, ${seconds(ended.wallMs)}, peak memory ${mib(ended.maxRssBytes)} (goal 2304)`,
    );
  }
}

/** Two datasets compared beside one full outer join of them by DuckDB, with the same memory. */
async function compare(): Promise<void> {
  const dir = await mkdtemp(join(tmpdir(), "hdash-bench-cohort-"));
  closing.push(() => rm(dir, { recursive: true, force: true }));
  const [world, million] = [join(dir, "world"), Number(values.compared)];
  const program = join(import.meta.dirname, "cohort/compare.ts");
  const made = await runNode([program, "make", world, "--rows", String(million * 1e6)]);
  if (made.code !== 0) throw new Error(made.stderr);
  const memory = ["--memory", values.memory];
  const once = (what: string) =>
    measure("cohort/compare.ts", [what, world, join(dir, what), ...memory], 1);
  // Of 50 million rows DuckDB gives up with 2 GB, though it spills.
  const joined = await once("join").catch((error: unknown) => {
    if (error instanceof Error && error.message.includes("Out of Memory")) return null;
    throw error;
  });
  const own = await once("compare");
  const { rows = 0, onlyStaging = 0, onlyMain = 0, someUnequal = 0 } = own.counts;
  console.log(
    `two datasets of ${million} million rows: ${rows.toLocaleString("en")} in all, ${(onlyStaging + onlyMain).toLocaleString("en")} on one side, ${someUnequal.toLocaleString("en")} unequal`,
  );
  const said = (one: Measurement): string =>
    `${seconds(one.cpuMs)} CPU, ${seconds(one.wallMs)}, peak memory ${mib(one.maxRssBytes)}`;
  console.log(`  one full outer join: ${joined === null ? "out of memory" : said(joined)}`);
  console.log(`  hdash: ${said(own)} (goal ${Number(values.memory) + 256} MiB)`);
  if (joined === null) return;
  console.log(`  ${(own.cpuMs / joined.cpuMs).toFixed(1)} times the join (goal 3)`);
}

const STAGES: Readonly<Record<string, () => Promise<void>>> = {
  ...{ whole, days, nothing, ledger, validate, memory, compare },
};
if (values.help) console.log(HELP);
else {
  for (const name of values.stage) {
    const stage = Object.hasOwn(STAGES, name) ? STAGES[name] : undefined;
    if (stage === undefined) throw new Error(`there is no stage ${name}\n${HELP}`);
    try {
      await stage();
    } finally {
      for (const close of closing.splice(0).toReversed()) await close();
    }
  }
}
