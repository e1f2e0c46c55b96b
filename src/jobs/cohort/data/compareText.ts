// What a comparison of a dataset says in full, as text: with samples of participants' rows, so that it is as private as the datasets.

import { number } from "../../../format.ts";
import type { BySide, ComparedBuild, DatasetComparison } from "./compareResult.ts";

/** Values that a comparison shows: of participants. Texts are as DuckDB writes them, cut where they are long. */
export interface CompareSamples {
  /** The greatest difference of each unequal column of numbers, by column; null where only nulls differ. */
  readonly greatest: Readonly<Record<string, string | null>>;
  /** Some rows of each unequal column: its key, and both values. */
  readonly unequal: readonly {
    readonly column: string;
    readonly rows: readonly (BySide<string | null> & {
      readonly key: readonly (string | null)[];
    })[];
  }[];
  /** Some rows that are on one side only, and their first columns. */
  readonly only: BySide<{
    readonly columns: readonly string[];
    readonly rows: readonly (readonly (string | null)[])[];
  }>;
}

type Builds = BySide<Pick<ComparedBuild, "label" | "build">>;
type Cells = readonly (readonly string[])[];

/** Writes the report of a dataset. */
export function compareText(
  builds: Builds,
  found: DatasetComparison,
  samples: CompareSamples,
): string {
  const { staging, main } = builds;
  const sections = [
    banner(builds, found),
    section("DataFrame Summary", [
      table([
        ["DataFrame", "Columns", "Rows"],
        [staging.label, number(found.columns.staging), number(found.rows.staging)],
        [main.label, number(found.columns.main), number(found.rows.main)],
      ]),
    ]),
    columnSummary(builds, found),
    rowSummary(builds, found),
    columnComparison(found),
    unequalColumns(builds, found, samples),
    unequalRows(builds, found, samples),
    onlyRows(staging.label, samples.only.staging),
    onlyRows(main.label, samples.only.main),
    columnNames(builds, found),
  ];
  return `${sections.filter((one) => one !== "").join("\n\n")}\n`;
}

function banner({ staging, main }: Builds, found: DatasetComparison): string {
  const { type, dataset, parent, isLimited } = found;
  const lines = [
    `Comparison of ${type}`,
    `Dataset:  ${dataset}${parent === null ? "" : `, a child of ${parent}`}`,
    `Staging:  ${staging.label}, build ${staging.build}`,
    `Main:     ${main.label}, build ${main.build}${isLimited ? ", limited to the exports that staging holds" : ""}`,
    "This file has rows of participants: it is as private as the datasets are.",
  ];
  const line = "=".repeat(Math.max(...lines.map((one) => one.length)));
  return [line, ...lines, line].join("\n");
}

function section(title: string, body: readonly string[]): string {
  return [title, "-".repeat(title.length), "", ...body].join("\n");
}

function columnSummary({ staging, main }: Builds, { columns, key }: DatasetComparison): string {
  const { inCommon, compared, onlyStaging, onlyMain } = columns;
  return section("Column Summary", [
    `Columns in common: ${number(inCommon)}, of which ${number(compared)} are compared (the others are of the key, ${key.join(", ")}, or surrogates)`,
    `Columns in ${staging.label} only: ${number(onlyStaging.length)}`,
    `Columns in ${main.label} only: ${number(onlyMain.length)}`,
  ]);
}

function rowSummary({ staging, main }: Builds, found: DatasetComparison): string {
  const { rows, duplicates, key } = found;
  const hasAny = duplicates.staging + duplicates.main > 0;
  return section("Row Summary", [
    `Matched on: ${key.join(", ")}`,
    `Any duplicates of these: ${hasAny ? "Yes" : "No"}`,
    ...(hasAny
      ? [
          `Rows beyond the first of their key: ${number(duplicates.staging)} in ${staging.label}, ${number(duplicates.main)} in ${main.label}`,
          "Rows of one key are put in the order of their other common columns as text, null first, and paired one by one.",
        ]
      : []),
    "Absolute tolerance: 0",
    "Relative tolerance: 0",
    `Rows in common: ${number(rows.inCommon)}`,
    `Rows in ${staging.label} only: ${number(rows.onlyStaging)}`,
    `Rows in ${main.label} only: ${number(rows.onlyMain)}`,
    `Rows in common with some column unequal: ${number(rows.someUnequal)}`,
    `Rows in common with all columns equal: ${number(rows.noneUnequal)}`,
  ]);
}

function columnComparison({ columns, unequal }: DatasetComparison): string {
  const some = unequal.filter((one) => one.unequal > 0);
  const values = some.reduce((sum, one) => sum + one.unequal, 0);
  return section("Column Comparison", [
    `Columns compared with some values unequal: ${number(some.length)}`,
    `Columns compared with all values equal: ${number(columns.compared - some.length)}`,
    `Values that are unequal: ${number(values)}`,
  ]);
}

function unequalColumns(
  { staging, main }: Builds,
  { unequal }: DatasetComparison,
  { greatest }: CompareSamples,
): string {
  if (unequal.length === 0) return "";
  const rows = unequal.map(({ name, types, unequal: count, nullDiff }) => [
    ...[name, types.staging, types.main, number(count)],
    ...[greatest[name] ?? "-", number(nullDiff)],
  ]);
  const head = ["Column", `Type in ${staging.label}`, `Type in ${main.label}`];
  return section("Columns with Unequal Values or Types", [
    table([[...head, "Unequal", "Max diff", "Null diff"], ...rows]),
  ]);
}

function unequalRows(
  { staging, main }: Builds,
  { key }: DatasetComparison,
  { unequal }: CompareSamples,
): string {
  if (unequal.length === 0) return "";
  const tables = unequal.map(({ column, rows }) =>
    table([
      [...key, `${column} (${staging.label})`, `${column} (${main.label})`],
      ...rows.map((row) => [...row.key, row.staging, row.main].map(cell)),
    ]),
  );
  return section("Sample Rows with Unequal Values", [tables.join("\n\n")]);
}

function onlyRows(label: string, { columns, rows }: CompareSamples["only"]["main"]): string {
  if (rows.length === 0) return "";
  const title = `Sample Rows Only in ${label} (First ${columns.length} Columns)`;
  return section(title, [table([columns, ...rows.map((row) => row.map(cell))])]);
}

function columnNames({ staging, main }: Builds, { columns }: DatasetComparison): string {
  const listed = (names: readonly string[]): string =>
    names.length === 0 ? "none" : names.join(", ");
  return section("Column Name Differences", [
    `Missing in ${staging.label}: ${listed(columns.onlyMain)}`,
    `Additional in ${staging.label}, missing in ${main.label}: ${listed(columns.onlyStaging)}`,
  ]);
}

/** A value in quotes, on one line; null is without. */
function cell(value: string | null): string {
  return value === null ? "null" : JSON.stringify(value);
}

function table(rows: Cells): string {
  const [head = []] = rows;
  const widths = head.map((_, at) => Math.max(...rows.map((row) => (row[at] ?? "").length)));
  return rows
    .map((row) => `  ${row.map((one, at) => one.padEnd(widths[at] ?? 0)).join("  ")}`.trimEnd())
    .join("\n");
}
