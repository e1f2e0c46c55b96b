import { describe, expect, test } from "vitest";

import { hash32, sampleOf, seededRandom } from "../../../../src/jobs/matrix/embed/sample.ts";

const CELLS = Uint32Array.from({ length: 20_000 }, (_, at) => 3 * at);
const members = (cells: Uint32Array): Set<number> => new Set(cells);

describe("hash32(value, seed)", () => {
  test("gives different numbers different hashes, all 32 bits of them", () => {
    const hashes = new Set(Array.from({ length: 100_000 }, (_, value) => hash32(value, 5)));
    expect(hashes.size).toBe(100_000);
    expect([...hashes].every((hash) => Number.isInteger(hash) && hash >= 0 && hash < 2 ** 32)).toBe(
      true,
    );
  });

  test("depends on the seed, and not by a shift", () => {
    const [one, two] = [1, 2].map((seed) =>
      Array.from({ length: 1_000 }, (_, value) => hash32(value, seed)),
    );
    expect(new Set([...(one ?? []), ...(two ?? [])]).size).toBe(2_000);
  });
});

describe("sampleOf(cells, size, seed)", () => {
  test("takes all cells where there are no more than asked for", () => {
    expect(sampleOf(CELLS, 20_000, 1)).toEqual(CELLS);
  });

  test("takes exactly as many as asked for, ascending, each once", () => {
    for (const size of [1, 2, 999, 19_999]) {
      const sample = sampleOf(CELLS, size, 1);
      expect(sample).toHaveLength(size);
      expect(sample).toEqual(Uint32Array.from(members(sample)).sort());
      expect(sample.every((cell) => cell % 3 === 0)).toBe(true);
    }
  });

  test("takes none where none are asked for", () => {
    expect(sampleOf(CELLS, 0, 1)).toEqual(new Uint32Array(0));
  });

  test("takes the same cells in whatever order they come", () => {
    const mixed = CELLS.toSorted((a, b) => hash32(a, 99) - hash32(b, 99));
    expect(mixed).not.toEqual(CELLS);
    expect(sampleOf(mixed, 500, 1).toSorted()).toEqual(sampleOf(CELLS, 500, 1));
  });

  test("takes from a part those that it takes from the whole", () => {
    const whole = members(sampleOf(CELLS, 1_000, 1));
    const half = CELLS.filter((cell) => cell % 2 === 0);
    const ofHalf = [...whole].filter((cell) => cell % 2 === 0);
    expect(sampleOf(half, ofHalf.length, 1)).toEqual(Uint32Array.from(ofHalf));
    const smaller = members(sampleOf(CELLS, 300, 1));
    expect([...smaller].every((cell) => whole.has(cell))).toBe(true);
  });

  test("takes others under another seed", () => {
    const one = members(sampleOf(CELLS, 1_000, 1));
    const shared = sampleOf(CELLS, 1_000, 2).filter((cell) => one.has(cell));
    // 50 by chance.
    expect(shared.length).toBeLessThan(90);
  });

  test("takes from all parts of the matrix alike", () => {
    const sample = sampleOf(CELLS, 2_000, 1);
    const tenths = new Array<number>(10).fill(0);
    for (const cell of sample) tenths[Math.floor(cell / 6_000)]! += 1;
    // 200 each; four standard deviations are 54.
    expect(tenths.every((count) => count > 145 && count < 255)).toBe(true);
  });
});

describe("seededRandom(seed)", () => {
  test("draws the same numbers again, others under another seed, all in [0, 1)", () => {
    const draw = (seed: number): readonly number[] => {
      const random = seededRandom(seed);
      return Array.from({ length: 1_000 }, () => random());
    };
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    const mean = draw(1).reduce((sum, value) => sum + value, 0) / 1_000;
    expect(mean).toBeGreaterThan(0.46);
    expect(mean).toBeLessThan(0.54);
    expect(draw(1).every((value) => value >= 0 && value < 1)).toBe(true);
  });
});
