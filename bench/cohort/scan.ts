// The floor for validation: one scan by DuckDB of the columns that checks need, with what they count plainly written, over the files of the current build where they lie.
//   node bench/cohort/scan.ts FOLDER
// FOLDER is a namespace of the processed place. Prints what the scan took, without the start of the process, as JSON.

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { DuckDBInstance } from "@duckdb/node-api";

import { literal, name } from "../../src/jobs/cohort/build/duck.ts";
import { type ColumnScan, isColumnScan } from "../../src/jobs/cohort/build/scanStatements.ts";
import { loadChecks } from "../../src/jobs/cohort/checkList.ts";
import { checkedDatasets } from "../../src/jobs/cohort/data/checkedDatasets.ts";
import type { Current } from "../../src/jobs/cohort/data/current.ts";
import { scanOf } from "../../src/jobs/cohort/data/scan.ts";
import { loadSchemas } from "../../src/jobs/cohort/schemas.ts";

/** What a check counts, as anybody would write it: values that there are, and those out of bounds. Of other kinds only the values. */
function plainCounts(scan: ColumnScan): string {
  const column = name(scan.column);
  if (scan.kind !== "between") return `count(${column})`;
  const value = scan.type === "string" ? `try_cast(${column} as double)` : column;
  const isWrong = `${value} not between '${scan.min ?? "-inf"}'::double and '${scan.max ?? "inf"}'::double`;
  return `count(${column}), count_if(${isWrong})`;
}

const [folder = ""] = process.argv.slice(2);
const schemas = await loadSchemas(".");
const checks = await loadChecks(".", schemas);
const known = checkedDatasets(schemas.of(null).shapes);
const text = await readFile(join(folder, "parquet/current.json"), "utf8");
const current = JSON.parse(text) as Current;
const instance = await DuckDBInstance.create(":memory:", { threads: "1", memory_limit: "700MiB" });
const duck = await instance.connect();
const before = process.cpuUsage();
let [rows, bytes] = [0, 0];
for (const dataset of current.datasets) {
  const own = known.get(dataset.name);
  const scans = checks
    .filter((check) => check.dataset === dataset.name)
    .flatMap((check) => (own === undefined ? [] : (scanOf(check, own) ?? [])))
    .filter(isColumnScan);
  if (scans.length === 0 || dataset.rows === 0) continue;
  const files = dataset.files.map(({ key }) => join(folder, key));
  const read = `read_parquet([${files.map(literal).join(", ")}])`;
  await duck.runAndReadAll(`select count(*), ${scans.map(plainCounts).join(", ")} from ${read}`);
  rows += dataset.rows;
  for (const file of files) bytes += (await stat(file)).size;
}
const { user, system } = process.cpuUsage(before);
process.stdout.write(JSON.stringify({ cpuMs: (user + system) / 1000, rows, bytes }));
