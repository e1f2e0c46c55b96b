// Categories and row names that may be missing, as AnnData writes pandas' nullable texts.

import { join } from "node:path";

import { describe, expect, test } from "vitest";

import {
  cellsOf,
  make,
  makeScratch,
  names,
  ODD,
  readAll,
  sparse,
  tables,
  type Tree,
  writeHdf5,
} from "./hdf5Files.ts";
import { problemOf } from "./hostileFiles.ts";

const ASSAY = "library_preparation_protocol.library_construction_approach";

function nullable(values: string[], mask: readonly number[]): Tree {
  return { values: { data: values }, mask: { data: Uint8Array.from(mask) } };
}

function fileWith(categories: Tree[string]): Tree {
  return {
    obs: {
      "@": { _index: "barcode" },
      barcode: nullable(names("cell", 5), [0, 0, 0, 0, 0]),
      [ASSAY]: { codes: { data: Int8Array.from([0, 1, 1, 2, -1]) }, categories },
    },
    var: { "@": { _index: "gene" }, gene: nullable(names("gene", 4), [0, 0, 0, 0]) },
    X: sparse(ODD, 4),
  };
}

describe("openHdf5(path, name, options): nullable texts", () => {
  test("reads categories with a mask; what is marked as missing is not stated", async () => {
    const categories = nullable(["10x 3' v3", "Smart-seq2", "masked"], [0, 0, 1]);
    await make(fileWith(categories), async (reader) => {
      expect(reader.cells.approaches.map(({ key }) => key)).toEqual(["10X", "SS2", "unknown"]);
      expect(reader.cells.approachOf).toEqual(Uint8Array.from([0, 1, 1, 2, 2]));
      expect(reader.genes.symbols).toEqual(names("gene", 4));
      expect((await readAll(reader)).cells).toEqual(cellsOf(ODD));
    });
  });

  test("passes over a column whose categories are a group of something else", async () => {
    const other: Tree = { something: { data: Int8Array.from([1]) } };
    await make(fileWith(other), async (reader) => {
      expect(reader.cells.approaches.map(({ key }) => key)).toEqual(["unknown"]);
    });
  });

  test("says that a mask does not fit its categories", async () => {
    await using scratch = await makeScratch();
    const tree = fileWith(nullable(["10x 3' v3", "Smart-seq2", "masked"], [0, 0]));
    const path = await writeHdf5(join(scratch.dir, "m.h5ad"), { ...tables(5, 4), ...tree });
    expect(await problemOf(path)).toEqual([
      "M_TABLE",
      `m.h5ad: obs/${ASSAY} has 3 categories, but marks 2 as there or missing`,
    ]);
  });
});
