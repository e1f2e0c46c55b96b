// Signs that values are no counts, found value by value while a matrix is read, and what is said of them.

import { number } from "../../../format.ts";

/** What values were like. */
interface ValueSigns {
  /** Not 0. */
  readonly values: number;
  readonly rounded: number;
  readonly reachesTwenty: boolean;
  /** Values that are not whole and tell of a log2, or of a square root, of a whole number; -1 once one contradicts. */
  readonly log2s: number;
  readonly roots: number;
}

/** What a sign says of one value: 1 it tells, 0 it fits, but chance would do as well, -1 it contradicts. */
type Sign = -1 | 0 | 1;

/** Texts have three digits behind the point at least, which a power of two keeps to this part of it. */
const NEAR = 4e-4;
/** Above this, numbers lie so close to whole ones that hardly any contradicts. */
const TELLING = 64;
/** So many values that each had a chance of a twentieth at most are no chance. */
const LEAST_SIGNS = 4;

/** Tells whether a value that is not whole may be the log2 of a whole number plus 1. */
export function signOfLog2(value: number): Sign {
  if (value >= 20) return -1;
  const power = 2 ** value;
  const whole = Math.round(power);
  if (whole < 2 || Math.abs(power - whole) > power * NEAR) return -1;
  // The log2 of a power of two is whole but for the last digit: of that no count is free either.
  return power <= TELLING && (whole & (whole - 1)) !== 0 ? 1 : 0;
}

/** Tells whether a value that is not whole may be the square root of a whole number. */
export function signOfRoot(value: number): Sign {
  const square = value * value;
  const whole = Math.round(square);
  if (whole < 1 || Math.abs(square - whole) > 1e-3 * value) return -1;
  return square <= TELLING && Math.abs(value - Math.round(value)) > NEAR ? 1 : 0;
}

/** Counts a sign to those before. */
export function addSign(before: number, sign: Sign): number {
  return before < 0 || sign < 0 ? -1 : before + sign;
}

/**
 * Tells why values are no counts; null where they may be. Most of them not whole, and none as large as hardly any matrix of counts
 * is without: logarithms, of normalised values or not. Few of them not whole, but all of those the log2 of a whole number plus 1,
 * as log2(1 + n) is of counts, which mostly are 1 and 3; or all of them square roots.
 */
export function whyNoCounts(where: string, signs: ValueSigns, largest: string): string | null {
  const { values, rounded, reachesTwenty, log2s, roots } = signs;
  const seen = `${number(rounded)} of ${number(values)} values are not whole, ${largest}`;
  if (!reachesTwenty && log2s >= LEAST_SIGNS) {
    return `${where} holds logarithms, not counts: every value is the log2 of a whole number plus 1 (${seen})`;
  }
  if (!reachesTwenty && rounded * 2 > values) {
    return `${where} holds logarithms or other transformed values, not counts: ${seen}`;
  }
  if (roots >= LEAST_SIGNS) {
    return `${where} holds square roots, not counts: every value is the root of a whole number (${seen})`;
  }
  return null;
}
