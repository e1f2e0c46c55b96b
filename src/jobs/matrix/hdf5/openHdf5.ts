// Opening an HDF5 file as a matrix: what it is is told by what is in it, not by its name.
//
// Memory, beyond what a pass's receiver holds: about 35 MB for the library and its thread; 8 B × cells (offsets of sparse matrices),
// 1 B × cells (approaches), the strings of the gene table and 8 B × genes; 2 MB of block. In flight: of sparse matrices up to four
// pieces of each of two datasets, 1 MB each or a chunk where that is larger (then two). Of dense ones two slabs of 8 MB (up to 32 MB
// where chunks ask for it), the library's copy of one, and 20 B for each of its values that is not 0. Nothing grows with the entries.

import { open } from "node:fs/promises";
import { resolve } from "node:path";
import type { Worker } from "node:worker_threads";

import { HdashError } from "../../../error.ts";
import { count, list } from "../../../format.ts";
import type { MatrixNote, MatrixReader, OpenOptions, PassOptions } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";
import { makeProgress } from "../progress.ts";
import { type EntrySpool, makeSpool } from "../reading/spool.ts";
import { mostlyRounded } from "../reading/tableNotes.ts";
import type { OnBlock, PassState } from "./entrySource.ts";
import { listGroup, type Nodes } from "./frame.ts";
import { isH5ad, readH5ad } from "./h5adLayout.ts";
import { type Hdf5Session, openSession } from "./hdf5Session.ts";
import type { Layout } from "./layout.ts";
import { isLoom, readLoom } from "./loomLayout.ts";
import { findTenx, readTenx } from "./tenxLayout.ts";
import { makeTally, type Tally, whyNot } from "./wholeCounts.ts";

/** What an HDF5 file begins with, at 0 or behind a block of the user's at 512, 1024, 2048 … bytes. */
const SIGNATURE = Buffer.from("\x89HDF\r\n\x1a\n", "latin1");
/** Larger user blocks do not occur. */
const LAST_SIGNATURE = 8192;

/** Opens an .h5ad, a 10x .h5 or a .loom file; `name` is what messages call it, `early` a thread that was started already. */
export async function openHdf5(
  path: string,
  name: string,
  options: OpenOptions,
  early: Worker | null = null,
): Promise<MatrixReader> {
  const { bytes, isHdf5 } = await lookAt(path, name);
  if (!isHdf5) {
    throw new UnreadableMatrix("M_FORMAT", `${name}: it is not an HDF5 file`);
  }
  const session = await openSession(resolve(path), name, options.signal, { early });
  try {
    const layout = await readLayout(session, options.approaches);
    return makeReader(session, layout, bytes, options);
  } catch (error) {
    await session.close();
    throw error;
  }
}

async function lookAt(
  path: string,
  name: string,
): Promise<{ readonly bytes: number; readonly isHdf5: boolean }> {
  try {
    await using file = await open(path);
    const { size: bytes } = await file.stat();
    const head = Buffer.alloc(SIGNATURE.length);
    for (let at = 0; at <= LAST_SIGNATURE; at = at === 0 ? 512 : at * 2) {
      const { bytesRead } = await file.read(head, 0, head.length, at);
      if (bytesRead === head.length && head.equals(SIGNATURE)) return { bytes, isHdf5: true };
    }
    return { bytes, isHdf5: false };
  } catch (error) {
    throw new HdashError("permanent", `${name}: it cannot be opened`, { cause: error });
  }
}

async function readLayout(session: Hdf5Session, approaches: readonly string[]): Promise<Layout> {
  const root = await listGroup(session, "/");
  await refuseOthers(session, root);
  if (isLoom(root)) return readLoom(session, root, approaches);
  if (isH5ad(root)) return readH5ad(session, root, approaches);
  const tenx = await findTenx(session, root);
  if (tenx !== null) return readTenx(session, tenx, approaches);
  const names = [...root.keys()].slice(0, 5).map((name) => name.slice(0, 40));
  throw new UnreadableMatrix(
    "M_FORMAT",
    `${session.name}: it is an HDF5 file, but neither .h5ad nor 10x .h5 nor .loom: at its top are ${names.join(", ") || "no groups"}`,
  );
}

/** Names HDF5 files of other programs, some of which look like those that are read. */
async function refuseOthers(session: Hdf5Session, root: Nodes): Promise<void> {
  const refuse = (what: string): UnreadableMatrix =>
    new UnreadableMatrix("M_FORMAT", `${session.name}: it is ${what}`);
  if (root.get("mod") === "group" && !root.has("X")) {
    const modalities = [...(await listGroup(session, "/mod")).keys()].slice(0, 5);
    throw refuse(
      `a MuData file of several modalities (${list(modalities.map((name) => name.slice(0, 40)))}), which is not read; write the one of gene expression as .h5ad`,
    );
  }
  if (root.get("assays") === "group" && root.has("cell.names")) {
    throw refuse("a Seurat object (h5Seurat), which is not read; write its counts as .h5ad");
  }
  if (root.has("barcode_idx") && root.has("umi")) {
    throw refuse(
      "Cell Ranger's list of molecules (molecule_info.h5), not a matrix; that is filtered_feature_bc_matrix.h5",
    );
  }
}

function makeReader(
  session: Hdf5Session,
  layout: Layout,
  fileBytes: number,
  { scratchDir }: OpenOptions,
): MatrixReader {
  const { name } = session;
  const { source, genes, cells } = layout;
  let spool: EntrySpool | null = null;
  let isSpooled = false;
  /** Of the first pass; the others see the same. */
  let passNotes: readonly MatrixNote[] = [];
  let spooled: Pick<PassState, "tally" | "duplicates"> = { tally: makeTally(), duplicates: 0 };

  /** Reads gene by gene once; later passes have the spool. */
  async function fillSpool(state: PassState): Promise<EntrySpool> {
    if (spool !== null && isSpooled) return spool;
    await spool?.remove();
    if (source.order === "cells") throw new HdashError("permanent", `${name}: nothing to spool`);
    const made = makeSpool({
      dir: scratchDir,
      cells: cells.count,
      genes: genes.ids.length,
      entries: source.entries,
    });
    spool = made;
    await source.read((...entries) => made.add(...entries), state);
    checkTally(state.tally);
    isSpooled = true;
    spooled = state;
    return made;
  }

  function checkTally(tally: Tally): void {
    const why = whyNot(`${name}: ${layout.place}`, tally);
    if (why !== null) throw new UnreadableMatrix("M_NOT_COUNTS", why);
  }

  /** Says of values that are no counts where else was looked for some. */
  async function refusing<T>(work: Promise<T>): Promise<T> {
    try {
      return await work;
    } catch (error) {
      if (!(error instanceof UnreadableMatrix) || error.rule !== "M_NOT_COUNTS") throw error;
      const message = error.message + layout.others;
      throw new UnreadableMatrix("M_NOT_COUNTS", message, { cause: error });
    }
  }

  async function readPass(onBlock: OnBlock, options: PassOptions) {
    const { signal, onProgress } = options;
    const stop = (): void => void session.stop(stopped(name, signal));
    if (signal.aborted) throw stopped(name, signal);
    signal.addEventListener("abort", stop, { once: true });
    const progress = makeProgress(onProgress);
    const report = (fraction: number): void =>
      progress(Math.round(fraction * fileBytes), fileBytes);
    const guarded: OnBlock = (block) => {
      if (signal.aborted) throw stopped(name, signal);
      return onBlock(block);
    };
    try {
      const tally = makeTally();
      if (source.order === "cells") {
        const state = { tally, entries: 0, duplicates: 0, onFraction: report };
        await source.read(guarded, state);
        checkTally(tally);
        progress.end(fileBytes);
        return summarise(state.entries, state.duplicates, tally);
      }
      const share = isSpooled ? 0 : 0.5;
      const onFraction = (fraction: number): void => report(fraction * share);
      const filled = await fillSpool({ tally, entries: 0, duplicates: 0, onFraction });
      const spoolProgress = (done: number, total: number): void =>
        report(share + (1 - share) * (total === 0 ? 1 : done / total));
      const summary = await filled.pass(guarded, { signal, onProgress: spoolProgress });
      progress.end(fileBytes);
      const again = source.isSum === true ? 0 : summary.duplicates;
      return summarise(summary.entries, spooled.duplicates + again, spooled.tally);
    } finally {
      signal.removeEventListener("abort", stop);
    }
  }

  function summarise(entries: number, duplicates: number, { rounded, values }: Tally) {
    const notes: MatrixNote[] = [];
    const where = `${name}: ${layout.place}`;
    if (rounded > 0) {
      const plain = `${where}: ${count(rounded, "value")} not whole, rounded to the nearest whole count`;
      const message = mostlyRounded(where, rounded, values) ?? plain;
      notes.push({ rule: "M_ROUNDED", severity: "warning", message });
    }
    if (duplicates > 0) {
      const message = `${where}: ${count(duplicates, "entry", "entries")} for a gene and cell that had one before, added up`;
      notes.push({ rule: "M_DUPLICATES", severity: "warning", message });
    }
    passNotes = notes;
    return { entries, duplicates, rounded };
  }

  return {
    format: layout.format,
    genes,
    cells,
    notes: () => [...layout.notes, ...passNotes],
    pass: (onBlock, options) => refusing(readPass(onBlock, options)),
    async close() {
      await session.close();
      await spool?.remove();
      spool = null;
    },
  };
}

function stopped(name: string, signal: AbortSignal): HdashError {
  return new HdashError("aborted", `${name}: reading was stopped`, { cause: signal.reason });
}
