// The columns of a dataset: those that are declared, and those that records have brought along.

import type { ColumnType } from "./current.ts";
import { PATH_MARK } from "./lineState.ts";
import {
  carriedColumns,
  COHORT,
  EXPORT_COLUMNS,
  pathName,
  type RecordShape,
} from "./recordShape.ts";
import type { Scalar } from "./schema.ts";
import { byText } from "./text.ts";

/** A column of a dataset, and where its values come from. */
export interface DatasetColumn {
  readonly name: string;
  readonly type: Scalar | "surrogate";
  readonly source:
    | { readonly kind: "staged"; readonly column: number }
    /** A field that nobody declared, by its path. */
    | { readonly kind: "extra"; readonly path: string }
    /** The surrogate of the row's array, in a child. */
    | { readonly kind: "id" }
    | { readonly kind: "index" }
    /** A column of the record that the row belongs to. */
    | { readonly kind: "record"; readonly column: string }
    | { readonly kind: "export"; readonly column: (typeof EXPORT_COLUMNS)[number] };
}

/** Types of columns, as current.json has them. */
export const COLUMN_TYPES = {
  string: "string",
  int: "bigint",
  double: "double",
  boolean: "boolean",
  surrogate: "surrogate",
} as const satisfies Record<string, ColumnType>;

/**
 * Lists a dataset's columns in their order, but for the cohort, by which its files are parted. `extras` are the paths of fields that
 * nobody declared and that a record has: they come last, by new name and then by old.
 */
export function columnsOf(
  shape: RecordShape,
  table: number,
  extras: ReadonlySet<string>,
): readonly DatasetColumn[] {
  const own = shape.tables[table];
  if (own === undefined) return [];
  const columns: DatasetColumn[] = [];
  if (own.parent !== null) {
    columns.push({ name: "id", type: "int", source: { kind: "id" } });
    columns.push({ name: "index", type: "int", source: { kind: "index" } });
  }
  own.columns.forEach(({ name, type }, column) => {
    columns.push({ name, type, source: { kind: "staged", column } });
  });
  if (own.parent === null) {
    for (const column of EXPORT_COLUMNS) {
      columns.push({ name: column, type: "string", source: { kind: "export", column } });
    }
  } else {
    for (const column of carriedColumns(shape.type)) {
      const type = typeOf(shape, column);
      columns.push({ name: column, type, source: { kind: "record", column } });
    }
  }
  const found = [...extras].map((path) => {
    const plain = cleanName(path.split(PATH_MARK).join("_"));
    const isTaken = own.path !== "" && own.taken.has(plain);
    return { path, name: isTaken ? `${pathName(own.path)}_${plain}` : plain };
  });
  found.sort((a, b) => byText(a.name, b.name) || byText(a.path, b.path));
  for (const { path, name } of found) {
    columns.push({ name, type: "string", source: { kind: "extra", path } });
  }
  return withNamesOfTheirOwn(columns);
}

/** Gives a number to the later of two names that are equal without regard to case: readers of SQL cannot tell them. */
function withNamesOfTheirOwn(columns: readonly DatasetColumn[]): readonly DatasetColumn[] {
  const names = new Set<string>([COHORT]);
  return columns.map((column) => {
    let free = column.name;
    for (let n = 1; names.has(free.toLowerCase()); n++) free = `${column.name}_${n}`;
    names.add(free.toLowerCase());
    return { ...column, name: free };
  });
}

function typeOf({ type }: RecordShape, column: string): Scalar {
  const field = type.fields[column];
  return typeof field === "string" ? field : "string";
}

function cleanName(name: string): string {
  const clean = name.replace(/[^A-Za-z0-9_]/g, "_");
  return clean === "" ? "_" : clean;
}
