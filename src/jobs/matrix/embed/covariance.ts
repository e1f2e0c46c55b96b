// The exact covariance of a group's variable genes over all its cells, from sparse outer products, one cell after the other.

/** Counts are normalised to this sum per cell before log1p, as scanpy's pipeline of the reference does. */
export const NORMALISED_SUM = 1_000;

/** A symmetric matrix: the upper triangle, row by row. Half the memory, and of the caches, of the square. */
export interface SymmetricMatrix {
  readonly size: number;
  readonly packed: Float64Array;
}

/** Where row i would begin in the packed triangle if its first i values were there: (i, j), j ≥ i, is at rowBase(i) + j. */
export function rowBase(row: number, size: number): number {
  return row * size - (row * (row + 1)) / 2;
}

/** Values of a packed triangle. */
export function packedLength(size: number): number {
  return (size * (size + 1)) / 2;
}

/** Gives each gene its position among `genes`, -1 to all others. */
export function slotsOf(genes: Uint32Array, geneCount: number): Int32Array {
  const slots = new Int32Array(geneCount).fill(-1);
  genes.forEach((gene, slot) => (slots[gene] = slot));
  return slots;
}

export interface Covariance {
  readonly matrix: SymmetricMatrix;
  readonly means: Float64Array;
  /** Sum of the variances. */
  readonly total: number;
}

/** Sums up cells to a covariance. */
export interface CovarianceSums {
  /** Adds one cell; `scale` is what its counts are multiplied with before log1p. */
  add(genes: Uint32Array, counts: Uint32Array, from: number, to: number, scale: number): void;
  /** Turns the sums into the covariance of the cells added (n − 1), in place: to be called once, at the end. */
  finish(): Covariance;
}

/** Cells whose products are added together: 2,000 genes take 2.5 MB, and a row is used several times while it is at hand. */
const GATHERED_CELLS = 64;

/** Begins the sums over the genes that `slots` names (see slotsOf). */
export function sumCovariance(slots: Int32Array, size: number): CovarianceSums {
  const packed = new Float64Array(packedLength(size));
  const sums = new Float64Array(size);
  const bases = Float64Array.from({ length: size }, (_, row) => rowBase(row, size));
  const bySlot = new Float64Array(size);
  // Cells are gathered, one after the other, and added row by row.
  const keys = new Uint32Array(GATHERED_CELLS * size);
  const values = new Float64Array(GATHERED_CELLS * size);
  const starts = new Uint32Array(GATHERED_CELLS + 1);
  const heads = new Int32Array(size);
  const order = new Uint32Array(GATHERED_CELLS * size);
  const ends = new Uint32Array(GATHERED_CELLS * size);
  let gathered = 0;
  let cells = 0;

  /** Adds the gathered cells to the triangle: all products of a row while it is in the processor's first cache. */
  function flush(): void {
    const entries = starts[gathered]!;
    heads.fill(0);
    for (let at = 0; at < entries; at++) heads[keys[at]!]!++;
    for (let slot = 0, at = 0; slot < size; slot++) {
      const found = heads[slot]!;
      heads[slot] = at;
      at += found;
    }
    for (let cell = 0; cell < gathered; cell++) {
      const end = starts[cell + 1]!;
      for (let at = starts[cell]!; at < end; at++) {
        const place = heads[keys[at]!]!++;
        order[place] = at;
        ends[place] = end;
      }
    }
    for (let place = 0; place < entries; place++) {
      const first = order[place]!;
      const end = ends[place]!;
      const value = values[first]!;
      const base = bases[keys[first]!]!;
      for (let at = first; at < end; at++) packed[base + keys[at]!]! += value * values[at]!;
    }
    gathered = 0;
  }

  return {
    add(genes, counts, from, to, scale) {
      const start = starts[gathered]!;
      let filled = start;
      let isSorted = true;
      let last = -1;
      for (let at = from; at < to; at++) {
        const slot = slots[genes[at]!]!;
        if (slot < 0) continue;
        const value = Math.log1p(counts[at]! * scale);
        if (slot < last) isSorted = false;
        last = slot;
        keys[filled] = slot;
        values[filled] = value;
        bySlot[slot] = value;
        sums[slot]! += value;
        filled++;
      }
      if (!isSorted) {
        // In the order of the table: only the upper triangle is summed up, and the same bits whatever the file's order.
        keys.subarray(start, filled).sort();
        for (let at = start; at < filled; at++) values[at] = bySlot[keys[at]!]!;
      }
      starts[++gathered] = filled;
      cells++;
      if (gathered === GATHERED_CELLS) flush();
    },
    finish() {
      flush();
      const means = sums.map((sum) => sum / cells);
      let total = 0;
      for (let i = 0; i < size; i++) {
        const base = bases[i]!;
        for (let j = i; j < size; j++) {
          packed[base + j] = (packed[base + j]! - sums[i]! * means[j]!) / (cells - 1);
        }
        // What rounding makes of a gene that is the same in all cells must not be negative.
        const variance = Math.max(0, packed[base + i]!);
        packed[base + i] = variance;
        total += variance;
      }
      return { matrix: { size, packed }, means, total };
    },
  };
}
