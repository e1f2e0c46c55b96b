// Reads a table of text row by row (tabs or commas, quoted or not, any line end) and decodes only the fields that are asked for.

import { number } from "../../../format.ts";
import { UnreadableMatrix } from "../problem.ts";
import { readBounded, showName } from "./boundedRegion.ts";
import type { ByteRegion } from "./region.ts";

/** Tables of a million cells with fifty columns are about this large. */
const MOST_TABLE_BYTES = 512e6;
/** A longer row is no row: a file without line ends, or a quote that never closes. */
const MOST_ROW_BYTES = 1 << 20;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;

/** A row while it is looked at; the next row takes its place. */
export interface TableRow {
  /** Number of fields. */
  count(): number;
  /** A field by its position; "" where the row has fewer. */
  field(index: number): string;
}

/** Calls `onRow` for each row that is not blank, the first one included; returns how many there were. */
export async function readTable(
  region: ByteRegion,
  signal: AbortSignal,
  onRow: (row: TableRow, index: number) => void,
): Promise<number> {
  const name = showName(region.name);
  // One row for all: a table of a million rows makes no garbage of its own.
  const row = makeRow();
  let rest: Buffer = Buffer.alloc(0);
  let isFirst = true;
  let lineEnd = LF;
  let delimiter = 0;
  let rows = 0;

  const take = (bytes: Buffer, from: number, to: number): void => {
    const end = to > from && bytes[to - 1] === CR ? to - 1 : to;
    if (isBlank(bytes, from, end)) return;
    if (rows === 0) delimiter = chooseDelimiter(bytes.subarray(from, end), region.name);
    row.place(bytes, from, end, delimiter);
    onRow(row, rows++);
  };

  for await (const piece of readBounded(region, MOST_TABLE_BYTES, signal)) {
    let at = 0;
    let bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece]);
    if (isFirst) {
      bytes = checkStart(bytes, name);
      if (!bytes.includes(LF) && bytes.includes(CR)) lineEnd = CR;
      isFirst = false;
    }
    const hasQuotes = bytes.includes(QUOTE);
    for (;;) {
      const end = hasQuotes
        ? rowEnd(bytes, at, lineEnd, rows === 0 ? null : delimiter, region.name)
        : bytes.indexOf(lineEnd, at);
      if (end === -1) break;
      take(bytes, at, end);
      at = end + 1;
    }
    // The next piece takes the memory of this one.
    rest = Buffer.from(bytes.subarray(at));
    if (rest.length > MOST_ROW_BYTES) {
      const why = rest.includes(QUOTE) ? ", or a quote in it is not closed" : "";
      throw new UnreadableMatrix(
        "M_TABLE",
        `${name}: row ${number(rows + 1)} is longer than ${number(MOST_ROW_BYTES)} bytes${why}`,
      );
    }
  }
  if (rest.length > 0) {
    if (isOpen(rest, rows === 0 ? chooseDelimiter(rest, region.name) : delimiter)) {
      throw new UnreadableMatrix(
        "M_TABLE",
        `${name}: a quote in row ${number(rows + 1)} is not closed`,
      );
    }
    take(rest, 0, rest.length);
  }
  return rows;
}

/** Drops the mark of UTF-8; refuses what is no text of bytes. */
function checkStart(bytes: Buffer, name: string): Buffer {
  if ((bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff)) {
    throw new UnreadableMatrix("M_TABLE", `${name} is written in UTF-16; tables must be UTF-8`);
  }
  if (bytes.includes(0)) throw new UnreadableMatrix("M_TABLE", `${name} holds no text`);
  return bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? bytes.subarray(3) : bytes;
}

/** A tab in the first row makes a table of tabs; commas count in what is called .csv; else there is one column (delimiter 0). */
function chooseDelimiter(line: Buffer, name: string): number {
  if (line.includes(0x09)) return 0x09;
  return /\.csv(\.gz)?$/i.test(name) ? 0x2c : 0;
}

/** Where the row that begins at `from` ends; -1 where that is not to be seen yet. Line ends within quotes do not count. */
function rowEnd(
  bytes: Buffer,
  from: number,
  lineEnd: number,
  known: number | null,
  name: string,
): number {
  let end = bytes.indexOf(lineEnd, from);
  if (end === -1) return -1;
  const line = bytes.subarray(from, end);
  // Quotes are rare: only a line that has one is looked at field by field.
  if (!line.includes(QUOTE)) return end;
  const delimiter = known ?? chooseDelimiter(line, name);
  let at = from;
  for (;;) {
    if (bytes[at] === QUOTE) {
      at = closingQuote(bytes, at + 1);
      if (at === -1) return -1;
    }
    if (end < at) end = bytes.indexOf(lineEnd, at);
    if (end === -1) return -1;
    const next = bytes.subarray(at, end).indexOf(delimiter);
    if (next === -1) return end;
    at += next + 1;
  }
}

/** Tells whether a quoted field is still open at the end. A quote opens only at the start of a field; within, "" stands for one. */
function isOpen(line: Buffer, delimiter: number): boolean {
  let at = 0;
  while (at < line.length) {
    if (line[at] === QUOTE) {
      at = closingQuote(line, at + 1);
      if (at === -1) return true;
    }
    const next = line.indexOf(delimiter, at);
    if (next === -1) return false;
    at = next + 1;
  }
  return false;
}

function closingQuote(line: Buffer, from: number): number {
  let at = from;
  for (;;) {
    at = line.indexOf(QUOTE, at);
    if (at === -1) return -1;
    if (line[at + 1] !== QUOTE) return at;
    at += 2;
  }
}

function isBlank(bytes: Buffer, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    if (bytes[at] !== SPACE) return false;
  }
  return true;
}

interface PlacedRow extends TableRow {
  /** Moves the row to other bytes. */
  place(bytes: Buffer, from: number, to: number, delimiter: number): void;
}

function makeRow(): PlacedRow {
  let bytes: Buffer = Buffer.alloc(0);
  let end = 0;
  let delimiter = 0;
  // Where fields start, found as far as they are asked for.
  const starts: number[] = [];
  let found = 0;
  let isWhole = false;

  const findUpTo = (index: number): void => {
    while (!isWhole && found <= index + 1) {
      let at = starts[found - 1] ?? 0;
      if (at < end && bytes[at] === QUOTE) {
        const close = closingQuote(bytes, at + 1);
        at = close === -1 ? end : close;
      }
      // With one column (delimiter 0) there is no second field: the byte 0 occurs in no text that came this far.
      while (at < end && bytes[at] !== delimiter) at++;
      if (at >= end) isWhole = true;
      else starts[found++] = at + 1;
    }
  };

  return {
    place(from, start, to, by) {
      bytes = from;
      end = to;
      delimiter = by;
      starts[0] = start;
      found = 1;
      isWhole = false;
    },
    count() {
      findUpTo(Number.MAX_SAFE_INTEGER);
      return found;
    },
    field(index) {
      findUpTo(index);
      if (index >= found) return "";
      const next = index + 1 < found ? (starts[index + 1] ?? end) - 1 : end;
      const text = bytes.toString("utf8", starts[index], next);
      return text.startsWith('"') ? unquote(text) : text.trim();
    },
  };
}

function unquote(text: string): string {
  const end = text.lastIndexOf('"');
  return end === 0 ? text : text.slice(1, end).replaceAll('""', '"').trim();
}
