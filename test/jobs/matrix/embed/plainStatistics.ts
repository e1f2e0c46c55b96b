// The statistics that an embedding rests on, computed the plain way, from the definitions, for matrices that fit in memory twice.

import type {
  GroupStatistics,
  MatrixStatistics,
} from "../../../../src/jobs/matrix/counting/statistics.ts";
import type { MatrixReader } from "../../../../src/jobs/matrix/matrix.ts";
import type { Cells } from "./memoryReader.ts";

/** Computes the statistics of a reader's cells, by approach. */
export function plainStatistics(reader: MatrixReader, cells: Cells): MatrixStatistics {
  const { genes } = reader;
  const { approaches, approachOf } = reader.cells;
  const sums = cells.map((cell) => cell.reduce((sum, [, count]) => sum + count, 0));
  const groupOf = approaches.length > 1 ? approachOf : null;
  const groups = approaches.map((approach, group) => ({
    ...groupStatistics(
      cells.filter((_, cell) => (groupOf?.[cell] ?? 0) === group),
      genes.ids.length,
    ),
    approach,
  }));
  return {
    format: reader.format,
    genes,
    cells: {
      nCounts: Float64Array.from(sums),
      nGenes: Uint32Array.from(cells, ({ length }) => length),
      mitoFraction: null,
    },
    groupOf,
    whole: groupStatistics(cells, genes.ids.length),
    groups,
    notes: [],
  };
}

function groupStatistics(cells: Cells, geneCount: number): GroupStatistics {
  const counted = cells.filter(({ length }) => length > 0);
  const nCells = new Uint32Array(geneCount);
  const normalised = Array.from({ length: geneCount }, () => [] as number[]);
  for (const cell of counted) {
    const sum = cell.reduce((total, [, count]) => total + count, 0);
    for (const [gene, count] of cell) {
      nCells[gene] = (nCells[gene] ?? 0) + 1;
      normalised[gene]?.push((1_000 * count) / sum);
    }
  }
  const logMean = new Float64Array(geneCount);
  const dispersion = new Float64Array(geneCount).fill(NaN);
  const size = counted.length;
  for (let gene = 0; gene < geneCount; gene++) {
    const values = normalised[gene] ?? [];
    const mean = values.reduce((total, value) => total + value, 0) / size;
    const squares = values.reduce((total, value) => total + (value - mean) ** 2, 0);
    const variance = (squares + (size - values.length) * mean ** 2) / (size - 1);
    logMean[gene] = Math.log1p(mean > 0 ? mean : 1e-12);
    if (variance > 1e-20 && mean > 0) dispersion[gene] = Math.log(variance / mean);
  }
  const dispersionNorm = normaliseDispersion(logMean, dispersion);
  const isVariable = Uint8Array.from(dispersionNorm, (norm, gene) => {
    const mean = logMean[gene] ?? 0;
    return norm > 1.9 && mean > 0.05 && mean < 30 ? 1 : 0;
  });
  const none = new Float64Array(geneCount);
  return {
    approach: null,
    cells: cells.length,
    emptyCells: cells.length - counted.length,
    entries: counted.flat().length,
    counts: counted.flat().reduce((sum, [, count]) => sum + count, 0),
    genes: {
      nCells,
      meanCounts: none,
      varianceCounts: none,
      meanPct: none,
      logMean,
      dispersion,
      dispersionNorm,
      isVariable,
    },
    topGenes: [],
  };
}

/** Z-scores in 20 bins of equal width; a bin of one gene takes its mean as deviation and 0 as mean. */
export function normaliseDispersion(means: Float64Array, dispersion: Float64Array): Float32Array {
  const [low, high] = [Math.min(...means), Math.max(...means)];
  const bins = Array.from({ length: 20 }, () => [] as number[]);
  const binOf = (mean: number): number =>
    Math.min(19, Math.max(0, Math.ceil(((mean - low) / (high - low)) * 20) - 1));
  means.forEach((mean, gene) => {
    if (!Number.isNaN(dispersion[gene])) bins[binOf(mean)]?.push(dispersion[gene] ?? 0);
  });
  const scales = bins.map((values) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    if (values.length === 1) return { mean: 0, deviation: mean };
    const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
    return { mean, deviation: Math.sqrt(squares / (values.length - 1)) };
  });
  return Float32Array.from(means, (mean, gene) => {
    const { mean: centre, deviation } = scales[binOf(mean)] ?? { mean: 0, deviation: 0 };
    const norm = ((dispersion[gene] ?? NaN) - centre) / deviation;
    return Number.isFinite(norm) ? norm : 0;
  });
}
