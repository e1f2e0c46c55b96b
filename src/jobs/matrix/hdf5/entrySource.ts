// Where the entries of a matrix come from, cell by cell or gene by gene, and how entries of cells become a block.

import { number } from "../../../format.ts";
import type { CellBlock } from "../matrix.ts";
import { UnreadableMatrix } from "../problem.ts";
import type { Tally } from "./wholeCounts.ts";

/** Marks a feature that is no gene: its entries are left out. */
export const NO_GENE = 0xffffffff;

/** Entries that a block is filled up to: about 2 MB, which stays in the processor's caches. */
export const BLOCK_ENTRIES = 200_000;
/** Cells of a block at most; bounds its offsets where cells are empty. */
export const BLOCK_CELLS = 65_536;

/** The genes of a matrix, as its entries name them. */
export interface Features {
  /** Rows of the gene table within the file. */
  readonly count: number;
  /** Index among the genes that are kept, or NO_GENE, for each row; null where all are kept. */
  readonly geneOf: Uint32Array | null;
}

/** What a pass gathers. */
export interface PassState {
  readonly tally: Tally;
  entries: number;
  duplicates: number;
  /** Told how much of the file has been read, 0 to 1. */
  readonly onFraction: (fraction: number) => void;
}

/** Raw entries of whole cells; genes may be out of range, named twice or counted 0. */
export interface RawBlock {
  readonly firstCell: number;
  readonly cells: number;
  /** cells + 1 offsets. */
  readonly starts: Uint32Array;
  readonly genes: Uint32Array;
  readonly counts: Uint32Array;
}

export type OnBlock = (block: CellBlock) => void | Promise<void>;
export type AddEntries = (
  cells: Uint32Array,
  genes: Uint32Array,
  counts: Uint32Array,
  length: number,
) => void;

/** Entries in the order of cells, or in that of genes (these are spooled). */
export type EntrySource =
  | {
      readonly order: "cells";
      read(onBlock: OnBlock, pass: PassState): Promise<void>;
    }
  | {
      readonly order: "genes";
      /** Null where not known. */
      readonly entries: number | null;
      /** Whether a gene and cell that occur again are parts of a sum, and no duplicates. */
      readonly isSum?: boolean;
      /** Gives entries of genes that are kept, none of them 0. */
      read(add: AddEntries, pass: PassState): Promise<void>;
    };

/** Makes a function that turns raw entries into a block, in place: drops zeros and features that are no genes, adds up duplicates. */
export function makeFold(
  { count, geneOf }: Features,
  pass: PassState,
  genesName: string,
): (raw: RawBlock, nameOf: (entry: number) => string) => CellBlock {
  /** Where each gene was last put: finds duplicates without sorting. */
  const placeOf = new Uint32Array(count);
  return ({ firstCell, cells, starts, genes, counts }, nameOf) => {
    let put = 0;
    let duplicates = 0;
    let from = starts[0] ?? 0;
    for (let cell = 0; cell < cells; cell++) {
      const to = starts[cell + 1] ?? 0;
      const first = put;
      let highest = -1;
      for (let at = from; at < to; at++) {
        let gene = genes[at] ?? 0;
        const value = counts[at] ?? 0;
        if (gene >= count) throw outOfRange(nameOf(at), gene, count, genesName);
        if (value === 0) continue;
        if (geneOf !== null) {
          gene = geneOf[gene] ?? NO_GENE;
          if (gene === NO_GENE) continue;
        }
        if (gene > highest) {
          highest = gene;
        } else {
          const place = placeOf[gene] ?? 0;
          if (place >= first && place < put && genes[place] === gene) {
            counts[place] = addUp(counts[place] ?? 0, value, firstCell + cell, gene);
            duplicates++;
            continue;
          }
        }
        placeOf[gene] = put;
        genes[put] = gene;
        counts[put++] = value;
      }
      from = to;
      starts[cell + 1] = put;
    }
    pass.entries += put;
    pass.duplicates += duplicates;
    return {
      firstCell,
      cells,
      starts: starts.subarray(0, cells + 1),
      genes: genes.subarray(0, put),
      counts: counts.subarray(0, put),
    };
  };
}

/** Adds up two counts of the same gene and cell (indexes counted from 0). */
export function addUp(one: number, other: number, cell: number, gene: number): number {
  const sum = one + other;
  if (sum <= 0xffffffff) return sum;
  throw new UnreadableMatrix(
    "M_ENTRY",
    `the entries of gene ${number(gene + 1)} in cell ${number(cell + 1)} add up to more than 4,294,967,295`,
  );
}

/** Makes the error for an index that points nowhere. */
export function outOfRange(
  entry: string,
  index: number,
  count: number,
  what: string,
): UnreadableMatrix {
  // Above 2^31 lie the negative ones, and what did not fit into 32 bits.
  const given = index === NO_GENE ? "no index" : number(index > 0x7fffffff ? index | 0 : index);
  return new UnreadableMatrix(
    "M_CORRUPT",
    `${entry} is ${given}, but there are ${number(count)} ${what}`,
  );
}
