// Dispersion over mean of genes in two panels, the variable genes marked and the strongest of them named.

import { number } from "../../../format.ts";
import type { Layer } from "../../../render/canvas.ts";
import { textWidth } from "../../../render/glyphs.ts";
import { INK } from "../../../render/theme.ts";
import type { VariableGenesData } from "../figures/figure.ts";
import {
  type Chart,
  CHART_WIDTH,
  type ChartSize,
  dashedRule,
  dotLegend,
  haloed,
  type PointLayer,
  position,
  toPixels,
  type View,
  words,
} from "./chart.ts";
import { cloudView, type ColouredPoints, THUMB_FRAME } from "./cloudView.ts";

/** Colours of points: in pictures, which know no theme, so that both must be seen on white and on dark. */
const PLAIN = "#8d99a5";
const USED = "#e09a4f";
const VARIABLE = "#d1495b";

const FRAMES = {
  wide: { left: 54, right: 12, top: 62, height: 270, bottom: 46, ticks: 5 },
  compact: { left: 52, right: 12, top: 62, height: 210, bottom: 46, ticks: 4 },
  thumb: THUMB_FRAME,
} as const;

/** Makes the two panels, side by side or one above the other; a thumbnail has the first alone. */
export function variableGenesChart(
  data: VariableGenesData,
  size: ChartSize,
  points: PointLayer,
): Chart {
  const frame = FRAMES[size];
  const shown = size === "thumb" ? data.panels.slice(0, 1) : data.panels;
  const isBeside = size === "wide";
  const across = isBeside ? shown.length : 1;
  const width =
    (CHART_WIDTH[size] - frame.left - frame.right - (across - 1) * (frame.left + 6)) / across;
  const views = shown.map((panel) => panelView(data, panel, size, width, points));
  const first = views[0];
  if (size !== "thumb" && first !== undefined && "layer" in first) {
    const entries = [
      { colour: VARIABLE, text: `${number(data.variable)} highly variable` },
      ...(data.usedInstead > 0
        ? [{ colour: USED, text: `${number(data.usedInstead)} used with them` }]
        : []),
      { colour: PLAIN, text: `${number(data.others)} others` },
    ];
    const legend = dotLegend(entries, 10 - frame.left, -46);
    first.layer = [...first.layer, ...legend];
  }
  const below = frame.bottom + 34;
  return {
    width: CHART_WIDTH[size],
    height:
      frame.top +
      (isBeside || shown.length === 1
        ? frame.height
        : shown.length * frame.height + (shown.length - 1) * below) +
      frame.bottom,
    padding: { left: frame.left, top: frame.top },
    view: isBeside
      ? { hconcat: views, spacing: frame.left + 6, bounds: "flush" }
      : { vconcat: views, spacing: below, bounds: "flush" },
  };
}

function panelView(
  data: VariableGenesData,
  panel: VariableGenesData["panels"][number],
  size: ChartSize,
  width: number,
  points: PointLayer,
): View {
  const { height, ticks, left } = FRAMES[size];
  const isThumb = size === "thumb";
  const style = isThumb ? null : { ticks, hasGrid: true };
  const x = (field: string): ReturnType<typeof position> => position(field, data.x, style);
  const y = (field: string): ReturnType<typeof position> => position(field, panel.y, style);
  const within = (value: number, [from, to]: readonly [number, number]): boolean =>
    value > from && value < to;
  const colours = (): ColouredPoints => ({
    column: "level",
    values: panel.marks.level,
    shades: [
      { from: 0, colour: PLAIN, opacity: 0.4 },
      { from: 1, colour: USED, opacity: 0.6 },
      { from: 2, colour: VARIABLE, opacity: 0.8 },
    ],
  });
  const over: Layer[] = [
    ...(panel.cutoff !== null && within(panel.cutoff, panel.y.domain)
      ? [
          {
            data: { values: [{ cutoff: panel.cutoff }] },
            mark: dashedRule(),
            encoding: { y: y("cutoff") },
          } satisfies Layer,
        ]
      : []),
    ...(panel.cutoff === null
      ? []
      : data.meanCutoffs
          .filter((mean) => within(mean, data.x.domain))
          .map((mean): Layer => ({
            data: { values: [{ mean }] },
            mark: dashedRule(),
            encoding: { x: x("mean") },
          }))),
    ...(isThumb ? [] : nameLayers(data, panel, width, height)),
    ...(isThumb
      ? []
      : [
          words(panel.title, -left + 10, -20, {
            fontSize: 12,
            fontWeight: 600,
            color: INK.ink,
          }),
        ]),
  ];
  const cloud = { x: data.x, y: panel.y, marks: panel.marks };
  return cloudView(points, cloud, { size, width, height, style, colours }, over);
}

interface Label {
  readonly text: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly isLeft: boolean;
}

/** Names the strongest genes beside their points, as many as have room without lying on each other. */
function nameLayers(
  data: VariableGenesData,
  panel: VariableGenesData["panels"][number],
  width: number,
  height: number,
): readonly Layer[] {
  const toX = toPixels(data.x, width);
  const toY = toPixels(panel.y, height);
  const placed: Label[] = [];
  const dots = panel.labels.map(({ x, y }) => ({ x: toX(x), y: height - toY(y) }));
  for (const [at, { symbol }] of panel.labels.entries()) {
    const dot = dots[at];
    if (dot === undefined) continue;
    const room = textWidth(symbol, 10) + 2;
    const choices = [
      { text: symbol, x: dot.x + 6, y: dot.y, width: room, isLeft: true },
      { text: symbol, x: dot.x - 6, y: dot.y, width: room, isLeft: false },
    ];
    const free = choices.find(
      (label) =>
        leftOf(label) > 0 &&
        leftOf(label) + label.width < width + 8 &&
        placed.every((other) => !isOver(label, other)) &&
        dots.every(
          (other) =>
            Math.abs(other.y - label.y) > 5 ||
            other.x < leftOf(label) - 2 ||
            other.x > leftOf(label) + label.width + 2,
        ),
    );
    if (free !== undefined) placed.push(free);
  }
  // On a ground of its own, since it stands among points.
  return placed.flatMap(({ text, x, y, isLeft }) => {
    const align = isLeft ? "left" : "right";
    return haloed(text, x, y, { align, fontSize: 10, fontWeight: 400 });
  });
}

function leftOf(label: Label): number {
  return label.isLeft ? label.x : label.x - label.width;
}

function isOver(one: Label, other: Label): boolean {
  return (
    Math.abs(one.y - other.y) < 11 &&
    leftOf(one) < leftOf(other) + other.width &&
    leftOf(other) < leftOf(one) + one.width
  );
}
