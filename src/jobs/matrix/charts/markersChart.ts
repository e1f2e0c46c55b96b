// Marker genes of clusters: for each a short list of bars with names and scores.

import { count } from "../../../format.ts";
import { across, asIs, type Layer, px } from "../../../render/canvas.ts";
import { fitText, roomFor } from "../../../render/glyphs.ts";
import { INK } from "../../../render/theme.ts";
import type { MarkersData } from "../figures/figure.ts";
import { type Chart, CHART_WIDTH, type ChartSize, THUMB_HEIGHT } from "./chart.ts";
import { clusterColour } from "./shades.ts";

const EDGE = 10;
const PITCH = 14;
const HEAD = 24;
const BAR = 8;
const GAP = { x: 18, y: 16 } as const;
/** Lists side by side; fewer clusters have wider lists. */
const MOST_COLUMNS = { wide: 4, compact: 2, thumb: 3 } as const;

/** Makes the lists, largest cluster first. */
export function markersChart(data: MarkersData, size: ChartSize): Chart {
  const isThumb = size === "thumb";
  const shown = isThumb ? data.clusters.slice(0, 9) : data.clusters;
  const columns = Math.min(MOST_COLUMNS[size], shown.length);
  const lines = Math.ceil(shown.length / columns);
  const width = CHART_WIDTH[size];
  const listWidth = (width - 2 * EDGE - (columns - 1) * GAP.x) / columns;
  const genes = Math.max(...shown.map((cluster) => cluster.genes.length));
  const pitch = isThumb ? (THUMB_HEIGHT - 2 * EDGE - (lines - 1) * GAP.y) / lines / genes : PITCH;
  const head = isThumb ? 0 : HEAD;
  const listHeight = head + genes * pitch;
  const scores = shown.flatMap((cluster) => cluster.genes.map(({ score }) => scoreText(score)));
  const scoreWidth = isThumb ? 0 : Math.max(...scores.map((text) => roomFor(text, 10))) + 6;
  const nameWidth = isThumb
    ? 0
    : Math.min(
        Math.max(
          ...shown.flatMap((cluster) => cluster.genes.map(({ symbol }) => roomFor(symbol, 10))),
          30,
        ),
        listWidth * 0.48,
      );
  const heads: Record<string, string | number>[] = [];
  const rows: Record<string, string | number>[] = [];
  for (const [at, { cluster, cells, genes: ranked }] of shown.entries()) {
    const left = EDGE + (at % columns) * (listWidth + GAP.x);
    const top = Math.floor(at / columns) * (listHeight + GAP.y);
    const colour = clusterColour(cluster);
    heads.push({
      cluster: String(cluster),
      dotX: px(left + 5),
      y: px(top + 8),
      textX: px(left + 15),
      colour,
      title: `${cluster}`,
      cells: count(cells, "cell"),
      cellsX: px(left + 15 + roomFor(String(cluster), 12, 600) + 7),
    });
    const most = Math.max(...ranked.map(({ score }) => score), 0);
    const room = listWidth - nameWidth - scoreWidth - (isThumb ? 0 : 6);
    for (const [rank, { symbol, score }] of ranked.entries()) {
      const middle = top + head + (rank + 0.5) * pitch;
      const start = left + nameWidth + (isThumb ? 0 : 6);
      const length = most > 0 ? Math.max((room * score) / most, 0) : 0;
      const half = Math.min(BAR / 2, pitch * 0.33);
      rows.push({
        cluster,
        rank: rank + 1,
        gene: symbol,
        score,
        name: fitText(symbol, nameWidth, 10),
        nameX: px(left + nameWidth),
        start: px(start),
        end: px(start + Math.max(length, 1)),
        top: px(middle - half),
        bottom: px(middle + half),
        y: px(middle),
        scoreX: px(start + Math.max(length, 1) + 5),
        scoreText: scoreText(score),
        colour,
      });
    }
  }
  const layer: Layer[] = [
    {
      data: { values: rows },
      mark: { type: "rect", opacity: 1, fillOpacity: 0.75 },
      encoding: {
        x: across("start"),
        x2: { field: "end" },
        y: across("top"),
        y2: { field: "bottom" },
        fill: asIs("colour"),
      },
    },
  ];
  if (!isThumb) {
    layer.push(
      textLayer(rows, "name", "nameX", { align: "right", fontSize: 10, color: INK.ink }),
      textLayer(rows, "scoreText", "scoreX", { align: "left", fontSize: 10, color: INK.muted }),
      {
        data: { values: heads },
        mark: { type: "point", filled: true, size: 80, opacity: 1 },
        encoding: { x: across("dotX"), y: across("y"), color: asIs("colour") },
      },
      textLayer(heads, "title", "textX", {
        align: "left",
        fontSize: 12,
        fontWeight: 600,
        color: INK.ink,
      }),
      textLayer(heads, "cells", "cellsX", { align: "left", fontSize: 10, color: INK.muted }),
    );
  }
  const top = isThumb ? EDGE : 6;
  const height = lines * listHeight + (lines - 1) * GAP.y;
  return {
    width,
    height: isThumb ? THUMB_HEIGHT : top + height + EDGE,
    padding: { left: 0, top },
    view: { width, height, layer },
  };
}

function textLayer(
  values: Record<string, string | number>[],
  text: string,
  x: string,
  style: {
    readonly align: "left" | "right";
    readonly fontSize: number;
    readonly fontWeight?: 600;
    readonly color: string;
  },
): Layer {
  return {
    data: { values },
    mark: { type: "text", ...style },
    encoding: { x: across(x), y: across("y"), text: { field: text } },
  };
}

function scoreText(score: number): string {
  const text = score >= 100 ? score.toFixed(0) : score.toFixed(1);
  return text.replace("-", "−");
}
