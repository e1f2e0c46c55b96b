// The small line of one number over time, written by hand: an index draws dozens, and a chart engine would take seconds for them.

import { escapeXml } from "./svg.ts";

/** A number at an instant (ISO 8601, UTC). */
export interface TrendPoint {
  readonly at: string;
  readonly value: number;
}

const WIDTH = 96;
const HEIGHT = 20;
const MARGIN = 3;

/**
 * Draws a number over time as an inline SVG in the colours of its page. A number holds until the next one is known, so the line
 * steps; the dot is the newest. `label` names the number ("Errors of HTA1"); values are put into words for those who do not see it.
 * `format` writes a value, e.g. as bytes. No points give an empty string.
 */
export function sparkline(
  points: readonly TrendPoint[],
  label: string,
  options: {
    readonly width?: number;
    readonly height?: number;
    readonly format?: (value: number) => string;
  } = {},
): string {
  const { width = WIDTH, height = HEIGHT, format = String } = options;
  const known = points
    .map((point) => ({ time: Date.parse(point.at), value: point.value }))
    .filter(({ time, value }) => Number.isFinite(time) && Number.isFinite(value))
    .sort((a, b) => a.time - b.time);
  const first = known[0];
  const last = known.at(-1);
  if (first === undefined || last === undefined) return "";
  const values = known.map(({ value }) => value);
  const low = Math.min(...values);
  const high = Math.max(...values);
  const x = (time: number): number =>
    last.time === first.time
      ? width - MARGIN
      : MARGIN + ((width - 2 * MARGIN) * (time - first.time)) / (last.time - first.time);
  // A number that never moved is a line through the middle, neither high nor low.
  const y = (value: number): number =>
    high === low
      ? height / 2
      : height - MARGIN - ((height - 2 * MARGIN) * (value - low)) / (high - low);
  const steps = known.map(({ time, value }, index) =>
    index === 0
      ? `M${round(known.length === 1 ? MARGIN : x(time))},${round(y(value))}`
      : `H${round(x(time))}V${round(y(value))}`,
  );
  const line = known.length === 1 ? `${steps.join("")}H${round(width - MARGIN)}` : steps.join("");
  const words =
    known.length === 1 || (first.value === last.value && high === low)
      ? `${label}: ${format(last.value)}, unchanged`
      : `${label}: from ${format(first.value)} to ${format(last.value)}, lowest ${format(low)}, highest ${format(high)}`;
  return (
    `<svg class="sparkline" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeXml(words)}" focusable="false">` +
    `<path d="${line}" fill="none" stroke="var(--fig-rule, #8d99a5)" stroke-width="1.5" stroke-linejoin="round" stroke-linecap="round"/>` +
    `<circle cx="${round(x(last.time))}" cy="${round(y(last.value))}" r="2.5" fill="var(--fig-accent, #0072b2)"/></svg>`
  );
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
