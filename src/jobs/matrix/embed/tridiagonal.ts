// Eigenvalues of a symmetric tridiagonal matrix by implicit QL (as EISPACK's tql2), with the rotations applied to as many rows as wanted.

/** Rounds of QL for one eigenvalue; two are usual, EISPACK gives up after 30. */
const MOST_ROUNDS = 60;

/**
 * Turns `diagonal` into the eigenvalues, in no order. `off[i]` stands between i and i + 1 (the last is ignored) and is used up.
 * `columns` holds `rows` values for each eigenvalue (column after column) and is multiplied from the right by the eigenvectors:
 * with the identity it becomes them, with the last row of the identity their last entries.
 */
export function decomposeTridiagonal(
  diagonal: Float64Array,
  off: Float64Array,
  columns: Float64Array,
  rows: number,
): void {
  const size = diagonal.length;
  off[size - 1] = 0;
  for (let low = 0; low < size; low++) {
    for (let round = 0; round < MOST_ROUNDS; round++) {
      const high = firstSmall(diagonal, off, low);
      if (high === low) break;
      sweep(diagonal, off, columns, rows, low, high);
    }
  }
}

/** The first index from `low` on after which the matrix falls apart. */
function firstSmall(diagonal: Float64Array, off: Float64Array, low: number): number {
  let at = low;
  for (; at < diagonal.length - 1; at++) {
    const size = Math.abs(diagonal[at]!) + Math.abs(diagonal[at + 1]!);
    if (Math.abs(off[at]!) <= Number.EPSILON * size) break;
  }
  return at;
}

/** One implicit QL step on the block low … high, with Wilkinson's shift. */
function sweep(
  diagonal: Float64Array,
  off: Float64Array,
  columns: Float64Array,
  rows: number,
  low: number,
  high: number,
): void {
  let g = (diagonal[low + 1]! - diagonal[low]!) / (2 * off[low]!);
  const r0 = Math.hypot(g, 1);
  g = diagonal[high]! - diagonal[low]! + off[low]! / (g + (g < 0 ? -r0 : r0));
  let sine = 1;
  let cosine = 1;
  let shift = 0;
  for (let i = high - 1; i >= low; i--) {
    const f = sine * off[i]!;
    const b = cosine * off[i]!;
    const r = Math.hypot(f, g);
    off[i + 1] = r;
    if (r === 0) {
      // The block fell apart under way: what was done so far stands.
      diagonal[i + 1]! -= shift;
      off[high] = 0;
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = diagonal[i + 1]! - shift;
    const t = (diagonal[i]! - g) * sine + 2 * cosine * b;
    shift = sine * t;
    diagonal[i + 1] = g + shift;
    g = cosine * t - b;
    const [left, right] = [i * rows, (i + 1) * rows];
    for (let row = 0; row < rows; row++) {
      const held = columns[right + row]!;
      columns[right + row] = sine * columns[left + row]! + cosine * held;
      columns[left + row] = cosine * columns[left + row]! - sine * held;
    }
  }
  diagonal[low]! -= shift;
  off[low] = g;
  off[high] = 0;
}
