// The datasets that checks may be about, with the columns that are declared, as a schema lays them out.

import type { CheckedDataset } from "./check.ts";
import { COLUMN_TYPES, columnsOf } from "./columns.ts";
import type { RecordShape } from "./recordShape.ts";

/** Lists the datasets of all types, by name. */
export function checkedDatasets(
  shapes: ReadonlyMap<string, RecordShape>,
): ReadonlyMap<string, CheckedDataset> {
  const all = new Map<string, CheckedDataset>();
  for (const shape of shapes.values()) {
    const { name: type, key, deletes } = shape.type;
    if (deletes !== null) continue;
    shape.tables.forEach(({ dataset: name, parent, column }, at) => {
      const columns = columnsOf(shape, at, new Set());
      all.set(name, {
        ...{ name, type, key },
        columns: new Map(columns.map((one) => [one.name, COLUMN_TYPES[one.type]])),
        parent: parent === null ? null : parentOf(shape, parent, column),
      });
    });
  }
  return all;
}

/** The dataset of a table, with its column that stands for an array. */
function parentOf(
  shape: RecordShape,
  table: number,
  column: number | null,
): CheckedDataset["parent"] {
  const found = columnsOf(shape, table, new Set()).find(
    ({ source }) => source.kind === "staged" && source.column === column,
  );
  return { dataset: shape.tables[table]?.dataset ?? "", column: found?.name ?? "" };
}
