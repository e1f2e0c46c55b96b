// Symbols of HDF5 files: by the columns' names in any spelling, by what stands in them, and from var where raw/var has none.

import { describe, expect, test } from "vitest";

import type { GeneTable } from "../../../../src/jobs/matrix/matrix.ts";
import { make, sparse, type Tree } from "./hdf5Files.ts";

const COUNTS = [
  [1, 0, 30],
  [0, 2, 4],
];
const IDS = ["ENSG00000198888", "ENSG00000141510", "ENSG00000012048"];
const SYMBOLS = ["MT-ND1", "TP53", "BRCA1"];
const obs: Tree = { _index: { data: ["c1", "c2"] } };
const named = (columns: Readonly<Record<string, string[]>>): Tree =>
  Object.fromEntries(Object.entries(columns).map(([name, data]) => [name, { data }]));

async function genesOf(tree: Tree): Promise<GeneTable & { readonly notes: readonly string[] }> {
  return make(tree, async (reader) => ({
    ...reader.genes,
    notes: reader.notes().map(({ message }) => message),
  }));
}
const h5ad = (vars: Tree, more: Tree = {}): Promise<Awaited<ReturnType<typeof genesOf>>> =>
  genesOf({ X: sparse(COUNTS, 3), obs, var: vars, ...more });

describe("openHdf5(path, name, options) of gene tables", () => {
  test.each([
    "gene_symbols",
    "gene_names",
    "feature_name",
    "GeneName",
    "SYMBOL",
    "Gene Symbol",
    "gene.symbol",
    "hgnc_symbol",
    "gene",
    "external_gene_name",
  ])("takes symbols from %s", async (column) => {
    const { ids, symbols } = await h5ad(named({ _index: IDS, [column]: SYMBOLS }));
    expect({ ids, symbols }).toEqual({ ids: IDS, symbols: SYMBOLS });
  });

  test("takes what is in the columns before what they are called", async () => {
    const swapped = await h5ad(named({ _index: SYMBOLS, gene_symbols: IDS }));
    expect([swapped.ids, swapped.symbols]).toEqual([IDS, SYMBOLS]);
    const empty = await h5ad(
      named({ _index: SYMBOLS, gene_ids: IDS, gene_symbols: ["", "nan", ""] }),
    );
    expect([empty.ids, empty.symbols]).toEqual([IDS, SYMBOLS]);
    const second = await h5ad(named({ _index: IDS, gene_name: IDS, symbol: SYMBOLS }));
    expect(second.symbols).toEqual(SYMBOLS);
  });

  test("never takes the numbers of rows, nor sentences", async () => {
    const numbered = await h5ad(named({ _index: ["0", "1", "2"], gene_ids: SYMBOLS }));
    expect([numbered.ids, numbered.symbols]).toEqual([SYMBOLS, SYMBOLS]);
    const described = await h5ad(named({ _index: SYMBOLS, name: ["tumor protein", "a b", "c d"] }));
    expect(described.symbols).toEqual(SYMBOLS);
  });

  test("knows mitochondrial genes by id where there are no symbols", async () => {
    const { symbols, isMito } = await h5ad(named({ _index: IDS }));
    expect(symbols).toEqual(IDS);
    expect(isMito).toEqual(Uint8Array.of(1, 0, 0));
  });

  test("reads loom's names by the same rules", async () => {
    const loom = (columns: Readonly<Record<string, string[]>>) =>
      genesOf({
        matrix: { data: Float32Array.of(1, 0, 0, 2, 30, 4), shape: [3, 2], chunks: [3, 2] },
        row_attrs: named(columns),
        col_attrs: { CellID: { data: ["c1", "c2"] } },
      });
    for (const columns of [
      { Gene: SYMBOLS, Accession: IDS },
      { Gene: IDS, gene_symbols: SYMBOLS },
      { var_names: SYMBOLS, EnsemblID: IDS },
    ]) {
      const { ids, symbols } = await loom(columns);
      expect([ids, symbols]).toEqual([IDS, SYMBOLS]);
    }
  });
});

describe("openHdf5(path, name, options) of raw/var without symbols", () => {
  const raw = (vars: Tree): Tree => ({ X: sparse(COUNTS, 3), var: vars });
  const logs = sparse(
    COUNTS.map((row) => row.slice(1).map((n) => Math.log1p(n * 1.3))),
    2,
  );

  test("takes those of var by id, whatever the order and the versions, and says so", async () => {
    const { ids, symbols, isMito, notes } = await genesOf({
      X: logs,
      obs,
      var: named({ _index: [IDS[2] ?? "", `${IDS[0]}.4`], gene_symbols: ["BRCA1", "MT-ND1"] }),
      raw: raw(named({ _index: IDS })),
    });
    expect({ ids, symbols }).toEqual({ ids: IDS, symbols: ["MT-ND1", IDS[1], "BRCA1"] });
    expect(isMito).toEqual(Uint8Array.of(1, 0, 0));
    expect(notes).toEqual([
      "the file: raw/var has no gene symbols; those of var were taken by id, for 2 of 3 genes",
    ]);
  });

  test("takes var's index where its ids are a column", async () => {
    const { symbols } = await genesOf({
      X: logs,
      obs,
      var: named({ _index: ["TP53", "BRCA1"], gene_ids: IDS.slice(1) }),
      raw: raw(named({ _index: IDS })),
    });
    expect(symbols).toEqual([IDS[0], "TP53", "BRCA1"]);
  });

  test("takes those of raw/var for var as well", async () => {
    const { symbols } = await genesOf({
      X: sparse(COUNTS, 3),
      obs,
      var: named({ _index: IDS }),
      raw: {
        X: sparse(
          COUNTS.map((row) => row.map((n) => Math.log1p(n * 1.3))),
          3,
        ),
        var: named({ _index: IDS, symbol: SYMBOLS }),
      },
    });
    expect(symbols).toEqual(SYMBOLS);
  });

  test("leaves ids where the other table has no symbols, other ids, or cannot be read", async () => {
    for (const vars of [
      named({ _index: IDS.slice(1) }),
      named({ _index: ["ENSG00000000001", "ENSG00000000002"], gene_symbols: ["A", "B"] }),
      named({ _index: IDS.slice(1), gene_symbols: ["A", "B", "C"] }),
    ]) {
      const { symbols, notes } = await genesOf({
        X: logs,
        obs,
        var: vars,
        raw: raw(named({ _index: IDS })),
      });
      expect(symbols).toEqual(IDS);
      expect(notes).toEqual([]);
    }
  });
});
