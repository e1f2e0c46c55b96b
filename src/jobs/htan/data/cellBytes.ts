// Reading cells straight from their bytes, where making a string of every one would be most of the work.

import { cellText, type CsvRecord, INTRICATE } from "../../../formats/csvRecord.ts";
import { isAbsent, LONGEST_MARKER } from "./missing.ts";

const ZERO = 0x30;
/** A number holds every integer of so many digits exactly. */
const MAX_DIGITS = 15;
const SYN = Buffer.from("syn");

/** Tells whether a cell is a text. */
export function cellIs(record: CsvRecord, column: number, text: Uint8Array): boolean {
  return (
    column < record.length &&
    (record.ends[column] ?? 0) - (record.starts[column] ?? 0) === text.length &&
    cellStartsWith(record, column, text)
  );
}

/** Tells whether a cell starts with a text, which holds no quote. */
function cellStartsWith(record: CsvRecord, column: number, text: Uint8Array): boolean {
  if (column >= record.length) return false;
  // An intricate cell begins with its quote.
  const start = (record.starts[column] ?? 0) + (record.kinds[column] === INTRICATE ? 1 : 0);
  if ((record.ends[column] ?? 0) - start < text.length) return false;
  for (let at = 0; at < text.length; at++) {
    if (record.bytes[start + at] !== text[at]) return false;
  }
  return true;
}

/** Tells whether a cell has no value at all. */
export function isAbsentCell(record: CsvRecord, column: number): boolean {
  const length =
    column < record.length ? (record.ends[column] ?? 0) - (record.starts[column] ?? 0) : 0;
  return length === 0 || (length <= LONGEST_MARKER && isAbsent(cellText(record, column)));
}

/** Reads a cell of digits as a number; NaN where it holds anything else, or more digits than a number can. */
export function cellNumber(record: CsvRecord, column: number): number {
  if (column >= record.length) return NaN;
  return readDigits(record.bytes, record.starts[column] ?? 0, record.ends[column] ?? 0);
}

/** Reads the digits of a cell's Synapse id, e.g. 123 of "syn123"; 0 where the cell holds none. */
export function entityNumber(record: CsvRecord, column: number): number {
  if (!cellStartsWith(record, column, SYN)) return 0;
  const start = (record.starts[column] ?? 0) + SYN.length;
  const number = readDigits(record.bytes, start, record.ends[column] ?? 0);
  return Number.isNaN(number) ? 0 : number;
}

function readDigits(bytes: Buffer, start: number, end: number): number {
  if (end <= start || end - start > MAX_DIGITS) return NaN;
  let number = 0;
  for (let at = start; at < end; at++) {
    const digit = (bytes[at] ?? 0) - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    number = number * 10 + digit;
  }
  return number;
}
