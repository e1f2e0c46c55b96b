// The cells of a manifest's records, straight from their bytes: most are only counted, ids and labels are kept as they may be published.

import { cellText, type CsvRecord, INTRICATE } from "../../../formats/csvRecord.ts";
import { makeEntityColumn } from "./entityColumn.ts";
import { onlyIds } from "./ids.ts";
import { keptList, keptValue } from "./keptValue.ts";
import { CHECK_ENTITY, COUNT, IDS, KEEP, LIST, NAMELESS } from "./manifestColumns.ts";
import { isAbsent, isMissing, isMissingBytes } from "./missing.ts";
import { findShift, hasSwallowed, idsOnLines, isRagged, widthsOf } from "./rowSense.ts";
import { cleanIds, cleanText } from "./spelling.ts";
import type { SpellingTaker } from "./spellingNotes.ts";

/** A cell of ids that holds something else, which was left out. */
export interface NotId {
  readonly record: number;
  readonly column: string;
}

export type CellReader = ReturnType<typeof makeCellReader>;

/** Makes a reader of the cells of records. `tasks` says for each column what is done with its cells. */
export function makeCellReader(
  columns: readonly string[],
  tasks: Uint8Array,
  separator: string,
  spelling: SpellingTaker,
) {
  const widths = widthsOf(columns);
  const width = columns.length;
  const fieldsPerRecord = tasks.filter((task) => (task & COUNT) !== 0).length;
  const kept: string[][] = [];
  const cells = new Map<string, string[]>();
  const entity = makeEntityColumn(spelling);
  /** Place of a column without a name → how many of its cells are filled in; only those that hold a value. */
  const nameless = new Map<number, number>();
  const notIds: NotId[] = [];
  let filledFields = 0;
  let swallowingRow: number | null = null;
  /** The row that was looked at last, and its cell behind which nothing is believed. */
  let shiftRow = 0;
  let shiftAt = Infinity;
  for (const [index, name] of columns.entries()) {
    if (((tasks[index] ?? 0) & KEEP) === 0) continue;
    const list: string[] = [];
    cells.set(name, list);
    kept[index] = list;
  }

  return { cells, entities: entity.found, notIds, read, textOf, counts };

  /** Reads all cells of a record. */
  function read(record: CsvRecord): void {
    const { bytes, starts, ends, kinds } = record;
    const there = Math.min(record.length, width);
    let filled = 0;
    for (let index = 0; index < there; index++) {
      const task = tasks[index] as number;
      if (task === COUNT) {
        const isEmpty =
          kinds[index] === INTRICATE
            ? isMissing(cellText(record, index))
            : isMissingBytes(bytes, starts[index] as number, ends[index] as number);
        if (!isEmpty) filled += 1;
      } else if (task !== 0) filled += readSpecial(record, index, task);
    }
    for (let index = there; index < width; index++)
      readSpecial(record, index, tasks[index] as number);
    filledFields += filled;
  }

  /** Reads a cell that is more than counted; returns how much it adds to the filled fields. */
  function readSpecial(record: CsvRecord, index: number, task: number): number {
    if (task === CHECK_ENTITY) entity.add(record, index, () => textOf(record, index));
    else if (task === NAMELESS) readNameless(record, index);
    if ((task & (KEEP | COUNT)) === 0) return 0;
    const text = textOf(record, index, (task & LIST) !== 0);
    if ((task & KEEP) !== 0) {
      const value = (task & IDS) === 0 ? cleanText(text) : readIds(record, index, text);
      const fit = (task & LIST) !== 0 ? keptList(value) : keptValue(value);
      kept[index]?.push(isAbsent(value) ? "" : fit);
    }
    return (task & COUNT) !== 0 && !isMissing(text) ? 1 : 0;
  }

  function readIds(record: CsvRecord, index: number, text: string): string {
    const ids = cleanIds(text);
    const column = columns[index] ?? "";
    const { ids: shown, isWhole } = onlyIds(ids);
    if (!isWhole) notIds.push({ record: kept[index]?.length ?? 0, column });
    else if (ids !== text) spelling.addCell(record.row, column, text, ids);
    return shown;
  }

  function readNameless(record: CsvRecord, index: number): void {
    const text = cellText(record, index);
    if (text === "" || isAbsent(cleanText(text))) return;
    nameless.set(index, (nameless.get(index) ?? 0) + (isMissing(text) ? 0 : 1));
  }

  /** Reads a cell that may be published; one that has swallowed other rows, or stands behind such a one, reads as empty, and a list on several lines as one on one. */
  function textOf(record: CsvRecord, index: number, isList = false): string {
    if (record.row !== shiftRow) {
      shiftRow = record.row;
      shiftAt = findShift(record, widths, separator);
    }
    const text = cellText(record, index);
    if (index > shiftAt) {
      swallowingRow ??= record.row;
      return "";
    }
    if (!text.includes("\n") && !text.includes("\r")) return text;
    const ids = isList && !isRagged(record, widths) ? idsOnLines(text) : null;
    if (ids !== null) return ids;
    if (!hasSwallowed(text, record.length, widths, separator)) return text;
    swallowingRow ??= record.row;
    return "";
  }

  /** Counts the fields of so many records, and those that are filled in. */
  function counts(records: number) {
    const named = records * fieldsPerRecord;
    const filledNameless = [...nameless.values()].reduce((sum, filled) => sum + filled, 0);
    return {
      fields: named + records * nameless.size,
      filledFields: filledFields + filledNameless,
      swallowingRow,
    };
  }
}
