// Counts what there is to count of a matrix in one pass, for all cells and by approach.

import { number } from "../../../format.ts";
import type { MatrixNote, MatrixReader } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";
import type { RestartablePassOptions } from "../reading/mtxReader.ts";
import { median } from "./average.ts";
import { type CellFold, makeCellFold } from "./cellFold.ts";
import { commonTotal, commonTotalWords } from "./commonTotal.ts";
import { addSums, makeGeneVectors } from "./geneVectors.ts";
import type { Box, GroupStatistics, MatrixStatistics, TopGene } from "./statistics.ts";
import { boxOfShares, highestGenes, TOP_GENES } from "./topGenes.ts";

/** What counting may use. */
export interface StatisticsOptions {
  /** Private folder; nothing is left in it. */
  readonly scratchDir: string;
  readonly signal: AbortSignal;
  readonly onProgress?: (done: number, total: number) => void;
}

/** Computes a matrix's statistics; a second pass is made only where a top gene was not foreseen. */
export async function computeStatistics(
  reader: MatrixReader,
  options: StatisticsOptions,
): Promise<MatrixStatistics> {
  const { genes, cells, format } = reader;
  if (cells.count === 0) throw new UnreadableMatrix("M_EMPTY", "the matrix has no cells");
  if (genes.ids.length === 0) throw new UnreadableMatrix("M_EMPTY", "the matrix has no genes");
  const fold = makeCellFold(genes, cells, options.scratchDir);
  try {
    const { signal, onProgress } = options;
    const passOptions: RestartablePassOptions = {
      signal,
      ...(onProgress === undefined ? {} : { onProgress }),
      onRestart: () => fold.reset(),
    };
    const { entries, rounded } = await reader.pass((block) => fold.add(block), passOptions);
    if (entries === 0) throw new UnreadableMatrix("M_EMPTY", "the matrix has no counts above 0");
    const withCounts = cells.count - fold.emptyCells.reduce((sum, empty) => sum + empty, 0);
    const total = commonTotal(fold.cells.nCounts, {
      roundedPerCell: rounded / withCounts,
      valuesPerCell: entries / withCounts,
      isRounded: true,
    });
    if (total !== null) {
      throw new UnreadableMatrix("M_NOT_COUNTS", commonTotalWords("the matrix", total, false));
    }

    const vectors = cells.approaches.map((_, group) =>
      makeGeneVectors(fold.sumsOf(group), fold.groupCells[group] ?? 0, fold.emptyCells[group] ?? 0),
    );
    const tops = vectors.map(({ meanPct }) => highestGenes(meanPct, TOP_GENES));
    const boxes = await boxesOf(reader, fold, tops, signal);
    const groups = cells.approaches.map((approach, group): GroupStatistics => {
      const of = vectors[group] ?? bug();
      return {
        approach,
        cells: fold.groupCells[group] ?? 0,
        emptyCells: fold.emptyCells[group] ?? 0,
        entries: fold.entries[group] ?? 0,
        counts: sumOf(fold.cells.nCounts, group, cells.approachOf),
        genes: of,
        topGenes: (tops[group] ?? []).map((index): TopGene => {
          const box = boxes[group]?.get(index) ?? bug();
          return {
            index,
            symbol: genes.symbols[index] ?? "",
            meanPct: of.meanPct[index] ?? 0,
            box,
          };
        }),
      };
    });
    return {
      format,
      genes,
      cells: fold.cells,
      groupOf: cells.approachOf,
      whole: wholeOf(groups, fold),
      groups,
      notes: [...reader.notes(), ...noteDroplets(fold.cells.nCounts)],
    };
  } finally {
    await fold.remove();
  }
}

/** Fewer cells are no droplets of an experiment. */
const LEAST_DROPLETS = 100;
/** A cell of any method has some hundred counts at least; what is left of ambient RNA in an empty droplet is a few. */
const NEARLY_EMPTY = 10;

/** Notes that most cells have next to no counts. */
function noteDroplets(nCounts: Float64Array): readonly MatrixNote[] {
  if (nCounts.length < LEAST_DROPLETS) return [];
  const few = nCounts.reduce((sum, counts) => sum + (counts <= NEARLY_EMPTY ? 1 : 0), 0);
  if (few * 2 <= nCounts.length) return [];
  const middle = median(nCounts.slice()) ?? 0;
  const message = `most cells are nearly empty: ${number(few)} of ${number(nCounts.length)} have no more than ${NEARLY_EMPTY} counts (median ${number(middle)}); these may be all droplets, before those with cells were called`;
  return [{ rule: "M_DROPLETS", severity: "warning", message }];
}

/** Derives the numbers of all cells from those of the groups. */
function wholeOf(groups: readonly GroupStatistics[], fold: CellFold): GroupStatistics {
  const [only] = groups;
  if (groups.length === 1 && only !== undefined) return { ...only, approach: null };
  const sum = (of: (group: GroupStatistics) => number): number =>
    groups.reduce((total, group) => total + of(group), 0);
  const cells = sum((group) => group.cells);
  const emptyCells = sum((group) => group.emptyCells);
  return {
    approach: null,
    cells,
    emptyCells,
    entries: sum((group) => group.entries),
    counts: sum((group) => group.counts),
    genes: makeGeneVectors(
      addSums(groups.map((_, group) => fold.sumsOf(group))),
      cells,
      emptyCells,
    ),
    // Boxes are made for approaches only.
    topGenes: [],
  };
}

/** Makes the boxes of each group's top genes, by gene. */
async function boxesOf(
  reader: MatrixReader,
  fold: CellFold,
  tops: readonly (readonly number[])[],
  signal: AbortSignal,
): Promise<readonly ReadonlyMap<number, Box>[]> {
  const { approachOf } = reader.cells;
  const largest = fold.groupCells.reduce((most, cells) => Math.max(most, cells), 0);
  const room = new Float64Array(largest);
  const boxes = tops.map(() => new Map<number, Box>());
  const draw = (group: number, genes: readonly number[]): number[] => {
    const missing: number[] = [];
    const chosen = fold.chosenOf(group);
    for (const gene of genes) {
      const place = chosen.indexOf(gene);
      if (place < 0) {
        missing.push(gene);
        continue;
      }
      const isOfGroup = (cell: number): boolean =>
        approachOf === null || approachOf[cell] === group;
      const box = boxOfShares(fold.aside(place), fold.cells.nCounts, isOfGroup, room);
      boxes[group]?.set(gene, box);
    }
    return missing;
  };
  const missing = tops.map((genes, group) => draw(group, genes));
  if (missing.some((genes) => genes.length > 0)) {
    await fold.choose(missing);
    await reader.pass((block) => fold.addAside(block), { signal });
    for (const [group, genes] of missing.entries()) draw(group, genes);
  }
  return boxes;
}

function sumOf(counts: Float64Array, group: number, approachOf: Uint8Array | null): number {
  let sum = 0;
  for (let cell = 0; cell < counts.length; cell++) {
    if (approachOf === null || approachOf[cell] === group) sum += counts[cell] ?? 0;
  }
  return sum;
}

function bug(): never {
  throw new RangeError("a group of cells has no numbers");
}
