// The eight figures of a matrix as plain data: made by the matrix room, drawn by the render room.

/** In the order in which pages show them. Names of the published files and specs. */
export const FIGURE_NAMES = [
  "highest_expr_genes",
  "violin",
  "scatter_genes_vs_counts",
  "scatter_percentMitoGenes_vs_count",
  "highly_variable_genes",
  "pca",
  "umap",
  "rank_gene_groups",
] as const;
export type FigureName = (typeof FIGURE_NAMES)[number];

/** A figure with its data and what it says in words. */
export interface MadeFigure {
  readonly name: FigureName;
  readonly title: string;
  /** What the figure rests on and how it was made. */
  readonly caption: string;
  /** What it shows, in numbers. */
  readonly alt: string;
  readonly data: MatrixFigureData;
  readonly reason: null;
}

/** A figure that could not be made, and why. */
export interface MissingFigure {
  readonly name: FigureName;
  readonly title: string;
  readonly reason: string;
}

export type MatrixFigure = MadeFigure | MissingFigure;

export type MatrixFigureData =
  BoxesData | ViolinsData | ScatterData | VariableGenesData | PcaData | UmapData | MarkersData;

/** An axis of numbers; the domain is what is drawn, from end to end, and above 0 on a logarithmic axis. */
export interface Axis {
  readonly title: string;
  readonly isLog: boolean;
  /** True where its values are whole: no number between two of them is written beside it. Missing: false. */
  readonly isWhole?: true;
  readonly domain: readonly [number, number];
}

/**
 * Marks of a scatter plot, parallel, in the order in which they are drawn. A mark stands for one cell or gene, or, where there are
 * very many, for several that lie closer together than can be told apart; then it is at their mean.
 */
export interface Marks {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/** Box plots, one for each gene; values are percent of a cell's counts. */
export interface BoxesData {
  readonly kind: "boxes";
  readonly axisTitle: string;
  readonly rows: readonly {
    readonly symbol: string;
    readonly sort: GeneSort;
    readonly mean: number;
    readonly q1: number;
    readonly median: number;
    readonly q3: number;
    readonly whiskerLow: number;
    readonly whiskerHigh: number;
    readonly outliers: readonly number[];
  }[];
}

/** What a gene's symbol says of it, as far as it matters for the quality of cells. */
export type GeneSort = "mitochondrial" | "ribosomal" | "other";

/** Distributions, each with its own axis. */
export interface ViolinsData {
  readonly kind: "violins";
  readonly panels: readonly ViolinPanel[];
}

/** One distribution: the mirrored outline of its density, its quartiles and some of its values. */
export interface ViolinPanel {
  readonly axis: Axis;
  /** Put behind numbers in words, "%" or nothing. */
  readonly unit: "" | "%";
  readonly q1: number;
  readonly median: number;
  readonly q3: number;
  /** Widths are parts 0-1 of the widest place; empty where all values are the same. */
  readonly outline: { readonly at: readonly number[]; readonly width: readonly number[] };
  /** A sample of values; offsets are parts −1 to 1 of the widest half. */
  readonly points: { readonly at: readonly number[]; readonly offset: readonly number[] };
}

/** One mark a cell, coloured by how many lie around it, with the distribution along each axis. */
export interface ScatterData {
  readonly kind: "scatter";
  readonly x: Axis;
  readonly y: Axis;
  /** Density is a part 0-1 of the densest place, on a logarithmic scale. */
  readonly marks: Marks & { readonly density: readonly number[] };
  readonly medianX: number;
  readonly medianY: number;
  readonly marginX: Margin;
  readonly marginY: Margin;
}

/** Counts between edges; one edge more than counts. */
export interface Margin {
  readonly edges: readonly number[];
  readonly counts: readonly number[];
}

/** Dispersion over mean, normalised and not, one mark a gene. */
export interface VariableGenesData {
  readonly kind: "variableGenes";
  readonly x: Axis;
  readonly panels: readonly {
    readonly title: string;
    readonly y: Axis;
    /** 2 for variable genes, 1 for genes that PCA used because too few are, 0 for others. */
    readonly marks: Marks & { readonly level: readonly number[] };
    /** The genes that stand out most. */
    readonly labels: readonly { readonly symbol: string; readonly x: number; readonly y: number }[];
    /** The least normalised dispersion of a variable gene; null where it is not on this axis. */
    readonly cutoff: number | null;
  }[];
  /** The least and highest mean of a variable gene, on the x axis. */
  readonly meanCutoffs: readonly [number, number];
  /** Genes of each level that are shown. */
  readonly variable: number;
  readonly usedInstead: number;
  readonly others: number;
}

/** A gene whose expression colours marks; `most` is where the colour scale ends, and isClipped says that some values lie above. */
export interface ColourGene {
  readonly symbol: string;
  readonly most: number;
  readonly isClipped: boolean;
}

/** Cells by their first two principal components, coloured by a gene where there is one. */
export interface PcaData {
  readonly kind: "pca";
  readonly x: Axis;
  readonly y: Axis;
  readonly marks: Marks & { readonly expression: readonly number[] | null };
  readonly gene: ColourGene | null;
  /** Percent of the variance, per component. */
  readonly variancePct: readonly number[];
}

/** Clusters whose number stands on a UMAP; more of them would cover the cells, and each other. */
export const MOST_NAMED_CLUSTERS = 40;

/** Cells by UMAP, coloured by cluster and by a gene where there is one. */
export interface UmapData {
  readonly kind: "umap";
  readonly x: Axis;
  readonly y: Axis;
  readonly marks: Marks & {
    readonly cluster: readonly number[];
    readonly expression: readonly number[] | null;
  };
  readonly gene: ColourGene | null;
  /** Each cluster with its cells, and where its name goes: at the median of its cells. */
  readonly clusters: readonly {
    readonly cluster: number;
    readonly cells: number;
    readonly x: number;
    readonly y: number;
  }[];
}

/** The highest scoring genes of clusters. */
export interface MarkersData {
  readonly kind: "markers";
  readonly clusters: readonly {
    readonly cluster: number;
    readonly cells: number;
    readonly genes: readonly { readonly symbol: string; readonly score: number }[];
  }[];
  /** Clusters that did not fit. */
  readonly leftOut: number;
}
