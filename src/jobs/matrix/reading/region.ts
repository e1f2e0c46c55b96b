// Where the bytes of a file lie: in a file of its own, or in an archive, under up to two layers of compression.

/** A stretch of a file on disk, and how it is packed. */
export interface ByteRegion {
  /** Local path of the file that holds it. */
  readonly path: string;
  readonly offset: number;
  readonly length: number;
  /** How to unpack it, outermost first: [] plain, ["gzip"], ["deflate"] (raw, as zips have it), ["deflate", "gzip"]. */
  readonly layers: readonly ("deflate" | "gzip")[];
  /** For messages and pages: the name within the matrix, e.g. "matrix.mtx.gz" or "x.mtx/matrix.mtx.gz". Never a local path. */
  readonly name: string;
  /** What the archive says of the bytes after its own layer; null outside of archives. Reading checks it. */
  readonly claimed: { readonly bytes: number; readonly crc32: number } | null;
}

/** One MatrixMarket file with what its tables say; a matrix may have several, whose cells follow each other or are the same. */
export interface MtxPart {
  readonly matrix: ByteRegion;
  /** Rows of its gene table and of its cell table. */
  readonly genes: number;
  readonly cells: number;
  /** Index of each of its genes in the whole matrix's table; null where they are the same. */
  readonly geneMap: Uint32Array | null;
  /** Index of its first cell among all cells; where it shares cells with other parts, of the first of them all. */
  readonly firstCell: number;
  /** Where each of its cells lies, counted from firstCell; null where they follow each other. */
  readonly cellMap: Uint32Array | null;
}
