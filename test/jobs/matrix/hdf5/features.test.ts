// Features that are no genes, and genomes beside each other, in every HDF5 format.

import { join } from "node:path";

import { describe, expect, test } from "vitest";

import {
  cellsOf,
  compress,
  make,
  makeScratch,
  names,
  ODD,
  readAll,
  sparse,
  type Table,
  tables,
  transpose,
  type Tree,
  writeHdf5,
} from "./hdf5Files.ts";
import { problemOf } from "./hostileFiles.ts";

function tenx(rows: Table, genes: Tree): Tree {
  const { data, indices, indptr } = compress(rows);
  return {
    shape: { data: Int32Array.from([rows[0]?.length ?? 0, rows.length]) },
    data: { data: Int32Array.from(data) },
    indices: { data: Int32Array.from(indices) },
    indptr: { data: Int32Array.from(indptr) },
    ...genes,
  };
}

const filesOf = (types: string[]): readonly Tree[] => {
  const { obs, var: table } = tables(5, 4);
  const ids = { data: names("gene", 4) };
  return [
    { obs, var: { ...table, feature_types: { data: types } }, X: sparse(ODD, 4) },
    { matrix: tenx(ODD, { features: { id: ids, name: ids, feature_type: { data: types } } }) },
    {
      matrix: { data: Int32Array.from(transpose(ODD, 4).flat()), shape: [4, 5] },
      row_attrs: { Gene: ids, feature_types: { data: types } },
    },
  ];
};

describe("openHdf5(path, name, options): features that are no genes", () => {
  test("refuses antibodies alone in every format, by the same words", async () => {
    for (const tree of filesOf(["Antibody Capture", "Antibody Capture", "HTO", "Custom"])) {
      await using scratch = await makeScratch();
      expect(await problemOf(await writeHdf5(join(scratch.dir, "m.h5ad"), tree))).toEqual([
        "M_TABLE",
        "m.h5ad: none of its 4 features is of the type Gene Expression",
      ]);
    }
  });

  test("leaves them out beside genes in every format", async () => {
    const kept = cellsOf(ODD.map(([a = 0, , c = 0]) => [a, c]));
    for (const types of [
      ["Gene Expression", "Peaks", "gene_expression", "Antibody Capture"],
      ["protein_coding", "Peaks", "lncRNA", "ADT"],
    ]) {
      for (const tree of filesOf(types)) {
        await make(tree, async (reader) => {
          expect(reader.genes.symbols).toEqual(["gene1", "gene3"]);
          expect((await readAll(reader)).cells).toEqual(kept);
        });
      }
    }
  });
});

describe("openHdf5(path, name, options): genomes", () => {
  const human: Table = [
    [1, 0, 7],
    [0, 2, 0],
    [3, 0, 0],
  ];
  const mouse: Table = [
    [4, 0],
    [0, 5],
  ];
  const genome = (rows: Table, prefix: string, barcodes: string[]): Tree =>
    tenx(rows, {
      genes: { data: names(`${prefix}_E`, rows[0]?.length ?? 0) },
      gene_names: { data: names(`${prefix}_G`, rows[0]?.length ?? 0) },
      barcodes: { data: barcodes },
    });

  test("joins the genomes of a 10x file by barcode, whatever the order of cells", async () => {
    const tree = {
      hg19: genome(human, "hg19", ["AAA-1", "CCC-1", "GGG-1"]),
      mm10: genome(mouse, "mm10", ["TTT-1", "CCC-1"]),
    };
    await make(tree, async (reader) => {
      expect(reader.format).toBe("10x-h5");
      expect(reader.genes.symbols).toEqual(["hg19_G1", "hg19_G2", "hg19_G3", "mm10_G1", "mm10_G2"]);
      expect(reader.cells.count).toBe(4);
      const expected = cellsOf([
        [1, 0, 7, 0, 0],
        [0, 2, 0, 0, 5],
        [3, 0, 0, 0, 0],
        [0, 0, 0, 4, 0],
      ]);
      const first = await readAll(reader);
      expect(first.cells).toEqual(expected);
      expect(first.summary).toEqual({ entries: 6, duplicates: 0, rounded: 0 });
      expect(await readAll(reader)).toEqual(first);
      expect(reader.notes()).toEqual([
        {
          rule: "M_TABLE",
          severity: "info",
          message:
            "the file: 2 matrices, one for each genome (hg19 and mm10), were joined by their cells' barcodes: 4 cells, 1 of them in all",
        },
      ]);
    });
  });

  test("leaves out what is no gene in each of them", async () => {
    const typed = (rows: Table, prefix: string, types: string[]): Tree =>
      tenx(rows, {
        features: {
          id: { data: names(prefix, rows[0]?.length ?? 0) },
          name: { data: names(prefix, rows[0]?.length ?? 0) },
          feature_type: { data: types },
        },
        barcodes: { data: names("cell", rows.length) },
      });
    const tree = {
      one: typed(human, "h", ["Gene Expression", "Peaks", "Gene Expression"]),
      two: typed(mouse.concat([[6, 0]]), "m", ["Peaks", "Gene Expression"]),
    };
    await make(tree, async (reader) => {
      expect(reader.genes.ids).toEqual(["h1", "h3", "m2"]);
      expect((await readAll(reader)).cells).toEqual(
        cellsOf([
          [1, 7, 0],
          [0, 0, 5],
          [3, 0, 0],
        ]),
      );
    });
  });
});
