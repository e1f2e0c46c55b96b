// Counts of every type, in any order, in matrices of every size, are given whole.

import { describe, expect, test } from "vitest";

import {
  cellsOf,
  make,
  makeDice,
  names,
  readAll,
  sparse,
  type Table,
  tables,
  transpose,
  type Tree,
} from "./hdf5Files.ts";

describe("openHdf5(path, name, options): counts", () => {
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
  });

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

  test("does not count noughts among the values of which most are not whole", async () => {
    const X = { data: Float64Array.from([20.5, 0, 0, 1.25, 0, 3]), shape: [2, 3] };
    await make({ ...tables(2, 3), X }, async (reader) => {
      await readAll(reader);
      expect(reader.notes().filter(({ rule }) => rule === "M_ROUNDED")).toEqual([
        {
          rule: "M_ROUNDED",
          severity: "warning",
          message:
            "the file: X: 67% of the values are not whole: these may be normalised values rather than counts (2 values rounded to the nearest whole count)",
        },
      ]);
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
});
