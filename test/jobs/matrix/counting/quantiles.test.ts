// Boxes against sorting everything.

import { beforeEach, describe, expect, test } from "vitest";

import { makeBox, select } from "../../../../src/jobs/matrix/counting/quantiles.ts";
import { makeRandom } from "../support/random.ts";

// Each test throws the same numbers, whichever ran before it.
let random = makeRandom(5);
beforeEach(() => {
  random = makeRandom(5);
});

function naiveQuantile(sorted: readonly number[], fraction: number): number {
  const position = (sorted.length - 1) * fraction;
  const below = sorted[Math.floor(position)] ?? NaN;
  const above = sorted[Math.ceil(position)] ?? NaN;
  return below + (above - below) * (position - Math.floor(position));
}

describe("makeBox(positive, length, zeros)", () => {
  test("gives quartiles, whiskers and outliers of any values", () => {
    for (let round = 0; round < 300; round++) {
      const length = random.below(200);
      const zeros = length === 0 ? 1 + random.below(20) : random.below(round % 2 === 0 ? 3 : 200);
      const kinds = 1 + random.below(500);
      // Every other round the long tail points downwards.
      const isDown = round % 2 === 0 && length > 0;
      const positive = Array.from({ length }, () => {
        const value = (1 + random.below(kinds)) ** 3;
        return isDown ? 501 ** 3 - value : value;
      });
      const sorted = [...new Array<number>(zeros).fill(0), ...positive].sort((a, b) => a - b);
      const [q1 = 0, median = 0, q3 = 0] = [0.25, 0.5, 0.75].map((part) =>
        naiveQuantile(sorted, part),
      );
      const box = makeBox(Float64Array.from([...positive, 1e9, 1e9]), length, zeros);
      expect(box.q1).toBeCloseTo(q1, 6);
      expect(box.median).toBeCloseTo(median, 6);
      expect(box.q3).toBeCloseTo(q3, 6);
      const low = box.q1 - 1.5 * (box.q3 - box.q1);
      const high = box.q3 + 1.5 * (box.q3 - box.q1);
      const inside = sorted.filter((value) => value >= low && value <= high);
      const outside = sorted.filter((value) => value < low || value > high);
      // matplotlib's rule: a whisker never ends inside of the box.
      expect([box.whiskerLow, box.whiskerHigh]).toEqual([
        Math.min(inside[0] ?? Infinity, box.q1),
        Math.max(inside.at(-1) ?? -Infinity, box.q3),
      ]);
      expect(box.outlierCount).toBe(outside.length);
      if (outside.length <= 60) expect(box.outliers).toEqual(outside);
      else {
        expect(box.outliers.length).toBe(60);
        expect(box.outliers.slice(0, 5)).toEqual(outside.slice(0, 5));
        expect(box.outliers.slice(-5)).toEqual(outside.slice(-5));
        expect(box.outliers).toEqual([...box.outliers].sort((a, b) => a - b));
      }
    }
  });

  test("ends a whisker at the box where no value lies between", () => {
    expect(makeBox(Float64Array.of(100), 1, 3)).toEqual({
      ...{ q1: 0, median: 0, q3: 25, whiskerLow: 0, whiskerHigh: 25 },
      ...{ outlierCount: 1, outliers: [100] },
    });
  });

  test("counts zeros that are outliers", () => {
    const box = makeBox(new Float64Array(100).fill(7), 100, 2);
    expect(box).toEqual({
      ...{ q1: 7, median: 7, q3: 7, whiskerLow: 7, whiskerHigh: 7 },
      ...{ outlierCount: 2, outliers: [0, 0] },
    });
  });

  test("thins many outliers evenly", () => {
    const few = Float64Array.from({ length: 700 }, (_, at) => (at < 100 ? 1000 + at : 1));
    const { outlierCount, outliers } = makeBox(few, 700, 0);
    expect([outlierCount, outliers.length, outliers[0], outliers.at(-1)]).toEqual([
      100, 60, 1000, 1099,
    ]);
  });
});

describe("select(values, rank)", () => {
  test("finds the value of every rank", () => {
    for (let round = 0; round < 100; round++) {
      const length = 1 + random.below(60);
      const values = Float64Array.from({ length }, () => random.below(20));
      const sorted = values.slice().sort();
      for (let rank = 0; rank < length; rank++) {
        expect(select(values.slice(), rank)).toBe(sorted[rank]);
      }
    }
  });
});
