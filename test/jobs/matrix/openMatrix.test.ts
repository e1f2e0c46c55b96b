// What a matrix can come as: folders, zips, single files, prefixes, several in one; and the known answers of every fixture.

import { mkdir, readFile, rename, symlink } from "node:fs/promises";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { gzipSync } from "node:zlib";

import { beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { HdashError } from "../../../src/error.ts";
import { computeStatistics } from "../../../src/jobs/matrix/counting/computeStatistics.ts";
import { writeStatistics } from "../../../src/jobs/matrix/counting/statsJson.ts";
import { openMatrix } from "../../../src/jobs/matrix/openMatrix.ts";
import { expectAnswers, type Expected, readExpected } from "./support/matrixAnswers.ts";
import {
  failure,
  FIXTURES,
  HDF5_FIXTURES,
  mtx,
  readMatrix,
  rows,
  SMALL,
  SMALL_READ,
  useWorkplace,
  zipOf,
} from "./support/matrixFiles.ts";

const place = useWorkplace();
let expected: Expected;
beforeAll(async () => {
  expected = await readExpected();
});

/** Reads the matrix and compares what can be read of SMALL. */
async function expectSmall(path: string): Promise<void> {
  const { ids, symbols, cells } = await readMatrix(path, place);
  expect({ ids, symbols, cells }).toEqual(SMALL_READ);
  expect(await place.leftovers()).toEqual([]);
}

describe("openMatrix(fixture) with computeStatistics(reader)", () => {
  test.each<readonly [string, string]>([
    ["tenx", "mtx"],
    ["tenx/matrix.mtx.gz", "mtx"],
    ["odd", "mtx"],
    ["odd/matrix.mtx", "mtx"],
    ["00000000-0000-4000-8000-000000000005.homo_sapiens.mtx.zip", "mtx"],
    ...HDF5_FIXTURES,
  ])("gives the known answers of %s", async (name, format) => {
    const { scratchDir } = place;
    const { signal } = new AbortController();
    const reader = await openMatrix(join(FIXTURES, name), { scratchDir, signal, approaches: [] });
    const statistics = await computeStatistics(reader, { scratchDir, signal });
    await reader.close();
    const json: unknown = JSON.parse([...writeStatistics(statistics)].join(""));
    expectAnswers(json, expected);
    expect(json).toMatchObject({ format });
    expect(await place.leftovers()).toEqual([]);
  });
});

describe("openMatrix(path, options) of a folder", () => {
  test("reads a matrix with its tables, plain or packed, whatever the names say of the packing", async () => {
    await expectSmall(await place.folder(SMALL));
    await expectSmall(
      await place.folder({
        "matrix.mtx.gz": gzipSync(SMALL["matrix.mtx"]),
        "features.tsv.gz": gzipSync(SMALL["genes.tsv"]),
        "barcodes.tsv.gz": gzipSync(SMALL["barcodes.tsv"]),
      }),
    );
    await expectSmall(
      await place.folder({
        "matrix.mtx.gz": SMALL["matrix.mtx"],
        "features.tsv.gz": SMALL["genes.tsv"],
        "cells.tsv": gzipSync(SMALL["barcodes.tsv"]),
      }),
    );
  });

  test("finds it at any depth, and passes over what systems and people put beside it", async () => {
    const deep = Object.fromEntries(
      Object.entries(SMALL).map(([name, content]) => [`a/b c/${name}`, content]),
    );
    await expectSmall(
      await place.folder({
        ...deep,
        "README.md": "about",
        "a/readme": "about",
        "readme_files/broken.gz": "\x1f\x8bx",
        "a/.DS_Store": "x",
        "__MACOSX/a/b c/._matrix.mtx": "%%MatrixMarket x",
        "a/b c/._matrix.mtx": "x",
        "a/b c/notes.csv": "x,y",
        ".git/matrix.mtx": "x",
      }),
    );
  });

  test("takes a matrix by its content where no name says it", async () => {
    await expectSmall(
      await place.folder({
        "counts.txt": SMALL["matrix.mtx"],
        "genes.csv": "ENSG1,A\nENSG2,B\nENSG3,MT-C\n",
        "barcodes.csv": SMALL["barcodes.tsv"],
      }),
    );
  });

  test("joins matrices to tables by their prefix, as GEO names them, in the order of their names", async () => {
    const path = await place.folder({
      "GSM1_S1_matrix.mtx": SMALL["matrix.mtx"],
      "GSM1_S1_features.tsv": SMALL["genes.tsv"],
      "GSM1_S1_barcodes.tsv": SMALL["barcodes.tsv"],
      "GSM2_S2_matrix.mtx": mtx(3, 1, [[2, 1, 9]]),
      "GSM2_S2_features.tsv": SMALL["genes.tsv"],
      "GSM2_S2_barcodes.tsv": "CCC-1\n",
    });
    expect(await readMatrix(path, place)).toEqual({
      ...SMALL_READ,
      cells: [...SMALL_READ.cells, { B: 9 }],
      approaches: [{ key: "unknown", label: "not stated" }],
      approachOf: ["unknown", "unknown", "unknown"],
      notes: [
        "M_TABLE info: 2 matrices were read one after the other as one: their cells follow each other",
        "M_APPROACH warning: the library construction approach of 3 cells is not stated",
      ],
    });
  });

  test("shares a gene table that has no prefix, and takes x.genes.csv for x.mtx", async () => {
    const one = { genes: ["g1", "g2"], symbols: ["g1", "g2"] };
    const shared = await place.folder({
      "a.mtx": mtx(2, 1, [[1, 1, 1]]),
      "a.cells.csv": "c1\n",
      "b_counts.mtx": mtx(2, 1, [[2, 1, 2]]),
      "b_barcodes.tsv": "c2\n",
      "genes.tsv": "g1\ng2\n",
    });
    const { ids, symbols, cells } = await readMatrix(shared, place);
    expect({ genes: ids, symbols, cells }).toEqual({ ...one, cells: [{ g1: 1 }, { g2: 2 }] });
    const own = await place.folder({
      "x.mtx": mtx(2, 1, [[1, 1, 3]]),
      "x.genes.csv": "g1,one\ng2,two\n",
      "x.cells.csv": "c1\n",
    });
    expect((await readMatrix(own, place)).cells).toEqual([{ one: 3 }]);
  });

  test("says which other matrix lies beside the one that it reads", async () => {
    const path = await place.folder({ ...SMALL, "outs/filtered.h5ad": "not looked into" });
    const read = await readMatrix(path, place);
    expect(read.cells).toEqual(SMALL_READ.cells);
    expect(read.notes[0]).toBe(
      "M_SKIPPED info: outs/filtered.h5ad was not read: it holds a matrix by itself, and MatrixMarket files lie beside it",
    );
  });

  test("does not count the same cells twice", async () => {
    const other = mtx(3, 2, [[1, 1, 99]]);
    const path = await place.folder({
      ...SMALL,
      "matrix.mtx.gz": gzipSync(other),
      "UniqueAndMult-EM.mtx": other,
      // Tables of another folder are not its own.
      "deeper/UniqueAndMult-EM_genes.tsv": SMALL["genes.tsv"],
    });
    const read = await readMatrix(path, place);
    expect(read.cells).toEqual(SMALL_READ.cells);
    expect(read.notes.slice(0, 2)).toEqual([
      "M_SKIPPED info: matrix.mtx.gz was not read: the same matrix lies there unpacked",
      "M_SKIPPED info: UniqueAndMult-EM.mtx was not read: it has no tables of its own, and matrix.mtx lies beside it",
    ]);
    const both = await place.folder(
      Object.fromEntries(
        Object.entries(SMALL).flatMap(([name, content]) => [
          [`outs/raw_feature_bc_matrix/${name}`, name === "matrix.mtx" ? other : content],
          [`outs/filtered_feature_bc_matrix/${name}`, content],
        ]),
      ),
    );
    const filtered = await readMatrix(both, place);
    expect(filtered.cells).toEqual(SMALL_READ.cells);
    expect(filtered.notes[0]).toBe(
      "M_SKIPPED info: outs/raw_feature_bc_matrix/matrix.mtx was not read: its cells are those of all droplets, and the filtered ones lie beside it",
    );
  });

  test("reads the one zip or the one HDF5 file that it holds", async () => {
    await expectSmall(await place.folder({ "a/x.zip": await zipOf(SMALL) }));
    const { cells } = await readMatrix(
      await place.folder({ "cells.h5ad": await readFile(join(FIXTURES, "csr.h5ad")) }),
      place,
    );
    expect(cells.length).toBe(240);
  });

  test("passes over links that cannot be followed and are not missed", async () => {
    const path = await place.folder(SMALL);
    await symlink("nope", join(path, "notes.txt"));
    await symlink("/etc/passwd", join(path, "report.pdf"));
    await expectSmall(path);
    await symlink("nope", join(path, "cell_metadata.csv"));
    expect(await failure(readMatrix(path, place))).toBe(
      "M_UNSAFE: cell_metadata.csv is a link that leads nowhere",
    );
    // Where nothing is called as a matrix, any file may be one.
    const bare = await place.folder({ genes: "x" });
    await symlink("nope", join(bare, "matrix.txt"));
    expect(await failure(readMatrix(bare, place))).toBe(
      "M_UNSAFE: matrix.txt is a link that leads nowhere",
    );
  });

  test("follows links that stay within, and counts what they lead to once", async () => {
    const path = await place.folder(SMALL);
    await mkdir(join(path, "store"));
    await rename(join(path, "matrix.mtx"), join(path, "store", "1f3a"));
    await symlink("store/1f3a", join(path, "matrix.mtx"));
    await symlink(".", join(path, "again"));
    await expectSmall(path);
  });
});

describe("openMatrix(path, options) of a file", () => {
  test("takes the tables that lie beside a matrix, and no other matrix", async () => {
    const path = await place.folder({
      ...SMALL,
      "other.mtx": mtx(1, 1, []),
      "deeper/genes.tsv": "x\n",
    });
    await expectSmall(join(path, "matrix.mtx"));
    const far = await place.file("1f3a", SMALL["matrix.mtx"]);
    const { "matrix.mtx": _, ...tables } = SMALL;
    const links = await place.folder(tables);
    await symlink(far, join(links, "matrix.mtx"));
    await expectSmall(join(links, "matrix.mtx"));
  });

  test("reads a zip: stored, deflated, zip64, with folders", async () => {
    await expectSmall(await place.file("x.mtx.zip", await zipOf(SMALL)));
    await expectSmall(await place.file("x", await zipOf(SMALL, { compress: false })));
    await expectSmall(await place.file("x.zip", await zipOf(SMALL, { forceZip64Format: true })));
    const { "matrix.mtx": matrix, ...tables } = SMALL;
    const packed = { "a/": "", "a/matrix.mtx.gz": gzipSync(matrix) };
    const named = Object.fromEntries(
      Object.entries(tables).map(([name, content]) => [`a/${name}`, content]),
    );
    await expectSmall(await place.file("x.zip", await zipOf({ ...packed, ...named })));
  });

  test("reads HDF5 by its content, from a zip and packed by gzip, and leaves nothing behind", async () => {
    const h5 = await readFile(join(FIXTURES, "csr.h5ad"));
    const whole = await readMatrix(join(FIXTURES, "csr.h5ad"), place);
    const { notes: _, ...counted } = whole;
    expect(counted.cells.length).toBe(240);
    for (const path of [
      await place.file("no-extension", h5),
      await place.file("x.h5ad.gz", gzipSync(h5)),
      await place.file("x.zip", await zipOf({ "deep/x.h5ad": h5, "README.txt": "about" })),
      // The zip says how large the packed file is; unpacked it is larger.
      await place.file("x.zip", await zipOf({ "x.h5ad.gz": gzipSync(h5) })),
    ]) {
      const { notes, ...read } = await readMatrix(path, place);
      expect(read).toEqual(counted);
      expect(notes.length).toBe(whole.notes.length);
      expect(await place.leftovers()).toEqual([]);
    }
  });

  test("takes the project's one approach for cells whose table does not say", async () => {
    const path = await place.folder(SMALL);
    const read = await readMatrix(path, place, ["10X v2 sequencing"]);
    expect(read.approaches).toEqual([{ key: "10X", label: "10X v2 sequencing" }]);
    expect(read.notes).toEqual([]);
  });

  test("says what it stopped for", async () => {
    const controller = new AbortController();
    controller.abort(new HdashError("aborted", "told to stop by SIGTERM"));
    const { signal } = controller;
    const { scratchDir } = place;
    const path = await place.folder(SMALL);
    expect(await failure(openMatrix(path, { scratchDir, signal, approaches: [] }))).toBe(
      "aborted: told to stop by SIGTERM",
    );
  });

  test("begins to read a large matrix before its tables, and ends that where they are wrong", async () => {
    const threads: Worker[] = [];
    const add = (thread: Worker): void => void threads.push(thread);
    process.on("worker", add);
    onTestFinished(() => void process.off("worker", add));
    // More than the thread has room for.
    const entries = 1_500_000;
    const large = `%%MatrixMarket matrix coordinate integer general\n3 2 ${entries}\n${"1 1 1\n".repeat(entries)}`;
    const cutOff = gzipSync(SMALL["genes.tsv"]).subarray(0, -9);
    const path = await place.folder({ ...SMALL, "matrix.mtx": large, "genes.tsv": cutOff });
    expect(await failure(readMatrix(path, place))).toMatch(/^M_CORRUPT: genes\.tsv is truncated/);
    expect(threads.map(({ threadId }) => threadId)).toEqual([-1]);
  });

  test("says that there is nothing", async () => {
    expect(await failure(readMatrix(join(place.dir, "nowhere.zip"), place))).toBe(
      "permanent: there is no matrix nowhere.zip: it cannot be opened",
    );
  });
});

describe("openMatrix(path, options) of several matrices", () => {
  test("unites their genes by id and splits their cells by approach", async () => {
    const label = "library_preparation_protocol.library_construction_method.ontology_label";
    const zip = await zipOf({
      "a/matrix.mtx": SMALL["matrix.mtx"],
      "a/genes.tsv": SMALL["genes.tsv"],
      "a/cells.tsv": rows(`cellkey\t${label}`, "c1\tSmart-seq2", "c2\t10X v3 sequencing"),
      "b/matrix.mtx": mtx(3, 2, [
        [3, 2, 4],
        [1, 1, 6],
        [2, 1, 8],
      ]),
      "b/genes.tsv": rows("ENSG9\tN", "ENSG2\tB", "ENSG2\tB"),
      "b/cells.tsv": rows(`cellkey\t${label}`, "c3\t10X v2 sequencing", "c4\tSmart-seq"),
    });
    expect(await readMatrix(await place.file("x.zip", zip), place)).toEqual({
      ids: ["ENSG1", "ENSG2", "ENSG3", "ENSG9", "ENSG2"],
      symbols: ["A", "B", "MT-C", "N", "B-1"],
      cells: [{ A: 5, "MT-C": 1 }, { B: 7 }, { N: 6, B: 8 }, { "B-1": 4 }],
      approaches: [
        { key: "SS2", label: "Smart-seq2" },
        { key: "10X", label: "10X v3 sequencing / 10X v2 sequencing" },
        { key: "Smart-seq", label: "Smart-seq" },
      ],
      approachOf: ["SS2", "10X", "10X", "Smart-seq"],
      notes: [
        "M_TABLE info: 2 matrices were read one after the other as one: their cells follow each other",
        "M_TABLE info: the gene tables of the 2 matrices differ (3 rows each): the union of 5 genes by id is taken",
        "M_SYMBOLS info: 1 gene has a symbol that occurred before and was renamed, e.g. the second B is now B-1",
        "M_APPROACH warning: the library construction approach Smart-seq of 1 cell is not among the usual ones (10X, SS2); its figures lie under Smart-seq",
      ],
    });
  });
});

describe("openMatrix(path, options) of features beside genes", () => {
  test("leaves them out, and says so", async () => {
    const path = await place.folder({
      ...SMALL,
      "genes.tsv": rows(
        "ENSG1\tA\tGene Expression",
        "CD4\tCD4\tAntibody Capture",
        "ENSG3\tMT-C\tGene Expression",
      ),
    });
    const { symbols, cells, notes } = await readMatrix(path, place, ["10X"]);
    expect({ symbols, cells, notes }).toEqual({
      symbols: ["A", "MT-C"],
      cells: [{ A: 5, "MT-C": 1 }, {}],
      notes: ["M_TABLE info: 1 feature that is not gene expression (Antibody Capture) is left out"],
    });
  });
});
