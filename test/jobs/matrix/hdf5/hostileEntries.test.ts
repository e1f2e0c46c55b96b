// Values, indices and offsets that lie: each is named with its place.

import { describe, expect, test } from "vitest";

import { names, tables, type Tree } from "./hdf5Files.ts";
import { integers, problemOfTree, reals, withX } from "./hostileFiles.ts";

const RANGE = "counts lie between 0 and 4,294,967,295";

describe("openHdf5(path, name, options): what is wrong with entries", () => {
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
      "M_NOT_COUNTS",
      "m.h5ad: X/data[1] is −0.123457: these are scaled or centred values, not counts",
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
      "M_NOT_COUNTS",
      "m.h5ad: X: gene 3 of cell 2 is −0.5: these are scaled or centred values, not counts",
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
      "m.h5ad: X/data does not hold integers or reals of 2, 4 or 8 bytes",
    ],
  ])("names %s", async (_, tree, rule, message) => {
    expect(await problemOfTree(tree)).toEqual([rule, message]);
  });
});
