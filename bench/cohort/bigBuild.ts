// Makes a build of many rows without the exports that it would be of: the datasets that checks look at, on disk, and a current.json that
// names them. For what is measured of datasets alone.
//   node bench/cohort/bigBuild.ts FOLDER ROWS
// FOLDER is a namespace of the processed place that has a build without rows; ROWS are those of the densest dataset.

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, stat, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { DuckDBInstance } from "@duckdb/node-api";

import { loadChecks } from "../../src/jobs/cohort/checkList.ts";
import type { Current, Dataset, DatasetFile } from "../../src/jobs/cohort/data/current.ts";
import { loadSchemas } from "../../src/jobs/cohort/schemas.ts";

/** Rows of other datasets, of those of the densest: a day has one of them, and many samples. */
const OTHERS = 0.05;
const DENSEST = "dataset_fitbitintradaycombined";
const COHORT = "adults_v1";

const [folder = "", rows = "1000000"] = process.argv.slice(2);
const checks = await loadChecks(".", await loadSchemas("."));
const file = join(folder, "parquet/current.json");
const current = JSON.parse(await readFile(file, "utf8")) as Current;
const instance = await DuckDBInstance.create(":memory:", { threads: "2", memory_limit: "2GiB" });
const duck = await instance.connect();

/** A column's values: text as devices send it, a fifth of it missing, most of it as checks want it. */
function valueOf({ name, type }: Dataset["columns"][number]): string {
  const own = `"${name}"`;
  if (name === "ParticipantIdentifier")
    return `'SYN-' || lpad((i // 5000)::varchar, 8, '0') as ${own}`;
  if (name === "Type") return `'activities-heart' as ${own}`;
  if (/Date|Time$/.test(name))
    return `strftime(timestamp '2026-01-01' + to_seconds(i), '%Y-%m-%dT%H:%M:%SZ') as ${own}`;
  if (/Id$|Key$/.test(name)) return `md5(i::varchar) as ${own}`;
  const checked = checks.find(({ column, kind }) => column === name && kind === "between");
  const [least, most] =
    checked?.kind === "between" ? [checked.min ?? 0, checked.max ?? 0] : [0, 500];
  const number = `(${least} + hash(i) % ${most - least + 1})`;
  const value =
    type === "string"
      ? `${number}::bigint::varchar`
      : `${number}::${type === "surrogate" ? "bigint" : type}`;
  return `case when hash(i, 1) % 5 > 0 then ${type === "boolean" ? "true" : value} end as ${own}`;
}

async function fill(dataset: Dataset): Promise<Dataset> {
  const own = dataset.columns.slice(0, -1);
  const count = Math.ceil(Number(rows) * (dataset.name === DENSEST ? 1 : OTHERS));
  const key = `${current.prefix}${dataset.name}/cohort=${COHORT}`;
  const dir = join(folder, key);
  await mkdir(dirname(dir), { recursive: true });
  await duck.run(
    `copy (select ${own.map(valueOf).join(", ")} from range(${count}) t(i)) to '${dir}' ` +
      "(format parquet, compression zstd, row_group_size 122880, file_size_bytes 134217728)",
  );
  const files: DatasetFile[] = [];
  for (const name of await readdir(dir)) {
    const hash = createHash("sha256");
    for await (const piece of createReadStream(join(dir, name))) hash.update(piece as Buffer);
    const { size: bytes } = await stat(join(dir, name));
    const found = await duck.runAndReadAll(`select count(*) from '${join(dir, name)}'`);
    const [[all] = []] = found.getRowsJson();
    files.push({
      key: `${key}/${name}`,
      bytes,
      sha256: hash.digest("hex"),
      etag: null,
      rows: Number(all),
    });
  }
  return { ...dataset, rows: count, files };
}

const checked = new Set(checks.map(({ dataset }) => dataset));
const datasets: Dataset[] = [];
for (const dataset of current.datasets) {
  datasets.push(checked.has(dataset.name) ? await fill(dataset) : dataset);
}
await writeFile(file, JSON.stringify({ ...current, types: {}, segments: null, datasets }));
