// A matrix's statistics as JSON, in pieces: a million cells are never one string.

import type { CellVectors, GeneVectors, GroupStatistics, MatrixStatistics } from "./statistics.ts";
import { highestGenes, TOP_GENES } from "./topGenes.ts";

/** Numbers that become text at a time: some 64 kB. */
const NUMBERS_AT_ONCE = 4096;

/** Writes statistics as JSON text, piece by piece; numbers in full precision, NaN as null. */
export function* writeStatistics(statistics: MatrixStatistics): Generator<string> {
  const { format, notes, genes, cells, groupOf, whole, groups } = statistics;
  yield `{"format":${JSON.stringify(format)},"notes":${JSON.stringify(notes)},"gene_ids":`;
  yield* texts(genes.ids);
  yield ',"gene_symbols":';
  yield* texts(genes.symbols);
  yield ',"whole":';
  // Matrices of one approach have the same genes twice: they become text once, some 70 bytes for each.
  const isShared = groups.some((group) => group.genes === whole.genes);
  const kept: string[] | null = isShared ? [] : null;
  const ofWhole = writeGenes(whole.genes, genes.symbols);
  yield* writeGroup(whole, cells, null, genes.symbols.length, keep(ofWhole, kept));
  yield ',"by_library_construction_approach":{';
  for (const [index, group] of groups.entries()) {
    yield `${index === 0 ? "" : ","}${JSON.stringify(group.approach?.key ?? "unknown")}:`;
    const chosen = groupOf === null ? null : cellsOf(groupOf, index);
    const isKept = kept !== null && group.genes === whole.genes;
    const ofGenes = isKept ? kept : writeGenes(group.genes, genes.symbols);
    yield* writeGroup(group, cells, chosen, genes.symbols.length, ofGenes);
  }
  yield "}}\n";
}

function* writeGroup(
  group: GroupStatistics,
  cells: CellVectors,
  chosen: Uint32Array | null,
  genes: number,
  ofGenes: Iterable<string>,
): Generator<string> {
  yield `{"cells":${group.cells},"genes":${genes},"entries":${group.entries},"n_counts":`;
  yield* vector(cells.nCounts, chosen);
  yield ',"n_genes":';
  yield* vector(cells.nGenes, chosen);
  yield ',"percent_mito_genes":';
  if (cells.mitoFraction === null) yield "null";
  else yield* vector(cells.mitoFraction, chosen);
  yield* ofGenes;
  yield "}";
}

function* writeGenes(genes: GeneVectors, symbols: readonly string[]): Generator<string> {
  // Groups know their top genes already, all cells together do not: found alike for both.
  const top = highestGenes(genes.meanPct, TOP_GENES);
  yield ',"n_cells_per_gene":';
  yield* vector(genes.nCells, null);
  yield `,"top_genes":${JSON.stringify(top.map((index) => symbols[index] ?? ""))}`;
  yield ',"top_gene_mean_percent":';
  yield* vector(genes.meanPct, Uint32Array.from(top));
  yield ',"log_mean":';
  yield* vector(genes.logMean, null);
  yield ',"dispersion_norm":';
  yield* vector(genes.dispersionNorm, null);
  yield ',"highly_variable":';
  yield* texts(symbols.filter((_, index) => genes.isVariable[index] === 1));
}

/** Passes pieces on, and keeps them where there is somebody to have them again. */
function* keep(pieces: Iterable<string>, kept: string[] | null): Generator<string> {
  for (const piece of pieces) {
    kept?.push(piece);
    yield piece;
  }
}

/** The values of the chosen cells, or all. */
function* vector(
  values: Float64Array | Float32Array | Uint32Array,
  chosen: Uint32Array | null,
): Generator<string> {
  const length = chosen?.length ?? values.length;
  for (let at = 0; at < length; at += NUMBERS_AT_ONCE) {
    const end = Math.min(at + NUMBERS_AT_ONCE, length);
    const piece =
      chosen === null
        ? Array.from(values.subarray(at, end))
        : Array.from(chosen.subarray(at, end), (index) => values[index] ?? NaN);
    // Three times as fast as String() of each; what is no number becomes null.
    yield (at === 0 ? "[" : ",") + JSON.stringify(piece).slice(1, -1);
  }
  yield length === 0 ? "[]" : "]";
}

function* texts(values: readonly string[]): Generator<string> {
  for (let at = 0; at < values.length; at += NUMBERS_AT_ONCE) {
    const piece = JSON.stringify(values.slice(at, at + NUMBERS_AT_ONCE));
    yield (at === 0 ? "[" : ",") + piece.slice(1, -1);
  }
  yield values.length === 0 ? "[]" : "]";
}

function cellsOf(groupOf: Uint8Array, group: number): Uint32Array {
  let length = 0;
  for (const one of groupOf) if (one === group) length++;
  const chosen = new Uint32Array(length);
  let at = 0;
  groupOf.forEach((one, cell) => {
    if (one === group) chosen[at++] = cell;
  });
  return chosen;
}
