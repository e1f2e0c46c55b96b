// What a count matrix is to hdash: genes, cells, and blocks of whole cells that are read one after the other, whatever the format.

export type MatrixFormat = "mtx" | "h5ad" | "10x-h5" | "loom";

/** A matrix's genes, in the order of its gene table. */
export interface GeneTable {
  /** As given, e.g. "ENSG00000101439"; the symbol where the table has one column only. */
  readonly ids: readonly string[];
  /** Made unique as AnnData does: the second "X" is "X-1", the third "X-2". */
  readonly symbols: readonly string[];
  /** 1 where the gene is mitochondrial, by its symbol, or by its Ensembl id where it has none. */
  readonly isMito: Uint8Array;
}

/** A library construction approach (LCA). */
export interface Approach {
  /** Names the folder of its figures: "SS2", "10X", else a key-safe form of the name; "unknown" where the data do not say. */
  readonly key: string;
  /** As the data say it, e.g. "10X v2 sequencing"; several names of one key are joined by " / ". */
  readonly label: string;
}

/** A matrix's cells; their barcodes are not kept. */
export interface CellTable {
  readonly count: number;
  /** In the order of first appearance; at least one. */
  readonly approaches: readonly Approach[];
  /** Index into approaches for each cell; null where all cells have the first. */
  readonly approachOf: Uint8Array | null;
}

/** Whole cells, in the order of the matrix. The arrays are views that the next block overwrites. */
export interface CellBlock {
  /** Index of the first cell among all cells of the matrix. */
  readonly firstCell: number;
  readonly cells: number;
  /** cells + 1 offsets into genes and counts; the first is 0. */
  readonly starts: Uint32Array;
  /** Gene indexes; each at most once within a cell, in any order. */
  readonly genes: Uint32Array;
  /** Whole counts above 0, parallel to genes. */
  readonly counts: Uint32Array;
}

/** What a pass over a matrix saw. */
export interface PassSummary {
  /** Entries above 0, after duplicates were added up. */
  readonly entries: number;
  /** Entries that named a gene and cell a second time; they were added up. */
  readonly duplicates: number;
  /** Values that were not whole and were rounded to the nearest (half to even, as numpy does). */
  readonly rounded: number;
}

export interface PassOptions {
  readonly signal: AbortSignal;
  /** Bytes of the source read so far, of how many; cheap, called at most a few times a second. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** An open matrix. Reading throws UnreadableMatrix for what is wrong with the data, HdashError aborted when the signal aborts. */
export interface MatrixReader {
  readonly format: MatrixFormat;
  readonly genes: GeneTable;
  readonly cells: CellTable;
  /** What is worth knowing but does not stop: rounded values, duplicates, duplicated symbols, a transposed table. Complete after a pass. */
  notes(): readonly MatrixNote[];
  /** Reads every cell once, in order; may be called again for another pass. All cells appear, also those without entries. */
  pass(
    onBlock: (block: CellBlock) => void | Promise<void>,
    options: PassOptions,
  ): Promise<PassSummary>;
  /** Closes files and removes what was spooled. */
  close(): Promise<void>;
}

/** Something worth knowing about a matrix. */
export interface MatrixNote {
  /** e.g. "M_ROUNDED"; see problem.ts for all. */
  readonly rule: string;
  readonly severity: "warning" | "info";
  /** One plain sentence that names the file within the matrix and the value. */
  readonly message: string;
}

/** What opening a matrix may use. */
export interface OpenOptions {
  /** Private folder for spools; what is put there is removed by close(). */
  readonly scratchDir: string;
  readonly signal: AbortSignal;
  /** Approaches as the project's metadata name them: the one is taken for cells whose table does not say; several are of no help. */
  readonly approaches: readonly string[];
}
