import { describe, expect, test } from "vitest";

import { clusterCells } from "../../../../src/jobs/matrix/embed/louvain.ts";

/** Three neighbours each: rings of cells that know their next three. */
function rings(...sizes: readonly number[]): Int32Array {
  let first = 0;
  return Int32Array.from(
    sizes.flatMap((size) => {
      const start = first;
      first += size;
      return Array.from({ length: size }, (_, at) =>
        [1, 2, 3].map((step) => start + ((at + step) % size)),
      ).flat();
    }),
  );
}

describe("clusterCells(cells, neighbours, perCell, seed)", () => {
  test("finds what hangs together, numbered by size, ties by the first cell", () => {
    const { clusters, clusterSizes, modularity } = clusterCells(21, rings(5, 6, 5, 5), 3, 1);
    expect(clusterSizes).toEqual([6, 5, 5, 5]);
    expect([...clusters]).toEqual(
      [5, 6, 5, 5].flatMap((size, at) => new Array<number>(size).fill([1, 0, 2, 3][at]!)),
    );
    // Rings of 5 are complete (10 edges), that of 6 lacks nothing either (15): 1 − Σ (edges of the cluster / all)².
    expect(modularity).toBeCloseTo(1 - (3 * 10 ** 2 + 15 ** 2) / 45 ** 2, 12);
  });

  test("counts an edge once where two cells know each other", () => {
    // A pair that knows each other and a triangle of one direction: with doubled edges the modularity would differ.
    const { modularity, clusterSizes } = clusterCells(5, Int32Array.of(1, 0, 3, 4, 2), 1, 1);
    expect(clusterSizes).toEqual([3, 2]);
    expect(modularity).toBeCloseTo(1 - (3 ** 2 + 1) / 4 ** 2, 12);
  });

  test("gives the same clusters again", () => {
    const neighbours = Int32Array.from({ length: 3_000 }, (_, at) => (at * 7919 + 13) % 1_000);
    expect(clusterCells(1_000, neighbours, 3, 1)).toEqual(clusterCells(1_000, neighbours, 3, 1));
  });
});
