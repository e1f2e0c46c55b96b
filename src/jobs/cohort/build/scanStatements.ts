// The SQL by which rows of a dataset are counted for its checks. What comes back are counts of rows; no statement selects a value.

import type { CheckedValue } from "../data/check.ts";
import type { ColumnType } from "../data/current.ts";
import type { Scan } from "../data/scan.ts";
import { literal, name } from "./duck.ts";
import { parquet } from "./statements.ts";

/** Scans that look at one column, row by row: all of them are one pass over the columns that they need. */
export type ColumnScan = Extract<Scan, { readonly column: string }>;

export function isColumnScan(scan: Scan): scan is ColumnScan {
  return "column" in scan;
}

/** Counts rows, and for each scan those that are missing and those that are unexpected. */
export function columnScansStatement(
  files: readonly string[],
  scans: readonly ColumnScan[],
): string {
  const read = parquet(files);
  const states: string[] = [];
  const counts = scans.map((scan, at) => {
    if (scan.kind === "between" && scan.type !== "string") {
      states.push(name(scan.column));
      // A query of its own: DuckDB then leaves out stretches of a file whose least and greatest value, which the file tells, are as expected.
      const outside = `select count(*) from ${read} where ${outsideOf(scan)}`;
      return `count(*) - count(${name(scan.column)}), (${outside})`;
    }
    // No field has such a name: DuckDB would take a column of it for this.
    const state = name(`^s${at}`);
    states.push(`${stateOf(scan)} as ${state}`);
    return `count_if(${state} in (1, 3)), count_if(${state} >= 2)`;
  });
  // A subquery, since DuckDB works out what stands in an aggregate once for each aggregate.
  const inner = `select ${[...new Set(states)].join(", ")} from ${read}`;
  return `select count(*), ${counts.join(", ")} from (${inner})`;
}

/** Tells of a number whether it is out of bounds; what is not a number is greater than all. */
function outsideOf({
  column,
  min,
  max,
}: Extract<ColumnScan, { readonly kind: "between" }>): string {
  const bounds = [
    ...(min === null ? [] : [`${name(column)} < ${doubleOf(min)}`]),
    ...(max === null ? [] : [`${name(column)} > ${doubleOf(max)}`]),
  ];
  return bounds.join(" or ");
}

/** What a row is to a scan: 0 as it should be, 1 missing, 2 unexpected, 3 missing where nothing may be. */
function stateOf(scan: ColumnScan): string {
  const missing = missingOf(scan);
  const isExpected = expectedOf(scan);
  if (isExpected === null) return `case when ${missing} then 3 else 0 end`;
  const [first, second] =
    scan.kind === "between"
      ? // A number is not missing: what most rows are is asked first, and the rest of few.
        [`${isExpected} then 0`, `${missing} then 1`]
      : [`${missing} then 1`, `${isExpected} then 0`];
  return `case when ${first} when ${second} else 2 end`;
}

/** Counts rows of which one of the columns is null, and those that share their values with another row. */
export function uniqueStatement(files: readonly string[], columns: readonly string[]): string {
  const own = columns.map(name);
  const isNull = own.map((column) => `${column} is null`).join(" or ");
  const groups = `select count(*) as n from ${parquet(files)} where not (${isNull}) group by ${own.join(", ")} having count(*) > 1`;
  return `select (select count(*) from ${parquet(files)} where ${isNull}), (select coalesce(sum(n), 0) from (${groups}))`;
}

/** Counts rows without an id, and those whose id no row of the parent has in its column. */
export function parentStatement(
  files: readonly string[],
  parents: readonly string[],
  column: string,
): string {
  const known =
    parents.length === 0
      ? "select null::bigint as p where false"
      : `select ${name(column)} as p from ${parquet(parents)} where ${name(column)} is not null`;
  return `select count_if(c.id is null), count_if(c.id is not null and k.p is null) from ${parquet(files)} c left join (select distinct p from (${known})) k on c.id = k.p`;
}

/** Counts rows whose date, at the beginning of a text column, lies between two days, both included. */
export function recentStatement(
  files: readonly string[],
  { column, from, to }: { readonly column: string; readonly from: string; readonly to: string },
): string {
  const day = `left(${name(column)}, 10)`;
  return `select count_if(${day} between ${literal(from)} and ${literal(to)}) from ${parquet(files)}`;
}

/** What text is without: as casts of records trim it. */
const BLANKS = "E' \\t\\r\\n'";

/** Tells of a row whether its value is missing: null, or text that is empty. */
function missingOf(scan: ColumnScan): string {
  const column = name(scan.column);
  const isText = scan.kind === "pattern" || scan.type === "string";
  // Where empty text is one of the values, it is no lack of one.
  const isValue = scan.kind === "set" && scan.values.includes("");
  return isText && !isValue
    ? `${column} is null or trim(${column}, ${BLANKS}) = ''`
    : `${column} is null`;
}

/** Tells of a row that has a value whether it is one that is expected; null where any is. */
function expectedOf(scan: ColumnScan): string | null {
  const column = name(scan.column);
  switch (scan.kind) {
    case "between":
      return betweenOf(column, scan);
    case "set":
      return `${column} in (${scan.values.map((value) => valueOf(value, scan.type)).join(", ")})`;
    case "pattern":
      return `regexp_full_match(${column}, ${literal(scan.pattern)})`;
    case "not_null":
      return null;
  }
}

/** Tells of text whether it is a number within bounds. */
function betweenOf(
  column: string,
  { min, max }: Extract<ColumnScan, { readonly kind: "between" }>,
): string {
  const value = `try_cast(${column} as double)`;
  return [
    ...(min === null ? [] : [`${value} >= ${doubleOf(min)}`]),
    ...(max === null ? [] : [`${value} <= ${doubleOf(max)}`]),
    // Text is a number where casts of records take it for one: DuckDB would also take 1_000, and words for what is not finite.
    `isfinite(${value})`,
    `not contains(${column}, '_')`,
  ].join(" and ");
}

function doubleOf(value: number): string {
  return `${literal(String(value))}::double`;
}

function valueOf(value: CheckedValue, type: ColumnType): string {
  if (typeof value === "number") return doubleOf(value);
  if (typeof value === "boolean") return String(value);
  return type === "string" ? literal(value) : "null";
}
