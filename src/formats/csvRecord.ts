// One record of separated values, and the text of its cells, which is made only where it is wanted.

/** The kind of a cell without quotes. */
export const BARE = 0;
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
  /** How each cell is written: BARE, INTRICATE, or in quotes that are no part of its content. */
  readonly kinds: Uint8Array;
  /** The character that takes the meaning from a quote within quotes; a doubled quote always does. */
  readonly escape: CsvEscape;
}

export type CsvEscape = '"' | "\\";

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
