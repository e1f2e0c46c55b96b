// A drawing of boxes in ranks with arrows between them: from left to right on wide screens, from top to bottom on narrow ones.

import { px } from "../render/canvas.ts";
import { type Drawing, escapeXml } from "../render/svg.ts";
import { FONT, INK } from "../render/theme.ts";

export interface Box {
  readonly title: string;
  readonly note: string;
  /** The longest way to it from what reads nothing. */
  readonly rank: number;
  readonly look: "step" | "given" | "missing";
  /** Parts of what it stands for as a strip at its foot, in this order; missing: it has none. */
  readonly parts?: readonly { readonly share: number; readonly color: string }[];
}

export type Edge = readonly [from: number, to: number];

/** Pixels. A box has room for two lines, a gap for an arrow that can be followed. */
const HEIGHT = { plain: 46, striped: 54 } as const;
const STRIP = 6;
const WIDE = { width: 220, gapX: 48, gapY: 18 } as const;
/** Two boxes beside each other fill the narrowest screen less its margins. */
const NARROW = { width: 164, gapX: 18, gapY: 34, inRow: 2 } as const;
/** Pixels that a letter takes, about. */
const LETTER = { title: 7.3, note: 5.9 } as const;
const MARGIN = 12;

/** Draws boxes and the arrows between them. */
export function drawBoxes(
  boxes: readonly Box[],
  edges: readonly Edge[],
  { isNarrow = false }: { readonly isNarrow?: boolean } = {},
): Drawing {
  const height = boxes.some(({ parts }) => parts !== undefined) ? HEIGHT.striped : HEIGHT.plain;
  const { width } = isNarrow ? NARROW : WIDE;
  const size = { width, height };
  const ranks = inRanks(boxes, edges);
  const places = isNarrow ? placeDown(ranks, size) : placeAcross(ranks, size);
  const at = (own: number): Place => places.get(own) ?? { x: 0, y: 0 };
  const body = [
    ...edges.map(([from, to]) => arrowSvg(at(from), at(to), size, isNarrow)),
    ...boxes.map((box, own) => boxSvg(box, at(own), size)),
  ].join("");
  const all = [...places.values()];
  const right = Math.max(0, ...all.map(({ x }) => x)) + width;
  const bottom = Math.max(0, ...all.map(({ y }) => y)) + height;
  return { width: right + 2, height: bottom + 2, body };
}

interface Place {
  readonly x: number;
  readonly y: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/** Boxes by rank; within one, near those that are read. */
function inRanks(boxes: readonly Box[], edges: readonly Edge[]): readonly (readonly number[])[] {
  const rows = boxes.map(() => 0);
  const ranks = Map.groupBy(boxes.keys(), (own) => boxes[own]?.rank ?? 0);
  const readBy = Map.groupBy(edges, ([, to]) => to);
  return [...ranks.entries()]
    .sort(([a], [b]) => a - b)
    .map(([, those]) => {
      const middle = (own: number): number => {
        const from = (readBy.get(own) ?? []).map(([one]) => rows[one] ?? 0);
        return from.length === 0 ? 0 : from.reduce((sum, one) => sum + one, 0) / from.length;
      };
      const wanted = new Map(those.map((own) => [own, middle(own)]));
      const sorted = those.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0) || a - b);
      sorted.forEach((own, row) => (rows[own] = row));
      return sorted;
    });
}

function placeAcross(
  ranks: readonly (readonly number[])[],
  { width, height }: Size,
): ReadonlyMap<number, Place> {
  const most = Math.max(0, ...ranks.map((those) => those.length));
  const pitch = height + WIDE.gapY;
  return new Map(
    ranks.flatMap((those, rank) =>
      those.map((own, row) => {
        // Each rank stands in the middle, so that what reads from many is beside all of them.
        const y = 1 + (row + (most - those.length) / 2) * pitch;
        return [own, { x: 1 + rank * (width + WIDE.gapX), y }] as const;
      }),
    ),
  );
}

function placeDown(
  ranks: readonly (readonly number[])[],
  { width, height }: Size,
): ReadonlyMap<number, Place> {
  const places = new Map<number, Place>();
  let y = 1;
  for (const those of ranks) {
    for (let at = 0; at < those.length; at += NARROW.inRow) {
      const row = those.slice(at, at + NARROW.inRow);
      const left = ((NARROW.inRow - row.length) * (width + NARROW.gapX)) / 2;
      row.forEach((own, column) =>
        places.set(own, { x: 1 + left + column * (width + NARROW.gapX), y }),
      );
      y += height + NARROW.gapY;
    }
  }
  return places;
}

function arrowSvg(from: Place, to: Place, { width, height }: Size, isNarrow: boolean): string {
  const [x1, y1] = isNarrow
    ? [from.x + width / 2, from.y + height]
    : [from.x + width, from.y + height / 2];
  const [x2, y2] = isNarrow ? [to.x + width / 2, to.y] : [to.x, to.y + height / 2];
  const bend = isNarrow ? Math.max(14, (y2 - y1) / 2) : Math.max(24, (x2 - x1) / 2);
  const [cx1, cy1] = isNarrow ? [x1, y1 + bend] : [x1 + bend, y1];
  const [ex, ey] = isNarrow ? [x2, y2 - 6] : [x2 - 6, y2];
  const [cx2, cy2] = isNarrow ? [x2, ey - bend] : [ex - bend, y2];
  const head = isNarrow ? "l-4,-7h8Z" : "l-7,-4v8Z";
  return (
    `<path d="M${px(x1)},${px(y1)}C${px(cx1)},${px(cy1)},${px(cx2)},${px(cy2)},${px(ex)},${px(ey)}" fill="none" stroke="${INK.rule}" stroke-width="1.5"/>` +
    `<path d="M${px(x2)},${px(y2)}${head}" fill="${INK.rule}"/>`
  );
}

function boxSvg({ title, note, look, parts = [] }: Box, at: Place, size: Size): string {
  const { width, height } = size;
  const text = (dy: number, font: number, weight: number, color: string, own: string): string =>
    `<text x="${px(at.x + MARGIN)}" y="${px(at.y + dy)}" font-family="${FONT}" font-size="${font}px" font-weight="${weight}" fill="${color}">${escapeXml(own)}</text>`;
  const room = width - 2 * MARGIN;
  const fill = look === "given" ? INK.track : INK.surface;
  const dash = look === "missing" ? ' stroke-dasharray="4 3"' : "";
  return (
    `<rect x="${px(at.x)}" y="${px(at.y)}" width="${width}" height="${height}" rx="${look === "given" ? 0 : 6}" fill="${fill}" stroke="${INK.rule}"${dash}/>` +
    text(20, 13, 600, INK.ink, short(title, room / LETTER.title)) +
    text(36, 11, 400, INK.muted, short(note, room / LETTER.note)) +
    stripSvg(parts, { x: at.x + MARGIN, y: at.y + height - STRIP - 4 }, room)
  );
}

/** A part that there is can be seen, however small. */
const LEAST = 3;

function stripSvg(parts: NonNullable<Box["parts"]>, { x, y }: Place, room: number): string {
  const there = parts.filter(({ share }) => share > 0);
  const left = room - LEAST * there.length;
  let start = x;
  return there
    .map(({ share, color }) => {
      const width = LEAST + share * left;
      const svg = `<rect x="${px(start)}" y="${px(y)}" width="${px(width)}" height="${STRIP}" fill="${color}"/>`;
      start += width;
      return svg;
    })
    .join("");
}

function short(text: string, most: number): string {
  const letters = [...text];
  return letters.length > most ? `${letters.slice(0, Math.floor(most) - 1).join("")}…` : text;
}
