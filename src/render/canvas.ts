// A plain sheet for charts that lay themselves out in pixels: scales, text and empty figures in Vega-Lite's words.

import type { VegaLiteSpec } from "./vega.ts";

/** Width of a figure in pixels: about the text column of a page, and the narrowest screen less its margins. */
export const FIGURE_WIDTH = { wide: 760, compact: 350 } as const;

/** A layer of a Vega-Lite chart. */
export type Layer = Extract<VegaLiteSpec, { layer: unknown }>["layer"][number];
type Datum = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** A dataset, as rows. */
export interface Dataset {
  readonly name: string;
  readonly rows: readonly Datum[];
}

/** Rounds to a hundredth, so that specs and SVGs do not carry sixteen digits of a pixel. */
export function px(value: number): number {
  return Math.round(value * 100) / 100;
}

/** Makes a chart of a fixed size whose coordinates are pixels from the top left. */
export function makeSheet(
  width: number,
  height: number,
  datasets: readonly Dataset[],
  layers: readonly Layer[],
): VegaLiteSpec {
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width,
    height,
    padding: 0,
    autosize: "none",
    datasets: Object.fromEntries(datasets.map(({ name, rows }) => [name, [...rows]])),
    layer: [...layers],
  };
}

/** Positions a mark by fields that hold pixels. */
export function across(field: string): {
  field: string;
  type: "quantitative";
  scale: null;
  axis: null;
} {
  return { field, type: "quantitative", scale: null, axis: null };
}

/** Takes a colour, shape or width from a field as it stands. */
export function asIs(field: string): { field: string; type: "nominal"; scale: null; legend: null } {
  return { field, type: "nominal", scale: null, legend: null };
}
