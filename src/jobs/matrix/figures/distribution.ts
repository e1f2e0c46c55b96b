// Distributions of one number a cell: quantiles, histograms, and the outline of a violin.

import { makeChance } from "./chance.ts";
import type { Axis, Margin, ViolinPanel } from "./figure.ts";
import { placeOn, precise, type Span, valueOn } from "./span.ts";

/** Values drawn as points in a violin: enough to see the tails, few enough to see the outline. */
const VIOLIN_POINTS = 300;
/** Places at which an outline is drawn: about one every two pixels. */
const OUTLINE_PLACES = 128;
/** Bins of a margin's histogram: by Rice's rule, at most so many that each has some six pixels. */
const LEAST_MARGIN_BINS = 12;
const MOST_MARGIN_BINS = 60;
/** Values are counted into this many bins before they are smoothed, which is far below what can be seen. */
const KDE_BINS = 1024;

/** Finds a quantile of ascending values as numpy does, by linear interpolation; NaN without values. */
export function quantile(ascending: Float64Array, part: number): number {
  const place = (ascending.length - 1) * part;
  const low = ascending[Math.floor(place)] ?? NaN;
  const high = ascending[Math.ceil(place)] ?? NaN;
  return low + (high - low) * (place - Math.floor(place));
}

/** Makes a violin of ascending values on the given axis. */
export function makeViolin(
  ascending: Float64Array,
  axis: Axis,
  unit: ViolinPanel["unit"],
  seed: number,
): ViolinPanel {
  const place = placeOn(axis);
  const span: Span = { least: ascending[0] ?? NaN, most: ascending.at(-1) ?? NaN };
  const width = makeOutline(ascending, place);
  return {
    axis,
    unit,
    q1: precise(quantile(ascending, 0.25)),
    median: precise(quantile(ascending, 0.5)),
    q3: precise(quantile(ascending, 0.75)),
    outline: span.least < span.most ? outlineOf(axis, span, width) : { at: [], width: [] },
    points: pointsOf(ascending, axis, width, seed),
  };
}

/** Makes a histogram of values along an axis; a value on an edge counts above it. */
export function makeMargin(parts: Float64Array, axis: Axis): Margin {
  const rice = Math.round(2 * Math.cbrt(parts.length));
  const bins = Math.min(Math.max(rice, LEAST_MARGIN_BINS), MOST_MARGIN_BINS);
  const counts = new Array<number>(bins).fill(0);
  for (const part of parts) {
    const bin = Math.min(Math.max(Math.floor(part * bins), 0), bins - 1);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const value = valueOn(axis);
  return {
    edges: Array.from({ length: bins + 1 }, (_, edge) => value(edge / bins)),
    counts,
  };
}

/**
 * Makes a Gaussian kernel density with Silverman's bandwidth on the axis's own scale; gives its height at a part 0-1 of the axis,
 * as a part of its highest place.
 */
function makeOutline(
  ascending: Float64Array,
  place: (value: number) => number,
): (part: number) => number {
  const counts = new Float64Array(KDE_BINS);
  let sum = 0;
  let squares = 0;
  for (const value of ascending) {
    const part = place(value);
    sum += part;
    squares += part * part;
    const bin = Math.min(Math.max(Math.floor(part * KDE_BINS), 0), KDE_BINS - 1);
    counts[bin] = (counts[bin] ?? 0) + 1;
  }
  const mean = sum / ascending.length;
  const deviation = Math.sqrt(Math.max(squares / ascending.length - mean * mean, 0));
  const quarters =
    (place(quantile(ascending, 0.75)) - place(quantile(ascending, 0.25))) / 1.34 || deviation;
  const spread = Math.min(deviation, quarters);
  // A bandwidth below a bin would show the bins.
  const bandwidth = Math.max(0.9 * spread * ascending.length ** -0.2 * KDE_BINS, 2);
  const reach = Math.ceil(3 * bandwidth);
  const kernel = Array.from({ length: reach + 1 }, (_, at) =>
    Math.exp(-(at ** 2) / (2 * bandwidth ** 2)),
  );
  const smooth = new Float64Array(KDE_BINS);
  counts.forEach((count, bin) => {
    if (count === 0) return;
    const last = Math.min(bin + reach, KDE_BINS - 1);
    for (let target = Math.max(bin - reach, 0); target <= last; target++) {
      smooth[target] = (smooth[target] ?? 0) + count * (kernel[Math.abs(target - bin)] ?? 0);
    }
  });
  const most = smooth.reduce((highest, height) => Math.max(highest, height), 0);
  return (part) =>
    (smooth[Math.min(Math.max(Math.floor(part * KDE_BINS), 0), KDE_BINS - 1)] ?? 0) / most;
}

/** The outline ends where the data end: what lies beyond them would be made up. */
function outlineOf(
  axis: Axis,
  span: Span,
  width: (part: number) => number,
): ViolinPanel["outline"] {
  const place = placeOn(axis);
  const value = valueOn(axis);
  const from = place(span.least);
  const step = (place(span.most) - from) / (OUTLINE_PLACES - 1);
  const parts = Array.from({ length: OUTLINE_PLACES }, (_, index) => from + index * step);
  return {
    at: parts.map(value),
    width: parts.map((part) => Math.round(width(part) * 1000) / 1000),
  };
}

/** An even choice along the ascending values, which is a sample of the distribution; the least and the largest are in it. */
function pointsOf(
  ascending: Float64Array,
  axis: Axis,
  width: (part: number) => number,
  seed: number,
): ViolinPanel["points"] {
  const chance = makeChance(seed);
  const place = placeOn(axis);
  const value = valueOn(axis);
  const count = Math.min(ascending.length, VIOLIN_POINTS);
  const chosen = Array.from({ length: count }, (_, index) =>
    place(
      ascending[count < 2 ? 0 : Math.round((index * (ascending.length - 1)) / (count - 1))] ?? 0,
    ),
  );
  return {
    at: chosen.map(value),
    // Nought is added so that there is no minus nought, which JSON does not know.
    offset: chosen.map(
      (part) => Math.round((2 * chance() - 1) * 0.9 * width(part) * 1000) / 1000 + 0,
    ),
  };
}
