// Builds the datasets of one data type from its staged rows: one row for each key, without what was deleted, sorted, parted by cohort.

import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";

import { columnsOf, type DatasetColumn } from "../data/columns.ts";
import type { RecordShape } from "../data/recordShape.ts";
import { type Duck, literal } from "./duck.ts";
import {
  cohortStatement,
  COUNT_WINNERS,
  datasetStatement,
  deletedStatement,
  dropDeletedStatement,
  memberStatements,
  type PartFile,
  partStatements,
  type RankedMember,
  readCountsStatement,
  winnersStatement,
} from "./statements.ts";

/** Staged rows of a type on this disk: files by table, and the members in them that count. */
export interface TypeRows {
  readonly shape: RecordShape;
  /** For each table of the shape its files, in the order of their parts. */
  readonly files: readonly (readonly PartFile[])[];
  readonly members: readonly RankedMember[];
}

export interface BuildRequest {
  readonly rows: TypeRows;
  /** Rows whose keys are deleted; null where the type has none. */
  readonly deletions: TypeRows | null;
  /** Undeclared fields of its records, by table. */
  readonly extras: readonly ReadonlySet<string>[];
  readonly cohorts: readonly string[];
  /** Names of columns that are left out. */
  readonly dropped: ReadonlySet<string>;
  /** Where the datasets' folders are made. */
  readonly dir: string;
}

/** A file of a dataset, written and not yet put anywhere. */
export interface BuiltFile {
  /** Below the folder: "dataset_x/cohort=y/data_0.parquet". */
  readonly path: string;
  readonly rows: number;
}

export interface BuiltDataset {
  readonly name: string;
  readonly rows: number;
  readonly columns: readonly Pick<DatasetColumn, "name" | "type">[];
  readonly files: readonly BuiltFile[];
}

/** Rows by the day that their export ends, for each event of a record's way into a dataset. */
export type RecordCounts = Readonly<Partial<Record<CountEvent, Readonly<Record<string, number>>>>>;
export type CountEvent = "READ" | "DROP_DUPLICATES" | "DROP_DELETED_SAMPLES" | "WRITE";

export interface BuiltType {
  readonly datasets: readonly BuiltDataset[];
  readonly counts: RecordCounts;
}

/** Files near this size: readers take them one by one, and prune within them by row group. */
const FILE_BYTES = 128 << 20;

/** Builds a type that has datasets. */
export async function buildType(duck: Duck, request: BuildRequest): Promise<BuiltType> {
  const { rows, deletions } = request;
  const { shape } = rows;
  if (isEmpty(rows)) return { datasets: emptyDatasets(shape, request), counts: NO_COUNTS };
  const what = `building ${shape.tables[0]?.dataset ?? ""}`;
  const read = await loadRows(duck, what, rows);
  const unique = await countWinners(duck, what);
  let counts: RecordCounts = { READ: read, DROP_DUPLICATES: unique };
  if (deletions !== null && (await dropDeleted(duck, what, deletions, shape))) {
    counts = { ...counts, DROP_DELETED_SAMPLES: await countWinners(duck, what) };
  }
  counts = { ...counts, WRITE: await countWinners(duck, what) };
  const datasets: BuiltDataset[] = [];
  for (let table = 0; table < shape.tables.length; table++) {
    datasets.push(await writeDataset(duck, what, request, table));
  }
  await duck.run(what, "drop table winner");
  return { datasets, counts };
}

/** Nobody has sent a record of such a type. */
const NO_COUNTS: RecordCounts = {};

function isEmpty({ files, members }: TypeRows): boolean {
  return members.length === 0 || (files[0] ?? []).length === 0;
}

/** The datasets of a type as they are without rows. */
export function emptyDatasets(
  shape: RecordShape,
  { extras, dropped }: Pick<BuildRequest, "extras" | "dropped">,
): readonly BuiltDataset[] {
  return shape.tables.map(({ dataset }, table) => ({
    name: dataset,
    rows: 0,
    columns: keptColumns(shape, table, { extras, dropped }).map(({ name, type }) => ({
      name,
      type,
    })),
    files: [],
  }));
}

function keptColumns(
  shape: RecordShape,
  table: number,
  { extras, dropped }: Pick<BuildRequest, "extras" | "dropped">,
): readonly DatasetColumn[] {
  const columns = columnsOf(shape, table, extras[table] ?? new Set());
  return columns.filter((column) => !dropped.has(column.name));
}

/** Counts what a type without datasets of its own holds: one that deletes the records of another. */
export async function countType(duck: Duck, rows: TypeRows): Promise<RecordCounts> {
  if (isEmpty(rows)) return NO_COUNTS;
  const what = `counting ${rows.shape.type.name}`;
  const read = await loadRows(duck, what, rows);
  const counts = { READ: read, DROP_DUPLICATES: await countWinners(duck, what) };
  await duck.run(what, "drop table winner");
  return counts;
}

/** Loads the records that win their keys; tells how many there were by the day that their export ends. */
async function loadRows(
  duck: Duck,
  what: string,
  { shape, files, members }: TypeRows,
): Promise<Readonly<Record<string, number>>> {
  const own = files[0] ?? [];
  await duck.run(what, ...memberStatements(members), ...partStatements(own));
  const read = byDay(await duck.rows(what, readCountsStatement(own)));
  await duck.run(what, winnersStatement(shape, own));
  return read;
}

async function dropDeleted(
  duck: Duck,
  what: string,
  { shape, files, members }: TypeRows,
  target: RecordShape,
): Promise<boolean> {
  const own = files[0] ?? [];
  if (own.length === 0 || members.length === 0) return false;
  await duck.run(
    what,
    ...memberStatements(members),
    ...partStatements(own),
    deletedStatement(shape, own),
  );
  const [row] = await duck.rows(what, "select count(*) from deleted");
  if (Number(row?.[0]) === 0) return false;
  await duck.run(what, dropDeletedStatement(target), "drop table deleted");
  return true;
}

async function countWinners(duck: Duck, what: string): Promise<Readonly<Record<string, number>>> {
  return byDay(await duck.rows(what, COUNT_WINNERS));
}

function byDay(rows: readonly (readonly unknown[])[]): Readonly<Record<string, number>> {
  return Object.fromEntries(rows.map(([day, count]) => [String(day), Number(count)]));
}

async function writeDataset(
  duck: Duck,
  what: string,
  { rows: { shape, files }, extras, cohorts, dropped, dir }: BuildRequest,
  table: number,
): Promise<BuiltDataset> {
  const name = shape.tables[table]?.dataset ?? "";
  const kept = keptColumns(shape, table, { extras, dropped });
  const own = files[table] ?? [];
  const written: BuiltFile[] = [];
  if (own.length > 0) await duck.run(what, ...partStatements(own));
  for (const cohort of own.length === 0 ? [] : cohorts) {
    const folder = `${name}/cohort=${cohort}`;
    const select = datasetStatement(shape, table, kept, { files: own, cohort });
    const [row] = await duck.rows(what, cohortStatement(cohort));
    if (Number(row?.[0]) === 0) continue;
    await mkdir(join(dir, name), { recursive: true, mode: 0o700 });
    await duck.run(
      what,
      `copy (${select}) to ${literal(join(dir, folder))} (format parquet, compression zstd, row_group_size 122880, file_size_bytes ${FILE_BYTES})`,
    );
    written.push(...(await filesIn(duck, what, dir, folder)));
  }
  const rows = written.reduce((sum, file) => sum + file.rows, 0);
  return {
    name,
    rows,
    columns: kept.map(({ name: as, type }) => ({ name: as, type })),
    files: written,
  };
}

/** Lists the files that hold rows; a file without any is none. */
async function filesIn(
  duck: Duck,
  what: string,
  dir: string,
  folder: string,
): Promise<readonly BuiltFile[]> {
  const names = (await readdir(join(dir, folder))).sort();
  const files: BuiltFile[] = [];
  for (const name of names) {
    const path = `${folder}/${name}`;
    const [row] = await duck.rows(
      what,
      `select num_rows from parquet_file_metadata(${literal(join(dir, path))})`,
    );
    const rows = Number(row?.[0]);
    if (rows > 0) files.push({ path, rows });
  }
  return files;
}
