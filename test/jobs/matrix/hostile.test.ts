// What breaks, lies or means harm: each file has its one clear reason or its right result, and nothing is left behind.

import { gzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import type { MatrixStatistics } from "../../../src/jobs/matrix/counting/statistics.ts";
import {
  type Content,
  countingIn,
  failure,
  type Files,
  mtx,
  rawZip,
  rows,
  SMALL,
  useWorkplace,
  zipOf,
} from "./support/matrixFiles.ts";

const place = useWorkplace();
const { count, small, countSmall, countFile } = countingIn(place);
const READABLE = "Can be read: 10x-style MatrixMarket";

describe("a file that is no matrix", () => {
  test.each<[string, Content, string]>([
    ["x.rds", gzipSync("X\n\0\0\0\x02"), "x.rds is an R object."],
    ["x.rds", "whatever", "x.rds is an R object."],
    ["x.csv", "a,b\n1,2\n", "x.csv is a text table."],
    ["x.csv.gz", gzipSync("a,b\n1,2\n"), "x.csv.gz is a text table."],
    ["x.bam", gzipSync("BAM\x01...."), "x.bam is aligned reads (BAM)."],
    ["x.tgz", "damaged", "x.tgz is called a tar archive, which it is not."],
    ["README", "about", "README is a readme."],
    ["x.mtx.bz2", "BZh91AY", "x.mtx.bz2 is packed by bzip2."],
    ["x.gz", gzipSync(gzipSync("x")), "x.gz is packed by gzip twice."],
    ["x.zip.gz", gzipSync("PK\x03\x04x"), "x.zip.gz is a zip packed by gzip once more."],
    ["nothing", "", "nothing is an empty file."],
    ["x.parquet", "PAR1", "x.parquet is a Parquet file."],
    ["strange", "x", "strange is of a kind not known."],
    ["x.qqq", "x", "x.qqq is a .qqq file."],
  ])("is named: %s", async (name, content, message) => {
    expect(await countFile(name, content)).toMatch(new RegExp(`^M_FORMAT: ${escape(message)} Can`));
  });

  test("is named in a zip and in a folder", async () => {
    expect(await countFile("x.csv.zip", await zipOf({ "x.csv": "a,b\n" }))).toContain(
      `M_FORMAT: x.csv.zip holds no matrix that can be read (x.csv: a text table). ${READABLE}`,
    );
    expect(await failure(count(await place.folder({ "a/x.rds": "RDX3", "b.bin": "" })))).toContain(
      `M_FORMAT: the folder holds no matrix that can be read (a/x.rds: an R object and b.bin: an empty file). ${READABLE}`,
    );
    expect(await failure(count(await place.folder({ "README.txt": "about" })))).toContain(
      `M_FORMAT: the folder holds no file that could be a matrix. ${READABLE}`,
    );
    expect(await failure(count(await place.folder({})))).toContain(
      "M_FORMAT: the folder holds no file that could be a matrix.",
    );
    expect(await countFile("x.zip", rawZip([]))).toContain(
      "M_FORMAT: x.zip holds no file that could be a matrix.",
    );
    expect(await countFile("x.zip", await zipOf({ "y.zip": await zipOf(SMALL) }))).toBe(
      "M_FORMAT: x.zip holds a zip once more (y.zip); unpack it first",
    );
    const h5 = "\x89HDF\r\n\x1a\n";
    const two = { "a.h5ad": Buffer.from(h5, "latin1"), "b.h5": Buffer.from(h5, "latin1") };
    expect(await failure(count(await place.folder(two)))).toBe(
      "M_FORMAT: the folder holds 2 matrices in files of their own (a.h5ad and b.h5); one at a time can be read",
    );
  });

  test("is passed over or named where it is damaged from its start", async () => {
    const broken = Buffer.alloc(40, gzipSync("x").subarray(0, 10));
    expect(await countFile("x.gz", broken)).toBe(
      "M_CORRUPT: x.gz is damaged: its data do not decompress",
    );
    expect(await failure(count(await place.folder({ "x.gz": broken })))).toContain(
      "M_FORMAT: the folder holds no matrix that can be read (x.gz: damaged: its data do not decompress).",
    );
    expect(await countSmall({ "matrix.mtx": broken })).toBe(
      "M_CORRUPT: matrix.mtx is damaged: its data do not decompress",
    );
    expect(await countSmall({ "genes.tsv": broken })).toMatch(/^M_CORRUPT: genes\.tsv is damaged/);
  });

  test("is damaged where its name says what it should be", async () => {
    expect(await countFile("x.zip", "no zip at all")).toBe(
      "M_CORRUPT: x.zip is no zip, or its start is damaged",
    );
    expect(await countFile("x.h5ad", "no HDF5 at all")).toMatch(/^M_(FORMAT|CORRUPT): x\.h5ad\b/);
    expect(await countFile("x.mtx.gz", Buffer.alloc(40, gzipSync("x").subarray(0, 10)))).toMatch(
      /^M_CORRUPT: x\.mtx\.gz is damaged/,
    );
  });
});

describe("a matrix without its tables", () => {
  test("names what is missing", async () => {
    const { "matrix.mtx": matrix, "genes.tsv": genes, "barcodes.tsv": cells } = SMALL;
    const without = async (files: Files): Promise<string> =>
      failure(count(await place.folder(files)));
    expect(
      await without({ "d/matrix.mtx": matrix, "d/barcodes.tsv": cells, "e/genes.tsv": genes }),
    ).toBe(
      "M_INCOMPLETE: d/matrix.mtx has no gene table (genes.tsv, features.tsv or genes.csv) beside it, .gz or not",
    );
    expect(await without({ "matrix.mtx": matrix, "genes.tsv": genes })).toBe(
      "M_INCOMPLETE: matrix.mtx has no cell table (barcodes.tsv, cells.tsv or cells.csv) beside it, .gz or not",
    );
    expect(await without({ "matrix.mtx": matrix })).toBe(
      "M_INCOMPLETE: matrix.mtx has no gene table (genes.tsv, features.tsv or genes.csv) and no cell table (barcodes.tsv, cells.tsv or cells.csv) beside it, .gz or not",
    );
    expect(await without({ "genes.tsv": genes, "barcodes.tsv": cells })).toBe(
      "M_INCOMPLETE: the folder holds barcodes.tsv and genes.tsv, but no matrix.mtx or matrix.mtx.gz",
    );
    expect(
      await without({
        "GSM1_matrix.mtx": matrix,
        "GSM1_genes.tsv": genes,
        "GSM1_barcodes.tsv": cells,
        "GSM2_matrix.mtx": matrix,
      }),
    ).toMatch(/^M_INCOMPLETE: GSM2_matrix\.mtx has no gene table .* and no cell table/);
  });
});

describe("tables that do not fit", () => {
  test.each<[Files, string]>([
    [
      { "genes.tsv": "ENSG1\tA\n" },
      "M_TABLE: matrix.mtx: genes.tsv has 1 genes, but the matrix 3 rows",
    ],
    [
      { "barcodes.tsv": "a\nb\nc\n" },
      "M_TABLE: matrix.mtx: barcodes.tsv has 3 cells, but the matrix 2 columns",
    ],
    [
      { "genes.tsv": "", "barcodes.tsv": "" },
      "M_TABLE: matrix.mtx: genes.tsv has 0 genes, but the matrix 3 rows; barcodes.tsv has 0 cells, but the matrix 2 columns",
    ],
    [{ "genes.tsv": "A\n\t\t\nC\n" }, "M_TABLE: genes.tsv: row 2 names no gene"],
    [{ "genes.tsv": 'A\n"B\nC\n' }, "M_TABLE: genes.tsv: a quote in row 2 is not closed"],
    [
      { "genes.tsv": Buffer.from("\ufeffA\nB\nC\n", "utf16le") },
      "M_TABLE: genes.tsv is written in UTF-16; tables must be UTF-8",
    ],
    [{ "genes.tsv": "A\0\nB\nC\n" }, "M_TABLE: genes.tsv holds no text"],
    [{ "genes.tsv": "x".repeat(3e6) }, "M_TABLE: genes.tsv: row 1 is longer than 1,048,576 bytes"],
    [
      { "genes.tsv": `A\n"${"x\n".repeat(1e6)}` },
      "M_TABLE: genes.tsv: row 2 is longer than 1,048,576 bytes, or a quote in it is not closed",
    ],
  ])("are named: %#", async (changes, message) => {
    expect(await countSmall(changes)).toBe(message);
  });

  test("are damaged", async () => {
    const genes = gzipSync(rows(...Array.from({ length: 5000 }, (_, index) => `G${index * 7919}`)));
    expect(await countSmall({ "genes.tsv": genes.subarray(0, genes.length / 2) })).toMatch(
      /^M_CORRUPT: genes\.tsv is truncated/,
    );
    const flipped = Buffer.from(genes);
    flipped.writeUInt8(flipped.readUInt8(5000) ^ 0x10, 5000);
    expect(await countSmall({ "genes.tsv": flipped })).toMatch(/^M_CORRUPT: genes\.tsv/);
  });
});

describe("a matrix whose entries lie", () => {
  test.each<[string, string, RegExp]>([
    [
      "fewer entries than it says",
      mtx(3, 2, [[1, 1, 5]], { claimed: 4 }),
      /^M_CORRUPT: .*truncated/,
    ],
    [
      "more entries than it says",
      mtx(
        3,
        2,
        [
          [1, 1, 5],
          [2, 1, 1],
        ],
        { claimed: 1 },
      ),
      /^M_CORRUPT: /,
    ],
    [
      "2^31 entries in a small file",
      mtx(3, 2, [[1, 1, 5]], { claimed: 2 ** 31 }),
      /^M_CORRUPT: .*truncated/,
    ],
    ["an index out of range", mtx(3, 2, [[4, 1, 5]]), /^M_ENTRY: .*4/],
    ["a cell out of range", mtx(3, 2, [[1, 3, 5]]), /^M_ENTRY: .*3/],
    ["index 0", mtx(3, 2, [[0, 1, 5]]), /^M_ENTRY: /],
    ["a negative index", mtx(3, 2, [[-1, 1, 5]]), /^M_ENTRY: /],
    ["NaN", mtx(3, 2, [[1, 1, "NaN"]], { field: "real" }), /^M_ENTRY: .*NaN/i],
    ["a negative count", mtx(3, 2, [[1, 1, -5]]), /^M_ENTRY: .*5/],
    ["words", mtx(3, 2, [[1, 1, "many"]]), /^M_ENTRY: /],
    ["no banner", "3 2 1\n1 1 1\n", /^M_HEADER: /],
    ["no size", "%%MatrixMarket matrix coordinate integer general\n", /^M_(HEADER|CORRUPT): /],
    ["a size of words", "%%MatrixMarket matrix coordinate integer general\na b c\n", /^M_HEADER: /],
    [
      "only a pattern",
      "%%MatrixMarket matrix coordinate pattern general\n3 2 1\n1 1\n",
      /^M_(HEADER|FORMAT): .*pattern/,
    ],
    [
      "symmetry",
      "%%MatrixMarket matrix coordinate integer symmetric\n3 2 1\n1 1 1\n",
      /^M_(HEADER|FORMAT): .*symmetric/,
    ],
    [
      "log values",
      mtx(
        3,
        2,
        [
          [1, 1, 0.693],
          [2, 1, 1.0986],
          [2, 2, 1.61],
        ],
        { field: "real" },
      ),
      /^M_NOT_COUNTS: /,
    ],
    ["no genes and no cells", mtx(0, 0, []), /^M_TABLE: /],
  ])("has %s", async (_what, matrix, message) => {
    expect(await countSmall({ "matrix.mtx": matrix })).toMatch(message);
  });

  test("is cut off", async () => {
    const packed = gzipSync(
      mtx(
        3,
        2,
        Array.from(
          { length: 20_000 },
          (_, index) => [1 + (index % 3), 1 + (index >> 14), 1 + ((index * 7919) % 97)] as const,
        ),
      ),
    );
    expect(await countSmall({ "matrix.mtx": packed.subarray(0, packed.length / 2) })).toMatch(
      /^M_CORRUPT: .*truncated/,
    );
    const zip = await zipOf({ ...SMALL, "matrix.mtx": packed }, { compress: false });
    zip.writeUInt8(zip.readUInt8(packed.length / 2) ^ 0x20, packed.length / 2);
    expect(await countFile("x.zip", zip)).toMatch(/^M_CORRUPT: matrix\.mtx/);
  });
});

describe("a small matrix", () => {
  const answers = ({ whole, cells, notes }: MatrixStatistics) => ({
    cells: whole.cells,
    empty: whole.emptyCells,
    entries: whole.entries,
    nCounts: [...cells.nCounts],
    nGenes: [...cells.nGenes],
    mito: cells.mitoFraction === null ? null : [...cells.mitoFraction],
    rules: notes.map(({ rule }) => rule),
  });

  test("of one cell is counted", async () => {
    const path = await small({
      "matrix.mtx": mtx(3, 1, [
        [1, 1, 3],
        [3, 1, 1],
      ]),
      "barcodes.tsv": "a\n",
    });
    expect(answers(await count(path))).toEqual({
      cells: 1,
      empty: 0,
      entries: 2,
      nCounts: [4],
      nGenes: [2],
      mito: [0.25],
      rules: [],
    });
  });

  test("of one gene is counted", async () => {
    const path = await small({ "matrix.mtx": mtx(1, 2, [[1, 2, 3]]), "genes.tsv": "A\n" });
    expect(answers(await count(path))).toEqual({
      cells: 2,
      empty: 1,
      entries: 1,
      nCounts: [0, 3],
      nGenes: [0, 1],
      mito: null,
      rules: ["M_NO_MITO"],
    });
  });

  test("of zeros, or of nothing, is empty", async () => {
    expect(
      await countSmall({
        "matrix.mtx": mtx(3, 2, [
          [1, 1, 0],
          [2, 2, 0],
        ]),
      }),
    ).toMatch(/^M_EMPTY: /);
    expect(await countSmall({ "matrix.mtx": mtx(3, 2, []) })).toMatch(/^M_EMPTY: /);
    expect(
      await countSmall({ "matrix.mtx": mtx(0, 0, []), "genes.tsv": "", "barcodes.tsv": "" }),
    ).toMatch(/^M_EMPTY: /);
  });

  test("with symbols that occur twice is counted under unique ones", async () => {
    const path = await small({ "genes.tsv": rows("ENSG1\tA", "ENSG2\tA", "ENSG3\tA") });
    const statistics = await count(path);
    expect(statistics.genes.symbols).toEqual(["A", "A-1", "A-2"]);
    expect(answers(statistics).rules).toEqual(["M_SYMBOLS", "M_NO_MITO"]);
  });
});

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
