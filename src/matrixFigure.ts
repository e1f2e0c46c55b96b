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
