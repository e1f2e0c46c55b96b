// Writes counts as HDF5: an .h5ad as AnnData writes it, and a .loom as loompy does.

import { readFile, writeFile } from "node:fs/promises";

import type { File, Group } from "h5wasm/node";

import type { CellCounts } from "./matrixCells.ts";

/** Values a chunk: AnnData lets HDF5 guess, which comes to this order. */
const CHUNK = 16_384;
/** Loompy's own. */
const LOOM_CHUNK = 64;
const GZIP_LEVEL = 4;

/** Writes an .h5ad: log-normalised values of the most telling genes in X, the counts of all genes in raw/X. */
export async function writeH5ad(path: string, made: CellCounts): Promise<void> {
  await writeFileOf(path, (file) => {
    const { genes, cells } = made;
    const telling = tellingGenes(made);
    attributes(file, { "encoding-type": "anndata", "encoding-version": "0.1.0" });
    writeCsr(file.create_group("X"), logNormalised(made, telling), telling.length);
    const raw = file.create_group("raw");
    const values = Float32Array.from(made.counts);
    writeCsr(raw.create_group("X"), { ...made, values }, genes.length);
    writeVar(raw.create_group("var"), genes);
    writeVar(
      file.create_group("var"),
      telling.flatMap((gene) => genes[gene] ?? []),
    );
    const obs = frame(file.create_group("obs"), ["assay", "cell_type"]);
    obs.create_dataset({ name: "_index", data: cells.map(({ barcode }) => barcode) });
    writeCategories(
      obs,
      "assay",
      cells.map(({ approach }) => approach),
    );
    writeCategories(
      obs,
      "cell_type",
      cells.map(({ kind }) => kind),
    );
    for (const name of ["obsm", "varm", "layers", "uns"]) {
      attributes(file.create_group(name), { "encoding-type": "dict", "encoding-version": "0.1.0" });
    }
  });
}

/** Writes a .loom: genes × cells, dense, in square chunks. */
export async function writeLoom(path: string, made: CellCounts): Promise<void> {
  await writeFileOf(path, (file) => {
    const { genes, cells, starts, geneOf, counts } = made;
    const dense = new Int32Array(genes.length * cells.length);
    for (let cell = 0; cell < cells.length; cell++) {
      for (let at = starts[cell] ?? 0; at < (starts[cell + 1] ?? 0); at++) {
        dense[(geneOf[at] ?? 0) * cells.length + cell] = counts[at] ?? 0;
      }
    }
    file.create_dataset({
      name: "matrix",
      data: dense,
      shape: [genes.length, cells.length],
      chunks: [Math.min(LOOM_CHUNK, genes.length), Math.min(LOOM_CHUNK, cells.length)],
      compression: GZIP_LEVEL,
    });
    const settings = file.create_group("attrs");
    settings.create_dataset({ name: "LOOM_SPEC_VERSION", data: "3.0.0" });
    const rows = file.create_group("row_attrs");
    strings(
      rows,
      "Accession",
      genes.map(({ id }) => id),
    );
    strings(
      rows,
      "Gene",
      genes.map(({ symbol }) => symbol),
    );
    const columns = file.create_group("col_attrs");
    strings(
      columns,
      "CellID",
      cells.map(({ barcode }) => barcode),
    );
    strings(
      columns,
      "assay",
      cells.map(({ approach }) => approach),
    );
    for (const name of ["layers", "row_graphs", "col_graphs"]) file.create_group(name);
  });
}

interface Sparse {
  readonly starts: Uint32Array;
  readonly geneOf: Uint32Array;
  readonly values: Float32Array;
}

function writeCsr(group: Group, { starts, geneOf, values }: Sparse, genes: number): void {
  attributes(group, { "encoding-type": "csr_matrix", "encoding-version": "0.1.0" });
  group.create_attribute("shape", [starts.length - 1, genes], null, "<q");
  const chunks = { chunks: [Math.min(CHUNK, values.length)], compression: GZIP_LEVEL };
  group.create_dataset({ name: "data", data: values, ...chunks });
  group.create_dataset({ name: "indices", data: Int32Array.from(geneOf), ...chunks });
  group.create_dataset({ name: "indptr", data: Int32Array.from(starts) });
}

/** The genes that vary most for their mean: an eighth of them, about as many as people keep in X. */
function tellingGenes({ genes, cells, geneOf, counts }: CellCounts): readonly number[] {
  const sums = new Float64Array(genes.length);
  const squares = new Float64Array(genes.length);
  geneOf.forEach((gene, at) => {
    const count = counts[at] ?? 0;
    sums[gene] = (sums[gene] ?? 0) + count;
    squares[gene] = (squares[gene] ?? 0) + count * count;
  });
  const score = Array.from(sums, (sum, gene) => {
    const mean = sum / cells.length;
    return mean === 0 ? 0 : ((squares[gene] ?? 0) / cells.length - mean * mean) / mean;
  });
  return Array.from(genes.keys())
    .sort((a, b) => (score[b] ?? 0) - (score[a] ?? 0) || a - b)
    .slice(0, Math.ceil(genes.length / 8))
    .sort((a, b) => a - b);
}

function logNormalised(made: CellCounts, kept: readonly number[]): Sparse {
  const { starts, geneOf, counts } = made;
  const placeOf = new Int32Array(made.genes.length).fill(-1);
  kept.forEach((gene, place) => (placeOf[gene] = place));
  const places: number[] = [];
  const values: number[] = [];
  const newStarts = new Uint32Array(starts.length);
  for (let cell = 0; cell + 1 < starts.length; cell++) {
    const [from = 0, to = 0] = [starts[cell], starts[cell + 1]];
    let total = 0;
    for (let at = from; at < to; at++) total += counts[at] ?? 0;
    for (let at = from; at < to; at++) {
      const place = placeOf[geneOf[at] ?? 0] ?? -1;
      if (place < 0) continue;
      places.push(place);
      values.push(Math.log1p(((counts[at] ?? 0) / total) * 10_000));
    }
    newStarts[cell + 1] = values.length;
  }
  return {
    starts: newStarts,
    geneOf: Uint32Array.from(places),
    values: Float32Array.from(values),
  };
}

function writeVar(group: Group, genes: CellCounts["genes"]): void {
  frame(group, ["feature_name"]);
  group.create_dataset({ name: "_index", data: genes.map(({ id }) => id) });
  group.create_dataset({ name: "feature_name", data: genes.map(({ symbol }) => symbol) });
}

/** Marks a group as a data frame with these columns. */
function frame(group: Group, columns: readonly string[]): Group {
  attributes(group, {
    "encoding-type": "dataframe",
    "encoding-version": "0.2.0",
    _index: "_index",
  });
  group.create_attribute("column-order", [...columns]);
  return group;
}

function writeCategories(group: Group, name: string, values: readonly string[]): void {
  const categories = [...new Set(values)].sort();
  const column = group.create_group(name);
  attributes(column, { "encoding-type": "categorical", "encoding-version": "0.2.0" });
  column.create_attribute("ordered", 0, null, "<b");
  const codeOf = new Map(categories.map((category, code) => [category, code]));
  const codes = Int8Array.from(values, (value) => codeOf.get(value) ?? -1);
  column.create_dataset({ name: "codes", data: codes });
  column.create_dataset({ name: "categories", data: categories });
}

function attributes(of: Group | File, values: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(values)) of.create_attribute(name, value);
}

/** Writes strings of a fixed length, as loompy does. */
function strings(group: Group, name: string, data: string[]): void {
  const longest = Math.max(1, ...data.map((text) => Buffer.byteLength(text)));
  group.create_dataset({ name, data, dtype: `S${longest}` });
}

async function writeFileOf(path: string, fill: (file: File) => void): Promise<void> {
  const hdf5 = await import("h5wasm/node");
  // Without it a full disk would pass unseen.
  (await hdf5.ready).activate_throwing_error_handler();
  const file = new hdf5.File(path, "w");
  try {
    fill(file);
  } finally {
    file.close();
  }
  await writeFile(path, withoutTimes(await readFile(path)));
}

/**
 * A modification time among a dataset's messages: type 18, 8 bytes of content, no flags, version 1. HDF5 writes them unasked, and
 * with them no two files would be alike.
 */
const TIME_MESSAGE = Buffer.from([0x12, 0, 8, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
const TIME_BYTES = 4;

function withoutTimes(bytes: Buffer): Buffer {
  for (let at = bytes.indexOf(TIME_MESSAGE); at >= 0; at = bytes.indexOf(TIME_MESSAGE, at + 1)) {
    bytes.fill(0, at + TIME_MESSAGE.length, at + TIME_MESSAGE.length + TIME_BYTES);
  }
  return bytes;
}
