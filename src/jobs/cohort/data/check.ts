// Checks of datasets as config/cohort/checks.json has them: what should hold of a column, of some columns, of a dataset.

import type { ColumnType } from "./current.ts";

/** A value that a column may have. */
export type CheckedValue = string | number | boolean;

/** What should hold, by its kind. */
export type Rule =
  | { readonly kind: "between"; readonly min: number | null; readonly max: number | null }
  | { readonly kind: "set"; readonly values: readonly CheckedValue[] }
  /** A regular expression that the whole text fits, as RE2 and so DuckDB reads it. */
  | { readonly kind: "pattern"; readonly pattern: string }
  | { readonly kind: "unique"; readonly columns: readonly string[] }
  | { readonly kind: "not_null" }
  | { readonly kind: "exists" }
  /** So many days before the run's day the newest date may be. */
  | { readonly kind: "fresh"; readonly days: number }
  /** So many percent the number of rows may differ from the build before. */
  | { readonly kind: "row_count"; readonly percent: number }
  | { readonly kind: "has_parent" };
export type CheckKind = Rule["kind"];

/** A check; `column` is null where it is about several, or about none. */
export type Check = Rule & {
  readonly id: string;
  readonly dataset: string;
  readonly column: string | null;
  /** What a failure of it is. */
  readonly severity: "error" | "warning";
  /** True where a type that fails it keeps the datasets of the build before. */
  readonly blocks: boolean;
};

/** A dataset as checks know it. */
export interface CheckedDataset {
  readonly name: string;
  readonly type: string;
  /** Columns that are declared, without the cohort, which is in no file. */
  readonly columns: ReadonlyMap<string, ColumnType>;
  /** Columns of its type's key. */
  readonly key: readonly string[];
  /** The dataset that its rows belong to, with the column that has their `id`; null for one of records. */
  readonly parent: { readonly dataset: string; readonly column: string } | null;
}

/** Columns that a check is about. */
export function columnsOfCheck(check: Check): readonly string[] {
  if (check.kind === "unique") return check.columns;
  return check.column === null ? [] : [check.column];
}
