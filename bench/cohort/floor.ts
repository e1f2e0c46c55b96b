// The floor for the cohort job: the same members inflated, and the same datasets by DuckDB alone, nothing checked, kept, counted or proved.
//   node bench/cohort/floor.ts FOLDER OUT [--stage inflate|parse|datasets|all]
// FOLDER holds exports as NAMESPACE/COHORT/EXPORT. Prints what each stage took as JSON.

import { createReadStream } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { DuckDBInstance } from "@duckdb/node-api";

import { listMembers } from "../../src/formats/zip.ts";
import { readMembers } from "../../src/formats/zipMember.ts";
import { readMemberName } from "../../src/jobs/cohort/data/memberName.ts";
import { type DataType, type Fields, readSchema } from "../../src/jobs/cohort/data/schema.ts";
import { startWatch } from "../stopwatch.ts";

const SCHEMA = "config/cohort/1.json";
const NEVER = new AbortController().signal;
const { positionals } = parseArgs({ allowPositionals: true });
const [folder = "", out = ""] = positionals;

/** A member's content on this disk. */
interface Inflated {
  readonly type: string;
  readonly cohort: string;
  readonly path: string;
}

/** Inflates all members; what they hold is left where DuckDB reads it. */
async function inflate(): Promise<{ readonly files: readonly Inflated[]; readonly bytes: number }> {
  const files: Inflated[] = [];
  let total = 0;
  for (const cohort of await readdir(folder)) {
    for (const name of (await readdir(join(folder, cohort))).sort()) {
      const bytes = await readFile(join(folder, cohort, name));
      const source = {
        bytes: bytes.length,
        async *read(from: number, to: number) {
          yield Promise.resolve(bytes.subarray(from, to));
        },
      };
      const listing = await listMembers(source, NEVER);
      if (listing.refusal !== null) throw new Error(`${name} is ${listing.refusal}`);
      const wanted = listing.entries.filter((entry) => entry.bytes > 0);
      for await (const { entry, content, deflated } of readMembers(source, wanted, NEVER)) {
        const pieces: Uint8Array[] = [];
        const rest = (async () => {
          for await (const _piece of deflated);
        })();
        for await (const piece of content) pieces.push(piece);
        await rest;
        total += entry.bytes;
        const type = readMemberName(entry.name)?.type;
        if (type === undefined) continue;
        const path = join(out, `${files.length}.ndjson`);
        await writeFile(path, Buffer.concat(pieces));
        files.push({ type, cohort, path });
      }
    }
  }
  return { files, bytes: total };
}

/** Parses every line and throws it away. */
async function parse(files: readonly Inflated[]): Promise<number> {
  let lines = 0;
  for (const { path } of files) {
    let rest = "";
    for await (const piece of createReadStream(path, {
      encoding: "utf8",
      highWaterMark: 1 << 18,
    })) {
      const parts = (rest + String(piece)).split("\n");
      rest = parts.pop() ?? "";
      for (const line of parts) {
        if (line.trim() === "") continue;
        JSON.parse(line);
        lines++;
      }
    }
  }
  return lines;
}

const TYPES = { string: "VARCHAR", int: "BIGINT", double: "DOUBLE", boolean: "BOOLEAN" } as const;

/** Columns as DuckDB reads them; what is nested stays JSON. */
function columnsOf(fields: Fields): string {
  const own = Object.entries(fields).map(([name, field]) => {
    const type = typeof field === "string" ? TYPES[field] : "JSON";
    return `'${name}': '${type}'`;
  });
  return `{${own.join(", ")}}`;
}

/** De-duplicates, deletes, sorts by key and writes each type's records as zstd Parquet, parted by cohort. */
async function writeDatasets(files: readonly Inflated[]): Promise<number> {
  const schema = readSchema(await readFile(SCHEMA, "utf8"), SCHEMA);
  const spill = join(out, "spill");
  await mkdir(spill);
  const instance = await DuckDBInstance.create(":memory:", {
    ...{ threads: "1", memory_limit: "700MiB", temp_directory: spill },
    preserve_insertion_order: "false",
  });
  const duck = await instance.connect();
  const all = [...schema.types.values()];
  let rows = 0;
  for (const type of all.filter(({ deletes }) => deletes === null)) {
    const own = recordsOf(type, files);
    if (own === null) continue;
    const key = type.key.map((column) => `"${column}"`);
    const tie = schema.tie in type.fields ? `"${schema.tie}" desc nulls last, ` : "";
    const deleting = all.find(({ deletes }) => deletes === type.name);
    const deleted = deleting === undefined ? null : recordsOf(deleting, files);
    const left =
      deleted === null
        ? ""
        : `where (${key.join(", ")}) not in (select (${key.join(", ")}) from ${deleted})`;
    const dir = join(out, `dataset_${type.name.toLowerCase()}`);
    const unique = `select * exclude (filename) from (select * from ${own} qualify row_number() over (partition by ${key.join(", ")} order by ${tie}filename desc) = 1) ${left} order by ${key.join(", ")}`;
    const how = "format parquet, compression zstd, row_group_size 122880, partition_by (cohort)";
    const [[count] = []] = (
      await duck.runAndReadAll(`copy (${unique}) to '${dir}' (${how})`)
    ).getRowsJson();
    rows += Number(count);
  }
  duck.closeSync();
  instance.closeSync();
  return rows;
}

function recordsOf(type: DataType, files: readonly Inflated[]): string | null {
  const own = files.filter((file) => file.type === type.name);
  if (own.length === 0) return null;
  const byCohort = Map.groupBy(own, ({ cohort }) => cohort);
  const selects = [...byCohort].map(([cohort, some]) => {
    const paths = some.map(({ path }) => `'${path}'`).join(", ");
    return `select *, '${cohort}' as cohort from read_json([${paths}], format = 'newline_delimited', filename = true, columns = ${columnsOf(type.fields)}, maximum_object_size = 67108864)`;
  });
  return `(${selects.join(" union all ")})`;
}

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
const watch = startWatch();
const { files, bytes } = await watch.time("inflate", inflate);
const lines = await watch.time("parse", () => parse(files));
const rows = await watch.time("datasets", () => writeDatasets(files));
process.stdout.write(JSON.stringify(watch.stop({ members: files.length, bytes, lines, rows })));
