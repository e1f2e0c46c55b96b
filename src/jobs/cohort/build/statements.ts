// The SQL by which staged rows become datasets. Pure text: what a statement means is said here, what it runs on is the caller's.

import { columnsOf, type DatasetColumn } from "../data/columns.ts";
import { carriedColumns, type RecordShape } from "../data/recordShape.ts";
import type { Scalar } from "../data/schema.ts";
import { literal, name } from "./duck.ts";

const TYPES: Readonly<Record<Scalar | "surrogate", string>> = {
  string: "VARCHAR",
  int: "BIGINT",
  double: "DOUBLE",
  boolean: "BOOLEAN",
  surrogate: "BOOLEAN",
};

/** A member whose records count, in the order in which they win: a later rank wins over an earlier one. */
export interface RankedMember {
  /** The part of the staged rows that it is in. */
  readonly part: number;
  /** The group of parts that is written together. */
  readonly group: number;
  /** True where of its rows only those count that had won before. */
  readonly isPicked: boolean;
  readonly member: number;
  readonly rank: number;
  readonly cohort: string;
  readonly start: string | null;
  readonly end: string;
}

/** Names of a staged row's own columns; no field has one of them. */
const MEMBER = name("^m");
const LINE = name("^l");
const INDEX = name("^i");
const OUTER = name("^p");
const INSTANT = name("^t");
const EXTRAS = name("^x");
/** And of what is known of its member. */
const PART = name("^part");
const GROUP = name("^group");
const COHORT_OF = name("^cohort");
const START = name("^start");
const END = name("^end");

/** Reads a table's staged lines with the types of its columns, nothing is guessed, and writes them under the names that datasets have. */
export function stageStatement(
  shape: RecordShape,
  table: number,
  {
    lines,
    file,
    mostRowBytes,
  }: { readonly lines: string; readonly file: string; readonly mostRowBytes: number },
): string {
  const isChild = shape.tables[table]?.parent !== null;
  const types = ["m: 'INTEGER'", "l: 'BIGINT'", "x: 'MAP(VARCHAR, VARCHAR)'"];
  const selected = [`m as ${MEMBER}`, `l as ${LINE}`, `x as ${EXTRAS}`];
  for (const [short, long] of isChild
    ? [
        ["i", INDEX],
        ["p", OUTER],
      ]
    : [["t", INSTANT]]) {
    types.push(`${short}: 'BIGINT'`);
    selected.push(`${short} as ${long}`);
  }
  for (const { name: as, type, source } of columnsOf(shape, table, new Set())) {
    if (source.kind !== "staged") continue;
    types.push(`${literal(String(source.column))}: '${TYPES[type]}'`);
    selected.push(`${name(String(source.column))} as ${name(as)}`);
  }
  // Buffers of this size are made for each thread; the default holds no long row.
  const size = Math.max(1 << 24, mostRowBytes + 1024);
  const from = `read_json(${literal(lines)}, format = 'newline_delimited', compression = 'uncompressed', columns = {${types.join(", ")}}, maximum_object_size = ${size}, ${NO_HIVE})`;
  return `copy (select ${selected.join(", ")} from ${from}) to ${literal(file)} (format parquet, compression zstd, compression_level 1, row_group_size 122880)`;
}

/** Makes the table of members that count, numbered as their records win: a member that is in several parts has its lines in these in order. */
export function memberStatements(members: readonly RankedMember[]): readonly string[] {
  const rows = members.map(
    ({ part, group, isPicked, member, cohort, start, end }, number) =>
      `(${number}, ${part}, ${group}, ${String(isPicked)}, ${member}, ${literal(cohort)}, ${start === null ? "null" : literal(start)}, ${literal(end)})`,
  );
  const make =
    "create or replace temp table member (n integer, f bigint, g integer, picked boolean, m integer, cohort varchar, s varchar, e varchar)";
  return [make, ...batches(rows).map((some) => `insert into member values ${some.join(", ")}`)];
}

/** A file of a table's staged rows, and the part that it is of: the same number in all tables of a type. */
export interface PartFile {
  readonly part: number;
  readonly path: string;
}

/** Makes the table that tells a file's part: a table has no file for a part without rows. */
export function partStatements(files: readonly PartFile[]): readonly string[] {
  const rows = files.map(({ part }, index) => `(${index}, ${part})`);
  const make = "create or replace temp table part (i bigint, f bigint)";
  return [make, ...batches(rows).map((some) => `insert into part values ${some.join(", ")}`)];
}

/** Statements of bounded length: an insert of all members of a thousand exports would be megabytes. */
const BATCH = 1000;

function batches<T>(rows: readonly T[]): readonly (readonly T[])[] {
  const all: (readonly T[])[] = [];
  for (let at = 0; at < rows.length; at += BATCH) all.push(rows.slice(at, at + BATCH));
  return all;
}

/** A folder called "m=7" is a folder, and no column m: where the work folder lies is nobody's data. */
const NO_HIVE = "hive_partitioning = false";

/** Reads files as they are called: DuckDB takes what is there by its name, also one with marks of patterns. */
export function parquet(paths: readonly string[], ...how: readonly string[]): string {
  return `read_parquet([${paths.map(literal).join(", ")}], ${[NO_HIVE, ...how].join(", ")})`;
}

/** Staged rows with the part that they are of. */
function rowsOf(files: readonly PartFile[]): string {
  const read = parquet(
    files.map(({ path }) => path),
    "union_by_name = true",
  );
  return `(select s.* exclude (file_index), p.f as ${PART} from (select *, file_index from ${read}) s join part p on s.file_index = p.i) r`;
}

/** The staged rows that count, with what is known of their members. */
function counting(files: readonly PartFile[]): string {
  return `${rowsOf(files)} join member b on r.${PART} = b.f and r.${MEMBER} = b.m`;
}

/** Columns of a key, of the rows called `row`. */
function keyOf({ type }: RecordShape, row: string): readonly string[] {
  return type.key.map((column) => `${row}.${name(column)}`);
}

/** A file of the rows that had won, and the numbers of the parts that it names by their places. */
export interface WinnersFile {
  readonly path: string;
  readonly parts: readonly number[];
}

/** Makes the table of rows that had won before. */
export function pickedStatements(files: readonly WinnersFile[]): readonly string[] {
  const rows = files.flatMap(({ parts }, index) =>
    parts.map((part, place) => `(${index}, ${place}, ${part})`),
  );
  const make = "create or replace temp table place (i bigint, p integer, f bigint)";
  const read = `(select *, file_index from ${parquet(files.map(({ path }) => path))})`;
  return [
    make,
    ...batches(rows).map((some) => `insert into place values ${some.join(", ")}`),
    files.length === 0
      ? "create or replace temp table picked (f bigint, m integer, l bigint)"
      : `create or replace temp table picked as select o.f, w.m, w.l from ${read} w join place o on w.file_index = o.i and w.p = o.p`,
  ];
}

/** Bits of a line's number, below those of its member's. */
const LINE_BITS = 40;

/**
 * Picks, of the records of each key, the one that wins: by its instant, its member, its line, all in one number, so that a key's state is of
 * one size and can be spilled. Of a record only its place and its key are kept: sorting whole rows to find it costs many times as much.
 */
export function winnersStatement(shape: RecordShape, files: readonly PartFile[]): string {
  // A record without an instant loses to every other; one less would overflow.
  const instant = `coalesce(r.${INSTANT}, ${1n - 2n ** 63n})::hugeint`;
  const rank = `(${instant} * ${2n ** 64n}) + (b.n::hugeint << ${LINE_BITS}) + r.${LINE}`;
  const keys = keyOf(shape, "r").join(", ");
  // Arrays' rows carry it as well; who else has it reads it where the record is.
  const carried = shape.tables.length === 1 ? [] : carriedColumns(shape.type);
  const others = carried.map(name).filter((column) => !shape.type.key.map(name).includes(column));
  const values = others.map((column) => `arg_max_null(r.${column}, ${rank}) as ${column}`);
  const low = `max(${rank}) & ${2n ** 64n - 1n}::hugeint as x`;
  const best = `select ${[keys, ...values, low].join(", ")} from ${counting(files)} ${PICKED} group by ${keys}`;
  const own = [...keyOf(shape, "k"), ...others.map((column) => `k.${column}`)].join(", ");
  const line = `(k.x & ${2n ** BigInt(LINE_BITS) - 1n}::hugeint)::bigint as ${LINE}`;
  const of = `b.f as ${PART}, b.m as ${MEMBER}, b.g as ${GROUP}, b.cohort as ${COHORT_OF}, b.s as ${START}, b.e as ${END}`;
  return (
    `create or replace temp table winner as select ${own}, ${line}, ${of} ` +
    `from (${best}) k join member b on b.n = (k.x >> ${LINE_BITS})::integer`
  );
}

/** Leaves out rows that had lost before. */
const PICKED = `where not b.picked or (r.${PART}, r.${MEMBER}, r.${LINE}) in (select (f, m, l) from picked)`;

/**
 * A key as a number, by which segments are found that may have it: DuckDB's own hash, which another version of DuckDB may compute otherwise.
 * Ten bits less than it has, sorted, take half the bytes; with a billion keys in each of two sets, one in some ten thousand is taken for another.
 */
function hashOf(shape: RecordShape, row: string): string {
  return `(hash(${keyOf(shape, row).join(", ")}) >> 10)::bigint`;
}

/** Gathers the keys of new rows, as numbers. */
export function freshStatement(shape: RecordShape, files: readonly PartFile[]): string {
  return `create or replace temp table fresh as select distinct ${hashOf(shape, "r")} as k from ${counting(files)}`;
}

export const NO_FRESH = "create or replace temp table fresh (k bigint)";

/** Gathers the keys that are deleted, of files that hold them. */
export function deletedStatement({ type }: RecordShape, files: readonly string[]): string {
  const keys = type.key.map(name).join(", ");
  return `create or replace temp table deleted as select distinct ${keys} from ${parquet(files)}`;
}

/** Names, of files of segments' keys, those that have a key of the new rows, show one that is deleted now, or hide one that is not any more. */
export function touchedStatement(
  shape: RecordShape,
  files: readonly string[],
  hasDeleted: boolean,
): string {
  const deleted = hasDeleted ? `s.k in (select ${hashOf(shape, "deleted")} from deleted)` : "false";
  return `select distinct s.filename from ${parquet(files, "filename = true")} s where s.k in (select k from fresh) or s.live = (${deleted})`;
}

/** A group's keys, sorted, with whether they are shown; a type that deletes has the keys themselves, too. */
export function keysStatement(shape: RecordShape, group: number, hasDeleted: boolean): string {
  const { key, deletes } = shape.type;
  const columns = deletes === null ? [] : key.map((column) => `w.${name(column)}`);
  const live = hasDeleted ? `d.${name(key[0] ?? "")} is null` : "true";
  const join = hasDeleted ? `left join deleted d on ${sameKey(shape, "d", "w")}` : "";
  const selected = [`${hashOf(shape, "w")} as k`, `${live} as live`, ...columns];
  return `select ${selected.join(", ")} from winner w ${join} where w.${GROUP} = ${group} order by k`;
}

function sameKey({ type }: RecordShape, one: string, other: string): string {
  const same = type.key.map((column) => `${one}.${name(column)} = ${other}.${name(column)}`);
  return same.join(" and ");
}

/** Removes what was deleted: whatever its date, and whatever was sent again later. */
export function dropDeletedStatement(shape: RecordShape): string {
  return `delete from winner using deleted where ${sameKey(shape, "deleted", "winner")}`;
}

/** Counts the winners of each group by the day that their export ends. */
export const COUNT_WINNERS = `select ${GROUP}, ${END}, count(*) from winner group by all order by all`;

/** Counts the winners of each group by cohort. */
export const COUNT_COHORTS = `select ${GROUP}, ${COHORT_OF}, count(*) from winner group by all`;

/** Names the parts of each group that have a winner. */
export const LIVE_PARTS = `select distinct ${GROUP}, ${PART} from winner order by all`;

/** A group's participants, each once for each cohort, of the rows that are shown. */
export function peopleStatement(participant: string, group: number): string {
  return `select distinct ${COHORT_OF} as cohort, ${name(participant)} as participant from winner where ${GROUP} = ${group} order by all`;
}

/** Counts the participants of each cohort in files of them. */
export function countPeopleStatement(files: readonly string[]): string {
  return `select cohort, count(distinct participant) from ${parquet(files)} group by cohort order by cohort`;
}

/** Which rows have won in a group, in their order: parts by their places among those that have any. */
export function picksStatement(group: number): string {
  const own = `winner where ${GROUP} = ${group}`;
  const places = `(select f, row_number() over (order by f) - 1 as p from (select distinct ${PART} as f from ${own}))`;
  return (
    `select o.p::integer as p, w.${MEMBER} as m, w.${LINE} as l ` +
    `from (select * from ${own}) w join ${places} o on w.${PART} = o.f order by all`
  );
}

/**
 * A surrogate: 63 bits of the MD5 of the key, the array's path and the positions of the elements that it lies in, so that it is the same
 * in every run and namespace. Parts are told from each other by their lengths.
 */
function surrogate(keys: readonly string[], path: string, index: string | null): string {
  const place = index === null ? [] : [`${index}::varchar`];
  const parts = [...keys.map((key) => `${key}::varchar`), literal(path), ...place];
  const text = parts.map((part) => `length(${part}) || ':' || ${part}`).join(" || ");
  return `(md5_number_lower(${text}) >> 1)::bigint`;
}

/** A dataset's rows of a group and a cohort, sorted by key. */
export function datasetStatement(
  shape: RecordShape,
  table: number,
  columns: readonly DatasetColumn[],
  of: { readonly files: readonly PartFile[]; readonly group: number; readonly cohort: string },
): string {
  const own = shape.tables[table];
  const keys = keyOf(shape, "w");
  const isChild = own?.parent !== null;
  // An element's own arrays are told apart by its place; so is the one that it lies in, where that lies in an element, too.
  const place = isChild ? `r.${INDEX}` : null;
  const outer = isChild && own?.parent !== 0 ? `r.${OUTER}` : null;
  const valueOf = ({ name: as, type, source }: DatasetColumn): string => {
    switch (source.kind) {
      case "staged": {
        const value = `r.${name(as)}`;
        if (type !== "surrogate") return value;
        const child = shape.tables.find(
          (one) => one.parent === table && one.column === source.column,
        );
        return `case when ${value} then ${surrogate(keys, child?.path ?? "", place)} end`;
      }
      case "extra":
        return `r.${EXTRAS}[${literal(source.path)}]`;
      case "id":
        return surrogate(keys, own?.path ?? "", outer);
      case "index":
        return `r.${INDEX}`;
      case "record":
        return `w.${name(source.column)}`;
      case "export":
        return `w.${source.column === "export_start_date" ? START : END}`;
    }
  };
  const from = `${rowsOf(of.files)} join winner w on r.${PART} = w.${PART} and r.${MEMBER} = w.${MEMBER} and r.${LINE} = w.${LINE}`;
  const selected = columns.map((column) => `${valueOf(column)} as ${name(column.name)}`);
  const order = [...keys, outer, place].filter((by) => by !== null);
  return `select ${selected.join(", ")} from ${from} where w.${GROUP} = ${of.group} and w.${COHORT_OF} = ${literal(of.cohort)} order by ${order.join(", ")}`;
}
