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
  const counts = scans.flatMap((scan) => {
    const missing = missingOf(scan);
    const isExpected = expectedOf(scan);
    const unexpected =
      isExpected === null ? missing : `not (${missing}) and not coalesce(${isExpected}, false)`;
    return [`count_if(${missing})`, `count_if(${unexpected})`];
  });
  return `select count(*), ${counts.join(", ")} from ${parquet(files)}`;
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

function betweenOf(
  column: string,
  { type, min, max }: Extract<ColumnScan, { readonly kind: "between" }>,
): string {
  // Text is a number where casts of records take it for one: DuckDB would also take 1_000, and words for what is not finite.
  const isText = type === "string";
  const value = isText ? `try_cast(${column} as double)` : column;
  return [
    ...(min === null ? [] : [`${value} >= ${doubleOf(min)}`]),
    ...(max === null ? [] : [`${value} <= ${doubleOf(max)}`]),
    ...(isText ? [`isfinite(${value})`, `not contains(${column}, '_')`] : []),
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
