// Statistics and embeddings as a matrix of blood cells might give them, made from a seed: for tests that need figures, not files.

import type {
  GeneVectors,
  GroupStatistics,
  MatrixStatistics,
  TopGene,
} from "../../../src/jobs/matrix/counting/statistics.ts";
import type { GroupEmbedding } from "../../../src/jobs/matrix/embed/embedding.ts";
import { makeChance } from "../../../src/jobs/matrix/figures/chance.ts";
import { makeGeneTable } from "../../../src/jobs/matrix/reading/geneTable.ts";

/** Makes numbers of a normal distribution. */
function makeNormal(seed: number): () => number {
  const chance = makeChance(seed);
  return () => Math.sqrt(-2 * Math.log(1 - chance())) * Math.cos(2 * Math.PI * chance());
}

const TOP =
  "MALAT1 B2M TMSB4X RPL10 RPL13 RPLP1 MT-CO1 RPS2 RPL13A EEF1A1 RPS27 MT-CO3 FTL RPS18 RPL3 FTH1 MT-CO2 ACTB RPS12 CD74".split(
    " ",
  );

/** Makes statistics of one group of cells; the first gene is CST3, the next are those of TOP. */
export function sampleStatistics(
  cells: number,
  { genes = 12_000, seed = 1, hasMito = true } = {},
): MatrixStatistics {
  const normal = makeNormal(seed);
  const chance = makeChance(seed + 7);
  const nCounts = new Float64Array(cells);
  const nGenes = new Uint32Array(cells);
  const mitoFraction = new Float64Array(cells);
  for (let cell = 0; cell < cells; cell++) {
    const isDying = chance() < 0.06;
    const counts = Math.exp(
      7.75 + 0.45 * normal() + (chance() < 0.05 ? 1 : 0) - (isDying ? 0.8 : 0),
    );
    nCounts[cell] = Math.round(counts);
    nGenes[cell] = Math.max(
      Math.round(counts ** 0.72 * 3.4 * Math.exp(0.08 * normal()) * (isDying ? 0.7 : 1)),
      1,
    );
    mitoFraction[cell] = Math.min(
      (isDying ? 0.14 : 0.022) * Math.exp((isDying ? 0.5 : 0.35) * normal()),
      0.9,
    );
  }
  const symbols = Array.from({ length: genes }, (_, gene) =>
    gene === 0 ? "CST3" : (TOP[gene - 1] ?? `GENE${gene}`),
  );
  const table = makeGeneTable(symbols, symbols);
  const group: GroupStatistics = {
    approach: { key: "10X", label: "10X v2 sequencing" },
    cells,
    emptyCells: 0,
    entries: nGenes.reduce((sum, value) => sum + value, 0),
    counts: nCounts.reduce((sum, value) => sum + value, 0),
    genes: sampleGenes(genes, cells, normal),
    topGenes: sampleTop(cells, normal),
  };
  return {
    format: "mtx",
    genes: table,
    cells: { nCounts, nGenes, mitoFraction: hasMito ? mitoFraction : null },
    groupOf: null,
    whole: { ...group, approach: null },
    groups: [group],
    notes: [],
  };
}

function sampleGenes(genes: number, cells: number, normal: () => number): GeneVectors {
  const logMean = new Float64Array(genes);
  const dispersion = new Float64Array(genes);
  const dispersionNorm = new Float32Array(genes);
  const isVariable = new Uint8Array(genes);
  for (let gene = 0; gene < genes; gene++) {
    const mean = Math.exp(-4.5 + 2 * normal());
    const extra = gene % 11 === 0 ? Math.abs(normal()) * 1.6 : 0;
    logMean[gene] = gene % 50 === 49 ? 1e-12 : Math.log1p(mean);
    dispersion[gene] =
      gene % 50 === 49 ? NaN : -0.2 + 0.25 * Math.log(mean + 0.05) + 0.25 * normal() + extra;
    dispersionNorm[gene] = gene % 50 === 49 ? 0 : 0.7 * normal() + 2.4 * extra;
    isVariable[gene] = (logMean[gene] ?? 0) > 0.05 && (dispersionNorm[gene] ?? 0) > 1.9 ? 1 : 0;
  }
  return {
    nCells: new Uint32Array(genes).fill(cells),
    meanCounts: new Float64Array(genes).fill(1),
    varianceCounts: new Float64Array(genes).fill(1),
    meanPct: new Float64Array(genes).fill(100 / genes),
    logMean,
    dispersion,
    dispersionNorm,
    isVariable,
  };
}

function sampleTop(cells: number, normal: () => number): readonly TopGene[] {
  return TOP.map((symbol, at) => {
    const median = 4.2 * Math.exp(-at * 0.09);
    const low = median * 0.72;
    const high = median * 1.34;
    const reach = high + 1.5 * (high - low);
    const outliers = Array.from(
      { length: Math.min(60, Math.ceil(cells / 40)) },
      () => reach + Math.abs(normal()) * median * 0.4,
    ).sort((a, b) => a - b);
    return {
      index: at + 1,
      symbol,
      meanPct: median * 1.05,
      box: {
        q1: low,
        median,
        q3: high,
        whiskerLow: Math.max(low - 1.5 * (high - low), 0.02),
        whiskerHigh: reach,
        outlierCount: Math.ceil(cells / 40),
        outliers,
      },
    };
  });
}

/** Makes the embedding of all cells of sample statistics, or of a part of them for UMAP, with planted clusters. */
export function sampleEmbedding(
  cells: number,
  { clusters = 8, embedded = cells, seed = 3 } = {},
): GroupEmbedding {
  const normal = makeNormal(seed);
  const chance = makeChance(seed + 1);
  const weights = Array.from({ length: clusters }, (_, cluster) => 1 / (cluster + 1.5));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const pickCluster = (): number => {
    let left = chance() * total;
    for (const [cluster, weight] of weights.entries()) {
      left -= weight;
      if (left <= 0) return cluster;
    }
    return 0;
  };
  const own = Uint16Array.from({ length: cells }, pickCluster);
  const sizes = new Array<number>(clusters).fill(0);
  const every = cells / embedded;
  const sampled = Uint32Array.from({ length: embedded }, (_, index) => Math.floor(index * every));
  for (const cell of sampled) sizes[own[cell] ?? 0] = (sizes[own[cell] ?? 0] ?? 0) + 1;
  const rank = sizes.map((_, cluster) => cluster).sort((a, b) => (sizes[b] ?? 0) - (sizes[a] ?? 0));
  const numberOf = new Map(rank.map((cluster, at) => [cluster, at]));
  const centres = weights.map((_, cluster) => ({
    angle: (2 * Math.PI * cluster) / clusters + 0.4 * normal(),
    radius: 5 + 5 * chance(),
    bend: normal(),
  }));
  const expressing = new Set([1, 4]);
  const x = new Float32Array(embedded);
  const y = new Float32Array(embedded);
  const groupOf = new Uint16Array(embedded);
  sampled.forEach((cell, at) => {
    const cluster = own[cell] ?? 0;
    const centre = centres[cluster] ?? { angle: 0, radius: 0, bend: 0 };
    const along = 1.1 * normal();
    x[at] = centre.radius * Math.cos(centre.angle) + along + 0.45 * normal();
    y[at] =
      centre.radius * Math.sin(centre.angle) +
      centre.bend * along * 0.6 +
      0.3 * along ** 2 +
      0.45 * normal();
    groupOf[at] = numberOf.get(cluster) ?? 0;
  });
  const pc1 = Float32Array.from(
    own,
    (cluster) => (expressing.has(cluster) ? 14 : -3) + 2.4 * normal(),
  );
  const pc2 = Float32Array.from(own, (cluster) => (cluster % 3 === 0 ? 7 : -4) + 2.2 * normal());
  const expression = Float32Array.from(own, (cluster) =>
    expressing.has(cluster)
      ? Math.max(2.2 + 0.6 * normal(), 0)
      : chance() < 0.12
        ? 0.4 + chance() * 0.8
        : 0,
  );
  return {
    variableGenes: Uint32Array.from({ length: 1_838 }, (_, gene) => gene * 3),
    atCutoffs: 1_838,
    isFallback: false,
    pca: {
      cells: Uint32Array.from({ length: cells }, (_, cell) => cell),
      pc1,
      pc2,
      varianceRatio: Array.from({ length: 50 }, (_, at) => 0.14 * Math.exp(-at * 0.45) + 0.004),
    },
    umap: {
      cells: sampled,
      x,
      y,
      clusters: groupOf,
      clusterSizes: rank.map((cluster) => sizes[cluster] ?? 0),
      modularity: 0.8123,
    },
    exampleGene: { index: 0, symbol: "CST3", expression },
    markers: rank.map((cluster, at) => ({
      cluster: at,
      cells: sizes[cluster] ?? 0,
      genes: Array.from({ length: 10 }, (_, gene) => ({
        index: gene,
        symbol: MARKERS[(at * 10 + gene) % MARKERS.length] ?? "",
        score: (60 / (at + 1)) * Math.exp(-gene * 0.16) + chance(),
      })),
    })),
    reasons: {},
  };
}

const MARKERS =
  "LTB IL32 IL7R CD3D LDHB CD3E TRAC JUNB NOSIP CD2 LYZ S100A9 S100A8 TYROBP FTL CST3 FCN1 LGALS1 AIF1 CD14 CD74 CD79A HLA-DRA CD79B MS4A1 HLA-DPB1 HLA-DQA1 TCL1A LINC00926 HLA-DQB1 CCL5 NKG7 GZMK CD8A CD8B CST7 GZMA CTSW KLRG1 PRF1 GNLY GZMB FGFBP2 SPON2 KLRD1 FCER1G XCL2 HOPX CLIC3 KLRF1 LST1 FCGR3A MS4A7 IFITM2 RHOC COTL1 SERPINA1 HES4 CDKN1C SAT1 FCER1A CLEC10A HLA-DMA ENHO GSN NDRG2 CLIC2 HLA-DPA1 SRP14 GRN PF4 PPBP SDPR GNG11 NRGN SPARC CCL4 TUBB1 CLU RGS18".split(
    " ",
  );
