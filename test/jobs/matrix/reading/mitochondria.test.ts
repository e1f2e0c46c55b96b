// Which genes are mitochondrial: spellings of symbols, and Ensembl's ids.

import { describe, expect, test } from "vitest";

import {
  isMitochondrial,
  MITOCHONDRIAL_IDS,
} from "../../../../src/jobs/matrix/reading/mitochondria.ts";

describe("isMitochondrial(symbol)", () => {
  test.each([
    "MT-ND1",
    "mt-Nd1",
    "Mt-nd1",
    "MT.CO1",
    "mt.Co1",
    "GRCh38_MT-ND1",
    "hg19_MT-ND1",
    "mm10___mt-Nd1",
    "GRCm39_mt-Nd1",
    "GRCh38-MT-ND1",
    "mm10---mt-Nd1",
    "ENSG00000198888_MT-ND1",
  ])("knows %s", (symbol) => {
    expect(isMitochondrial(symbol)).toBe(true);
  });

  test.each([
    "MTOR",
    "MT1X",
    "MT-",
    "MTCO1P12",
    "AMT-1",
    "ND1",
    "mt",
    "HLA-MT-1",
    "hg19_MTOR",
    "Smt.3",
    "",
  ])("does not take %s for one", (symbol) => {
    expect(isMitochondrial(symbol)).toBe(symbol === "MT-");
  });

  test.each([
    ["ENSG00000198888", true],
    ["ENSMUSG00000064341.1", true],
    ["GRCh38_ENSG00000198804", true],
    ["ENSG00000198888_ND1", true],
    ["mm10___ENSMUSG00000064370", true],
    ["ENSG000001988881", false],
    ["ENSRNOG00000198888", false],
    ["ENSG00000141510", false],
  ])("takes the id %s in place of a symbol for one: %s", (id, isOne) => {
    expect(isMitochondrial(id)).toBe(isOne);
  });
});

describe("MITOCHONDRIAL_IDS", () => {
  test("has the 13 genes of proteins, 2 of ribosomal and 22 of transfer RNA, of human and mouse", () => {
    for (const stem of ["ENSG", "ENSMUSG"]) {
      const genes = [...MITOCHONDRIAL_IDS].filter(([id]) =>
        new RegExp(`^${stem}\\d{11}$`).test(id),
      );
      const names = genes.map(([, name]) => name);
      expect(new Set(names).size).toBe(37);
      expect(names.filter((name) => /^T[A-Z]\d?$/.test(name)).length).toBe(22);
      expect(names.filter((name) => name.startsWith("RNR"))).toEqual(["RNR1", "RNR2"]);
    }
    expect(MITOCHONDRIAL_IDS.size).toBe(74);
  });

  test.each([
    ["ENSG00000210049", "TF"],
    ["ENSG00000211459", "RNR1"],
    ["ENSG00000198888", "ND1"],
    ["ENSG00000198804", "CO1"],
    ["ENSG00000228253", "ATP8"],
    ["ENSG00000212907", "ND4L"],
    ["ENSG00000198727", "CYB"],
    ["ENSG00000210196", "TP"],
    ["ENSMUSG00000064336", "TF"],
    ["ENSMUSG00000064337", "RNR1"],
    ["ENSMUSG00000064341", "ND1"],
    ["ENSMUSG00000064351", "CO1"],
    ["ENSMUSG00000064357", "ATP6"],
    ["ENSMUSG00000065947", "ND4L"],
    ["ENSMUSG00000064370", "CYB"],
    ["ENSMUSG00000064372", "TP"],
  ])("calls %s %s", (id, name) => {
    expect(MITOCHONDRIAL_IDS.get(id)).toBe(name);
  });
});
