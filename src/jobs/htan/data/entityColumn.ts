// The entityId column of a manifest while it is read: which file each record names, and which cells name none.

import type { CsvRecord } from "../../../formats/csv.ts";
import { cellStartsWith, entityNumber } from "./cellBytes.ts";
import { keptValue } from "./keptValue.ts";
import { entityNumberOf } from "./view.ts";

const SYN = Buffer.from("syn");

/** Collects the cells of the column, one for each record and in their order. */
export function makeEntityColumn() {
  const entityNumbers: number[] = [];
  const badEntityIds: { record: number; value: string }[] = [];
  const oddEntityIds: { record: number; value: string }[] = [];
  return {
    found: { entityNumbers, badEntityIds, oddEntityIds },
    /** Takes a cell; its text is read only where it is no plain id. */
    add(record: CsvRecord, index: number, readText: () => string): void {
      const number = entityNumber(record, index);
      if (number > 0) {
        entityNumbers.push(number);
        return;
      }
      const text = readText();
      const inner = entityNumberOf(text.trim());
      entityNumbers.push(inner);
      if (inner > 0) return;
      const list = cellStartsWith(record, index, SYN) ? oddEntityIds : badEntityIds;
      list.push({ record: entityNumbers.length - 1, value: keptValue(text) });
    },
  };
}
