// What charts of matrix figures share: their sizes, axes and legends, and points that are marks in a spec but one picture on a page.

import { across, asIs, type Layer } from "../../../render/canvas.ts";
import { textWidth } from "../../../render/glyphs.ts";
import { INK } from "../../../render/theme.ts";
import type { VegaLiteSpec } from "../../../render/vega.ts";
import type { Axis } from "../figures/figure.ts";
import type { PointPicture } from "./pointPicture.ts";
import { rampColour } from "./shades.ts";

/** For a wide column, for a narrow screen, and as a small picture without words. */
export type ChartSize = "wide" | "compact" | "thumb";

/** Width of each in pixels; the height is the chart's own, but for thumbnails, which stand side by side. */
export const CHART_WIDTH = { wide: 600, compact: 350, thumb: 320 } as const;
export const THUMB_HEIGHT = 240;

/** A view of a chart: anything that can be put side by side with others. */
export type View = Extract<VegaLiteSpec, { hconcat: unknown }>["hconcat"][number];

/** A chart of a known size, whatever its labels. */
export interface Chart {
  readonly width: number;
  readonly height: number;
  /** Space around the views, where axes and titles stand. */
  readonly padding: { readonly left: number; readonly top: number };
  readonly view: View;
}

/** Points of one panel: as marks with their data, and where they come out as a picture. */
export interface PanelPoints {
  readonly width: number;
  readonly height: number;
  readonly x: Axis;
  readonly y: Axis;
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  /** A further column of the data, what it is called, and how it becomes a colour. */
  readonly column: string;
  readonly values: readonly number[];
  readonly shades: readonly Shade[];
  readonly radius: number;
  readonly axes: { readonly x: AxisStyle | null; readonly y: AxisStyle | null };
}

/** Values from `from` on are drawn in this colour, up to the next shade's. */
export interface Shade {
  readonly from: number;
  readonly colour: string;
  readonly opacity: number;
}

/** Turns points into a layer. Those of specs are marks; those of pages leave a place for a picture, and are drawn apart. */
export type PointLayer = (points: PanelPoints) => Layer;

/** Writes points as marks, with their data as lines of CSV: a third of what objects would take. */
export function pointMarks(points: PanelPoints): Layer {
  const { shades, column } = points;
  const lines = points.xs.map((x, at) => `${x},${points.ys[at] ?? 0},${points.values[at] ?? 0}`);
  const [, ...steps] = shades;
  const isPlain = steps.length === 0;
  return {
    data: {
      values: `x,y,${column}\n${lines.join("\n")}\n`,
      format: { type: "csv", parse: { x: "number", y: "number", [column]: "number" } },
    },
    mark: {
      type: "point",
      filled: true,
      // Vega gives a point's area.
      size: Math.round(Math.PI * points.radius ** 2 * 100) / 100,
      strokeWidth: 0,
      opacity: 1,
      ...(isPlain
        ? { color: shades[0]?.colour ?? INK.accent, fillOpacity: shades[0]?.opacity ?? 1 }
        : {}),
    },
    encoding: {
      x: position("x", points.x, points.axes.x),
      y: position("y", points.y, points.axes.y),
      ...(isPlain
        ? {}
        : {
            color: {
              field: column,
              type: "quantitative",
              scale: {
                type: "threshold",
                domain: steps.map(({ from }) => from),
                range: shades.map(({ colour }) => colour),
              },
              legend: null,
            },
            fillOpacity: {
              field: column,
              type: "quantitative",
              scale: {
                type: "threshold",
                domain: steps.map(({ from }) => from),
                range: shades.map(({ opacity }) => opacity),
              },
              legend: null,
            },
          }),
    },
  };
}

/** Fill of the frame that stands for the picture of a panel: a colour that nothing else has. */
export function placeColour(panel: number): string {
  return `#0102${panel.toString(16).padStart(2, "0")}`;
}

/** Writes a frame that fills the panel, in the place of its points. */
export function pointPlace(points: PanelPoints, panel: number): Layer {
  const [x, x2] = points.x.domain;
  const [y, y2] = points.y.domain;
  return {
    data: { values: [{ x, x2, y, y2 }] },
    mark: { type: "rect", color: placeColour(panel), opacity: 1 },
    encoding: {
      x: position("x", points.x, points.axes.x),
      x2: { field: "x2" },
      y: position("y", points.y, points.axes.y),
      y2: { field: "y2" },
    },
  };
}

/** Pixels of a picture for one of its panel: the wide one is printed at twice its size, a narrow page has no bytes to spare. */
const FINENESS = { wide: 2, compact: 1.5, thumb: 2 } as const;
/** Above so many points they run together, and a picture this much coarser shows the same in half of the bytes. */
const CROWD = 5000;
const COARSER = 2 / 3;

/** Makes the picture of a panel's points. */
export function pictureOf(points: PanelPoints, size: ChartSize): PointPicture {
  const toX = toPixels(points.x, points.width);
  const toY = toPixels(points.y, points.height);
  return {
    width: points.width,
    height: points.height,
    x: points.xs.map(toX),
    y: points.ys.map((y) => points.height - toY(y)),
    colour: points.values.map((value) => shadeAt(points.shades, value)),
    colours: points.shades,
    radius: points.radius,
    fineness: FINENESS[size] * (points.xs.length > CROWD && size !== "thumb" ? COARSER : 1),
  };
}

function shadeAt(shades: readonly Shade[], value: number): number {
  let low = 0;
  let high = shades.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (value >= (shades[middle]?.from ?? 0)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Makes the function that turns a value into pixels from the axis's start. */
export function toPixels(axis: Axis, length: number): (value: number) => number {
  const [from, to] = axis.domain;
  if (!axis.isLog) return (value) => (length * (value - from)) / (to - from);
  const width = Math.log(to / from);
  return (value) => (length * Math.log(value / from)) / width;
}

/** Divides a ramp into steps of equal width from 0 to `most`: more than can be told apart, and few enough for a small file. */
export function rampShades(ramp: readonly string[], most: number, opacity: number): Shade[] {
  const steps = 24;
  return Array.from({ length: steps }, (_, step) => ({
    from: Math.round((most * step * 1e4) / steps) / 1e4,
    colour: rampColour(ramp, step / (steps - 1)),
    opacity,
  }));
}

/** Radius and opacity of points, by how many there are: few are seen each, many as a cloud. */
export function pointStyle(count: number, size: ChartSize): { radius: number; opacity: number } {
  const radius = count < 300 ? 3 : count < 1200 ? 2.3 : count < 5000 ? 1.8 : 1.4;
  return {
    radius: size === "wide" ? radius : radius * 0.85,
    opacity: count < 1200 ? 0.75 : 0.7,
  };
}

/** How an axis of a panel looks, where it has one. */
export interface AxisStyle {
  readonly ticks: number;
  readonly hasGrid?: boolean;
  readonly title?: string;
  readonly format?: string;
}

type Channel = Extract<NonNullable<Layer["encoding"]>["x"], { axis?: unknown }>;

/** Positions a field on an axis; without a style the axis is not drawn. */
export function position(field: string, axis: Axis, style: AxisStyle | null): Channel {
  return {
    field,
    type: "quantitative",
    scale: {
      type: axis.isLog ? "log" : "linear",
      domain: [...axis.domain],
      nice: false,
      ...(axis.isLog ? {} : { zero: false }),
    },
    axis: style === null ? null : axisStyle(axis, style),
  };
}

function axisStyle(axis: Axis, style: AxisStyle): NonNullable<Channel["axis"]> {
  // Millions have no room beside an axis: they are written 1M.
  const usual = axis.domain[1] >= 1e6 ? "~s" : axis.isLog ? ",~f" : undefined;
  const format = style.format ?? usual;
  return {
    title: style.title ?? axis.title,
    titlePadding: 8,
    grid: style.hasGrid === true,
    tickSize: 4,
    labelPadding: 3,
    labelFontSize: 11,
    titleFontSize: 12,
    titleColor: INK.ink,
    domainWidth: 1,
    ...(axis.isLog
      ? { values: [...logTicks(axis.domain, style.ticks)] }
      : { tickCount: style.ticks, ...(axis.isWhole === true ? { tickMinStep: 1 } : {}) }),
    ...(format === undefined ? {} : { format }),
  };
}

/** Finds round numbers on a logarithmic axis, at most `most` of them where that is possible. */
function logTicks(domain: readonly [number, number], most: number): readonly number[] {
  const [from, to] = domain;
  const low = Math.floor(Math.log10(from));
  const high = Math.ceil(Math.log10(to));
  const within = (steps: readonly number[], every: number): number[] => {
    const ticks: number[] = [];
    for (let power = low; power <= high; power++) {
      if (power % every !== 0) continue;
      for (const step of steps) {
        const tick = Number(`${step}e${power}`);
        if (tick >= from && tick <= to) ticks.push(tick);
      }
    }
    return ticks;
  };
  const choices = [
    within([1, 2, 3, 4, 5, 6, 7, 8, 9], 1),
    within([1, 2, 5], 1),
    within([1, 3], 1),
    within([1], 1),
    within([1], 2),
    within([1], 3),
  ];
  const fits = choices.find((ticks) => ticks.length <= most && ticks.length > 0);
  return fits ?? [Number(Math.sqrt(from * to).toPrecision(2))];
}

/** A view that is laid out in pixels from its top left: legends and notes beside a panel. */
export function pixelView(width: number, height: number, layers: readonly Layer[]): View {
  return { width, height, data: { values: [{}] }, layer: [...layers] };
}

/** Writes words at a place in pixels. */
export function words(
  text: string,
  x: number,
  y: number,
  style: {
    readonly align?: "left" | "center" | "right";
    readonly fontSize?: number;
    readonly fontWeight?: 400 | 600;
    readonly color?: string;
  } = {},
): Layer {
  return {
    data: { values: [{ text, px: x, py: y }] },
    mark: { type: "text", align: "left", fontSize: 11, color: INK.muted, ...style },
    encoding: { x: across("px"), y: across("py"), text: { field: "text" } },
  };
}

/** Writes a ramp of colours with words at its ends, `width` pixels wide in all. */
export function rampLegend(
  ramp: readonly string[],
  at: { readonly x: number; readonly y: number; readonly width: number },
  ends: readonly [string, string],
  isWithin = false,
): readonly Layer[] {
  const size = 10;
  const steps = 24;
  const left = isWithin ? Math.ceil(textWidth(ends[0], size)) + 5 : 0;
  const right = isWithin ? Math.ceil(textWidth(ends[1], size)) + 5 : 0;
  const length = at.width - left - right;
  const start = at.x + left;
  const rows = Array.from({ length: steps }, (_, step) => ({
    px: start + (length * step) / steps,
    // A little further than the next begins, or light shows between them.
    px2: start + (length * (step + 1)) / steps + (step + 1 < steps ? 0.4 : 0),
    colour: rampColour(ramp, step / (steps - 1)),
  }));
  const bar: Layer = {
    data: { values: rows },
    mark: { type: "rect", y: at.y, y2: at.y + 8, opacity: 1 },
    encoding: { x: across("px"), x2: { field: "px2" }, fill: asIs("colour") },
  };
  const textY = isWithin ? at.y + 4 : at.y + 17;
  return [
    bar,
    words(ends[0], at.x, textY, { fontSize: size }),
    words(ends[1], at.x + at.width, textY, { fontSize: size, align: "right" }),
  ];
}

/** One entry of a legend: a dot and what it stands for. */
export interface LegendEntry {
  readonly colour: string;
  readonly text: string;
}

/** Writes entries one after the other in a line from the given place. */
export function dotLegend(entries: readonly LegendEntry[], x: number, y: number): readonly Layer[] {
  let next = x;
  return entries.flatMap(({ colour, text }) => {
    const at = next;
    next += 12 + textWidth(text, 11) + 16;
    const dot: Layer = {
      data: { values: [{ px: at + 4, py: y }] },
      mark: { type: "point", filled: true, size: 50, color: colour, opacity: 1 },
      encoding: { x: across("px"), y: across("py") },
    };
    return [dot, words(text, at + 12, y)];
  });
}

/** A thin broken line, for medians and cut-offs. */
export function dashedRule(): {
  type: "rule";
  color: string;
  strokeWidth: number;
  strokeDash: number[];
  opacity: number;
} {
  return { type: "rule", color: INK.muted, strokeWidth: 1, strokeDash: [4, 3], opacity: 1 };
}

/** Writes words with a rim of the ground's colour, to be read among points. */
export function haloed(
  text: string,
  x: number,
  y: number,
  style: {
    readonly align: "left" | "center" | "right";
    readonly fontSize: number;
    readonly fontWeight: 400 | 600;
  },
): readonly Layer[] {
  const rim = words(text, x, y, { ...style, color: INK.surface });
  return [
    {
      ...rim,
      mark: {
        type: "text",
        ...style,
        fill: INK.surface,
        stroke: INK.surface,
        strokeWidth: 3,
        strokeJoin: "round",
        strokeOpacity: 0.85,
      },
    },
    words(text, x, y, { ...style, color: INK.ink }),
  ];
}
