// Totals that all cells have, and those that only seem so.

import { describe, expect, test } from "vitest";

import { commonTotal } from "../../../../src/jobs/matrix/counting/commonTotal.ts";
import { makeDice } from "../hdf5/hdf5Files.ts";

const dice = makeDice(5);
/** So many totals, each so far from the given one at most. */
const around = (total: number, off: number, cells = 200): number[] =>
  Array.from({ length: cells }, () => total + (2 * dice() - 1) * off);

const real = { roundedPerCell: 300, valuesPerCell: 500, isRounded: false };
const rounded = { ...real, isRounded: true };
const whole = { roundedPerCell: 0, valuesPerCell: 500, isRounded: true };

describe("commonTotal(totals, facts)", () => {
  test("finds what values were scaled to, in real totals and in those of rounded values", () => {
    expect(commonTotal(around(4321, 0.1), real)).toBeCloseTo(4321, -1);
    expect(commonTotal(around(1e4, 20), rounded)).toBeCloseTo(1e4, -3);
    expect(commonTotal(around(4321, 20), real)).toBeNull();
  });

  test("lets cells without values and a few others be", () => {
    const totals = [...around(1e6, 1, 300), ...new Array<number>(50).fill(0), 17, 2e6];
    expect(commonTotal(totals, real)).toBeCloseTo(1e6, -2);
    expect(commonTotal([...totals, 18, 19, 20, 21], real)).toBeNull();
  });

  test("finds totals of whole values that only come near to a million", () => {
    expect(commonTotal(around(1e6, 12).map(Math.round), whole)).toBe(1e6);
    expect(commonTotal(around(123_456, 12).map(Math.round), whole)).toBeNull();
  });

  test("takes whole values of the very same total for counts that were drawn", () => {
    expect(commonTotal(new Array<number>(50).fill(1e4), whole)).toBeNull();
  });

  test("tells nothing of few cells, of none, and of values that rounding moves too far", () => {
    expect(commonTotal(around(1e6, 0, 9), real)).toBeNull();
    expect(commonTotal(around(1e6, 0, 10), real)).not.toBeNull();
    expect(commonTotal([], real)).toBeNull();
    expect(commonTotal(around(60, 5), rounded)).toBeNull();
  });

  test("takes counts of cells that resemble each other for counts", () => {
    expect(commonTotal(around(10_000, 900), { ...rounded, roundedPerCell: 3 })).toBeNull();
    expect(commonTotal(around(10_000, 900).map(Math.round), whole)).toBeNull();
  });
});
