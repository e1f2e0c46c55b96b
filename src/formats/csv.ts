// Reading CSV from bytes: cells are offsets into a buffer, so that only the cells that are wanted become strings.
// Our own because a general library makes a string of every cell, which is most of the time that a manifest takes.

import { isUtf8 } from "node:buffer";

import { BARE, type CsvEscape, type CsvRecord, INTRICATE } from "./csvRecord.ts";

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const TAB = 0x09;
const BACKSLASH = 0x5c;

/** No spreadsheet has longer records; content that seems to is no CSV, and must not fill the memory. */
const MAX_RECORD_BYTES = 16 << 20;
const MAX_CELLS = 100_000;
/** Large enough that the work per piece does not count, small enough for the processor's cache. */
const PIECE_BYTES = 64 << 10;

/** The kind of a cell in quotes; see csvRecord.ts for the others. */
const QUOTED = 1;

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
  separator = ",",
): Promise<CsvFacts> {
  const scanner = makeCsvScanner(onRecord, escape, separator);
  for await (const chunk of chunks) {
    if (!scanner.push(chunk)) break;
  }
  return scanner.end();
}

const CELL_START = 0;
const IN_CELL = 1;
const IN_QUOTES = 2;
/** After a quote within quotes: the next byte tells whether it closed them. */
const AFTER_QUOTE = 3;

/** Makes a scanner that gives `onRecord` each record of the bytes that are pushed. The separator is one character of ASCII. */
export function makeCsvScanner(
  onRecord: OnRecord,
  escape: CsvEscape = '"',
  separator = ",",
): CsvScanner {
  const s = beginScan(onRecord, escape, separator.charCodeAt(0), true);
  return { push: (chunk) => push(s, chunk), end: () => end(s) };
}

/** Where a scanner is. */
interface Scan {
  readonly onRecord: OnRecord;
  readonly escape: CsvEscape;
  readonly isChecking: boolean;
  readonly backslash: number;
  readonly separator: number;
  /** Byte → 1 where it ends a cell without quotes. */
  readonly endsCell: Uint8Array;
  /** Grows with the first chunk: most manifests are much smaller than a piece. */
  bytes: Buffer;
  starts: Int32Array;
  ends: Int32Array;
  kinds: Uint8Array;
  readonly record: { -readonly [key in keyof CsvRecord]: CsvRecord[key] };
  /** Where the unfinished record begins, the next byte to look at, and the end of what is there, in `bytes`. */
  recordStart: number;
  at: number;
  length: number;
  /** The cell at which the scan is. */
  state: number;
  cellStart: number;
  kind: number;
  count: number;
  isAfterCr: boolean;
  isBegun: boolean;
  isWanted: boolean;
  taken: number;
  undecodableRow: number | null;
  unclosedRow: number | null;
  overlongRow: number | null;
}

function beginScan(
  onRecord: OnRecord,
  escape: CsvEscape,
  separator: number,
  isChecking: boolean,
): Scan {
  const [bytes, kinds] = [Buffer.alloc(0), new Uint8Array(64)];
  const endsCell = new Uint8Array(256);
  for (const byte of [separator, LF, CR]) endsCell[byte] = 1;
  const [starts, ends] = [new Int32Array(64), new Int32Array(64)];
  return {
    onRecord,
    escape,
    isChecking,
    backslash: escape === "\\" ? BACKSLASH : -1,
    separator,
    endsCell,
    bytes,
    starts,
    ends,
    kinds,
    record: { row: 0, length: 0, bytes, starts, ends, kinds, escape },
    recordStart: 0,
    at: 0,
    length: 0,
    state: CELL_START,
    cellStart: 0,
    kind: BARE,
    count: 0,
    isAfterCr: false,
    isBegun: false,
    isWanted: true,
    taken: 0,
    undecodableRow: null,
    unclosedRow: null,
    overlongRow: null,
  };
}

function push(s: Scan, chunk: Uint8Array): boolean {
  for (let from = 0; from < chunk.length && s.isWanted; from += PIECE_BYTES) {
    take(s, chunk.subarray(from, from + PIECE_BYTES));
    begin(s, false);
    if (s.isBegun) scanAndCheck(s);
  }
  return s.isWanted;
}

function end(s: Scan): CsvFacts {
  begin(s, true);
  if (s.isWanted) {
    scanAndCheck(s);
    finish(s);
  }
  return {
    bytes: s.taken,
    undecodableRow: s.undecodableRow,
    unclosedRow: s.unclosedRow,
    overlongRow: s.overlongRow,
  };
}

/** Appends a piece, after moving the unfinished record to the buffer's start. */
function take(s: Scan, piece: Uint8Array): void {
  s.taken += piece.length;
  if (s.recordStart > 0) {
    s.bytes.copyWithin(0, s.recordStart, s.length);
    for (let cell = 0; cell < s.count; cell++) {
      s.starts[cell] = (s.starts[cell] ?? 0) - s.recordStart;
      s.ends[cell] = (s.ends[cell] ?? 0) - s.recordStart;
    }
    s.at -= s.recordStart;
    s.length -= s.recordStart;
    s.cellStart -= s.recordStart;
    s.recordStart = 0;
  }
  // One byte more than is used: the sentinel.
  if (s.length + piece.length + 1 > s.bytes.length) {
    const larger = Buffer.allocUnsafe(2 * (s.length + piece.length + 1));
    s.bytes.copy(larger, 0, 0, s.length);
    s.bytes = larger;
    s.record.bytes = larger;
  }
  s.bytes.set(piece, s.length);
  s.length += piece.length;
}

/** Steps over a byte-order mark once enough bytes are there to tell. */
function begin(s: Scan, isEnd: boolean): void {
  if (s.isBegun || (s.length < 3 && !isEnd)) return;
  s.isBegun = true;
  if (s.length >= 3 && s.bytes[0] === 0xef && s.bytes[1] === 0xbb && s.bytes[2] === 0xbf) {
    s.recordStart = 3;
    s.at = 3;
  }
}

function scanAndCheck(s: Scan): void {
  const from = s.isAfterCr && s.bytes[s.recordStart] === LF ? s.recordStart + 1 : s.recordStart;
  const rowBefore = s.record.row;
  scan(s);
  check(s, from, s.recordStart, rowBefore);
  if (s.isWanted && (s.length - s.recordStart > MAX_RECORD_BYTES || s.count > MAX_CELLS)) {
    s.overlongRow = s.record.row + 1;
    s.isWanted = false;
  }
}

/** Looks for bytes that are no text in whole records; which row they are in is found out only where there are some. */
function check(s: Scan, from: number, to: number, rowBefore: number): void {
  if (!s.isChecking || s.undecodableRow !== null) return;
  const part = s.bytes.subarray(from, to);
  if (isText(part)) return;
  const search = beginScan(
    (found) => {
      const first = found.starts[0] ?? 0;
      const last = found.ends[found.length - 1] ?? 0;
      if (isText(found.bytes.subarray(first, last))) return true;
      s.undecodableRow = rowBefore + found.row;
      return false;
    },
    s.escape,
    s.separator,
    false,
  );
  push(search, part);
  end(search);
  s.undecodableRow ??= rowBefore + 1;
}

/** Scans all bytes that are there. The state is in locals meanwhile: this loop is where the time goes. */
function scan(s: Scan): void {
  const buffer = s.bytes;
  const stop = s.length;
  const { backslash, endsCell } = s;
  let i = s.at;
  let now = s.state;
  // The sentinel ends the loop over a bare cell, so that it need not look where the bytes end.
  buffer[stop] = LF;
  while (i < stop && s.isWanted) {
    if (now === CELL_START) {
      if (s.isAfterCr) {
        s.isAfterCr = false;
        if (buffer[i] === LF) {
          i += 1;
          s.recordStart = i;
          continue;
        }
      }
      s.cellStart = i;
      if (buffer[i] === QUOTE) {
        now = IN_QUOTES;
        s.kind = QUOTED;
        i += 1;
      } else {
        now = IN_CELL;
        s.kind = BARE;
      }
    } else if (now === IN_CELL) {
      while (endsCell[buffer[i] as number] === 0) i += 1;
      if (i < stop) {
        closeCell(s, i);
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
        s.kind = INTRICATE;
        i += next === QUOTE || next === backslash ? 2 : 1;
      }
    } else {
      const byte = buffer[i] as number;
      if (endsCell[byte] === 1) {
        closeCell(s, i);
        i += 1;
        now = CELL_START;
      } else {
        s.kind = INTRICATE;
        now = byte === QUOTE ? IN_QUOTES : IN_CELL;
        i += 1;
      }
    }
  }
  s.at = i;
  s.state = now;
}

/** Adds the cell that ends before `i`, and gives the record away if that ended too. */
function closeCell(s: Scan, i: number): void {
  addCell(s, i);
  const byte = s.bytes[i];
  if (byte === s.separator) return;
  s.isAfterCr = byte === CR;
  give(s);
  s.recordStart = i + 1;
}

function addCell(s: Scan, i: number): void {
  if (s.count === s.starts.length) growCells(s);
  const isQuoted = s.kind === QUOTED ? 1 : 0;
  s.starts[s.count] = s.cellStart + isQuoted;
  s.ends[s.count] = i - isQuoted;
  s.kinds[s.count] = s.kind;
  s.count += 1;
}

function growCells(s: Scan): void {
  const [oldStarts, oldEnds, oldKinds] = [s.starts, s.ends, s.kinds];
  s.starts = new Int32Array(2 * s.count);
  s.ends = new Int32Array(2 * s.count);
  s.kinds = new Uint8Array(2 * s.count);
  s.starts.set(oldStarts);
  s.ends.set(oldEnds);
  s.kinds.set(oldKinds);
  Object.assign(s.record, { starts: s.starts, ends: s.ends, kinds: s.kinds });
}

function give(s: Scan): void {
  s.record.row += 1;
  s.record.length = s.count;
  if (!isBlank(s)) s.isWanted = s.onRecord(s.record);
  s.count = 0;
}

function isBlank(s: Scan): boolean {
  if (s.count !== 1 || s.kinds[0] !== BARE) return false;
  const last = s.ends[0] ?? 0;
  for (let i = s.starts[0] ?? 0; i < last; i++) {
    if (s.bytes[i] !== SPACE && s.bytes[i] !== TAB) return false;
  }
  return true;
}

/** Ends the last record where no line break did. */
function finish(s: Scan): void {
  if (!s.isWanted || (s.state === CELL_START && s.count === 0)) return;
  if (s.state === CELL_START) {
    s.cellStart = s.length;
    s.kind = BARE;
  }
  const rowBefore = s.record.row;
  if (s.state === IN_QUOTES) {
    s.unclosedRow = rowBefore + 1;
  } else {
    addCell(s, s.length);
    give(s);
  }
  check(s, s.recordStart, s.length, rowBefore);
}

function isText(part: Buffer): boolean {
  return isUtf8(part) && !part.includes(0);
}
