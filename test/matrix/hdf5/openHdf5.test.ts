import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { openHdf5 } from "../../../src/matrix/hdf5/openHdf5.ts";
import type { MatrixReader } from "../../../src/matrix/matrix.ts";
import {
  cellsOf,
  compress,
  FIXTURES,
  makeDice,
  makeScratch,
  names,
  ODD_FIXTURES,
  readAll,
  readNaively,
  sparse,
  type Table,
  tables,
  transpose,
  type Tree,
  writeHdf5,
} from "./hdf5Files.ts";

const KNOWN = JSON.parse(readFileSync(join(FIXTURES, "expected.json"), "utf8")) as {
  readonly whole: {
    readonly n_counts: readonly number[];
    readonly n_genes: readonly number[];
    readonly n_cells_per_gene: readonly number[];
    readonly entries: number;
  };
};

/** What the files that h5py made hold (test/fixtures/matrix-hdf5/make.py). */
const ODD: Table = [
  [1, 0, 2, 0],
  [0, 0, 0, 0],
  [0, 300, 0, 4],
  [5, 0, 0, 0],
  [0, 0, 70_000, 6],
];

async function open(path: string, scratchDir = "", approaches: readonly string[] = []) {
  const { signal } = new AbortController();
  return openHdf5(path, "the file", { scratchDir, signal, approaches });
}

/** Opens, uses and closes. */
async function using<T>(
  path: string,
  use: (reader: MatrixReader) => Promise<T>,
  approaches: readonly string[] = [],
): Promise<T> {
  await using scratch = await makeScratch();
  const reader = await open(path, scratch.dir, approaches);
  try {
    return await use(reader);
  } finally {
    await reader.close();
    expect(await readdir(scratch.dir)).toEqual([]);
  }
}

async function make<T>(tree: Tree, use: (reader: MatrixReader) => Promise<T>): Promise<T> {
  await using scratch = await makeScratch();
  return await using(await writeHdf5(join(scratch.dir, "made.h5"), tree), use);
}

describe("openHdf5(path, name, options)", () => {
  test.each([
    ["csr.h5ad", "h5ad"],
    ["csc.h5ad", "h5ad"],
    ["dense.h5ad", "h5ad"],
    ["raw.h5ad", "h5ad"],
    ["tenx.h5", "10x-h5"],
    ["cells.loom", "loom"],
  ])("reads %s as the known answers have it, twice alike", async (file, format) => {
    await using(join(FIXTURES, file), async (reader) => {
      expect(reader.format).toBe(format);
      expect(reader.cells.count).toBe(240);
      const first = await readAll(reader);
      const perGene = new Array<number>(600).fill(0);
      for (const cell of first.cells) {
        for (const gene of cell.keys()) perGene[gene] = (perGene[gene] ?? 0) + 1;
      }
      expect(first.cells.map((cell) => [...cell.values()].reduce((a, b) => a + b, 0))).toEqual(
        KNOWN.whole.n_counts,
      );
      expect(first.cells.map(({ size }) => size)).toEqual(KNOWN.whole.n_genes);
      expect(perGene).toEqual(KNOWN.whole.n_cells_per_gene);
      expect(first.summary).toEqual({
        entries: KNOWN.whole.entries,
        duplicates: 0,
        rounded: 0,
      });
      expect(await readAll(reader)).toEqual(first);
      expect(reader.genes.ids[0]).toBe("ENSG00000000000");
      expect(reader.genes.symbols.slice(0, 2)).toEqual(["GENE0", "GENE1"]);
      expect(reader.genes.isMito.reduce((a, b) => a + b)).toBe(10);
      expect(reader.notes()).toEqual([
        {
          rule: "M_SYMBOLS",
          severity: "info",
          message:
            "the file: 1 gene has a symbol that occurred before and was renamed, e.g. the second GENE299 is now GENE299-1",
        },
      ]);
    });
  });

  test("gives the same cells and counts as reading everything at once", async () => {
    const read = (file: string, set: string) => readNaively(join(FIXTURES, file), set);
    const cells = (dense: readonly number[], at: (cell: number, gene: number) => number): Table =>
      Array.from({ length: 240 }, (_, cell) =>
        Array.from({ length: 600 }, (__, gene) => dense[at(cell, gene)] ?? 0),
      );
    const dense = await read("dense.h5ad", "/X");
    const expected = cellsOf(cells(dense, (cell, gene) => cell * 600 + gene));
    const loom = await read("cells.loom", "/matrix");
    expect(cellsOf(cells(loom, (cell, gene) => gene * 240 + cell))).toEqual(expected);
    for (const [file, group] of [
      ["csr.h5ad", "/X"],
      ["raw.h5ad", "/raw/X"],
      ["tenx.h5", "/matrix"],
    ] as const) {
      const indptr = await read(file, `${group}/indptr`);
      const indices = await read(file, `${group}/indices`);
      const data = await read(file, `${group}/data`);
      const naive = indptr.slice(1).map((end, cell) => {
        const from = indptr[cell] ?? 0;
        return new Map(indices.slice(from, end).map((gene, at) => [gene, data[from + at] ?? 0]));
      });
      expect(naive).toEqual(expected);
    }
    for (const file of [
      "csr.h5ad",
      "csc.h5ad",
      "dense.h5ad",
      "raw.h5ad",
      "tenx.h5",
      "cells.loom",
    ]) {
      const { cells: found } = await using(join(FIXTURES, file), (reader) => readAll(reader));
      expect(found).toEqual(expected);
    }
  });

  test.each([
    ["lzf.h5ad", "LZF with shuffle and checksum"],
    ["anndata-0.6.h5ad", "tables of compound rows, raw counts in raw.X"],
    ["compound-text.h5ad", "texts of variable length in compound rows"],
    ["anndata-0.7.h5ad", "categories beside the columns"],
    ["nullable.h5ad", "texts with a mask"],
    ["bigendian.h5ad", "the other order of bytes"],
  ])("reads %s: %s", async (file) => {
    await using(join(ODD_FIXTURES, file), async (reader) => {
      const { cells, summary } = await readAll(reader);
      expect(cells).toEqual(cellsOf(ODD));
      expect(summary).toEqual({ entries: 7, duplicates: 0, rounded: 0 });
      expect(reader.genes).toEqual({
        ids: ["ENSG01", "ENSG02", "ENSG03", "ENSG04"],
        symbols: ["CST3", "MT-ND1", "ACTB", "GAPDH"],
        isMito: Uint8Array.of(0, 1, 0, 0),
      });
    });
  });

  test.each([
    ["anndata-0.6.h5ad", [0, 0, 1, 0, 1]],
    ["anndata-0.7.h5ad", [0, 0, 1, 0, 1]],
    ["compound-text.h5ad", [0, 0, 1, 0, 1]],
    ["nullable.h5ad", [0, 0, 1, 0, 2]],
  ])("takes the approaches of %s from its cell table", async (file, approachOf) => {
    await using(join(ODD_FIXTURES, file), async ({ cells }) => {
      expect(cells.approachOf).toEqual(Uint8Array.from(approachOf));
      expect(cells.approaches.slice(0, 2)).toEqual([
        { key: "10X", label: "10x 3' v3" },
        { key: "SS2", label: "Smart-seq2" },
      ]);
    });
  });

  test("takes the one approach of the project where the file names none", async () => {
    const { cells } = await using(join(FIXTURES, "csr.h5ad"), async (reader) => reader, [
      "Smart-seq2",
    ]);
    expect(cells).toEqual({
      count: 240,
      approaches: [{ key: "SS2", label: "Smart-seq2" }],
      approachOf: null,
    });
  });

  test("inflates LZF where it compressed", async () => {
    const { cells } = await using(join(ODD_FIXTURES, "lzf-repeated.h5ad"), (reader) =>
      readAll(reader),
    );
    const row = Array.from({ length: 64 }, (_, gene) => Math.floor(gene / 32) + 1);
    expect(cells).toEqual(cellsOf(new Array<number[]>(100).fill(row)));
  });

  test("reads a loom of version 3: numbers as ids, the approach from the file's attributes", async () => {
    await using(join(ODD_FIXTURES, "version3.loom"), async (reader) => {
      expect((await readAll(reader)).cells).toEqual(cellsOf(ODD));
      expect(reader.genes.ids).toEqual(["101", "102", "103", "104"]);
      expect(reader.genes.symbols).toEqual(["CST3", "MT-ND1", "ACTB", "GAPDH"]);
      expect(reader.cells.approaches).toEqual([{ key: "10X", label: "10X v2 sequencing" }]);
    });
  });

  test("reads a file that begins with a block of the user's", async () => {
    const { cells } = await using(join(ODD_FIXTURES, "userblock.loom"), (reader) =>
      readAll(reader),
    );
    expect(cells).toEqual(cellsOf(ODD));
  });

  test("takes counts from layers where X and raw hold logarithms", async () => {
    const logs = ODD.map((row) => row.map((value) => Math.log1p(value)));
    const tree = {
      ...tables(5, 4),
      X: sparse(logs, 4),
      raw: { X: sparse(logs, 4), ...tables(5, 4) },
      layers: { counts: sparse(ODD, 4) },
    };
    await make(tree, async (reader) => {
      expect((await readAll(reader)).cells).toEqual(cellsOf(ODD));
      expect(reader.notes()).toEqual([
        {
          rule: "M_NOT_COUNTS",
          severity: "info",
          message: "the file: raw/X does not hold counts; they were taken from layers/counts",
        },
      ]);
    });
  });

  test("takes counts from X where layers hold what was scaled", async () => {
    const scaled = ODD.map((row) => row.map((value) => value - 0.5));
    const tree = { ...tables(5, 4), X: sparse(ODD, 4), layers: { counts: sparse(scaled, 4) } };
    await make(tree, async (reader) => {
      expect((await readAll(reader)).cells).toEqual(cellsOf(ODD));
    });
  });

  test("reads raw counts of more genes than X has", async () => {
    const tree = {
      obs: tables(5, 4).obs,
      var: tables(5, 2).var,
      X: sparse(
        ODD.map((row) => row.slice(0, 2).map(Math.sqrt)),
        2,
      ),
      raw: { X: sparse(ODD, 4), var: tables(5, 4).var },
    };
    await make(tree, async (reader) => {
      expect((await readAll(reader)).cells).toEqual(cellsOf(ODD));
      expect(reader.genes.ids).toEqual(["gene1", "gene2", "gene3", "gene4"]);
    });
  });

  test.each([
    ["int8", Int8Array.from([1, 0, 127, 0])],
    ["uint8", Uint8Array.from([1, 0, 255, 0])],
    ["int16", Int16Array.from([1, 0, 32_767, 0])],
    ["uint16", Uint16Array.from([1, 0, 65_535, 0])],
    ["int32", Int32Array.from([1, 0, 2_147_483_647, 0])],
    ["uint32", Uint32Array.from([1, 0, 4_294_967_295, 0])],
    ["int64", BigInt64Array.from([1n, 0n, 4_294_967_295n, 0n])],
    ["uint64", BigUint64Array.from([1n, 0n, 4_294_967_295n, 0n])],
    ["float32", Float32Array.from([1, -0, 16_777_216, 0])],
    ["float64", Float64Array.from([1, -0, 4_294_967_295, 0])],
  ])("reads whole counts of type %s", async (_, data) => {
    const largest = Number(data[2]);
    const dense = { ...tables(2, 2), X: { data, shape: [2, 2] } };
    const expected = cellsOf([
      [1, 0],
      [largest, 0],
    ]);
    await make(dense, async (reader) => {
      expect((await readAll(reader)).cells).toEqual(expected);
    });
    // The same values as entries: zeros among them are dropped.
    const parts = {
      data: { data },
      indices: { data: Int32Array.from([0, 1, 0, 1]) },
      indptr: { data: BigInt64Array.from([0n, 2n, 4n]) },
    };
    await make({ ...tables(2, 2), X: sparse([[], []], 2, parts) }, async (reader) => {
      const { cells, summary } = await readAll(reader);
      expect(cells).toEqual(expected);
      expect(summary).toEqual({ entries: 2, duplicates: 0, rounded: 0 });
    });
  });

  test.each([
    ["int8", Int8Array.from([1, 0, 1, 0])],
    ["uint16", Uint16Array.from([1, 0, 1, 0])],
    ["int64", BigInt64Array.from([1n, 0n, 1n, 0n])],
  ])("reads indices of type %s, in any order within a cell", async (_, indices) => {
    const parts = {
      data: { data: Float32Array.from([1, 2, 3, 4]) },
      indices: { data: indices },
      indptr: { data: Int32Array.from([0, 2, 4]) },
    };
    await make({ ...tables(2, 2), X: sparse([[], []], 2, parts) }, async (reader) => {
      expect((await readAll(reader)).cells).toEqual(
        cellsOf([
          [2, 1],
          [4, 3],
        ]),
      );
    });
  });

  test("adds up duplicates, rounds half to even, and says so", async () => {
    const parts = {
      data: { data: Float64Array.from([1, 40, 2, 0.5, 1.5, 2.5, 3]) },
      indices: { data: Int32Array.from([2, 0, 2, 0, 1, 2, 3]) },
      indptr: { data: Int32Array.from([0, 3, 3, 7]) },
    };
    for (const format of ["csr", "csc"]) {
      const shape = format === "csr" ? [3, 4] : [4, 3];
      const tree = {
        ...tables(shape[0] ?? 0, shape[1] ?? 0),
        X: { ...sparse([], 0, parts), "@": { "encoding-type": `${format}_matrix`, shape } },
      };
      await make(tree, async (reader) => {
        const byRow: Table = [
          [40, 0, 3, 0],
          [0, 0, 0, 0],
          [0, 2, 2, 3],
        ];
        const { cells, summary } = await readAll(reader);
        expect(cells).toEqual(cellsOf(format === "csr" ? byRow : transpose(byRow, 4)));
        expect(summary).toEqual({ entries: 5, duplicates: 1, rounded: 3 });
        expect(reader.notes().map(({ rule, message }) => [rule, message])).toEqual([
          ["M_ROUNDED", "the file: X: 3 values not whole, rounded to the nearest whole count"],
          [
            "M_DUPLICATES",
            "the file: X: 1 entry for a gene and cell that had one before, added up",
          ],
        ]);
      });
    }
  });

  test("leaves out features of 10x that are no genes", async () => {
    const { data, indices, indptr } = compress(ODD);
    const tree = {
      matrix: {
        shape: { data: Int32Array.from([4, 5]) },
        barcodes: { data: names("cell", 5) },
        data: { data: Int32Array.from(data) },
        indices: { data: BigInt64Array.from(indices.map(BigInt)) },
        indptr: { data: BigInt64Array.from(indptr.map(BigInt)) },
        features: {
          id: { data: names("id", 4) },
          name: { data: names("name", 4) },
          feature_type: {
            data: ["Antibody Capture", "Gene Expression", "Gene Expression", "Peaks"],
          },
        },
      },
    };
    await make(tree, async (reader) => {
      expect(reader.genes.ids).toEqual(["id2", "id3"]);
      expect((await readAll(reader)).cells).toEqual(cellsOf(ODD.map((row) => row.slice(1, 3))));
      expect(reader.notes().map(({ message }) => message)).toEqual([
        "the file: 2 features of 4 that are not gene expression (Antibody Capture and Peaks) are left out",
      ]);
    });
  });

  test("reads a 10x file of version 2: a group named like the genome", async () => {
    const { data, indices, indptr } = compress(ODD);
    const tree = {
      GRCh38: {
        shape: { data: Int32Array.from([4, 5]) },
        barcodes: { data: names("cell", 5) },
        data: { data: Int32Array.from(data) },
        indices: { data: Int32Array.from(indices) },
        indptr: { data: Int32Array.from(indptr) },
        genes: { data: names("id", 4) },
        gene_names: { data: names("name", 4) },
      },
    };
    await make(tree, async (reader) => {
      expect(reader.format).toBe("10x-h5");
      expect([reader.genes.ids[3], reader.genes.symbols[3]]).toEqual(["id4", "name4"]);
      expect((await readAll(reader)).cells).toEqual(cellsOf(ODD));
    });
  });

  test("leaves out features that are no genes of dense and gene-major matrices as well", async () => {
    const types = ["Gene Expression", "Peaks", "Gene Expression", "Peaks"];
    const kept = cellsOf(ODD.map(([a = 0, , c = 0]) => [a, c]));
    const { obs, var: genes } = tables(5, 4);
    const dense = { data: Float32Array.from(ODD.flat()), shape: [5, 4] };
    for (const X of [dense, sparse(ODD, 4, {}, "csc")]) {
      const tree = { obs, var: { ...genes, feature_types: { data: types } }, X };
      await make(tree, async (reader) => {
        expect((await readAll(reader)).cells).toEqual(kept);
      });
    }
  });

  test("gives all cells of matrices without cells, with one cell, with one gene, without entries", async () => {
    for (const [cells, genes] of [
      [0, 3],
      [1, 3],
      [3, 1],
      [3, 3],
    ] as const) {
      const rows: Table = Array.from({ length: cells }, () => new Array<number>(genes).fill(0));
      const one: Table = rows.map((row) => row.map(() => 1));
      for (const table of cells === 3 && genes === 3 ? [rows] : [one]) {
        for (const format of ["csr", "csc"]) {
          const tree = { ...tables(cells, genes), X: sparse(table, genes, {}, format) };
          await make(tree, async (reader) => {
            expect((await readAll(reader)).cells).toEqual(cellsOf(table));
          });
        }
        if (cells === 0) continue;
        const X = { data: Float32Array.from(table.flat()), shape: [cells, genes] };
        await make({ ...tables(cells, genes), X }, async (reader) => {
          expect((await readAll(reader)).cells).toEqual(cellsOf(table));
        });
      }
    }
  });

  test("reads matrices larger than a block and a piece, whatever the layout and the chunks", async () => {
    const dice = makeDice(7);
    const cells = 700;
    const genes = 1100;
    const rows: Table = Array.from({ length: cells }, (_, cell) =>
      Array.from({ length: genes }, () =>
        // Every ninth cell is empty; the others are so full that entries need several blocks.
        cell % 9 === 0 || dice() < 0.4 ? 0 : 1 + Math.floor(dice() * dice() * 1000),
      ),
    );
    const expected = cellsOf(rows);
    const byGene = transpose(rows, genes);
    const flat = rows.flat();
    const table = (extra: Tree): Tree => ({ ...tables(cells, genes), ...extra });
    const piecewise = (parts: Tree): Tree => {
      const entries = Object.entries(parts).map(([name, part]) => {
        const chunks = [{ data: 1000, indices: 777 }[name] ?? 100];
        return [name, name === "@" ? part : { ...part, chunks, gzip: 1 }] as const;
      });
      return Object.fromEntries(entries) as Tree;
    };
    const loom = (leaf: Partial<{ chunks: number[]; gzip: number }>): Tree => ({
      matrix: { data: Int16Array.from(byGene.flat()), shape: [genes, cells], ...leaf },
      row_attrs: { Gene: { data: names("gene", genes) } },
    });
    const trees: readonly Tree[] = [
      table({ X: sparse(rows, genes) }),
      table({ X: piecewise(sparse(rows, genes)) }),
      table({ X: piecewise(sparse(rows, genes, {}, "csc")) }),
      table({ X: { data: Float64Array.from(flat), shape: [cells, genes] } }),
      table({
        X: { data: Uint16Array.from(flat), shape: [cells, genes], chunks: [33, 450], gzip: 1 },
      }),
      loom({}),
      loom({ chunks: [64, 64], gzip: 1 }),
      loom({ chunks: [1, cells], gzip: 1 }),
    ];
    for (const tree of trees) {
      await make(tree, async (reader) => {
        const { cells: found, blocks } = await readAll(reader);
        expect(found).toEqual(expected);
        expect(blocks).toBeGreaterThan(0);
      });
    }
  }, 120_000);

  test("warns of values that may be normalised, and calls a gene without a symbol by its id", async () => {
    const tree = {
      obs: tables(2, 3)["obs"],
      var: {
        "@": { _index: "_index" },
        _index: { data: ["A", "", "C"] },
        gene_ids: { data: ["E1", "E2", "E3"] },
      },
      X: sparse(
        [
          [20.5, 0, 30],
          [0, 40.25, 50.75],
        ],
        3,
        {
          data: { data: Float64Array.from([20.5, 30, 40.25, 50.75]) },
        },
      ),
    };
    await make(tree, async (reader) => {
      await readAll(reader);
      expect(reader.genes.symbols).toEqual(["A", "E2", "C"]);
      expect(reader.genes.ids).toEqual(["E1", "E2", "E3"]);
      const note = reader.notes().find(({ rule }) => rule === "M_ROUNDED");
      expect(note).toEqual({
        rule: "M_ROUNDED",
        severity: "warning",
        message:
          "the file: X: 75% of the values are not whole: these may be normalised values rather than counts (3 values rounded to the nearest whole count)",
      });
    });
  });

  test("adds up a cell that has more entries than a block", async () => {
    const total = 450_001;
    const genes = 225_000;
    const parts = {
      data: { data: new Uint8Array(total).fill(1) },
      indices: { data: Int32Array.from({ length: total }, (_, at) => at % 3) },
      indptr: { data: Int32Array.from([0, 1, total, total]) },
    };
    const tree = { ...tables(3, genes), X: sparse([[], [], []], genes, parts) };
    await make(tree, async (reader) => {
      const { cells, summary } = await readAll(reader);
      const rest = Array<number>(genes - 3).fill(0);
      expect(cells).toEqual(
        cellsOf([
          [1, 0, 0, ...rest],
          [150_000, 150_000, 150_000, ...rest],
          [0, 0, 0, ...rest],
        ]),
      );
      expect(summary).toEqual({ entries: 4, duplicates: 449_997, rounded: 0 });
    });
  });

  test("spools a dense matrix whose chunks span so many cells that they do not fit", async () => {
    const cells = 30_000;
    const genes = 300;
    const data = new Float32Array(cells * genes);
    for (let gene = 0; gene < genes; gene++) data[gene * cells + ((gene * 97) % cells)] = gene + 1;
    const tree = {
      matrix: { data, shape: [genes, cells], chunks: [1, cells], gzip: 1 },
      row_attrs: { Gene: { data: names("gene", genes) } },
    };
    await make(tree, async (reader) => {
      const { cells: found, summary } = await readAll(reader);
      expect(found).toHaveLength(cells);
      expect(summary.entries).toBe(genes);
      for (let gene = 0; gene < genes; gene++) {
        expect(found[(gene * 97) % cells]?.get(gene)).toBe(gene + 1);
      }
      expect((await readAll(reader)).summary).toEqual(summary);
    });
  });

  test("reports how much of the file has been read", async () => {
    for (const file of ["csr.h5ad", "csc.h5ad", "cells.loom"]) {
      await using(join(FIXTURES, file), async (reader) => {
        const reports: [number, number][] = [];
        const { signal } = new AbortController();
        const onProgress = (done: number, total: number): void => void reports.push([done, total]);
        await reader.pass(() => undefined, { signal, onProgress });
        const bytes = readFileSync(join(FIXTURES, file)).length;
        expect(reports.at(-1)).toEqual([bytes, bytes]);
      });
    }
  });
});
