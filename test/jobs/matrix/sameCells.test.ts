// Matrices that lie beside each other: those of the same cells are never read as if of different ones, and tables are found for all.

import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { gzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { computeStatistics } from "../../../src/jobs/matrix/counting/computeStatistics.ts";
import { writeStatistics } from "../../../src/jobs/matrix/counting/statsJson.ts";
import { openMatrix } from "../../../src/jobs/matrix/openMatrix.ts";
import { expectAnswers, type Expected } from "./support/matrixAnswers.ts";
import {
  type Content,
  failure,
  type Files,
  mtx,
  readMatrix,
  rows,
  SMALL,
  SMALL_READ,
  useWorkplace,
  zipOf,
} from "./support/matrixFiles.ts";

const place = useWorkplace();
const CASES = join(import.meta.dirname, "../../fixtures/cases/matrix");

interface Answer {
  readonly notes: readonly { readonly rule: string; readonly message: string }[];
}

/** Counts the matrix at a path as the command does. */
async function count(path: string): Promise<Expected & Answer> {
  const { scratchDir } = place;
  const { signal } = new AbortController();
  const reader = await openMatrix(path, { scratchDir, signal, approaches: [] });
  try {
    const statistics = await computeStatistics(reader, { scratchDir, signal });
    return JSON.parse([...writeStatistics(statistics)].join("")) as Expected & Answer;
  } finally {
    await reader.close();
  }
}

async function readJson(...path: readonly string[]): Promise<Expected> {
  return JSON.parse(await readFile(join(CASES, ...path), "utf8")) as Expected;
}

/** The files of a folder, by their names in it. */
async function filesOf(folder: string): Promise<Files> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: [string, Content][] = [];
  for (const entry of entries.filter((one) => one.isFile())) {
    const path = join(entry.parentPath, entry.name);
    files.push([relative(folder, path), await readFile(path)]);
  }
  return Object.fromEntries(files);
}

describe("openMatrix(case) with computeStatistics(reader)", () => {
  const FOLDERS: readonly (readonly [string, readonly string[]])[] = [
    [
      "starsolo-raw-and-filtered",
      [
        "M_SKIPPED Solo.out/Gene/raw/matrix.mtx was not read: its cells are those of all droplets, and the filtered ones lie beside it",
      ],
    ],
    [
      "starsolo-gene-and-genefull",
      [
        "M_SKIPPED Solo.out/GeneFull/filtered/matrix.mtx was not read: it counts the cells of Solo.out/Gene/filtered/matrix.mtx over again, by another rule",
      ],
    ],
    [
      "starsolo-velocyto",
      [
        "M_TABLE Solo.out/Velocyto/filtered/ambiguous.mtx, Solo.out/Velocyto/filtered/spliced.mtx and Solo.out/Velocyto/filtered/unspliced.mtx are layers of the same cells: their counts were added up",
      ],
    ],
    ["genes-csv-row-numbers", []],
    [
      "kallisto-gene-names",
      [
        "M_TRANSPOSED counts_unfiltered/cells_x_genes.mtx lies cells × genes (24 × 30) and was turned",
      ],
    ],
    [
      "geo-one-gene-table",
      ["M_TABLE 2 matrices were read one after the other as one: their cells follow each other"],
    ],
  ];

  test.each(FOLDERS)(
    "gives the right values of %s, as a folder and as a zip",
    async (name, notes) => {
      const expected = await readJson(name, "expected.json");
      const input = join(CASES, name, "input");
      for (const path of [input, await place.file("x.zip", await zipOf(await filesOf(input)))]) {
        const answer = await count(path);
        expectAnswers(answer, expected);
        const said = answer.notes.map(({ rule, message }) => `${rule} ${message}`);
        expect(said.filter((one) => !one.startsWith("M_APPROACH"))).toEqual(notes);
      }
    },
  );

  test("joins the genomes of cellranger2-two-genomes cell by cell, and finds mitochondrial genes behind their names", async () => {
    const expected = await readJson("cellranger2-two-genomes", "expected.json");
    // The same counts without genomes in the symbols: what is mitochondrial there is here.
    const plain = await readJson("genes-csv-row-numbers", "expected.json");
    const { percent_mito_genes } = plain.whole;
    const answer = await count(join(CASES, "cellranger2-two-genomes", "input"));
    expectAnswers(answer, { ...expected, whole: { ...expected.whole, percent_mito_genes } });
    expect(answer.notes[0]?.message).toBe(
      "filtered_gene_bc_matrices/hg19/matrix.mtx and filtered_gene_bc_matrices/mm10/matrix.mtx have the same cells and no gene in common: they were joined cell by cell",
    );
  });

  test("gives the right values of hca-cells-and-barcodes, by approach", async () => {
    const zip = "00000000-0000-4000-8000-000000000031.homo_sapiens.mtx.zip";
    const answer = await count(join(CASES, "hca-cells-and-barcodes", zip));
    // A single approach would be compared with the whole only.
    expect(Object.keys(answer.by_library_construction_approach)).toEqual(["SS2", "10X"]);
    expectAnswers(answer, await readJson("hca-cells-and-barcodes", "expected.json"));
  });

  test("gives the right values of h5ad-raw-without-symbols", async () => {
    const answer = await count(join(CASES, "h5ad-raw-without-symbols", "input.h5ad"));
    expectAnswers(answer, await readJson("h5ad-raw-without-symbols", "expected.json"));
    expect(answer.notes[0]?.message).toBe(
      "input.h5ad: raw/var has no gene symbols; those of var were taken by id, for 30 of 30 genes",
    );
  });
});

/** A matrix with its tables below a folder; `genes` are ids. */
function matrixAt(folder: string, counts: string, genes = SMALL["genes.tsv"]): Files {
  return {
    [`${folder}matrix.mtx`]: counts,
    [`${folder}features.tsv`]: genes,
    [`${folder}barcodes.tsv`]: SMALL["barcodes.tsv"],
  };
}
const OTHER = mtx(3, 2, [[1, 1, 99]]);

describe("openMatrix(path, options) of the same cells counted in several ways", () => {
  test.each<readonly [string, Files, readonly string[]]>([
    [
      "Cell Ranger multi",
      {
        ...matrixAt(
          "outs/per_sample_outs/S1/count/sample_filtered_feature_bc_matrix/",
          SMALL["matrix.mtx"],
        ),
        ...matrixAt("outs/per_sample_outs/S1/count/sample_raw_feature_bc_matrix/", OTHER),
        ...matrixAt("outs/multi/count/raw_feature_bc_matrix/", OTHER),
      },
      [
        "outs/multi/count/raw_feature_bc_matrix/matrix.mtx was not read: its cells are those of all droplets, and those of each sample lie in outs/per_sample_outs",
        "outs/per_sample_outs/S1/count/sample_raw_feature_bc_matrix/matrix.mtx was not read: its cells are those of all droplets, and the filtered ones lie beside it",
      ],
    ],
    [
      "raw_ and filtered_ before files",
      {
        "GSM1_raw_matrix.mtx": OTHER,
        "GSM1_raw_barcodes.tsv": SMALL["barcodes.tsv"],
        "GSM1_filtered_matrix.mtx": SMALL["matrix.mtx"],
        "GSM1_filtered_barcodes.tsv": SMALL["barcodes.tsv"],
        "GSM1_features.tsv": SMALL["genes.tsv"],
      },
      [
        "GSM1_raw_matrix.mtx was not read: its cells are those of all droplets, and the filtered ones lie beside it",
      ],
    ],
    [
      "kallisto's filtered and unfiltered cells",
      {
        ...matrixAt("counts_unfiltered/", OTHER),
        ...matrixAt("counts_filtered/", SMALL["matrix.mtx"]),
      },
      [
        "counts_unfiltered/matrix.mtx was not read: its cells are those of all droplets, and the filtered ones lie beside it",
      ],
    ],
    [
      "all that STARsolo can count",
      {
        ...matrixAt("Solo.out/Gene/filtered/", SMALL["matrix.mtx"]),
        ...matrixAt("Solo.out/GeneFull_Ex50pAS/filtered/", OTHER),
        ...matrixAt("Solo.out/Velocyto/raw/", OTHER),
        ...matrixAt("Solo.out/SJ/raw/", OTHER),
      },
      ["GeneFull_Ex50pAS/filtered", "SJ/raw", "Velocyto/raw"].map(
        (folder) =>
          `Solo.out/${folder}/matrix.mtx was not read: it counts the cells of Solo.out/Gene/filtered/matrix.mtx over again, by another rule`,
      ),
    ],
    [
      "CITE-seq-Count's reads and molecules",
      { ...matrixAt("umi_count/", SMALL["matrix.mtx"]), ...matrixAt("read_count/", OTHER) },
      [
        "read_count/matrix.mtx was not read: it counts the reads of the same cells, and umi_count/matrix.mtx their molecules",
      ],
    ],
    [
      "antibodies of the same cells",
      { ...matrixAt("GEX/", SMALL["matrix.mtx"]), ...matrixAt("ADT/", OTHER, rows("a", "b", "c")) },
      [
        "ADT/matrix.mtx was not read: it counts antibodies or tags of the cells of GEX/matrix.mtx, not genes",
      ],
    ],
    [
      "normalised values beside counts, with one pair of tables",
      {
        "raw_counts.mtx": SMALL["matrix.mtx"],
        "normalized_counts.mtx": OTHER,
        "genes.tsv": SMALL["genes.tsv"],
        "barcodes.tsv": SMALL["barcodes.tsv"],
      },
      [
        "normalized_counts.mtx was not read: by its name it holds no counts, and raw_counts.mtx lies beside it",
      ],
    ],
    [
      "kallisto's layers and their sums",
      {
        "cells_x_genes.total.mtx": SMALL["matrix.mtx"],
        "cells_x_genes.mature.mtx": OTHER,
        "cells_x_genes.nucleus.mtx": OTHER,
        "cells_x_tcc.mtx": OTHER,
        "cells_x_genes.genes.txt": "ENSG1\nENSG2\nENSG3\n",
        "cells_x_genes.genes.names.txt": "A\nB\nMT-C\n",
        "cells_x_genes.barcodes.txt": SMALL["barcodes.tsv"],
        "cells_x_tcc.barcodes.txt": SMALL["barcodes.tsv"],
      },
      [
        "cells_x_genes.mature.mtx was not read: cells_x_genes.total.mtx has the same cells with the counts of all layers, or its layers apart",
        "cells_x_genes.nucleus.mtx was not read: cells_x_genes.total.mtx has the same cells with the counts of all layers, or its layers apart",
        "cells_x_tcc.mtx was not read: it counts classes of transcripts, and genes are counted beside it",
      ],
    ],
  ])("reads one of %s, and names the others", async (_what, files, skipped) => {
    const { ids, symbols, cells, notes } = await readMatrix(await place.folder(files), place, [
      "10X",
    ]);
    expect({ ids, symbols, cells }).toEqual(SMALL_READ);
    expect(notes).toEqual(skipped.map((message) => `M_SKIPPED info: ${message}`));
  });

  test("adds up kallisto's layers by barcode, where each has cells of its own", async () => {
    const path = await place.folder({
      "spliced.mtx": mtx(2, 2, [
        [1, 1, 1],
        [2, 2, 2],
      ]),
      "spliced.genes.txt": "g1\ng2\n",
      "spliced.barcodes.txt": "AAA\nCCC\n",
      "unspliced.mtx": mtx(2, 3, [
        [2, 1, 10],
        [1, 2, 20],
        [1, 3, 30],
      ]),
      "unspliced.genes.txt": "g1\ng2\n",
      "unspliced.barcodes.txt": "GGG\nCCC\nAAA\n",
    });
    const { cells, notes } = await readMatrix(path, place, ["10X"]);
    expect(cells).toEqual([{ g1: 31 }, { g1: 20, g2: 2 }, { g2: 10 }]);
    expect(notes.filter((note) => !note.startsWith("M_NO_MITO"))).toEqual([
      "M_TABLE info: spliced.mtx and unspliced.mtx are layers of the same cells: their counts were added up",
    ]);
  });

  test("joins genomes by barcode, where each has cells of its own, and samples of both one after the other", async () => {
    const genome = (sample: string, name: string, barcodes: string, value: number): Files => ({
      [`${sample}/filtered_gene_bc_matrices/${name}/matrix.mtx`]: mtx(1, 2, [
        [1, 1, value],
        [1, 2, value + 1],
      ]),
      [`${sample}/filtered_gene_bc_matrices/${name}/genes.tsv`]: `${name}_g\n`,
      [`${sample}/filtered_gene_bc_matrices/${name}/barcodes.tsv`]: barcodes,
      [`${sample}/raw_gene_bc_matrices/${name}/matrix.mtx`]: mtx(1, 2, []),
      [`${sample}/raw_gene_bc_matrices/${name}/genes.tsv`]: `${name}_g\n`,
      [`${sample}/raw_gene_bc_matrices/${name}/barcodes.tsv`]: barcodes,
    });
    const path = await place.folder({
      ...genome("a", "hg19", "AAA\nCCC\n", 1),
      ...genome("a", "mm10", "CCC\nGGG\n", 10),
      ...genome("b", "hg19", "AAA\nCCC\n", 100),
    });
    const { cells, approachOf } = await readMatrix(path, place);
    expect(cells).toEqual([
      { hg19_g: 1 },
      { hg19_g: 2, mm10_g: 10 },
      { mm10_g: 11 },
      { hg19_g: 100 },
      { hg19_g: 101 },
    ]);
    expect(approachOf.length).toBe(5);
  });

  test("joins matrices of disjoint genes that have one cell table", async () => {
    const path = await place.folder({
      "human/matrix.mtx": mtx(1, 2, [[1, 1, 3]]),
      "human/genes.tsv": "h1\n",
      "mouse/matrix.mtx": mtx(1, 2, [[1, 2, 4]]),
      "mouse/genes.tsv": "m1\n",
      "barcodes.tsv": "AAA\nCCC\n",
    });
    expect((await readMatrix(path, place)).cells).toEqual([{ h1: 3 }, { m1: 4 }]);
  });

  const genomeAt = (start: string, gene: string, barcodes: string, value: number): Files => ({
    [`${start}matrix.mtx`]: mtx(1, 2, [
      [1, 1, value],
      [1, 2, value + 1],
    ]),
    [`${start}genes.tsv`]: `${gene}\n`,
    [`${start}barcodes.tsv`]: barcodes,
  });

  test.each([
    ["S1/filtered_gene_bc_matrices/hg19/", "S1/filtered_gene_bc_matrices/mm10/"],
    ["S1/raw_gene_bc_matrices_mex/a/", "S1/raw_gene_bc_matrices_mex/b/"],
    ["S1_filtered_matrices_mex/hg19/", "S1_filtered_matrices_mex/mm10/"],
    ["GSM2000001_S1_hg19_", "GSM2000001_S1_mm10_"],
    ["GSM2000001/GRCh38/", "GSM2000001/mm10/"],
  ])("joins %s and %s by barcode, which are genomes of one run", async (one, other) => {
    const path = await place.folder({
      ...genomeAt(one, "h", "AAA\nCCC\n", 1),
      ...genomeAt(other, "m", "GGG\nAAA\n", 10),
    });
    expect((await readMatrix(path, place)).cells).toEqual([{ h: 1, m: 11 }, { h: 2 }, { m: 10 }]);
  });

  test.each([
    ["human/", "mouse/"],
    ["hg19/", "mm10/"],
    ["S1_hg19_", "S1_mm10_"],
    ["GSM2000001_hg19_", "GSM2000002_mm10_"],
    ["S1/filtered_gene_bc_matrices/hg19/", "S2/filtered_gene_bc_matrices/mm10/"],
    ["CD45+_filtered_gene_bc_matrices/hg19/", "CD45-_filtered_gene_bc_matrices/mm10/"],
  ])("reads %s and %s one after the other, though their barcodes are equal", async (one, other) => {
    const path = await place.folder({
      ...genomeAt(one, "h", "A1\nA2\n", 1),
      ...genomeAt(other, "m", "A1\nA2\n", 10),
    });
    const { cells, notes } = await readMatrix(path, place);
    const both = [{ h: 1 }, { h: 2 }, { m: 10 }, { m: 11 }];
    expect(cells).toEqual(expect.arrayContaining(both));
    expect(cells.length).toBe(4);
    expect(notes).toContain(
      "M_TABLE info: 2 matrices were read one after the other as one: their cells follow each other",
    );
  });

  test("keeps duplicates within a matrix of one genome in sight", async () => {
    const path = await place.folder({
      ...matrixAt(
        "filtered_gene_bc_matrices/hg19/",
        mtx(1, 2, [
          [1, 1, 3],
          [1, 1, 4],
        ]),
        "h\n",
      ),
      ...matrixAt("filtered_gene_bc_matrices/mm10/", mtx(1, 2, [[1, 1, 5]]), "m\n"),
    });
    const { cells, notes } = await readMatrix(path, place, ["10X"]);
    expect(cells).toEqual([{ h: 7, m: 5 }, {}]);
    expect(notes.at(-1)).toMatch(/^M_DUPLICATES warning: 1 entry of /);
  });
});

describe("openMatrix(path, options) of different cells", () => {
  test("reads samples with equal barcodes and genes one after the other", async () => {
    const path = await place.folder({
      ...matrixAt("S1/filtered/", SMALL["matrix.mtx"]),
      ...matrixAt("S2/filtered/", OTHER),
      ...matrixAt("S2/raw/", OTHER),
    });
    const { cells } = await readMatrix(path, place);
    expect(cells).toEqual([...SMALL_READ.cells, { A: 99 }, {}]);
  });

  test.each([
    ["CD45+", "CD45-"],
    ["αβ", "γδ"],
    ["患者", "对照"],
    ["CD4+CD8-", "CD4-CD8+"],
    ["S_1", "S-1"],
  ])("adds up no layers of %s and %s", async (one, other) => {
    const sample = (name: string, barcodes: string, value: number): Files => ({
      [`${name}spliced.mtx`]: mtx(3, 2, [
        [1, 1, value],
        [2, 2, value],
      ]),
      [`${name}unspliced.mtx`]: mtx(3, 2, [[3, 1, value]]),
      [`${name}genes.tsv`]: SMALL["genes.tsv"],
      [`${name}barcodes.tsv`]: barcodes,
    });
    for (const end of ["/", "_"]) {
      // One barcode in common, as two samples have by chance.
      const path = await place.folder({
        ...sample(one + end, "AAA\nCCC\n", 10),
        ...sample(other + end, "AAA\nGGG\n", 1),
      });
      const { cells } = await readMatrix(path, place);
      const sums = cells.map((cell) => Object.values(cell).reduce((a, b) => a + b, 0));
      expect(sums.toSorted((a, b) => a - b)).toEqual([1, 2, 10, 20]);
    }
  });

  test("reads a sample of man and one of mouse one after the other", async () => {
    const path = await place.folder({
      ...matrixAt("S1/", mtx(1, 2, [[1, 1, 1]]), "h\n"),
      "S2/matrix.mtx": mtx(1, 2, [[1, 2, 2]]),
      "S2/features.tsv": "m\n",
      "S2/barcodes.tsv": "AAA-1\nGGG-1\n",
    });
    expect((await readMatrix(path, place)).cells).toEqual([{ h: 1 }, {}, {}, { m: 2 }]);
  });

  test("takes no word for a sample that may be one", async () => {
    const path = await place.folder({
      ...matrixAt("P1/", SMALL["matrix.mtx"]),
      ...matrixAt("P1_norm/", OTHER),
      ...matrixAt("P1_cell/", OTHER),
      ...matrixAt("P2_hto_raw/", OTHER),
    });
    expect((await readMatrix(path, place)).cells.length).toBe(8);
  });

  test("reads unfiltered cells where there are no others", async () => {
    const path = await place.folder(matrixAt("raw_feature_bc_matrix/", SMALL["matrix.mtx"]));
    expect((await readMatrix(path, place)).cells).toEqual(SMALL_READ.cells);
  });
});

describe("openMatrix(path, options) that cannot tell which cells are which", () => {
  test("says which matrices share a cell table", async () => {
    const { "matrix.mtx": exon, ...tables } = SMALL;
    const path = await place.folder({ ...tables, "exon.mtx": exon, "intron.mtx": OTHER });
    expect(await failure(readMatrix(path, place))).toBe(
      "M_FORMAT: exon.mtx and intron.mtx share barcodes.tsv, so they are of the same cells, and nothing tells which of them to count",
    );
  });

  test("says which cell table names a cell twice", async () => {
    const layers = (barcodes: readonly [string, string]): Files => ({
      "spliced.mtx": mtx(1, 2, []),
      "spliced.barcodes.txt": barcodes[0],
      "unspliced.mtx": mtx(1, 2, []),
      "unspliced.barcodes.txt": barcodes[1],
      "genes.txt": "g\n",
    });
    for (const [name, barcodes] of [
      ["unspliced", ["A\nB\n", "A\nA\n"]],
      ["spliced", ["A\nA\n", "A\nB\n"]],
    ] as const) {
      expect(await failure(readMatrix(await place.folder(layers(barcodes)), place))).toBe(
        `M_TABLE: ${name}.mtx has the cells of others, but ${name}.barcodes.txt names some twice, so that they cannot be told apart`,
      );
    }
  });
});

describe("openMatrix(path, options) of HDF5 files of the same cells", () => {
  test("takes the filtered cells, and names what it passes over", async () => {
    const h5 = await readFile(join(import.meta.dirname, "../../fixtures/matrix/tenx.h5"));
    const path = await place.folder({
      "outs/filtered_feature_bc_matrix.h5": h5,
      "outs/raw_feature_bc_matrix.h5": h5,
      "outs/molecule_info.h5": h5,
    });
    const { cells, notes } = await readMatrix(path, place, ["10X"]);
    expect(cells.length).toBe(240);
    expect(notes.filter((note) => note.startsWith("M_SKIPPED"))).toEqual([
      "M_SKIPPED info: outs/molecule_info.h5 was not read: it holds molecules, no matrix",
      "M_SKIPPED info: outs/raw_feature_bc_matrix.h5 was not read: its cells are those of all droplets, and the filtered ones lie beside it",
    ]);
  });
});

describe("openMatrix(path, options) of several tables", () => {
  const { "matrix.mtx": matrix } = SMALL;
  const table = { "genes.tsv": SMALL["genes.tsv"], "barcodes.tsv": SMALL["barcodes.tsv"] };
  test.each<readonly [string, Files]>([
    ["the one with symbols", { ...SMALL, "features.tsv": "ENSG1\nENSG2\nENSG3\n" }],
    [
      "the one that fits",
      { ...SMALL, "features.tsv": "ENSG1\tX\nENSG2\tY\n", "cells.tsv": "AAA-1\n" },
    ],
    [
      "the one that is a table",
      { ...SMALL, "features.tsv": "\0\0", "cells.tsv.gz": Buffer.from("\x1f\x8bx", "latin1") },
    ],
    [
      "symbols beside ids",
      {
        "matrix.mtx": matrix,
        "barcodes.tsv": SMALL["barcodes.tsv"],
        "features.tsv": "ENSG1\nENSG2\nENSG3\n",
        "gene_names.csv": '"","x"\n"1","A"\n"2","B"\n"3","MT-C"\n',
      },
    ],
    [
      "tables of the folder around",
      {
        "outs/matrix/matrix.mtx": matrix,
        "genes.tsv": SMALL["genes.tsv"],
        "outs/barcodes.tsv": SMALL["barcodes.tsv"],
      },
    ],
    [
      "tables with suffixes",
      {
        "GSM1_matrix_S1.mtx": matrix,
        "GSM1_features_S1.tsv": SMALL["genes.tsv"],
        "GSM1_barcodes_S1.tsv": SMALL["barcodes.tsv"],
      },
    ],
    [
      "tables with a long name of their own",
      {
        "GSM1_filtered_feature_bc_matrix.mtx.gz": gzipSync(matrix),
        "GSM1_filtered_feature_bc_features.tsv": SMALL["genes.tsv"],
        "GSM1_filtered_feature_bc_matrix_barcodes.tsv": SMALL["barcodes.tsv"],
      },
    ],
    [
      "the tables of Parse's pipeline",
      {
        "DGE.mtx": matrix,
        "all_genes.csv": "gene_id,gene_name,genome\nENSG1,A,hg38\nENSG2,B,hg38\nENSG3,MT-C,hg38\n",
        "cell_metadata.csv": "bc_wells,sample\nAAA-1,s\nAAC-1,s\n",
      },
    ],
  ])("takes %s", async (_what, files) => {
    const { ids, symbols, cells } = await readMatrix(await place.folder(files), place);
    expect({ ids, symbols, cells }).toEqual(SMALL_READ);
  });

  test("takes the approach of the cell table that says it, whatever its name", async () => {
    const cells = rows("cell\tassay", "AAA-1\t10x 3' v3", "AAC-1\tSmart-seq2");
    for (const name of ["cells.tsv", "barcodes.csv", "features_and_cells.tsv"]) {
      const content = name.endsWith("csv") ? cells.replaceAll("\t", ",") : cells;
      const files = { "matrix.mtx": matrix, ...table, [name]: content };
      const { approachOf } = await readMatrix(await place.folder(files), place);
      expect(approachOf).toEqual(
        name.startsWith("features") ? ["unknown", "unknown"] : ["10X", "SS2"],
      );
    }
  });

  test("shares one gene table among samples, of whatever name, and never a cell table of another sample", async () => {
    const sample = (name: string, value: number): Files => ({
      [`${name}.mtx`]: mtx(2, 1, [[1, 1, value]]),
      [`${name}_barcodes.tsv`]: "AAA\n",
    });
    const genes = "ENSG1\tA\nENSG2\tB\n";
    for (const name of [
      "GSE1_genes.tsv",
      "genes_GSE1.tsv",
      "GSE1_features_all.tsv",
      "../up/GSE1_features.tsv",
    ]) {
      const files = { ...sample("S1", 1), ...sample("S2", 2) };
      const inner = Object.fromEntries(
        Object.entries(files).map(([file, content]) => [`up/a/${file}`, content]),
      );
      const path = name.startsWith("..")
        ? await place.folder({ ...inner, "up/GSE1_features.tsv": genes })
        : await place.folder({ ...files, [name]: genes, "GSE1_other_genes.tsv": "x\n" });
      expect((await readMatrix(path, place)).cells).toEqual([{ A: 1 }, { A: 2 }]);
    }
    const all: Files = { ...sample("S1", 1), ...sample("S2", 2), "genes.tsv": genes };
    const { "S2_barcodes.tsv": _, ...without } = all;
    expect(await failure(readMatrix(await place.folder(without), place))).toBe(
      "M_INCOMPLETE: S2.mtx has no cell table (barcodes.tsv, cells.tsv or cells.csv) beside it, .gz or not",
    );
  });

  test.each([
    ["CD45+", "CD45-"],
    ["αβ", "γδ"],
    ["患者", "对照"],
  ])("keeps the tables of %s and %s apart", async (one, other) => {
    const sample = (name: string, barcode: string, gene: string): Files => ({
      [`${name}_matrix.mtx`]: mtx(1, 1, [[1, 1, 5]]),
      [`${name}.genes.tsv`]: `${gene}\n`,
      [`${name}.barcodes.tsv`]: rows("barcode\tassay", `${barcode}\tSmart-seq2`),
    });
    const files = { ...sample(one, "AAA", "P"), ...sample(other, "CCC", "N") };
    const { cells } = await readMatrix(await place.folder(files), place);
    expect(cells).toEqual(one < other ? [{ P: 5 }, { N: 5 }] : [{ N: 5 }, { P: 5 }]);
  });

  test("says that no table is the matrix's, where only others' sizes are there", async () => {
    const files = {
      "S1.mtx": mtx(2, 1, []),
      "S1_barcodes.tsv": "AAA\n",
      "S2.mtx": mtx(2, 1, []),
      "S2_barcodes.tsv": "AAA\n",
      "GSE1_genes.tsv": "a\nb\nc\n",
    };
    expect(await failure(readMatrix(await place.folder(files), place))).toBe(
      "M_INCOMPLETE: S1.mtx has no gene table (genes.tsv, features.tsv or genes.csv) beside it, .gz or not",
    );
  });
});
