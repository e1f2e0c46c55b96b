// What is counted of whole cells: sums per cell and per gene, and the counts of candidate genes put aside.
// Memory belongs to the caller (foldKernel.ts), which says where everything lies.

/** Per gene: sum and sum of squares of the counts, then of the shares of the cell. */
const GENE_BYTES: u32 = 32;

/**
 * Folds the cells from..to of a block. Marks are a byte a gene: 0x80 mitochondrial, 1-64 the place of a candidate.
 * Counts of candidates go to aside[place - 1][row], `rows` apart, where aside is not 0; the first cell has row `row`.
 */
export function fold(
  from: u32,
  to: u32,
  starts: u32,
  genes: u32,
  counts: u32,
  marks: u32,
  sums: u32,
  geneCells: u32,
  totals: u32,
  mitos: u32,
  aside: u32,
  row: u32,
  rows: u32,
): void {
  const toCounts = counts - genes;
  for (let cell = from; cell < to; cell++) {
    const first = genes + (load<u32>(starts + (cell << 2)) << 2);
    const end = genes + (load<u32>(starts + ((cell + 1) << 2)) << 2);
    let total: u64 = 0;
    let mito: u64 = 0;
    const asideRow = aside + ((row + cell - from) << 2) - (rows << 2);
    for (let at = first; at < end; at += 4) {
      const count = load<u32>(at + toCounts);
      total += count;
      const mark = <u32>load<u8>(marks + load<u32>(at));
      if (mark != 0) {
        if (mark & 0x80) mito += count;
        const candidate = mark & 0x7f;
        if (candidate != 0 && aside != 0) store<u32>(asideRow + candidate * (rows << 2), count);
      }
    }
    store<f64>(totals + (cell << 3), <f64>total);
    store<f64>(mitos + (cell << 3), <f64>mito);
    if (total == 0) continue;
    const share: f64 = 1 / <f64>total;
    for (let at = first; at < end; at += 4) {
      const gene = load<u32>(at);
      const value = <f64>load<u32>(at + toCounts);
      // [x, x²], and the same of the share.
      const plain = f64x2.replace_lane(f64x2.splat(value), 1, value * value);
      const part = value * share;
      const shares = f64x2.replace_lane(f64x2.splat(part), 1, part * part);
      const sum = sums + gene * GENE_BYTES;
      v128.store(sum, f64x2.add(v128.load(sum), plain));
      v128.store(sum + 16, f64x2.add(v128.load(sum + 16), shares));
      const seen = geneCells + (gene << 2);
      store<u32>(seen, load<u32>(seen) + 1);
    }
  }
}

/** Puts the counts of candidates aside, as fold does, for cells that were folded before there were candidates. */
export function putAside(
  from: u32,
  to: u32,
  starts: u32,
  genes: u32,
  counts: u32,
  marks: u32,
  aside: u32,
  row: u32,
  rows: u32,
): void {
  for (let cell = from; cell < to; cell++) {
    const first = load<u32>(starts + (cell << 2));
    const end = load<u32>(starts + ((cell + 1) << 2));
    const asideRow = aside + ((row + cell - from) << 2) - (rows << 2);
    for (let at = first; at < end; at++) {
      const candidate = <u32>load<u8>(marks + load<u32>(genes + (at << 2))) & 0x7f;
      if (candidate != 0) {
        store<u32>(asideRow + candidate * (rows << 2), load<u32>(counts + (at << 2)));
      }
    }
  }
}
