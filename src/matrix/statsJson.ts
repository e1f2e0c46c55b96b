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
  const written = new Map<GeneVectors, WrittenGenes>();
  const write = (group: GroupStatistics, chosen: Uint32Array | null): Generator<string> => {
    let ofGenes = written.get(group.genes);
    if (ofGenes === undefined)
      written.set(group.genes, (ofGenes = writeGenes(group.genes, genes.symbols)));
    return writeGroup(group, cells, chosen, genes.symbols.length, ofGenes);
  };
  // Matrices of one approach have the same genes twice: they become text once.
  yield* write(whole, null);
  yield ',"by_library_construction_approach":{';
  for (const [index, group] of groups.entries()) {
    yield `${index === 0 ? "" : ","}${JSON.stringify(group.approach?.key ?? "unknown")}:`;
    const chosen = groupOf === null ? null : cellsOf(groupOf, index);
    yield* write(group, chosen);
    written.delete(group.genes);
  }
  yield "}}\n";
}

function* writeGroup(
  group: GroupStatistics,
  cells: CellVectors,
  chosen: Uint32Array | null,
  genes: number,
  ofGenes: WrittenGenes,
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

/** What is written of a group's genes: some 70 bytes for each. */
type WrittenGenes = readonly string[];

function writeGenes(genes: GeneVectors, symbols: readonly string[]): WrittenGenes {
  // Groups know their top genes already, all cells together do not: found alike for both.
  const top = highestGenes(genes.meanPct, TOP_GENES);
  return [
    ',"n_cells_per_gene":',
    ...vector(genes.nCells, null),
    `,"top_genes":${JSON.stringify(top.map((index) => symbols[index] ?? ""))}`,
    ',"top_gene_mean_percent":',
    ...vector(genes.meanPct, Uint32Array.from(top)),
    ',"log_mean":',
    ...vector(genes.logMean, null),
    ',"dispersion_norm":',
    ...vector(genes.dispersionNorm, null),
    ',"highly_variable":',
    ...texts(symbols.filter((_, index) => genes.isVariable[index] === 1)),
  ];
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
