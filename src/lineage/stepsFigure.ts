// The steps of a provenance as a drawing: a box a step, not a call, from what was given on the left to what came of it on the right.

import { number } from "../format.ts";
import { px } from "../render/canvas.ts";
import type { Drawing } from "../render/svg.ts";
import { FONT, INK } from "../render/theme.ts";
import type { StepGroup } from "./grouping.ts";

/** Pixels. A box has room for two lines, a gap for an arrow that can be followed. */
const BOX = { width: 168, height: 46 };
const GAP = { x: 56, y: 18 };
/** Letters of a name that a box has room for. */
const LONGEST_NAME = 22;

interface Box {
  readonly title: string;
  readonly note: string;
  readonly column: number;
  readonly isGiven: boolean;
}

/** Draws steps by name. `given`: how many files and folders were given. */
export function drawSteps(groups: readonly StepGroup[], given: number): Drawing {
  const boxes: Box[] = groups.map(({ name, calls, rank }) => ({
    title: name,
    note: calls.length === 1 ? (calls[0]?.label ?? "") : `${number(calls.length)} calls`,
    column: rank + (given > 0 ? 1 : 0),
    isGiven: false,
  }));
  const edges = groups.flatMap(({ reads }, at) =>
    [...reads.keys()].map((from) => [from, at] as const),
  );
  if (given > 0) {
    const own =
      boxes.push({
        title: "given",
        note: `${number(given)} files and folders`,
        column: 0,
        isGiven: true,
      }) - 1;
    groups.forEach(({ readsGiven }, at) => {
      if (readsGiven > 0) edges.push([own, at]);
    });
  }
  const places = place(boxes, edges);
  const right = Math.max(0, ...places.map(({ x }) => x)) + BOX.width;
  const bottom = Math.max(0, ...places.map(({ y }) => y)) + BOX.height;
  const body = [
    ...edges.map(([from, to]) => edgeSvg(places[from], places[to])),
    ...boxes.map((box, at) => boxSvg(box, places[at])),
  ].join("");
  return { width: right + 2, height: bottom + 2, body };
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Columns by rank; within one, near those that are read. */
function place(
  boxes: readonly Box[],
  edges: readonly (readonly [number, number])[],
): readonly Place[] {
  const rows = boxes.map(() => 0);
  const columns = Map.groupBy(boxes.keys(), (at) => boxes[at]?.column ?? 0);
  for (const column of [...columns.keys()].sort((a, b) => a - b)) {
    const middle = (at: number): number => {
      const from = edges.filter(([, to]) => to === at).map(([own]) => rows[own] ?? 0);
      return from.length === 0 ? 0 : from.reduce((sum, one) => sum + one, 0) / from.length;
    };
    const own = [...(columns.get(column) ?? [])];
    const wanted = new Map(own.map((at) => [at, middle(at)]));
    own.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0) || a - b);
    own.forEach((at, row) => (rows[at] = row));
  }
  return boxes.map(({ column }, at) => ({
    x: 1 + column * (BOX.width + GAP.x),
    y: 1 + (rows[at] ?? 0) * (BOX.height + GAP.y),
  }));
}

function edgeSvg(from: Place | undefined, to: Place | undefined): string {
  if (from === undefined || to === undefined) return "";
  const [x1, y1] = [from.x + BOX.width, from.y + BOX.height / 2];
  const [x2, y2] = [to.x, to.y + BOX.height / 2];
  const bend = Math.max(24, (x2 - x1) / 2);
  return (
    `<path d="M${px(x1)},${px(y1)}C${px(x1 + bend)},${px(y1)},${px(x2 - bend - 6)},${px(y2)},${px(x2 - 6)},${px(y2)}" fill="none" stroke="${INK.rule}" stroke-width="1.5"/>` +
    `<path d="M${px(x2)},${px(y2)}l-7,-4v8Z" fill="${INK.rule}"/>`
  );
}

function boxSvg({ title, note, isGiven }: Box, at: Place | undefined): string {
  if (at === undefined) return "";
  const text = (dy: number, size: number, weight: number, color: string, own: string): string =>
    `<text x="${px(at.x + 12)}" y="${px(at.y + dy)}" font-family="${FONT}" font-size="${size}px" font-weight="${weight}" fill="${color}">${escape(short(own))}</text>`;
  return (
    `<rect x="${px(at.x)}" y="${px(at.y)}" width="${BOX.width}" height="${BOX.height}" rx="${isGiven ? 0 : 6}" fill="${isGiven ? INK.track : INK.surface}" stroke="${INK.rule}"/>` +
    text(20, 13, 600, INK.ink, title) +
    text(36, 11, 400, INK.muted, note)
  );
}

function short(text: string): string {
  return text.length > LONGEST_NAME ? `${text.slice(0, LONGEST_NAME - 1)}…` : text;
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
