// Parts of a whole as bars on a common ground, each with its number and its share.

import { number, percent } from "../../../format.ts";
import { across, asIs, FIGURE_WIDTH, makeSheet, px } from "../../../render/canvas.ts";
import { roomFor } from "../../../render/glyphs.ts";
import { INK } from "../../../render/theme.ts";
import type { VegaLiteSpec } from "../../../render/vega.ts";
import type { ChartSize } from "./calendar.ts";

export interface FlowPart {
  readonly label: string;
  readonly value: number;
  readonly tone: "good" | "plain" | "bad";
}

const TEXT = 12;
const BAR = 12;
const PITCH = { wide: 26, compact: 40 } as const;
const TONES = { good: INK.accent, plain: INK.rule, bad: INK.warn } as const;

/** Makes a bar for each part of `total`. */
export function flowSpec(parts: readonly FlowPart[], total: number, size: ChartSize): VegaLiteSpec {
  const width = FIGURE_WIDTH[size];
  const isWide = size === "wide";
  const pitch = PITCH[size];
  const said = parts.map(
    ({ value }) => `${number(value)} · ${percent(value / Math.max(1, total))}`,
  );
  const left = isWide ? Math.max(...parts.map(({ label }) => roomFor(label, TEXT))) + 14 : 0;
  const room = width - left - Math.max(...said.map((text) => roomFor(text, TEXT))) - 16;
  const rows = parts.map(({ label, value, tone }, index) => {
    const top = index * pitch;
    const middle = isWide ? top + pitch / 2 : top + 27;
    const length = value === 0 ? 0 : Math.max(2, (room * value) / Math.max(1, total));
    return {
      ...{ label, text: said[index] ?? "", fill: TONES[tone] },
      nameX: isWide ? left - 14 : 0,
      nameY: isWide ? middle : top + 10,
      ...{ left, right: left + room, x2: px(left + length), textX: px(left + room + 10) },
      ...{ y: px(middle - BAR / 2), y2: px(middle + BAR / 2), middle },
    };
  });
  return makeSheet(
    width,
    parts.length * pitch + 4,
    [{ name: "parts", rows }],
    [
      {
        data: { name: "parts" },
        mark: { type: "rect", color: INK.track },
        encoding: {
          x: across("left"),
          x2: { field: "right" },
          y: across("y"),
          y2: { field: "y2" },
        },
      },
      {
        data: { name: "parts" },
        mark: { type: "rect" },
        encoding: {
          x: across("left"),
          x2: { field: "x2" },
          y: across("y"),
          y2: { field: "y2" },
          fill: asIs("fill"),
        },
      },
      {
        data: { name: "parts" },
        mark: { type: "text", fontSize: TEXT, align: isWide ? "right" : "left" },
        encoding: { x: across("nameX"), y: across("nameY"), text: { field: "label" } },
      },
      {
        data: { name: "parts" },
        mark: { type: "text", fontSize: TEXT, align: "left", color: INK.muted },
        encoding: { x: across("textX"), y: across("middle"), text: { field: "text" } },
      },
    ],
  );
}
