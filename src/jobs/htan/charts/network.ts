// How the records of an atlas hang together, seen from far: components as boxes, the links between their records as lines.

import { count, number } from "../../../format.ts";
import { across, asIs, type Layer, makeSheet, px } from "../../../render/canvas.ts";
import { fitText, wrapName } from "../../../render/glyphs.ts";
import { INK } from "../../../render/theme.ts";
import type { VegaLiteSpec } from "../../../render/vega.ts";
import { barsSpec, emptySpec } from "./bars.ts";
import type { FigureSize, NetworkData } from "./figureData.ts";
import { BOX_HEIGHT, BOX_WIDTH, layOut } from "./networkLayout.ts";

const TEXT = 11.5;
const SMALL = 10.5;
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
  const plain = [...inner, ...outer].map((one) => ({ ...one, tone: "plain" as const }));
  const broken = data.broken.map(({ to, links }) => ({
    label: `${BROKEN} of ${name(to)}`,
    links,
    tone: "strong" as const,
  }));
  const bars = [...plain, ...broken].map(({ label, links, tone }) => ({
    label,
    value: links,
    note: null,
    tone,
  }));
  return barsSpec({ kind: "bars", unit: "link", bars }, "compact");
}

const BROKEN = "Broken links";

function boxes(data: NetworkData): VegaLiteSpec {
  const { nodes, edges, broken } = withBroken(data);
  const { placed, routes, width, height } = layOut(
    nodes.map(({ layer }) => layer),
    edges,
  );
  const most = Math.max(...edges.map((edge) => edge.links), 1);
  const lines: Record<string, string | number>[] = [];
  const counts: Record<string, string | number>[] = [];
  for (const [index, { path, count: at, isBack }] of routes.entries()) {
    const { links = 0, from } = edges[index] ?? {};
    const isBroken = from === broken;
    for (const [order, [x, y]] of path.entries()) {
      lines.push({
        edge: index,
        order,
        x: px(x),
        y: px(y),
        width: px(1 + 2.5 * Math.sqrt(links / most)),
        isBroken: isBroken ? 1 : 0,
      });
    }
    const tone = isBroken ? INK.warn : INK.ink;
    counts.push({
      x: px(at.x),
      y: px(at.y),
      text: number(links),
      tone,
      side: isBack ? "left" : "right",
    });
  }
  const texts: Record<string, string | number>[] = [];
  const frames: Record<string, string | number>[] = [];
  for (const [index, node] of nodes.entries()) {
    const box = placed[index];
    if (box === undefined) continue;
    const name = wrapName(node.name, BOX_WIDTH - 20, TEXT, 600);
    const noun = index === broken ? "link" : "record";
    const inner = node.inner === 0 ? "" : `, ${number(node.inner)} derived`;
    const said = [...name, fitText(`${count(node.records, noun)}${inner}`, BOX_WIDTH - 16, SMALL)];
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
      y: px(box.middle - BOX_HEIGHT / 2),
      y2: px(box.middle + BOX_HEIGHT / 2),
      isBroken: index === broken ? 1 : 0,
    });
  }
  const where = (rows: typeof lines, field: string, value: string | number) =>
    rows.filter((row) => row[field] === value);
  return makeSheet(
    Math.ceil(width),
    Math.ceil(height),
    [
      { name: "links", rows: where(lines, "isBroken", 0) },
      { name: "brokenLinks", rows: where(lines, "isBroken", 1) },
      { name: "counts", rows: where(counts, "side", "right") },
      { name: "backCounts", rows: where(counts, "side", "left") },
      { name: "components", rows: where(frames, "isBroken", 0) },
      { name: "broken", rows: where(frames, "isBroken", 1) },
      { name: "names", rows: where(texts, "weight", 600) },
      { name: "records", rows: where(texts, "weight", 400) },
    ],
    [
      linkLayer("links", { color: INK.rule }),
      linkLayer("brokenLinks", { color: INK.warn, strokeDash: [5, 4] }),
      ...boxLayers("components", { frame: INK.rule, edge: INK.accent }),
      ...boxLayers("broken", { frame: INK.warn, edge: INK.warn, strokeDash: [5, 4] }),
      // The number stands on its line: a seam in the colour of the page keeps it readable.
      ...(["right", "left"] as const).flatMap((side) => {
        const name = side === "right" ? "counts" : "backCounts";
        return [
          words(name, side, { stroke: INK.surface, strokeWidth: 3, strokeJoin: "round" }),
          words(name, side, {}, "tone"),
        ];
      }),
      words("names", "left", { color: INK.ink, fontSize: TEXT, fontWeight: 600 }),
      words("records", "left", { color: INK.muted }),
    ],
  );
}

/** Adds what links lead to that lead nowhere, as a box left of all that names it; `broken` is its index, or −1. */
function withBroken(data: NetworkData): Pick<NetworkData, "nodes" | "edges"> & { broken: number } {
  if (data.broken.length === 0) return { nodes: data.nodes, edges: data.edges, broken: -1 };
  const layer = Math.min(...data.broken.map(({ to }) => data.nodes[to]?.layer ?? 0)) - 1;
  const broken = data.nodes.length;
  const links = data.broken.reduce((sum, one) => sum + one.links, 0);
  return {
    nodes: [...data.nodes, { name: BROKEN, records: links, inner: 0, layer }],
    edges: [...data.edges, ...data.broken.map((one) => ({ from: broken, ...one }))],
    broken,
  };
}

function linkLayer(
  name: string,
  style: { readonly color: string; readonly strokeDash?: number[] },
): Layer {
  return {
    data: { name },
    mark: { type: "line", ...style },
    encoding: {
      x: across("x"),
      y: across("y"),
      detail: { field: "edge", type: "nominal" },
      order: { field: "order", type: "quantitative" },
      strokeWidth: { ...asIs("width"), type: "quantitative" },
    },
  };
}

function boxLayers(
  name: string,
  {
    frame,
    edge,
    strokeDash,
  }: { readonly frame: string; readonly edge: string; readonly strokeDash?: number[] },
): readonly Layer[] {
  return [
    {
      data: { name },
      mark: {
        type: "rect",
        fill: INK.surface,
        stroke: frame,
        strokeWidth: 1,
        cornerRadius: 4,
        ...(strokeDash === undefined ? {} : { strokeDash }),
      },
      encoding: { x: across("x"), x2: { field: "x2" }, y: across("y"), y2: { field: "y2" } },
    },
    {
      data: { name },
      mark: { type: "rect", fill: edge, cornerRadiusTopLeft: 4, cornerRadiusBottomLeft: 4 },
      encoding: { x: across("x"), x2: { field: "edgeX" }, y: across("y"), y2: { field: "y2" } },
    },
  ];
}

function words(
  name: string,
  align: "left" | "right",
  style: Readonly<Record<string, string | number>>,
  tone?: string,
): Layer {
  return {
    data: { name },
    mark: { type: "text", align, fontSize: SMALL, ...style },
    encoding: {
      x: across("x"),
      y: across("y"),
      text: { field: "text" },
      ...(tone === undefined ? {} : { color: asIs(tone) }),
    },
  };
}
