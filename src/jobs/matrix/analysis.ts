// A matrix from its bytes to all that pages and figures say of it: opened, counted, embedded, put into figures.

import { median } from "./counting/average.ts";
import { computeStatistics } from "./counting/computeStatistics.ts";
import type { GroupStatistics, MatrixStatistics } from "./counting/statistics.ts";
import { embed } from "./embed/embed.ts";
import { type GroupEmbedding, SAMPLE_CELLS } from "./embed/embedding.ts";
import type { MatrixFigure } from "./figures/figure.ts";
import { makeFigures } from "./figures/figures.ts";
import type { MatrixNote } from "./matrix.ts";
import { openMatrix } from "./openMatrix.ts";
import { type MatrixRule, UnreadableMatrix } from "./problem.ts";
import type { FigureSummary, GroupSummary, MatrixSummary } from "./summary.ts";

/** What is to be analysed, and how. Plain data: it goes to another process. */
export interface AnalysisRequest {
  /** A local file or folder. */
  readonly path: string;
  /** Approaches as the project's metadata name them. */
  readonly approaches: readonly string[];
  /** Private folder; what is put there is removed by whoever made it. */
  readonly scratchDir: string;
  readonly seed: number;
  readonly sampleCells: number;
}

/** The eight figures of the cells of one approach. */
export interface GroupFigures {
  readonly approachKey: string;
  readonly figures: readonly MatrixFigure[];
}

/** What an analysis comes to: a summary and figures, or the one reason why the matrix cannot be read. */
export type MatrixAnalysis =
  | {
      readonly isReadable: true;
      readonly facts: Pick<
        MatrixSummary,
        "format" | "genes" | "cells" | "entries" | "counts" | "groups" | "notes"
      >;
      readonly figures: readonly GroupFigures[];
    }
  | { readonly isReadable: false; readonly rule: MatrixRule; readonly message: string };

/** The seed of samples, starts and jitter: figures of the same matrix are the same bytes wherever they are made. */
export const SEED = 1;
export { SAMPLE_CELLS };

/** Where an analysis is: a stage's name, and how far all of it is, as a fraction. */
export type OnStage = (stage: string, fraction: number) => void;

/** Where in the whole each stage lies, from runs over 3,000 to 120,000 cells; it only shapes a progress bar. */
const STAGES: Readonly<Record<string, readonly [from: number, to: number]>> = {
  counting: [0, 0.3],
  PCA: [0.3, 0.6],
  UMAP: [0.6, 0.9],
  markers: [0.9, 0.95],
  figures: [0.95, 1],
};

/** Analyses a matrix. What is wrong with the data is a result; throws aborted, or what the machine did wrong. */
export async function analyseMatrix(
  request: AnalysisRequest,
  options: { readonly signal: AbortSignal; readonly onStage?: OnStage },
): Promise<MatrixAnalysis> {
  const { signal } = options;
  const tell = (stage: string, done: number): void => {
    const [from, to] = STAGES[stage] ?? [0.6, 0.9];
    options.onStage?.(stage, from + (to - from) * done);
  };
  const { path, approaches, scratchDir, seed, sampleCells } = request;
  try {
    const reader = await openMatrix(path, { scratchDir, signal, approaches });
    try {
      const statistics = await computeStatistics(reader, {
        scratchDir,
        signal,
        onProgress: (done, total) => tell("counting", share(done, total)),
      });
      const embeddings = await embed(reader, statistics, {
        seed,
        sampleCells,
        signal,
        onProgress: tell,
      });
      tell("figures", 0);
      return describe(statistics, embeddings, seed);
    } finally {
      await reader.close();
    }
  } catch (error) {
    if (!(error instanceof UnreadableMatrix)) throw error;
    return { isReadable: false, rule: error.rule, message: error.message };
  }
}

function share(done: number, total: number): number {
  return total > 0 ? Math.min(done / total, 1) : 0;
}

function describe(
  statistics: MatrixStatistics,
  embeddings: readonly GroupEmbedding[],
  seed: number,
): MatrixAnalysis {
  const { whole, format, genes } = statistics;
  const figures: GroupFigures[] = [];
  const groups: GroupSummary[] = [];
  const notes: MatrixNote[] = [...statistics.notes];
  for (const [index, group] of statistics.groups.entries()) {
    const { approach } = group;
    if (approach === null) continue;
    const embedding = embeddings[index] ?? null;
    const made = makeFigures(statistics, index, embedding, { seed });
    figures.push({ approachKey: approach.key, figures: made });
    groups.push(describeGroup(statistics, index, group, embedding, made.map(figureSummary)));
  }
  return {
    isReadable: true,
    facts: {
      format,
      genes: genes.ids.length,
      cells: whole.cells,
      entries: whole.entries,
      counts: whole.counts,
      groups,
      notes,
    },
    figures,
  };
}

function figureSummary(figure: MatrixFigure): FigureSummary {
  const { name, title } = figure;
  if (figure.reason !== null) return { name, title, reason: figure.reason };
  return { name, title, caption: figure.caption, alt: figure.alt, reason: null };
}

function describeGroup(
  { cells, groupOf, genes }: MatrixStatistics,
  index: number,
  group: GroupStatistics,
  embedding: GroupEmbedding | null,
  figures: readonly FigureSummary[],
): GroupSummary {
  // As the violins have it: of empty droplets there may be more than of cells.
  const isMember = (_value: number, cell: number): boolean =>
    (groupOf === null || groupOf[cell] === index) && (cells.nCounts[cell] ?? 0) > 0;
  const { approach, emptyCells, entries, counts } = group;
  return {
    approach: approach ?? { key: "unknown", label: "not stated" },
    cells: group.cells,
    emptyCells,
    entries,
    counts,
    detectedGenes: group.genes.nCells.reduce((sum, n) => sum + (n > 0 ? 1 : 0), 0),
    medianCounts: median(cells.nCounts.filter(isMember)) ?? 0,
    medianGenes: median(Float64Array.from(cells.nGenes.filter(isMember))) ?? 0,
    medianMitoFraction:
      cells.mitoFraction === null || !genes.isMito.includes(1)
        ? null
        : median(
            cells.mitoFraction.filter(
              (value, cell) => isMember(value, cell) && !Number.isNaN(value),
            ),
          ),
    variableGenes: group.genes.isVariable.reduce((sum, flag) => sum + flag, 0),
    clusters: embedding?.umap?.clusterSizes.length ?? null,
    embeddedCells: embedding?.umap?.cells.length ?? null,
    exampleGene: embedding?.exampleGene?.symbol ?? null,
    figures,
  };
}
