import { describe, expect, test } from "vitest";

import { tinyCells } from "../../../../src/jobs/matrix/demo/tinyMatrices.ts";

describe("tinyCells(size)", () => {
  test("makes cells of three kinds, with mitochondrial genes and CST3", () => {
    const { genes, cells, starts, counts } = tinyCells({ seed: 1, cells: 30, genes: 20 });
    expect(genes.slice(0, 4).map(({ symbol }) => symbol)).toEqual([
      "MT-T1",
      "MT-T2",
      "CST3",
      "GENE4",
    ]);
    expect(new Set(cells.map(({ kind }) => kind))).toEqual(new Set(["kind 1", "kind 2", "kind 3"]));
    expect([starts.length, starts.at(-1)]).toEqual([31, counts.length]);
  });
});
