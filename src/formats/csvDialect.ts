// How a file of separated values is written: in which encoding, what stands between its cells, and where its column names are.
// It is told from the whole row of column names, since one name alone says nothing of what separates it from the next.

import { type CsvFacts, makeCsvScanner, type OnRecord, readCsv } from "./csv.ts";
import { cellText } from "./csvRecord.ts";

type Encoding = "utf-8" | "utf-16le" | "utf-16be";

/** How a file is written. */
export interface Dialect extends TextDialect {
  readonly encoding: Encoding;
}

/** The same of text in UTF-8. */
interface TextDialect {
  /** What stands between the cells, e.g. ","; a comma where no column name is found. */
  readonly separator: string;
  /** Where the column names stand; null where none is found. */
  readonly place: NamePlace | null;
  /** So many bytes at the beginning say only what the separator is. */
  readonly skipped: number;
}

/** Where column names stand: in the first row, as they should; in a later one; all in one cell of the first; or with something else between them. */
export type NamePlace =
  | { readonly kind: "first row" }
  | { readonly kind: "later row"; readonly row: number }
  | { readonly kind: "one cell" }
  | { readonly kind: "unknown separator" };

/** A file that is about to be read. */
export interface Table {
  readonly dialect: Dialect;
  /** Reads it to its end, or until `onRecord` returns false. Bytes are UTF-8, whatever the file's are. */
  read(onRecord: OnRecord): Promise<CsvFacts>;
}

/** No row of column names is longer, in bytes. */
const HEAD_BYTES = 64 << 10;
const NAMES_BYTES = 4 << 10;
/** What can stand between cells; of those that fit equally well, the first. */
const SEPARATORS: readonly string[] = [",", ";", "\t", "|"];
/** Title, authors and a blank line above the column names: no more than that is looked at for a later row. */
const RECORDS_SEEN = 20;
/** One word alone may be a value that happens to be like a column's name. */
const NAMES_FOR_SURE = 2;
/** "sep=;": the first line of what is written for Excel. Excel shows no such row and does not count it. */
const SEPARATOR_LINE = /^"?sep=([!-/:-@[-`{-~]|\t)"?\1*(?:\r\n|\r|\n|$)/i;
/** So many letters are enough to know UTF-16 by. */
const PAIRS_SEEN = 200;
const LONGEST_SEPARATOR_LINE = 500;
const BYTE_ORDER_MARK = "\ufeff";

/** Looks at the beginning of a file and tells how it is written. `isName` tells whether a text is the name of a column that such files have. */
export async function openTable(
  chunks: AsyncIterable<Uint8Array>,
  isName: (text: string) => boolean,
): Promise<Table> {
  const bytes = chunks[Symbol.asyncIterator]();
  const raw = await takeHead(bytes);
  const encoding = findEncoding(raw);
  const decoder = encoding === "utf-8" ? null : new TextDecoder(encoding, { ignoreBOM: false });
  const decode = (chunk: Uint8Array): Uint8Array =>
    decoder === null ? chunk : Buffer.from(decoder.decode(chunk, { stream: true }));
  const head = decode(raw);
  const found = findDialect(Buffer.from(head.buffer, head.byteOffset, head.length), isName);

  async function* rest(): AsyncGenerator<Uint8Array> {
    try {
      yield head.subarray(found.skipped);
      for (let next = await bytes.next(); next.done !== true; next = await bytes.next()) {
        yield decode(next.value);
      }
    } finally {
      // A source that is not read to its end has to know, so that it closes what it opened.
      await bytes.return?.();
    }
  }
  return {
    dialect: { encoding, ...found },
    read: (onRecord) => readCsv(rest(), onRecord, '"', found.separator),
  };
}

/** Tells how text in UTF-8 is written, by its beginning. */
export function findDialect(text: Buffer, isName: (text: string) => boolean): TextDialect {
  const head = text.subarray(0, HEAD_BYTES);
  const mark = head.toString("utf8", 0, 3) === BYTE_ORDER_MARK ? 3 : 0;
  const line = SEPARATOR_LINE.exec(head.toString("utf8", mark, mark + LONGEST_SEPARATOR_LINE));
  const skipped = line === null ? 0 : mark + Buffer.byteLength(line[0]);
  const named = line?.[1];
  const separators =
    named === undefined || SEPARATORS.includes(named) ? SEPARATORS : [...SEPARATORS, named];
  return { ...findSeparator(head.subarray(skipped), separators, isName), skipped };
}

async function takeHead(bytes: AsyncIterator<Uint8Array>): Promise<Buffer> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  while (length < HEAD_BYTES) {
    const next = await bytes.next();
    if (next.done === true) break;
    pieces.push(next.value);
    length += next.value.length;
  }
  return pieces.length === 1 && pieces[0] !== undefined
    ? Buffer.from(pieces[0].buffer, pieces[0].byteOffset, length)
    : Buffer.concat(pieces);
}

/** Tells a text's encoding by its mark; without one, letters of ASCII in UTF-16 have a NUL for every other byte. */
export function findEncoding(head: Buffer): Encoding {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le";
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be";
  const pairs = Math.min(head.length >> 1, PAIRS_SEEN);
  let [first, second] = [0, 0];
  for (let at = 0; at < 2 * pairs; at += 2) {
    if (head[at] === 0) first += 1;
    if (head[at + 1] === 0) second += 1;
  }
  // Letters beyond ASCII have fewer NULs, and a few have theirs in the other place.
  const isSo = (most: number, few: number): boolean =>
    pairs > 2 && most > pairs / 2 && few < pairs / 10;
  if (isSo(second, first)) return "utf-16le";
  return isSo(first, second) ? "utf-16be" : "utf-8";
}

/** Takes the separator by which the first row has most names, and looks elsewhere for them where it has none by any. */
function findSeparator(
  head: Buffer,
  separators: readonly string[],
  isName: (text: string) => boolean,
): Omit<TextDialect, "skipped"> {
  let [best, most] = [",", 0];
  for (const separator of separators) {
    const names = firstRecords(head, separator, 1)[0]?.cells.filter(isName).length ?? 0;
    if (names > most) [best, most] = [separator, names];
  }
  const place: NamePlace | null =
    most > 0 ? { kind: "first row" } : findElsewhere(head, separators, isName);
  return { separator: best, place };
}

interface HeadRecord {
  readonly row: number;
  readonly cells: readonly string[];
}

function findElsewhere(
  head: Buffer,
  separators: readonly string[],
  isName: (text: string) => boolean,
): NamePlace | null {
  const [first] = firstRecords(head, ",", 1);
  if (first === undefined) return null;
  const [only = ""] = first.cells;
  const isInOneCell = separators.some(
    (separator) => only.split(separator).filter(isName).length >= NAMES_FOR_SURE,
  );
  if (first.cells.length === 1 && isInOneCell) return { kind: "one cell" };
  for (const separator of separators) {
    const later = firstRecords(head, separator, RECORDS_SEEN).find(
      ({ cells }) => cells.filter(isName).length >= NAMES_FOR_SURE,
    );
    if (later !== undefined) return { kind: "later row", row: later.row };
  }
  // Words between blanks, up to three together: names have blanks of their own.
  const words = first.cells.join(",").split(/[^\p{L}\p{N}-]+/u);
  const names = words.filter((_word, at) =>
    [1, 2, 3].some((length) => isName(words.slice(at, at + length).join(" "))),
  );
  return names.length >= NAMES_FOR_SURE ? { kind: "unknown separator" } : null;
}

/** Reads the first records, up to `most`; what is cut off by the head's end is read as far as it is there. */
function firstRecords(head: Buffer, separator: string, most: number): readonly HeadRecord[] {
  const records: HeadRecord[] = [];
  const scanner = makeCsvScanner(
    (record) => {
      const cells = Array.from({ length: record.length }, (_, index) => cellText(record, index));
      return records.push({ row: record.row, cells }) < most;
    },
    '"',
    separator,
  );
  // A scanner takes memory for what it is given at once, and column names are seldom longer than this.
  if (scanner.push(head.subarray(0, NAMES_BYTES))) scanner.push(head.subarray(NAMES_BYTES));
  scanner.end();
  return records;
}
