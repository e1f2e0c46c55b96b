// MatrixMarket files as a matrix: cell by cell where the file lies so, through a spool where it does not.

import { count, number } from "../../../format.ts";
import { makeMtxKernel, type MtxKernel, STATUS } from "../kernel/mtxKernel.ts";
import type {
  CellBlock,
  CellTable,
  GeneTable,
  MatrixNote,
  MatrixReader,
  PassOptions,
  PassSummary,
} from "../matrix.ts";
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
import { makeRegionReader, type RegionReader } from "./regionReader.ts";
import { type EntrySpool, makeSpool } from "./spool.ts";
import { mostlyRounded } from "./tableNotes.ts";
import { readWithZlib } from "./zlibRegion.ts";

/** A pass by somebody who can begin anew: nothing need be known of the order of entries beforehand. */
export interface RestartablePassOptions extends PassOptions {
  /** All blocks so far are void; the cells come again from the first. */
  readonly onRestart?: () => void | Promise<void>;
}

/** Sizes that tests make small. */
export interface MtxSizes {
  readonly slotBytes: number;
  readonly blockEntries: number;
  /** Files up to this size are read without a thread of their own. */
  readonly inlineBytes: number;
}

/**
 * Slots of 1 MB: some 80,000 entries; handing one over costs some 20 µs. 64 K entries: 512 KB, within a core's cache.
 * 2 MB of gzip are unpacked in 20 ms; a thread starts in 40.
 */
const SIZES: MtxSizes = { slotBytes: 1 << 20, blockEntries: 1 << 16, inlineBytes: 2 << 20 };

/** What a pass over the text saw. */
interface Seen {
  readonly entries: number;
  readonly duplicates: number;
  readonly rounded: number;
}

/** Makes what reads MatrixMarket files: it can begin before their tables were read. */
export function makeMtxSource(): RegionReader {
  return makeRegionReader(SIZES.slotBytes, SIZES.inlineBytes);
}

/** MatrixMarket files whose tables were read. */
export interface MtxOptions {
  readonly parts: readonly MtxPart[];
  readonly genes: GeneTable;
  readonly cells: CellTable;
  /** What was found worth knowing so far. */
  readonly notes: readonly MatrixNote[];
  /** Private folder for a spool; what is put there is removed by close(). */
  readonly scratchDir: string;
  readonly sizes?: MtxSizes;
  /** What reads the files; it is closed with the matrix. Default: a new one. */
  readonly source?: RegionReader;
}

/** Opens MatrixMarket files; they are read by each pass. */
export async function openMtx(opened: MtxOptions): Promise<MatrixReader> {
  const { parts, genes, cells, notes, scratchDir, sizes = SIZES } = opened;
  const { source = makeRegionReader(sizes.slotBytes, sizes.inlineBytes) } = opened;
  const ordered = [...parts].sort((a, b) => a.firstCell - b.firstCell);
  const totalBytes = ordered.reduce((sum, { matrix }) => sum + matrix.length, 0);
  const { ring } = source;
  const found = new Map<string, MatrixNote>();
  let kernel: MtxKernel | null = null;
  let isOrdered = false;
  /** What to say where most values were rounded. */
  let mostly: string | null = null;
  let spool: EntrySpool | null = null;
  let spooled: Seen | null = null;
  /** Whether zlib unpacks instead of ourselves. */
  let isCareful = false;

  function theKernel(): MtxKernel {
    const mapRows = Math.max(0, ...ordered.map(({ geneMap }) => geneMap?.length ?? 0));
    return (kernel ??= makeMtxKernel(ring, { genes: genes.ids.length, mapRows, ...sizes }));
  }

  /** Parses one part; false where its order breaks. */
  async function parsePart(
    part: MtxPart,
    bytesBefore: number,
    triples: boolean,
    take: () => void | Promise<void>,
    onHeader: (header: MtxHeader) => void,
    signal: AbortSignal,
    report: Progress,
  ): Promise<{ lines: number } | null> {
    const at = theKernel();
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

    const pieces = isCareful
      ? readWithZlib(part.matrix, ring, signal)
      : source.read(part.matrix, signal);
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
      report(bytesBefore + piece.read, totalBytes);
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
      onHeader(known);
      at.part(part.geneMap, known.rows, known.columns, known.isTurned, part.firstCell);
    }
  }

  /** Parses all parts; null where the order breaks. */
  async function parseAll(
    triples: boolean,
    take: () => void | Promise<void>,
    onHeader: (header: MtxHeader) => void,
    options: PassOptions,
  ): Promise<Seen | null> {
    const at = theKernel();
    const report = makeProgress(options.onProgress);
    at.begin(triples);
    let lines = 0;
    let bytes = 0;
    for (const part of ordered) {
      const noted = (header: MtxHeader): void => {
        if (header.isTurned) note("M_TRANSPOSED", "info", turned(part));
        onHeader(header);
      };
      const parsed = await parsePart(part, bytes, triples, take, noted, options.signal, report);
      if (parsed === null) return null;
      lines += parsed.lines;
      bytes += part.matrix.length;
    }
    for (;;) {
      const status = at.finish(cells.count);
      if (status === STATUS.more) break;
      if (status !== STATUS.block) throw wrongEntry(at, status, ordered.at(-1), null);
      const waited = take();
      if (waited !== undefined) await waited;
      at.taken();
    }
    const { zeros, dropped, rounded, duplicates, reachesTwenty } = at.seen();
    if (rounded * 2 > lines - zeros - dropped && !reachesTwenty) {
      throw new UnreadableMatrix(
        "M_NOT_COUNTS",
        `${nameOf(ordered)} holds log values, not counts: ${number(rounded)} of ` +
          `${count(lines - zeros - dropped, "value")} are not whole, and none reaches 20`,
      );
    }
    mostly = mostlyRounded(nameOf(ordered), rounded, lines - zeros - dropped);
    report.end(totalBytes);
    return { entries: 0, duplicates, rounded };
  }

  async function stream(
    onBlock: (block: CellBlock) => void | Promise<void>,
    options: PassOptions,
  ): Promise<PassSummary | null> {
    const at = theKernel();
    let entries = 0;
    const take = (): void | Promise<void> => {
      const block = at.block();
      entries += block.genes.length;
      return onBlock(block);
    };
    const seen = await parseAll(false, take, () => {}, options);
    if (seen === null) return null;
    isOrdered = true;
    return remember({ ...seen, entries });
  }

  async function fillSpool(options: PassOptions): Promise<EntrySpool> {
    const at = theKernel();
    let filled: EntrySpool | null = null;
    let claimed = 0;
    // An entry takes at least six bytes of text, which deflate shrinks to a thousandth at the most.
    const most = (totalBytes * 1000) / 6;
    const filling = (): EntrySpool =>
      (filled ??= makeSpool({
        dir: scratchDir,
        cells: cells.count,
        genes: genes.ids.length,
        entries: Math.min(ordered.length > 1 ? Math.max(claimed, most) : claimed, most),
      }));
    const take = (): void => {
      const { cells, genes, counts, length } = at.triples();
      filling().add(cells, genes, counts, length);
    };
    try {
      const seen = await parseAll(
        true,
        take,
        (header) => {
          claimed += header.entries;
        },
        options,
      );
      // Triples have no order that could break.
      spooled = seen;
      return filling();
    } catch (error) {
      await filling().remove();
      throw error;
    }
  }

  async function passSpool(
    from: EntrySpool,
    onBlock: (block: CellBlock) => void | Promise<void>,
    options: PassOptions,
  ): Promise<PassSummary> {
    const { entries, duplicates } = await from.pass(onBlock, options);
    return remember({ entries, duplicates, rounded: spooled?.rounded ?? 0 });
  }

  /** Makes a pass by whatever way the order of entries leaves. */
  async function attempt(
    onBlock: (block: CellBlock) => void | Promise<void>,
    options: RestartablePassOptions,
  ): Promise<PassSummary> {
    if (spool === null) {
      const { onRestart } = options;
      if (!isOrdered && onRestart === undefined) {
        // Who cannot begin anew must not be given cells before it is known that they are whole.
        if ((await stream(() => {}, { signal: options.signal })) === null) {
          spool = await fillSpool({ signal: options.signal });
        }
      }
      if (spool === null) {
        const summary = await stream(onBlock, options);
        if (summary !== null) return summary;
        await onRestart?.();
        spool = await fillSpool(options);
      }
    }
    return passSpool(spool, onBlock, options);
  }

  /** Whether bytes or entries are refused that zlib would have unpacked otherwise: nobody unpacks as well as zlib. */
  function mayBeOurs(error: unknown): boolean {
    const isPacked = ordered.some(({ matrix }) => matrix.layers.length > 0);
    const isRefused = error instanceof UnreadableMatrix && /^M_(CORRUPT|ENTRY)$/.test(error.rule);
    return isRefused && isPacked && !isCareful && spool === null;
  }

  function note(rule: MatrixNote["rule"], severity: MatrixNote["severity"], message: string): void {
    found.set(rule, { rule, severity, message });
  }

  function remember(summary: PassSummary): PassSummary {
    const name = nameOf(ordered);
    if (summary.rounded > 0) {
      const values = `${count(summary.rounded, "value")} of ${name}`;
      const plain = `${values} were not whole and were rounded to the nearest count`;
      note("M_ROUNDED", "warning", mostly ?? plain);
    }
    if (summary.duplicates > 0) {
      const entries = count(summary.duplicates, "entry", "entries");
      note(
        "M_DUPLICATES",
        "warning",
        `${entries} of ${name} named a gene and cell a second time and were added up`,
      );
    }
    return summary;
  }

  return {
    format: "mtx",
    genes,
    cells,
    notes: () => [...notes, ...found.values()],
    async pass(onBlock, options: RestartablePassOptions) {
      let hasGiven = false;
      const give: typeof onBlock = (block) => {
        hasGiven = true;
        return onBlock(block);
      };
      try {
        return await attempt(give, options);
      } catch (error) {
        const { onRestart } = options;
        if (!mayBeOurs(error) || (hasGiven && onRestart === undefined)) throw error;
        isCareful = true;
        await onRestart?.();
        try {
          return await attempt(onBlock, options);
        } catch (again) {
          isCareful = false;
          throw again instanceof UnreadableMatrix ? error : again;
        }
      }
    },
    async close() {
      const last = spool;
      spool = null;
      kernel = null;
      await source.close();
      await last?.remove();
    },
  };
}

function nameOf(parts: readonly MtxPart[]): string {
  const [first] = parts;
  if (first === undefined) return "the matrix";
  return parts.length === 1 ? first.matrix.name : `${first.matrix.name} and its like`;
}
