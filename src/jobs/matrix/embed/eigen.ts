// The largest eigenvalues and their vectors of a symmetric matrix: Lanczos with full reorthogonalisation from a seeded start.

import { setImmediate } from "node:timers/promises";

import { throwIfAborted } from "./cellPass.ts";
import { rowBase, type SymmetricMatrix } from "./covariance.ts";
import { seededRandom } from "./sample.ts";
import { decomposeTridiagonal } from "./tridiagonal.ts";

export interface Eigenpairs {
  /** Largest first. */
  readonly values: readonly number[];
  /** Unit vectors, one for each value; the entry of largest size is positive. */
  readonly vectors: readonly Float64Array[];
}

/** A residual below this share of the largest eigenvalue: components then agree with a dense decomposition to about 1e-7. */
const TOLERANCE = 1e-11;
/** What is left of a vector below this share of the matrix's size is rounding: the Krylov space is exhausted. */
const EXHAUSTED = 1e-12;
/** Between two looks at the event loop, and between two whether all have converged; the latter cost as much as some steps. */
const BREATH_STEPS = 10;
const LOOK_STEPS = 40;

/** Finds the `count` largest eigenpairs. Equal eigenvalues are found as often as they occur. */
export async function findEigenpairs(
  matrix: SymmetricMatrix,
  count: number,
  seed: number,
  signal: AbortSignal,
): Promise<Eigenpairs> {
  const { size } = matrix;
  const random = seededRandom(seed);
  const basis: Float64Array[] = [];
  const diagonal: number[] = [];
  const off: number[] = [];
  // More steps than wanted values, so that copies of equal ones come up before anything counts as converged.
  const least = Math.min(size, 3 * count + 50);
  let scale = 0;
  let next = startVector(size, basis, random);
  while (next !== null) {
    const current = next;
    basis.push(current);
    const image = multiply(matrix, current);
    const alpha = dot(image, current);
    diagonal.push(alpha);
    // By the recurrence nearly nothing of the basis is left after this, so that one more round makes it exact.
    subtract(image, alpha, current);
    const previous = basis.at(-2);
    if (previous !== undefined) subtract(image, off.at(-1) ?? 0, previous);
    const left = orthogonalise(image, basis);
    scale = Math.max(scale, Math.abs(alpha) + left);
    const isExhausted = left <= EXHAUSTED * scale;
    off.push(isExhausted ? 0 : left);
    const steps = basis.length;
    if (steps === size) break;
    if (steps % BREATH_STEPS === 0) {
      await setImmediate();
      throwIfAborted(signal);
    }
    if (steps >= least && (steps - least) % LOOK_STEPS === 0) {
      if (hasConverged(diagonal, off, count)) break;
    }
    next = isExhausted ? startVector(size, basis, random) : image.map((value) => value / left);
  }
  return ritzPairs(basis, diagonal, off, count);
}

/** Draws a unit vector orthogonal to the basis; null where nothing is left. */
function startVector(
  size: number,
  basis: readonly Float64Array[],
  random: () => number,
): Float64Array | null {
  for (let attempt = 0; attempt < 3; attempt++) {
    const vector = Float64Array.from({ length: size }, () => random() - 0.5);
    const before = Math.sqrt(dot(vector, vector));
    const left = orthogonalise(vector, basis);
    if (left > 1e-8 * before) return vector.map((value) => value / left);
  }
  return null;
}

/** Takes the basis out of the vector, in place, and returns the length of what is left. */
function orthogonalise(vector: Float64Array, basis: readonly Float64Array[]): number {
  let length = Math.sqrt(dot(vector, vector));
  // Twice is enough (Kahan and Parlett); once where little was taken out.
  for (let round = 0; round < 3; round++) {
    for (const other of basis) {
      subtract(vector, dot(vector, other), other);
    }
    const left = Math.sqrt(dot(vector, vector));
    const isDone = left > 0.7 * length;
    length = left;
    if (isDone) break;
  }
  return length;
}

function hasConverged(diagonal: readonly number[], off: readonly number[], count: number): boolean {
  const steps = diagonal.length;
  const last = new Float64Array(steps);
  last[steps - 1] = 1;
  const values = Float64Array.from(diagonal);
  decomposeTridiagonal(values, Float64Array.from(off), last, 1);
  const order = largestFirst(values).slice(0, count);
  const limit = TOLERANCE * Math.abs(values[order[0] ?? 0] ?? 0);
  return order.every((at) => Math.abs((last[at] ?? 0) * (off[steps - 1] ?? 0)) <= limit);
}

function ritzPairs(
  basis: readonly Float64Array[],
  diagonal: readonly number[],
  off: readonly number[],
  count: number,
): Eigenpairs {
  const steps = basis.length;
  const size = basis[0]?.length ?? 0;
  const rotations = new Float64Array(steps * steps);
  for (let i = 0; i < steps; i++) rotations[i * steps + i] = 1;
  const values = Float64Array.from(diagonal);
  decomposeTridiagonal(values, Float64Array.from(off), rotations, steps);
  const order = largestFirst(values).slice(0, count);
  return {
    values: order.map((at) => values[at] ?? 0),
    vectors: order.map((at) => {
      const vector = new Float64Array(size);
      basis.forEach((step, i) => {
        const share = rotations[at * steps + i]!;
        subtract(vector, -share, step);
      });
      return withSign(vector);
    }),
  };
}

/** Scales to length 1 and turns so that the entry of largest size, the first of equals, is positive. */
function withSign(vector: Float64Array): Float64Array {
  let largest = 0;
  for (const value of vector) if (Math.abs(value) > Math.abs(largest)) largest = value;
  const length = Math.sqrt(dot(vector, vector)) * (largest < 0 ? -1 : 1);
  return vector.map((value) => value / length);
}

function largestFirst(values: Float64Array): readonly number[] {
  return Array.from(values.keys()).sort((a, b) => values[b]! - values[a]! || a - b);
}

function subtract(vector: Float64Array, share: number, other: Float64Array): void {
  for (let i = 0; i < vector.length; i++) vector[i]! -= share * other[i]!;
}

/** Two sums side by side: one would wait for each addition. */
function dot(a: Float64Array, b: Float64Array): number {
  const even = a.length - (a.length % 2);
  let one = 0;
  let two = 0;
  for (let i = 0; i < even; i += 2) {
    one += a[i]! * b[i]!;
    two += a[i + 1]! * b[i + 1]!;
  }
  return one + two + (even < a.length ? a[even]! * b[even]! : 0);
}

function multiply({ size, packed }: SymmetricMatrix, vector: Float64Array): Float64Array {
  const image = new Float64Array(size);
  for (let i = 0; i < size; i++) {
    const base = rowBase(i, size);
    const own = vector[i]!;
    let sum = packed[base + i]! * own;
    for (let j = i + 1; j < size; j++) {
      const value = packed[base + j]!;
      sum += value * vector[j]!;
      image[j]! += value * own;
    }
    image[i]! += sum;
  }
  return image;
}
