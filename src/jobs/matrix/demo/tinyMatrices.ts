// Many tiny projects in a folder, a few of them bad in ways of their own: what tests of whole runs need.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { makeDice } from "../../../lookalikes/dice.ts";
import { type ZipEntry, zipOf } from "../../../lookalikes/zipWriter.ts";
import type { CellCounts, PlannedCell } from "./matrixCells.ts";
import { mtxEntries } from "./matrixFiles.ts";
import { uuidOf } from "./uuid.ts";

export interface ManyProjects {
  /** "<uuid>.homo_sapiens", in the order of the making. */
  readonly ids: readonly string[];
  /** Those among them whose matrix cannot be read. */
  readonly badIds: readonly string[];
}

/** What a bad project suffers from: the first bad one has the first of these, and so on in turn. */
const HARMS: readonly ((entries: readonly ZipEntry[]) => readonly ZipEntry[])[] = [
  // The gzip stream of the counts ends in its middle.
  ([counts, ...tables]) => {
    return counts === undefined
      ? tables
      : [{ ...counts, bytes: counts.bytes.subarray(0, counts.bytes.length >> 1) }, ...tables];
  },
  // Left as it is: the counts were made with an index that is out of range.
  (entries) => entries,
  // The counts lie outside of the archive's folder.
  (entries) => entries.map((entry) => ({ ...entry, name: `../../${entry.name}` })),
];
const OUT_OF_RANGE = 1;

/** Writes tiny projects as `<uuid>.homo_sapiens.mtx.zip`, the bad ones spread among the others. */
export async function makeManyProjects(
  dir: string,
  options: { readonly count: number; readonly bad: number },
): Promise<ManyProjects> {
  await mkdir(dir, { recursive: true });
  const ids: string[] = [];
  const badIds: string[] = [];
  for (let index = 0; index < options.count; index++) {
    const id = `${uuidOf("many", index)}.homo_sapiens`;
    // Evenly spread: the nth bad one where n of `bad` parts of the way are done.
    const before = Math.floor((index * options.bad) / options.count);
    const isBad = Math.floor(((index + 1) * options.bad) / options.count) > before;
    const harm = isBad ? before % HARMS.length : -1;
    const made = tinyCells({ seed: index, cells: 60, genes: 80 });
    if (harm === OUT_OF_RANGE) made.geneOf[made.geneOf.length >> 1] = made.genes.length;
    const entries = await mtxEntries("tiny.mtx", made);
    await writeFile(join(dir, `${id}.mtx.zip`), zipOf(HARMS[harm]?.(entries) ?? entries));
    ids.push(id);
    if (isBad) badIds.push(id);
  }
  return { ids, badIds };
}

/** Makes a handful of cells of three kinds; a tenth of the genes is mitochondrial, CST3 is among the others. */
export function tinyCells(size: {
  readonly seed: number;
  readonly cells: number;
  readonly genes: number;
}): CellCounts {
  const mitochondrial = Math.ceil(size.genes / 10);
  const genes = Array.from({ length: size.genes }, (_, index) => ({
    id: `ENSG${String(index + 1).padStart(11, "0")}`,
    symbol: symbolOf(index, mitochondrial),
    level: 1,
  }));
  const cells: PlannedCell[] = [];
  const starts = new Uint32Array(size.cells + 1);
  const geneOf: number[] = [];
  const counts: number[] = [];
  for (let cell = 0; cell < size.cells; cell++) {
    const dice = makeDice("tiny", size.seed, cell);
    const kind = dice.below(3);
    cells.push({
      barcode: `CELL${cell}-1`,
      kind: `kind ${kind + 1}`,
      approach: "10X v2 sequencing",
      state: "healthy",
    });
    for (let gene = 0; gene < size.genes; gene++) {
      const isMarker = gene >= mitochondrial && gene % 3 === kind;
      if (!dice.chance(isMarker ? 0.85 : 0.3)) continue;
      geneOf.push(gene);
      counts.push(1 + dice.below(isMarker ? 12 : 3));
    }
    starts[cell + 1] = counts.length;
  }
  return {
    genes,
    cells,
    starts,
    geneOf: Uint32Array.from(geneOf),
    counts: Uint32Array.from(counts),
  };
}

function symbolOf(index: number, mitochondrial: number): string {
  if (index < mitochondrial) return `MT-T${index + 1}`;
  return index === mitochondrial ? "CST3" : `GENE${index + 1}`;
}
