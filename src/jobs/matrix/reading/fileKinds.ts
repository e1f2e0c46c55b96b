// Tells what a file is by its first bytes, and by its name where they do not say; and names what cannot be read for people.

import { readHead } from "./boundedRegion.ts";
import type { ByteRegion } from "./region.ts";

/** What a file turned out to be; the region has the layers that its content shows. */
export interface KnownFile {
  readonly kind: "mtx" | "hdf5" | "zip" | "tar" | "damaged" | "other";
  readonly region: ByteRegion;
  /** What it is in words, e.g. "an R object". */
  readonly words: string;
}

/** What can be read, for the end of a message. */
export const READABLE =
  "Can be read: 10x-style MatrixMarket (matrix.mtx with genes.tsv or features.tsv and barcodes.tsv or cells.tsv, .gz or not, in a folder, a zip or a .tar.gz), .h5ad, 10x .h5, .loom.";

/** Enough to see "ustar" of a tar and a MatrixMarket banner, also within gzip. */
const HEAD_BYTES = 4096;
const HDF5_MAGIC = Buffer.from("\x89HDF\r\n\x1a\n", "latin1");
/** A user block of these sizes may precede HDF5's own first bytes. */
const HDF5_OFFSETS = [0, 512, 1024, 2048];

const TAR = "a tar archive";
const BY_CONTENT: readonly (readonly [magic: string, offset: number, words: string])[] = [
  ["BAM\x01", 0, "aligned reads (BAM)"],
  ["CRAM", 0, "aligned reads (CRAM)"],
  ["RDX", 0, "an R object"],
  ["RDA", 0, "an R object"],
  ["X\n\0\0\0", 0, "an R object"],
  ["A\n2\n", 0, "an R object"],
  ["A\n3\n", 0, "an R object"],
  ["B\n\x02\0\0\0", 0, "an R object"],
  ["B\n\x03\0\0\0", 0, "an R object"],
  ["BZh", 0, "packed by bzip2"],
  ["\xfd7zXZ", 0, "packed by xz"],
  ["\x28\xb5\x2f\xfd", 0, "packed by zstd"],
  ["7z\xbc\xaf", 0, "a 7z archive"],
  ["Rar!", 0, "a rar archive"],
  ["%PDF", 0, "a PDF"],
  ["\x93NUMPY", 0, "a NumPy array"],
  ["PAR1", 0, "a Parquet file"],
];
const BY_NAME: readonly (readonly [pattern: RegExp, words: string])[] = [
  [/\.(rds|rda|rdata|robj|qs2?)(\.(gz|bz2|xz|zst))?$/i, "an R object"],
  [/\.(tar|tgz|tbz2?|txz|tar\.(gz|bz2|xz|zst))$/i, TAR],
  [/\.(bam|cram|sam)$/i, "aligned reads"],
  [/\.(fastq|fq)(\.gz)?$/i, "sequencing reads"],
  [/\.(csv|tsv|txt|tab)(\.(gz|bz2|xz|zst))?$/i, "a text table"],
  [/\.xlsx?$/i, "a spreadsheet"],
  [/\.(npz|npy)$/i, "a NumPy array"],
  [/\.(pkl|pickle)$/i, "a Python pickle"],
  [/\.zarr(\/|$)/i, "a Zarr store"],
  [/^\.z(array|group|attrs)$/i, "a Zarr store"],
  [/\.(pdf|docx?|html?|md|png|jpe?g)$/i, "a document"],
  [/(^|\/)readme[^/]*$/i, "a readme"],
];
const MTX_NAME = /\.mtx(\.gz)?$/i;
const HDF5_NAME = /\.(h5ad|h5|hdf5|loom|h5mu)(\.gz)?$/i;

/** Reads a file's head and says what it is; `region` has the layers of its archive only. */
export async function knowFile(region: ByteRegion): Promise<KnownFile> {
  let at = region;
  let head = await readHead(at, HEAD_BYTES);
  const isGzip = head !== null && isPackedByGzip(head);
  if (isGzip) {
    at = { ...region, layers: [...region.layers, "gzip"] };
    head = await readHead(at, HEAD_BYTES);
  }
  if (head === null) {
    return { kind: "damaged", region: at, words: "damaged: its data do not decompress" };
  }
  // Editors on Windows put the mark of UTF-8 before it.
  const start = startsWith(head, "\xef\xbb\xbf", 0) ? 3 : 0;
  if (startsWith(head, "%%MatrixMarket", start))
    return { kind: "mtx", region: at, words: "a matrix" };
  if (HDF5_OFFSETS.some((offset) => head.subarray(offset, offset + 8).equals(HDF5_MAGIC))) {
    return { kind: "hdf5", region: at, words: "an HDF5 file" };
  }
  if (startsWith(head, "PK\x03\x04", 0) || startsWith(head, "PK\x05\x06", 0)) {
    const words = isGzip ? "a zip packed by gzip once more" : "a zip";
    return { kind: isGzip ? "other" : "zip", region: at, words };
  }
  if (isGzip && isPackedByGzip(head)) {
    return { kind: "other", region: at, words: "packed by gzip twice" };
  }
  if (startsWith(head, "ustar", 257)) {
    const words = isGzip ? `${TAR} packed by gzip` : TAR;
    return { kind: "tar", region: at, words };
  }
  const content = BY_CONTENT.find(([magic, offset]) => startsWith(head, magic, offset));
  if (content !== undefined) {
    // What is packed in a way that is not read is known by its name only.
    const named = BY_NAME.find(([pattern]) => pattern.test(region.name));
    const isPacked = content[2].startsWith("packed by") && named !== undefined;
    const words = isPacked ? `${named[1]} ${content[2]}` : content[2];
    return { kind: "other", region: at, words };
  }
  if (MTX_NAME.test(region.name)) return { kind: "mtx", region: at, words: "a matrix" };
  if (HDF5_NAME.test(region.name)) return { kind: "hdf5", region: at, words: "an HDF5 file" };
  if (head.length === 0) return { kind: "other", region: at, words: "an empty file" };
  const words = wordsOfName(region.name);
  const isTar = words === TAR;
  return { kind: "other", region: at, words: isTar ? `called ${TAR}, which it is not` : words };
}

/** Says in words what a file is by its name alone. */
export function wordsOfName(name: string): string {
  const known = BY_NAME.find(([pattern]) => pattern.test(name));
  if (known !== undefined) return known[1];
  const extension = /\.[A-Za-z0-9]{1,10}(\.gz)?$/.exec(name)?.[0];
  return extension === undefined ? "of a kind not known" : `a ${extension} file`;
}

function isPackedByGzip(head: Buffer): boolean {
  return head[0] === 0x1f && head[1] === 0x8b;
}

function startsWith(head: Buffer, magic: string, offset: number): boolean {
  return head.subarray(offset, offset + magic.length).toString("latin1") === magic;
}

/** A file's name does not tell whether it is packed; its first bytes do. */
export async function unpacked(region: ByteRegion): Promise<ByteRegion> {
  return region.layers.includes("gzip") ? region : (await knowFile(region)).region;
}
