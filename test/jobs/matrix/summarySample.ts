// Matrices as pages speak of them: one with two approaches, one with remarks and figures left out, one with awkward names; drawings that stand in for figures.

import { FIGURE_NAMES, type FigureName } from "../../../src/jobs/matrix/figures/figure.ts";
import type { ProjectFigure } from "../../../src/jobs/matrix/pages/projectPage.ts";
import type { ProjectRow } from "../../../src/jobs/matrix/pages/projectsPage.ts";
import type { MatrixSkip } from "../../../src/jobs/matrix/source.ts";
import type { GroupSummary, MatrixSummary } from "../../../src/jobs/matrix/summary.ts";
import type { FigureSummary } from "../../../src/jobs/matrix/summary.ts";

/** Markup that does something where a page takes it as such. */
export const HOSTILE = `<img src=x onerror="document.title='owned'">`;

const TITLES: Readonly<Record<FigureName, string>> = {
  highest_expr_genes: "The 20 genes with the highest mean share of counts",
  violin: "Counts, genes and mitochondrial share per cell",
  scatter_genes_vs_counts: "Genes over counts",
  scatter_percentMitoGenes_vs_count: "Mitochondrial share over counts",
  highly_variable_genes: "Dispersion over mean expression",
  pca: "Principal components 1 and 2",
  umap: "UMAP by cluster and by CST3",
  rank_gene_groups: "Marker genes of each cluster",
};

function figures(
  cells: number,
  left: Readonly<Partial<Record<FigureName, string>>> = {},
): readonly FigureSummary[] {
  return FIGURE_NAMES.map((name): FigureSummary => {
    const title = TITLES[name];
    const reason = left[name];
    return reason === undefined
      ? {
          name,
          title,
          caption: `${cells.toLocaleString("en-US")} of ${cells.toLocaleString("en-US")} cells.`,
          alt: `${title}: the median cell has 2,204 counts & 820 genes, the highest "share" is 3.1%.`,
          reason: null,
        }
      : { name, title, reason };
  });
}

function group(
  given: Partial<GroupSummary> & Pick<GroupSummary, "approach" | "cells">,
): GroupSummary {
  return {
    emptyCells: 0,
    entries: given.cells * 820,
    counts: given.cells * 2300,
    detectedGenes: 17_952,
    medianCounts: 2204.5,
    medianGenes: 820,
    medianMitoFraction: 0.0204,
    variableGenes: 1311,
    clusters: 9,
    embeddedCells: Math.min(given.cells, 50_000),
    exampleGene: "CST3",
    figures: figures(given.cells),
    ...given,
  };
}

const TEN_X = { key: "10X", label: "10X 3' v2 sequencing / 10x 5' v1" };
const SMART = { key: "SS2", label: "Smart-seq2" };

/** Two approaches, one of them sampled. */
export const LIVER: MatrixSummary = {
  id: "4d6f6c96-2a83-43d8-8fe1-0f53bffd4674.homo_sapiens",
  projectId: "4d6f6c96-2a83-43d8-8fe1-0f53bffd4674",
  species: "homo_sapiens",
  title: "Dissecting the human liver cellular landscape by single cell RNA-seq",
  atlasId: "HTA9",
  source: {
    kind: "fresh",
    label: "Azul dcp50",
    fileName: "4d6f6c96-2a83-43d8-8fe1-0f53bffd4674.homo_sapiens.mtx.zip",
    bytes: 1_284_300_112,
    version: { sha256: "7d3f0b6f0c1f4f2e9c2f0a3c5f6d7e8f9a0b1c2d3e4f5a6b7c8d9e0f1a2b3c4d" },
    pageUrl: "https://example.org/projects/4d6f6c96",
  },
  format: "mtx",
  genes: 58_347,
  cells: 332_730,
  entries: 271_400_020,
  counts: 2_345_678_901,
  groups: [
    group({ approach: SMART, cells: 2730, medianCounts: 812_400, medianGenes: 3120, clusters: 6 }),
    group({ approach: TEN_X, cells: 330_000, emptyCells: 12, clusters: 21 }),
  ],
  notes: [
    {
      rule: "M_SAMPLE",
      severity: "info",
      message: "UMAP and clusters of 10X rest on 50,000 of 329,988 cells.",
    },
  ],
};

/** One approach, remarks, and figures left out. */
export const RETINA: MatrixSummary = {
  id: "8185730f-4113-40d3-9cc3-929271784c2b",
  projectId: "8185730f-4113-40d3-9cc3-929271784c2b",
  species: "mus_musculus",
  title: "Whole mouse retina",
  atlasId: null,
  source: {
    kind: "canned",
    label: "s3://staging.project-assets.data.humancellatlas.org",
    fileName: "8185730f-4113-40d3-9cc3-929271784c2b.mtx.zip",
    bytes: null,
    version: { etag: "5d41402abc4b2a76b9719d911017c592-3", bytes: "81200" },
    pageUrl: null,
  },
  format: "loom",
  genes: 23_433,
  cells: 48,
  entries: 101_233,
  counts: 910_112,
  groups: [
    group({
      approach: SMART,
      cells: 48,
      medianMitoFraction: null,
      variableGenes: 12,
      clusters: null,
      embeddedCells: null,
      exampleGene: null,
      figures: figures(48, {
        scatter_percentMitoGenes_vs_count: "There are no mitochondrial genes in the gene table.",
        umap: "48 cells are too few for a graph of 10 neighbours each.",
        rank_gene_groups: "There are no clusters to compare.",
      }),
    }),
  ],
  notes: [
    {
      rule: "M_ROUNDED",
      severity: "warning",
      message:
        "matrix.mtx.gz: 1,204 of 101,233 values were not whole, the first is 2.51; they were rounded to the nearest.",
    },
    {
      rule: "M_SYMBOLS",
      severity: "warning",
      message:
        "genes.tsv.gz: 31 symbols occur twice, the first is Ptp4a1; they were made unique (Ptp4a1-1).",
    },
    { rule: "M_NO_MITO", severity: "info", message: "No gene symbol starts with MT- or mt-." },
  ],
};

/** Awkward names everywhere. */
export const AWKWARD: MatrixSummary = {
  ...LIVER,
  id: "cc95ff89-2e68-4a08-a234-480eca21ce79.danio_rerio",
  projectId: "cc95ff89-2e68-4a08-a234-480eca21ce79",
  species: "danio_rerio_<b>&amp;",
  title: `A <i>census</i> & "atlas" of ${HOSTILE}`,
  atlasId: null,
  source: {
    kind: "local",
    label: `a local folder ${HOSTILE}`,
    fileName: `O'Neil & <b>sons</b>.h5ad`,
    bytes: 81_200,
    version: { [`<i>odd</i>`]: HOSTILE },
    pageUrl: "javascript:alert(1)",
  },
  format: "h5ad",
  cells: 1,
  groups: [
    group({
      approach: { key: "sci-RNA-seq", label: `sci-RNA-seq ${HOSTILE}` },
      cells: 1,
      figures: figures(1).map((figure) =>
        figure.reason === null ? { ...figure, alt: HOSTILE, caption: HOSTILE } : figure,
      ),
    }),
  ],
  notes: [{ rule: "M_TABLE", severity: "warning", message: `genes.tsv: ${HOSTILE}` }],
};

/** Draws stand-ins for the figures of a matrix that were made. */
export function sampleFigures(summary: MatrixSummary): readonly ProjectFigure[] {
  return summary.groups.flatMap(({ approach, figures: own }, at) =>
    own
      .filter(({ reason }) => reason === null)
      .map(({ name }) => ({
        approachKey: approach.key,
        name,
        // With a title above and a caption below.
        height: drawingHeight(name) + 86,
        inlineSvg: sampleDrawing(name, at, 600),
        compactSvg: sampleDrawing(name, at, 350),
      })),
  );
}

function drawingHeight(name: FigureName): number {
  return name === "highest_expr_genes" ? 420 : name === "umap" ? 320 : 360;
}

/** Draws a cloud of points in the colours of pages. */
function sampleDrawing(name: FigureName, seed: number, width: number): string {
  const height = drawingHeight(name);
  let state = 7 + seed * 31 + FIGURE_NAMES.indexOf(name) * 101;
  const dice = () => (state = (state * 16_807) % 2_147_483_647) / 2_147_483_647;
  const points = Array.from({ length: 72 }, (_, at) => {
    const cluster = at % 6;
    const near = (middle: number, spread: number) => middle + (dice() + dice() - 1) * spread;
    const x = near(0.18 + (cluster % 3) * 0.32, 0.16) * width;
    const y = near(cluster < 3 ? 0.3 : 0.68, 0.18) * height;
    return `<circle cx="${x.toFixed(1)}" cy="${y.toFixed(1)}" r="3" fill="var(--fig-series-${cluster + 1})"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${TITLES[name]}"><path d="M40 8V${height - 36}H${width - 8}" fill="none" stroke="var(--fig-rule)"/>${points.join("")}<text x="${width / 2}" y="${height - 10}" text-anchor="middle" font-size="11" fill="var(--fig-muted)">${TITLES[name]}</text></svg>`;
}

/** Makes the row of a matrix that was read. */
export function sampleRow(summary: MatrixSummary, more: Partial<ProjectRow> = {}): ProjectRow {
  return {
    id: summary.id,
    title: summary.title,
    summary,
    failure: null,
    updatedAt: "2026-11-20T02:00:00.000Z",
    ...more,
  };
}

/** Makes the rows of an index: two that were read, one that failed and keeps its numbers, one that never was read. */
export function sampleProjectRows(): readonly ProjectRow[] {
  return [
    sampleRow(LIVER),
    sampleRow(AWKWARD),
    sampleRow(RETINA, {
      failure: "matrix.mtx.gz ends after 101,233 of 240,000 entries: it is cut off.",
      updatedAt: "2026-10-02T02:00:00.000Z",
    }),
    {
      id: "116965f3-f094-4769-9d28-ae675c1b569c",
      title: `Lost & <b>found</b>`,
      summary: null,
      failure: `barcodes.tsv is missing ${HOSTILE}`,
      updatedAt: null,
    },
  ];
}

/** Matrices that were left out. */
export const SAMPLE_SKIPS: readonly MatrixSkip[] = [
  {
    id: "005d611a-14d5-4fbf-846e-571a1f874f70",
    projectId: "005d611a-14d5-4fbf-846e-571a1f874f70",
    title: "Assessing the relevance of organoids",
    why: "blacklisted",
    message: "The blacklist of the source bucket names it.",
  },
  {
    id: "f81efc03-9f56-4354-aabb-6ce819c3d414.homo_sapiens",
    projectId: "f81efc03-9f56-4354-aabb-6ce819c3d414",
    title: "Cell hashing",
    why: "format",
    message: "cells.csv is none of the formats that can be read.",
  },
];
