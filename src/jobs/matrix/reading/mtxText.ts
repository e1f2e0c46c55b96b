// The text of MatrixMarket files, parsed part by part by the kernel: each entry is looked at once, in the order of the file.

import { type MtxKernel, STATUS } from "../kernel/mtxKernel.ts";
import type { MatrixNote, PassOptions } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";
import { makeProgress, type Progress } from "../progress.ts";
import {
  headerMissing,
  headerTooLong,
  LONGEST_HEADER_BYTES,
  makeHeaderReader,
  type MtxHeader,
} from "./mtxHeader.ts";
import { cutOff, turned, wrongEntry, wrongNumber } from "./mtxProblems.ts";
import type { MtxPart } from "./region.ts";
import type { RegionReader } from "./regionReader.ts";
import { mostlyRounded } from "./tableNotes.ts";
import { whyNoCounts } from "./valueSigns.ts";
import { readWithZlib } from "./zlibRegion.ts";

/** The files of a matrix, and how they are read. */
export interface MtxText {
  /** By their first cell, ascending. */
  readonly parts: readonly MtxPart[];
  readonly totalBytes: number;
  /** Cells of all parts together. */
  readonly cells: number;
  readonly source: RegionReader;
  /** What parses; it is made when it is first asked for. */
  kernel(): MtxKernel;
  note(rule: MatrixNote["rule"], severity: MatrixNote["severity"], message: string): void;
  /** Whether zlib unpacks instead of ourselves. */
  isCareful: boolean;
  /** What to say where most values were rounded. */
  mostly: string | null;
}

/** What a pass over the text saw. */
export interface Seen {
  readonly entries: number;
  readonly duplicates: number;
  readonly rounded: number;
}

/** Parses one part; null where its order breaks. */
async function parsePart(
  text: MtxText,
  part: MtxPart,
  bytesBefore: number,
  take: () => void | Promise<void>,
  onHeader: (header: MtxHeader, part: MtxPart) => void,
  signal: AbortSignal,
  report: Progress,
): Promise<{ lines: number } | null> {
  const at = text.kernel();
  const { ring } = text.source;
  const { name } = part.matrix;
  const readHeader = makeHeaderReader(part);
  let header: MtxHeader | null = null;
  let headerBytes = 0;
  let line = "";
  /** What the slots before left: the beginning of a line, as bytes just before the next slot. */
  let left = 0;
  let slot = 0;

  function nextSlot(): number {
    return ring.slots[slot % ring.slots.length] ?? 0;
  }

  async function parse(from: number, to: number, isLast: boolean): Promise<boolean> {
    for (let position = from; ;) {
      const status = at.parse(position, to, isLast);
      position = at.stoppedAt();
      if (status === STATUS.more) {
        // Moved at once: the reader may overwrite this slot as soon as the next one is asked for.
        left = to - position;
        at.bytes.copyWithin(nextSlot() - left, position, to);
        return true;
      }
      if (status === STATUS.unordered) return false;
      if (status === STATUS.badFields && isLast) throw cutOff(name, at.seen().lines, header);
      if (status !== STATUS.block) throw wrongEntry(at, status, part, header);
      const waited = take();
      if (waited !== undefined) await waited;
      at.taken();
    }
  }

  const pieces = text.isCareful
    ? readWithZlib(part.matrix, ring, signal)
    : text.source.read(part.matrix, signal);
  for await (const piece of pieces) {
    slot++;
    let from = piece.at;
    const to = piece.at + piece.length;
    while (header === null && from < to) {
      const found = at.bytes.subarray(from, to).indexOf(10);
      const end = found < 0 ? to : from + found;
      line += Buffer.from(at.bytes.subarray(from, end)).toString("latin1");
      headerBytes += end - from;
      from = end;
      if (headerBytes > LONGEST_HEADER_BYTES) throw headerTooLong(name);
      if (found < 0) break;
      from++;
      header = readHeader(line);
      line = "";
      if (header === null) continue;
      begin(header);
    }
    if (header !== null) {
      if (!(await parse(from - left, to, false))) return null;
      // At once: a file that says one entry and holds billions must not fill a disk first.
      const { lines } = at.seen();
      if (lines > header.entries) throw wrongNumber(name, lines, header.entries);
    }
    report(bytesBefore + piece.read, text.totalBytes);
  }
  if (header === null) {
    // The line of sizes may be the last, without a line break.
    header = line === "" ? null : readHeader(line);
    if (header === null) throw headerMissing(name);
    begin(header);
  }
  if (left > 0 && !(await parse(nextSlot() - left, nextSlot(), true))) return null;
  const { lines } = at.seen();
  if (lines !== header.entries) throw wrongNumber(name, lines, header.entries);
  return { lines };

  function begin(known: MtxHeader): void {
    onHeader(known, part);
    // Cells that are put elsewhere count from 0.
    const base = part.cellMap === null ? part.firstCell : 0;
    at.part(part.geneMap, known.rows, known.columns, known.isTurned, base);
  }
}

/** Parses all parts; null where the order breaks. */
export async function parseAll(
  text: MtxText,
  triples: boolean,
  take: () => void | Promise<void>,
  onHeader: (header: MtxHeader, part: MtxPart) => void,
  options: PassOptions,
): Promise<Seen | null> {
  const at = text.kernel();
  const report = makeProgress(options.onProgress);
  at.begin(triples);
  let lines = 0;
  let bytes = 0;
  for (const part of text.parts) {
    const noted = (header: MtxHeader): void => {
      if (header.isTurned) text.note("M_TRANSPOSED", "info", turned(part));
      onHeader(header, part);
    };
    const parsed = await parsePart(text, part, bytes, take, noted, options.signal, report);
    if (parsed === null) return null;
    lines += parsed.lines;
    bytes += part.matrix.length;
    // What takes triples has to know whose they are.
    if (triples) await finish(part);
  }
  await finish(text.parts.at(-1));
  const { zeros, dropped, rounded, duplicates, reachesTwenty, log2s, roots } = at.seen();
  const values = lines - zeros - dropped;
  const why = whyNoCounts(
    nameOf(text.parts),
    { values, rounded, reachesTwenty, log2s, roots },
    reachesTwenty ? "some reach 20" : "none reaches 20",
  );
  if (why !== null) throw new UnreadableMatrix("M_NOT_COUNTS", why);
  text.mostly = mostlyRounded(nameOf(text.parts), rounded, values);
  report.end(text.totalBytes);
  return { entries: 0, duplicates, rounded };

  async function finish(part: MtxPart | undefined): Promise<void> {
    for (;;) {
      const status = at.finish(text.cells);
      if (status === STATUS.more) break;
      if (status !== STATUS.block) throw wrongEntry(at, status, part, null);
      const waited = take();
      if (waited !== undefined) await waited;
      at.taken();
    }
  }
}

/** Names a matrix by its files. */
export function nameOf(parts: readonly MtxPart[]): string {
  const [first] = parts;
  if (first === undefined) return "the matrix";
  return parts.length === 1 ? first.matrix.name : `${first.matrix.name} and its like`;
}
