// Reading CSV from bytes: cells are offsets into a buffer, so that only the cells that are wanted become strings.
// Our own because a general library makes a string of every cell, which is most of the time that a manifest takes.

import { isUtf8 } from "node:buffer";

const QUOTE = 0x22;
const COMMA = 0x2c;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const BACKSLASH = 0x5c;

/** Bytes that end a cell without quotes. */
const ENDS_CELL = new Uint8Array(256);
for (const byte of [COMMA, LF, CR]) ENDS_CELL[byte] = 1;

/** No spreadsheet has longer records; content that seems to is no CSV, and must not fill the memory. */
const MAX_RECORD_BYTES = 16 << 20;
const MAX_CELLS = 100_000;
/** Large enough that the work per piece does not count, small enough for the processor's cache. */
const PIECE_BYTES = 64 << 10;

// How a cell is written: bare, in quotes, or in quotes with more to it than their content.
const BARE = 0;
const QUOTED = 1;
/** The kind of a cell that has to be taken apart character by character: quotes within quotes, or something after them. */
export const INTRICATE = 2;

/** One record. It is valid only while the callback runs: the next record takes its place. */
export interface CsvRecord {
  /** As a spreadsheet numbers rows; the first is 1, and empty lines count. */
  readonly row: number;
  /** Number of cells. */
  readonly length: number;
  readonly bytes: Buffer;
  /** Where each cell's content starts and ends; of intricate cells with their quotes. */
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** How each cell is written; only INTRICATE makes a difference to readers. */
  readonly kinds: Uint8Array;
  /** The character that takes the meaning from a quote within quotes; a doubled quote always does. */
  readonly escape: CsvEscape;
}

export type CsvEscape = '"' | "\\";

/** What was odd about a file as a whole. Rows are as a spreadsheet numbers them; null: there is none. */
export interface CsvFacts {
  readonly bytes: number;
  /** The first row with bytes that are not UTF-8, or with a NUL. */
  readonly undecodableRow: number | null;
  /** The row whose quotes are not closed at the end; it is not given away, since all that follows is in it. */
  readonly unclosedRow: number | null;
  /** The row that is longer than any spreadsheet's; reading stopped there. */
  readonly overlongRow: number | null;
}

/** Is given each record that is not an empty line; false stops the reading. */
export type OnRecord = (record: CsvRecord) => boolean;

export interface CsvScanner {
  /** Takes the next bytes, cut anywhere; false when no more are wanted. */
  push(chunk: Uint8Array): boolean;
  /** Gives the last record and tells what was odd. */
  end(): CsvFacts;
}

/** Reads a stream of CSV to its end, or until `onRecord` returns false. A byte-order mark is not part of the first cell. */
export async function readCsv(
  chunks: AsyncIterable<Uint8Array>,
  onRecord: OnRecord,
  escape: CsvEscape = '"',
): Promise<CsvFacts> {
  const scanner = makeCsvScanner(onRecord, escape);
  for await (const chunk of chunks) {
    if (!scanner.push(chunk)) break;
  }
  return scanner.end();
}

/** Reads the text of a cell; "" beyond the record's last. */
export function cellText(record: CsvRecord, index: number): string {
  if (index >= record.length) return "";
  const start = record.starts[index] ?? 0;
  const end = record.ends[index] ?? 0;
  if (start === end) return "";
  const text = record.bytes.toString("utf8", start, end);
  return record.kinds[index] === INTRICATE ? takeApart(text, record.escape) : text;
}

/** Reads a cell that begins with a quote: what follows the closing quote belongs to it too. */
function takeApart(text: string, escape: CsvEscape): string {
  let content = "";
  for (let at = 1; at < text.length; at++) {
    const char = text.charAt(at);
    const next = text.charAt(at + 1);
    if (char === '"' && next !== '"') return content + text.slice(at + 1);
    const isEscape = char === '"' || (char === escape && (next === '"' || next === escape));
    content += isEscape ? next : char;
    if (isEscape) at += 1;
  }
  return content;
}

const CELL_START = 0;
const IN_CELL = 1;
const IN_QUOTES = 2;
/** After a quote within quotes: the next byte tells whether it closed them. */
const AFTER_QUOTE = 3;

/** Makes a scanner that gives `onRecord` each record of the bytes that are pushed. */
export function makeCsvScanner(onRecord: OnRecord, escape: CsvEscape = '"'): CsvScanner {
  return makeScanner(onRecord, escape, true);
}

function makeScanner(onRecord: OnRecord, escape: CsvEscape, isChecking: boolean): CsvScanner {
  const backslash = escape === "\\" ? BACKSLASH : -1;
  // Grows with the first chunk: most manifests are much smaller than a piece.
  let bytes = Buffer.alloc(0);
  let starts = new Int32Array(64);
  let ends = new Int32Array(64);
  let kinds = new Uint8Array(64);
  const record = { row: 0, length: 0, bytes, starts, ends, kinds, escape };
  // Where the unfinished record begins, the next byte to look at, and the end of what is there, in `bytes`.
  let recordStart = 0;
  let at = 0;
  let length = 0;
  // The cell at which the scan is.
  let state = CELL_START;
  let cellStart = 0;
  let kind = BARE;
  let count = 0;
  let isAfterCr = false;
  let isBegun = false;
  let isWanted = true;
  let taken = 0;
  let undecodableRow: number | null = null;
  let unclosedRow: number | null = null;
  let overlongRow: number | null = null;

  return { push, end };

  function push(chunk: Uint8Array): boolean {
    for (let from = 0; from < chunk.length && isWanted; from += PIECE_BYTES) {
      take(chunk.subarray(from, from + PIECE_BYTES));
      begin(false);
      if (isBegun) scanAndCheck();
    }
    return isWanted;
  }

  function end(): CsvFacts {
    begin(true);
    if (isWanted) {
      scanAndCheck();
      finish();
    }
    return { bytes: taken, undecodableRow, unclosedRow, overlongRow };
  }

  /** Appends a piece, after moving the unfinished record to the buffer's start. */
  function take(piece: Uint8Array): void {
    taken += piece.length;
    if (recordStart > 0) {
      bytes.copyWithin(0, recordStart, length);
      for (let cell = 0; cell < count; cell++) {
        starts[cell] = (starts[cell] ?? 0) - recordStart;
        ends[cell] = (ends[cell] ?? 0) - recordStart;
      }
      at -= recordStart;
      length -= recordStart;
      cellStart -= recordStart;
      recordStart = 0;
    }
    // One byte more than is used: the sentinel.
    if (length + piece.length + 1 > bytes.length) {
      const larger = Buffer.allocUnsafe(2 * (length + piece.length + 1));
      bytes.copy(larger, 0, 0, length);
      bytes = larger;
      record.bytes = larger;
    }
    bytes.set(piece, length);
    length += piece.length;
  }

  /** Steps over a byte-order mark once enough bytes are there to tell. */
  function begin(isEnd: boolean): void {
    if (isBegun || (length < 3 && !isEnd)) return;
    isBegun = true;
    if (length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
      recordStart = 3;
      at = 3;
    }
  }

  function scanAndCheck(): void {
    const from = isAfterCr && bytes[recordStart] === LF ? recordStart + 1 : recordStart;
    const rowBefore = record.row;
    scan();
    check(from, recordStart, rowBefore);
    if (isWanted && (length - recordStart > MAX_RECORD_BYTES || count > MAX_CELLS)) {
      overlongRow = record.row + 1;
      isWanted = false;
    }
  }

  /** Looks for bytes that are no text in whole records; which row they are in is found out only where there are some. */
  function check(from: number, to: number, rowBefore: number): void {
    if (!isChecking || undecodableRow !== null) return;
    const part = bytes.subarray(from, to);
    if (isText(part)) return;
    const search = makeScanner(
      (found) => {
        const first = found.starts[0] ?? 0;
        const last = found.ends[found.length - 1] ?? 0;
        if (isText(found.bytes.subarray(first, last))) return true;
        undecodableRow = rowBefore + found.row;
        return false;
      },
      escape,
      false,
    );
    search.push(part);
    search.end();
    undecodableRow ??= rowBefore + 1;
  }

  /** Scans all bytes that are there. The state is in locals meanwhile: this loop is where the time goes. */
  function scan(): void {
    const buffer = bytes;
    const stop = length;
    let i = at;
    let now = state;
    // The sentinel ends the loop over a bare cell, so that it need not look where the bytes end.
    buffer[stop] = LF;
    while (i < stop && isWanted) {
      if (now === CELL_START) {
        if (isAfterCr) {
          isAfterCr = false;
          if (buffer[i] === LF) {
            i += 1;
            recordStart = i;
            continue;
          }
        }
        cellStart = i;
        if (buffer[i] === QUOTE) {
          now = IN_QUOTES;
          kind = QUOTED;
          i += 1;
        } else {
          now = IN_CELL;
          kind = BARE;
        }
      } else if (now === IN_CELL) {
        while (ENDS_CELL[buffer[i] as number] === 0) i += 1;
        if (i < stop) {
          closeCell(i);
          i += 1;
          now = CELL_START;
        }
      } else if (now === IN_QUOTES) {
        let byte = buffer[i];
        while (i < stop && byte !== QUOTE && byte !== backslash) byte = buffer[++i];
        if (i === stop) break;
        if (byte === QUOTE) {
          now = AFTER_QUOTE;
          i += 1;
        } else {
          // Whether a backslash takes the meaning from the next byte can be told only when that is there.
          if (i + 1 === stop) break;
          const next = buffer[i + 1];
          kind = INTRICATE;
          i += next === QUOTE || next === backslash ? 2 : 1;
        }
      } else {
        const byte = buffer[i] as number;
        if (ENDS_CELL[byte] === 1) {
          closeCell(i);
          i += 1;
          now = CELL_START;
        } else {
          kind = INTRICATE;
          now = byte === QUOTE ? IN_QUOTES : IN_CELL;
          i += 1;
        }
      }
    }
    at = i;
    state = now;
  }

  /** Adds the cell that ends before `i`, and gives the record away if that ended too. */
  function closeCell(i: number): void {
    addCell(i);
    const byte = bytes[i];
    if (byte === COMMA) return;
    isAfterCr = byte === CR;
    give();
    recordStart = i + 1;
  }

  function addCell(i: number): void {
    if (count === starts.length) growCells();
    const isQuoted = kind === QUOTED ? 1 : 0;
    starts[count] = cellStart + isQuoted;
    ends[count] = i - isQuoted;
    kinds[count] = kind;
    count += 1;
  }

  function growCells(): void {
    const [oldStarts, oldEnds, oldKinds] = [starts, ends, kinds];
    starts = new Int32Array(2 * count);
    ends = new Int32Array(2 * count);
    kinds = new Uint8Array(2 * count);
    starts.set(oldStarts);
    ends.set(oldEnds);
    kinds.set(oldKinds);
    Object.assign(record, { starts, ends, kinds });
  }

  function give(): void {
    record.row += 1;
    record.length = count;
    if (!isBlank()) isWanted = onRecord(record);
    count = 0;
  }

  function isBlank(): boolean {
    if (count !== 1 || kinds[0] !== BARE) return false;
    const last = ends[0] ?? 0;
    for (let i = starts[0] ?? 0; i < last; i++) {
      if (bytes[i] !== SPACE && bytes[i] !== TAB) return false;
    }
    return true;
  }

  /** Ends the last record where no line break did. */
  function finish(): void {
    if (!isWanted || (state === CELL_START && count === 0)) return;
    if (state === CELL_START) {
      cellStart = length;
      kind = BARE;
    }
    const rowBefore = record.row;
    if (state === IN_QUOTES) {
      unclosedRow = rowBefore + 1;
    } else {
      addCell(length);
      give();
    }
    check(recordStart, length, rowBefore);
  }
}

function isText(part: Buffer): boolean {
  return isUtf8(part) && !part.includes(0);
}
