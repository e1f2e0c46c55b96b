// Every format and way to write it gives its cells, genes and approaches.

import { readFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { FIXTURES, HDF5_FIXTURES } from "../support/matrixFiles.ts";
import {
  cellsOf,
  compress,
  make,
  names,
  ODD,
  ODD_FIXTURES,
  readAll,
  readNaively,
  sparse,
  type Table,
  tables,
  using,
} from "./hdf5Files.ts";

const KNOWN = JSON.parse(readFileSync(join(FIXTURES, "expected.json"), "utf8")) as {
  readonly whole: {
    readonly n_counts: readonly number[];
    readonly n_genes: readonly number[];
    readonly n_cells_per_gene: readonly number[];
    readonly entries: number;
  };
};

describe("openHdf5(path, name, options)", () => {
  test.each(HDF5_FIXTURES)(
    "reads %s as the known answers have it, twice alike",
    async (file, format) => {
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
    },
  );

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
    for (const [file] of HDF5_FIXTURES) {
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
    ["zstd.h5ad", "zstd"],
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
