// The entityId column of a manifest while it is read: which file each record names, and which cells name none.

import type { CsvRecord } from "../../../formats/csvRecord.ts";
import { entityNumber } from "./cellBytes.ts";
import { ENTITY_COLUMN } from "./manifestColumns.ts";
import { isMissing } from "./missing.ts";
import { cleanText } from "./spelling.ts";
import type { SpellingTaker } from "./spellingNotes.ts";
import { entityNumberOf } from "./view.ts";

/** A record whose entityId is none; null is a value that is not to be shown. */
export interface BadEntityId {
  readonly record: number;
  readonly value: string | null;
}

/** A Synapse id, or a slip of one: "syn12 34", "syn123a", "SYN123.1". */
const LIKE_SYNAPSE_ID = /^syn[ ._-]?[\w. -]{0,20}$/i;

/** Collects the cells of the column, one for each record and in their order. */
export function makeEntityColumn(spelling: SpellingTaker) {
  const entityNumbers: number[] = [];
  const badEntityIds: BadEntityId[] = [];
  const oddEntityIds: BadEntityId[] = [];
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
      const value = cleanText(text);
      const inner = entityNumberOf(value);
      entityNumbers.push(inner);
      if (inner === 0) {
        const list = value.startsWith("syn") ? oddEntityIds : badEntityIds;
        const isShown = isMissing(value) || LIKE_SYNAPSE_ID.test(value);
        list.push({ record: entityNumbers.length - 1, value: isShown ? value : null });
      } else if (value !== text) spelling.addCell(record.row, ENTITY_COLUMN, text, value);
    },
  };
}
