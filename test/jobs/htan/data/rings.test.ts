import { describe, expect, test } from "vitest";

import { findRings } from "../../../../src/jobs/htan/data/rings.ts";

/** Makes links from pairs [parent, child]. */
function ringsOf(size: number, ...pairs: readonly (readonly [number, number])[]) {
  const parents = pairs.map(([parent]) => parent);
  return findRings({ size, parents, children: pairs.map(([, child]) => child) });
}

describe("findRings(links)", () => {
  test("finds none in a tree, in shared children, or in a record that is its own parent", () => {
    expect(ringsOf(5, [0, 1], [1, 2], [0, 2], [2, 3], [3, 3], [1, 4])).toEqual([]);
    expect(ringsOf(0)).toEqual([]);
  });

  test.each([2, 3, 7, 100_000])("finds a ring of %i, from child to parent", (size) => {
    const pairs = Array.from({ length: size }, (_, at) => [at, (at + 1) % size] as const);
    const [ring, ...others] = ringsOf(size, ...pairs);
    expect(others).toEqual([]);
    expect(ring).toHaveLength(size);
    expect(ring?.slice(0, 2)).toEqual([0, size - 1]);
  });

  test("leaves out what only leads to a ring, or from it", () => {
    expect(ringsOf(6, [0, 1], [1, 2], [2, 3], [3, 1], [3, 4], [4, 5])).toEqual([[1, 3, 2]]);
  });

  test("finds each of several rings, also where a path leads from one to the other", () => {
    expect(ringsOf(5, [0, 1], [1, 0], [1, 2], [2, 3], [3, 4], [4, 3])).toEqual([
      [0, 1],
      [3, 4],
    ]);
  });

  test("walks on where a ring was taken out, and finds what every record is in", () => {
    // Two rings hang on each member of a long one, and a path leads through all of them.
    const pairs = Array.from({ length: 30_000 }, (_, at) => [
      [2 * at, 2 * at + 1] as const,
      [2 * at + 1, 2 * at] as const,
      [2 * at + 2, 2 * at] as const,
    ]).flat();
    const rings = ringsOf(60_002, ...pairs, [60_000, 60_001], [60_001, 60_000]);
    expect(rings).toHaveLength(30_001);
    expect(new Set(rings.flat()).size).toBe(60_002);
    for (const ring of rings) {
      for (const [at, child] of ring.entries()) {
        const parent = ring[(at + 1) % ring.length] ?? -1;
        expect(Math.abs(parent - child)).toBe(1);
      }
    }
  });

  test("names one ring of those that share a record, and ends", () => {
    expect(ringsOf(3, [0, 1], [1, 0], [1, 2], [2, 1])).toEqual([[0, 1]]);
  });
});
