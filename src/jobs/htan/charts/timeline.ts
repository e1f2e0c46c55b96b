// What happened to participants and when: one row for each line of events, days counted from the row's first event.

import { count, number } from "../../../format.ts";
import { across, asIs, FIGURE_WIDTH, type Layer, makeSheet, px } from "../../../render/canvas.ts";
import { fitText, roomFor, textWidth } from "../../../render/glyphs.ts";
import { INK, OTHER, SERIES, SHAPES } from "../../../render/theme.ts";
import type { VegaLiteSpec } from "../../../render/vega.ts";
import { emptySpec } from "./bars.ts";
import type { FigureSize, TimelineData } from "./figureData.ts";

const SMALL = 11;
const PITCH = 20;
const GROUP_GAP = 7;
/** Space under an instant event's mark, in pixels. */
const MARK_RADIUS = 5;

/** How a kind of event is drawn. */
export interface KindStyle {
  readonly color: string;
  readonly shape: string;
}

/** Kinds that have a style of their own; those after them share the plain one. */
const STYLES = 2 * SERIES.length;

/** Gives each kind of event a colour and a shape: six of both, and six more with the same colours on other shapes. */
export function kindStyle(kind: number): KindStyle {
  const isSecond = kind >= SERIES.length;
  const color = kind < STYLES ? SERIES[kind % SERIES.length] : undefined;
  const shape = SHAPES[(kind + (isSecond ? SHAPES.length / 2 : 0)) % SHAPES.length];
  return color === undefined || shape === undefined ? OTHER : { color, shape };
}

/** Makes the timeline of the rows it is given; without rows it says that there are none. */
export function timelineSpec(data: TimelineData, size: FigureSize): VegaLiteSpec {
  if (data.rows.length === 0) return emptySpec("No therapy or biospecimen has a usable day", size);
  const width = FIGURE_WIDTH[size];
  const isWide = size === "wide";
  const idWidth = Math.max(...data.rows.map((row) => roomFor(row.participant, SMALL, 600))) + 14;
  const labelLimit = isWide ? 170 : 96;
  const labelWidth = Math.min(
    Math.max(...data.rows.map((row) => roomFor(row.label, SMALL)), 40),
    labelLimit,
  );
  const left = Math.ceil((isWide ? idWidth : 0) + labelWidth + 16);
  // Of starts as well: where dates are mistyped, an event may end before it starts.
  const lastDay = data.rows.reduce(
    (latest, row) =>
      row.events.reduce((day, { start, finish }) => Math.max(day, start, finish), latest),
    1,
  );
  const ticks = dayTicks(lastDay, isWide ? 8 : 4);
  // The last day's number stands half outside of its line.
  const right = width - Math.max(12, textWidth(number(ticks.at(-1) ?? 0), SMALL) / 2 + 2);
  const scale = (right - left) / Math.max(lastDay, ticks.at(-1) ?? 1);
  // A mark far outside of the sheet would be drawn for nothing, and what makes pictures of it may not survive it.
  const dayX = (day: number): number => Math.min(Math.max(left + day * scale, left), right);

  const title = axisTitle(data, isWide);
  const legend = legendOf(data, width);
  const axisY = legend.height + 34;
  let y = axisY + 6;
  let group = 0;
  const bands: Record<string, number>[] = [];
  const rows: Record<string, string | number>[] = [];
  const spans: Record<string, string | number>[] = [];
  const marks: Record<string, string | number>[] = [];
  const texts: Record<string, string | number>[] = [];
  for (const [index, row] of data.rows.entries()) {
    const isFirst = data.rows[index - 1]?.participant !== row.participant;
    if (isFirst) {
      if (index > 0) y += GROUP_GAP;
      if (!isWide) y += 17;
      group += 1;
      bands.push({ y: px(y - (isWide ? 3 : 20)), y2: px(y) });
    }
    const middle = y + PITCH / 2;
    y += PITCH;
    const band = bands.at(-1);
    if (band !== undefined) band["y2"] = px(y + 3);
    rows.push({
      id: isFirst ? fitText(row.participant, idWidth, SMALL, 600) : "",
      idX: 6,
      idY: px(isWide ? middle : middle - PITCH + 1),
      label: fitText(row.label, labelLimit, SMALL),
      labelX: isWide ? px(idWidth + 2) : 6,
      y: px(middle),
      left,
      right,
      group,
    });
    for (const [at, event] of row.events.entries()) {
      const { color, shape } = kindStyle(event.kind);
      const kind = data.kinds[event.kind]?.name ?? "";
      const x = dayX(event.start);
      // An event of a day is a mark; a longer one is a bar that begins with its mark.
      const end = event.finish - event.start > 1 ? dayX(event.finish) : x;
      if (end > x)
        spans.push({
          x: px(x),
          x2: px(Math.max(end, x + 2)),
          y: px(middle - 3),
          y2: px(middle + 3),
          color,
        });
      marks.push({ x: px(x), y: px(middle), color, shape, kind, hover: event.hover });
      const from = Math.max(end, x + MARK_RADIUS) + 5;
      const next = row.events[at + 1];
      const room = (next === undefined ? width : dayX(next.start) - MARK_RADIUS - 6) - from;
      const label = event.label ?? kind;
      const long =
        event.finish - event.start > 1 ? `${label}, ${event.finish - event.start} days` : label;
      const text = [long, label, kind].find((said) => textWidth(said, 10.5) <= room);
      if (text !== undefined) texts.push({ x: px(from), y: px(middle), text });
    }
  }
  return makeSheet(
    width,
    Math.ceil(y + 6),
    [
      { name: "bands", rows: bands.filter((_, index) => index % 2 === 0) },
      {
        name: "days",
        rows: ticks.map((day) => ({ x: px(dayX(day)), day: number(day), y: axisY, y2: px(y) })),
      },
      { name: "rows", rows },
      { name: "spans", rows: spans },
      { name: "events", rows: marks },
      { name: "texts", rows: texts },
      { name: "legend", rows: legend.entries },
      {
        name: "axis",
        rows: [{ text: title, x: px(Math.max(Math.min(left, width - roomFor(title, SMALL)), 0)) }],
      },
    ],
    layersOf(width, axisY),
  );
}

/** Names the marks of a timeline, from the bands behind it to its axis. */
function layersOf(width: number, axisY: number): readonly Layer[] {
  return [
    {
      data: { name: "bands" },
      mark: { type: "rect", color: INK.track, x: 0, x2: width },
      encoding: { y: across("y"), y2: { field: "y2" } },
    },
    {
      data: { name: "days" },
      mark: { type: "rule", color: INK.grid, strokeWidth: 1 },
      encoding: { x: across("x"), y: across("y"), y2: { field: "y2" } },
    },
    textLayer(
      "days",
      "day",
      { x: "x", y: axisY - 8 },
      { align: "center", fontSize: SMALL, color: INK.muted },
    ),
    textLayer(
      "rows",
      "id",
      { x: "idX", y: "idY" },
      { align: "left", fontSize: SMALL, fontWeight: 600, color: INK.ink },
    ),
    textLayer(
      "rows",
      "label",
      { x: "labelX", y: "y" },
      { align: "left", fontSize: SMALL, color: INK.muted },
    ),
    {
      data: { name: "spans" },
      mark: { type: "rect", cornerRadius: 2 },
      encoding: {
        x: across("x"),
        x2: { field: "x2" },
        y: across("y"),
        y2: { field: "y2" },
        fill: asIs("color"),
      },
    },
    markLayer("events", 62),
    textLayer(
      "texts",
      "text",
      { x: "x", y: "y" },
      { align: "left", fontSize: 10.5, color: INK.ink },
    ),
    markLayer("legend", 70),
    textLayer(
      "legend",
      "text",
      { x: "textX", y: "y" },
      { align: "left", fontSize: SMALL, color: INK.ink },
    ),
    {
      data: { name: "axis" },
      mark: {
        type: "text",
        align: "left",
        fontSize: SMALL,
        color: INK.muted,
        y: axisY - 25,
      },
      encoding: { x: across("x"), text: { field: "text" } },
    },
  ];
}

function axisTitle(data: TimelineData, isWide: boolean): string {
  const shown = new Set(data.rows.map((row) => row.participant)).size;
  const title = isWide
    ? "Days from the first event of each row"
    : "Days from each row’s first event";
  if (shown === data.participants) return title;
  return isWide
    ? `${title}; first ${number(shown)} of ${count(data.participants, "participant")}`
    : title;
}

function markLayer(name: string, area: number): Layer {
  return {
    data: { name },
    mark: { type: "point", size: area, opacity: 1, strokeWidth: 1.5 },
    encoding: {
      x: across("x"),
      y: across("y"),
      shape: asIs("shape"),
      fill: asIs("color"),
      stroke: asIs("color"),
    },
  };
}

function textLayer(
  name: string,
  field: string,
  at: { readonly x: string; readonly y: string | number },
  style: {
    readonly align: "left" | "center";
    readonly fontSize: number;
    readonly color: string;
    readonly fontWeight?: 600;
  },
): Layer {
  const fixed = typeof at.y === "number" ? { y: at.y } : {};
  return {
    data: { name },
    mark: { type: "text", ...style, ...fixed },
    encoding: {
      x: across(at.x),
      ...(typeof at.y === "string" ? { y: across(at.y) } : {}),
      text: { field },
    },
  };
}

interface Legend {
  readonly entries: readonly Readonly<Record<string, string | number>>[];
  readonly height: number;
}

/** Names the kinds beside their marks, in lines; the kinds that share the plain mark share an entry. */
function legendOf(data: TimelineData, width: number): Legend {
  const own = data.kinds.filter((_, kind) => kindStyle(kind) !== OTHER);
  const rest = data.kinds.slice(own.length);
  const named = own.map((kind, index) => ({
    ...kindStyle(index),
    text: `${kind.name} (${number(kind.count)})`,
  }));
  const restCount = rest.reduce((sum, kind) => sum + kind.count, 0);
  if (rest.length > 0) {
    named.push({ ...OTHER, text: `${number(rest.length)} other kinds (${number(restCount)})` });
  }
  let x = 6;
  let line = 0;
  const entries = named.map(({ text, color, shape }) => {
    const fitted = fitText(text, width - 30, SMALL);
    const wide = 14 + roomFor(fitted, SMALL);
    if (x > 6 && x + wide > width) {
      x = 6;
      line += 1;
    }
    const entry = { x: px(x), y: 11 + line * 20, textX: px(x + 11), text: fitted, color, shape };
    x += wide + 20;
    return entry;
  });
  return { entries, height: (line + 1) * 20 + 4 };
}

/** Chooses round days for the axis: 1, 2 or 5 times a power of ten, 7 and 30 apart on short scales. */
function dayTicks(lastDay: number, most: number): number[] {
  const steps = [1, 2, 5, 7, 10, 14, 30, 60, 90, 180, 365, 730, 1825, 3650, 7300, 18250];
  const step =
    steps.find((days) => lastDay / days <= most) ?? 10 ** Math.ceil(Math.log10(lastDay / most));
  return Array.from({ length: Math.ceil(lastDay / step) + 1 }, (_, index) => index * step);
}
