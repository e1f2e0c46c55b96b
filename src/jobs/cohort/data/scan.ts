// What is counted in the files of a dataset for its checks: a plan says which scans, a step gives counts of rows and never a value.

import { type Check, type CheckedDataset, type CheckedValue, columnsOfCheck } from "./check.ts";
import type { ColumnType } from "./current.ts";

/** What is looked for in rows. A scan knows nothing of how bad a find would be, so that its counts are good for every check of the same rule. */
export type Scan =
  | {
      readonly kind: "between";
      readonly column: string;
      readonly type: ColumnType;
      readonly min: number | null;
      readonly max: number | null;
    }
  | {
      readonly kind: "set";
      readonly column: string;
      readonly type: ColumnType;
      readonly values: readonly CheckedValue[];
    }
  | { readonly kind: "pattern"; readonly column: string; readonly pattern: string }
  | { readonly kind: "not_null"; readonly column: string; readonly type: ColumnType }
  | { readonly kind: "unique"; readonly columns: readonly string[] }
  /** `parent`: the column of the parent's dataset that has the id. */
  | { readonly kind: "has_parent"; readonly parent: string };

/** Rows that a scan is about and that have no value, or none of one of the columns; and those that are not as they should be. */
export interface Tally {
  readonly missing: number;
  readonly unexpected: number;
}

/** The scan that a check needs; null where it needs none. */
export function scanOf(
  check: Check,
  { columns, parent }: Pick<CheckedDataset, "parent"> & { readonly columns: Columns },
): Scan | null {
  const column = check.column ?? "";
  const type = columns.get(column) ?? "string";
  switch (check.kind) {
    case "between":
      return { kind: "between", column, type, min: check.min, max: check.max };
    case "set":
      return { kind: "set", column, type, values: check.values };
    case "pattern":
      return { kind: "pattern", column, pattern: check.pattern };
    case "not_null":
      return { kind: "not_null", column, type };
    case "unique":
      return { kind: "unique", columns: check.columns };
    case "has_parent":
      return { kind: "has_parent", parent: parent?.column ?? "" };
    case "exists":
    case "fresh":
    case "row_count":
      return null;
  }
}

type Columns = ReadonlyMap<string, ColumnType>;

/**
 * Tells whether a scan's counts of segments add up to those of the whole. Rows of a key, with all that belongs to them, are in one segment:
 * only what may be equal in rows of several keys has to be looked at in all files together.
 */
export function addsUp(check: Check, { key }: Pick<CheckedDataset, "key">): boolean {
  return check.kind !== "unique" || key.every((column) => check.columns.includes(column));
}

/** Names a column that a check is about and that a dataset has not; null where it has them all. */
export function lackingColumn(check: Check, columns: Columns): string | null {
  if (check.kind === "exists") return null;
  return columnsOfCheck(check).find((column) => !columns.has(column)) ?? null;
}

/** Adds up the tallies of segments, scan by scan. */
export function sumTallies(all: readonly (readonly Tally[])[]): readonly Tally[] {
  const [first = []] = all;
  return first.map((_none, at) => ({
    missing: all.reduce((sum, own) => sum + (own[at]?.missing ?? 0), 0),
    unexpected: all.reduce((sum, own) => sum + (own[at]?.unexpected ?? 0), 0),
  }));
}
