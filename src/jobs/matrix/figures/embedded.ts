// Where cells lie to each other: principal components, UMAP with its clusters, and the clusters' marker genes.

import { count, list, number } from "../../../format.ts";
import type { GroupEmbedding } from "../embed/embedding.ts";
import { hundredth, placesOf } from "./cellQuality.ts";
import { makeChance, shuffledIndexes } from "./chance.ts";
import { type Cloud, mergeCloud, MOST_MARKS } from "./cloud.ts";
import { quantile } from "./distribution.ts";
import {
  type Axis,
  type ColourGene,
  type MatrixFigure,
  MOST_NAMED_CLUSTERS,
  type UmapData,
} from "./figure.ts";
import { makeAxis, placeOn, spanOf, valueOn } from "./span.ts";
import { amount, cellsOf, geneName, pct, sentence, share } from "./words.ts";

/** Above this part of the cells that express the gene, colours do not go on: a single cell would make all others pale. */
const COLOUR_END = 0.99;
/** Clusters that have room in one figure. */
const MOST_CLUSTERS = 24;
/** Why a figure is not there where nothing else is known. */
const NOT_EMBEDDED = "The embedding of the cells was not made.";
const NO_PLACE = "The embedding gave no cell a place.";

/** What captions say of the cells. */
export interface CellNumbers {
  readonly cells: number;
  readonly emptyCells: number;
  readonly seed: number;
}

/** Makes the plot of the second over the first principal component. */
export function pcaFigure(embedding: GroupEmbedding | null, numbers: CellNumbers): MatrixFigure {
  const name = "pca";
  const title = "Principal components";
  const pca = embedding?.pca ?? null;
  if (embedding === null || pca === null) {
    return { name, title, reason: sentence(embedding?.reasons.pca ?? NOT_EMBEDDED) };
  }
  const x = componentAxis(1, pca.pc1, pca.varianceRatio);
  const y = componentAxis(2, pca.pc2, pca.varianceRatio);
  const expression = embedding.exampleGene?.expression ?? null;
  const cloud = makeCloud(pca.pc1, pca.pc2, x, y, expression, null, numbers.seed);
  if (cloud.u.length === 0) return { name, title, reason: NO_PLACE };
  const gene = colourGene(embedding);
  const order = drawingOrder(cloud);
  const [first = 0, second = 0] = pca.varianceRatio;
  const sum = pca.varianceRatio.reduce((total, ratio) => total + ratio, 0);
  return {
    name,
    title,
    caption:
      `${cellsOf(pca.cells.length, numbers.cells)}${leftOut(numbers)}; ${count(embedding.variableGenes.length, "variable gene")}${embedding.isFallback ? " (the most dispersed, as too few pass the cut-offs)" : ""}, log-normalised and centred. ` +
      `Bars: share of these genes’ variance by component. ${geneNote(embedding)}${mergedNote(pca.cells.length)}`,
    alt:
      `Scatter plot of ${count(pca.cells.length, "cell")} by principal components: PC1 holds ${share(first)} and PC2 ${share(second)} of the variance, ` +
      `the first ${number(pca.varianceRatio.length)} together ${share(sum)}. ${geneAlt(embedding)}`,
    data: {
      kind: "pca",
      x,
      y,
      marks: {
        ...placesOf(cloud, order, x, y),
        expression: gene === null ? null : expressionsOf(cloud, order),
      },
      gene,
      variancePct: pca.varianceRatio.map((ratio) => Number((ratio * 100).toPrecision(3))),
    },
    reason: null,
  };
}

/** Makes the two UMAP plots. */
export function umapFigure(embedding: GroupEmbedding | null, numbers: CellNumbers): MatrixFigure {
  const name = "umap";
  const title = "UMAP and clusters";
  const umap = embedding?.umap ?? null;
  if (embedding === null || umap === null) {
    return { name, title, reason: sentence(embedding?.reasons.umap ?? NOT_EMBEDDED) };
  }
  const x = makeAxis("UMAP 1", spanOf(umap.x) ?? { least: 0, most: 0 }, false);
  const y = makeAxis("UMAP 2", spanOf(umap.y) ?? { least: 0, most: 0 }, false);
  const expression = expressionAt(embedding, umap.cells);
  const cloud = makeCloud(umap.x, umap.y, x, y, expression, umap.clusters, numbers.seed);
  if (cloud.u.length === 0) return { name, title, reason: NO_PLACE };
  const gene = expression === null ? null : colourGene(embedding);
  const order = drawingOrder({ ...cloud, value: null });
  const sizes = umap.clusterSizes;
  return {
    name,
    title,
    caption:
      `${basis(umap.cells.length, numbers)} ${count(sizes.length, "Louvain cluster")}, numbered by size and named at the median of their cells${sizes.length > MOST_NAMED_CLUSTERS ? ` (the ${MOST_NAMED_CLUSTERS} largest only)` : ""}; modularity ${umap.modularity.toFixed(2).replace("-", "−")}. ` +
      `${geneNote(embedding)}${mergedNote(umap.cells.length)}`,
    alt:
      `Two UMAP plots of ${count(umap.cells.length, "cell")}. The first shows ${count(sizes.length, "cluster")}: ${sizesAlt(sizes)}. ` +
      (gene === null ? "" : `The second is coloured by expression. `) +
      geneAlt(embedding),
    data: {
      kind: "umap",
      x,
      y,
      marks: {
        ...placesOf(cloud, order, x, y),
        cluster: Array.from(order, (at) => cloud.group?.[at] ?? 0),
        expression: gene === null ? null : expressionsOf(cloud, order),
      },
      gene,
      clusters: clusterMedians(umap, x, y),
    },
    reason: null,
  };
}

/** Makes the lists of each cluster's marker genes. */
export function markersFigure(
  embedding: GroupEmbedding | null,
  numbers: CellNumbers,
): MatrixFigure {
  const name = "rank_gene_groups";
  const title = "Marker genes of clusters";
  const markers = (embedding?.markers ?? []).filter((cluster) => cluster.genes.length > 0);
  if (embedding === null || markers.length === 0) {
    const reason =
      embedding?.reasons.markers ??
      (embedding === null ? NOT_EMBEDDED : "No cluster has a gene that scores above the others.");
    return { name, title, reason: sentence(reason) };
  }
  const shown = markers.slice(0, MOST_CLUSTERS);
  const cells = embedding.umap?.cells.length ?? numbers.cells - numbers.emptyCells;
  return {
    name,
    title,
    caption:
      `${basis(cells, numbers)} Per cluster the ten genes with the highest score: Welch’s t of log-normalised expression, the cluster against all other cells. Bars compare the genes of one cluster, numbers are the scores.` +
      (markers.length > shown.length
        ? ` The ${shown.length} largest of ${count(markers.length, "cluster")} are shown.`
        : ""),
    alt:
      `Per cluster the highest scoring genes. ` +
      shown
        .map(
          ({ cluster, genes }) =>
            `Cluster ${cluster}: ${list(genes.slice(0, 3).map(({ symbol, score }) => `${geneName(symbol)} (${amount(score)})`))}.`,
        )
        .join(" "),
    data: {
      kind: "markers",
      clusters: shown.map(({ cluster, cells: size, genes }) => ({
        cluster,
        cells: size,
        genes: genes.map(({ symbol, score }) => ({
          symbol,
          score: Number(score.toPrecision(4)),
        })),
      })),
      leftOut: markers.length - shown.length,
    },
    reason: null,
  };
}

function componentAxis(component: number, scores: Float32Array, ratios: readonly number[]): Axis {
  const ratio = ratios[component - 1];
  const part = ratio === undefined ? "" : ` (${share(ratio)} of variance)`;
  return makeAxis(`PC${component}${part}`, spanOf(scores) ?? { least: 0, most: 0 }, false);
}

function makeCloud(
  xs: Float32Array,
  ys: Float32Array,
  x: Axis,
  y: Axis,
  value: Float32Array | null,
  group: Uint16Array | null,
  seed: number,
): Cloud {
  const placeX = placeOn(x);
  const placeY = placeOn(y);
  // Shuffled first: in the order of the file, which is often by sample, the last would cover all others.
  const order = shuffledIndexes(xs.length, makeChance(seed)).filter(
    (cell) => Number.isFinite(xs[cell]) && Number.isFinite(ys[cell]),
  );
  return mergeCloud({
    u: Float64Array.from(order, (cell) => placeX(xs[cell] ?? 0)),
    v: Float64Array.from(order, (cell) => placeY(ys[cell] ?? 0)),
    value: value === null ? null : Float64Array.from(order, (cell) => value[cell] ?? 0),
    group: group === null ? null : Uint16Array.from(order, (cell) => group[cell] ?? 0),
  });
}

/** Cells that express the gene lie on top of those that do not. */
function drawingOrder(cloud: Cloud): readonly number[] {
  const order = Array.from(cloud.u.keys());
  const { value } = cloud;
  return value === null ? order : order.sort((a, b) => (value[a] ?? 0) - (value[b] ?? 0) || a - b);
}

function expressionsOf(cloud: Cloud, order: readonly number[]): readonly number[] {
  return order.map((at) => hundredth(cloud.value?.[at] ?? 0));
}

/** Picks expression for some of the cells it is known for; both lists of cells are ascending. */
function expressionAt(embedding: GroupEmbedding, cells: Uint32Array): Float32Array | null {
  const gene = embedding.exampleGene;
  const known = embedding.pca?.cells;
  if (gene === null || known === undefined) return null;
  const picked = new Float32Array(cells.length);
  let at = 0;
  cells.forEach((cell, index) => {
    while (at < known.length && (known[at] ?? 0) < cell) at++;
    picked[index] = known[at] === cell ? (gene.expression[at] ?? 0) : 0;
  });
  return picked;
}

function colourGene(embedding: GroupEmbedding): ColourGene | null {
  const gene = embedding.exampleGene;
  if (gene === null) return null;
  const positive = Float64Array.from(gene.expression.filter((value) => value > 0)).sort();
  const most = positive.at(-1) ?? 0;
  if (most === 0) return { symbol: gene.symbol, most: 1, isClipped: false };
  // Rounded up, so that a scale that is not clipped holds its largest value.
  const end = Math.ceil(quantile(positive, COLOUR_END) * 10) / 10;
  return { symbol: gene.symbol, most: end, isClipped: most > end };
}

/** Tells which cells a figure rests on, sample or all. */
function basis(cells: number, numbers: CellNumbers): string {
  const withCounts = numbers.cells - numbers.emptyCells;
  return cells < withCounts
    ? `UMAP and Louvain: ${number(cells)} of ${count(numbers.cells, "cell")} (uniform sample, seed ${numbers.seed}). QC, variable genes and PCA: all cells${leftOut(numbers)}.`
    : `${cellsOf(cells, numbers.cells)}${leftOut(numbers)}.`;
}

function leftOut(numbers: CellNumbers): string {
  return numbers.emptyCells === 0
    ? ""
    : ` (${count(numbers.emptyCells, "cell")} without counts left out)`;
}

function mergedNote(cells: number): string {
  return cells > MOST_MARKS ? " Cells too close to be told apart are one point." : "";
}

function geneNote(embedding: GroupEmbedding): string {
  const gene = embedding.exampleGene;
  if (gene === null) return "";
  return gene.symbol === "CST3"
    ? "Expression: log1p of CST3’s counts per 1,000."
    : `Expression: log1p of counts per 1,000 of ${geneName(gene.symbol)}, taken as an example.`;
}

function geneAlt(embedding: GroupEmbedding): string {
  const gene = embedding.exampleGene;
  if (gene === null) return "";
  const positive = Float64Array.from(gene.expression.filter((value) => value > 0)).sort();
  const part = gene.expression.length === 0 ? 0 : positive.length / gene.expression.length;
  return positive.length === 0
    ? `No cell expresses ${geneName(gene.symbol)}.`
    : `${geneName(gene.symbol)} is expressed in ${pct(100 * part)} of the cells, there with a median of ${amount(quantile(positive, 0.5))} (log1p of counts per 1,000).`;
}

function sizesAlt(sizes: readonly number[]): string {
  const told = sizes.slice(0, 8).map((size, cluster) => `${cluster} with ${count(size, "cell")}`);
  const rest = sizes.slice(8);
  return rest.length === 0
    ? list(told)
    : `${told.join(", ")}, and ${rest.length} smaller of ${number(Math.min(...rest))} to ${number(Math.max(...rest))} cells`;
}

function clusterMedians(
  umap: NonNullable<GroupEmbedding["umap"]>,
  x: Axis,
  y: Axis,
): UmapData["clusters"] {
  const placeX = placeOn(x);
  const placeY = placeOn(y);
  const members = umap.clusterSizes.map(() => ({ u: new Array<number>(), v: new Array<number>() }));
  umap.clusters.forEach((cluster, cell) => {
    const u = placeX(umap.x[cell] ?? NaN);
    const v = placeY(umap.y[cell] ?? NaN);
    if (!Number.isFinite(u) || !Number.isFinite(v)) return;
    members[cluster]?.u.push(u);
    members[cluster]?.v.push(v);
  });
  const valueX = valueOn(x);
  const valueY = valueOn(y);
  const median = (values: readonly number[]): number =>
    quantile(Float64Array.from(values).sort(), 0.5);
  return members.flatMap(({ u, v }, cluster) =>
    u.length === 0
      ? []
      : [
          {
            cluster,
            cells: umap.clusterSizes[cluster] ?? 0,
            x: valueX(median(u)),
            y: valueY(median(v)),
          },
        ],
  );
}
