// Datasets as they lie in a folder of one's own: <dataset>/cohort=<cohort>/<file>.parquet. No namespace, build or catalog is needed.

import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { codeOf } from "../../../error.ts";
import { type Duck, literal } from "../build/duck.ts";
import { COHORT } from "../data/recordShape.ts";
import { byText } from "../data/text.ts";
import type { SideRows } from "./statements.ts";

const TYPES: Readonly<Record<string, string>> = {
  ...{ VARCHAR: "string", BIGINT: "bigint", DOUBLE: "double", BOOLEAN: "boolean" },
};
const FOLDER = /^cohort=(.+)$/;

/** Finds a dataset's files below a folder, with the columns that the first of them has; null where there is no such dataset. */
export async function rowsInFolder(
  duck: Duck,
  dir: string,
  dataset: string,
): Promise<SideRows | null> {
  const files: { cohort: string; path: string }[] = [];
  const entries = await readdir(join(dir, dataset)).catch((error: unknown) => {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  });
  if (entries === null) return null;
  for (const folder of entries.sort(byText)) {
    const [, cohort] = FOLDER.exec(folder) ?? [];
    if (cohort === undefined) continue;
    for (const file of (await readdir(join(dir, dataset, folder))).sort(byText)) {
      if (!file.endsWith(".parquet")) continue;
      files.push({ cohort, path: join(dir, dataset, folder, file) });
    }
  }
  const [first] = files;
  if (first === undefined) return null;
  const described = await duck.rows(
    `reading columns of ${dataset}`,
    `describe from read_parquet(${literal(first.path)}, hive_partitioning = false)`,
  );
  const columns = described.map(([name, type]) => ({
    name: String(name),
    type: TYPES[String(type)] ?? String(type),
  }));
  return { columns: [...columns, { name: COHORT, type: "string" }], files };
}
