// A data type's datasets of two builds compared, from Parquet files on this disk. Rows stay in DuckDB, which spills what its memory does not
// hold; what comes out is counts, CSVs, and a text with a few rows.

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

import type { Duck } from "../build/duck.ts";
import type { RowExport } from "../data/comparedBuilds.ts";
import {
  compareColumns,
  type ComparedTable,
  END,
  OUTER,
  type SideColumn,
} from "../data/comparedTables.ts";
import {
  type BySide,
  type ComparedBuild,
  type ComparedDay,
  type DatasetComparison,
} from "../data/compareResult.ts";
import { type CompareSamples, compareText } from "../data/compareText.ts";
import { byText } from "../data/text.ts";
import { cutStatement, partConditions, sizeStatement } from "./parts.ts";
import { writePrivate } from "./privateFile.ts";
import * as sql from "./statements.ts";

/** A dataset with its rows on both sides. */
export interface TableRows {
  readonly table: ComparedTable;
  readonly rows: BySide<sql.SideRows>;
  /** False where its rows are only here for those of its children. */
  readonly isCompared: boolean;
}

export interface TypeRequest {
  /** In the order of the type's shape; null where one of the builds has no such dataset. */
  readonly tables: readonly (TableRows | null)[];
  readonly builds: BySide<Pick<ComparedBuild, "label" | "build">>;
  /** Exports that main's rows are limited to; null: all rows count. */
  readonly exports: readonly RowExport[] | null;
  /** Folder for what is found: for each dataset a folder of its name. */
  readonly dir: string;
  /** What DuckDB may hold. */
  readonly memoryMiB: number;
  readonly signal: AbortSignal;
}

export interface TypeComparison {
  readonly datasets: readonly DatasetComparison[];
  /** Names of the files of each dataset, in its folder. */
  readonly files: ReadonlyMap<string, readonly string[]>;
  /** True where main's rows were limited to exports. */
  readonly isLimited: boolean;
  /** True where they should have been, and none of them is of these exports: then all count. */
  readonly isUnmatched: boolean;
}

/** Name of the text, and of the CSVs: rows that are on one side only, and those that repeat a key. */
export const TEXT_FILE = "parquet_compare.txt";
export const CSV_FILES = {
  diff: { staging: "all_diff_staging_rows.csv", main: "all_diff_main_rows.csv" },
  dups: { staging: "all_dups_staging_rows.csv", main: "all_dups_main_rows.csv" },
} as const;

/** So many rows of each kind a text shows, and of rows on one side so many columns. */
const SAMPLE_ROWS = 10;
const SAMPLE_COLUMNS = 10;

/** Compares a type's datasets; what it writes is for the user alone. */
export async function compareType(duck: Duck, request: TypeRequest): Promise<TypeComparison> {
  const { tables, signal } = request;
  const isLimited = await limit(duck, request);
  const datasets: DatasetComparison[] = [];
  const files = new Map<string, readonly string[]>();
  for (const one of tables) {
    if (one?.isCompared !== true) continue;
    signal.throwIfAborted();
    const { found, names } = await compareTable(duck, one, { ...request, isLimited });
    datasets.push(found);
    files.set(one.table.dataset, names);
  }
  const [parent] = tables;
  const isAsked = request.exports !== null && (parent?.rows.main.files ?? []).length > 0;
  return { datasets, files, isLimited, isUnmatched: isAsked && !isLimited };
}

/** Makes the list of exports, and tells whether main has a row of any; where it has none, it is not limited. */
async function limit(duck: Duck, { tables, exports }: TypeRequest): Promise<boolean> {
  const [parent] = tables;
  if (exports === null || exports.length === 0 || !parent) return false;
  if (!hasColumn(parent.rows.main.columns, END)) return false;
  const what = `limiting ${parent.table.type}`;
  await duck.run(what, ...sql.exportStatements(exports));
  const rows = sql.rowsOfExports(sql.rowsOf(parent.rows.main));
  return (await duck.rows(what, `select 1 from (${rows}) limit 1`)).length > 0;
}

const hasColumn = (columns: readonly SideColumn[], column: string): boolean =>
  columns.some(({ name }) => name === column);

/** The rows of a table of a side that count, limited where its parent's are; without what an array in an array needs of its parent. */
function countedRows(
  tables: TypeRequest["tables"],
  at: number,
  side: sql.Side,
  isLimited: boolean,
): string {
  const own = tables[at];
  if (!own) throw new Error("a child is compared without its parent");
  const rows = sql.rowsOf(own.rows[side]);
  const { parent, surrogate } = own.table;
  if (!isLimited || side === "staging") return rows;
  if (parent === null || surrogate === null) return sql.rowsOfExports(rows);
  return sql.rowsBelow(rows, { rows: countedRows(tables, parent, side, isLimited), surrogate });
}

async function compareTable(
  duck: Duck,
  { table, rows }: TableRows,
  request: TypeRequest & { readonly isLimited: boolean },
): Promise<{ readonly found: DatasetComparison; readonly names: readonly string[] }> {
  const { tables, isLimited, builds } = request;
  const { dataset, key } = table;
  const what = `comparing ${dataset}`;
  const sides = { staging: rows.staging.columns, main: rows.main.columns };
  const columns = compareColumns(table, sides);
  const isParent = table.parent === null;
  const hasDays = {
    staging: isParent && hasColumn(sides.staging, END),
    main: isParent && hasColumn(sides.main, END),
  };
  const comparing: sql.Comparing = { key, columns, sides, hasDays };
  for (const side of sql.SIDES) {
    const counted = countedRows(tables, tables.indexOf(rowsAt(tables, dataset)), side, isLimited);
    const parent = table.parent === null ? null : tables[table.parent];
    const whole =
      key.includes(OUTER) && parent && table.surrogate !== null
        ? sql.rowsWithOuter(counted, {
            rows: sql.rowsOf(parent.rows[side]),
            surrogate: table.surrogate,
          })
        : counted;
    await duck.run(what, sql.viewStatement(side, whole));
  }
  const parts = await partsOf(duck, what, comparing, request.memoryMiB);
  for (const side of sql.SIDES) {
    await duck.run(what, ...sql.repeatedStatements(side, comparing, parts));
  }
  const [[repeated] = []] = await duck.rows(
    what,
    "select (select count(*) from repeated_staging) + (select count(*) from repeated_main)",
  );
  const areNumbered = Number(repeated) > 0;
  const numbers = sql.SIDES.flatMap((side) => sql.numberStatements(side, comparing, parts));
  if (areNumbered) await duck.run(what, ...numbers);
  // DuckDB remembers what it has read of a file by its name: none may come twice.
  const fileOf = (part: number): string => join(request.dir, `${dataset}.${part}.parquet`);
  await duck.run(what, ...sql.joinStatements(comparing, areNumbered, parts, fileOf));
  const found = await count(duck, what, table, comparing, { areNumbered, isLimited });
  const samples = await sample(duck, what, comparing, found, areNumbered);
  const dir = join(request.dir, dataset);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const names = await writeRows(duck, what, comparing, found, { areNumbered, dir });
  await writePrivate(join(dir, TEXT_FILE), compareText(builds, found, samples));
  for (const part of parts.keys()) await rm(fileOf(part));
  return { found, names: [TEXT_FILE, ...names] };
}

/** Of a join that takes more than three times the memory, DuckDB gives up, and close to it takes more than it accounts for; rows take so much of it beside their texts, a column. */
const SPILLED_TIMES = 2;
const COLUMN_BYTES = 16;

/** Cuts what is joined into parts that DuckDB can hold, or spill. */
async function partsOf(
  duck: Duck,
  what: string,
  comparing: sql.Comparing,
  memoryMiB: number,
): Promise<readonly string[]> {
  const { key, sides } = comparing;
  const [[rows, texts] = []] = await duck.rows(what, sizeStatement(comparing));
  const columns = Math.max(sides.staging.length, sides.main.length);
  const width = Number(texts) + COLUMN_BYTES * columns;
  const mostRows = Math.max(1, Math.floor((SPILLED_TIMES * memoryMiB * 2 ** 20) / width)) * 2;
  const types = sql.SIDES.map((side) => sides[side].find(({ name }) => name === key[0])?.type);
  if (Number(rows) <= mostRows || types[0] !== types[1]) return ["true"];
  const cuts = await duck.rows(what, cutStatement(comparing, mostRows));
  const found = cuts.map(([from, count]) => ({ from: textOf(from), rows: Number(count) }));
  return partConditions(comparing, found, mostRows);
}

function rowsAt(tables: TypeRequest["tables"], dataset: string): TableRows | null {
  return tables.find((one) => one?.table.dataset === dataset) ?? null;
}

/** Counts what the join has kept. */
async function count(
  duck: Duck,
  what: string,
  table: ComparedTable,
  comparing: sql.Comparing,
  { areNumbered, isLimited }: { readonly areNumbered: boolean; readonly isLimited: boolean },
): Promise<DatasetComparison> {
  const { key, columns, sides, hasDays } = comparing;
  const days = (await duck.rows(what, sql.dayStatement(comparing))).map(
    ([end, inCommon, onlyStaging, onlyMain, unequal]): ComparedDay => ({
      end: typeof end === "string" ? end : null,
      inCommon: Number(inCommon),
      onlyStaging: Number(onlyStaging),
      onlyMain: Number(onlyMain),
      unequal: Number(unequal),
    }),
  );
  const sum = (of: "inCommon" | "onlyStaging" | "onlyMain" | "unequal"): number =>
    days.reduce((all, day) => all + day[of], 0);
  const [[, ...counts] = []] = await duck.rows(what, sql.columnStatement(comparing));
  const unequal = columns.compared
    .map(({ name, types }, at) => ({
      ...{ name, types, unequal: Number(counts[at * 2]), nullDiff: Number(counts[at * 2 + 1]) },
    }))
    .filter((one) => one.unequal > 0 || one.types.staging !== one.types.main)
    .sort((a, b) => byText(a.name, b.name));
  const duplicates = { staging: 0, main: 0 };
  for (const side of areNumbered ? sql.SIDES : []) {
    const [[repeated] = []] = await duck.rows(what, sql.countNumbered(side));
    duplicates[side] = Number(repeated);
  }
  const [inCommon, someUnequal] = [sum("inCommon"), sum("unequal")];
  const [onlyStaging, onlyMain] = [sum("onlyStaging"), sum("onlyMain")];
  const { dataset, type, parentDataset: parent } = table;
  return {
    ...{ dataset, type, parent, key, isLimited, duplicates, unequal },
    columns: {
      ...{ staging: sides.staging.length, main: sides.main.length, inCommon: columns.inCommon },
      compared: columns.compared.length,
      ...{ onlyStaging: columns.onlyStaging, onlyMain: columns.onlyMain },
    },
    rows: {
      ...{ staging: inCommon + onlyStaging, main: inCommon + onlyMain, inCommon, onlyStaging },
      ...{ onlyMain, someUnequal, noneUnequal: inCommon - someUnequal },
    },
    overTime: hasDays.staging || hasDays.main ? days : null,
  };
}

/** Takes the rows that the text shows. */
async function sample(
  duck: Duck,
  what: string,
  comparing: sql.Comparing,
  { unequal, rows }: DatasetComparison,
  areNumbered: boolean,
): Promise<CompareSamples> {
  const { compared } = comparing.columns;
  const places = unequal
    .filter((one) => one.unequal > 0)
    .map((one) => compared.findIndex(({ name }) => name === one.name));
  const nameOf = (at: number): string => compared[at]?.name ?? "";
  const shown: { at: number; row: CompareSamples["unequal"][number]["rows"][number] }[] = [];
  if (places.length > 0) {
    await duck.run(what, sql.sampleStatement(places, SAMPLE_ROWS));
    const found = await duck.rows(what, sql.shownStatement(comparing, places));
    for (const [at, ...cells] of found) {
      const texts = cells.map(textOf);
      const [staging = null, main = null] = texts.slice(-2);
      shown.push({ at: Number(at), row: { key: texts.slice(0, -2), staging, main } });
    }
  }
  const numeric = places.filter((at) => {
    const column = compared[at];
    const found = unequal.find(({ name }) => name === column?.name);
    return column && found && sql.isNumeric(column) && found.unequal > found.nullDiff;
  });
  const [greatest = []] =
    numeric.length === 0 ? [] : await duck.rows(what, sql.greatestStatement(comparing, numeric));
  const only = async (side: sql.Side, count: number) => {
    const columns = comparing.sides[side].slice(0, SAMPLE_COLUMNS).map(({ name }) => name);
    if (count === 0) return { columns, rows: [] };
    const how = { columns, most: SAMPLE_ROWS };
    const select = sql.rowsStatement(side, "diff", comparing, areNumbered, how);
    return { columns, rows: (await duck.rows(what, select)).map((row) => row.map(textOf)) };
  };
  return {
    greatest: Object.fromEntries(numeric.map((at, n) => [nameOf(at), textOf(greatest[n])])),
    unequal: places.map((at) => ({
      column: nameOf(at),
      rows: shown.filter((one) => one.at === at).map(({ row }) => row),
    })),
    only: {
      staging: await only("staging", rows.onlyStaging),
      main: await only("main", rows.onlyMain),
    },
  };
}

const textOf = (value: unknown): string | null => (typeof value === "string" ? value : null);

/** Writes rows that are on one side only, and those that repeat a key, as CSV; names the files. None is empty. */
async function writeRows(
  duck: Duck,
  what: string,
  comparing: sql.Comparing,
  { rows, duplicates }: DatasetComparison,
  { areNumbered, dir }: { readonly areNumbered: boolean; readonly dir: string },
): Promise<readonly string[]> {
  const counts = {
    diff: { staging: rows.onlyStaging, main: rows.onlyMain },
    dups: duplicates,
  } as const;
  const names: string[] = [];
  for (const kind of ["diff", "dups"] as const) {
    for (const side of sql.SIDES) {
      if (counts[kind][side] === 0) continue;
      const file = CSV_FILES[kind][side];
      const columns = comparing.sides[side].map(({ name }) => name);
      const select = sql.rowsStatement(side, kind, comparing, areNumbered, { columns });
      const path = join(dir, file);
      // DuckDB writes into what is there, whose mode stays.
      await writePrivate(path, "");
      await duck.run(what, sql.csvStatement(select, path));
      names.push(file);
    }
  }
  return names;
}
