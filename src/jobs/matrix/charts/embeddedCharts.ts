// Cells by principal components and by UMAP.

import { count, number } from "../../../format.ts";
import { across, type Layer, px } from "../../../render/canvas.ts";
import { fitText, textWidth } from "../../../render/glyphs.ts";
import { INK } from "../../../render/theme.ts";
import {
  type Axis,
  type ColourGene,
  MOST_NAMED_CLUSTERS,
  type PcaData,
  type UmapData,
} from "../figures/figure.ts";
import {
  type Chart,
  CHART_WIDTH,
  type ChartSize,
  haloed,
  pixelView,
  type PointLayer,
  position,
  rampLegend,
  rampShades,
  type Shade,
  THUMB_HEIGHT,
  toPixels,
  type View,
  words,
} from "./chart.ts";
import { cloudView, type ColouredPoints, THUMB_FRAME } from "./cloudView.ts";
import { clusterColour, EXPRESSION_RAMP, NO_EXPRESSION } from "./shades.ts";

const PCA_FRAMES = {
  wide: { left: 64, right: 12, top: 12, height: 350, bottom: 48, side: 96, gap: 64, ticks: 6 },
  compact: { left: 56, right: 10, top: 48, height: 270, bottom: 48, side: 0, gap: 0, ticks: 5 },
  thumb: { ...THUMB_FRAME, side: 0, gap: 0 },
} as const;

/** Makes the plot of the first two components, at its right the legend and the share of every component. */
export function pcaChart(data: PcaData, size: ChartSize, points: PointLayer): Chart {
  const frame = PCA_FRAMES[size];
  const isThumb = size === "thumb";
  const { height } = frame;
  const width = CHART_WIDTH[size] - frame.left - frame.right - frame.side - frame.gap;
  const style = isThumb ? null : { ticks: frame.ticks, hasGrid: true };
  const colours = (opacity: number): ColouredPoints =>
    expressionColours(data.marks.expression, data.gene, opacity);
  const main = cloudView(
    points,
    data,
    { size, width, height, style, colours },
    size === "compact" && data.gene !== null
      ? geneLegend(data.gene, -frame.left + 10, width + frame.left - 10, -30)
      : [],
  );
  const shared = {
    width: CHART_WIDTH[size],
    height: frame.top + height + frame.bottom,
    padding: { left: frame.left, top: frame.top },
  };
  if (size !== "wide") return { ...shared, view: main };
  return {
    ...shared,
    view: {
      spacing: frame.gap,
      bounds: "flush",
      hconcat: [main, sideView(data, frame.side, height)],
    },
  };
}

/** The legend, where there is a gene, and below it the components. */
function sideView(data: PcaData, width: number, height: number): View {
  if (data.gene === null) return screeView(data.variancePct, width, height);
  const legend = 74;
  const gap = 40;
  return {
    spacing: gap,
    bounds: "flush",
    vconcat: [
      pixelView(width, legend, stackedLegend(data.gene, width)),
      screeView(data.variancePct, width, height - legend - gap),
    ],
  };
}

/** The share of variance by component, as bars: where it stops falling, components hold little but noise. */
function screeView(variancePct: readonly number[], width: number, height: number): View {
  const most = Math.max(...variancePct, 0.001);
  const components = Math.max(variancePct.length, 1);
  const x: Axis = { title: "Component", isLog: false, domain: [0.4, components + 0.6] };
  const y: Axis = { title: "% of variance", isLog: false, domain: [0, most * 1.05] };
  return {
    width,
    height,
    data: {
      values: variancePct.map((pct, at) => ({ from: at + 0.6, to: at + 1.4, pct, none: 0 })),
    },
    mark: { type: "rect", color: INK.rule, opacity: 1 },
    encoding: {
      x: position("from", x, { ticks: Math.min(components, 4), format: "d" }),
      x2: { field: "to" },
      y: position("pct", y, { ticks: 5 }),
      y2: { field: "none" },
    },
  };
}

const UMAP_GAP = { wide: 20, compact: 46, thumb: 0 } as const;

/** Makes the UMAP twice: by cluster, and by the gene's expression. */
export function umapChart(data: UmapData, size: ChartSize, points: PointLayer): Chart {
  const isThumb = size === "thumb";
  const gap = UMAP_GAP[size];
  const edge = 10;
  const panels = data.gene === null || isThumb ? 1 : 2;
  const isBeside = size === "wide" && panels === 2;
  const width = isBeside ? (CHART_WIDTH.wide - 2 * edge - gap) / 2 : CHART_WIDTH[size] - 2 * edge;
  const height = isThumb ? THUMB_HEIGHT - 2 * edge : isBeside ? width : Math.min(width, 380);
  const top = isThumb ? edge : 34;
  const panel = (colours: (opacity: number) => ColouredPoints, layers: readonly Layer[]): View =>
    cloudView(points, data, { size, width, height, style: null, colours }, [
      ...(isThumb ? [] : arrows(height)),
      ...layers,
    ]);
  const clusters = panel(
    (opacity) => ({
      column: "cluster",
      values: data.marks.cluster,
      shades: data.clusters.map(({ cluster }) => ({
        from: cluster,
        colour: clusterColour(cluster),
        opacity,
      })),
    }),
    [
      ...clusterNames(data, width, height, size),
      ...(isThumb ? [] : [heading(clustersHeading(data.clusters.length))]),
    ],
  );
  const views = [clusters];
  const { gene } = data;
  if (panels === 2 && gene !== null) {
    views.push(
      panel(
        (opacity) => sortedByValue(data, expressionColours(data.marks.expression, gene, opacity)),
        geneLegend(gene, 0, width, -18),
      ),
    );
  }
  return {
    width: CHART_WIDTH[size],
    height:
      top + (isBeside ? height : panels * height + (panels - 1) * gap) + (isThumb ? edge : 12),
    padding: { left: edge, top },
    view: isBeside
      ? { hconcat: views, spacing: gap, bounds: "flush" }
      : { vconcat: views, spacing: gap, bounds: "flush" },
  };
}

/** Cells that express the gene lie on top, or the many that do not would hide them. */
function sortedByValue(data: UmapData, colours: ColouredPoints): ColouredPoints {
  const order = Array.from(colours.values.keys()).sort(
    (a, b) => (colours.values[a] ?? 0) - (colours.values[b] ?? 0) || a - b,
  );
  const sorted = (values: readonly number[]): number[] => order.map((at) => values[at] ?? 0);
  return {
    ...colours,
    xs: sorted(data.marks.x),
    ys: sorted(data.marks.y),
    values: sorted(colours.values),
  };
}

function expressionColours(
  expression: readonly number[] | null,
  gene: ColourGene | null,
  opacity: number,
): ColouredPoints {
  if (expression === null || gene === null) {
    return {
      column: "n",
      values: [],
      shades: [{ from: 0, colour: INK.accent, opacity }],
    };
  }
  const none: Shade = { from: 0, colour: NO_EXPRESSION, opacity: 0.45 };
  const [, ...ramp] = rampShades(EXPRESSION_RAMP, gene.most, 0.85);
  // What is not nought is expression, however little.
  const least: Shade = { from: 0.005, colour: EXPRESSION_RAMP[0] ?? NO_EXPRESSION, opacity: 0.85 };
  return { column: "expression", values: expression, shades: [none, least, ...ramp] };
}

function ends(gene: ColourGene): readonly [string, string] {
  return ["0", `${gene.isClipped ? "≥ " : ""}${number(gene.most)}`];
}

/** The gene's name and the ramp in one line, above a panel. */
function geneLegend(gene: ColourGene, x: number, width: number, y: number): readonly Layer[] {
  const ramp = 118;
  return [
    words(fitText(gene.symbol, width - ramp - 90, 12, 600), x, y, {
      fontSize: 12,
      fontWeight: 600,
      color: INK.ink,
    }),
    words("log1p", x + width - ramp - 8, y, { fontSize: 10, align: "right" }),
    ...rampLegend(
      EXPRESSION_RAMP,
      { x: x + width - ramp, y: y - 4, width: ramp },
      ends(gene),
      true,
    ),
  ];
}

function stackedLegend(gene: ColourGene, width: number): readonly Layer[] {
  return [
    words(fitText(gene.symbol, width, 12, 600), 0, 8, {
      fontSize: 12,
      fontWeight: 600,
      color: INK.ink,
    }),
    words("log1p of counts", 0, 24, { fontSize: 10 }),
    words("per 1,000", 0, 36, { fontSize: 10 }),
    ...rampLegend(EXPRESSION_RAMP, { x: 0, y: 46, width }, ends(gene)),
  ];
}

function heading(text: string): Layer {
  return words(text, 0, -18, { fontSize: 12, fontWeight: 600, color: INK.ink });
}

/** UMAP's axes have no unit: two short arrows say which way they go. */
function arrows(height: number): readonly Layer[] {
  const length = 34;
  const left = 3;
  const y = height - 2;
  const lines = [
    { x: left, y, x2: left + length, y2: y },
    { x: left + length - 4, y: y - 3, x2: left + length, y2: y },
    { x: left + length - 4, y: y + 3, x2: left + length, y2: y },
    { x: left, y, x2: left, y2: y - length },
    { x: left - 3, y: y - length + 4, x2: left, y2: y - length },
    { x: left + 3, y: y - length + 4, x2: left, y2: y - length },
  ];
  return [
    {
      data: { values: lines },
      mark: { type: "rule", color: INK.rule, strokeWidth: 1.2, opacity: 1 },
      encoding: {
        x: across("x"),
        y: across("y"),
        x2: { field: "x2" },
        y2: { field: "y2" },
      },
    },
    words("UMAP 1", left + 4, y - 7, { fontSize: 9 }),
    {
      data: { values: [{ text: "UMAP 2", px: left - 7, py: y }] },
      mark: { type: "text", align: "left", fontSize: 9, color: INK.muted, angle: -90 },
      encoding: { x: across("px"), y: across("py"), text: { field: "text" } },
    },
  ];
}

function clustersHeading(clusters: number): string {
  const named = clusters > MOST_NAMED_CLUSTERS ? `, the ${MOST_NAMED_CLUSTERS} largest named` : "";
  return count(clusters, "cluster") + named;
}

/** Names clusters at the median of their cells, or as near to it as other names and the panel's edges let them. */
function clusterNames(
  data: UmapData,
  width: number,
  height: number,
  size: ChartSize,
): readonly Layer[] {
  const toX = toPixels(data.x, width);
  const toY = toPixels(data.y, height);
  const fontSize = size === "thumb" ? 14 : 12;
  const labels = data.clusters.slice(0, MOST_NAMED_CLUSTERS).map(({ cluster, x, y }) => ({
    text: String(cluster),
    x: toX(x),
    y: height - toY(y),
    half: textWidth(String(cluster), fontSize, 600) / 2 + 2,
  }));
  pushApart(labels, fontSize + 1, { width, height });
  return labels.flatMap(({ text, x, y }) =>
    haloed(text, px(x), px(y), { align: "center", fontSize, fontWeight: 600 }),
  );
}

interface Label {
  x: number;
  y: number;
  readonly half: number;
}

/** Moves labels that lie on each other apart, each by half, until none do or it does not help any more; none leaves the panel. */
function pushApart(
  labels: readonly Label[],
  size: number,
  panel: { readonly width: number; readonly height: number },
): void {
  const keepInside = (label: Label): void => {
    label.x = Math.min(Math.max(label.x, label.half), panel.width - label.half);
    label.y = Math.min(Math.max(label.y, size / 2), panel.height - size / 2);
  };
  for (const label of labels) keepInside(label);
  for (let round = 0; round < 40; round++) {
    let moved = false;
    for (const [at, one] of labels.entries()) {
      for (const other of labels.slice(at + 1)) {
        const overX = one.half + other.half - Math.abs(one.x - other.x);
        const overY = size - Math.abs(one.y - other.y);
        if (overX <= 0 || overY <= 0) continue;
        moved = true;
        if (overX < overY) {
          const step = (overX / 2 + 0.1) * (one.x <= other.x ? 1 : -1);
          one.x -= step;
          other.x += step;
        } else {
          const step = (overY / 2 + 0.1) * (one.y <= other.y ? 1 : -1);
          one.y -= step;
          other.y += step;
        }
        keepInside(one);
        keepInside(other);
      }
    }
    if (!moved) return;
  }
}
