// What a row of a manifest is: a record, padding of a spreadsheet, column names once more, or several rows that a stray quote made one.

import { BARE, cellText, type CsvRecord, INTRICATE } from "../../../formats/csvRecord.ts";
import { cleanText, foldName } from "./spelling.ts";

const LF = 0x0a;
const CR = 0x0d;
const LINE_BREAK = /[\r\n]/;
/** Whatever begins as an id does and is one word: an id that is malformed is one that was meant. */
const LIKE_ID = /^HTA\d[\w-]*$/i;

/** Tells whether a row holds nothing at all; spreadsheets write hundreds of such rows behind the last record. */
export function isBlankRow(record: CsvRecord): boolean {
  for (let index = 0; index < record.length; index++) {
    const start = record.starts[index] ?? 0;
    if (start === record.ends[index]) continue;
    const first = record.bytes[start] ?? 0;
    // Printable ASCII is something; only what may be blank is made a string.
    if (first > 0x20 && first < 0x7f && record.kinds[index] !== INTRICATE) return false;
    if (cleanText(cellText(record, index)) !== "") return false;
  }
  return true;
}

/** Which lengths of rows are right: up to the last column with a name at least, and no value beyond the header. */
export interface Widths {
  readonly least: number;
  readonly most: number;
}

/** Measures a header. Columns without a name at its end are padding, which not every row needs to have. */
export function widthsOf(columns: readonly string[]): Widths {
  return { least: columns.findLastIndex((name) => name !== "") + 1, most: columns.length };
}

/** Tells whether a row has another length than the header. One that is too long only by empty cells is what spreadsheets write; it loses nothing. */
export function isRagged(record: CsvRecord, { least, most }: Widths): boolean {
  if (record.length < least) return true;
  for (let index = most; index < record.length; index++) {
    if (cellText(record, index) !== "") return true;
  }
  return false;
}

/**
 * Tells whether a cell holds pieces of other rows, since a quote was opened in one row and another in a later one closed it. Either its
 * record has a length that no row should have, or the cell has as many separators as a row has. Where rows may differ in length (columns
 * without a name at the header's end), a record that is longer than the shortest may have swallowed as much less.
 */
export function hasSwallowed(
  text: string,
  length: number,
  { least, most }: Widths,
  separator: string,
): boolean {
  if (!text.includes("\n") && !text.includes("\r")) return false;
  if (!LINE_BREAK.test(text.trim())) return false;
  return length < least || length > most || text.split(separator).length >= 2 * least - length;
}

/**
 * Finds the first cell of a record behind which cells may be those of other columns, since rows went into it that made the record longer or
 * shorter, or into two cells that together did neither; infinity where there is none. Few records have a line break in them at all.
 */
export function findShift(record: CsvRecord, { least }: Widths, separator: string): number {
  if (!hasLineBreak(record)) return Infinity;
  const texts = Array.from({ length: record.length }, (_, index) => cellText(record, index));
  const onLines = texts.flatMap((text, index) => (LINE_BREAK.test(text.trim()) ? [index] : []));
  const isOdd = texts.length < least || texts.slice(least).some((text) => text !== "");
  if (isOdd) return onLines[0] ?? Infinity;
  const swallowing = onLines.filter((index) => {
    const text = texts[index] ?? "";
    return text.split(separator).length >= least && idsOnLines(text) === null;
  });
  return swallowing.length > 1 ? (swallowing[0] ?? Infinity) : Infinity;
}

/** Tells whether a record is on several lines; only cells in quotes can be. */
function hasLineBreak({ length, kinds, starts, ends, bytes }: CsvRecord): boolean {
  for (let index = 0; index < length; index++) {
    if (kinds[index] === BARE) continue;
    const end = ends[index] ?? 0;
    for (let at = starts[index] ?? 0; at < end; at++) {
      if (bytes[at] === LF || bytes[at] === CR) return true;
    }
  }
  return false;
}

/**
 * Reads a list of ids that stands on several lines as one on one line; null where it is none. Pieces of other rows are never taken for
 * one, since rows hold more than ids: a component, an entity, a label.
 */
export function idsOnLines(text: string): string | null {
  if (!LINE_BREAK.test(text)) return null;
  const ids = text
    .split(/[;,\r\n]/)
    .map((id) => cleanText(id))
    .filter((id) => id !== "");
  return ids.every((id) => LIKE_ID.test(id)) ? ids.join(",") : null;
}

/** What a row of column names is to a manifest that has its own already. */
export type HeaderRow = "same" | "other" | null;

/** Makes the look at a row whether it holds column names. `names` are those of the header, folded; `isColumn` knows those of all manifests. */
export function makeHeaderSense(
  names: readonly string[],
  isColumn: (text: string) => boolean,
): (record: CsvRecord) => HeaderRow {
  // One column tells nearly always; only where that has a column's name in it are the others looked at.
  const telling = Math.max(0, names.findIndex(isColumn));
  return (record) => {
    if (!isColumn(cellText(record, telling))) return null;
    const cells = names.map((_, index) => foldName(cellText(record, index)));
    if (names.every((name, index) => name === cells[index])) return "same";
    return cells.filter(isColumn).length > 1 ? "other" : null;
  };
}
