// What is compared of a data type: its datasets, how their rows are matched, and which of their columns are compared.

import { HdashError } from "../../../error.ts";
import type { BySide } from "./compareResult.ts";
import { EXPORT_COLUMNS, type RecordShape } from "./recordShape.ts";
import { byText } from "./text.ts";

/** The column that limits rows to exports, and that tells their days. */
export const END = EXPORT_COLUMNS[1];
/** The index of the element that an array in an array lies in; no dataset has a column of this name. */
export const OUTER = "^parent_index";

/** A dataset of a type, as its shape has it. */
export interface ComparedTable {
  readonly dataset: string;
  readonly type: string;
  /** Place of the table that it is a child of, among those of its type; null for the parent of all. */
  readonly parent: number | null;
  /** The dataset of that table. */
  readonly parentDataset: string | null;
  /** The column of that table which stands for it; null for the parent of all. */
  readonly surrogate: string | null;
  /** Columns that rows are matched on: of the record, a child's index, and, of an array in an array, OUTER. */
  readonly key: readonly string[];
  /** Columns of which nothing is compared: surrogates, and a child's id. */
  readonly ignored: ReadonlySet<string>;
}

/** Lists the tables of a type, a parent before its children. */
export function comparedTables({ type, tables }: RecordShape): readonly ComparedTable[] {
  return tables.map(({ dataset, parent, column, columns }) => {
    const surrogates = columns.filter((one) => one.type === "surrogate").map(({ name }) => name);
    const own = parent === null ? [] : ["index"];
    const outer = parent === null || tables[parent]?.parent === null ? [] : [OUTER];
    return {
      ...{ dataset, parent, type: type.name, key: [...type.key, ...outer, ...own] },
      parentDataset: parent === null ? null : (tables[parent]?.dataset ?? null),
      surrogate: parent === null ? null : (tables[parent]?.columns[column ?? -1]?.name ?? null),
      ignored: new Set(parent === null ? surrogates : ["id", ...surrogates]),
    };
  });
}

/** A column as a side has it. */
export interface SideColumn {
  readonly name: string;
  readonly type: string;
}

/** A column of both sides whose values are compared. */
export interface ComparedColumn {
  readonly name: string;
  readonly types: BySide<string>;
}

export interface ComparedColumns {
  /** In staging's order. */
  readonly compared: readonly ComparedColumn[];
  readonly inCommon: number;
  readonly onlyStaging: readonly string[];
  readonly onlyMain: readonly string[];
}

/**
 * Finds the columns in common, by their exact names. Throws usage where a name comes twice, where there is none in common, and where a side
 * lacks a column of the key.
 */
export function compareColumns(
  { dataset, key, ignored }: ComparedTable,
  sides: BySide<readonly SideColumn[]>,
): ComparedColumns {
  const named = (side: readonly SideColumn[]) => {
    const columns = new Map(side.map((column) => [column.name, column]));
    if (columns.size === side.length) return columns;
    const twice = side.find((column) => columns.get(column.name) !== column)?.name ?? "";
    throw refusal(dataset, `it has the column ${twice} twice`);
  };
  const [staging, main] = [named(sides.staging), named(sides.main)];
  const common = sides.staging.filter(({ name }) => main.has(name));
  if (common.length === 0) throw refusal(dataset, "the two have no column in common");
  for (const name of key.filter((one) => one !== OUTER)) {
    const lacking = !staging.has(name) ? "staging" : !main.has(name) ? "main" : null;
    if (lacking === null) continue;
    throw refusal(dataset, `rows are matched on ${name}, and ${lacking} has no such column`);
  }
  const isSurrogate = (name: string): boolean =>
    ignored.has(name) || [staging, main].some((side) => side.get(name)?.type === "surrogate");
  const compared = common
    .filter(({ name }) => !key.includes(name) && !isSurrogate(name))
    .map(({ name, type }) => ({
      name,
      types: { staging: type, main: main.get(name)?.type ?? type },
    }));
  const without = (one: ReadonlyMap<string, unknown>, other: ReadonlyMap<string, unknown>) =>
    [...one.keys()].filter((name) => !other.has(name)).sort(byText);
  return {
    ...{ compared, inCommon: common.length },
    ...{ onlyStaging: without(staging, main), onlyMain: without(main, staging) },
  };
}

function refusal(dataset: string, what: string): HdashError {
  return new HdashError("usage", `${dataset} cannot be compared: ${what}`);
}
