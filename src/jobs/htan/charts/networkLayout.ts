// Where the boxes of a layered graph stand and how its links run: columns from left to right, and a lane between boxes for each link that
// passes a column, so that none runs behind a box.

import { FIGURE_WIDTH } from "../../../render/canvas.ts";

export const BOX_WIDTH = 150;
export const BOX_HEIGHT = 48;
/** From the left of a column to that of the next, at least. */
const COLUMN = 206;
/** Height of what stands in a column: a box and a link that passes, with the space around them. */
const ROW = 66;
const LANE = 20;
const EDGE = 4;
/** A link between boxes of one column, and one that leads back, needs room beside them. */
const LOOP = 22;
const SWEEPS = 6;

/** A link by the indexes of its ends. */
interface Link {
  readonly from: number;
  readonly to: number;
}

interface Box {
  readonly x: number;
  readonly x2: number;
  readonly middle: number;
}

type Point = readonly [x: number, y: number];

/** How a link runs: points to be joined by straight lines, and where its number ends, or begins where it leads back to the left. */
interface Route {
  readonly path: readonly Point[];
  readonly count: { readonly x: number; readonly y: number };
  readonly isBack: boolean;
}

interface Layout {
  /** By the index of the box. */
  readonly placed: readonly Box[];
  /** By the index of the link. */
  readonly routes: readonly Route[];
  readonly width: number;
  readonly height: number;
}

/** What stands in columns: boxes first, by their indexes, and then lanes. `chains` has what each link joins, from left to right. */
interface Net {
  readonly columns: readonly (readonly number[])[];
  readonly columnOf: readonly number[];
  readonly boxes: number;
  readonly chains: readonly (readonly number[])[];
  readonly left: readonly (readonly number[])[];
  readonly right: readonly (readonly number[])[];
}

/** Lays out boxes by their layers, and the links between them. */
export function layOut(layers: readonly number[], links: readonly Link[]): Layout {
  const net = makeNet(layers, links);
  const order = untangle(net);
  const roomOf = (item: number) => (item < net.boxes ? ROW : LANE);
  const heights = order.map((column) => column.reduce((sum, item) => sum + roomOf(item), 0));
  const height = Math.max(...heights) + 2 * EDGE;
  const middles = place(net, order, heights, roomOf);
  const isLooped = links.some(({ from, to }) => net.columnOf[from] === net.columnOf[to]);
  const end = isLooped ? LOOP + 12 : 0;
  const last = order.length - 1;
  const width = Math.max(FIGURE_WIDTH.wide, order.length * COLUMN - (COLUMN - BOX_WIDTH) + end);
  const step = last > 0 ? (width - end - BOX_WIDTH - 2) / last : 0;
  const boxOf = (item: number): Box => {
    const x = (net.columnOf[item] ?? 0) * step + 1;
    return { x, x2: x + BOX_WIDTH, middle: middles[item] ?? height / 2 };
  };
  return {
    placed: layers.map((_, box) => boxOf(box)),
    routes: routeAll(net, links, boxOf),
    width,
    height,
  };
}

/** Puts boxes into columns, and a lane into each column that a link passes. */
function makeNet(layers: readonly number[], links: readonly Link[]): Net {
  const used = [...new Set(layers)].sort((a, b) => a - b);
  const columnOf = layers.map((layer) => used.indexOf(layer));
  const columns: number[][] = used.map((layer) =>
    layers.flatMap((own, box) => (own === layer ? [box] : [])),
  );
  const left: number[][] = layers.map(() => []);
  const right: number[][] = layers.map(() => []);
  const chains = links.map(({ from, to }) => {
    const isBack = (columnOf[from] ?? 0) > (columnOf[to] ?? 0);
    const [first, last] = isBack ? [to, from] : [from, to];
    const start = columnOf[first] ?? 0;
    const end = columnOf[last] ?? 0;
    const lanes = Array.from({ length: Math.max(end - start - 1, 0) }, (_, at) => {
      const lane = columnOf.push(start + 1 + at) - 1;
      columns[start + 1 + at]?.push(lane);
      left.push([]);
      right.push([]);
      return lane;
    });
    const chain = [first, ...lanes, last];
    if (start !== end) {
      for (const [at, item] of chain.slice(1).entries()) {
        left[item]?.push(chain[at] ?? first);
        right[chain[at] ?? first]?.push(item);
      }
    }
    return chain;
  });
  return { columns, columnOf, boxes: layers.length, chains, left, right };
}

/** Orders each column by the places of its neighbours, forth and back, until links cross little. */
function untangle({ columns, left, right }: Net): readonly (readonly number[])[] {
  const order = columns.map((column) => [...column]);
  const placeOf = new Map<number, number>();
  const note = (column: readonly number[]) => {
    for (const [at, item] of column.entries()) placeOf.set(item, (at + 0.5) / column.length);
  };
  order.forEach(note);
  for (let sweep = 0; sweep < SWEEPS; sweep++) {
    const isForth = sweep % 2 === 0;
    const neighbours = isForth ? left : right;
    for (const column of isForth ? order : order.toReversed()) {
      const wanted = new Map(
        column.map((item) => {
          const near = (neighbours[item] ?? []).map((one) => placeOf.get(one) ?? 0);
          return [item, near.length === 0 ? (placeOf.get(item) ?? 0) : mean(near)];
        }),
      );
      column.sort((a, b) => (wanted.get(a) ?? 0) - (wanted.get(b) ?? 0) || a - b);
      note(column);
    }
  }
  return order;
}

function mean(numbers: readonly number[]): number {
  return numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
}

/**
 * Gives each item its height: the fullest column is stacked, and from there each item goes level with its neighbours in the column
 * before, as far as the others leave room.
 */
function place(
  { left, right }: Net,
  order: readonly (readonly number[])[],
  heights: readonly number[],
  roomOf: (item: number) => number,
): readonly number[] {
  const most = Math.max(...heights);
  const fullest = heights.indexOf(most);
  const middles: number[] = [];
  let y = EDGE;
  for (const item of order[fullest] ?? []) {
    middles[item] = y + roomOf(item) / 2;
    y += roomOf(item);
  }
  const outward = [
    ...order.slice(fullest + 1).map((column) => ({ column, near: left })),
    ...order
      .slice(0, fullest)
      .toReversed()
      .map((column) => ({ column, near: right })),
  ];
  for (const { column, near } of outward) {
    const wanted = column.map((item) => {
      const known = (near[item] ?? []).flatMap((one) => middles[one] ?? []);
      return known.length === 0 ? most / 2 + EDGE : mean(known);
    });
    // Down from the top, then up from the bottom: each as near to where it belongs as its neighbours let it.
    let free = EDGE;
    for (const [at, item] of column.entries()) {
      const middle = Math.max(wanted[at] ?? 0, free + roomOf(item) / 2);
      middles[item] = middle;
      free = middle + roomOf(item) / 2;
    }
    let limit = EDGE + most;
    for (const item of column.toReversed()) {
      const middle = Math.min(middles[item] ?? 0, limit - roomOf(item) / 2);
      middles[item] = middle;
      limit = middle - roomOf(item) / 2;
    }
  }
  return middles;
}

function routeAll(
  net: Net,
  links: readonly Link[],
  boxOf: (item: number) => Box,
): readonly Route[] {
  // Links at one side of a box end side by side, in the order of where they come from, so that neither they nor their numbers cross.
  const ends = new Map<string, { readonly link: number; readonly y: number }[]>();
  const sideOf = (link: number): string => {
    const { from = 0, to = 0 } = links[link] ?? {};
    const isRight = (net.columnOf[from] ?? 0) >= (net.columnOf[to] ?? 0);
    return `${to} ${isRight ? "right" : "left"}`;
  };
  for (const [link, chain] of net.chains.entries()) {
    const isBack = chain.at(-1) !== links[link]?.to;
    const before = (isBack ? chain[1] : chain.at(-2)) ?? 0;
    const side = sideOf(link);
    ends.set(side, [...(ends.get(side) ?? []), { link, y: boxOf(before).middle }]);
  }
  const offsetOf = (link: number): number => {
    const all = (ends.get(sideOf(link)) ?? []).toSorted((a, b) => a.y - b.y || a.link - b.link);
    const nth = all.findIndex((one) => one.link === link);
    return (nth - (all.length - 1) / 2) * Math.min(16, (BOX_HEIGHT - 8) / all.length);
  };
  return links.map(({ from, to }, link) => {
    const chain = (net.chains[link] ?? []).map(boxOf);
    const [start, end] = [boxOf(from), boxOf(to)];
    const endY = end.middle + offsetOf(link);
    if (net.columnOf[from] === net.columnOf[to]) return loop(start, end, endY);
    const isBack = (net.columnOf[from] ?? 0) > (net.columnOf[to] ?? 0);
    const path = chain.flatMap((box, at): readonly Point[] => {
      const next = chain[at + 1];
      if (next === undefined) return [];
      const y1 = isBack && at === 0 ? endY : box.middle;
      const y2 = !isBack && at === chain.length - 2 ? endY : next.middle;
      return curve(box.x2, y1, next.x, y2, isBack);
    });
    const count = isBack ? { x: end.x2 + 6, y: endY - 7 } : { x: end.x - 6, y: endY - 7 };
    return { path, count, isBack };
  });
}

/** Leads around the right side of a column, where no box is. */
function loop(start: Box, end: Box, endY: number): Route {
  const x = start.x2 + LOOP;
  const path: readonly Point[] = [
    [start.x2, start.middle],
    [x, start.middle],
    [x, endY],
    [end.x2, endY],
  ];
  return { path, count: { x: end.x2 + 4, y: endY - 7 }, isBack: true };
}

/** Walks a curve that leaves and arrives level, flat where its number stands: at its end, or at its start where it leads back. */
function curve(x1: number, y1: number, x2: number, y2: number, isBack: boolean): readonly Point[] {
  const ends: readonly Point[] = [
    [x1, y1],
    [x2, y2],
  ];
  if (y1 === y2) return ends;
  const flat = Math.min(26, (x2 - x1) / 2);
  const [from, to] = isBack ? [x1 + flat, x2] : [x1, x2 - flat];
  const steps = Array.from({ length: 17 }, (_, index) => index / 16);
  const bend = steps.map((t): Point => {
    // A smoothstep is the cubic whose slope is zero at both ends.
    return [from + (to - from) * t, y1 + (y2 - y1) * t * t * (3 - 2 * t)];
  });
  return isBack ? [[x1, y1], ...bend] : [...bend, [x2, y2]];
}
