// What is counted of a matrix in one pass: per cell, per gene, the top genes and the variable genes, for all cells and by approach.

import type { Approach, GeneTable, MatrixFormat, MatrixNote } from "../matrix.ts";

/** Per cell, in the order of the matrix. */
export interface CellVectors {
  /** Sum of counts. */
  readonly nCounts: Float64Array;
  /** Genes with a count. */
  readonly nGenes: Uint32Array;
  /** Fraction 0-1 of counts in mitochondrial genes, NaN for a cell without counts; null where there are no such genes. */
  readonly mitoFraction: Float64Array | null;
}

/** Per gene, in the order of the gene table. */
export interface GeneVectors {
  /** Cells with a count. */
  readonly nCells: Uint32Array;
  readonly meanCounts: Float64Array;
  /** Sample variance of the counts (n − 1). */
  readonly varianceCounts: Float64Array;
  /** Mean over cells of the gene's share of the cell's counts, in percent. Cells without counts are left out. */
  readonly meanPct: Float64Array;
  /** log1p of the mean of the counts normalised to 1,000 a cell (0 taken for 1e-12): scanpy's `means`. */
  readonly logMean: Float64Array;
  /** Natural log of variance / mean of the normalised counts; NaN where it is 0 or undefined: scanpy's `dispersions`. */
  readonly dispersion: Float64Array;
  /** Z-score of the dispersion in its bin of 20; 0 where undefined; rounded to float32 as scanpy does. */
  readonly dispersionNorm: Float32Array;
  /** 1 where logMean in (0.05, 30) and dispersionNorm > 1.9. */
  readonly isVariable: Uint8Array;
}

/** A box plot's numbers as matplotlib draws them: quartiles interpolated linearly, whiskers at the last value within 1.5 IQR. */
export interface Box {
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  readonly whiskerLow: number;
  readonly whiskerHigh: number;
  /** Values outside the whiskers, in all. */
  readonly outlierCount: number;
  /** At most 60 of them: the most extreme and an even choice of the rest, ascending. */
  readonly outliers: readonly number[];
}

/** One of the 20 genes with the highest mean share. Values are percent of a cell's counts. */
export interface TopGene {
  readonly index: number;
  readonly symbol: string;
  readonly meanPct: number;
  readonly box: Box;
}

/** What is counted of a set of cells: all, or those of one approach. */
export interface GroupStatistics {
  /** Null for all cells together. */
  readonly approach: Approach | null;
  /** Cells in the group, and those of them without any count (which normalised numbers leave out). */
  readonly cells: number;
  readonly emptyCells: number;
  /** Entries above 0. */
  readonly entries: number;
  readonly counts: number;
  readonly genes: GeneVectors;
  /** Highest mean share first; ties by gene order. At most 20, fewer where fewer genes have counts. Boxes are only made for approaches. */
  readonly topGenes: readonly TopGene[];
}

export interface MatrixStatistics {
  readonly format: MatrixFormat;
  readonly genes: GeneTable;
  /** All cells, in the order of the matrix. */
  readonly cells: CellVectors;
  /** Index into `groups` for each cell; null where there is one group. */
  readonly groupOf: Uint8Array | null;
  readonly whole: GroupStatistics;
  /** One per approach, in the reader's order. With one approach it has the same numbers as `whole`. */
  readonly groups: readonly GroupStatistics[];
  readonly notes: readonly MatrixNote[];
}
