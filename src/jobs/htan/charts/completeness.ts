// Which participants or biospecimens have which data: a strip for each component, a block wherever there is data.
//
// Components are the rows, because their names are long and people are many. Presence is told by form, not by colour: a block
// stands on the line, absence leaves the line bare, and counts are written out. With more people than pixels allow, a bar's height
// is the share of the people it stands for, so that a figure stays small whatever the size of the atlas.

import { count, number, wholePercent } from "../../../format.ts";
import {
  across,
  asIs,
  type Dataset,
  FIGURE_WIDTH,
  type Layer,
  makeSheet,
  px,
} from "../../../render/canvas.ts";
import { fitText, roomFor, textWidth } from "../../../render/glyphs.ts";
import { INK } from "../../../render/theme.ts";
import type { VegaLiteSpec } from "../../../render/vega.ts";
import type { CompletenessData, FigureSize } from "./figureData.ts";

const TEXT = 12;
const SMALL = 11;
/** Narrower blocks than this cannot be told apart; then people are put together. */
const MIN_BLOCK = 6;
const MIN_BAR = 4;
const BLOCK_HEIGHT = 14;

interface Strip {
  readonly left: number;
  readonly width: number;
  readonly people: number;
  /** People in one bar; 1: each has a block. */
  readonly each: number;
  readonly step: number;
}

/** Makes the figure of a completeness grid; a grid without rows says so and still lists its components. */
export function completenessSpec(data: CompletenessData, size: FigureSize): VegaLiteSpec {
  const width = FIGURE_WIDTH[size];
  const people = data.rowIds.length;
  const isBare = data.columns.every((column) => column.rows.length === 0);
  const counts = data.columns.map((column) => column.rows.length);
  const countText = counts.map((rows) => `${number(rows)} of ${number(people)}`);
  const shareText = counts.map((rows) => wholePercent(rows, people));
  const shareWidth = 44;
  const countWidth = Math.max(...countText.map((text) => roomFor(text, TEXT)), 0) + 14;
  const isWide = size === "wide";
  const names = data.columns.map((column) =>
    fitText(column.name, isWide ? 310 : width - countWidth - shareWidth, TEXT),
  );
  const left = isWide
    ? Math.ceil(Math.max(...names.map((name) => roomFor(name, TEXT)), 60)) + 14
    : 0;
  const strip = makeStrip(left, width - left - (isWide ? countWidth + shareWidth : 0), people);
  // Beside the strip, also where a few people make it short: the eye should not have to cross a gap.
  const numbersEnd = isWide ? px(strip.left + strip.width + countWidth + shareWidth) : width;

  // Empty components take less room: they are there to be seen missing, not to be read.
  const head = 34;
  let y = head;
  const rows = data.columns.map((column, index) => {
    const isEmpty = column.rows.length === 0;
    const top = y;
    y += isWide ? (isEmpty ? 18 : 24) : isEmpty ? 20 : 44;
    const textY = isWide ? (top + y) / 2 : top + (isEmpty ? 9 : 12);
    return {
      name: names[index] ?? "",
      count: countText[index] ?? "",
      share: shareText[index] ?? "",
      ink: isEmpty ? INK.faint : INK.ink,
      textY: px(textY),
      baseY: px(isWide ? textY + BLOCK_HEIGHT / 2 : top + 36),
      // A short dash at the label's height would be read as a strip: an empty row is a line and nothing else.
      lineY: px(
        isWide ? (isEmpty ? textY : textY + BLOCK_HEIGHT / 2) : isEmpty ? top + 18 : top + 36,
      ),
      left: strip.left,
      right: px(strip.left + strip.width),
      nameX: isWide ? left - 14 : 0,
    };
  });
  const bottom = y + 2;
  const { labels, ticks, height } = rowLabels(isBare ? [] : data.rowIds, strip, bottom);

  const blocks = data.columns.flatMap((column, index) =>
    bars(column.rows, strip).map((bar) => ({
      x: px(bar.from),
      x2: px(bar.to),
      y: px((rows[index]?.baseY ?? 0) - bar.share * BLOCK_HEIGHT),
      y2: rows[index]?.baseY ?? 0,
      share: px(bar.share),
      component: column.name,
    })),
  );
  const datasets: Dataset[] = [
    { name: "components", rows },
    { name: "blocks", rows: blocks },
    { name: "labels", rows: [...labels] },
    { name: "ticks", rows: [...ticks] },
    { name: "key", rows: [...keyTexts(data, strip, width, isWide, isBare)] },
    { name: "keyBlocks", rows: isBare ? [] : [{ x: 0, x2: 9, y: 5, y2: 17 }] },
  ];
  const layers: Layer[] = [
    {
      data: { name: "components" },
      mark: { type: "rule", strokeWidth: 1, color: INK.grid },
      encoding: { x: across("left"), x2: { field: "right" }, y: across("lineY") },
    },
    {
      data: { name: "blocks" },
      mark: { type: "rect", color: INK.accent },
      encoding: { x: across("x"), x2: { field: "x2" }, y: across("y"), y2: { field: "y2" } },
    },
    {
      data: { name: "components" },
      mark: { type: "text", fontSize: TEXT, align: isWide ? "right" : "left" },
      encoding: {
        x: across("nameX"),
        y: across("textY"),
        text: { field: "name" },
        color: asIs("ink"),
      },
    },
    numbers("count", numbersEnd - shareWidth),
    numbers("share", numbersEnd),
    {
      data: { name: "ticks" },
      mark: { type: "rule", strokeWidth: 1, color: INK.rule },
      encoding: { x: across("x"), y: across("y"), y2: { field: "y2" } },
    },
    labelLayer("labels", strip),
    {
      data: { name: "keyBlocks" },
      mark: { type: "rect", color: INK.accent },
      encoding: { x: across("x"), x2: { field: "x2" }, y: across("y"), y2: { field: "y2" } },
    },
    keyLayer(),
  ];
  return makeSheet(width, height, datasets, layers);
}

function makeStrip(left: number, width: number, people: number): Strip {
  if (people === 0) return { left, width, people, each: 1, step: width };
  const most = Math.floor(width / MIN_BAR);
  const each = width / people >= MIN_BLOCK ? 1 : Math.ceil(people / most);
  // Few people get blocks of a readable width, not slabs.
  const step = Math.min(width / Math.ceil(people / each), 40);
  return { left, width: step * Math.ceil(people / each), people, each, step };
}

interface Bar {
  readonly from: number;
  readonly to: number;
  readonly share: number;
}

/** Puts rows into bars, and neighbours of the same share into one: an atlas of thousands is a few hundred shapes. */
function bars(rows: readonly number[], strip: Strip): readonly Bar[] {
  const held = new Map<number, number>();
  for (const row of rows) {
    const slot = Math.floor(row / strip.each);
    held.set(slot, (held.get(slot) ?? 0) + 1);
  }
  const gap = strip.each === 1 ? Math.min(2, strip.step / 5) : 0;
  const found: { from: number; to: number; share: number; slot: number }[] = [];
  for (const [slot, count] of [...held].sort(([a], [b]) => a - b)) {
    const size = Math.min(strip.each, strip.people - slot * strip.each);
    const share = count / size;
    const from = strip.left + slot * strip.step;
    const to = from + strip.step - gap;
    const last = found.at(-1);
    if (gap === 0 && last !== undefined && last.slot === slot - 1 && last.share === share) {
      last.to = to;
      last.slot = slot;
    } else {
      found.push({ from, to, share, slot });
    }
  }
  return found;
}

type Label = {
  readonly x: number;
  readonly y: number;
  readonly text: string;
};

interface RowLabels {
  readonly labels: readonly Label[];
  readonly ticks: readonly Readonly<Record<string, number>>[];
  readonly height: number;
}

/** Every id upright under its block while there is room for all of them, else as many as fit side by side. */
function rowLabels(ids: readonly string[], strip: Strip, bottom: number): RowLabels {
  if (ids.length === 0) return { labels: [], ticks: [], height: bottom + 6 };
  if (isUpright(strip)) {
    const short = ids.map((id) => fitText(id, 96, 10));
    const longest = Math.max(...short.map((text) => textWidth(text, 10)));
    const gap = Math.min(2, strip.step / 5);
    const labels = short.map((text, index) => ({
      x: px(strip.left + (index + 0.5) * strip.step - gap / 2),
      y: bottom + 5,
      text,
    }));
    return { labels, ticks: [], height: Math.ceil(bottom + 8 + longest) };
  }
  const labels: Label[] = [];
  const ticks: Record<string, number>[] = [];
  const reserve = textWidth(lastOf(ids), 10) + 18;
  const right = strip.left + strip.width;
  let free = -Infinity;
  for (let index = 0; index < ids.length; index += strip.each) {
    const x = strip.left + (index / strip.each) * strip.step;
    const text = fitText(ids[index] ?? "", 110, 10);
    const end = x + 3 + textWidth(text, 10);
    if (x < free || end > right - reserve) continue;
    labels.push({ x: px(x + 3), y: bottom + 12, text });
    ticks.push({ x: px(x + 0.5), y: bottom, y2: bottom + 16 });
    free = end + 26;
  }
  const last = fitText(lastOf(ids), 110, 10);
  labels.push({ x: px(right - 4 - textWidth(last, 10)), y: bottom + 12, text: last });
  ticks.push({ x: px(right - 0.5), y: bottom, y2: bottom + 16 });
  return { labels, ticks, height: bottom + 22 };
}

function isUpright(strip: Strip): boolean {
  return strip.each === 1 && strip.step >= 11.5;
}

function lastOf(ids: readonly string[]): string {
  return ids.at(-1) ?? "";
}

function labelLayer(name: string, strip: Strip): Layer {
  const upright = isUpright(strip);
  return {
    data: { name },
    mark: {
      type: "text",
      fontSize: 10,
      color: INK.muted,
      align: upright ? "right" : "left",
      angle: upright ? 270 : 0,
    },
    encoding: { x: across("x"), y: across("y"), text: { field: "text" } },
  };
}

function numbers(field: string, x: number): Layer {
  return {
    data: { name: "components" },
    mark: { type: "text", fontSize: TEXT, align: "right", x },
    encoding: { y: across("textY"), text: { field }, color: asIs("ink") },
  };
}

function keyLayer(): Layer {
  return {
    data: { name: "key" },
    mark: { type: "text", fontSize: SMALL, color: INK.muted, align: "left" },
    encoding: { x: across("x"), y: across("y"), text: { field: "text" } },
  };
}

function keyTexts(
  data: CompletenessData,
  strip: Strip,
  width: number,
  isWide: boolean,
  isBare: boolean,
): readonly Label[] {
  const people = count(strip.people, data.noun);
  if (isBare) {
    const who =
      strip.people === 0
        ? `No ${data.noun}`
        : strip.people === 1
          ? `The one ${data.noun}`
          : `None of ${people}`;
    const text =
      strip.people === 1 ? `${who} has none of these data` : `${who} has data of these components`;
    return [{ x: 0, y: 11, text: fitText(text, width, SMALL) }];
  }
  const words =
    strip.each === 1
      ? [`has data; each block is one of ${people}`, `has data; one of ${people}`]
      : [
          `has data; each bar is ${strip.each} of ${people}, its height the share of them`,
          `share of ${strip.each} that have data; ${people}`,
        ];
  const text = isWide ? words[0] : words[1];
  return [{ x: 15, y: 11, text: fitText(text ?? "", width - 15, SMALL) }];
}
