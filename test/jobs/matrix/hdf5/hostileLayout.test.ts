// Files that lack parts, or whose parts do not fit each other: each is named with what is missing or wrong.

import { describe, expect, test } from "vitest";

import { names, sparse, tables, type Tree } from "./hdf5Files.ts";
import { integers, problemOfTree, reals, ROWS, withX } from "./hostileFiles.ts";

/** A file that claims a shape, without the table of cells that would tell otherwise. */
function ofShape(cells: number, genes: number): Tree {
  const claimed = { "encoding-type": "csr_matrix", shape: [cells, genes] };
  return { ...tables(2, 3), obs: {}, X: sparse(ROWS, 3, { "@": claimed }) };
}

describe("openHdf5(path, name, options): what is wrong with a layout", () => {
  test.each<[string, Tree, string, string]>([
    [
      "a matrix without its offsets",
      {
        ...tables(2, 3),
        X: {
          "@": { "encoding-type": "csr_matrix", shape: [2, 3] },
          data: integers(1),
          indices: integers(1),
        },
      },
      "M_INCOMPLETE",
      "m.h5ad: X/indptr is missing",
    ],
    [
      "a shape the other way round",
      { ...tables(3, 2), X: sparse(ROWS, 3) },
      "M_HEADER",
      "m.h5ad: X is 2 cells × 3 genes, but its tables have 3 cells and 2 genes; it lies the other way round",
    ],
    [
      "more cells than the table has",
      { ...tables(1, 3), X: sparse(ROWS, 3) },
      "M_HEADER",
      "m.h5ad: X is 2 cells × 3 genes, but its tables have 1 cells and 3 genes",
    ],
    [
      "no shape",
      withX({ "@": { "encoding-type": "csr_matrix" } }),
      "M_HEADER",
      "m.h5ad: X does not say its shape",
    ],
    [
      "a size beyond all bounds",
      ofShape(2e9, 3),
      "M_TOO_LARGE",
      "m.h5ad: it claims 2,000,000,000 cells; up to 50,000,000 can be read",
    ],
    [
      "a cell beyond the most",
      ofShape(50_000_001, 3),
      "M_TOO_LARGE",
      "m.h5ad: it claims 50,000,001 cells; up to 50,000,000 can be read",
    ],
    [
      "the most cells, which are not there",
      ofShape(50_000_000, 3),
      "M_HEADER",
      "m.h5ad: X/indptr has 3 offsets, but 50,000,000 cells need 50,000,001",
    ],
    [
      "a gene beyond the most",
      ofShape(2, 4_000_001),
      "M_TOO_LARGE",
      "m.h5ad: it claims 4,000,001 genes; up to 4,000,000 can be read",
    ],
    [
      "an unknown encoding",
      withX({ "@": { "encoding-type": "awkward-array", shape: [2, 3] } }),
      "M_FORMAT",
      "m.h5ad: X is encoded as awkward-array; csr_matrix, csc_matrix and dense arrays can be read",
    ],
    [
      "no encoding",
      withX({ "@": { shape: [2, 3] } }),
      "M_FORMAT",
      "m.h5ad: X does not say how it is encoded",
    ],
    [
      "no gene table",
      { obs: tables(2, 3).obs, X: sparse(ROWS, 3) },
      "M_TABLE",
      "m.h5ad: there is no gene table for X: var is missing or empty",
    ],
    [
      "no matrix",
      { ...tables(2, 3), obsm: {} },
      "M_INCOMPLETE",
      "m.h5ad: there is no matrix; raw/X, X and layers of counts were looked for",
    ],
    [
      "a column that is too short",
      {
        ...tables(2, 3),
        var: { _index: { data: names("gene", 3) }, feature_name: { data: names("gene", 2) } },
        X: sparse(ROWS, 3),
      },
      "M_TABLE",
      "m.h5ad: var/feature_name has 2 rows, but the matrix has 3",
    ],
    [
      "a column with two dimensions",
      {
        ...tables(2, 3),
        obs: {
          _index: { data: names("cell", 2) },
          assay: { data: Int32Array.of(1, 2), shape: [2, 1] },
        },
        X: sparse(ROWS, 3),
      },
      "M_TABLE",
      "m.h5ad: obs/assay is not a column of texts or numbers",
    ],
    [
      "logarithms only",
      withX({ data: reals(0.69, 1.1, 3.4) }),
      "M_NOT_COUNTS",
      "m.h5ad: X holds logarithms or other transformed values, not counts: 3 of 3 values are not whole, the largest is 3.4",
    ],
    [
      "logarithms everywhere, by gene",
      {
        ...withX({ data: reals(0.69, 1.1, 3) }, "csc"),
        raw: { X: sparse(ROWS, 3, { data: reals(0.69, 1.1, 3) }, "csc"), var: tables(2, 3).var },
      },
      "M_NOT_COUNTS",
      "m.h5ad: raw/X holds logarithms or other transformed values, not counts: 2 of 3 values are not whole, the largest is 3; X holds none either",
    ],
    [
      "a loom without genes",
      { matrix: { data: Int16Array.from([1, 0, 2, 0]), shape: [2, 2] }, row_attrs: {} },
      "M_TABLE",
      "m.h5ad: there is no gene table: row_attrs has neither Gene nor Accession nor another of their names",
    ],
    [
      "a loom with one dimension",
      { matrix: integers(1, 2), row_attrs: {} },
      "M_HEADER",
      "m.h5ad: matrix has 1 dimensions instead of 2",
    ],
    [
      "something else",
      { one: {}, two: integers(1) },
      "M_FORMAT",
      "m.h5ad: it is an HDF5 file, but neither .h5ad nor 10x .h5 nor .loom: at its top are one, two",
    ],
    [
      "nothing",
      {},
      "M_FORMAT",
      "m.h5ad: it is an HDF5 file, but neither .h5ad nor 10x .h5 nor .loom: at its top are no groups",
    ],
  ])("names %s", async (_, tree, rule, message) => {
    expect(await problemOfTree(tree)).toEqual([rule, message]);
  });

  const nameless = {
    shape: integers(3, 2),
    data: integers(1, 2, 30),
    indices: integers(0, 2, 1),
    indptr: integers(0, 2, 3),
  };
  const tenx = { ...nameless, barcodes: { data: names("cell", 2) } };
  const features = { id: { data: names("id", 3) }, name: { data: names("name", 3) } };
  test.each<[string, Tree, string, string]>([
    [
      "a 10x file without a shape",
      { matrix: { features, data: tenx.data, indices: tenx.indices, indptr: tenx.indptr } },
      "M_INCOMPLETE",
      "m.h5ad: matrix/shape is missing",
    ],
    [
      "a 10x file with a shape of three numbers",
      { matrix: { ...tenx, features, shape: integers(3, 2, 1) } },
      "M_HEADER",
      "m.h5ad: matrix/shape is not the two numbers of a shape",
    ],
    [
      "a 10x file with a negative shape",
      { matrix: { ...tenx, features, shape: integers(-3, 2) } },
      "M_HEADER",
      "m.h5ad: matrix/shape is -3 × 2",
    ],
    [
      "a 10x file with more cells than can be held",
      {
        matrix: {
          features,
          data: tenx.data,
          indices: tenx.indices,
          indptr: tenx.indptr,
          shape: integers(3, 50_000_001),
        },
      },
      "M_TOO_LARGE",
      "m.h5ad: it claims 50,000,001 cells; up to 50,000,000 can be read",
    ],
    [
      "a 10x file with other barcodes",
      { matrix: { ...tenx, features, barcodes: { data: names("cell", 4) } } },
      "M_HEADER",
      "m.h5ad: matrix is 2 cells × 3 genes, but its tables have 4 cells and 3 genes",
    ],
    [
      "a 10x file without ids",
      { matrix: { ...tenx, features: { name: features.name } } },
      "M_TABLE",
      "m.h5ad: there is no gene table: matrix/features/id is missing",
    ],
    [
      "a 10x file without gene expression",
      {
        matrix: {
          ...tenx,
          features: { ...features, feature_type: { data: ["Peaks", "Peaks", "Peaks"] } },
        },
      },
      "M_TABLE",
      "m.h5ad: none of its 3 features is of the type Gene Expression",
    ],
    [
      "several genomes of the same genes",
      {
        hg19: {
          ...tenx,
          genes: features.id,
          gene_names: features.name,
          barcodes: { data: names("cell", 2) },
        },
        mm10: {
          ...tenx,
          genes: features.id,
          gene_names: features.name,
          barcodes: { data: names("cell", 2) },
        },
      },
      "M_FORMAT",
      "m.h5ad: it holds 2 matrices (hg19, mm10), which have genes in common; one can be read",
    ],
    [
      "several genomes without barcodes",
      {
        hg19: { ...nameless, genes: features.id, gene_names: features.name },
        mm10: { ...nameless, genes: { data: names("mouse", 3) } },
      },
      "M_FORMAT",
      "m.h5ad: it holds 2 matrices (hg19, mm10), whose cells have no barcodes to be joined by; one can be read",
    ],
    [
      "several genomes, one of which names a barcode twice",
      {
        hg19: { ...tenx, genes: features.id, barcodes: { data: ["a", "a"] } },
        mm10: { ...tenx, genes: { data: names("mouse", 3) }, barcodes: { data: ["a", "b"] } },
      },
      "M_FORMAT",
      "m.h5ad: it holds 2 matrices (hg19, mm10), one of which names a barcode twice; one can be read",
    ],
  ])("names %s", async (_, tree, rule, message) => {
    expect(await problemOfTree(tree)).toEqual([rule, message]);
  });
});
