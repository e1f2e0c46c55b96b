// Whether all cells have the same total: that of values that were scaled to it, such as TPM, and never of counts.

import { number } from "../../../format.ts";

/** Fewer cells may have the same total by chance. */
const LEAST_CELLS = 10;
/** Cells that may differ: a few were filtered afterwards. */
const MOST_OTHERS = 0.01;
/** Totals differ by this part where digits were lost. */
const NEAR = 1e-3;
/** What rounding may move a total by, as a part of it; above this nothing can be told. */
const MOST_MOVED = 0.1;
/** Cells by which the total is guessed. */
const GUESSED_BY = 101;
/** Rounded values add up to whole totals around these. */
const USUAL_TOTALS: ReadonlySet<number> = new Set([1e4, 1e5, 1e6, 1e7]);

/** What is known of values besides their totals. */
interface TotalFacts {
  /** Values that are not whole, and all that are not 0, per cell. */
  readonly roundedPerCell: number;
  readonly valuesPerCell: number;
  /** Whether totals are of values after they were rounded. */
  readonly isRounded: boolean;
}

/**
 * Finds the total that all cells with values have; null where there is none. Whole values of the very same total are counts that
 * were drawn down to it; those that only come near to ten thousand, a million and their like were scaled and rounded.
 */
export function commonTotal(totals: ArrayLike<number>, facts: TotalFacts): number | null {
  const guess = guessTotal(totals);
  if (guess === null) return null;
  const areWhole = facts.roundedPerCell === 0;
  const usual = areWhole ? 10 ** Math.round(Math.log10(guess)) : guess;
  if (areWhole && !USUAL_TOTALS.has(usual)) return null;
  // Half a unit a value, by chance up or down; four times the usual sum of that.
  const values = areWhole ? facts.valuesPerCell : facts.isRounded ? facts.roundedPerCell : 0;
  const moved = values === 0 ? 0 : 1 + 4 * Math.sqrt(values / 12) * (areWhole ? 1 : 2);
  if (moved > MOST_MOVED * usual) return null;
  const room = Math.max(NEAR * usual, moved);
  const most = MOST_OTHERS * totals.length;
  let others = 0;
  let cells = 0;
  let isSame = true;
  let first = 0;
  for (let cell = 0; cell < totals.length; cell++) {
    const total = totals[cell] ?? 0;
    if (total === 0) continue;
    if (cells++ === 0) first = total;
    if (total !== first) isSame = false;
    if (Math.abs(total - usual) > room && ++others > most) return null;
  }
  if (cells < LEAST_CELLS || (areWhole && isSame)) return null;
  return areWhole ? usual : guess;
}

/** The median of some totals, evenly chosen. */
function guessTotal(totals: ArrayLike<number>): number | null {
  const step = Math.max(1, Math.floor(totals.length / GUESSED_BY));
  const some: number[] = [];
  for (let cell = 0; cell < totals.length; cell += step) {
    const total = totals[cell] ?? 0;
    if (total > 0) some.push(total);
  }
  some.sort((a, b) => a - b);
  return some[some.length >> 1] ?? null;
}

/** Says that cells have a common total. */
export function commonTotalWords(where: string, total: number, isSample: boolean): string {
  const cells = isSample ? "each cell that was looked at" : "each cell";
  return `${where} holds normalised values, not counts: those of ${cells} add up to about ${number(Math.round(total))}, as TPM, CPM and their like do`;
}
