// Two datasets of the same type, made by DuckDB, and compared; or, as the floor, only joined.
//   node bench/cohort/compare.ts make FOLDER --rows N
//   node bench/cohort/compare.ts join|compare FOLDER OUT [--memory 2048]
// Of a thousand rows of each side one is on it alone, and two differ. Prints what it took as JSON.

import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { duckMemory } from "../../src/jobs/cohort/bind.ts";
import { name, openDuck } from "../../src/jobs/cohort/build/duck.ts";
import { compareType } from "../../src/jobs/cohort/compare/compareType.ts";
import { rowsInFolder } from "../../src/jobs/cohort/compare/folders.ts";
import { rowsOf } from "../../src/jobs/cohort/compare/statements.ts";
import { comparedTables } from "../../src/jobs/cohort/data/comparedTables.ts";
import { shapeOf } from "../../src/jobs/cohort/data/recordShape.ts";
import { readSchema } from "../../src/jobs/cohort/data/schema.ts";
import { startWatch } from "../stopwatch.ts";

const SCHEMA = "config/cohort/1.json";
const TYPE = "FitbitIntradayCombined";
const NEVER = new AbortController().signal;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rows: { type: "string", default: "5000000" },
    /** What COHORT_MEMORY_MB would say. */
    memory: { type: "string", default: "2048" },
  },
});
const [what = "", folder = "", out = folder] = positionals;
const spillDir = join(out, "spill");
await mkdir(spillDir, { recursive: true });
const duck = await openDuck({
  ...{ memoryMiB: duckMemory(Number(values.memory)), threads: 1, spillDir, workDir: "/" },
});
const schema = readSchema(await readFile(SCHEMA, "utf8"), SCHEMA);
const type = schema.types.get(TYPE);
if (type === undefined) throw new Error(`no ${TYPE}`);
const [table] = comparedTables(shapeOf(type, schema.tie));
if (table === undefined) throw new Error("no table");

/** So many rows a person has, one each half a minute, and so many lie in a file. */
const [PERSON, FILE] = [20_000, 2_000_000];

/** Rows from one number to another, in the order of their keys. */
function madeRows(from: number, to: number, isMain: boolean): string {
  const person = `lpad((r // ${PERSON})::varchar, 8, '0')`;
  const time = `timestamp '2026-01-01' + interval 30 second * (r % ${PERSON})`;
  const value = `60 + (r * 7919) % 80 ${isMain ? "+ case when r % 500 = 3 then 1 else 0 end" : ""}`;
  const columns = {
    ParticipantID: `md5(${person})`,
    ParticipantIdentifier: `'SYN-' || ${person}`,
    Type: "'heartrate'",
    DateTime: `strftime(${time}, '%Y-%m-%dT%H:%M:%S')`,
    Level: "(r % 4)::bigint",
    Value: `(${value})::varchar`,
    Mets: "(r % 97) / 10.0::double",
    Rmssd: "case when r % 3 = 0 then (r % 1013) / 7.0::double end",
    Coverage: "((r * 31) % 1000) / 999.0::double",
    Hf: "(r % 5003) / 3.0::double",
    Lf: "(r % 4001) / 3.0::double",
    DeepSleepSummaryBreathRate: "null::double",
    RemSleepSummaryBreathRate: "null::double",
    FullSleepSummaryBreathRate: "case when r % 100 = 0 then 15.5::double end",
    LightSleepSummaryBreathRate: "null::double",
    InsertedDate: "'2026-01-1' || (r % 3) || 'T01:02:03Z'",
    export_start_date: "'2026-01-0' || (r % 7 + 1) || 'T00:00:00'",
    export_end_date: "'2026-01-1' || (r % 7) || 'T00:00:00'",
  };
  const selected = Object.entries(columns).map(([column, sql]) => `${sql} as ${name(column)}`);
  return `select ${selected.join(", ")} from range(${from}, ${to}) g(r) where r % 1000 <> ${isMain ? 7 : 11} order by r`;
}

async function make(): Promise<void> {
  const rows = Number(values.rows);
  for (const side of ["staging", "main"]) {
    for (let from = 0; from < rows; from += FILE) {
      const cohort = from < rows / 2 ? "adults_v1" : "pediatric_v1";
      const dir = join(folder, side, table?.dataset ?? "", `cohort=${cohort}`);
      await mkdir(dir, { recursive: true });
      const select = madeRows(from, Math.min(rows, from + FILE), side === "main");
      const file = join(dir, `${String(from).padStart(12, "0")}.parquet`);
      const how = "format parquet, compression zstd, row_group_size 122880";
      await duck.run("making rows", `copy (${select}) to '${file}' (${how})`);
    }
  }
}

async function bothSides() {
  const [staging, main] = [
    await rowsInFolder(duck, join(folder, "staging"), table?.dataset ?? ""),
    await rowsInFolder(duck, join(folder, "main"), table?.dataset ?? ""),
  ];
  if (staging === null || main === null) throw new Error(`${folder} has no rows: make them first`);
  return { staging, main };
}

/** One full outer join, of which every column of both sides is counted. */
async function joinOnce(): Promise<Readonly<Record<string, number>>> {
  const { staging, main } = await bothSides();
  const counts = staging.columns.flatMap((column) => [
    `count(s.${name(column.name)})`,
    `count(m.${name(column.name)})`,
  ]);
  const on = table?.key.map((key) => `s.${name(key)} = m.${name(key)}`).join(" and ") ?? "";
  const [[rows] = []] = await duck.rows(
    "joining",
    `select count(*), ${counts.join(", ")} from (${rowsOf(staging)}) s full join (${rowsOf(main)}) m on ${on}`,
  );
  return { rows: Number(rows) };
}

async function compareOnce(): Promise<Readonly<Record<string, number>>> {
  if (table === undefined) throw new Error("no table");
  const build = { label: "made", build: "1" };
  const { datasets } = await compareType(duck, {
    tables: [{ table, rows: await bothSides(), isCompared: true }],
    builds: { staging: build, main: { ...build, label: "made too" } },
    ...{ exports: null, dir: out, memoryMiB: duckMemory(Number(values.memory)), signal: NEVER },
  });
  const [found] = datasets;
  if (found === undefined) throw new Error("nothing was compared");
  const { inCommon, onlyStaging, onlyMain, someUnequal } = found.rows;
  return { rows: inCommon + onlyStaging + onlyMain, onlyStaging, onlyMain, someUnequal };
}

if (what === "make") await make();
else {
  const watch = startWatch();
  const counts = await watch.time(what, what === "join" ? joinOnce : compareOnce);
  process.stdout.write(JSON.stringify(watch.stop(counts)));
}
duck.close();
