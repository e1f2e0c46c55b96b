// A few counts, small enough to look through; the answers of scipy that tests compare with are of these.

/** Seven cells × six genes. */
export const COUNTS: readonly (readonly number[])[] = [
  [5, 0, 3, 1, 0, 2],
  [4, 1, 0, 1, 0, 7],
  [0, 8, 2, 0, 1, 3],
  [1, 6, 0, 2, 1, 0],
  [3, 0, 4, 0, 0, 9],
  [0, 5, 1, 3, 2, 2],
  [6, 1, 0, 0, 0, 1],
];
