import { copyFile, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { HdashError } from "../../../src/error.ts";
import { openHdf5 } from "../../../src/matrix/hdf5/openHdf5.ts";
import { UnreadableMatrix } from "../../../src/matrix/problem.ts";
import {
  FIXTURES,
  type Leaf,
  makeScratch,
  names,
  ODD_FIXTURES,
  readAll,
  sparse,
  type Table,
  tables,
  type Tree,
  writeHdf5,
} from "./hdf5Files.ts";

const ROWS: Table = [
  [1, 0, 2],
  [0, 30, 0],
];

/** Opens and reads a file; tells the rule and the message of what is wrong with it. */
async function problemOf(path: string): Promise<readonly [string, string]> {
  await using scratch = await makeScratch();
  const { signal } = new AbortController();
  const options = { scratchDir: scratch.dir, signal, approaches: [] };
  try {
    const reader = await openHdf5(path, "m.h5ad", options);
    try {
      await readAll(reader);
    } finally {
      await reader.close();
    }
  } catch (error) {
    if (!(error instanceof UnreadableMatrix)) throw error;
    expect(error.publicly).toBe(error.message);
    expect(error.message).not.toContain(path);
    return [error.rule, error.message];
  } finally {
    expect(await readdir(scratch.dir)).toEqual([]);
  }
  throw new Error("the file was read");
}

async function problemOfTree(tree: Tree): Promise<readonly [string, string]> {
  await using scratch = await makeScratch();
  return await problemOf(await writeHdf5(join(scratch.dir, "made.h5ad"), tree));
}

/** A file with some parts of X replaced. */
function withX(parts: Tree, format = "csr"): Tree {
  return { ...tables(2, 3), X: { ...sparse(ROWS, 3, {}, format), ...parts } };
}

function reals(...data: number[]): Leaf {
  return { data: Float64Array.from(data) };
}

function integers(...data: number[]): Leaf {
  return { data: Int32Array.from(data) };
}

const RANGE = "counts lie between 0 and 4,294,967,295";

describe("openHdf5(path, name, options): what is wrong with a file", () => {
  test.each<[string, Tree, string, string]>([
    [
      "more entries of a cell than there can be",
      withX({
        data: integers(...new Array<number>(8).fill(1)),
        indices: integers(...new Array<number>(8).fill(0)),
        indptr: integers(0, 7, 8),
      }),
      "M_CORRUPT",
      "m.h5ad: X/indptr gives cell 1 7 entries, but there are only 3 genes",
    ],
    [
      "more entries of a gene than there can be",
      withX(
        {
          data: integers(...new Array<number>(6).fill(1)),
          indices: integers(...new Array<number>(6).fill(0)),
          indptr: integers(0, 1, 6, 6),
        },
        "csc",
      ),
      "M_CORRUPT",
      "m.h5ad: X/indptr gives gene 2 5 entries, but there are only 2 cells",
    ],
    [
      "a value with many digits, shortened",
      withX({ data: reals(1, -0.12345678901234567, 30) }),
      "M_ENTRY",
      `m.h5ad: X/data[1] is −0.123457; ${RANGE}`,
    ],
    ["NaN", withX({ data: reals(1, NaN, 30) }), "M_ENTRY", `m.h5ad: X/data[1] is NaN; ${RANGE}`],
    [
      "infinite",
      withX({ data: reals(1, 2, Infinity) }),
      "M_ENTRY",
      `m.h5ad: X/data[2] is Infinity; ${RANGE}`,
    ],
    [
      "negative",
      withX({ data: integers(-3, 2, 30) }),
      "M_ENTRY",
      `m.h5ad: X/data[0] is −3; ${RANGE}`,
    ],
    [
      "negative, 64 bits",
      withX({ data: { data: BigInt64Array.from([1n, -2n, 3n]) } }),
      "M_ENTRY",
      `m.h5ad: X/data[1] is −2; ${RANGE}`,
    ],
    [
      "too large",
      withX({ data: { data: BigInt64Array.from([1n, 4_294_967_296n, 3n]) } }),
      "M_ENTRY",
      `m.h5ad: X/data[1] is 4,294,967,296; ${RANGE}`,
    ],
    [
      "too large, real",
      withX({ data: reals(1, 2, 4_294_967_295.5) }),
      "M_ENTRY",
      `m.h5ad: X/data[2] is 4,294,967,295.5; ${RANGE}`,
    ],
    [
      "a negative value among dense ones",
      { ...tables(2, 3), X: { data: Float32Array.from([1, 0, 2, 0, 0, -0.5]), shape: [2, 3] } },
      "M_ENTRY",
      `m.h5ad: X: gene 3 of cell 2 is −0.5; ${RANGE}`,
    ],
    [
      "a negative value among genes × cells",
      {
        matrix: { data: Int16Array.from([1, 0, 2, 0, -7, 0]), shape: [3, 2] },
        row_attrs: { Gene: { data: names("gene", 3) } },
      },
      "M_ENTRY",
      `m.h5ad: matrix: gene 3 of cell 1 is −7; ${RANGE}`,
    ],
    [
      "a sum that is too large",
      withX({ data: reals(4e9, 3e8, 1), indices: integers(1, 1, 1) }),
      "M_ENTRY",
      "the entries of gene 2 in cell 1 add up to more than 4,294,967,295",
    ],
    [
      "an index out of range",
      withX({ indices: integers(0, 3, 1) }),
      "M_CORRUPT",
      "m.h5ad: X/indices[1] is 3, but there are 3 genes",
    ],
    [
      "a negative index",
      withX({ indices: integers(0, 2, -2) }),
      "M_CORRUPT",
      "m.h5ad: X/indices[2] is −2, but there are 3 genes",
    ],
    [
      "an index of more than 32 bits",
      withX({ indices: { data: BigInt64Array.from([0n, 2n, 4_294_967_297n]) } }),
      "M_CORRUPT",
      "m.h5ad: X/indices[2] is no index, but there are 3 genes",
    ],
    [
      "a cell out of range, by gene",
      withX({ indices: integers(0, 9, 0) }, "csc"),
      "M_CORRUPT",
      "m.h5ad: X/indices[1] is 9, but there are 2 cells",
    ],
    [
      "reals as indices",
      withX({ indices: reals(0, 2, 1) }),
      "M_HEADER",
      "m.h5ad: X/indices holds no integers",
    ],
    [
      "offsets that fall",
      withX({ indptr: integers(0, 3, 2) }),
      "M_CORRUPT",
      "m.h5ad: X/indptr falls from 3 to 2 at 2",
    ],
    [
      "offsets that do not start at 0",
      withX({ indptr: integers(1, 2, 3) }),
      "M_CORRUPT",
      "m.h5ad: X/indptr starts at 1 instead of 0",
    ],
    [
      "offsets that end early",
      withX({ indptr: integers(0, 1, 2) }),
      "M_CORRUPT",
      "m.h5ad: X/indptr ends at 2, but there are 3 values",
    ],
    [
      "offsets that end late",
      withX({ indptr: integers(0, 1, 2_000_000_000) }),
      "M_CORRUPT",
      "m.h5ad: X/indptr ends at 2,000,000,000, but there are 3 values",
    ],
    [
      "too few offsets",
      withX({ indptr: integers(0, 3) }),
      "M_HEADER",
      "m.h5ad: X/indptr has 2 offsets, but 2 cells need 3",
    ],
    [
      "more indices than values",
      withX({ indices: integers(0, 1, 2, 0) }),
      "M_HEADER",
      "m.h5ad: X has 4 indices, but 3 values",
    ],
    [
      "values in two dimensions",
      withX({ data: { data: Float32Array.from([1, 2, 3]), shape: [3, 1] } }),
      "M_HEADER",
      "m.h5ad: X/data has 2 dimensions instead of 1",
    ],
    [
      "texts as values",
      withX({ data: { data: ["1", "2", "3"] } }),
      "M_FORMAT",
      "m.h5ad: X/data does not hold integers or reals of 4 or 8 bytes",
    ],
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
      {
        ...tables(2, 3),
        obs: {},
        X: sparse(ROWS, 3, { "@": { "encoding-type": "csr_matrix", shape: [2e9, 3] } }),
      },
      "M_TOO_LARGE",
      "m.h5ad: it claims 2,000,000,000 cells; up to 50,000,000 can be read",
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
      "m.h5ad: there is no matrix; raw/X, layers/counts and X were looked for",
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
      "m.h5ad: X holds logarithms or other transformed values, not counts: 3 of 3 are not whole, the largest is 3.4; raw/X and layers/counts hold none either",
    ],
    [
      "logarithms everywhere, by gene",
      {
        ...withX({ data: reals(0.69, 1.1, 3) }, "csc"),
        raw: { X: sparse(ROWS, 3, { data: reals(0.69, 1.1, 3) }, "csc"), var: tables(2, 3).var },
      },
      "M_NOT_COUNTS",
      "m.h5ad: raw/X holds logarithms or other transformed values, not counts: 2 of 3 are not whole, the largest is 3; layers/counts and X hold none either",
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

  const tenx = {
    shape: integers(3, 2),
    data: integers(1, 2, 30),
    indices: integers(0, 2, 1),
    indptr: integers(0, 2, 3),
    barcodes: { data: names("cell", 2) },
  };
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
      "several genomes",
      {
        hg19: { ...tenx, genes: features.id, gene_names: features.name },
        mm10: { ...tenx, genes: features.id, gene_names: features.name },
      },
      "M_FORMAT",
      "m.h5ad: it holds 2 matrices, one for each genome (hg19, mm10); one can be read",
    ],
  ])("names %s", async (_, tree, rule, message) => {
    expect(await problemOfTree(tree)).toEqual([rule, message]);
  });

  test.each([
    [
      "zstd.h5ad",
      "m.h5ad: X/data is compressed by the filter zstd; gzip, shuffle and LZF can be read",
    ],
    ["float16.h5ad", "m.h5ad: X does not hold integers or reals of 4 or 8 bytes"],
    [
      "virtual.h5ad",
      "m.h5ad: X refers to another file; only files that hold all their data can be read",
    ],
    [
      "external-data.h5ad",
      "m.h5ad: X refers to another file; only files that hold all their data can be read",
    ],
    [
      "external-link.h5ad",
      "m.h5ad: it refers to another file; only files that hold all their data can be read",
    ],
  ])("refuses %s", async (file, message) => {
    expect(await problemOf(join(ODD_FIXTURES, file))).toEqual(["M_FORMAT", message]);
  });

  test("says that a file is no HDF5", async () => {
    await using scratch = await makeScratch();
    for (const content of ["", "\x89HDF", "gene,cell\n".repeat(2000)]) {
      const path = join(scratch.dir, "table.h5ad");
      await writeFile(path, content, "latin1");
      expect(await problemOf(path)).toEqual(["M_FORMAT", "m.h5ad: it is not an HDF5 file"]);
    }
  });

  test("says that a file is not there", async () => {
    await using scratch = await makeScratch();
    const { signal } = new AbortController();
    const opened = openHdf5(join(scratch.dir, "none.h5"), "none.h5", {
      scratchDir: scratch.dir,
      signal,
      approaches: [],
    });
    const error: unknown = await opened.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(HdashError);
    expect(error).toMatchObject({ kind: "permanent", message: "none.h5: it cannot be opened" });
  });

  test("says that a file is cut off", async () => {
    await using scratch = await makeScratch();
    const path = join(scratch.dir, "short.h5ad");
    await copyFile(join(FIXTURES, "csr.h5ad"), path);
    await truncate(path, 100_000);
    const [rule, message] = await problemOf(path);
    expect(rule).toBe("M_CORRUPT");
    expect(message).toBe("m.h5ad: the HDF5 file is cut off or damaged");
  });

  test("neither crashes nor hangs, wherever a file is damaged", async () => {
    await using scratch = await makeScratch();
    const whole = await readFile(join(ODD_FIXTURES, "version3.loom"));
    const path = join(scratch.dir, "damaged.loom");
    const rules = new Set<string>();
    // About 18 places: heap, trees, headers and chunks among them.
    for (let at = 8; at < whole.length; at += 797) {
      const bytes = Buffer.from(whole);
      bytes.fill(0xff, at, at + 24);
      await writeFile(path, bytes);
      try {
        rules.add((await problemOf(path))[0]);
      } catch (error) {
        // Unused space, names or texts: what is damaged is not read, or reads as other texts.
        if (!(error instanceof Error) || error.message !== "the file was read") throw error;
      }
    }
    expect([...rules]).toContain("M_CORRUPT");
  }, 120_000);

  test("says where a chunk is damaged", async () => {
    await using scratch = await makeScratch();
    const path = join(scratch.dir, "damaged.h5ad");
    const data = Float32Array.from({ length: 6000 }, (_, at) => (at % 7) + 1);
    const tree = {
      ...tables(60, 100),
      X: { data, shape: [60, 100], chunks: [10, 100], gzip: 4 },
    };
    await writeHdf5(path, tree);
    const bytes = await readFile(path);
    // The header of zlib's streams at level 4 is 78 5e.
    const at = bytes.lastIndexOf(Buffer.from([0x78, 0x5e]));
    bytes.fill(0xff, at, at + 12);
    await writeFile(path, bytes);
    const [rule, message] = await problemOf(path);
    expect(rule).toBe("M_CORRUPT");
    expect(message).toBe("m.h5ad: X cannot be read from 0, 0 on: the file is cut off or damaged");
  });
});
