// Days as a calendar, a block for each cohort: weeks stand side by side, a day's square is as full as its records are many, and a day on which
// something should have come has no square but a cross.

import { month, number } from "../../../format.ts";
import { across, asIs, FIGURE_WIDTH, type Layer, makeSheet, px } from "../../../render/canvas.ts";
import { roomFor } from "../../../render/glyphs.ts";
import { INK } from "../../../render/theme.ts";
import type { VegaLiteSpec } from "../../../render/vega.ts";
import type { CohortDays } from "../data/cohortDays.ts";
import { daysBefore, daysBetween, nextDay } from "../data/studyDays.ts";

export type ChartSize = "wide" | "compact";

/** What is drawn. */
export interface CalendarData {
  readonly cohorts: readonly CohortDays[];
  /** The last day that is drawn. */
  readonly last: string;
}

const TEXT = 12;
const SMALL = 10;
/** Room for the names of weekdays. */
const LEFT = 30;
/** Above a block: its name, and the months. */
const HEAD = 40;
const GAP = 28;
const MOST_PITCH = 28;
const LEAST_PITCH = 13;
/** Squares of this pitch have room for the day of the month. */
const NUMBERED_PITCH = 22;
/** Shares of the most records of a day, from which on a square is drawn so full. */
const LEVELS = [
  { from: 0, side: 0.4 },
  { from: 0.25, side: 0.6 },
  { from: 0.5, side: 0.8 },
  { from: 0.75, side: 1 },
] as const;

interface Block {
  readonly cohort: CohortDays;
  readonly x: number;
  readonly y: number;
}

interface Grid {
  /** The Monday that the first column begins with. */
  readonly monday: string;
  readonly weeks: number;
  readonly pitch: number;
  readonly last: string;
}

/** Makes the calendar of all cohorts. */
export function calendarSpec(data: CalendarData, size: ChartSize): VegaLiteSpec {
  const width = FIGURE_WIDTH[size];
  const grid = makeGrid(data, width);
  const blockWidth = LEFT + grid.weeks * grid.pitch;
  const blockHeight = HEAD + 7 * grid.pitch;
  const least = Math.max(
    blockWidth,
    ...data.cohorts.map(({ cohort }) => roomFor(cohort, TEXT) + LEFT),
  );
  const inRow = Math.max(1, Math.floor((width + GAP) / (least + GAP)));
  const blocks = data.cohorts.map((cohort, index): Block => ({
    cohort,
    x: (index % inRow) * (least + GAP),
    y: Math.floor(index / inRow) * (blockHeight + GAP / 2),
  }));
  const most = Math.max(1, ...data.cohorts.flatMap(({ records }) => Object.values(records)));
  const bottom = Math.ceil(data.cohorts.length / inRow) * (blockHeight + GAP / 2);
  return makeSheet(
    width,
    bottom + 30,
    [
      { name: "labels", rows: blocks.flatMap((block) => labels(block, grid)) },
      { name: "days", rows: blocks.flatMap((block) => squares(block, grid, most)) },
      { name: "key", rows: [...keySquares(bottom + 14)] },
      { name: "keyTexts", rows: [...keyTexts(bottom + 14, most, width)] },
      { name: "numbers", rows: blocks.flatMap((block) => dayNumbers(block, grid, most)) },
      {
        name: "gaps",
        rows: [
          ...blocks.flatMap((block) => gaps(block, grid)),
          { x: keyGapX(most, size === "wide"), y: bottom + 14 },
        ],
      },
    ],
    LAYERS,
  );
}

function makeGrid({ cohorts, last }: CalendarData, width: number): Grid {
  const firsts = cohorts.flatMap(({ first }) => first ?? []).sort();
  const end = mondayOf(last);
  const mostWeeks = Math.floor((width - LEFT) / LEAST_PITCH);
  const wanted = daysBefore(mondayOf(firsts[0] ?? last), end) / 7 + 1;
  // Some weeks are drawn also where there are fewer: a study that has just begun looks like one.
  const weeks = Math.min(Math.max(wanted, 4), mostWeeks);
  const monday = nextDay(end, -7 * (weeks - 1));
  const pitch = Math.max(LEAST_PITCH, Math.min(MOST_PITCH, Math.floor((width - LEFT) / weeks)));
  return { monday, weeks, pitch, last };
}

function mondayOf(day: string): string {
  return nextDay(day, -((new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7));
}

function placeOf(
  block: Block,
  grid: Grid,
  day: string,
): { readonly x: number; readonly y: number } {
  const at = daysBefore(grid.monday, day);
  return {
    x: block.x + LEFT + Math.floor(at / 7) * grid.pitch,
    y: block.y + HEAD + (at % 7) * grid.pitch,
  };
}

function labels(block: Block, grid: Grid) {
  const texts: { x: number; y: number; text: string; ink: string; size: number }[] = [
    { x: block.x, y: block.y + 8, text: block.cohort.cohort, ink: INK.ink, size: TEXT },
  ];
  for (const [row, text] of [
    [0, "Mon"],
    [2, "Wed"],
    [4, "Fri"],
  ] as const) {
    const y = block.y + HEAD + (row + 0.5) * grid.pitch;
    texts.push({ x: block.x, y: px(y), text, ink: INK.muted, size: SMALL });
  }
  let free = -Infinity;
  for (let week = 0; week < grid.weeks; week++) {
    const days = daysBetween(nextDay(grid.monday, week * 7), nextDay(grid.monday, week * 7 + 6));
    const first = days.find((day) => day.endsWith("-01")) ?? (week === 0 ? days[0] : undefined);
    const x = block.x + LEFT + week * grid.pitch;
    if (first === undefined || x < free) continue;
    const isNamed = first.slice(5, 7) === "01" || week === 0;
    const text = isNamed ? `${month(first)} ${first.slice(0, 4)}` : month(first);
    texts.push({ x: px(x), y: block.y + HEAD - 10, text, ink: INK.muted, size: SMALL });
    free = x + roomFor(text, SMALL) + 8;
  }
  return texts;
}

/** The days of a cohort that are drawn, with their records. */
function daysOf(
  { cohort }: Block,
  grid: Grid,
): readonly (readonly [day: string, records: number])[] {
  return Object.entries(cohort.records).filter(([day]) => day >= grid.monday && day <= grid.last);
}

function squares(block: Block, grid: Grid, most: number) {
  return daysOf(block, grid).map(([day, records]) => {
    const { x, y } = placeOf(block, grid, day);
    const { side } = levelOf(records / most);
    const edge = (grid.pitch - 2) * side;
    const inset = (grid.pitch - 2 - edge) / 2;
    return {
      x: px(x + inset),
      y: px(y + inset),
      x2: px(x + inset + edge),
      y2: px(y + inset + edge),
    };
  });
}

function levelOf(share: number) {
  return LEVELS.findLast(({ from }) => share >= from) ?? LEVELS[0];
}

/** The day of the month, where there is room: on full squares in the colour of the paper. */
function dayNumbers(block: Block, grid: Grid, most: number) {
  if (grid.pitch < NUMBERED_PITCH) return [];
  return daysOf(block, grid).flatMap(([day, records]) => {
    const { x, y } = placeOf(block, grid, day);
    const { side } = levelOf(records / most);
    if (side < 0.6) return [];
    const middle = (grid.pitch - 2) / 2;
    const text = String(Number(day.slice(8)));
    return [{ x: px(x + middle), y: px(y + middle), text, ink: INK.surface }];
  });
}

function gaps(block: Block, grid: Grid) {
  const { gaps: own, first, newest } = block.cohort;
  const late = newest === null || first === null ? [] : daysBetween(nextDay(newest), grid.last);
  return [...new Set([...own, ...late])]
    .filter((day) => day >= grid.monday && day <= grid.last)
    .map((day) => {
      const { x, y } = placeOf(block, grid, day);
      const middle = (grid.pitch - 2) / 2;
      return { x: px(x + middle), y: px(y + middle) };
    });
}

const KEY_STEP = 20;

function keySquares(y: number) {
  return LEVELS.map(({ side }, index) => {
    const edge = 14 * side;
    const x = LEFT + index * KEY_STEP + (14 - edge) / 2;
    return { x: px(x), y: px(y - edge / 2), x2: px(x + edge), y2: px(y + edge / 2) };
  });
}

function keyTexts(y: number, most: number, width: number) {
  const isWide = width === FIGURE_WIDTH.wide;
  return [
    { x: LEFT + LEVELS.length * KEY_STEP + 4, y, text: keyText(most, isWide) },
    {
      x: keyGapX(most, isWide) + 12,
      y,
      text: isWide ? "no export, or none that could be read" : "no export",
    },
  ];
}

function keyText(most: number, isWide: boolean): string {
  return isWide ? `up to ${number(most)} records a day` : `to ${number(most)} records`;
}

function keyGapX(most: number, isWide: boolean): number {
  return LEFT + LEVELS.length * KEY_STEP + 4 + roomFor(keyText(most, isWide), 11) + 24;
}

const LAYERS: readonly Layer[] = [
  {
    data: { name: "days" },
    mark: { type: "rect", color: INK.accent },
    encoding: { x: across("x"), x2: { field: "x2" }, y: across("y"), y2: { field: "y2" } },
  },
  {
    data: { name: "key" },
    mark: { type: "rect", color: INK.accent },
    encoding: { x: across("x"), x2: { field: "x2" }, y: across("y"), y2: { field: "y2" } },
  },
  {
    data: { name: "gaps" },
    mark: { type: "text", text: "×", fontSize: 15, fontWeight: 600, color: INK.warn },
    encoding: { x: across("x"), y: across("y") },
  },
  {
    data: { name: "numbers" },
    mark: { type: "text", fontSize: SMALL, align: "center" },
    encoding: { x: across("x"), y: across("y"), text: { field: "text" }, color: asIs("ink") },
  },
  {
    data: { name: "labels" },
    mark: { type: "text", align: "left" },
    encoding: {
      x: across("x"),
      y: across("y"),
      text: { field: "text" },
      color: asIs("ink"),
      size: across("size"),
    },
  },
  {
    data: { name: "keyTexts" },
    mark: { type: "text", fontSize: 11, align: "left", color: INK.muted },
    encoding: { x: across("x"), y: across("y"), text: { field: "text" } },
  },
];
