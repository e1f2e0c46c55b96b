import { describe, expect, test } from "vitest";

import { isSafeName, kindOf, unsafeCharacters } from "../../../../src/jobs/htan/data/fileKind.ts";

describe("kindOf(name)", () => {
  test.each([
    ["synapse_storage_manifest.csv", null],
    ["synapse_storage_manifest_.csv", "METADATA"],
    ["synapse_storage_manifest_biospecimen.csv", "METADATA"],
    ["synapse_storage_manifest_x.bam", "METADATA"],
    ["a.bam", "BAM"],
    ["a.bam.gz", "BAM"],
    ["a.BAM", "OTHER_ASSAY"],
    ["a.fastq.gz", "FASTQ"],
    ["a.fasta", "FASTQ"],
    ["a.fq", "FASTQ"],
    ["a.ome.tif", "IMAGE"],
    ["a.scn", "IMAGE"],
    ["a.s0001_e00", "IMAGE"],
    ["a.raw", "IMAGE"],
    ["a.h5", "MATRIX"],
    ["a.h5ad", "MATRIX"],
    ["a.tsv.gz", "MATRIX"],
    ["a.tar.gz", "OTHER_ASSAY"],
    ["a.csv.gz.gz", "OTHER_ASSAY"],
    ["a.pdf", "OTHER_ASSAY"],
    ["a.JSON", "OTHER_ASSAY"],
    ["a.mzML", "OTHER_ASSAY"],
    ["a.gz", "OTHER_ASSAY"],
    ["a.", "OTHER_ASSAY"],
    ["readme", "OTHER_ASSAY"],
    ["bam", "OTHER_ASSAY"],
    [".bam", "BAM"],
    [".hidden.bam", "OTHER_ASSAY"],
    [".fastq.gz", "OTHER_ASSAY"],
    [".DS_Store", null],
    [".vimrc", null],
    [".Rhistory", null],
    ["a.DS_Store", null],
    [".gitignore", "OTHER_ASSAY"],
    ["constructor", "OTHER_ASSAY"],
    ["a.constructor", "OTHER_ASSAY"],
  ])("tells %s: %s", (name, kind) => {
    expect(kindOf(name)).toBe(kind);
  });
});

describe("isSafeName(name)", () => {
  test.each([
    ["A-z_0.9.txt", true],
    ["a b.txt", false],
    ["slide#7.svs", false],
    ["größe.txt", false],
    ["a/b", false],
    ["a\n", false],
    ["", false],
  ])("tells %j: %s", (name, isSafe) => {
    expect(isSafeName(name)).toBe(isSafe);
  });
});

describe("unsafeCharacters(name)", () => {
  test("lists each once, and letters of several bytes whole", () => {
    expect(unsafeCharacters("a b (1) 😀 (2).txt")).toEqual([" ", "(", ")", "😀"]);
  });
});
