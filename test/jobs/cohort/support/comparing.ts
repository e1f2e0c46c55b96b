// Two sides of one type, made row by row, and what a comparison says of them.

import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";

import { literal, name } from "../../../../src/jobs/cohort/build/duck.ts";
import { compareType, type TableRows } from "../../../../src/jobs/cohort/compare/compareType.ts";
import { type SideRows, SIDES } from "../../../../src/jobs/cohort/compare/statements.ts";
import type { RowExport } from "../../../../src/jobs/cohort/data/comparedBuilds.ts";
import { comparedTables } from "../../../../src/jobs/cohort/data/comparedTables.ts";
import type { BySide, DatasetComparison } from "../../../../src/jobs/cohort/data/compareResult.ts";
import { shapeOf } from "../../../../src/jobs/cohort/data/recordShape.ts";
import type { DataType, Fields } from "../../../../src/jobs/cohort/data/schema.ts";
import { NEVER } from "../../../formats/support/ranges.ts";
import type { Rig } from "./cohortRig.ts";

export const TYPES = {
  string: "VARCHAR",
  bigint: "BIGINT",
  double: "DOUBLE",
  boolean: "BOOLEAN",
  surrogate: "BIGINT",
} as const;

/** A dataset of a side: its columns, and by cohort its rows, each value as SQL says it. */
export interface MadeDataset {
  readonly columns: Readonly<Record<string, keyof typeof TYPES>>;
  readonly rows: Readonly<Record<string, readonly (readonly string[])[]>>;
}

/** A data type of one's own, whose key is `id` where nothing else is said. */
export function typeOf(fields: Fields, key: readonly string[] = ["k"]): DataType {
  const plain = { deletes: null, isSubtyped: false, aliases: {}, participant: null };
  return { name: "Thing", key, fields, ...plain, identifying: new Set() };
}

export interface Compared {
  readonly found: readonly DatasetComparison[];
  readonly isLimited: boolean;
  /** A file of a dataset, as it was written. */
  file(dataset: string, name: string): Promise<string>;
  readonly files: ReadonlyMap<string, readonly string[]>;
  readonly dir: string;
}

/** Writes both sides as Parquet, and compares them. */
export async function compareMade(
  rig: Rig,
  type: DataType,
  made: BySide<Readonly<Record<string, MadeDataset>>>,
  exports: readonly RowExport[] | null = null,
  memoryMiB = 512,
): Promise<Compared> {
  const home = await rig.folder();
  const tables: TableRows[] = [];
  for (const table of comparedTables(shapeOf(type, "InsertedDate"))) {
    const rows: Partial<Record<"staging" | "main", SideRows>> = {};
    for (const side of SIDES) {
      const dataset = made[side][table.dataset];
      if (dataset === undefined) throw new Error(`no ${table.dataset}`);
      rows[side] = await write(rig, join(home, side, table.dataset), dataset);
    }
    tables.push({ table, rows: rows as BySide<SideRows>, isCompared: true });
  }
  const dir = await rig.folder();
  const found = await compareType(rig.duck, {
    builds: { staging: { label: "ours", build: "1" }, main: { label: "theirs", build: "2" } },
    ...{ tables, exports, dir, memoryMiB, signal: NEVER },
  });
  return {
    ...{ found: found.datasets, isLimited: found.isLimited, files: found.files, dir },
    file: (dataset, file) => readFile(join(dir, dataset, file), "utf8"),
  };
}

async function write(
  { duck }: Rig,
  folder: string,
  { columns, rows }: MadeDataset,
): Promise<SideRows> {
  const files: { cohort: string; path: string }[] = [];
  for (const [cohort, own] of Object.entries(rows)) {
    if (own.length === 0) continue;
    const path = join(folder, `cohort=${cohort}`, "0.parquet");
    await mkdir(dirname(path), { recursive: true });
    const values = own.map((row) => `(${row.join(", ")})`).join(", ");
    const names = Object.entries(columns).map(
      ([column, type], at) => `c${at}::${TYPES[type]} as ${name(column)}`,
    );
    const from = `(values ${values}) t(${own[0]?.map((_, at) => `c${at}`).join(", ") ?? ""})`;
    await duck.run(
      "making",
      `copy (select ${names.join(", ")} from ${from}) to ${literal(path)} (format parquet)`,
    );
    files.push({ cohort, path });
  }
  const named = Object.entries(columns).map(([column, type]) => ({ name: column, type }));
  return { columns: [...named, { name: "cohort", type: "string" }], files };
}
