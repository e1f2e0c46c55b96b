import { describe, expect, test } from "vitest";

import type {
  GeneVectors,
  GroupStatistics,
} from "../../../../src/jobs/matrix/counting/statistics.ts";
import { chooseExampleGene } from "../../../../src/jobs/matrix/embed/exampleGene.ts";
import { chooseVariableGenes } from "../../../../src/jobs/matrix/embed/variableGenes.ts";

/** Statistics with what choosing looks at; the dispersion of gene g is `normAt(g)`, NaN where there is none. */
function groupOf(
  genes: number,
  normAt: (gene: number) => number,
  options: {
    readonly isVariable?: (gene: number) => boolean;
    readonly nCells?: (gene: number) => number;
    readonly cells?: number;
  } = {},
): GroupStatistics {
  const each = <T>(valueAt: (gene: number) => T): T[] =>
    Array.from({ length: genes }, (_, gene) => valueAt(gene));
  const none = new Float64Array(genes);
  const vectors: GeneVectors = {
    nCells: Uint32Array.from(each(options.nCells ?? (() => 1))),
    meanCounts: none,
    varianceCounts: none,
    meanPct: none,
    logMean: none,
    dispersion: Float64Array.from(each(normAt)),
    dispersionNorm: Float32Array.from(each((gene) => normAt(gene) || 0)),
    isVariable: Uint8Array.from(each((gene) => (options.isVariable?.(gene) ? 1 : 0))),
  };
  const cells = options.cells ?? 10;
  return {
    approach: null,
    cells,
    emptyCells: 0,
    entries: 0,
    counts: 0,
    genes: vectors,
    topGenes: [],
  };
}

describe("chooseVariableGenes(group)", () => {
  test("takes the genes at the cut-offs where there are 50", () => {
    const group = groupOf(200, (gene) => gene, { isVariable: (gene) => gene % 4 === 1 });
    expect(chooseVariableGenes(group)).toEqual({
      genes: Uint32Array.from({ length: 50 }, (_, at) => 4 * at + 1),
      atCutoffs: 50,
      isFallback: false,
    });
  });

  test("takes the 2,000 most dispersed of more", () => {
    const group = groupOf(5_000, (gene) => gene, { isVariable: (gene) => gene % 2 === 0 });
    expect(chooseVariableGenes(group)).toEqual({
      genes: Uint32Array.from({ length: 2_000 }, (_, at) => 1_000 + 2 * at),
      atCutoffs: 2_500,
      isFallback: false,
    });
  });

  test("falls back on the 2,000 most dispersed below 50, ties by the table", () => {
    const group = groupOf(3_000, (gene) => (gene < 1_999 ? 1 : 2), {
      isVariable: (gene) => gene < 49,
    });
    const { genes, atCutoffs, isFallback } = chooseVariableGenes(group);
    expect([atCutoffs, isFallback]).toEqual([49, true]);
    expect([...genes]).toEqual([
      ...Array.from({ length: 999 }, (_, at) => at),
      ...Array.from({ length: 1_001 }, (_, at) => 1_999 + at),
    ]);
  });

  test("never falls back on genes without counts or without a dispersion", () => {
    const group = groupOf(6, (gene) => (gene === 2 ? NaN : -gene), {
      nCells: (gene) => (gene === 4 ? 0 : 3),
    });
    expect(chooseVariableGenes(group)).toEqual({
      genes: Uint32Array.of(0, 1, 3, 5),
      atCutoffs: 0,
      isFallback: true,
    });
  });
});

describe("chooseExampleGene(genes, groups)", () => {
  const genes = (...symbols: string[]): Parameters<typeof chooseExampleGene>[0] => ({
    ids: symbols,
    symbols,
    isMito: new Uint8Array(symbols.length),
  });
  const withCounts = (...having: number[]): GroupStatistics =>
    groupOf(3, () => 0, { nCells: (gene) => (having.includes(gene) ? 4 : 0) });
  const empty = { ...withCounts(), emptyCells: 10 };

  test("takes CST3 where every group has counts of it", () => {
    const all = [withCounts(0, 2), withCounts(0, 1, 2)];
    expect(chooseExampleGene(genes("A", "B", "CST3"), all)).toBe(2);
  });

  test("takes the first gene that all groups have where CST3 is missing in one", () => {
    const all = [withCounts(0, 1, 2), withCounts(1)];
    expect(chooseExampleGene(genes("CST3", "B", "C"), all)).toBe(1);
    expect(chooseExampleGene(genes("A", "B", "C"), [withCounts(2)])).toBe(2);
  });

  test("does not mind groups without any count", () => {
    expect(chooseExampleGene(genes("A", "B", "C"), [empty, withCounts(1, 2)])).toBe(1);
  });

  test("finds none where groups share none, or where nothing has counts", () => {
    expect(chooseExampleGene(genes("A", "B", "C"), [withCounts(0), withCounts(1, 2)])).toBe(null);
    expect(chooseExampleGene(genes("A", "B", "C"), [empty])).toBe(null);
  });
});
