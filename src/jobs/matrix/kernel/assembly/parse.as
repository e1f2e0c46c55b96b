// The entries of MatrixMarket files at byte level: whole cells where the file lies cell by cell, triples where it does not.
// Memory belongs to the caller (mtxKernel.ts), which says where everything lies.

import { blanks, decimal, eightDigits, index, isBlank, notDigits } from "./digits";

/** Is shown values that are not whole; says whether to be shown more of them. */
@external("host", "odd")
declare function hostOdd(value: f64): bool;

const MORE: i32 = 0;
const BLOCK: i32 = 1;
const UNORDERED: i32 = 2;
const BAD_FIELDS: i32 = 10;
const BAD_INDEX: i32 = 11;
const BAD_VALUE: i32 = 12;
const BAD_SUM: i32 = 13;
const LONG_LINE: i32 = 14;

/** Lines of three numbers are never this long; more without a line break is no matrix. */
const LONGEST_LINE: u32 = 4000;
/** Lines closer to the end than this are read with care: the fast loops look ahead up to 40 bytes. */
const CARE: u32 = 64;

// Where things lie, and their sizes.
let startsAt: u32 = 0;
let cellsAt: u32 = 0;
let genesAt: u32 = 0;
let countsAt: u32 = 0;
let placesAt: u32 = 0;
let mapAt: u32 = 0;
let capacity: u32 = 0;
let emitAt: u32 = 0;
let mostCells: u32 = 0;

// The part at hand.
let rows: u32 = 0;
let columns: u32 = 0;
let isTurned: bool = false;
let isTriples: bool = false;
/** Added to a file's 1-based column to give the index among all cells. */
let cellBase: u32 = 0;

// The block at hand: its first cell, the open cell, entries so far, where the open cell's begin.
let firstCell: u32 = 0;
let cell: u32 = 0;
let length: u32 = 0;
let cellFrom: u32 = 0;
let last: i64 = -1;
let isUnsorted: bool = false;
/** The open cell as the file writes it, with the blank after it; 0 where it cannot be compared so. */
let cellBytes: u32 = 0;
let cellMask: u64 = 0;
let cellWord: u64 = 0;
let blockCells: u32 = 0;

// What was seen.
let lines: u64 = 0;
let zeros: u64 = 0;
let dropped: u64 = 0;
let rounded: u64 = 0;
let duplicates: u64 = 0;
let reachesTwenty: bool = false;
/** Whether anybody still wants to see values that are not whole. */
let showsOdd: bool = true;

// Where reading stopped, and the field that is wrong.
let stop: u32 = 0;
let badAt: u32 = 0;
let badLength: u32 = 0;
let badColumn: u32 = 0;

export function place(
  starts: u32,
  cells: u32,
  genes: u32,
  counts: u32,
  places: u32,
  map: u32,
  entries: u32,
  emit: u32,
  cellsOfBlock: u32,
): void {
  startsAt = starts;
  cellsAt = cells;
  genesAt = genes;
  countsAt = counts;
  placesAt = places;
  mapAt = map;
  capacity = entries;
  emitAt = emit;
  mostCells = cellsOfBlock;
}

/** Begins a pass at a cell. */
export function begin(triples: bool): void {
  isTriples = triples;
  lines = zeros = dropped = rounded = duplicates = 0;
  reachesTwenty = false;
  showsOdd = true;
  open(0);
}

/** Begins a part of the pass; map is 0 where genes are the same. */
export function part(map: u32, ofRows: u32, ofColumns: u32, turned: bool, base: u32): void {
  mapAt = map;
  rows = ofRows;
  columns = ofColumns;
  isTurned = turned;
  cellBase = base - 1;
  cellBytes = 0;
  lines = 0;
}

export function lineCount(): f64 {
  return <f64>lines;
}
export function zeroCount(): f64 {
  return <f64>zeros;
}
export function droppedCount(): f64 {
  return <f64>dropped;
}
export function roundedCount(): f64 {
  return <f64>rounded;
}
export function duplicateCount(): f64 {
  return <f64>duplicates;
}
export function hasTwenty(): bool {
  return reachesTwenty;
}
export function stoppedAt(): u32 {
  return stop;
}
export function wrongAt(): u32 {
  return badAt;
}
export function wrongLength(): u32 {
  return badLength;
}
export function wrongColumn(): u32 {
  return badColumn;
}
export function entryCount(): u32 {
  return length;
}
export function blockFirst(): u32 {
  return firstCell;
}
export function blockCount(): u32 {
  return blockCells;
}

/** Goes on after a block (or after triples) was taken. */
export function taken(): void {
  if (isTriples) length = 0;
  else open(firstCell + blockCells);
}

function open(at: u32): void {
  firstCell = at;
  cell = at;
  length = 0;
  cellFrom = 0;
  last = -1;
  isUnsorted = false;
  cellBytes = 0;
  blockCells = 0;
}

/** Adds up what the open cell has twice. */
function addUp(): bool {
  let put = cellFrom;
  for (let at = cellFrom; at < length; at++) {
    const gene = load<u32>(genesAt + (at << 2));
    const count = load<u32>(countsAt + (at << 2));
    const was = load<u32>(placesAt + (gene << 2));
    if (was >= cellFrom && was < put && load<u32>(genesAt + (was << 2)) == gene) {
      const sum = <u64>load<u32>(countsAt + (was << 2)) + count;
      if (sum > 0xffffffff) return false;
      store<u32>(countsAt + (was << 2), <u32>sum);
      duplicates++;
    } else {
      store<u32>(placesAt + (gene << 2), put);
      store<u32>(genesAt + (put << 2), gene);
      store<u32>(countsAt + (put << 2), count);
      put++;
    }
  }
  length = put;
  return true;
}

/** Ends the open cell and opens `next`; BLOCK where what is there must be taken first. */
function moveTo(next: u32): i32 {
  if (isUnsorted && !addUp()) return BAD_SUM;
  const most = firstCell + mostCells;
  const to = min<u32>(next, most);
  for (let at = cell + 1; at <= to; at++) store<u32>(startsAt + ((at - firstCell) << 2), length);
  if (to < next || to == most || length >= emitAt) {
    blockCells = to - firstCell;
    return BLOCK;
  }
  cell = next;
  cellFrom = length;
  last = -1;
  isUnsorted = false;
  return MORE;
}

/** Ends the pass at a number of cells: BLOCK as long as there is one to take, MORE at the end. */
export function finish(cells: u32): i32 {
  if (isTriples) return length > 0 ? BLOCK : MORE;
  if (firstCell >= cells) return MORE;
  const status = moveTo(cells);
  if (status != MORE) return status;
  blockCells = cells - firstCell;
  return BLOCK;
}

/** Reads lines of the open cell as long as they are as plain as can be: "12 3 4\n". */
function fastCell(from: u32, safe: u32): u32 {
  let p = from;
  const mask = cellMask;
  const word = cellWord;
  const skip = cellBytes;
  const map = mapAt;
  const most = rows;
  let geneAt = genesAt + (length << 2);
  const toCounts = countsAt - genesAt;
  const end = genesAt + (capacity << 2);
  let before = last;
  let unsorted = isUnsorted;
  let count: u64 = 0;
  // Rows mostly have as many digits as those before: taking that for granted, as processors do with branches, lets them read
  // several lines at once, for where the next one begins does not wait for this one's digits.
  let bits: u64 = 8;
  while (p < safe && geneAt < end) {
    const text = load<u64>(p);
    let digits = (text ^ 0x3030303030303030) << (64 - bits);
    if (((text >> bits) & 0xff) != 32 || notDigits(digits)) {
      const marks = blanks(text);
      if (marks == 0) break;
      bits = ctz(marks) & 0x38;
      if (bits == 0) break;
      digits = (text ^ 0x3030303030303030) << (64 - bits);
      if (notDigits(digits)) break;
    }
    let gene = eightDigits(digits) - 1;
    if (gene >= most) break;
    let q = p + <u32>(bits >> 3) + 1;
    if ((load<u64>(q) & mask) != word) break;
    q += skip;
    let value = <u32>load<u8>(q) - 48;
    if (value > 9) break;
    let next = <u32>load<u8>(q + 1);
    q += 2;
    if (next != 10) {
      // At most nine digits: no overflow.
      const limit = q + 8;
      while (next - 48 <= 9 && q < limit) {
        value = value * 10 + (next - 48);
        next = <u32>load<u8>(q);
        q++;
      }
      if (next != 10) break;
      if (value >= 20) reachesTwenty = true;
    }
    p = q;
    count++;
    if (map != 0) {
      gene = load<u32>(map + (gene << 2));
      if (gene == 0xffffffff) {
        dropped++;
        continue;
      }
    }
    if (value == 0) {
      zeros++;
      continue;
    }
    if (<i64>gene <= before) unsorted = true;
    before = <i64>gene;
    store<u32>(geneAt, gene);
    store<u32>(geneAt + toCounts, value);
    geneAt += 4;
  }
  length = (geneAt - genesAt) >> 2;
  last = before;
  isUnsorted = unsorted;
  lines += count;
  return p;
}

/** The same for triples: the cell is read too. */
function fastTriples(from: u32, safe: u32): u32 {
  let p = from;
  const map = mapAt;
  const turned = isTurned;
  const mostRows = rows;
  const mostColumns = columns;
  const base = cellBase;
  let put = length;
  const end = capacity;
  let count: u64 = 0;
  while (p < safe && put < end) {
    const text = load<u64>(p);
    let marks = blanks(text);
    if (marks == 0) break;
    let bits = ctz(marks) & 0x38;
    if (bits == 0) break;
    let digits = (text ^ 0x3030303030303030) << (64 - bits);
    if (notDigits(digits)) break;
    const row = eightDigits(digits);
    let q = p + <u32>(bits >> 3) + 1;
    const more = load<u64>(q);
    marks = blanks(more);
    if (marks == 0) break;
    bits = ctz(marks) & 0x38;
    if (bits == 0) break;
    digits = (more ^ 0x3030303030303030) << (64 - bits);
    if (notDigits(digits)) break;
    const column = eightDigits(digits);
    if (row - 1 >= mostRows || column - 1 >= mostColumns) break;
    q += <u32>(bits >> 3) + 1;
    let value = <u32>load<u8>(q) - 48;
    if (value > 9) break;
    let next = <u32>load<u8>(q + 1);
    q += 2;
    if (next != 10) {
      const limit = q + 8;
      while (next - 48 <= 9 && q < limit) {
        value = value * 10 + (next - 48);
        next = <u32>load<u8>(q);
        q++;
      }
      if (next != 10) break;
      if (value >= 20) reachesTwenty = true;
    }
    p = q;
    count++;
    let gene = (turned ? column : row) - 1;
    if (map != 0) {
      gene = load<u32>(map + (gene << 2));
      if (gene == 0xffffffff) {
        dropped++;
        continue;
      }
    }
    if (value == 0) {
      zeros++;
      continue;
    }
    store<u32>(cellsAt + (put << 2), (turned ? row : column) + base);
    store<u32>(genesAt + (put << 2), gene);
    store<u32>(countsAt + (put << 2), value);
    put++;
  }
  length = put;
  lines += count;
  return p;
}

/** Reads lines from `from` to `to`; the last may be without a line break only where nothing follows. */
export function parse(from: u32, to: u32, isLast: bool): i32 {
  let p = from;
  const safe = to > from + CARE ? to - CARE : from;
  while (true) {
    if (p < safe) {
      if (isTriples) p = fastTriples(p, safe);
      else if (cellBytes != 0 && !isTurned) p = fastCell(p, safe);
    }
    if (length >= capacity) {
      if (isTriples) {
        stop = p;
        return BLOCK;
      }
      // No cell has more genes than there are, so only duplicates fill a block that has room for twice as many.
      if (!addUp()) {
        stop = p;
        return BAD_SUM;
      }
    }
    const status = line(p, to, isLast);
    if (status != MORE) {
      // A block is taken before the line that needs the room; the line is read again.
      if (status == BLOCK || status >= UNORDERED) stop = p;
      return status;
    }
    if (stop == p) return MORE;
    p = stop;
  }
}

function wrong(status: i32, at: u32, size: u32, column: u32): i32 {
  badAt = at;
  badLength = size;
  badColumn = column;
  return status;
}

/** Reads one line of any kind; MORE with `stop` behind it, or at `from` where it is not all there. */
function line(from: u32, to: u32, isLast: bool): i32 {
  let end = from;
  while (end < to && load<u8>(end) != 10) end++;
  stop = from;
  if (end - from > LONGEST_LINE) return wrong(LONG_LINE, from, 40, 0);
  if (end == to && !isLast) return MORE;
  const next = min<u32>(end + 1, to);
  if (end > from && load<u8>(end - 1) == 13) end--;

  let p = from;
  while (p < end && isBlank(load<u8>(p))) p++;
  if (p == end) {
    stop = next;
    return MORE;
  }
  const rowAt = p;
  while (p < end && !isBlank(load<u8>(p))) p++;
  const rowEnd = p;
  while (p < end && isBlank(load<u8>(p))) p++;
  const columnAt = p;
  while (p < end && !isBlank(load<u8>(p))) p++;
  const columnEnd = p;
  while (p < end && isBlank(load<u8>(p))) p++;
  const valueAt = p;
  while (p < end && !isBlank(load<u8>(p))) p++;
  const valueEnd = p;
  while (p < end && isBlank(load<u8>(p))) p++;
  if (valueAt == valueEnd || p != end) return wrong(BAD_FIELDS, from, end - from, 0);

  const row = index(rowAt, rowEnd);
  if (row - 1 >= rows) return wrong(BAD_INDEX, rowAt, rowEnd - rowAt, 1);
  const column = index(columnAt, columnEnd);
  if (column - 1 >= columns) return wrong(BAD_INDEX, columnAt, columnEnd - columnAt, 2);
  const number = decimal(valueAt, valueEnd);
  // Also false for NaN.
  if (!(number >= 0 && number <= 4294967295)) {
    return wrong(BAD_VALUE, valueAt, valueEnd - valueAt, 3);
  }
  const whole = nearest(number);
  let gene = (isTurned ? column : row) - 1;
  const at = (isTurned ? row : column) + cellBase;

  if (!isTriples) {
    if (at < cell) return UNORDERED;
    if (at > cell) {
      const status = moveTo(at);
      if (status != MORE) return status;
      cellBytes = 0;
    }
    const size = columnEnd - columnAt;
    if (cellBytes == 0 && size <= 7 && columnEnd < end && load<u8>(columnEnd) == 32) {
      cellBytes = size + 1;
      cellMask = size == 7 ? u64.MAX_VALUE : ((<u64>1) << ((size + 1) << 3)) - 1;
      cellWord = load<u64>(columnAt) & cellMask;
    }
  }
  lines++;
  stop = next;
  if (mapAt != 0) {
    gene = load<u32>(mapAt + (gene << 2));
    if (gene == 0xffffffff) {
      dropped++;
      return MORE;
    }
  }
  if (number == 0) {
    zeros++;
    return MORE;
  }
  if (whole != number) {
    rounded++;
    if (showsOdd) showsOdd = hostOdd(number);
  }
  if (number >= 20) reachesTwenty = true;
  if (whole == 0) return MORE;
  if (isTriples) store<u32>(cellsAt + (length << 2), at);
  else {
    if (<i64>gene <= last) isUnsorted = true;
    last = <i64>gene;
  }
  store<u32>(genesAt + (length << 2), gene);
  store<u32>(countsAt + (length << 2), <u32>whole);
  length++;
  return MORE;
}
