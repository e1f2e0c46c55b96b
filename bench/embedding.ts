// Measures the embedding alone, on cells generated in memory: node bench/embedding.ts [CELLS] [GENES] [KEPT]. KEPT is the limit of entries kept
// in memory (0: every pass reads the matrix). Prints wall times by stage, CPU and memory as JSON.

import type { GroupStatistics, MatrixStatistics } from "../src/jobs/matrix/counting/statistics.ts";
import { embed } from "../src/jobs/matrix/embed/embed.ts";
import { limitMsOf } from "../src/jobs/matrix/embed/neighbourhood.ts";
import { hash32, seededRandom } from "../src/jobs/matrix/embed/sample.ts";
import type { MatrixReader } from "../src/jobs/matrix/matrix.ts";
import { normaliseDispersion } from "../test/jobs/matrix/embed/plainStatistics.ts";
import { adjustedRandIndex } from "../test/jobs/matrix/embed/planted.ts";
import { startWatch } from "./stopwatch.ts";

const [cellCount = 30_000, geneCount = 30_000, keptEntries = 20_000_000] = process.argv
  .slice(2)
  .map(Number);
/** Draws a cell; with those of the real matrices the engine was planned for, a cell has about 1,500 genes. */
const MOLECULES = 3_200;
const KINDS = 15;
/** Genes of a kind's own, and how much more likely a molecule of a cell of that kind is one of them. */
const MARKERS = 60;
const BLOCK_CELLS = 500;

/** One cell's genes and counts are made from the cell's index alone, so that a pass needs no memory; the watch tells what making them takes. */
function generator(): (cell: number, genes: Uint32Array, counts: Uint32Array) => number {
  const random = seededRandom(7);
  const weights = Float64Array.from({ length: geneCount }, () => Math.exp(-7 * random()));
  // A table of 2^20 draws: the gene of a molecule is one look-up.
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const table = new Uint32Array(2 ** 20);
  for (let gene = 0, at = 0, sum = 0; gene < geneCount; gene++) {
    sum += weights[gene] ?? 0;
    for (const end = (sum / total) * table.length; at < end && at < table.length; at++) {
      table[at] = gene;
    }
  }
  const seen = new Uint16Array(geneCount);
  return (cell, genes, counts) => {
    const kind = cell % KINDS;
    let state = hash32(cell, 1) | 1;
    const molecules = MOLECULES * (0.6 + (0.8 * (hash32(cell, 2) & 1023)) / 1024);
    let found = 0;
    for (let i = 0; i < molecules; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      const isOwn = state >>> 0 < 2 ** 32 * 0.04;
      const gene = isOwn
        ? (kind * MARKERS * 7 + ((state >>> 3) % MARKERS) * 7) % geneCount
        : (table[state >>> 12] ?? 0);
      if (seen[gene] === 0) genes[found++] = gene;
      seen[gene]!++;
    }
    genes.subarray(0, found).sort();
    for (let i = 0; i < found; i++) {
      const gene = genes[i]!;
      counts[i] = seen[gene]!;
      seen[gene] = 0;
    }
    return found;
  };
}

const symbols = Array.from({ length: geneCount }, (_, gene) => `GENE${gene}`);
const generate = generator();
let generatedMs = 0;
let passes = 0;
const reader: MatrixReader = {
  format: "mtx",
  genes: { ids: symbols, symbols, isMito: new Uint8Array(geneCount) },
  cells: { count: cellCount, approaches: [{ key: "10X", label: "10X" }], approachOf: null },
  notes: () => [],
  close: async () => undefined,
  async pass(onBlock) {
    passes++;
    const genes = new Uint32Array(BLOCK_CELLS * MOLECULES * 2);
    const counts = new Uint32Array(genes.length);
    let entries = 0;
    for (let firstCell = 0; firstCell < cellCount; firstCell += BLOCK_CELLS) {
      const at = performance.now();
      const cells = Math.min(BLOCK_CELLS, cellCount - firstCell);
      const starts = new Uint32Array(cells + 1);
      for (let i = 0; i < cells; i++) {
        const from = starts[i] ?? 0;
        starts[i + 1] = from + generate(firstCell + i, genes.subarray(from), counts.subarray(from));
      }
      generatedMs += performance.now() - at;
      const end = starts[cells] ?? 0;
      entries += end;
      await onBlock({
        firstCell,
        cells,
        starts,
        genes: genes.subarray(0, end),
        counts: counts.subarray(0, end),
      });
    }
    return { entries, duplicates: 0, rounded: 0 };
  },
};

const nCounts = new Float64Array(cellCount);
const nGenes = new Uint32Array(cellCount);
const nCells = new Uint32Array(geneCount);
const sums = new Float64Array(geneCount);
const squares = new Float64Array(geneCount);
const { signal } = new AbortController();
const { entries } = await reader.pass(
  ({ firstCell, cells, starts, genes, counts }) => {
    for (let i = 0; i < cells; i++) {
      const [from, to] = [starts[i]!, starts[i + 1]!];
      let sum = 0;
      for (let at = from; at < to; at++) sum += counts[at]!;
      nCounts[firstCell + i] = sum;
      nGenes[firstCell + i] = to - from;
      for (let at = from; at < to; at++) {
        const gene = genes[at]!;
        const value = (1_000 * counts[at]!) / sum;
        nCells[gene]!++;
        sums[gene]! += value;
        squares[gene]! += value * value;
      }
    }
  },
  { signal },
);
const means = sums.map((sum) => sum / cellCount);
const dispersion = means.map((mean, gene) =>
  mean > 0 ? Math.log((squares[gene]! / cellCount - mean * mean) / mean) : NaN,
);
const logMean = means.map((mean) => Math.log1p(mean > 0 ? mean : 1e-12));
const dispersionNorm = normaliseDispersion(logMean, dispersion);
const unused = new Float64Array(0);
const group: GroupStatistics = {
  approach: { key: "10X", label: "10X" },
  cells: cellCount,
  emptyCells: 0,
  entries,
  counts: 0,
  genes: {
    nCells,
    meanCounts: unused,
    varianceCounts: unused,
    meanPct: unused,
    logMean,
    dispersion,
    dispersionNorm,
    // None at the cut-offs: the 2,000 most dispersed are taken.
    isVariable: new Uint8Array(geneCount),
  },
  topGenes: [],
};
const statistics: MatrixStatistics = {
  format: "mtx",
  genes: reader.genes,
  cells: { nCounts, nGenes, mitoFraction: null },
  groupOf: null,
  whole: group,
  groups: [group],
  notes: [],
};

generatedMs = 0;
passes = 0;
const watch = startWatch();
const wallMs: Record<string, number> = {};
let stage = "PCA";
let since = performance.now();
const enter = (next: string): void => {
  wallMs[stage] = Math.round((wallMs[stage] ?? 0) + performance.now() - since);
  [stage, since] = [next, performance.now()];
};
const [embedding] = await embed(
  reader,
  statistics,
  { seed: 1, sampleCells: 50_000, signal, onProgress: (name) => enter(name) },
  {
    keptEntries,
    covarianceBytes: 100_000_000,
    markerBytes: 128 * 2 ** 20,
    umapMs: limitMsOf,
  },
);
enter("end");
const { cpuMs, maxRssBytes } = watch.stop({});
const { pca, umap, markers, reasons, variableGenes } = embedding ?? {};
process.stdout.write(
  `${JSON.stringify(
    {
      cells: cellCount,
      entries,
      passes,
      wallMs,
      generatedMs: Math.round(generatedMs),
      cpuMs: Math.round(cpuMs),
      maxRssBytes,
      variableGenes: variableGenes?.length,
      components: pca?.varianceRatio.length,
      clusters: umap?.clusterSizes,
      ari:
        umap === null || umap === undefined
          ? null
          : adjustedRandIndex(
              Array.from(umap.cells, (cell) => cell % KINDS),
              umap.clusters,
            ),
      marked: markers?.length,
      reasons,
    },
    null,
    1,
  )}\n`,
);
