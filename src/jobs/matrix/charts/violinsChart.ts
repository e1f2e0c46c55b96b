// Violins side by side, each on its own axis: outline, quartiles, and a sample of the cells.

import type { Layer } from "../../../render/canvas.ts";
import { INK, SERIES } from "../../../render/theme.ts";
import type { ViolinPanel, ViolinsData } from "../figures/figure.ts";
import { amount } from "../figures/words.ts";
import {
  type Chart,
  CHART_WIDTH,
  type ChartSize,
  type PointLayer,
  position,
  THUMB_HEIGHT,
  type View,
  words,
} from "./chart.ts";
import { POINT_SERIES } from "./shades.ts";

const COLOURS = [
  { line: SERIES[0], points: POINT_SERIES.blue },
  { line: SERIES[2], points: POINT_SERIES.green },
  { line: SERIES[1], points: POINT_SERIES.orange },
] as const;
const HALVES = { title: "", isLog: false, domain: [-1.08, 1.08] } as const;

const FRAMES = {
  wide: { left: 52, right: 12, top: 48, height: 250, bottom: 12 },
  compact: { left: 42, right: 4, top: 62, height: 200, bottom: 12 },
  thumb: { left: 10, right: 10, top: 12, height: THUMB_HEIGHT - 24, bottom: 12 },
} as const;

/** Makes the violins. */
export function violinsChart(data: ViolinsData, size: ChartSize, points: PointLayer): Chart {
  const frame = FRAMES[size];
  const isThumb = size === "thumb";
  const count = data.panels.length;
  const between = isThumb ? 10 : frame.left;
  const width = (CHART_WIDTH[size] - frame.left - frame.right - (count - 1) * between) / count;
  const views = data.panels.map((panel, at) =>
    violinView(panel, COLOURS[at % COLOURS.length] ?? COLOURS[0], size, width, points),
  );
  return {
    width: CHART_WIDTH[size],
    height: frame.top + frame.height + frame.bottom,
    padding: { left: frame.left, top: frame.top },
    view: { hconcat: views, spacing: between, bounds: "flush" },
  };
}

function violinView(
  panel: ViolinPanel,
  colour: { readonly line: string; readonly points: string },
  size: ChartSize,
  width: number,
  points: PointLayer,
): View {
  const isThumb = size === "thumb";
  const { height } = FRAMES[size];
  const style = isThumb
    ? null
    : {
        ticks: size === "wide" ? 6 : 5,
        hasGrid: true,
        title: "",
        ...(size === "compact" && panel.unit === "" ? { format: "~s" } : {}),
      };
  const x = (field: string): ReturnType<typeof position> => position(field, HALVES, null);
  const y = (field: string): ReturnType<typeof position> => position(field, panel.axis, style);
  const outline = panel.outline.at.map((at, index) => {
    const half = panel.outline.width[index] ?? 0;
    return { at, low: -half, high: half };
  });
  const quartiles = [{ q1: panel.q1, median: panel.median, q3: panel.q3, middle: 0 }];
  const layers: Layer[] = [
    {
      data: { values: outline },
      mark: {
        type: "area",
        orient: "horizontal",
        color: colour.line,
        fillOpacity: 0.22,
        opacity: 1,
        line: false,
      },
      encoding: { y: y("at"), x: x("low"), x2: { field: "high" } },
    },
    points({
      width,
      height,
      x: HALVES,
      y: panel.axis,
      xs: panel.points.offset,
      ys: panel.points.at,
      column: "n",
      values: panel.points.at.map(() => 0),
      shades: [{ from: 0, colour: colour.points, opacity: 0.55 }],
      radius: isThumb ? 1.1 : size === "wide" ? 1.5 : 1.2,
      axes: { x: null, y: style },
    }),
    ...(["low", "high"] as const).map((side): Layer => ({
      data: { values: outline },
      mark: { type: "line", color: colour.line, strokeWidth: 1.3, opacity: 1 },
      encoding: { y: y("at"), x: x(side), order: { field: "at" } },
    })),
    {
      data: { values: quartiles },
      mark: { type: "rule", color: INK.ink, strokeWidth: isThumb ? 3 : 5, opacity: 1 },
      encoding: { x: x("middle"), y: y("q1"), y2: { field: "q3" } },
    },
    {
      data: { values: quartiles },
      mark: {
        type: "point",
        filled: true,
        fill: INK.surface,
        stroke: INK.ink,
        strokeWidth: 1.5,
        size: isThumb ? 30 : 46,
        opacity: 1,
      },
      encoding: { x: x("middle"), y: y("median") },
    },
    ...(isThumb ? [] : headLines(panel, size)),
  ];
  return { width, height, layer: layers };
}

function headLines(panel: ViolinPanel, size: ChartSize): readonly Layer[] {
  const write = (value: number): string => (panel.unit === "%" ? value.toFixed(1) : amount(value));
  const { left } = FRAMES[size];
  const at = -left + 10;
  const [name, range] = [
    shortTitle(panel, size),
    `${write(panel.q1)}–${write(panel.q3)}${panel.unit}`,
  ];
  const median = `median ${write(panel.median)}${panel.unit}`;
  const title = { fontSize: 12, fontWeight: 600, color: INK.ink } as const;
  return size === "wide"
    ? [words(name, at, -34, title), words(`${median} (${range})`, at, -18)]
    : [words(name, at, -46, title), words(median, at, -30), words(range, at, -16)];
}

function shortTitle(panel: ViolinPanel, size: ChartSize): string {
  const name = panel.unit === "%" ? "Mitochondrial counts" : panel.axis.title;
  return size === "wide" ? name : name.replace(" per cell", "").replace(" counts", "");
}
