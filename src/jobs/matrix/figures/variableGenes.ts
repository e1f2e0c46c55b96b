// Which genes vary more between cells than genes of their mean do.

import { count, list, number } from "../../../format.ts";
import type { GroupStatistics, MatrixStatistics } from "../counting/statistics.ts";
import type { GroupEmbedding } from "../embed/embedding.ts";
import { placesOf } from "./cellQuality.ts";
import { makeChance, shuffledIndexes } from "./chance.ts";
import { mergeCloud, MOST_MARKS } from "./cloud.ts";
import type { Axis, MatrixFigure, VariableGenesData } from "./figure.ts";
import { makeAxis, placeOn, precise, spanOf } from "./span.ts";
import { amount, geneName, sentence } from "./words.ts";

const NAME = "highly_variable_genes";
const TITLE = "Highly variable genes";
/** The reference cut-offs: log1p of the mean of counts per 1,000, and the normalised dispersion. */
const LEAST_LOG_MEAN = 0.05;
const MOST_LOG_MEAN = 30;
const LEAST_DISPERSION = 1.9;
/** Genes that are named on the plot. */
const NAMED = 12;
/** What scanpy takes for the mean of a gene without counts; nothing that could be drawn lies below. */
const LEAST_MEAN = 1e-11;

/** Makes dispersion over mean, normalised and not. `embedding` says which genes were used where too few pass the cut-offs. */
export function variableGenesFigure(
  statistics: MatrixStatistics,
  group: GroupStatistics,
  embedding: GroupEmbedding | null,
  seed: number,
): MatrixFigure {
  const { genes } = group;
  const usable: number[] = [];
  for (let gene = 0; gene < genes.logMean.length; gene++) {
    const mean = Math.expm1(genes.logMean[gene] ?? NaN);
    if (
      mean > LEAST_MEAN &&
      Number.isFinite(genes.dispersion[gene]) &&
      Number.isFinite(genes.dispersionNorm[gene])
    ) {
      usable.push(gene);
    }
  }
  const means = Float64Array.from(usable, (gene) => Math.expm1(genes.logMean[gene] ?? NaN));
  const span = spanOf(means);
  if (span === null) {
    return {
      name: NAME,
      title: TITLE,
      reason: "No gene’s counts differ between cells, so that there is no dispersion to compare.",
    };
  }
  const isFallback = embedding?.isFallback === true;
  const levels = genes.isVariable.map((is) => 2 * is);
  if (isFallback) {
    for (const gene of embedding.variableGenes) levels[gene] = Math.max(levels[gene] ?? 0, 1);
  }
  const atLevel = (level: number): readonly number[] =>
    usable.filter((gene) => levels[gene] === level);
  const variable = atLevel(2);
  const x = makeAxis("Mean counts per 1,000", span, true);
  const top = variable
    .toSorted((a, b) => (genes.dispersionNorm[b] ?? 0) - (genes.dispersionNorm[a] ?? 0))
    .slice(0, NAMED);
  const panel = (
    title: string,
    label: string,
    values: ArrayLike<number>,
    cutoff: number | null,
    names: readonly number[],
  ): VariableGenesData["panels"][number] => {
    const heights = Float64Array.from(usable, (gene) => values[gene] ?? NaN);
    const y = makeAxis(label, spanOf(heights) ?? { least: 0, most: 0 }, false);
    return {
      title,
      y,
      marks: geneMarks({ usable, means, heights, levels }, x, y, seed),
      labels: names.map((gene) => ({
        symbol: statistics.genes.symbols[gene] ?? "",
        x: precise(Math.expm1(genes.logMean[gene] ?? NaN)),
        y: precise(values[gene] ?? NaN),
      })),
      cutoff,
    };
  };
  const atCutoffs = genes.isVariable.reduce((sum, is) => sum + is, 0);
  const named = top.slice(0, 5).map((gene) => geneName(statistics.genes.symbols[gene] ?? ""));
  return {
    name: NAME,
    title: TITLE,
    caption:
      `${count(usable.length, "gene")} whose counts differ between cells, of ${number(genes.logMean.length)}; all ${count(group.cells - group.emptyCells, "cell")} with counts. ` +
      `Dispersion is variance over mean of the counts per 1,000; normalised, it is compared with genes of a similar mean (20 bins). ` +
      `Cut-offs (dashed): normalised dispersion above ${LEAST_DISPERSION}, log1p of the mean above ${LEAST_LOG_MEAN}. ` +
      usedNote(atCutoffs, embedding),
    alt:
      `Two scatter plots of ${count(usable.length, "gene")}: dispersion over mean expression, normalised and not. ` +
      sentence(
        `${atCutoffs === 0 ? "no gene is" : count(atCutoffs, "gene is", "genes are")} highly variable at the cut-offs`,
      ) +
      (named.length > 0
        ? ` The ${named.length === 1 ? "most variable is" : "most variable are"} ${list(named)}.`
        : "") +
      ` Means reach from ${amount(span.least)} to ${amount(span.most)} counts per 1,000.`,
    data: {
      kind: "variableGenes",
      x,
      panels: [
        panel("Normalised", "Normalised dispersion", genes.dispersionNorm, LEAST_DISPERSION, top),
        panel("Not normalised", "Dispersion (ln variance/mean)", genes.dispersion, null, []),
      ],
      meanCutoffs: [precise(Math.expm1(LEAST_LOG_MEAN)), precise(Math.expm1(MOST_LOG_MEAN))],
      variable: variable.length,
      usedInstead: atLevel(1).length,
      others: atLevel(0).length,
    },
    reason: null,
  };
}

function usedNote(atCutoffs: number, embedding: GroupEmbedding | null): string {
  if (embedding === null) return `${count(atCutoffs, "gene passes", "genes pass")} them.`;
  const used = embedding.variableGenes.length;
  if (embedding.isFallback) {
    return `Only ${count(embedding.atCutoffs, "gene passes", "genes pass")} them, so that PCA uses the ${count(used, "gene")} with the highest normalised dispersion; these are marked too.`;
  }
  const passing = `${count(atCutoffs, "gene passes", "genes pass")} them`;
  return used > 0 && used < atCutoffs
    ? `${passing}; PCA uses the ${number(used)} with the highest normalised dispersion.`
    : `${passing} and ${atCutoffs === 1 ? "is" : "are"} used for PCA.`;
}

/** Variable genes lie on top, and stay single as long as there is room for them; others are merged where they are too many. */
function geneMarks(
  genes: {
    readonly usable: readonly number[];
    readonly means: Float64Array;
    readonly heights: Float64Array;
    readonly levels: Uint8Array;
  },
  x: Axis,
  y: Axis,
  seed: number,
): VariableGenesData["panels"][number]["marks"] {
  const placeX = placeOn(x);
  const placeY = placeOn(y);
  const marks = { x: new Array<number>(), y: new Array<number>(), level: new Array<number>() };
  for (const level of [0, 1, 2]) {
    const own = genes.usable.flatMap((gene, at) => (genes.levels[gene] === level ? [at] : []));
    const cloud = mergeCloud(
      {
        u: Float64Array.from(own, (at) => placeX(genes.means[at] ?? 0)),
        v: Float64Array.from(own, (at) => placeY(genes.heights[at] ?? 0)),
        value: null,
        group: null,
      },
      MOST_MARKS / 2,
    );
    const places = placesOf(cloud, shuffledIndexes(cloud.u.length, makeChance(seed)), x, y);
    marks.x.push(...places.x);
    marks.y.push(...places.y);
    marks.level.push(...places.x.map(() => level));
  }
  return marks;
}
