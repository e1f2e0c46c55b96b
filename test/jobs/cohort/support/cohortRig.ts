// Exports taken through ingest and build as the job's steps do it, with a folder in place of the three places.

import { createReadStream, mkdtempSync, statSync } from "node:fs";
import { copyFile, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { zstdDecompressSync } from "node:zlib";

import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from "hyparquet";

import { digestOf } from "../../../../src/digest.ts";
import type { StepContext } from "../../../../src/engine/step.ts";
import type { RangeSource } from "../../../../src/formats/rangeSource.ts";
import {
  type DatasetColumns,
  datasetsOf,
  type TypeRows,
} from "../../../../src/jobs/cohort/build/buildType.ts";
import { type Duck, openDuck } from "../../../../src/jobs/cohort/build/duck.ts";
import { build as buildInPlaces } from "../../../../src/jobs/cohort/building.ts";
import type { CatalogEntry } from "../../../../src/jobs/cohort/data/catalog.ts";
import type { RecordCounts } from "../../../../src/jobs/cohort/data/days.ts";
import { type RecordShape, shapeOf } from "../../../../src/jobs/cohort/data/recordShape.ts";
import { readSchema, type Schema } from "../../../../src/jobs/cohort/data/schema.ts";
import { countsOf, type TypeSegments } from "../../../../src/jobs/cohort/data/segments.ts";
import type { TypeInput } from "../../../../src/jobs/cohort/data/typeInput.ts";
import type { CohortEffects } from "../../../../src/jobs/cohort/doing.ts";
import {
  ingestExport,
  type IngestRequest,
} from "../../../../src/jobs/cohort/ingest/ingestExport.ts";
import { SILENT } from "../../../../src/log.ts";
import { fileSource } from "../../../../src/store/byteSource.ts";
import { openFolderBucket } from "../../../../src/store/folderBucket.ts";
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

/** Opens a DuckDB in a folder of its own, or in one below that, with the schema that is configured or the one given. */
export async function makeRig(schema?: Schema, below = ""): Promise<Rig> {
  const own = schema ?? readSchema(await readFile(SCHEMA_FILE, "utf8"), SCHEMA_FILE);
  const root = mkdtempSync(join(tmpdir(), "hdash-cohort-"));
  const dir = join(root, below);
  const spillDir = join(dir, "spill");
  await mkdir(spillDir, { recursive: true });
  const duck = await openDuck({ memoryMiB: 512, threads: 1, spillDir, workDir: dir });
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
      await rm(root, { recursive: true, force: true });
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
      const source = "source" in file ? file.source : await fileSource(file.path);
      await writeFile(path, source.open());
      const bytes = await readFile(path);
      const sha256 = digestOf(bytes);
      if ("sha256" in file && file.sha256 !== sha256) throw new Error(`${to} is not what it was`);
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
  const members = input.members.map((member) => ({ ...member, group: 0, isPicked: false }));
  return { shape, files, members, winners: [] };
}

/** A dataset as a reader finds it: files below a folder. */
export interface BuiltDataset {
  readonly name: string;
  readonly rows: number;
  readonly columns: DatasetColumns["columns"];
  readonly files: readonly { readonly path: string; readonly rows: number }[];
}

export interface BuiltType {
  readonly datasets: readonly BuiltDataset[];
  readonly counts: RecordCounts;
  readonly segments: Pick<TypeSegments, "segments" | "dead">;
}

let builds = 0;

/** Builds a type on top of what is there of it; its files are laid into a folder as a reader would bring them there. */
export async function build(
  rig: Rig,
  home: string,
  inputs: ReadonlyMap<string, TypeInput>,
  type: string,
  dir: string,
  how: {
    readonly before?: BuiltType | undefined;
    readonly isMerging?: boolean;
    readonly dropped?: readonly string[];
  } = {},
): Promise<BuiltType> {
  const input = inputs.get(type);
  const shape = rig.shapes.get(type);
  if (input === undefined || shape === undefined) throw new Error(`no input of ${type}`);
  const deleting = `${type}_Deleted`;
  const deletions = inputs.has(deleting)
    ? (await build(rig, home, inputs, deleting, dir)).segments.segments.map(({ keys }) => keys)
    : null;
  const { dropped = [], before } = how;
  const made = await buildInPlaces(
    effectsOf(rig, home),
    { input, deletions, before: before?.segments ?? null },
    { type, build: `b${++builds}`, dropped, isMerging: how.isMerging ?? false },
    await contextOf(rig),
  );
  const { segments, dead } = made;
  const datasets: BuiltDataset[] = [];
  const columns = datasetsOf(shape, {
    extras: input.extras.map((paths) => new Set(paths)),
    dropped: new Set(dropped),
  });
  for (const { name, columns: own } of columns) {
    const files: { path: string; rows: number }[] = [];
    for (const { key, rows } of segments.flatMap((segment) => segment.files[name] ?? [])) {
      const [, , of = "", ...below] = key.split("/");
      const path = [...below.slice(0, -1), `${of}-${below.at(-1) ?? ""}`].join("/");
      await mkdir(dirname(join(dir, path)), { recursive: true });
      await copyFile(join(home, "processed", key), join(dir, path));
      files.push({ path, rows });
    }
    const rows = files.reduce((sum, file) => sum + file.rows, 0);
    datasets.push({ name, rows, columns: own, files });
  }
  const hows = { hasDeletions: made.hasDeletions, isDeleting: columns.length === 0 };
  return {
    datasets,
    counts: countsOf(input, segments, hows),
    segments: { segments, dead },
  };
}

/** What steps use of the world: a folder in place of the three places. */
export function effectsOf({ duck, shapes, schema }: Rig, home: string): CohortEffects {
  const place = (name: string) => openFolderBucket(join(home, name), { isPrivate: true });
  const own = { run: duck.run, rows: duck.rows, close: () => {} };
  return {
    source: { label: "nowhere", list: refuse, open: refuse, close: refuse },
    readState: refuse,
    places: {
      raw: place("raw"),
      intermediate: place("intermediate"),
      processed: place("processed"),
    },
    schemaOf: () => ({ version: 1, name: "1-test", shapes }),
    cohorts: schema.cohorts,
    namespace: "main",
    log: SILENT,
    openDuck: () => Promise.resolve(own),
    memoryMiB: 512,
    builtBy: {},
    // Small as the data is, what is not touched is named again.
    prices: { small: 0, wholeShare: 2 },
    checks: [],
  };
}

function refuse(): never {
  throw new Error("a build asks for what it is not given");
}

/** What a step is given, with a folder of its own. */
export async function contextOf(rig: Rig): Promise<StepContext> {
  const dir = await rig.folder();
  return {
    ...{ signal: NEVER, hints: {}, workDir: () => Promise.resolve(dir) },
    ...{ measure: () => {}, find: () => {}, progress: () => {} },
  } as unknown as StepContext;
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
