// Makes HDF5 files for tests, with the library that also reads them, and reads matrices naively.

import { existsSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { Dataset, File, type Group, ready } from "h5wasm/node";
import { expect } from "vitest";

import { openHdf5 } from "../../../../src/jobs/matrix/hdf5/openHdf5.ts";
import type { MatrixReader, PassSummary } from "../../../../src/jobs/matrix/matrix.ts";

export const ODD_FIXTURES = join(import.meta.dirname, "../../../fixtures/matrix-hdf5");

const PLUGINS = join(dirname(fileURLToPath(import.meta.resolve("h5wasm-plugins"))), "plugins");

type Values =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array
  | string[];

/** A dataset of a file to be made. */
export interface Leaf {
  readonly data: Values;
  readonly shape?: number[];
  readonly chunks?: number[];
  /** Level of gzip. */
  readonly gzip?: number;
  /** Number of another filter, and what it is told. */
  readonly filter?: readonly [id: number, ...options: number[]];
}

/** A link to another file. */
interface Link {
  readonly elsewhere: string;
}

/** A group of a file to be made: datasets, groups, links, and attributes in "@". */
export interface Tree {
  readonly [name: string]: Leaf | Tree | Link | Attributes;
}
type Attributes = Readonly<Record<string, string | number[]>>;

/** Makes a file. */
export async function writeHdf5(path: string, tree: Tree): Promise<string> {
  const library = await ready;
  if (!library.get_plugin_search_paths().includes(PLUGINS)) {
    library.insert_plugin_search_path(PLUGINS, 0);
  }
  const file = new File(path, "w");
  write(file, tree);
  file.close();
  return path;
}

function write(group: Group, tree: Tree): void {
  for (const [name, node] of Object.entries(tree)) {
    if (name === "@") {
      for (const [key, value] of Object.entries(node as Attributes)) {
        group.create_attribute(key, value);
      }
    } else if (isLink(node)) {
      group.create_external_link(node.elsewhere, "/X", name);
    } else if (isLeaf(node)) {
      const { data, shape, chunks, gzip, filter } = node;
      const [id, ...options] = filter ?? [];
      group.create_dataset({
        name,
        data,
        shape: shape ?? [data.length],
        ...(chunks === undefined ? {} : { chunks }),
        ...(gzip === undefined ? {} : { compression: "gzip", compression_opts: gzip }),
        ...(id === undefined ? {} : { compression: id, compression_opts: options }),
      });
    } else {
      write(group.create_group(name), node as Tree);
    }
  }
}

function isLink(node: Tree[string]): node is Link {
  return "elsewhere" in node && typeof node.elsewhere === "string";
}

function isLeaf(node: Tree[string]): node is Leaf {
  return "data" in node && (ArrayBuffer.isView(node.data) || Array.isArray(node.data));
}

/** Cells × genes. */
export type Table = readonly (readonly number[])[];

/** What the files that h5py made hold (test/fixtures/matrix-hdf5/make.py). */
export const ODD: Table = [
  [1, 0, 2, 0],
  [0, 0, 0, 0],
  [0, 300, 0, 4],
  [5, 0, 0, 0],
  [0, 0, 70_000, 6],
];

/** A matrix in parts, row by row. */
export function compress(rows: Table): { data: number[]; indices: number[]; indptr: number[] } {
  const data: number[] = [];
  const indices: number[] = [];
  const indptr = [0];
  for (const row of rows) {
    row.forEach((value, column) => {
      if (value === 0) return;
      data.push(value);
      indices.push(column);
    });
    indptr.push(data.length);
  }
  return { data, indices, indptr };
}

export function transpose(rows: Table, columns: number): Table {
  return Array.from({ length: columns }, (_, column) => rows.map((row) => row[column] ?? 0));
}

/** A sparse matrix as AnnData keeps it; parts replace what follows from the rows. */
export function sparse(rows: Table, genes: number, parts: Tree = {}, format = "csr"): Tree {
  const { data, indices, indptr } = compress(format === "csr" ? rows : transpose(rows, genes));
  return {
    "@": { "encoding-type": `${format}_matrix`, shape: [rows.length, genes] },
    data: { data: Float32Array.from(data) },
    indices: { data: Int32Array.from(indices) },
    indptr: { data: Int32Array.from(indptr) },
    ...parts,
  };
}

/** AnnData's tables. */
export function tables(cells: number, genes: number): { obs: Tree; var: Tree } {
  return {
    obs: { _index: { data: names("cell", cells) } },
    var: { _index: { data: names("gene", genes) } },
  };
}

export function names(stem: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${stem}${index + 1}`);
}

/** What a pass gave: every cell's counts by gene. */
export interface Seen {
  readonly cells: readonly ReadonlyMap<number, number>[];
  readonly blocks: number;
  readonly summary: PassSummary;
}

/** Reads all cells; throws where blocks do not follow each other, or name a gene twice. */
export async function readAll(
  reader: MatrixReader,
  signal = new AbortController().signal,
): Promise<Seen> {
  const cells: Map<number, number>[] = [];
  let blocks = 0;
  const summary = await reader.pass(
    ({ firstCell, cells: count, starts, genes, counts }) => {
      blocks++;
      if (firstCell !== cells.length) throw new Error(`a block starts at ${firstCell}`);
      if (starts.length !== count + 1 || starts[0] !== 0) throw new Error("starts are wrong");
      if (starts[count] !== genes.length || genes.length !== counts.length) {
        throw new Error("lengths differ");
      }
      for (let cell = 0; cell < count; cell++) {
        const from = starts[cell] ?? 0;
        const to = starts[cell + 1] ?? 0;
        const own = new Map<number, number>();
        for (let at = from; at < to; at++) own.set(genes[at] ?? -1, counts[at] ?? 0);
        if (own.size !== to - from) throw new Error("a gene occurs twice in a cell");
        cells.push(own);
      }
    },
    { signal },
  );
  return { cells, blocks, summary };
}

/** What readAll should give for a table. */
export function cellsOf(rows: Table): readonly ReadonlyMap<number, number>[] {
  return rows.map((row) => new Map([...row.entries()].filter(([, value]) => value !== 0)));
}

/** Reads a dataset at once, as numbers. */
export async function readNaively(path: string, dataset: string): Promise<number[]> {
  await ready;
  const file = new File(path, "r");
  const { value } = new Dataset(file.file_id, dataset);
  file.close();
  if (!ArrayBuffer.isView(value)) throw new Error(`${dataset} holds no numbers`);
  return Array.from(value as unknown as ArrayLike<number | bigint>, Number);
}

/** A folder that is removed when the test is over. */
export async function makeScratch(): Promise<AsyncDisposable & { readonly dir: string }> {
  const dir = await mkdtemp(join(tmpdir(), "hdash-hdf5-"));
  return {
    dir,
    async [Symbol.asyncDispose]() {
      await rm(dir, { recursive: true, force: true });
      if (existsSync(dir)) throw new Error("the scratch folder is still there");
    },
  };
}

/** Repeatable numbers between 0 and 1. */
export function makeDice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Opens a file, uses its reader and closes it, which leaves nothing behind. */
export async function using<T>(
  path: string,
  use: (reader: MatrixReader) => Promise<T>,
  approaches: readonly string[] = [],
): Promise<T> {
  await using scratch = await makeScratch();
  const { signal } = new AbortController();
  const reader = await openHdf5(path, "the file", { scratchDir: scratch.dir, signal, approaches });
  try {
    return await use(reader);
  } finally {
    await reader.close();
    expect(await readdir(scratch.dir)).toEqual([]);
  }
}

/** Makes a file and uses its reader. */
export async function make<T>(tree: Tree, use: (reader: MatrixReader) => Promise<T>): Promise<T> {
  await using scratch = await makeScratch();
  return await using(await writeHdf5(join(scratch.dir, "made.h5"), tree), use);
}
