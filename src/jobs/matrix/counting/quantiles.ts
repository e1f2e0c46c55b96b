// Box plots of many values of which most may be zero: exact quantiles without sorting.

import type { Box } from "./statistics.ts";

/** What a figure can show of the values outside the whiskers. */
const MOST_OUTLIERS = 60;
/** Of these at each end, the rest evenly. */
const EXTREMES = 5;

/** Makes the box of `zeros` zeros and of the first `length` of some positive values, which are put into another order. */
export function makeBox(positive: Float64Array, length: number, zeros: number): Box {
  const values = positive.subarray(0, length);
  const n = length + zeros;
  const at = (rank: number): number => (rank < zeros ? 0 : select(values, rank - zeros));
  const q1 = quantile(n, 0.25, at);
  const median = quantile(n, 0.5, at);
  const q3 = quantile(n, 0.75, at);
  const low = q1 - 1.5 * (q3 - q1);
  const high = q3 + 1.5 * (q3 - q1);
  const zerosInside = zeros > 0 && low <= 0 && high >= 0;
  let whiskerLow = zerosInside ? 0 : Infinity;
  let whiskerHigh = zerosInside ? 0 : -Infinity;
  const outside: number[] = [];
  for (const value of values) {
    if (value < low || value > high) {
      outside.push(value);
    } else {
      if (value < whiskerLow) whiskerLow = value;
      if (value > whiskerHigh) whiskerHigh = value;
    }
  }
  const sorted = Float64Array.from(outside).sort();
  const zerosOutside = zerosInside ? 0 : zeros;
  return {
    q1,
    median,
    q3,
    // Few values may leave none between a quartile and its fence: the whisker then ends at the box, as matplotlib draws it.
    whiskerLow: Math.min(whiskerLow, q1),
    whiskerHigh: Math.max(whiskerHigh, q3),
    outlierCount: sorted.length + zerosOutside,
    outliers: thinned(sorted.length + zerosOutside, (rank) =>
      rank < zerosOutside ? 0 : (sorted[rank - zerosOutside] ?? 0),
    ),
  };
}

function thinned(n: number, at: (rank: number) => number): readonly number[] {
  if (n <= MOST_OUTLIERS) return Array.from({ length: n }, (_, rank) => at(rank));
  const between = MOST_OUTLIERS - 2 * EXTREMES;
  return Array.from({ length: MOST_OUTLIERS }, (_, place) => {
    if (place < EXTREMES) return at(place);
    if (place >= MOST_OUTLIERS - EXTREMES) return at(n - MOST_OUTLIERS + place);
    const rest = n - 2 * EXTREMES;
    return at(EXTREMES + Math.floor(((place - EXTREMES + 0.5) * rest) / between));
  });
}

/** Interpolates as numpy does ("linear"). */
function quantile(n: number, fraction: number, at: (rank: number) => number): number {
  const position = (n - 1) * fraction;
  const rank = Math.floor(position);
  const part = position - rank;
  const below = at(rank);
  if (part === 0) return below;
  const above = at(rank + 1);
  return part < 0.5 ? below + (above - below) * part : above - (above - below) * (1 - part);
}

/** Finds the value of a rank, moving smaller ones before it and larger ones behind it. */
export function select(values: Float64Array, rank: number): number {
  let from = 0;
  let to = values.length - 1;
  while (from < to) {
    const pivot = middle(values[from] ?? 0, values[(from + to) >>> 1] ?? 0, values[to] ?? 0);
    let left = from;
    let right = to;
    while (left <= right) {
      while ((values[left] ?? 0) < pivot) left++;
      while ((values[right] ?? 0) > pivot) right--;
      if (left > right) break;
      const value = values[left] ?? 0;
      values[left++] = values[right] ?? 0;
      values[right--] = value;
    }
    if (rank <= right) to = right;
    else if (rank >= left) from = left;
    else break;
  }
  return values[rank] ?? 0;
}

function middle(a: number, b: number, c: number): number {
  return Math.max(Math.min(a, b), Math.min(Math.max(a, b), c));
}
