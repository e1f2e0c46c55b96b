// A scatter plot of cells with the distribution along both axes, coloured by how many cells lie around each.

import type { Layer } from "../../../render/canvas.ts";
import { INK } from "../../../render/theme.ts";
import type { Axis, Margin, ScatterData } from "../figures/figure.ts";
import {
  type Chart,
  CHART_WIDTH,
  type ChartSize,
  dashedRule,
  pixelView,
  type PointLayer,
  position,
  rampLegend,
  rampShades,
  type View,
  words,
} from "./chart.ts";
import { cloudView, type ColouredPoints, THUMB_FRAME } from "./cloudView.ts";
import { DENSITY_RAMP } from "./shades.ts";

const GAP = 6;
const FRAMES = {
  wide: { left: 64, right: 14, top: 10, height: 310, bottom: 48, margin: 64, ticks: 7 },
  compact: { left: 56, right: 10, top: 10, height: 240, bottom: 48, margin: 52, ticks: 5 },
  thumb: { ...THUMB_FRAME, margin: 0 },
} as const;

/** Makes the scatter plot. */
export function scatterChart(data: ScatterData, size: ChartSize, points: PointLayer): Chart {
  const frame = FRAMES[size];
  const isThumb = size === "thumb";
  const { height, margin } = frame;
  const width = CHART_WIDTH[size] - frame.left - frame.right - (isThumb ? 0 : margin + GAP);
  const style = isThumb ? null : { ticks: frame.ticks, hasGrid: true };
  const colours = (opacity: number): ColouredPoints => ({
    column: "density",
    values: data.marks.density,
    shades: rampShades(DENSITY_RAMP, 1, opacity),
  });
  const main = cloudView(
    points,
    data,
    { size, width, height, style, colours },
    isThumb ? [] : medians(data, style),
  );
  const shared = {
    width: CHART_WIDTH[size],
    height: frame.top + (isThumb ? 0 : margin + GAP) + height + frame.bottom,
    padding: { left: frame.left, top: frame.top },
  };
  if (isThumb) return { ...shared, view: main };
  const legend = pixelView(margin, margin, [
    words("Cells nearby", 0, margin - 34, { fontSize: 10 }),
    ...rampLegend(DENSITY_RAMP, { x: 0, y: margin - 26, width: margin }, ["few", "many"]),
  ]);
  return {
    ...shared,
    view: {
      columns: 2,
      spacing: GAP,
      align: "each",
      bounds: "flush",
      concat: [
        marginView(data.marginX, data.x, width, margin, "x"),
        legend,
        main,
        marginView(data.marginY, data.y, height, margin, "y"),
      ],
    },
  };
}

function medians(data: ScatterData, style: Parameters<typeof position>[2]): readonly Layer[] {
  const mark = dashedRule();
  const values = [{ medianX: data.medianX, medianY: data.medianY }];
  return [
    { data: { values }, mark, encoding: { x: position("medianX", data.x, style) } },
    { data: { values }, mark, encoding: { y: position("medianY", data.y, style) } },
  ];
}

/** A histogram that lies along one side of the main panel, in the same scale. */
function marginView(
  margin: Margin,
  axis: Axis,
  length: number,
  depth: number,
  side: "x" | "y",
): View {
  const most = Math.max(...margin.counts, 1);
  const values = margin.counts.flatMap((cells, bin) =>
    cells === 0
      ? []
      : [{ from: margin.edges[bin] ?? 0, to: margin.edges[bin + 1] ?? 0, cells, none: 0 }],
  );
  const along = position("from", axis, null);
  const up = position("cells", { title: "", isLog: false, domain: [0, most] }, null);
  return {
    width: side === "x" ? length : depth,
    height: side === "x" ? depth : length,
    data: { values },
    mark: { type: "rect", color: INK.rule, opacity: 1, fillOpacity: 0.55 },
    encoding:
      side === "x"
        ? { x: along, x2: { field: "to" }, y: up, y2: { field: "none" } }
        : { y: along, y2: { field: "to" }, x: up, x2: { field: "none" } },
  };
}
