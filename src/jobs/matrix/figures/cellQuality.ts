// What says whether cells are good: counts, genes and mitochondrial share of each cell, alone and against each other.

import { count } from "../../../format.ts";
import { makeChance, shuffledIndexes } from "./chance.ts";
import { type Cloud, densityOf, mergeCloud, MOST_MARKS } from "./cloud.ts";
import { makeMargin, makeViolin, quantile } from "./distribution.ts";
import type { Axis, FigureName, MadeFigure, MatrixFigure, ViolinPanel } from "./figure.ts";
import type { GroupCells } from "./groupCells.ts";
import { COUNTED, isWide, makeAxis, PERCENT, placeOn, precise, spanOf, valueOn } from "./span.ts";
import { amount, cellsOf, pct } from "./words.ts";

const COUNTS = "Counts per cell";
const GENES = "Genes per cell";
const MITO = "Mitochondrial counts (%)";
/** What is said where a figure needs mitochondrial genes and there are none. */
const NO_MITO =
  "The gene table names no mitochondrial genes (symbols that start with MT- or mt-, or Ensembl ids of them), so that their share is not known.";
const NO_COUNTS = "No cell has any counts.";

/** Makes the distributions of counts, genes and mitochondrial share. */
export function violinFigure(cells: GroupCells, seed: number): MatrixFigure {
  const title = "Counts, genes and mitochondrial share per cell";
  const panels: ViolinPanel[] = [];
  const said: string[] = [];
  for (const [label, values, unit] of [
    [COUNTS, cells.nCounts, ""],
    [GENES, cells.nGenes, ""],
    [MITO, cells.mitoPct, "%"],
  ] as const) {
    if (values === null) continue;
    // Cells without counts have no share of anything, and no place on a logarithmic axis.
    const ascending = values.filter((value, cell) => (cells.nCounts[cell] ?? 0) > 0 && value >= 0);
    const span = spanOf(ascending);
    if (span === null) continue;
    ascending.sort();
    const isLog = unit === "" && isWide(span);
    const axis = makeAxis(label, span, isLog, unit === "%" ? PERCENT : COUNTED);
    const panel = makeViolin(ascending, axis, unit, seed);
    panels.push(panel);
    const write = unit === "%" ? pct : amount;
    said.push(
      `${label.replace(" (%)", "")}: median ${write(quantile(ascending, 0.5))}, quartiles ${write(quantile(ascending, 0.25))} and ${write(quantile(ascending, 0.75))}, from ${write(span.least)} to ${write(span.most)}.`,
    );
  }
  if (panels.length === 0) return { name: "violin", title, reason: NO_COUNTS };
  const shown = withCounts(cells);
  const points = panels[0]?.points.at.length ?? 0;
  const logs = panels.filter((panel) => panel.axis.isLog).length;
  return {
    name: "violin",
    title: cells.mitoPct === null ? "Counts and genes per cell" : title,
    caption:
      `${cellsOf(shown, cells.count)}${emptyNote(cells)}. Outlines are kernel densities of all of them, bars span the quartiles, dots are medians` +
      (points < shown
        ? `; ${count(points, "cell")} of each distribution are drawn as points`
        : "") +
      `.${logs > 0 ? " Counts and genes lie on logarithmic axes where they span much." : ""}` +
      (cells.mitoPct === null
        ? " The gene table names no mitochondrial genes, so that their share is left out."
        : ""),
    alt: `Violin plots of ${count(shown, "cell")}. ${said.join(" ")}`,
    data: { kind: "violins", panels },
    reason: null,
  };
}

/** Makes the scatter plot of genes over counts. */
export function genesOverCountsFigure(cells: GroupCells, seed: number): MatrixFigure {
  return scatterFigure("scatter_genes_vs_counts", "Genes over counts per cell", cells, seed, {
    label: GENES,
    values: cells.nGenes,
    write: amount,
  });
}

/** Makes the scatter plot of the mitochondrial share over counts. */
export function mitoOverCountsFigure(cells: GroupCells, seed: number): MatrixFigure {
  const name = "scatter_percentMitoGenes_vs_count";
  const title = "Mitochondrial share over counts per cell";
  if (cells.mitoPct === null) return { name, title, reason: NO_MITO };
  return scatterFigure(name, title, cells, seed, {
    label: MITO,
    values: cells.mitoPct,
    write: pct,
  });
}

interface Upright {
  readonly label: string;
  readonly values: Float64Array;
  readonly write: (value: number) => string;
}

function scatterFigure(
  name: FigureName,
  title: string,
  cells: GroupCells,
  seed: number,
  upright: Upright,
): MatrixFigure {
  // Cells without counts have no share of anything, and no place on a logarithmic axis.
  const kept = (value: number, cell: number): boolean =>
    (cells.nCounts[cell] ?? 0) > 0 && (upright.values[cell] ?? NaN) >= 0 && value >= 0;
  const xs = cells.nCounts.filter(kept);
  const ys = upright.values.filter(kept);
  const spanX = spanOf(xs);
  const spanY = spanOf(ys);
  if (spanX === null || spanY === null) return { name, title, reason: NO_COUNTS };
  const x = makeAxis(COUNTS, spanX, isWide(spanX), COUNTED);
  const y =
    upright.label === GENES
      ? makeAxis(GENES, spanY, isWide(spanY), COUNTED)
      : makeAxis(upright.label, spanY, false, PERCENT);
  const parts: Cloud = { u: xs.map(placeOn(x)), v: ys.map(placeOn(y)), value: null, group: null };
  const cloud = mergeCloud(parts);
  const density = densityOf(parts);
  const order = shuffledIndexes(cloud.u.length, makeChance(seed));
  const correlation = pearson(parts);
  const sortedX = xs.toSorted();
  const sortedY = ys.toSorted();
  const medianX = quantile(sortedX, 0.5);
  const medianY = quantile(sortedY, 0.5);
  const scales = [...(x.isLog ? ["horizontal"] : []), ...(y.isLog ? ["vertical"] : [])];
  const shown = withCounts(cells);
  const figure: MadeFigure = {
    name,
    title,
    caption:
      `${cellsOf(shown, cells.count)}${emptyNote(cells)}, ${shown > MOST_MARKS ? "those too close to be told apart as one point" : "one point each"}, coloured by how many lie around it. ` +
      `Dashed lines are medians; the histograms show each number alone.` +
      (scales.length > 0
        ? ` The ${scales.join(" and the ")} ${scales.length === 1 ? "axis is" : "axes are"} logarithmic.`
        : ""),
    alt:
      `Scatter plot of ${count(shown, "cell")}. Counts per cell reach from ${amount(spanX.least)} to ${amount(spanX.most)} (median ${amount(medianX)}), ` +
      `${name === "scatter_genes_vs_counts" ? "genes per cell" : "their mitochondrial share"} from ${upright.write(spanY.least)} to ${upright.write(spanY.most)} (median ${upright.write(medianY)})` +
      (Number.isFinite(correlation)
        ? `; the correlation as drawn is ${correlation.toFixed(2).replace("-", "−")}.`
        : "."),
    data: {
      kind: "scatter",
      x,
      y,
      marks: {
        ...placesOf(cloud, order, x, y),
        density: Array.from(order, (at) => hundredth(density(cloud.u[at] ?? 0, cloud.v[at] ?? 0))),
      },
      medianX: precise(medianX),
      medianY: precise(medianY),
      marginX: makeMargin(parts.u, x),
      marginY: makeMargin(parts.v, y),
    },
    reason: null,
  };
  return figure;
}

/** Turns a cloud's places back into values, in the given order. */
export function placesOf(
  cloud: Cloud,
  order: ArrayLike<number>,
  x: Axis,
  y: Axis,
): { readonly x: readonly number[]; readonly y: readonly number[] } {
  const valueX = valueOn(x);
  const valueY = valueOn(y);
  const at = Array.from(order);
  return {
    x: at.map((index) => valueX(cloud.u[index] ?? 0)),
    y: at.map((index) => valueY(cloud.v[index] ?? 0)),
  };
}

/** Rounds to a hundredth, finer than colours can be told apart. */
export function hundredth(value: number): number {
  return Math.round(value * 100) / 100 + 0;
}

function withCounts(cells: GroupCells): number {
  return cells.nCounts.reduce((sum, counts) => sum + (counts > 0 ? 1 : 0), 0);
}

function emptyNote(cells: GroupCells): string {
  const empty = cells.count - withCounts(cells);
  return empty === 0 ? "" : ` (${count(empty, "cell")} without counts left out)`;
}

function pearson({ u, v }: Cloud): number {
  const n = u.length;
  const meanU = u.reduce((sum, value) => sum + value, 0) / n;
  const meanV = v.reduce((sum, value) => sum + value, 0) / n;
  let both = 0;
  let own = 0;
  let other = 0;
  for (let index = 0; index < n; index++) {
    const du = (u[index] ?? 0) - meanU;
    const dv = (v[index] ?? 0) - meanV;
    both += du * dv;
    own += du * du;
    other += dv * dv;
  }
  // Values that are all the same go with nothing.
  return own > 1e-12 && other > 1e-12 ? both / Math.sqrt(own * other) : NaN;
}
