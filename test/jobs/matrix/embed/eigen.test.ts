import { describe, expect, test } from "vitest";

import {
  packedLength,
  rowBase,
  type SymmetricMatrix,
} from "../../../../src/jobs/matrix/embed/covariance.ts";
import { findEigenpairs } from "../../../../src/jobs/matrix/embed/eigen.ts";
import { seededRandom } from "../../../../src/jobs/matrix/embed/sample.ts";
import { decomposeTridiagonal } from "../../../../src/jobs/matrix/embed/tridiagonal.ts";

const { signal } = new AbortController();

/** A symmetric matrix from the values of its upper triangle. */
function symmetric(
  size: number,
  valueAt: (row: number, column: number) => number,
): SymmetricMatrix {
  const packed = new Float64Array(packedLength(size));
  for (let row = 0; row < size; row++) {
    for (let column = row; column < size; column++) {
      packed[rowBase(row, size) + column] = valueAt(row, column);
    }
  }
  return { size, packed };
}

/** The Gram matrix of `rank` random directions of falling length: half of it after `half` of them. */
function gram(size: number, rank: number, seed: number, half = 4): SymmetricMatrix {
  const random = seededRandom(seed);
  const directions = Array.from({ length: rank }, (_, at) =>
    Array.from({ length: size }, () => (random() - 0.5) / (1 + at / half)),
  );
  return symmetric(size, (row, column) =>
    directions.reduce((sum, one) => sum + (one[row] ?? 0) * (one[column] ?? 0), 0),
  );
}

function valueAt({ size, packed }: SymmetricMatrix, row: number, column: number): number {
  return packed[rowBase(Math.min(row, column), size) + Math.max(row, column)] ?? NaN;
}

/** The plain way for small matrices: cyclic Jacobi rotations until nothing is left beside the diagonal. */
function jacobi(matrix: SymmetricMatrix): {
  readonly values: readonly number[];
  readonly vectors: readonly (readonly number[])[];
} {
  const { size } = matrix;
  const range = Array.from({ length: size }, (_, at) => at);
  const a = range.map((row) => range.map((column) => valueAt(matrix, row, column)));
  const v = range.map((row) => range.map((column) => (row === column ? 1 : 0)));
  for (let round = 0; round < 30; round++) {
    for (let p = 0; p < size; p++) {
      for (let q = p + 1; q < size; q++) {
        const off = a[p]![q]!;
        if (Math.abs(off) < 1e-300) continue;
        const theta = (a[q]![q]! - a[p]![p]!) / (2 * off);
        const t = Math.sign(theta || 1) / (Math.abs(theta) + Math.hypot(theta, 1));
        const c = 1 / Math.hypot(t, 1);
        const s = t * c;
        for (const row of [...a, ...v]) {
          [row[p], row[q]] = [c * row[p]! - s * row[q]!, s * row[p]! + c * row[q]!];
        }
        for (const k of range) {
          [a[p]![k], a[q]![k]] = [c * a[p]![k]! - s * a[q]![k]!, s * a[p]![k]! + c * a[q]![k]!];
        }
      }
    }
  }
  const order = range.toSorted((one, two) => a[two]![two]! - a[one]![one]!);
  return {
    values: order.map((at) => a[at]![at]!),
    vectors: order.map((at) => v.map((row) => row[at]!)),
  };
}

/** Largest entry of A v − λ v, over all pairs. */
function residual(
  matrix: SymmetricMatrix,
  { values, vectors }: { values: readonly number[]; vectors: readonly Float64Array[] },
): number {
  const errors = vectors.flatMap((vector, at) =>
    Array.from(vector, (own, row) => {
      const image = vector.reduce(
        (sum, value, column) => sum + value * valueAt(matrix, row, column),
        0,
      );
      return Math.abs(image - (values[at] ?? NaN) * own);
    }),
  );
  return Math.max(...errors);
}

describe("findEigenpairs(matrix, count, seed, signal)", () => {
  test("agrees with a dense decomposition, values and vectors", async () => {
    const matrix = gram(60, 60, 1);
    const dense = jacobi(matrix);
    const { values, vectors } = await findEigenpairs(matrix, 12, 1, signal);
    expect(values).toHaveLength(12);
    for (const [at, value] of values.entries()) {
      expect(value / dense.values[at]!).toBeCloseTo(1, 12);
      const agreement = vectors[at]!.reduce((sum, own, i) => sum + own * dense.vectors[at]![i]!, 0);
      expect(Math.abs(agreement)).toBeCloseTo(1, 10);
    }
  });

  test("is exact where values lie close to each other, and stops before the whole space", async () => {
    const matrix = gram(500, 1_000, 2, 1e9);
    const found = await findEigenpairs(matrix, 30, 1, signal);
    expect(residual(matrix, found)).toBeLessThan(1e-10 * found.values[0]!);
    expect(found.values).toEqual(found.values.toSorted((a, b) => b - a));
  });

  test("makes the entry of largest size positive, whatever the seed", async () => {
    const matrix = gram(80, 80, 3);
    const [one, two] = await Promise.all(
      [1, 2].map((seed) => findEigenpairs(matrix, 5, seed, signal)),
    );
    for (const [at, vector] of one!.vectors.entries()) {
      const largest = vector.toSorted((a, b) => Math.abs(b) - Math.abs(a))[0];
      expect(largest).toBeGreaterThan(0);
      const apart = vector.map((value, i) => Math.abs(value - two!.vectors[at]![i]!));
      expect(Math.max(...apart)).toBeLessThan(1e-7);
    }
  });

  test("finds equal eigenvalues as often as they occur", async () => {
    const matrix = symmetric(300, (row, column) => (row === column ? (row < 12 ? 7 : 1) : 0));
    const { values, vectors } = await findEigenpairs(matrix, 14, 1, signal);
    for (const [at, value] of [...new Array<number>(12).fill(7), 1, 1].entries())
      expect(values[at]).toBeCloseTo(value, 9);
    const overlap = vectors[0]!.reduce((sum, value, i) => sum + value * vectors[1]![i]!, 0);
    expect(Math.abs(overlap)).toBeLessThan(1e-9);
  });

  test("gives what the rank leaves over the value 0", async () => {
    const { values } = await findEigenpairs(gram(40, 3, 4), 6, 1, signal);
    expect(values.slice(0, 3).every((value) => value > 0.1)).toBe(true);
    for (const value of values.slice(3)) expect(value).toBeCloseTo(0, 12);
  });

  test("handles a matrix of zeros and one of a single value", async () => {
    const zeros = await findEigenpairs(
      symmetric(3, () => 0),
      2,
      1,
      signal,
    );
    expect(zeros.values).toEqual([0, 0]);
    const single = await findEigenpairs(
      symmetric(1, () => 4),
      1,
      1,
      signal,
    );
    expect(single).toEqual({ values: [4], vectors: [Float64Array.of(1)] });
  });

  test("stops when it is told to", async () => {
    const aborted = AbortSignal.abort("enough");
    await expect(findEigenpairs(gram(60, 60, 1), 5, 1, aborted)).rejects.toMatchObject({
      kind: "aborted",
      cause: "enough",
    });
  });
});

describe("decomposeTridiagonal(diagonal, off, columns, rows)", () => {
  test("finds the eigenvalues of the second difference, which are known", () => {
    const size = 25;
    const diagonal = new Float64Array(size).fill(2);
    const last = new Float64Array(size);
    last[size - 1] = 1;
    decomposeTridiagonal(diagonal, new Float64Array(size).fill(-1), last, 1);
    const known = Array.from(
      { length: size },
      (_, at) => 2 - 2 * Math.cos(((at + 1) * Math.PI) / (size + 1)),
    );
    diagonal.toSorted().forEach((value, at) => expect(value).toBeCloseTo(known[at]!, 13));
    // The last entries of orthonormal vectors are a row of an orthogonal matrix.
    expect(last.reduce((sum, value) => sum + value * value, 0)).toBeCloseTo(1, 13);
  });
});
