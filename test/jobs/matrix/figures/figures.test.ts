import { describe, expect, test } from "vitest";

import type { MatrixStatistics } from "../../../../src/jobs/matrix/counting/statistics.ts";
import type { GroupEmbedding } from "../../../../src/jobs/matrix/embed/embedding.ts";
import {
  FIGURE_NAMES,
  type MadeFigure,
  type MatrixFigure,
} from "../../../../src/jobs/matrix/figures/figure.ts";
import { makeFigures } from "../../../../src/jobs/matrix/figures/figures.ts";
import { sampleEmbedding, sampleStatistics } from "../figureSample.ts";

const SEED = { seed: 1 };

function made(figures: readonly MatrixFigure[], name: string): MadeFigure {
  const figure = figures.find((one) => one.name === name);
  if (figure?.reason !== null) throw new TypeError(`${name} was not made: ${figure?.reason}`);
  return figure;
}

function reasonOf(figures: readonly MatrixFigure[], name: string): string | null | undefined {
  return figures.find((figure) => figure.name === name)?.reason;
}

/** Two groups of four cells each, of which the second has one without counts. */
function twoGroups(): MatrixStatistics {
  const sample = sampleStatistics(8, { genes: 30 });
  const group = sample.groups[0];
  if (group === undefined) throw new TypeError("the sample has no group");
  return {
    ...sample,
    cells: {
      nCounts: Float64Array.of(100, 9, 200, 9, 300, 9, 400, 0),
      nGenes: Uint32Array.of(10, 3, 20, 3, 30, 3, 40, 0),
      mitoFraction: Float64Array.of(0.1, 0, 0.2, 0, 0.3, 0, 0.4, NaN),
    },
    groupOf: Uint8Array.of(0, 1, 0, 1, 0, 1, 0, 1),
    groups: [
      { ...group, cells: 4, emptyCells: 0 },
      { ...group, approach: { key: "SS2", label: "Smart-seq2" }, cells: 4, emptyCells: 1 },
    ],
  };
}

describe("makeFigures(statistics, group, embedding, {seed})", () => {
  test("makes all eight in their order, as plain JSON with words", () => {
    const figures = makeFigures(sampleStatistics(400), 0, sampleEmbedding(400), SEED);
    expect(figures.map((figure) => figure.name)).toEqual(FIGURE_NAMES);
    expect(JSON.parse(JSON.stringify(figures))).toEqual(figures);
    for (const figure of figures) {
      expect(figure.reason).toBe(null);
      const { title, caption, alt } = made(figures, figure.name);
      for (const text of [title, caption, alt]) {
        expect(text).not.toMatch(/NaN|Infinity|undefined|null| {2}|\.\.|^\s|\s$/);
      }
      expect(caption).toMatch(/\d.*\.$/);
      expect(alt).toMatch(/\d.*\.$/);
    }
  });

  test("gives the same for the same seed, and other places of points for another", () => {
    const make = (seed: number): readonly MatrixFigure[] =>
      makeFigures(sampleStatistics(900), 0, sampleEmbedding(900), { seed });
    expect(make(1)).toEqual(make(1));
    expect(made(make(2), "violin").data).not.toEqual(made(make(1), "violin").data);
  });

  test("takes the cells of the group alone", () => {
    const figures = makeFigures(twoGroups(), 0, null, SEED);
    const { data, caption, alt } = made(figures, "violin");
    expect(caption).toBe(
      "4 cells. Outlines are kernel densities of all of them, bars span the quartiles, dots are medians.",
    );
    expect(alt).toBe(
      "Violin plots of 4 cells. Counts per cell: median 250, quartiles 175 and 325, from 100 to 400. " +
        "Genes per cell: median 25, quartiles 17.5 and 32.5, from 10 to 40. " +
        "Mitochondrial counts: median 25%, quartiles 17.5% and 32.5%, from 10% to 40%.",
    );
    if (data.kind !== "violins") throw new TypeError(data.kind);
    expect(
      data.panels.map(({ axis, unit, q1, median, q3 }) => ({ axis, unit, q1, median, q3 })),
    ).toEqual([
      {
        axis: { title: "Counts per cell", isLog: false, isWhole: true, domain: [91, 409] },
        unit: "",
        q1: 175,
        median: 250,
        q3: 325,
      },
      {
        axis: { title: "Genes per cell", isLog: false, isWhole: true, domain: [9.1, 40.9] },
        unit: "",
        q1: 17.5,
        median: 25,
        q3: 32.5,
      },
      {
        axis: { title: "Mitochondrial counts (%)", isLog: false, domain: [9.1, 40.9] },
        unit: "%",
        q1: 17.5,
        median: 25,
        q3: 32.5,
      },
    ]);
    expect(data.panels[0]?.points.at).toEqual([100, 200, 300, 400]);
  });

  test("leaves out cells without counts and says how many", () => {
    const figures = makeFigures(twoGroups(), 1, null, SEED);
    const figure = made(figures, "scatter_genes_vs_counts");
    expect(figure.caption).toMatch(
      /^3 of 4 cells \(1 cell without counts left out\), one point each/,
    );
    expect(figure.data).toMatchObject({
      marks: { x: [9, 9, 9], y: [3, 3, 3] },
      medianX: 9,
      medianY: 3,
    });
    expect(made(figures, "highest_expr_genes").caption).toMatch(/^3 of 4 cells; /);
  });

  test("keeps a scatter plot bounded, and every cell that stands alone in it", () => {
    const cells = 120_000;
    const statistics = sampleStatistics(cells);
    statistics.cells.nCounts[5] = 3_000_000;
    statistics.cells.nGenes[5] = 11;
    const figures = makeFigures(statistics, 0, null, SEED);
    for (const name of ["scatter_genes_vs_counts", "scatter_percentMitoGenes_vs_count"]) {
      const { data } = made(figures, name);
      if (data.kind !== "scatter") throw new TypeError(data.kind);
      const { x, y, density } = data.marks;
      expect(x.length).toBeGreaterThan(3_000);
      expect(x.length).toBeLessThanOrEqual(20_000);
      expect([y.length, density.length]).toEqual([x.length, x.length]);
      expect(Math.min(...density)).toBeGreaterThanOrEqual(0);
      expect(Math.max(...density)).toBeLessThanOrEqual(1);
      expect(x.filter((value) => value === 3_000_000)).toHaveLength(1);
    }
    const { data } = made(figures, "scatter_genes_vs_counts");
    if (data.kind !== "scatter") throw new TypeError(data.kind);
    expect(data.marks.y[data.marks.x.indexOf(3_000_000)]).toBe(11);
    expect(data.marginX.counts.reduce((sum, count) => sum + count, 0)).toBe(cells);
    expect(JSON.stringify(figures).length).toBeLessThan(2_000_000);
  });

  test("gives merged cells their mean expression and their most frequent cluster", () => {
    const cells = 60_000;
    const sample = sampleEmbedding(cells, { clusters: 3 });
    if (sample.umap === null || sample.exampleGene === null) throw new TypeError("no sample");
    // All in one place, but for two.
    sample.umap.x.fill(1).set([0, 2]);
    sample.umap.y.fill(1).set([0, 2]);
    sample.umap.clusters.fill(2).set([0, 1, 0, 0, 0]);
    sample.exampleGene.expression.fill(0.5).set([3, 0, 0.5]);
    const { data } = made(makeFigures(sampleStatistics(10), 0, sample, SEED), "umap");
    if (data.kind !== "umap") throw new TypeError(data.kind);
    const { marks } = data;
    const rows = marks.x.map((x, at) => [
      x,
      marks.y[at],
      marks.cluster[at],
      marks.expression?.[at],
    ]);
    expect(rows.toSorted((a, b) => Number(a[0]) - Number(b[0]))).toEqual([
      [0, 0, 0, 3],
      [1, 1, 2, 0.5],
      [2, 2, 1, 0],
    ]);
  });

  test("says of a sample how large it is and what rests on all cells", () => {
    const embedding = sampleEmbedding(1_500, { embedded: 500 });
    const figures = makeFigures(sampleStatistics(1_500), 0, embedding, { seed: 7 });
    const said =
      "UMAP and Louvain: 500 of 1,500 cells (uniform sample, seed 7). QC, variable genes and PCA: all cells. ";
    expect(made(figures, "umap").caption.startsWith(said)).toBe(true);
    expect(made(figures, "rank_gene_groups").caption.startsWith(said)).toBe(true);
    expect(made(figures, "pca").caption).toMatch(/^1,500 cells; 1,838 variable genes, /);
  });

  test("takes expression of the sample's cells out of that of all", () => {
    const sample = sampleEmbedding(4, { clusters: 1, embedded: 2 });
    if (sample.umap === null || sample.exampleGene === null) throw new TypeError("no sample");
    sample.exampleGene.expression.set([0.1, 0.2, 0.3, 0.4]);
    expect([...sample.umap.cells]).toEqual([0, 2]);
    const { data } = made(makeFigures(sampleStatistics(4), 0, sample, SEED), "umap");
    if (data.kind !== "umap") throw new TypeError(data.kind);
    expect([...(data.marks.expression ?? [])].sort()).toEqual([0.1, 0.3]);
  });

  test("marks the genes that were used where too few are variable, and says so", () => {
    const statistics = sampleStatistics(200);
    const embedding: GroupEmbedding = {
      ...sampleEmbedding(200),
      variableGenes: Uint32Array.from({ length: 2_000 }, (_, gene) => gene),
      atCutoffs: 12,
      isFallback: true,
    };
    const { caption, data } = made(
      makeFigures(statistics, 0, embedding, SEED),
      "highly_variable_genes",
    );
    expect(caption).toContain(
      "Only 12 genes pass them, so that PCA uses the 2,000 genes with the highest normalised dispersion; these are marked too.",
    );
    if (data.kind !== "variableGenes") throw new TypeError(data.kind);
    const levels = data.panels[0]?.marks.level ?? [];
    const counted = [0, 1, 2].map((level) => levels.filter((one) => one === level).length);
    expect(counted).toEqual([data.others, data.usedInstead, data.variable]);
    expect(data.usedInstead).toBeGreaterThan(1_900);
  });

  test("names the genes that are variable and those that take most counts", () => {
    const figures = makeFigures(sampleStatistics(3_000), 0, null, SEED);
    expect(made(figures, "highly_variable_genes").alt).toMatch(
      /^Two scatter plots of 11,760 genes: .* \d+ genes are highly variable at the cut-offs\. The most variable are GENE\d+, /,
    );
    expect(made(figures, "highest_expr_genes").alt).toBe(
      "Box plots of the 20 genes with the highest mean share of a cell’s counts. " +
        "MALAT1 (mean 4.4%, median 4.2%), B2M (mean 4%, median 3.8%) and TMSB4X (mean 3.7%, median 3.5%) are highest; " +
        "CD74 comes last with a mean of 0.8%. Among them are 3 mitochondrial and 9 ribosomal genes.",
    );
  });

  test("shows 24 clusters' genes and says that there are more", () => {
    const figures = makeFigures(
      sampleStatistics(2_000),
      0,
      sampleEmbedding(2_000, { clusters: 30 }),
      SEED,
    );
    const { data, caption } = made(figures, "rank_gene_groups");
    if (data.kind !== "markers") throw new TypeError(data.kind);
    expect([data.clusters.length, data.leftOut]).toEqual([24, 6]);
    expect(caption).toMatch(/ The 24 largest of 30 clusters are shown\.$/);
  });

  test("leaves a logarithmic axis to counts that span much", () => {
    const { data } = made(
      makeFigures(sampleStatistics(3_000), 0, null, SEED),
      "scatter_genes_vs_counts",
    );
    if (data.kind !== "scatter") throw new TypeError(data.kind);
    expect([data.x.isLog, data.y.isLog]).toEqual([true, true]);
    expect(data.x.domain[0]).toBeGreaterThan(0);
  });

  test("gives a reason for each figure that cannot be made, and makes the others", () => {
    const embedding: GroupEmbedding = {
      ...sampleEmbedding(50),
      umap: null,
      markers: null,
      reasons: { umap: "UMAP ran out of time.", markers: "There are no clusters." },
    };
    const figures = makeFigures(sampleStatistics(50, { hasMito: false }), 0, embedding, SEED);
    expect(figures.map(({ reason }) => reason)).toEqual([
      null,
      null,
      null,
      "The gene table names no mitochondrial genes (symbols that start with MT- or mt-, or Ensembl ids of them), so that their share is not known.",
      null,
      null,
      "UMAP ran out of time.",
      "There are no clusters.",
    ]);
    expect(made(figures, "violin").title).toBe("Counts and genes per cell");
    expect(made(figures, "violin").data).toMatchObject({
      panels: [{ axis: { title: "Counts per cell" } }, { axis: { title: "Genes per cell" } }],
    });
  });

  test("gives reasons for a group without counts or embedding", () => {
    const sample = sampleStatistics(3, { genes: 4 });
    const group = sample.groups[0];
    if (group === undefined) throw new TypeError("the sample has no group");
    sample.cells.nCounts.fill(0);
    sample.cells.nGenes.fill(0);
    sample.cells.mitoFraction?.fill(NaN);
    group.genes.logMean.fill(1e-12);
    const empty = { ...sample, groups: [{ ...group, emptyCells: 3, topGenes: [] }] };
    expect(makeFigures(empty, 0, null, SEED).map(({ reason }) => reason)).toEqual([
      "No gene has any counts.",
      "No cell has any counts.",
      "No cell has any counts.",
      "No cell has any counts.",
      "No gene’s counts differ between cells, so that there is no dispersion to compare.",
      "The embedding of the cells was not made.",
      "The embedding of the cells was not made.",
      "The embedding of the cells was not made.",
    ]);
  });

  test("gives a reason where no cell has a place or no cluster a gene", () => {
    const sample = sampleEmbedding(20);
    sample.pca?.pc1.fill(NaN);
    sample.umap?.y.fill(Infinity);
    const figures = makeFigures(sampleStatistics(20), 0, { ...sample, markers: [] }, SEED);
    expect(reasonOf(figures, "pca")).toBe("The embedding gave no cell a place.");
    expect(reasonOf(figures, "umap")).toBe("The embedding gave no cell a place.");
    expect(reasonOf(figures, "rank_gene_groups")).toBe(
      "No cluster has a gene that scores above the others.",
    );
  });

  test("ends axes where values can go no further, and marks those of whole ones", () => {
    const sample = twoGroups();
    sample.cells.nCounts.fill(3);
    sample.cells.nGenes.fill(1);
    sample.cells.mitoFraction?.fill(1);
    const figures = makeFigures(sample, 0, null, SEED);
    const genes = made(figures, "scatter_genes_vs_counts").data;
    const mito = made(figures, "scatter_percentMitoGenes_vs_count").data;
    if (genes.kind !== "scatter" || mito.kind !== "scatter") throw new TypeError("no scatter plot");
    expect([genes.x, genes.y, mito.y]).toEqual([
      { title: "Counts per cell", isLog: false, isWhole: true, domain: [2, 4] },
      { title: "Genes per cell", isLog: false, isWhole: true, domain: [0, 2] },
      { title: "Mitochondrial counts (%)", isLog: false, domain: [90, 100] },
    ]);
  });

  test("begins a reason large, wherever it is from", () => {
    const embedding = {
      ...sampleEmbedding(40),
      pca: null,
      umap: null,
      markers: null,
      reasons: { pca: "too few genes vary", umap: "too few cells.", markers: "no clusters" },
    };
    const figures = makeFigures(sampleStatistics(40), 0, embedding, SEED);
    expect(["pca", "umap", "rank_gene_groups"].map((name) => reasonOf(figures, name))).toEqual([
      "Too few genes vary.",
      "Too few cells.",
      "No clusters.",
    ]);
  });

  test("shortens long names of genes in words, and keeps them in data", () => {
    const long = `START${"x".repeat(400)}THE_END`;
    const sample = sampleStatistics(400);
    const [group] = sample.groups;
    const embedding = sampleEmbedding(400);
    if (group === undefined || embedding.exampleGene === null || embedding.markers === null) {
      throw new TypeError("the sample has no group, gene or markers");
    }
    const figures = makeFigures(
      {
        ...sample,
        genes: { ...sample.genes, symbols: sample.genes.symbols.map(() => long) },
        groups: [{ ...group, topGenes: group.topGenes.map((gene) => ({ ...gene, symbol: long })) }],
      },
      0,
      {
        ...embedding,
        exampleGene: { ...embedding.exampleGene, symbol: long },
        markers: embedding.markers.map((cluster) => ({
          ...cluster,
          genes: cluster.genes.map((gene) => ({ ...gene, symbol: long })),
        })),
      },
      SEED,
    );
    const named = figures.filter(
      (figure) => figure.reason === null && figure.alt.includes("STARTxxxxxxxxxx…xTHE_END"),
    );
    expect(named.map(({ name }) => name)).toEqual([
      "highest_expr_genes",
      "highly_variable_genes",
      "pca",
      "umap",
      "rank_gene_groups",
    ]);
    for (const { name } of named) {
      const { caption, alt, data } = made(figures, name);
      expect(caption + alt).not.toContain(long);
      expect(JSON.stringify(data)).toContain(long);
    }
  });

  test("refuses a group that is not there", () => {
    expect(() => makeFigures(sampleStatistics(2), 3, null, SEED)).toThrow(
      "there is no group 3 among the 1 of the matrix",
    );
  });
});
