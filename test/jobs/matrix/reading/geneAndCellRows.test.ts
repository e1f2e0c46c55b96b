// Gene and cell tables as they occur: with header or without, with columns in any order; and nothing eaten that is a gene.

import { describe, expect, test } from "vitest";

import type { CellTable } from "../../../../src/jobs/matrix/matrix.ts";
import { UnreadableMatrix } from "../../../../src/jobs/matrix/problem.ts";
import { joinCellTables, readCellRows } from "../../../../src/jobs/matrix/reading/cellRows.ts";
import { readGeneRows } from "../../../../src/jobs/matrix/reading/geneRows.ts";
import { decideHeader, lookOfFirstRow } from "../../../../src/jobs/matrix/reading/headerRow.ts";
import { makeGeneUnion, NO_GENE } from "../../../../src/jobs/matrix/reading/unionGenes.ts";
import { type Content, rows, useWorkplace } from "../support/matrixFiles.ts";

const { region } = useWorkplace();
const { signal } = new AbortController();

describe("decideHeader(rows, sizes, look)", () => {
  test("goes by the matrix's size first, by words last", () => {
    expect(decideHeader(600, [600, 240], "header")).toBe(false);
    expect(decideHeader(601, [600, 240], "header")).toBe(true);
    expect(decideHeader(601, [600, 240], "maybe")).toBe(true);
    expect(decideHeader(601, [600, 240], "row")).toBe(false);
    expect(decideHeader(240, [600, 240], "header")).toBe(false);
    expect(decideHeader(241, [600, 240], "header")).toBe(true);
    expect(decideHeader(601, [600, 601], "header")).toBe(true);
    expect(decideHeader(601, [600, 601], "row")).toBe(false);
    expect(decideHeader(500, [600, 240], "header")).toBe(true);
    expect(decideHeader(500, [], "maybe")).toBe(false);
    expect(decideHeader(0, [0, 0], "row")).toBe(false);
  });
});

describe("lookOfFirstRow(fields)", () => {
  test.each([
    ["header", ["featurekey", "featurename", "featuretype", "chromosome"]],
    ["header", ["gene_id", "gene_short_name"]],
    ["header", ["", "Gene.Symbol"]],
    ["header", ["cellkey", "genes_detected"]],
    ["header", ["x", "donor_organism.sex"]],
    ["maybe", ["", "0"]],
    ["maybe", ["x"]],
    ["row", ["ENSG00000000003", "TSPAN6", "Gene Expression"]],
    ["row", ["TSPAN6"]],
    ["row", ["1"]],
    ["row", ["AAACCTGAGAAACCAT-1"]],
  ] as const)("sees a %s in %j", (look, row) => {
    expect(lookOfFirstRow(row)).toBe(look);
  });
});

describe("readGeneRows(region, sizes, signal)", () => {
  test.each<[string, Content, readonly number[], readonly string[], readonly string[]]>([
    ["one column", "A\nB\n", [2, 9], ["A", "B"], ["A", "B"]],
    ...["gene", "symbol", "gene_symbols", "gene_name", "name", "feature_name"].map(
      (word): [string, Content, readonly number[], readonly string[], readonly string[]] => [
        `${word} behind row numbers`,
        rows(`\t${word}`, "0\tA", "1\tB"),
        [2, 9],
        ["A", "B"],
        ["A", "B"],
      ],
    ),
    ["gene behind ids", rows("\tgene", "E1\tA", "E2\tB"), [2, 9], ["E1", "E2"], ["A", "B"]],
    ["ids and symbols", rows("E1\tA", "E2\tB"), [2, 9], ["E1", "E2"], ["A", "B"]],
    [
      "HCA's header",
      rows("featurekey\tfeaturename\tfeaturetype\tchromosome", "E1\tA\tgene\tchr1"),
      [1, 9],
      ["E1"],
      ["A"],
    ],
    [
      "columns in another order",
      rows("symbol\tchromosome\tgene_id", "A\tchr1\tE1"),
      [1, 9],
      ["E1"],
      ["A"],
    ],
    [
      "an index of numbers with names behind it",
      rows("\tgene_id\tgene_name", "0\tE1\tA"),
      [1, 9],
      ["E1"],
      ["A"],
    ],
    [
      "row names as R writes them",
      rows("symbol\tchromosome", "E1\tA\tchr1"),
      [1, 9],
      ["E1"],
      ["A"],
    ],
    ["a header of one word", rows("gene", "A"), [1, 9], ["A"], ["A"]],
    ["a stand-in for a header", rows("x", "A"), [1, 9], ["A"], ["A"]],
    [
      "a first gene that is called like a header",
      rows("NAME", "A"),
      [2, 9],
      ["NAME", "A"],
      ["NAME", "A"],
    ],
    [
      "a first gene that is called like a header, of a matrix on its side",
      rows("ID\tNAME", "E\tA"),
      [9, 2],
      ["ID", "E"],
      ["NAME", "A"],
    ],
    [
      "ids that are numbers",
      rows("7157\tTP53", "672\tBRCA1"),
      [2, 9],
      ["7157", "672"],
      ["TP53", "BRCA1"],
    ],
    [
      "numbers of rows before ids",
      rows("1\t7157", "2\t672"),
      [2, 9],
      ["7157", "672"],
      ["7157", "672"],
    ],
    [
      "a vector as R writes it",
      rows('"","x"', '"1","A"', '"2","B"').replaceAll(",", "\t"),
      [2, 9],
      ["A", "B"],
      ["A", "B"],
    ],
    [
      "numbers of rows with gaps below no name",
      rows("\tx", "4\tA", "7\tB"),
      [2, 9],
      ["A", "B"],
      ["A", "B"],
    ],
    [
      "numbers of rows before ids and symbols",
      rows("0\tE1\tA", "1\tE2\tB"),
      [2, 9],
      ["E1", "E2"],
      ["E1", "E2"],
    ],
    [
      "symbols before ids",
      rows("A\tENSG00000000001", "B\tENSG00000000002.3"),
      [2, 9],
      ["ENSG00000000001", "ENSG00000000002.3"],
      ["A", "B"],
    ],
    [
      "symbols below a header that says ids",
      rows("gene_ids\tensembl", "A\tENSG00000000001"),
      [1, 9],
      ["ENSG00000000001"],
      ["A"],
    ],
    [
      "ids below a header that says symbols",
      rows("gene_name\tsymbol", "ENSG00000000001\tA"),
      [1, 9],
      ["ENSG00000000001"],
      ["A"],
    ],
    [
      "symbols before what they are",
      rows("A\tGene Expression", "B\tGene Expression"),
      [2, 9],
      ["A", "B"],
      ["A", "B"],
    ],
    [
      "names with other separators and case",
      rows("Ensembl.ID\tGene Symbol", "E1\tA"),
      [1, 9],
      ["E1"],
      ["A"],
    ],
    ["SYMBOL and GeneName", rows("SYMBOL\tGeneID", "A\tE1"), [1, 9], ["E1"], ["A"]],
    [
      "symbols of which the first are numbers",
      rows(
        "id\tgene",
        ...Array.from({ length: 40 }, (_, at) => `E${at}\t${at < 4 ? at : `A${at}`}`),
      ),
      [40, 9],
      Array.from({ length: 40 }, (_, at) => `E${at}`),
      Array.from({ length: 40 }, (_, at) => (at < 4 ? `${at}` : `A${at}`)),
    ],
    [
      "fields that are missing",
      rows("E1\t", "\tB", "E3"),
      [3, 9],
      ["E1", "B", "E3"],
      ["E1", "B", "E3"],
    ],
    ["words where the size is not known", rows("gene_id\tgene_name", "E1\tA"), [], ["E1"], ["A"]],
  ])("reads %s", async (_what, content, sizes, ids, symbols) => {
    const { table } = await readGeneRows(await region("genes.tsv", content), sizes, signal);
    expect(table).toEqual({
      ids,
      symbols,
      isOther: null,
      otherTypes: [],
    });
  });

  test("marks features that are no gene expression, where others are", async () => {
    const features = await region(
      "features.tsv",
      rows(
        "E1\tA\tGene Expression",
        "CD3\tCD3\tAntibody Capture",
        "E2\tB\tGene Expression",
        "c\tc\tCRISPR Guide Capture",
      ),
    );
    expect((await readGeneRows(features, [4, 9], signal)).table).toEqual({
      ids: ["E1", "CD3", "E2", "c"],
      symbols: ["A", "CD3", "B", "c"],
      isOther: Uint8Array.of(0, 1, 0, 1),
      otherTypes: ["Antibody Capture", "CRISPR Guide Capture"],
    });
    const types = await region("features.tsv", rows("E1\tA\tgene", "E2\tB\tpseudogene"));
    expect((await readGeneRows(types, [2, 9], signal)).table.isOther).toBeNull();
  });
});

describe("readCellRows(region, sizes, approaches, signal)", () => {
  const cellsOf = async (content: Content, sizes: readonly number[], ...given: readonly string[]) =>
    (await readCellRows(await region("cells.tsv", content), sizes, given, signal)).table;
  const UNKNOWN = [{ key: "unknown", label: "not stated" }];

  test("counts barcodes with or without a header", async () => {
    const two = { count: 2, approaches: UNKNOWN, approachOf: null };
    expect(await cellsOf("AAC-1\nAAG-1\n\n", [2, 9])).toEqual(two);
    expect(await cellsOf("barcode\nAAC-1\nAAG-1\n", [2, 9])).toEqual(two);
    expect(await cellsOf("x\nAAC-1\nAAG-1\n", [2, 9])).toEqual(two);
    expect(await cellsOf("barcode\nAAC-1\n", [2, 9])).toEqual(two);
    expect(await cellsOf("cellkey\tgenes_detected\nc1\t5\nc2\t6\n", [])).toEqual(two);
    expect((await cellsOf("AAC-1\nAAG-1\n", [1, 9])).count).toBe(2);
  });

  test("keeps each cell's approach, a byte each", async () => {
    const label = "library_preparation_protocol.library_construction_method.ontology_label";
    expect(
      await cellsOf(
        rows(
          `cellkey\tassay\t${label}`,
          "c1\tz\tSmart-seq2",
          'c2\tz\t"10X v2"',
          "c3\tz\t",
          "c4\tz\t10x 3' v3",
        ),
        [4, 9],
      ),
    ).toEqual({
      count: 4,
      approaches: [
        { key: "SS2", label: "Smart-seq2" },
        { key: "10X", label: "10X v2 / 10x 3' v3" },
        { key: "unknown", label: "not stated" },
      ],
      approachOf: Uint8Array.of(0, 1, 2, 1),
    });
    expect(await cellsOf(rows("assay", "Drop-seq"), [1, 9])).toEqual({
      count: 1,
      approaches: [{ key: "Drop-seq", label: "Drop-seq" }],
      approachOf: null,
    });
    // R's row names have no name above them.
    expect((await cellsOf(rows("n\tassay", "c1\t5\tSmart-seq2"), [1, 9])).approaches).toEqual([
      { key: "SS2", label: "Smart-seq2" },
    ]);
  });

  test("takes what the project says where the table says nothing", async () => {
    expect((await cellsOf("AAC-1\n", [1, 9], "10X v2 sequencing")).approaches).toEqual([
      { key: "10X", label: "10X v2 sequencing" },
    ]);
  });
});

describe("readCellRows(region, sizes, approaches, signal): the most cells", () => {
  const MOST = 50_000_000;

  test("reads so many, a header not counted", async () => {
    const table = Buffer.alloc("barcode\n".length + 2 * MOST, "a\n");
    table.write("barcode\n");
    const whole = await region("cells.tsv", table);
    expect((await readCellRows(whole, [MOST], [], signal)).table.count).toBe(MOST);
  });

  test("refuses one more", async () => {
    const whole = await region("cells.tsv", Buffer.alloc(2 * (MOST + 1), "a\n"));
    await expect(readCellRows(whole, [MOST + 1], [], signal)).rejects.toEqual(
      new UnreadableMatrix("M_TOO_LARGE", "cells.tsv has more than 50,000,000 cells"),
    );
  });
});

describe("joinCellTables(tables)", () => {
  test("puts cells after each other and makes one of approaches with one key", () => {
    const [ss2, tenx, tenx3] = [
      { key: "SS2", label: "Smart-seq2" },
      { key: "10X", label: "10X v2" },
      { key: "10X", label: "10X v2 / 10X v3" },
    ];
    const tables: readonly CellTable[] = [
      { count: 2, approaches: [tenx], approachOf: null },
      { count: 0, approaches: [ss2], approachOf: null },
      { count: 3, approaches: [ss2, tenx3], approachOf: Uint8Array.of(1, 0, 1) },
    ];
    expect(joinCellTables(tables)).toEqual({
      count: 5,
      approaches: [tenx3, ss2],
      approachOf: Uint8Array.of(0, 0, 0, 1, 0),
    });
    expect(joinCellTables([tables[0] as CellTable, tables[0] as CellTable])).toEqual({
      count: 4,
      approaches: [tenx],
      approachOf: null,
    });
    expect(joinCellTables([{ count: 0, approaches: [ss2], approachOf: null }])).toEqual({
      count: 0,
      approaches: [ss2],
      approachOf: null,
    });
  });

  test("keeps the 63 approaches with the most cells and folds the others", () => {
    const many = (from: number): CellTable => ({
      count: 200,
      approaches: Array.from({ length: 200 }, (_, at) => ({ key: `k${from + at}`, label: "l" })),
      approachOf: Uint8Array.from({ length: 200 }, (_, at) => at),
    });
    const joined = joinCellTables([many(0), many(200)]);
    expect(joined.approaches.length).toBe(64);
    expect(joined.approaches.at(-1)).toEqual({
      key: "unknown",
      label: "337 rarer approaches",
    });
    expect([62, 63, 254, 399].map((cell) => joined.approachOf?.[cell])).toEqual([62, 63, 63, 63]);
  });

  test("refuses more cells than can be held", () => {
    const half: CellTable = {
      count: 30_000_000,
      approaches: [{ key: "10X", label: "10x" }],
      approachOf: null,
    };
    expect(() => joinCellTables([half, half])).toThrow(
      new UnreadableMatrix("M_TOO_LARGE", "the matrices together have more than 50,000,000 cells"),
    );
  });
});

describe("makeGeneUnion()", () => {
  test("refuses a union of more genes than can be held", () => {
    const half = (name: string) => {
      const ids = Array.from({ length: 3 }, (_, at) => `${name}${at}`);
      return { ids, symbols: ids, isOther: null, otherTypes: [] };
    };
    const union = makeGeneUnion(5);
    union.add(half("a"));
    expect(() => {
      union.add(half("b"));
    }).toThrow(
      new UnreadableMatrix(
        "M_TOO_LARGE",
        "the gene tables of the matrices have more than 5 genes together",
      ),
    );
  });

  const table = (...ids: readonly string[]) => ({
    ids,
    symbols: ids.map((id) => id.toUpperCase()),
    isOther: null,
    otherTypes: [],
  });
  const unite = (...tables: readonly Parameters<ReturnType<typeof makeGeneUnion>["add"]>[0][]) => {
    const union = makeGeneUnion();
    for (const one of tables) union.add(one);
    return union.build();
  };

  test("maps nothing where all are the same", () => {
    const { genes, geneMaps, notes } = unite(table("a", "b", "a"), table("a", "b", "a"));
    expect(genes).toEqual({
      ids: ["a", "b", "a"],
      symbols: ["A", "B", "A-1"],
      isMito: Uint8Array.of(0, 0, 0),
    });
    expect({ geneMaps, notes }).toEqual({ geneMaps: [null, null], notes: [] });
  });

  test("matches the n-th of an id to the n-th, in order of first appearance", () => {
    const { genes, geneMaps } = unite(table("a", "b"), table("b", "a", "a", "c"), table("a", "b"));
    expect(genes.ids).toEqual(["a", "b", "a", "c"]);
    expect(geneMaps).toEqual([
      Uint32Array.of(0, 1),
      Uint32Array.of(1, 0, 2, 3),
      Uint32Array.of(0, 1),
    ]);
    expect(geneMaps[0]).toBe(geneMaps[2]);
  });

  test("drops what is no gene", () => {
    const { genes, geneMaps, notes } = unite({
      ...table("a", "p", "b"),
      isOther: Uint8Array.of(0, 1, 0),
      otherTypes: ["Antibody Capture"],
    });
    expect(genes.ids).toEqual(["a", "b"]);
    expect(geneMaps).toEqual([Uint32Array.of(0, NO_GENE, 1)]);
    expect(notes.map(({ message }) => message)).toEqual([
      "1 feature that is not gene expression (Antibody Capture) is left out",
    ]);
  });
});
