// Variable genes: as bench/matrix/peer.py finds them with numpy, and where there is little to find.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { findVariableGenes } from "../../../../src/jobs/matrix/counting/variableGenes.ts";

/** What numpy gives for means and variances with zeros, an outlier and two equal means. */
const PEER = JSON.parse(
  readFileSync(join(import.meta.dirname, "../support/variableGenes.json"), "utf8"),
) as Readonly<
  Record<"means" | "variances" | "logMean" | "dispersionNorm" | "variable", readonly number[]>
> & { readonly dispersion: readonly (number | null)[] };

function found(means: readonly number[], variances: readonly number[]): object {
  const genes = findVariableGenes(Float64Array.from(means), Float64Array.from(variances));
  return {
    norm: Array.from(genes.dispersionNorm),
    variable: Array.from(genes.isVariable),
  };
}

describe("findVariableGenes(means, variances)", () => {
  test("gives what numpy gives", () => {
    const genes = findVariableGenes(
      Float64Array.from(PEER.means),
      Float64Array.from(PEER.variances),
    );
    const rounded = (values: Iterable<number | null>): (number | null)[] =>
      Array.from(values, (value) =>
        value === null || Number.isNaN(value) ? null : Number(value.toPrecision(9)),
      );
    expect(rounded(genes.logMean)).toEqual(rounded(PEER.logMean));
    expect(rounded(genes.dispersion)).toEqual(rounded(PEER.dispersion));
    expect(Array.from(genes.dispersionNorm)).toEqual(PEER.dispersionNorm);
    expect(Array.from(genes.isVariable).flatMap((flag, gene) => (flag ? [gene] : []))).toEqual(
      PEER.variable,
    );
  });

  test("gives a gene that is alone in its bin a score of 1", () => {
    expect(found([1], [3])).toEqual({ norm: [1], variable: [0] });
    expect(found([1, 100], [3, 5000])).toEqual({ norm: [1, 1], variable: [0, 0] });
  });

  test("scores genes of the same mean against each other", () => {
    const { norm } = found([2, 2, 2], [2, 2 * Math.E, 2 * Math.E ** 2]) as { norm: number[] };
    expect(norm.map((score) => Number(score.toFixed(6)))).toEqual([-1, 0, 1]);
  });

  test("finds nothing where there is nothing", () => {
    expect(found([], [])).toEqual({ norm: [], variable: [] });
    expect(found([0, 0], [0, 0])).toEqual({ norm: [0, 0], variable: [0, 0] });
    expect(found([1, 2], [NaN, NaN])).toEqual({ norm: [0, 0], variable: [0, 0] });
  });
});
