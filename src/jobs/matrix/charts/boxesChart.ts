// Box plots of the highest expressed genes, lying, with the genes' names at their left.

import type { Layer } from "../../../render/canvas.ts";
import { fitText, roomFor } from "../../../render/glyphs.ts";
import { INK, SERIES } from "../../../render/theme.ts";
import type { Axis, BoxesData, GeneSort } from "../figures/figure.ts";
import {
  type AxisStyle,
  type Chart,
  CHART_WIDTH,
  type ChartSize,
  dotLegend,
  type PointLayer,
  position,
  THUMB_HEIGHT,
} from "./chart.ts";
import { POINT_SERIES } from "./shades.ts";

const PITCH = 20;
const BOX = 12;
/** A name longer than this is shortened in its middle; symbols have up to a dozen letters. */
const NAME_WIDTH = 110;

const SORTS: Readonly<
  Record<GeneSort, { readonly colour: string; readonly points: string; readonly text: string }>
> = {
  mitochondrial: { colour: INK.warn, points: POINT_SERIES.orange, text: "mitochondrial" },
  ribosomal: { colour: SERIES[2], points: POINT_SERIES.green, text: "ribosomal" },
  other: { colour: INK.accent, points: POINT_SERIES.blue, text: "other genes" },
};

/** A little beyond the largest share, but no further than all of a cell's counts. */
function axisEnd(most: number): number {
  return Math.min(most * 1.02, Math.max(most, 100));
}

/** Makes the box plots. */
export function boxesChart(data: BoxesData, size: ChartSize, points: PointLayer): Chart {
  const isThumb = size === "thumb";
  const names = data.rows.map(({ symbol }) => fitText(symbol, NAME_WIDTH, 11));
  const left = isThumb ? 8 : Math.ceil(Math.max(...names.map((name) => roomFor(name, 11)))) + 14;
  const width = CHART_WIDTH[size] - left - 14;
  const sorts = (["mitochondrial", "ribosomal", "other"] as const).filter((sort) =>
    data.rows.some((row) => row.sort === sort),
  );
  const hasLegend = !isThumb && sorts.length > 1;
  const top = isThumb ? 8 : hasLegend ? 34 : 10;
  const height = isThumb ? THUMB_HEIGHT - 16 : data.rows.length * PITCH;
  const most = Math.max(
    ...data.rows.map((row) => Math.max(row.whiskerHigh, row.mean, ...row.outliers)),
    0.001,
  );
  const x: Axis = { title: data.axisTitle, isLog: false, domain: [0, axisEnd(most)] };
  // Rows are numbers, top first, so that points can stand between them; names are the axis's labels.
  const y: Axis = { title: "", isLog: false, domain: [data.rows.length - 0.5, -0.5] };
  const style: AxisStyle | null = isThumb
    ? null
    : { ticks: size === "wide" ? 8 : 5, hasGrid: true };
  const outliers = data.rows.flatMap((row, at) => row.outliers.map((value) => ({ at, value })));
  const rows = data.rows.map((row, at) => ({
    gene: row.symbol,
    name: names[at] ?? "",
    sort: row.sort,
    row: at,
    top: at - BOX / 2 / PITCH,
    bottom: at + BOX / 2 / PITCH,
    mean: row.mean,
    q1: row.q1,
    median: row.median,
    q3: row.q3,
    low: row.whiskerLow,
    high: row.whiskerHigh,
  }));
  const layers: Layer[] = [
    points({
      width,
      height,
      x,
      y,
      xs: outliers.map(({ value }) => value),
      ys: outliers.map(({ at }) => at),
      column: "row",
      values: outliers.map(({ at }) => at),
      shades: data.rows.map(({ sort }, at) => ({
        from: at,
        colour: SORTS[sort].points,
        opacity: 0.55,
      })),
      radius: isThumb ? 1.2 : 1.8,
      axes: { x: style, y: null },
    }),
    ...boxLayers(x, y, style),
  ];
  if (hasLegend) {
    const entries = sorts.map((sort) => SORTS[sort]);
    layers.push(...dotLegend(entries, 10 - left, -16));
  }
  return {
    width: CHART_WIDTH[size],
    height: top + height + (isThumb ? 8 : 50),
    padding: { left, top },
    view: { width, height, data: { values: rows }, layer: layers },
  };
}

/** Makes the marks of the boxes, over the points; a thumbnail, which has no axis, shows neither means nor names. */
function boxLayers(x: Axis, y: Axis, style: AxisStyle | null): readonly Layer[] {
  const across = (field: string): ReturnType<typeof position> => position(field, x, style);
  const down = (field: string): ReturnType<typeof position> => position(field, y, null);
  const colour = {
    field: "sort",
    type: "nominal" as const,
    scale: {
      domain: Object.keys(SORTS),
      range: Object.values(SORTS).map((sort) => sort.colour),
    },
    legend: null,
  };
  return [
    {
      mark: { type: "rule", strokeWidth: 1.2, opacity: 1 },
      encoding: { x: across("low"), x2: { field: "high" }, y: down("row"), color: colour },
    },
    {
      mark: { type: "rect", color: INK.surface, opacity: 1 },
      encoding: { x: across("q1"), x2: { field: "q3" }, y: down("top"), y2: { field: "bottom" } },
    },
    {
      mark: { type: "rect", opacity: 1, fillOpacity: 0.3, strokeWidth: 1.2 },
      encoding: {
        x: across("q1"),
        x2: { field: "q3" },
        y: down("top"),
        y2: { field: "bottom" },
        fill: colour,
        stroke: colour,
      },
    },
    {
      mark: { type: "rule", strokeWidth: 2.4, opacity: 1 },
      encoding: { x: across("median"), y: down("top"), y2: { field: "bottom" }, color: colour },
    },
    ...(style === null
      ? []
      : [
          {
            mark: {
              type: "point" as const,
              shape: "diamond",
              filled: true,
              size: 26,
              color: INK.ink,
              opacity: 1,
            },
            encoding: { x: across("mean"), y: down("row") },
          },
          {
            mark: {
              type: "text" as const,
              align: "right" as const,
              fontSize: 11,
              x: -8,
              color: INK.ink,
            },
            encoding: { y: down("row"), text: { field: "name" } },
          },
        ]),
  ];
}
