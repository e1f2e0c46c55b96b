// The timeline as a page explores it: the marks of the static figure on scales of its own, with data that the page fills in.

import { asIs } from "../../../render/canvas.ts";
import { INK } from "../../../render/theme.ts";
import type { VegaLiteSpec } from "../../../render/vega.ts";
import type { TimelineData } from "./figureData.ts";
import { kindStyle } from "./timeline.ts";

/** Where the page's script puts what it shows. */
const EXPLORER_DATASETS = { events: "events", rows: "rows" } as const;

/**
 * Makes the spec of the interactive timeline. Its datasets are empty: `rows` takes {row, fill}, `events` takes {row, kind, start,
 * end, text, label}. Legend entries single out a kind, dragging moves along the days, and the wheel zooms while Ctrl is held. The
 * page's own controls do the same by the signals kind_kind_legend (a kind, or null) and days_start ([first, last], or null), which
 * Vega-Lite makes of the two params.
 */
export function timelineExplorerSpec(kinds: TimelineData["kinds"]): VegaLiteSpec {
  const styles = kinds.map((_, kind) => kindStyle(kind));
  const names = kinds.map((kind) => kind.name);
  const legend = { title: null, orient: "top", symbolOpacity: 1, labelLimit: 190 } as const;
  const row = { field: "row", type: "nominal", sort: null, title: null } as const;
  const color = {
    field: "kind",
    type: "nominal",
    scale: { domain: names, range: styles.map((style) => style.color) },
    legend,
  } as const;
  const faded = { condition: { param: "kind", value: 1 }, value: 0.12 } as const;
  const start = {
    field: "start",
    type: "quantitative",
    title: "Days from the first event of each row",
    // Room for half a mark on either side, which the bound scale would cut.
    scale: { nice: false, zero: true, padding: 10 },
    axis: { orient: "top", tickMinStep: 1, format: ",d", grid: true },
  } as const;
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: 560,
    height: { step: 24 },
    padding: { left: 2, right: 16, top: 4, bottom: 4 },
    datasets: { [EXPLORER_DATASETS.events]: [], [EXPLORER_DATASETS.rows]: [] },
    layer: [
      {
        data: { name: EXPLORER_DATASETS.rows },
        mark: { type: "rect", aria: false, x: 0, x2: { expr: "width" } },
        encoding: { y: { ...row, axis: rowAxis() }, fill: asIs("fill") },
      },
      {
        data: { name: EXPLORER_DATASETS.events },
        mark: { type: "bar", aria: false, height: 7, cornerRadius: 2, clip: true },
        encoding: {
          y: row,
          x: start,
          x2: { field: "end" },
          color,
          opacity: faded,
          tooltip: { field: "text" },
        },
      },
      {
        data: { name: EXPLORER_DATASETS.events },
        params: [
          {
            name: "kind",
            select: { type: "point", fields: ["kind"], toggle: false },
            bind: "legend",
          },
          {
            name: "days",
            select: {
              type: "interval",
              encodings: ["x"],
              // A page that is scrolled must not be caught by a figure.
              zoom: "wheel![event.ctrlKey || event.metaKey]",
            },
            bind: "scales",
          },
        ],
        mark: { type: "point", aria: false, filled: true, size: 80, opacity: 1 },
        encoding: {
          y: row,
          x: start,
          shape: {
            field: "kind",
            type: "nominal",
            scale: { domain: names, range: styles.map((style) => style.shape) },
            legend,
          },
          color,
          opacity: faded,
          tooltip: { field: "text" },
        },
      },
      {
        data: { name: EXPLORER_DATASETS.events },
        mark: { type: "text", aria: false, align: "left", dx: 10, fontSize: 11, color: INK.muted },
        encoding: {
          y: row,
          x: { ...start, field: "end" },
          text: { field: "label" },
          opacity: faded,
        },
      },
    ],
    config: {
      legend: {
        labelFontSize: 12,
        labelColor: INK.ink,
        symbolSize: 80,
        columnPadding: 18,
        rowPadding: 6,
        offset: 10,
      },
    },
  };
}

function rowAxis(): { domain: boolean; ticks: boolean; labelPadding: number; labelColor: string } {
  return { domain: false, ticks: false, labelPadding: 8, labelColor: INK.ink };
}
