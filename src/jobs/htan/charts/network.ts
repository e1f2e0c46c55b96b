// How the records of an atlas hang together, seen from far: components as boxes, the links between their records as lines.

import { number } from "../../../format.ts";
import { across, asIs, FIGURE_WIDTH, type Layer, makeSheet, px } from "../../../render/canvas.ts";
import { fitText, wrapName } from "../../../render/glyphs.ts";
import { INK } from "../../../render/theme.ts";
import type { VegaLiteSpec } from "../../../render/vega.ts";
import { barsSpec, emptySpec } from "./bars.ts";
import type { FigureSize, NetworkData } from "./figureData.ts";

const TEXT = 11.5;
const SMALL = 10.5;
const BOX_WIDTH = 150;
const COLUMN = 206;
const ROW = 66;
const BOX_HEIGHT = 48;
const LINE_HEIGHT = 14;

/** Makes the picture of an atlas's components; on a narrow screen, where boxes do not fit, the links as bars. */
export function networkSpec(data: NetworkData, size: FigureSize): VegaLiteSpec {
  if (data.edges.length === 0 && data.nodes.length === 0)
    return emptySpec("No record names a parent", size);
  return size === "wide" ? boxes(data) : linksAsBars(data);
}

function linksAsBars(data: NetworkData): VegaLiteSpec {
  const name = (index: number): string => data.nodes[index]?.name ?? "";
  const inner = data.nodes.flatMap((node) =>
    node.inner === 0 ? [] : [{ label: `${node.name} → ${node.name}`, links: node.inner }],
  );
  const outer = data.edges.map((edge) => ({
    label: `${name(edge.from)} → ${name(edge.to)}`,
    links: edge.links,
  }));
  const bars = [...inner, ...outer].map(({ label, links }) => ({
    label,
    value: links,
    note: null,
    tone: "plain" as const,
  }));
  return barsSpec({ kind: "bars", unit: "link", bars }, "compact");
}

interface Box {
  readonly x: number;
  readonly x2: number;
  readonly y: number;
  readonly y2: number;
  readonly middle: number;
}

function boxes(data: NetworkData): VegaLiteSpec {
  const columns = layersOf(data);
  const width = Math.max(FIGURE_WIDTH.wide, columns.length * COLUMN - (COLUMN - BOX_WIDTH));
  const step = columns.length > 1 ? (width - BOX_WIDTH - 2) / (columns.length - 1) : 0;
  const height = Math.max(...columns.map((column) => column.length)) * ROW + 8;
  const middles = placeRows(columns, data, height);
  const placed = new Map<number, Box>();
  for (const [at, column] of columns.entries()) {
    const x = at * step + 1;
    for (const node of column) {
      const middle = middles.get(node) ?? height / 2;
      const half = BOX_HEIGHT / 2;
      placed.set(node, { x, x2: x + BOX_WIDTH, y: middle - half, y2: middle + half, middle });
    }
  }
  const most = Math.max(...data.edges.map((edge) => edge.links), 1);
  const lines: Record<string, string | number>[] = [];
  const counts: Record<string, string | number>[] = [];
  const ends = new Map<number, number>();
  for (const [index, edge] of data.edges.entries()) {
    const from = placed.get(edge.from);
    const to = placed.get(edge.to);
    if (from === undefined || to === undefined) continue;
    // Lines into one box end side by side, so that their numbers do not lie on each other.
    const into = data.edges.filter((other) => other.to === edge.to).length;
    const nth = ends.get(edge.to) ?? 0;
    ends.set(edge.to, nth + 1);
    const endY = to.middle + (nth - (into - 1) / 2) * Math.min(16, 40 / Math.max(into, 1));
    for (const [order, [x, y]] of curve(from.x2, from.middle, to.x, endY).entries()) {
      lines.push({
        edge: index,
        order,
        x: px(x),
        y: px(y),
        width: px(1 + 2.5 * Math.sqrt(edge.links / most)),
      });
    }
    counts.push({ x: px(to.x - 6), y: px(endY - 7), text: number(edge.links) });
  }
  const texts: Record<string, string | number>[] = [];
  const frames: Record<string, string | number>[] = [];
  for (const [index, node] of data.nodes.entries()) {
    const box = placed.get(index);
    if (box === undefined) continue;
    const name = wrapName(node.name, BOX_WIDTH - 20, TEXT, 600);
    const records = `${number(node.records)} record${node.records === 1 ? "" : "s"}`;
    const inner = node.inner === 0 ? "" : `, ${number(node.inner)} derived`;
    const said = [...name, fitText(`${records}${inner}`, BOX_WIDTH - 16, SMALL)];
    const top = box.middle - ((said.length - 1) * LINE_HEIGHT) / 2;
    for (const [line, text] of said.entries()) {
      const isName = line < name.length;
      texts.push({
        x: px(box.x + 11),
        y: px(top + line * LINE_HEIGHT),
        text,
        weight: isName ? 600 : 400,
      });
    }
    frames.push({
      x: px(box.x),
      x2: px(box.x2),
      edgeX: px(box.x + 3),
      y: px(box.y),
      y2: px(box.y2),
    });
  }
  return makeSheet(
    Math.ceil(width),
    height,
    [
      { name: "links", rows: lines },
      { name: "counts", rows: counts },
      { name: "components", rows: frames },
      { name: "names", rows: texts.filter((text) => text["weight"] === 600) },
      { name: "records", rows: texts.filter((text) => text["weight"] === 400) },
    ],
    [
      {
        data: { name: "links" },
        mark: { type: "line", color: INK.rule },
        encoding: {
          x: across("x"),
          y: across("y"),
          detail: { field: "edge", type: "nominal" },
          order: { field: "order", type: "quantitative" },
          strokeWidth: { ...asIs("width"), type: "quantitative" },
        },
      },
      {
        data: { name: "components" },
        mark: {
          type: "rect",
          fill: INK.surface,
          stroke: INK.rule,
          strokeWidth: 1,
          cornerRadius: 4,
        },
        encoding: { x: across("x"), x2: { field: "x2" }, y: across("y"), y2: { field: "y2" } },
      },
      {
        data: { name: "components" },
        mark: { type: "rect", fill: INK.accent, cornerRadiusTopLeft: 4, cornerRadiusBottomLeft: 4 },
        encoding: { x: across("x"), x2: { field: "edgeX" }, y: across("y"), y2: { field: "y2" } },
      },
      // The number stands on its line: a seam in the colour of the page keeps it readable.
      words("counts", "right", { stroke: INK.surface, strokeWidth: 3, strokeJoin: "round" }),
      words("counts", "right", { color: INK.ink }),
      words("names", "left", { color: INK.ink, fontSize: TEXT, fontWeight: 600 }),
      words("records", "left", { color: INK.muted }),
    ],
  );
}

function words(
  name: string,
  align: "left" | "right",
  style: Readonly<Record<string, string | number>>,
): Layer {
  return {
    data: { name },
    mark: { type: "text", align, fontSize: SMALL, ...style },
    encoding: { x: across("x"), y: across("y"), text: { field: "text" } },
  };
}

/** Walks a curve that leaves and arrives level, flat at its end so that a number can stand on it. */
function curve(
  x1: number,
  y1: number,
  x2: number,
  y2: number,
): readonly (readonly [number, number])[] {
  if (y1 === y2)
    return [
      [x1, y1],
      [x2, y2],
    ];
  const flat = x2 - Math.min(26, (x2 - x1) / 2);
  const steps = Array.from({ length: 17 }, (_, index) => index / 16);
  return [
    ...steps.map((t) => {
      // A smoothstep is the cubic whose slope is zero at both ends.
      return [x1 + (flat - x1) * t, y1 + (y2 - y1) * t * t * (3 - 2 * t)] as const;
    }),
    [x2, y2],
  ];
}

function layersOf(data: NetworkData): number[][] {
  const used = [...new Set(data.nodes.map((node) => node.layer))].sort((a, b) => a - b);
  return used.map((layer) =>
    data.nodes.flatMap((node, index) => (node.layer === layer ? [index] : [])),
  );
}

/**
 * Gives each box its height: the fullest column is spread evenly, and from there each box goes level with its neighbours in the
 * column before, as far as boxes leave room.
 */
function placeRows(
  columns: readonly (readonly number[])[],
  data: NetworkData,
  height: number,
): ReadonlyMap<number, number> {
  const most = Math.max(...columns.map((column) => column.length));
  const fullest = columns.findIndex((column) => column.length === most);
  const middles = new Map<number, number>();
  for (const [order, node] of (columns[fullest] ?? []).entries())
    middles.set(node, 4 + (order + 0.5) * ROW);
  const outward = [...columns.slice(fullest + 1), ...columns.slice(0, fullest).reverse()];
  for (const column of outward) {
    const wanted = column
      .map((node, given) => ({
        node,
        given,
        at: meanOfNeighbours(node, data, middles) ?? height / 2,
      }))
      .sort((a, b) => a.at - b.at || a.given - b.given);
    // Down from the top, then up from the bottom: each box as near to where it belongs as its neighbours let it.
    let free = 4 + ROW / 2;
    const down = wanted.map(({ node, at }) => {
      const middle = Math.max(at, free);
      free = middle + ROW;
      return { node, middle };
    });
    let limit = height - 4 - ROW / 2;
    for (const { node, middle } of down.reverse()) {
      const placed = Math.min(middle, limit);
      limit = placed - ROW;
      middles.set(node, placed);
    }
  }
  return middles;
}

function meanOfNeighbours(
  node: number,
  data: NetworkData,
  middles: ReadonlyMap<number, number>,
): number | null {
  const known = data.edges.flatMap(({ from, to }) => {
    const other = from === node ? to : to === node ? from : null;
    const middle = other === null ? undefined : middles.get(other);
    return middle === undefined ? [] : [middle];
  });
  return known.length === 0 ? null : known.reduce((sum, at) => sum + at, 0) / known.length;
}
