// Exports taken through ingest and build as the job's steps do it, with a folder in place of the three places.

import { createReadStream, mkdtempSync, statSync } from "node:fs";
import { copyFile, mkdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { zstdDecompressSync } from "node:zlib";

import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";

import { digestOf } from "../../../../src/digest.ts";
import type { RangeSource } from "../../../../src/formats/rangeSource.ts";
import {
  buildType,
  type BuiltDataset,
  type BuiltType,
  countType,
  type TypeRows,
} from "../../../../src/jobs/cohort/build/buildType.ts";
import { type Duck, openDuck } from "../../../../src/jobs/cohort/build/duck.ts";
import type { CatalogEntry } from "../../../../src/jobs/cohort/data/catalog.ts";
import { type RecordShape, shapeOf } from "../../../../src/jobs/cohort/data/recordShape.ts";
import { readSchema, type Schema } from "../../../../src/jobs/cohort/data/schema.ts";
import type { TypeInput } from "../../../../src/jobs/cohort/data/typeInput.ts";
import {
  ingestExport,
  type IngestRequest,
} from "../../../../src/jobs/cohort/ingest/ingestExport.ts";
import { NEVER } from "../../../formats/support/ranges.ts";
import { type ColumnKind, digestRows } from "./digest.ts";

export const FIXTURE = "test/fixtures/cohort";
export const SCHEMA_FILE = "config/cohort/1.json";

export interface Rig {
  readonly dir: string;
  readonly duck: Duck;
  readonly schema: Schema;
  readonly shapes: ReadonlyMap<string, RecordShape>;
  /** Makes an empty folder of its own. */
  folder(): Promise<string>;
  close(): Promise<void>;
}

/** Opens a DuckDB in a folder of its own, with the schema that is configured or the one given. */
export async function makeRig(schema?: Schema): Promise<Rig> {
  const own = schema ?? readSchema(await readFile(SCHEMA_FILE, "utf8"), SCHEMA_FILE);
  const dir = mkdtempSync(join(tmpdir(), "hdash-cohort-"));
  const spillDir = join(dir, "spill");
  await mkdir(spillDir);
  const duck = await openDuck({ memoryMiB: 512, threads: 1, spillDir });
  let folders = 0;
  return {
    dir,
    duck,
    schema: own,
    shapes: new Map([...own.types].map(([name, type]) => [name, shapeOf(type, own.tie)])),
    async folder() {
      const path = join(dir, `folder-${++folders}`);
      await mkdir(path);
      return path;
    },
    async close() {
      duck.close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** A file as a source of ranges. */
export function fileRanges(path: string): RangeSource {
  return {
    bytes: statSync(path).size,
    async *read(from, to) {
      for await (const piece of createReadStream(path, { start: from, end: to - 1 })) {
        yield piece as Buffer;
      }
    },
  };
}

/** Reads an export, "<cohort>/<name>"; what it keeps lies in `home`, in a folder for each place. */
export async function ingest(
  { duck, shapes, ...rig }: Rig,
  home: string,
  key: string,
  source: RangeSource,
  isLatest: IngestRequest["isLatest"] = () => true,
): Promise<CatalogEntry> {
  const [cohort = "", name = ""] = key.split("/");
  const dir = await rig.folder();
  const report = await ingestExport({
    ...{ cohort, export: name, source, schema: "1-test", shapes, dir, duck, isLatest },
    version: digestOf(key).slice(0, 32),
    async keep(place, to, file) {
      const path = join(home, place, to);
      await mkdir(dirname(path), { recursive: true });
      await copyFile(file.path, path);
      const bytes = await readFile(path);
      const sha256 = digestOf(bytes);
      if ((file.sha256 ?? sha256) !== sha256) throw new Error(`${to} is not what it was`);
      return { key: to, bytes: bytes.length, sha256, etag: sha256 };
    },
    signal: NEVER,
    onBytes: () => {},
  });
  await rm(dir, { recursive: true });
  return { bytes: source.bytes, etag: digestOf(key), report };
}

/** Finds the rows of an input where `ingest` has left them. */
export function rowsOf({ shapes }: Rig, home: string, input: TypeInput): TypeRows {
  const shape = shapes.get(input.type);
  if (shape === undefined) throw new Error(`no shape of ${input.type}`);
  const files: { part: number; path: string }[][] = shape.tables.map(() => []);
  for (const { part, table, object } of input.files) {
    files[table]?.push({ part, path: join(home, "intermediate", object.key) });
  }
  return { shape, files, members: input.members };
}

/** Builds a type into a folder. */
export async function build(
  rig: Rig,
  home: string,
  inputs: ReadonlyMap<string, TypeInput>,
  type: string,
  dir: string,
): Promise<BuiltType> {
  const input = inputs.get(type);
  if (input === undefined) throw new Error(`no input of ${type}`);
  const rows = rowsOf(rig, home, input);
  if (rows.shape.type.deletes !== null) {
    return { datasets: [], counts: await countType(rig.duck, rows) };
  }
  const deleting = inputs.get(`${type}_Deleted`);
  return buildType(rig.duck, {
    ...{ rows, dir, cohorts: rig.schema.cohorts, dropped: new Set<string>() },
    deletions: deleting === undefined ? null : rowsOf(rig, home, deleting),
    extras: input.extras.map((paths) => new Set(paths)),
  });
}

type Columns = readonly (readonly [name: string, kind: ColumnKind])[];
type Row = Readonly<Record<string, unknown>>;

const KINDS = {
  string: "string",
  int: "bigint",
  double: "double",
  boolean: "boolean",
  surrogate: "surrogate",
} as const satisfies Record<string, ColumnKind>;

/** A dataset's columns as the fixture counts them: with the cohort, and without a child's id. */
export function columnsIn({ name, columns }: BuiltDataset, shape: RecordShape): Columns {
  const isChild = shape.tables[0]?.dataset !== name;
  const own = columns.filter((column) => !(isChild && column.name === "id"));
  return [
    ...own.map((column) => [column.name, KINDS[column.type]] as const),
    ["cohort", "string"] as const,
  ];
}

/** Where a child of a child finds the place of the element that its array is in; null for other datasets. */
function outerOf(
  shape: RecordShape,
  dataset: string,
): { readonly dataset: string; readonly column: string } | null {
  const own = shape.tables.find((table) => table.dataset === dataset);
  if (own === undefined || own.parent === null || own.parent === 0) return null;
  const parent = shape.tables[own.parent];
  const column = parent?.columns[own.column ?? -1]?.name;
  return parent === undefined || column === undefined ? null : { dataset: parent.dataset, column };
}

const OUTER = ["^parent_index", "bigint"] as const;

/** Digests a dataset as DuckDB reads it. */
export async function digestByDuck(
  { duck }: Rig,
  dir: string,
  shape: RecordShape,
  dataset: BuiltDataset,
): Promise<{ readonly rows: number; readonly sha256: string }> {
  const columns = columnsIn(dataset, shape);
  if (dataset.rows === 0) return digestRows(columns, []);
  const selected = columns.map(([name]) => `a."${name}"`);
  const files = (name: string): string => `'${join(dir, name)}/*/*.parquet'`;
  const from = `read_parquet(${files(dataset.name)}, hive_partitioning = true, hive_types_autocast = false) a`;
  const outer = outerOf(shape, dataset.name);
  if (outer === null) {
    const rows = await duck.rows("reading", `select ${selected.join(", ")} from ${from}`);
    return digestRows(columns, rows);
  }
  const join_ = `join read_parquet(${files(outer.dataset)}) p on a.id = p."${outer.column}"`;
  const rows = await duck.rows(
    "reading",
    `select ${selected.join(", ")}, p."index" from ${from} ${join_}`,
  );
  return digestRows([...columns, OUTER], rows);
}

/** Digests a dataset as hyparquet reads it. */
export async function digestByHyparquet(
  dir: string,
  shape: RecordShape,
  dataset: BuiltDataset,
  others: readonly BuiltDataset[],
): Promise<{ readonly rows: number; readonly sha256: string }> {
  const columns = columnsIn(dataset, shape);
  const outer = outerOf(shape, dataset.name);
  const parent = others.find(({ name }) => name === outer?.dataset);
  const places = new Map<unknown, unknown>();
  if (outer !== null && parent !== undefined) {
    for (const row of await rowsIn(dir, parent)) {
      if (row[outer.column] !== null) places.set(row[outer.column], row["index"]);
    }
  }
  const read = (await rowsIn(dir, dataset)).map((row) => {
    const own = columns.map(([name]) => row[name]);
    if (outer === null) return own;
    if (!places.has(row["id"])) throw new Error(`${dataset.name} has a row without an element`);
    return [...own, places.get(row["id"])];
  });
  return digestRows(outer === null ? columns : [...columns, OUTER], read);
}

async function rowsIn(dir: string, { files }: BuiltDataset): Promise<readonly Row[]> {
  const all: Row[] = [];
  for (const { path } of files) {
    const cohort = /\/cohort=([^/]+)\//.exec(path)?.[1];
    for (const row of await rowsOfFile(join(dir, path))) all.push({ ...row, cohort });
  }
  return all;
}

/** Reads a file's rows by hyparquet. */
export async function rowsOfFile(path: string): Promise<readonly Row[]> {
  const compressors = { ZSTD: (bytes: Uint8Array) => new Uint8Array(zstdDecompressSync(bytes)) };
  return parquetReadObjects({ file: await asyncBufferFromFile(path), compressors });
}

/** Names a file's columns with their types, as the file itself has them. */
export async function typesOfFile(path: string): Promise<readonly (readonly [string, string])[]> {
  const { schema } = await parquetMetadataAsync(await asyncBufferFromFile(path));
  return schema
    .slice(1)
    .map(({ name, type, converted_type: converted }) => [
      name,
      type === "BYTE_ARRAY" && converted === "UTF8" ? "string" : (type ?? "?"),
    ]);
}
