// Amounts as bars, each with its name and its number: the links of a network where it is too narrow for a drawing.

import { number } from "../../../format.ts";
import { across, asIs, FIGURE_WIDTH, type Layer, makeSheet, px } from "../../../render/canvas.ts";
import { fitText, roomFor } from "../../../render/glyphs.ts";
import { INK } from "../../../render/theme.ts";
import type { VegaLiteSpec } from "../../../render/vega.ts";
import type { BarsData, FigureSize } from "./figureData.ts";

const TEXT = 12;
const PITCH = { wide: 26, compact: 40 } as const;
const BAR_HEIGHT = 12;

const TONES = {
  plain: { bar: INK.accent, text: INK.ink },
  strong: { bar: INK.warn, text: INK.ink },
  quiet: { bar: INK.rule, text: INK.faint },
} as const;

interface Frame {
  readonly width: number;
  readonly left: number;
  readonly room: number;
  readonly pitch: number;
  readonly isWide: boolean;
  readonly names: readonly string[];
}

/** Makes a bar for each amount, longest = the largest; no amounts give a sentence. */
export function barsSpec(data: BarsData, size: FigureSize): VegaLiteSpec {
  if (data.bars.length === 0) return emptySpec(`No ${data.unit}s`, size);
  const said = data.bars.map((bar) => bar.note ?? number(bar.value));
  const frame = makeFrame(
    data.bars.map((bar) => bar.label),
    said,
    size,
  );
  const most = Math.max(...data.bars.map((bar) => bar.value), 1);
  const rows = data.bars.map((bar, index) => {
    const place = placeOf(frame, index);
    const length = (frame.room * bar.value) / most;
    return {
      ...place,
      name: frame.names[index] ?? "",
      text: said[index] ?? "",
      // A bar that is there is seen, however small.
      x2: px(frame.left + (bar.value > 0 ? Math.max(length, 2) : 0)),
      textX: px(frame.left + (bar.value > 0 ? Math.max(length, 2) + 7 : 0)),
      bar: TONES[bar.tone].bar,
      ink: TONES[bar.tone].text,
    };
  });
  return makeSheet(
    frame.width,
    rows.length * frame.pitch + 4,
    [{ name: "bars", rows }],
    [
      nameLayer(frame),
      {
        data: { name: "bars" },
        mark: { type: "rect" },
        encoding: {
          x: across("left"),
          x2: { field: "x2" },
          y: across("top"),
          y2: { field: "bottom" },
          fill: asIs("bar"),
        },
      },
      {
        data: { name: "bars" },
        mark: { type: "text", fontSize: TEXT, align: "left" },
        encoding: {
          x: across("textX"),
          y: across("middle"),
          text: { field: "text" },
          color: asIs("ink"),
        },
      },
    ],
  );
}

/** Makes a figure that only says why it is empty. */
export function emptySpec(sentence: string, size: FigureSize): VegaLiteSpec {
  return makeSheet(
    FIGURE_WIDTH[size],
    36,
    [{ name: "empty", rows: [{ text: sentence }] }],
    [
      {
        data: { name: "empty" },
        mark: { type: "text", fontSize: TEXT, align: "left", color: INK.muted, x: 0, y: 18 },
        encoding: { text: { field: "text" } },
      },
    ],
  );
}

function makeFrame(labels: readonly string[], said: readonly string[], size: FigureSize): Frame {
  const width = FIGURE_WIDTH[size];
  const isWide = size === "wide";
  const names = labels.map((label) => fitText(label, isWide ? 300 : width, TEXT));
  const left = isWide
    ? Math.ceil(Math.max(...names.map((name) => roomFor(name, TEXT)), 90)) + 14
    : 0;
  const room = width - left - Math.max(...said.map((text) => roomFor(text, TEXT))) - 16;
  return { width, left, room, pitch: PITCH[size], isWide, names };
}

function placeOf(frame: Frame, index: number, head = 0): Record<string, number> {
  const y = head + index * frame.pitch;
  const middle = frame.isWide ? y + frame.pitch / 2 : y + 27;
  return {
    left: frame.left,
    top: middle - BAR_HEIGHT / 2,
    bottom: middle + BAR_HEIGHT / 2,
    middle,
    nameX: frame.isWide ? frame.left - 14 : 0,
    nameY: frame.isWide ? middle : y + 10,
  };
}

function nameLayer(frame: Frame): Layer {
  return {
    data: { name: "bars" },
    mark: { type: "text", fontSize: TEXT, align: frame.isWide ? "right" : "left" },
    encoding: {
      x: across("nameX"),
      y: across("nameY"),
      text: { field: "name" },
      color: asIs("ink"),
    },
  };
}
