// MatrixMarket files as a matrix: cell by cell where the file lies so, through a spool where it does not.

import { count } from "../../../format.ts";
import { makeMtxKernel, type MtxKernel } from "../kernel/mtxKernel.ts";
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
import { type MtxText, nameOf, parseAll, type Seen } from "./mtxText.ts";
import type { MtxPart } from "./region.ts";
import { makeRegionReader, type RegionReader } from "./regionReader.ts";
import { type EntrySpool, makeSpool } from "./spool.ts";

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

/** Makes what reads MatrixMarket files: it can begin before their tables were read. */
export function makeMtxSource(): RegionReader {
  return makeRegionReader(SIZES.slotBytes, SIZES.inlineBytes);
}

/** MatrixMarket files whose tables were read. */
export interface MtxOptions {
  readonly parts: readonly MtxPart[];
  readonly genes: GeneTable;
  readonly cells: CellTable;
  /** Parts may have counts of the same gene and cell, which are added up without saying so. */
  readonly isSummed?: boolean;
  /** What was found worth knowing so far. */
  readonly notes: readonly MatrixNote[];
  /** Private folder for a spool; what is put there is removed by close(). */
  readonly scratchDir: string;
  readonly sizes?: MtxSizes;
  /** What reads the files; it is closed with the matrix. Default: a new one. */
  readonly source?: RegionReader;
}

/** A matrix whose files are open. */
interface Reading {
  readonly opened: MtxOptions;
  readonly text: MtxText;
  /** Whether the entries lie cell by cell, as a pass has shown. */
  isOrdered: boolean;
  spool: EntrySpool | null;
  spooled: Seen | null;
}

/** Opens MatrixMarket files; they are read by each pass. */
export async function openMtx(opened: MtxOptions): Promise<MatrixReader> {
  const { parts, genes, cells, notes, sizes = SIZES } = opened;
  const { source = makeRegionReader(sizes.slotBytes, sizes.inlineBytes) } = opened;
  const found = new Map<string, MatrixNote>();
  const mapRows = Math.max(0, ...parts.map(({ geneMap }) => geneMap?.length ?? 0));
  let kernel: MtxKernel | null = null;
  const text: MtxText = {
    parts: [...parts].sort((a, b) => a.firstCell - b.firstCell),
    totalBytes: parts.reduce((sum, { matrix }) => sum + matrix.length, 0),
    cells: cells.count,
    source,
    kernel: () =>
      (kernel ??= makeMtxKernel(source.ring, { genes: genes.ids.length, mapRows, ...sizes })),
    note(rule, severity, message) {
      found.set(rule, { rule, severity, message });
    },
    isCareful: false,
    mostly: null,
  };
  const state: Reading = { opened, text, isOrdered: false, spool: null, spooled: null };

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
        return await attempt(state, give, options);
      } catch (error) {
        const { onRestart } = options;
        if (!mayBeOurs(state, error) || (hasGiven && onRestart === undefined)) throw error;
        text.isCareful = true;
        await onRestart?.();
        try {
          return await attempt(state, onBlock, options);
        } catch (again) {
          text.isCareful = false;
          throw again instanceof UnreadableMatrix ? error : again;
        }
      }
    },
    async close() {
      const last = state.spool;
      state.spool = null;
      kernel = null;
      await source.close();
      await last?.remove();
    },
  };
}

async function stream(
  state: Reading,
  onBlock: (block: CellBlock) => void | Promise<void>,
  options: PassOptions,
): Promise<PassSummary | null> {
  const at = state.text.kernel();
  let entries = 0;
  const take = (): void | Promise<void> => {
    const block = at.block();
    entries += block.genes.length;
    return onBlock(block);
  };
  const seen = await parseAll(state.text, false, take, () => {}, options);
  if (seen === null) return null;
  state.isOrdered = true;
  return remember(state, { ...seen, entries });
}

async function fillSpool(state: Reading, options: PassOptions): Promise<EntrySpool> {
  const at = state.text.kernel();
  let filled: EntrySpool | null = null;
  let claimed = 0;
  // An entry takes at least six bytes of text, which deflate shrinks to a thousandth at the most.
  const most = (state.text.totalBytes * 1000) / 6;
  const filling = (): EntrySpool =>
    (filled ??= makeSpool({
      dir: state.opened.scratchDir,
      cells: state.opened.cells.count,
      genes: state.opened.genes.ids.length,
      entries: Math.min(state.text.parts.length > 1 ? Math.max(claimed, most) : claimed, most),
    }));
  let moved: Pick<MtxPart, "cellMap" | "firstCell"> = { cellMap: null, firstCell: 0 };
  const take = (): void => {
    const { cells, genes, counts, length } = at.triples();
    const { cellMap, firstCell } = moved;
    if (cellMap !== null) {
      for (let i = 0; i < length; i++) cells[i] = firstCell + (cellMap[cells[i] ?? 0] ?? 0);
    }
    filling().add(cells, genes, counts, length);
  };
  try {
    const seen = await parseAll(
      state.text,
      true,
      take,
      (header, part) => {
        claimed += header.entries;
        moved = part;
      },
      options,
    );
    // Triples have no order that could break.
    state.spooled = seen;
    return filling();
  } catch (error) {
    await filling().remove();
    throw error;
  }
}

async function passSpool(
  state: Reading,
  from: EntrySpool,
  onBlock: (block: CellBlock) => void | Promise<void>,
  options: PassOptions,
): Promise<PassSummary> {
  const { entries, duplicates: found } = await from.pass(onBlock, options);
  const duplicates = state.opened.isSummed === true ? 0 : found;
  return remember(state, { entries, duplicates, rounded: state.spooled?.rounded ?? 0 });
}

/** Makes a pass by whatever way the order of entries leaves. */
async function attempt(
  state: Reading,
  onBlock: (block: CellBlock) => void | Promise<void>,
  options: RestartablePassOptions,
): Promise<PassSummary> {
  if (state.spool === null) {
    const { onRestart } = options;
    if (haveSameCells(state.opened)) {
      state.spool = await fillSpool(state, options);
    } else if (!state.isOrdered && onRestart === undefined) {
      // Who cannot begin anew must not be given cells before it is known that they are whole.
      if ((await stream(state, () => {}, { signal: options.signal })) === null) {
        state.spool = await fillSpool(state, { signal: options.signal });
      }
    }
    if (state.spool === null) {
      const summary = await stream(state, onBlock, options);
      if (summary !== null) return summary;
      await onRestart?.();
      state.spool = await fillSpool(state, options);
    }
  }
  return passSpool(state, state.spool, onBlock, options);
}

/** Whether a cell's entries lie in more than one part: then no order of the parts is one of cells. */
function haveSameCells({ parts, cells }: MtxOptions): boolean {
  const all = parts.reduce((sum, part) => sum + part.cells, 0);
  return all > cells.count || parts.some(({ cellMap }) => cellMap !== null);
}

/** Whether bytes or entries are refused that zlib would have unpacked otherwise: nobody unpacks as well as zlib. */
function mayBeOurs(state: Reading, error: unknown): boolean {
  const isPacked = state.text.parts.some(({ matrix }) => matrix.layers.length > 0);
  const isRefused = error instanceof UnreadableMatrix && /^M_(CORRUPT|ENTRY)$/.test(error.rule);
  return isRefused && isPacked && !state.text.isCareful && state.spool === null;
}

function remember(state: Reading, summary: PassSummary): PassSummary {
  const name = nameOf(state.text.parts);
  if (summary.rounded > 0) {
    const values = `${count(summary.rounded, "value")} of ${name}`;
    const plain = `${values} were not whole and were rounded to the nearest count`;
    state.text.note("M_ROUNDED", "warning", state.text.mostly ?? plain);
  }
  if (summary.duplicates > 0) {
    const entries = count(summary.duplicates, "entry", "entries");
    state.text.note(
      "M_DUPLICATES",
      "warning",
      `${entries} of ${name} named a gene and cell a second time and were added up`,
    );
  }
  return summary;
}
