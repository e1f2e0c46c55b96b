// Amounts by day as bars that stand side by side, those of several groups on top of each other.

import { month, number } from "../../../format.ts";
import { across, asIs, FIGURE_WIDTH, type Layer, makeSheet, px } from "../../../render/canvas.ts";
import { roomFor } from "../../../render/glyphs.ts";
import { INK, SERIES } from "../../../render/theme.ts";
import type { VegaLiteSpec } from "../../../render/vega.ts";
import type { Days } from "../data/days.ts";
import { daysBetween } from "../data/studyDays.ts";
import type { ChartSize } from "./calendar.ts";

export interface DayBarsData {
  /** In the order in which they are put on top of each other. */
  readonly groups: readonly { readonly name: string; readonly days: Days }[];
  /** What is counted, e.g. "records". */
  readonly noun: string;
  /** Days that are drawn as far as there is room. */
  readonly first: string;
  readonly last: string;
}

const HEIGHT = 150;
const HEAD = 26;
const FOOT = 24;
const SMALL = 11;
const MOST_SLOT = 22;
const LEAST_SLOT = 4;

/** Makes the bars. Where days have no room a bar is a week, and where weeks have none the first are left out. */
export function dayBarsSpec(data: DayBarsData, size: ChartSize): VegaLiteSpec {
  const width = FIGURE_WIDTH[size];
  const { slots, each } = slotsOf(data, width);
  const totals = slots.map((days) =>
    data.groups.reduce((sum, group) => sum + amountOf(group.days, days), 0),
  );
  const most = Math.max(1, ...totals);
  const top = niceMost(most);
  const left = roomFor(number(top), SMALL) + 8;
  const slot = Math.min(MOST_SLOT, (width - left) / slots.length);
  const floor = HEAD + HEIGHT;
  const bars = slots.flatMap((days, index) => {
    let y = floor;
    return data.groups.flatMap((group, at) => {
      const amount = amountOf(group.days, days);
      if (amount === 0) return [];
      // What is there is seen, however little.
      const y2 = y;
      y -= Math.max(1, (HEIGHT * amount) / top);
      const x = left + index * slot;
      const fill = SERIES[at % SERIES.length] ?? INK.accent;
      return [{ x: px(x), x2: px(x + Math.max(1, slot - 1.5)), y: px(y), y2: px(y2), fill }];
    });
  });
  const lines = [0, 0.5, 1].map((share) => ({
    x: left,
    x2: px(left + slots.length * slot),
    y: px(floor - HEIGHT * share),
    text: number(top * share),
    labelX: left - 8,
    ink: share === 0 ? INK.rule : INK.grid,
  }));
  return makeSheet(
    width,
    floor + FOOT,
    [
      { name: "lines", rows: lines },
      { name: "bars", rows: bars },
      { name: "dates", rows: dates(slots, { left, slot, y: floor + 14, width }) },
      { name: "key", rows: keyOf(data, each) },
    ],
    LAYERS,
  );
}

function amountOf(days: Days, wanted: readonly string[]): number {
  return wanted.reduce((sum, day) => sum + (days[day] ?? 0), 0);
}

function slotsOf({ first, last }: DayBarsData, width: number) {
  const days = daysBetween(first, last);
  const room = Math.floor((width - 60) / LEAST_SLOT);
  if (days.length <= room) return { slots: days.map((day) => [day]), each: "day" };
  const weeks: string[][] = [];
  for (let end = days.length; end > 0; end -= 7)
    weeks.unshift(days.slice(Math.max(0, end - 7), end));
  return { slots: weeks.slice(-room), each: "week" };
}

/** The next number that is written with one digit, or one and a half. */
function niceMost(most: number): number {
  const power = 10 ** Math.floor(Math.log10(most));
  const step = [1, 1.5, 2, 3, 4, 5, 6, 8, 10].find((one) => one * power >= most) ?? 10;
  return step * power;
}

function dates(
  slots: readonly (readonly string[])[],
  { left, slot, y, width }: { left: number; slot: number; y: number; width: number },
) {
  const found: { x: number; y: number; text: string }[] = [];
  let free = -Infinity;
  for (const [index, days] of slots.entries()) {
    const [day = ""] = days;
    const x = left + index * slot;
    const isMonth = days.some((one) => one.endsWith("-01")) || index === 0;
    const isWeek = slots.length <= 40 && index % 7 === 0;
    if ((!isMonth && !isWeek) || x < free) continue;
    const text = `${Number(day.slice(8))} ${month(day)}${index === 0 ? ` ${day.slice(0, 4)}` : ""}`;
    const room = roomFor(text, SMALL);
    if (x + room > width) break;
    found.push({ x: px(x), y, text });
    free = x + room + 14;
  }
  return found;
}

function keyOf({ groups, noun }: DayBarsData, each: string) {
  let x = 0;
  const said = groups.length > 1 ? groups : [];
  const key = said.map(({ name }, index) => {
    const at = x;
    x += 16 + roomFor(name, SMALL) + 16;
    return {
      x: at,
      x2: at + 10,
      textX: at + 16,
      text: name,
      fill: SERIES[index % SERIES.length] ?? INK.accent,
    };
  });
  return [...key, { x, x2: x, textX: x, text: `${noun} a ${each}`, fill: INK.surface }];
}

const LAYERS: readonly Layer[] = [
  {
    data: { name: "lines" },
    mark: { type: "rule", strokeWidth: 1 },
    encoding: { x: across("x"), x2: { field: "x2" }, y: across("y"), stroke: asIs("ink") },
  },
  {
    data: { name: "lines" },
    mark: { type: "text", fontSize: SMALL, align: "right", color: INK.muted },
    encoding: { x: across("labelX"), y: across("y"), text: { field: "text" } },
  },
  {
    data: { name: "bars" },
    mark: { type: "rect" },
    encoding: {
      x: across("x"),
      x2: { field: "x2" },
      y: across("y"),
      y2: { field: "y2" },
      fill: asIs("fill"),
    },
  },
  {
    data: { name: "dates" },
    mark: { type: "text", fontSize: SMALL, align: "left", color: INK.muted },
    encoding: { x: across("x"), y: across("y"), text: { field: "text" } },
  },
  {
    data: { name: "key" },
    mark: { type: "rect", y: 3, y2: 13 },
    encoding: { x: across("x"), x2: { field: "x2" }, fill: asIs("fill") },
  },
  {
    data: { name: "key" },
    mark: { type: "text", fontSize: SMALL, align: "left", color: INK.muted, y: 8 },
    encoding: { x: across("textX"), text: { field: "text" } },
  },
];
