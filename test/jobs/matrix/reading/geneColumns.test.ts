// What a column is, by what stands in many of its rows.

import { describe, expect, test } from "vitest";

import { kindOf, sampleOf } from "../../../../src/jobs/matrix/reading/geneColumns.ts";

const many = (make: (at: number) => string): string[] =>
  Array.from({ length: 100 }, (_, at) => make(at));

describe("kindOf(values, header)", () => {
  test.each<[string, readonly string[], string | undefined, string]>([
    ["symbols", ["TP53", "BRCA1"], undefined, "names"],
    ["symbols among which some genes have none", ["TP53", "", "nan"], undefined, "names"],
    [
      "mostly ids, of genes without a symbol",
      many((at) => (at % 4 ? `ENSSSCG000000${10000 + at}` : `A${at}`)),
      "x",
      "names",
    ],
    [
      "Ensembl's ids",
      ["ENSG00000198888", "ENSMUSG00000064341.7", "hg19_ENSG00000198888"],
      undefined,
      "accessions",
    ],
    [
      "ids with spike-ins",
      many((at) => (at < 3 ? `ERCC-0000${at}` : `ENSG00000${100000 + at}`)),
      undefined,
      "accessions",
    ],
    [
      "others' ids",
      ["FBgn0000001", "WBGene00000001", "AT1G01010", "NM_000546.6"],
      undefined,
      "accessions",
    ],
    ["row numbers from 1", ["1", "2", "3"], undefined, "row numbers"],
    ["row numbers from 0", ["0", "1", "2"], "index", "row numbers"],
    ["row numbers with gaps below nothing", ["3", "9", "12"], "", "row numbers"],
    ["Entrez's ids in their order", ["1", "2", "9", "10"], "entrez", "amounts"],
    ["amounts", ["0.5", "1e-3", "7"], undefined, "amounts"],
    ["types", many(() => "Gene Expression"), undefined, "nothing"],
    ["chromosomes", many((at) => `chr${at % 20}`), undefined, "nothing"],
    ["sentences", ["tumor protein p53", "BRCA1 DNA repair associated"], undefined, "nothing"],
    ["no values", ["", "NA"], undefined, "nothing"],
    ["names without an end", ["a_".repeat(400_000), "b"], undefined, "names"],
  ])("knows %s", (_what, values, header, kind) => {
    expect(kindOf(values, header)).toBe(kind);
  });
});

describe("sampleOf(all)", () => {
  test("takes values from the first to the last", () => {
    const all = Array.from({ length: 5000 }, (_, at) => at);
    expect(sampleOf(all)).toEqual(Array.from({ length: 1000 }, (_, at) => at * 5));
    expect(sampleOf([1, 2])).toEqual([1, 2]);
  });
});
