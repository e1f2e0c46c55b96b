// The words in which pages speak of matrices: species, formats, how each figure is read and how its numbers are made.

import { count, number, percent } from "../../../format.ts";
import type { FigureName } from "../figures/figure.ts";
import type { MatrixFormat } from "../matrix.ts";
import type { GroupSummary, MatrixSummary } from "../summary.ts";

/** What the numbers were made with; it is the same for all matrices of a run. */
export interface MatrixMethod {
  readonly seed: number;
  /** Cells above which graph, UMAP and clusters rest on a sample. */
  readonly sampleCells: number;
  /** Name → version of what computes and draws. */
  readonly madeWith: Readonly<Record<string, string>>;
}

/** Formats as people know them. */
export const FORMAT_LABELS: Readonly<Record<MatrixFormat, string>> = {
  mtx: "MatrixMarket",
  h5ad: "AnnData (.h5ad)",
  "10x-h5": "10x HDF5 (.h5)",
  loom: "Loom",
};

/** Parts of an approach's figures, in order. */
export const FIGURE_PARTS: readonly {
  readonly title: string;
  /** True where each figure takes the whole width: side by side, one would leave half of it blank. */
  readonly isStacked: boolean;
  readonly figures: readonly FigureName[];
}[] = [
  {
    title: "Quality of the cells",
    isStacked: false,
    figures: [
      "highest_expr_genes",
      "violin",
      "scatter_genes_vs_counts",
      "scatter_percentMitoGenes_vs_count",
    ],
  },
  {
    title: "Variable genes and components",
    isStacked: false,
    figures: ["highly_variable_genes", "pca"],
  },
  { title: "Clusters and their markers", isStacked: true, figures: ["umap", "rank_gene_groups"] },
];

/** Short names of the figures, for places without room. */
export const FIGURE_LABELS: Readonly<Record<FigureName, string>> = {
  highest_expr_genes: "Top genes",
  violin: "Violins",
  scatter_genes_vs_counts: "Genes over counts",
  scatter_percentMitoGenes_vs_count: "Mitochondrial share",
  highly_variable_genes: "Variable genes",
  pca: "PCA",
  umap: "UMAP",
  rank_gene_groups: "Marker genes",
};

/** How each figure is read: what is drawn, and what to look out for. */
export const FIGURE_READING: Readonly<Record<FigureName, string>> = {
  highest_expr_genes:
    "A row is a gene, a box the share of a cell's counts that it takes: the line is the median cell, the box the middle half of the cells, whiskers reach the last cell within 1.5 box lengths. One gene that takes tens of percent often means ribosomal or mitochondrial RNA, haemoglobin, or stressed cells.",
  violin:
    "The width says how many cells have that value. A second bulge at low counts is often empty droplets, a long upper tail doublets; many cells with a high mitochondrial share are often dying.",
  scatter_genes_vs_counts:
    "A point is a cell. Cells lie along one rising band; a second band below it is a part with less complex libraries. Points far above the rest in both directions may be doublets.",
  scatter_percentMitoGenes_vs_count:
    "A point is a cell. Few counts together with a high share point at broken cells, which portals usually leave out before they analyse.",
  highly_variable_genes:
    "A point is a gene: how much it varies between cells over how high it is on average, left after comparison with genes alike in mean, right before. What is marked passes the cut-offs and carries the components.",
  pca: "A point is a cell, placed by the two directions in which the variable genes differ most; the axes say how much of the variance they hold. Colour is one gene as an example. A few cells far off the rest may be another cell type, or broken.",
  umap: "A point is a cell; cells with alike neighbours lie together. Only closeness has a meaning: distances between islands, their sizes and the direction of the axes have none. Numbers are clusters, largest first.",
  rank_gene_groups:
    "Per cluster, the ten genes that are highest there against all other cells, by Welch's t. Scores compare genes within a cluster; clusters of many cells have higher ones.",
};

/** Writes a species as people do, e.g. "homo_sapiens" as "Homo sapiens"; "" where it is not known. */
export function speciesLabel(species: string | null): string {
  if (species === null) return "";
  const words = species.replaceAll("_", " ").trim();
  return words.slice(0, 1).toUpperCase() + words.slice(1);
}

/** Writes a large number to three digits, e.g. "12.3 million"; what is below ten million is written out. */
export function roundNumber(value: number): string {
  // 9,999,999 is as long as "10.0 million": from there on rounding saves room.
  if (value < 1e7) return number(Math.round(value));
  const [scale, word] =
    value < 999.5e6 ? [1e6, "million"] : value < 999.5e9 ? [1e9, "billion"] : [1e12, "trillion"];
  const scaled = value / scale;
  const digits = scaled >= 99.95 ? 0 : scaled >= 9.995 ? 1 : 2;
  return `${scaled.toFixed(digits)} ${word}`;
}

/** Writes a median, which may end in a half. */
export function medianText(value: number): string {
  return number(value >= 100 ? Math.round(value) : Math.round(value * 10) / 10);
}

/** Share of a matrix's cells × genes that has an entry, 0-1; 0 for a matrix without either. */
export function filledFraction({ entries, cells, genes }: MatrixSummary): number {
  const places = cells * genes;
  return places === 0 ? 0 : entries / places;
}

/** Orders approaches by their cells, most first; those of one size as they came. */
export function byCells(groups: readonly GroupSummary[]): readonly GroupSummary[] {
  return [...groups].sort((a, b) => b.cells - a.cells);
}

/** A label with its value and a remark, as pages list them; the remark is "" where there is none. */
export interface Fact {
  readonly label: string;
  readonly value: string;
  readonly note: string;
}

/** Lists the numbers of one approach. */
export function groupFacts(group: GroupSummary, genes: number): readonly Fact[] {
  const { emptyCells, embeddedCells, medianMitoFraction } = group;
  const aCell = emptyCells === 0 ? "a cell" : "a cell with counts";
  return [
    {
      label: "Cells",
      value: number(group.cells),
      note: emptyCells === 0 ? "" : `${number(emptyCells)} of them without counts`,
    },
    {
      label: "Genes with counts",
      value: number(group.detectedGenes),
      note: `of ${number(genes)} in the table`,
    },
    { label: "Median counts", value: medianText(group.medianCounts), note: aCell },
    { label: "Median genes", value: medianText(group.medianGenes), note: aCell },
    {
      label: "Median mitochondrial",
      value: medianMitoFraction === null ? "–" : percent(medianMitoFraction),
      note: medianMitoFraction === null ? "no such genes" : "of a cell's counts",
    },
    {
      label: "Variable genes",
      value: number(group.variableGenes),
      note: "at the cut-offs",
    },
    {
      label: "Clusters",
      value: group.clusters === null ? "–" : number(group.clusters),
      note:
        embeddedCells === null
          ? "not made"
          : embeddedCells < group.cells - emptyCells
            ? `on ${number(embeddedCells)} sampled cells`
            : `on ${count(embeddedCells, "cell")}`,
    },
  ];
}

/** Tells how the numbers are made, in the order in which they are. */
export function methodFacts({ seed, sampleCells, madeWith }: MatrixMethod): readonly Fact[] {
  const packages = Object.entries(madeWith)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, version]) => `${name} ${version}`);
  const fact = (label: string, value: string): Fact => ({ label, value, note: "" });
  return [
    fact(
      "Per cell",
      "Counts are the sum over genes, genes those with a count, the mitochondrial share that of counts in mitochondrial genes, whose symbol starts with MT- or mt- or which have the Ensembl id of one and no symbol. All cells of the matrix are counted; none is filtered out.",
    ),
    fact(
      "Normalisation",
      "Each cell's counts are scaled to a sum of 1,000, then the natural logarithm of 1 + x is taken.",
    ),
    fact(
      "Variable genes",
      "Seurat's dispersion as scanpy computes it: variance over mean of the normalised counts, its logarithm, compared with the genes in the same of 20 bins of mean. Cut-offs: logarithmic mean above 0.05 and below 30, normalised dispersion above 1.9. Where fewer than 50 genes pass, the 2,000 with the highest normalised dispersion are taken instead, and the figures say so.",
    ),
    fact(
      "Components",
      "Principal components of the variable genes, centred and not scaled, at most 50, over all cells.",
    ),
    fact(
      "Neighbours, UMAP, clusters",
      `Ten nearest neighbours by the components; UMAP of them; Louvain clusters of the unweighted graph, numbered by size. Above ${number(sampleCells)} cells these rest on a uniform sample of so many. Seed ${String(seed)}: the same matrix gives the same picture.`,
    ),
    fact(
      "Marker genes",
      "Welch's t-test of each cluster against all other cells, on the normalised logarithmic values of all genes.",
    ),
    fact(
      "Against scanpy",
      "The steps and cut-offs are those of scanpy 1.4. Counts, variable genes and components agree; places on a UMAP and cluster borders are alike, not equal.",
    ),
    ...(packages.length === 0 ? [] : [fact("Made with", packages.join(", "))]),
  ];
}
