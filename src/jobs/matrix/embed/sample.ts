// A uniform sample of cells that depends on nothing but their indexes and a seed; and seeded random numbers from the same hash.

/** Hashes a 32-bit number with a seed; for one seed, different numbers have different hashes. */
export function hash32(value: number, seed: number): number {
  // The seed is mixed first, so that the order under one seed is no shifted copy of the order under the next.
  return mix((value ^ mix((seed + 0x9e3779b9) >>> 0)) >>> 0);
}

/** A 32-bit mixer ("lowbias32"): every step can be undone, so it is a permutation. */
function mix(value: number): number {
  let x = value;
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d);
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b);
  return (x ^ (x >>> 16)) >>> 0;
}

/** Takes the cells with the `size` smallest hashes, ascending; all of them where there are no more. */
export function sampleOf(cells: Uint32Array, size: number, seed: number): Uint32Array {
  if (cells.length <= size) return cells;
  if (size < 1) return new Uint32Array(0);
  const hashes = cells.map((cell) => hash32(cell, seed));
  const limit = hashes.toSorted()[size - 1] ?? 0;
  return cells.filter((_, at) => (hashes[at] ?? 0) <= limit);
}

/** Makes a generator of numbers in [0, 1) that depends on the seed only. */
export function seededRandom(seed: number): () => number {
  let drawn = 0;
  return () => hash32(drawn++, seed) / 2 ** 32;
}
