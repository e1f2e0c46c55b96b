// Where cells lie to each other: variable genes, principal components, UMAP, clusters and their marker genes, per approach.

/** The default limit of cells above which graph, UMAP and clusters rest on a sample. */
export const SAMPLE_CELLS = 50_000;

export interface EmbeddingOptions {
  readonly seed: number;
  readonly sampleCells: number;
  readonly signal: AbortSignal;
  /** Words such as "PCA", and a fraction 0-1. */
  readonly onProgress?: (stage: string, fraction: number) => void;
}

/** The embedding of one group. What could not be made is null, and `reasons` says why in one sentence each. */
export interface GroupEmbedding {
  /** Genes that PCA used (indexes into the gene table, ascending). */
  readonly variableGenes: Uint32Array;
  /** Genes variable at the reference cut-offs; below 50, the top 2,000 by normalised dispersion are taken instead. */
  readonly atCutoffs: number;
  readonly isFallback: boolean;
  readonly pca: {
    /** Indexes among all cells of the matrix, ascending: the group's cells with counts. The arrays below are parallel. */
    readonly cells: Uint32Array;
    readonly pc1: Float32Array;
    readonly pc2: Float32Array;
    /** Share of the variable genes' variance, per component (at most 50). */
    readonly varianceRatio: readonly number[];
  } | null;
  readonly umap: {
    /** Indexes among all cells, ascending: all of pca.cells, or the sample. */
    readonly cells: Uint32Array;
    readonly x: Float32Array;
    readonly y: Float32Array;
    /** 0-based cluster of each; clusters are numbered by size, largest first. */
    readonly clusters: Uint16Array;
    readonly clusterSizes: readonly number[];
    readonly modularity: number;
  } | null;
  /** CST3, else the first gene that all groups share (with counts in each). Expression is log1p of counts per 1,000, parallel to pca.cells. */
  readonly exampleGene: {
    readonly index: number;
    readonly symbol: string;
    readonly expression: Float32Array;
  } | null;
  /** Per cluster the ten genes with the highest Welch t against all other cells of the sample, highest first. */
  readonly markers:
    | readonly {
        readonly cluster: number;
        readonly cells: number;
        readonly genes: readonly {
          readonly index: number;
          readonly symbol: string;
          readonly score: number;
        }[];
      }[]
    | null;
  readonly reasons: Readonly<Partial<Record<"pca" | "umap" | "exampleGene" | "markers", string>>>;
}
