// Builds the datasets of one data type from its staged rows: one row for each key, without what was deleted, sorted, parted by cohort.

import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";

import { columnsOf, type DatasetColumn } from "../data/columns.ts";
import type { Days } from "../data/days.ts";
import type { RecordShape } from "../data/recordShape.ts";
import { type Duck, literal, name } from "./duck.ts";
import {
  COUNT_COHORTS,
  COUNT_WINNERS,
  datasetStatement,
  deletedStatement,
  dropDeletedStatement,
  freshStatement,
  keysStatement,
  LIVE_PARTS,
  memberStatements,
  NO_FRESH,
  type PartFile,
  partStatements,
  peopleStatement,
  pickedStatements,
  picksStatement,
  type RankedMember,
  touchedStatement,
  type WinnersFile,
  winnersStatement,
} from "./statements.ts";

/** Staged rows of a type on this disk: files by table, and the members in them that count. */
export interface TypeRows {
  readonly shape: RecordShape;
  /** For each table of the shape its files, in the order of their parts. */
  readonly files: readonly (readonly PartFile[])[];
  readonly members: readonly RankedMember[];
  /** Of the members that are picked from, the rows that had won. */
  readonly winners: readonly WinnersFile[];
}

export interface BuildRequest {
  readonly rows: TypeRows;
  /** Files of keys that are deleted; null where the type has none. */
  readonly deleted: readonly string[] | null;
  /** Undeclared fields of its records, by table. */
  readonly extras: readonly ReadonlySet<string>[];
  readonly cohorts: readonly string[];
  /** Names of columns that are left out. */
  readonly dropped: ReadonlySet<string>;
  /** Where the groups' folders are made. */
  readonly dir: string;
}

/** A file of a dataset, written and not yet put anywhere. */
export interface BuiltFile {
  /** Below the folder. */
  readonly path: string;
  /** What it is called below its build: "dataset_x/cohort=y/0_0.parquet". */
  readonly name: string;
  readonly rows: number;
  /** How many values of each column are there, in the columns' order. */
  readonly filled: readonly number[];
}

/** A group of parts as it was built. */
export interface BuiltGroup {
  readonly group: number;
  /** Numbers of its parts that have a winner. */
  readonly parts: readonly number[];
  /** Records that won their key, and those of them that nobody has deleted. */
  readonly unique: Days;
  readonly written: Days;
  /** Paths of its keys, and of which rows have won them, below the folder. */
  readonly keys: string;
  readonly winners: string;
  /** Path of its participants; null where the schema does not say who they are. */
  readonly people: string | null;
  /** By dataset. */
  readonly files: Readonly<Record<string, readonly BuiltFile[]>>;
}

export interface DatasetColumns {
  readonly name: string;
  readonly columns: readonly Pick<DatasetColumn, "name" | "type">[];
}

/** Files near this size: readers take them one by one, and prune within them by row group. */
const FILE_BYTES = 128 << 20;
const ROW_GROUP = "row_group_size 122880";

/** Names, of some files of keys, those that have a key of the rows, or show one that is deleted. */
export async function findTouched(
  duck: Duck,
  { shape, files, members }: TypeRows,
  keys: readonly string[],
  deleted: readonly string[] | null,
): Promise<readonly string[]> {
  const what = `comparing keys of ${shape.type.name}`;
  const own = files[0] ?? [];
  const hasDeleted = await loadDeleted(duck, what, shape, deleted);
  const fresh =
    own.length === 0
      ? [NO_FRESH]
      : [...memberStatements(members), ...partStatements(own), freshStatement(shape, own)];
  await duck.run(what, ...fresh);
  const rows = await duck.rows(what, touchedStatement(shape, keys, hasDeleted));
  return rows.map(([path]) => String(path));
}

/** Builds the groups of a type; those that have no winner come out as none. */
export async function buildType(duck: Duck, request: BuildRequest): Promise<readonly BuiltGroup[]> {
  const { rows, deleted, dir } = request;
  const { shape, files, members } = rows;
  const own = files[0] ?? [];
  if (own.length === 0 || members.length === 0) return [];
  const what = `building ${shape.type.name}`;
  await duck.run(what, ...memberStatements(members), ...partStatements(own));
  await duck.run(what, ...pickedStatements(rows.winners), winnersStatement(shape, own));
  const parts = await duck.rows(what, LIVE_PARTS);
  const unique = await countWinners(duck, what);
  const hasDeleted = await loadDeleted(duck, what, shape, deleted);
  const groups = [...unique.keys()];
  await mkdir(dir, { recursive: true, mode: 0o700 });
  for (const group of groups) {
    await writeSorted(
      duck,
      what,
      join(dir, keysFile(group)),
      keysStatement(shape, group, hasDeleted),
    );
    await writeSorted(duck, what, join(dir, winnersFile(group)), picksStatement(group));
  }
  if (hasDeleted) await duck.run(what, dropDeletedStatement(shape));
  const written = hasDeleted ? await countWinners(duck, what) : unique;
  const isShown = shape.type.deletes === null;
  const { participant } = shape.type;
  const isCounted = isShown && participant !== null;
  if (isCounted) {
    for (const group of groups) {
      await writeSorted(
        duck,
        what,
        join(dir, peopleFile(group)),
        peopleStatement(participant, group),
      );
    }
  }
  const datasets = isShown ? await writeDatasets(duck, what, request) : [];
  await duck.run(what, "drop table winner");
  return groups.map((group) => ({
    group,
    parts: parts.filter(([of]) => Number(of) === group).map(([, part]) => Number(part)),
    unique: unique.get(group) ?? {},
    written: written.get(group) ?? {},
    keys: keysFile(group),
    winners: winnersFile(group),
    people: isCounted ? peopleFile(group) : null,
    files: Object.fromEntries(datasets.map(({ name, files: all }) => [name, all.get(group) ?? []])),
  }));
}

const keysFile = (group: number): string => `keys-${group}.parquet`;
const winnersFile = (group: number): string => `winners-${group}.parquet`;
const peopleFile = (group: number): string => `people-${group}.parquet`;

/** Writes sorted numbers: the second version of the format has them by what lies between them. */
function writeSorted(duck: Duck, what: string, path: string, select: string): Promise<void> {
  const how = `format parquet, compression zstd, parquet_version v2, ${ROW_GROUP}`;
  return duck.run(what, `copy (${select}) to ${literal(path)} (${how})`);
}

/** Loads the keys that are deleted; false where there are none. */
async function loadDeleted(
  duck: Duck,
  what: string,
  shape: RecordShape,
  files: readonly string[] | null,
): Promise<boolean> {
  if (files === null || files.length === 0) return false;
  await duck.run(what, deletedStatement(shape, files));
  return true;
}

async function countWinners(duck: Duck, what: string): Promise<ReadonlyMap<number, Days>> {
  const counts = new Map<number, Record<string, number>>();
  for (const [group, day, rows] of await duck.rows(what, COUNT_WINNERS)) {
    const own = counts.get(Number(group)) ?? {};
    counts.set(Number(group), { ...own, [String(day)]: Number(rows) });
  }
  return counts;
}

/** The columns of a type's datasets. */
export function datasetsOf(
  shape: RecordShape,
  how: Pick<BuildRequest, "extras" | "dropped">,
): readonly DatasetColumns[] {
  if (shape.type.deletes !== null) return [];
  return shape.tables.map(({ dataset }, table) => ({
    name: dataset,
    columns: keptColumns(shape, table, how).map(({ name, type }) => ({ name, type })),
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

interface WrittenDataset {
  readonly name: string;
  /** By group. */
  readonly files: ReadonlyMap<number, readonly BuiltFile[]>;
}

async function writeDatasets(
  duck: Duck,
  what: string,
  request: BuildRequest,
): Promise<readonly WrittenDataset[]> {
  const { rows, cohorts } = request;
  const { shape, members } = rows;
  const known = new Map(members.map((member) => [member.part, member]));
  const shown = (await duck.rows(what, COUNT_COHORTS))
    .map(([group, cohort]) => ({ group: Number(group), cohort: String(cohort) }))
    .sort((a, b) => a.group - b.group || cohorts.indexOf(a.cohort) - cohorts.indexOf(b.cohort));
  const written: WrittenDataset[] = [];
  for (const [table, { dataset: name }] of shape.tables.entries()) {
    const columns = keptColumns(shape, table, request);
    const files = new Map<number, readonly BuiltFile[]>();
    for (const { group, cohort } of shown) {
      // A part is of one export, and so of one cohort.
      const own = (rows.files[table] ?? []).filter(({ part }) => {
        const of = known.get(part);
        return of?.group === group && of.cohort === cohort;
      });
      // No record has the array.
      if (own.length === 0) continue;
      await duck.run(what, ...partStatements(own));
      const select = datasetStatement(shape, table, columns, { files: own, group, cohort });
      const made = await writeFiles(duck, what, request.dir, {
        name,
        group,
        cohort,
        select,
        columns,
      });
      files.set(group, [...(files.get(group) ?? []), ...made]);
    }
    written.push({ name, files });
  }
  return written;
}

/** Writes a dataset's rows of a group and a cohort; a file without any is none. */
async function writeFiles(
  duck: Duck,
  what: string,
  dir: string,
  of: {
    readonly name: string;
    readonly group: number;
    readonly cohort: string;
    readonly select: string;
    readonly columns: readonly Pick<DatasetColumn, "name">[];
  },
): Promise<readonly BuiltFile[]> {
  const folder = `${of.group}/${of.name}/cohort=${of.cohort}`;
  await mkdir(join(dir, folder), { recursive: true, mode: 0o700 });
  const how = `format parquet, compression zstd, ${ROW_GROUP}, file_size_bytes ${FILE_BYTES}, return_stats`;
  const rows = await duck.rows(
    what,
    `copy (${of.select}) to ${literal(join(dir, folder))} (${how})`,
  );
  const made = rows.map(([path, count, _bytes, _footer, statistics]) => ({
    file: basename(String(path)),
    rows: Number(count),
    filled: filledOf(of.columns, Number(count), statistics),
  }));
  return made
    .filter((file) => file.rows > 0)
    .sort((a, b) => numberIn(a.file) - numberIn(b.file))
    .map(({ file, rows: count, filled }) => ({
      path: `${folder}/${file}`,
      name: `${of.name}/cohort=${of.cohort}/${of.group}_${numberIn(file)}.parquet`,
      rows: count,
      filled,
    }));
}

/** A map as DuckDB gives it. */
type Pairs<T> = readonly { readonly key: string; readonly value: T }[];

/** How many values of each column a file has, by what its writer has counted: nothing is read for it. */
function filledOf(
  columns: readonly Pick<DatasetColumn, "name">[],
  rows: number,
  statistics: unknown,
): readonly number[] {
  const nulls = new Map<string, number>();
  for (const { key, value } of statistics as Pairs<Pairs<string>>) {
    const found = value.find((one) => one.key === "null_count");
    if (found !== undefined) nulls.set(key, Number(found.value));
  }
  return columns.map(({ name: column }) => {
    const own = nulls.get(name(column));
    if (own === undefined) throw new Error(`nothing counts the nulls of ${column}`);
    return rows - own;
  });
}

/** The number in the name that DuckDB gives a file: "data_10.parquet". */
function numberIn(file: string): number {
  return Number(/\d+/.exec(file)?.[0] ?? 0);
}
