// Axes of figures: which numbers they reach from and to, on a plain or a logarithmic scale, and how finely places are written.

import type { Axis } from "./figure.ts";

/** From this ratio of the largest to the least value on, counts are shown on a logarithmic axis: a plain one would press most cells together. */
const LOG_RATIO = 20;
/** Part of an axis that stays free at either end, so that marks do not lie on the frame. */
const FREE = 0.03;

/** The least and the largest of the finite values; null where there are none. */
export interface Span {
  readonly least: number;
  readonly most: number;
}

/** Finds the least and the largest finite value. */
export function spanOf(values: ArrayLike<number>): Span | null {
  let least = Infinity;
  let most = -Infinity;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? NaN;
    if (!Number.isFinite(value)) continue;
    if (value < least) least = value;
    if (value > most) most = value;
  }
  return least > most ? null : { least, most };
}

/** Says whether counts of this span are better read on a logarithmic axis. */
export function isWide(span: Span): boolean {
  return span.least > 0 && span.most / span.least >= LOG_RATIO;
}

/** What an axis's values can be: none beyond the ends, and perhaps whole ones alone. */
export interface AxisBounds {
  readonly floor?: number;
  readonly ceiling?: number;
  readonly isWhole?: boolean;
}

/** Counts of cells or genes: whole, and not below nought. */
export const COUNTED: AxisBounds = { floor: 0, isWhole: true };
/** Percent of something. */
export const PERCENT: AxisBounds = { floor: 0, ceiling: 100 };

/** Makes an axis that holds the span with some space around it; a plain one goes no further than its bounds. */
export function makeAxis(
  title: string,
  span: Span,
  isLog: boolean,
  { floor = -Infinity, ceiling = Infinity, isWhole = false }: AxisBounds = {},
): Axis {
  if (isLog) {
    const room = Math.max(Math.log(span.most / span.least) * FREE, 0.05);
    const grow = Math.exp(room);
    return { title, isLog, domain: [precise(span.least / grow), precise(span.most * grow)] };
  }
  const width = span.most - span.least;
  // All the same: a value needs an axis around it all the same, and the whole numbers beside it where it is one.
  const room = width > 0 ? width * FREE : Math.max(Math.abs(span.most) * 0.1, isWhole ? 1 : 0.5);
  const low = span.least - room;
  const high = span.most + room;
  // Points on an end of what can be are still to be seen whole: only a span that is nothing stops right there.
  return {
    title,
    isLog,
    ...(isWhole ? { isWhole } : {}),
    domain: [
      precise(low < floor && span.least >= floor ? floor : low),
      precise(high > ceiling && span.most <= ceiling ? ceiling : high),
    ],
  };
}

/** Makes a function that says which part 0-1 of an axis a value lies at. */
export function placeOn(axis: Axis): (value: number) => number {
  const [from, to] = axis.domain;
  if (axis.isLog) {
    const low = Math.log(from);
    const width = Math.log(to) - low;
    return (value) => (Math.log(value) - low) / width;
  }
  return (value) => (value - from) / (to - from);
}

/** Makes the function that turns a part 0-1 of an axis into a value, as finely as a picture shows it. */
export function valueOn(axis: Axis): (part: number) => number {
  const [from, to] = axis.domain;
  if (axis.isLog) {
    const low = Math.log(from);
    const width = Math.log(to) - low;
    return (part) => precise(Math.exp(low + part * width));
  }
  const step = 10 ** Math.floor(Math.log10((to - from) / 4000));
  const digits = Math.min(Math.max(-Math.log10(step), 0), 12);
  return (part) => tidy((from + part * (to - from)).toFixed(Math.round(digits)));
}

/** Rounds to four digits, more than any axis here can show. */
export function precise(value: number): number {
  return tidy(value.toPrecision(4));
}

/** Minus nought is written as nought. */
function tidy(text: string): number {
  const value = Number(text);
  return value === 0 ? 0 : value;
}
