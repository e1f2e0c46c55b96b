// `hdash matrix stats` as people and programs use it: a process of its own, without configuration, that leaves nothing behind.

import { spawn } from "node:child_process";
import { mkdir, readdir, watch, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

import { afterEach, beforeAll, describe, expect, onTestFinished, test } from "vitest";

import { type Ended, start } from "../../support/command.ts";
import { expectAnswers, type Expected, readExpected } from "./support/matrixAnswers.ts";
import { FIXTURES, HDF5_FIXTURES, mtx, rows, SMALL, useWorkplace } from "./support/matrixFiles.ts";

const place = useWorkplace();
const scratch = join(place.dir, "tmp");
let expected: Expected;
beforeAll(async () => {
  await mkdir(scratch);
  expected = await readExpected();
});
afterEach(async () => {
  expect(await readdir(scratch)).toEqual([]);
});

function run(...args: readonly string[]): Promise<Ended> {
  return start("src/main.ts", ["matrix", "stats", ...args], { TMPDIR: scratch }).ended;
}

describe("hdash matrix stats --json", () => {
  test.each([
    "tenx",
    "odd/matrix.mtx",
    "00000000-0000-4000-8000-000000000005.homo_sapiens.mtx.zip",
    ...HDF5_FIXTURES.map(([name]) => name),
  ])("gives the known answers of %s", async (name) => {
    const ended = await run(join(FIXTURES, name), "--json");
    expect({ code: ended.code, stderr: ended.stderr }).toEqual({ code: 0, stderr: "" });
    const json = JSON.parse(ended.stdout) as Readonly<Record<string, unknown>>;
    expectAnswers(json, expected);
    expect(Object.keys(json)).toEqual([
      "format",
      "notes",
      "gene_ids",
      "gene_symbols",
      "whole",
      "by_library_construction_approach",
    ]);
    expect((json["gene_symbols"] as readonly string[]).slice(0, 2)).toEqual(["GENE0", "GENE1"]);
  });

  test("writes no numbers where there are none", async () => {
    const path = await place.folder({
      ...SMALL,
      "matrix.mtx": mtx(3, 2, [[3, 2, 4]]),
    });
    const { stdout } = await run(path, "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      format: "mtx",
      gene_ids: ["ENSG1", "ENSG2", "ENSG3"],
      whole: {
        n_counts: [0, 4],
        n_genes: [0, 1],
        percent_mito_genes: [null, 1],
        n_cells_per_gene: [0, 0, 1],
        top_genes: ["MT-C"],
        top_gene_mean_percent: [100],
        dispersion_norm: [0, 0, 0],
        highly_variable: [],
      },
    });
  });

  test("ends well where the reader has seen enough", async () => {
    // So many cells that their numbers do not fit into a pipe.
    const path = await place.folder({
      ...SMALL,
      "matrix.mtx": mtx(3, 40_000, [[1, 1, 5]]),
      "barcodes.tsv": rows(...Array.from({ length: 40_000 }, (_, cell) => `C${cell}`)),
    });
    const child = spawn(
      "/bin/sh",
      [
        "-c",
        '"$0" --disable-warning=ExperimentalWarning -- src/main.ts matrix stats "$1" --json; echo "code $?" >&2',
        process.execPath,
        path,
      ],
      {
        cwd: join(import.meta.dirname, "../../.."),
        env: { TMPDIR: scratch },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    child.stdout.once("data", () => child.stdout.destroy());
    let stderr = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
    await new Promise((resolve) => child.once("close", resolve));
    expect(stderr).toBe("code 0\n");
  });
});

describe("hdash matrix stats", () => {
  test("reports to people in eighty columns", async () => {
    const { code, stdout, stderr } = await run(
      join(FIXTURES, "00000000-0000-4000-8000-000000000005.homo_sapiens.mtx.zip"),
    );
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    const lines = stdout.split("\n");
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(stdout).not.toContain("\u001b");
    expect(lines.slice(0, 13)).toEqual([
      "00000000-0000-4000-8000-000000000005.homo_sapiens.mtx.zip  MatrixMarket",
      "  600 genes × 240 cells",
      "  44,430 entries (30.9% of all are not 0), 145,789 counts, 524 genes seen",
      "",
      "Per cell                   least         25%      median         75%        most",
      "  counts                     212         447         562         745       1,703",
      "  genes                      114         163         185         205         270",
      "  mitochondrial               0%        0.8%        1.2%        1.7%        3.5%",
      "",
      "By approach                            cells     entries med. counts  med. genes",
      "  SS2  Smart-seq2                         80      14,470         533         181",
      "  10X  10X v2 sequencing                 160      29,960         579         187",
      "",
    ]);
    expect(stdout).toContain(`  GENE33                  7.3%  ${"█".repeat(40)}\n`);
    expect(stdout).toContain("\nVariable genes: 15 of 600\n  GENE68, GENE70, GENE91,");
    expect(stdout).toMatch(/\n122 kB in \d+(\.\d)? m?s, [\d.]+ [kM]B\/s\n$/);
  });

  test("says in one line what is wrong with a matrix, and fails", async () => {
    const { "genes.tsv": _, ...files } = SMALL;
    expect(await run(await place.folder(files), "--json")).toEqual({
      code: 1,
      stdout: "",
      stderr:
        "hdash: matrix.mtx has no gene table (genes.tsv, features.tsv or genes.csv) beside it, .gz or not\n",
    });
    const cut = await place.folder({
      ...SMALL,
      "matrix.mtx": mtx(3, 2, [[1, 1, 1]], { claimed: 9 }),
    });
    const ended = await run(cut, "--json");
    expect(ended).toMatchObject({ code: 1, stdout: "" });
    expect(ended.stderr).toMatch(/^hdash: matrix\.mtx.*truncated.*\n$/);
  });

  test("says it and ends also where a thread reads the matrix already", async () => {
    // More than the thread has room for.
    const entries = 1_500_000;
    const header = `%%MatrixMarket matrix coordinate integer general\n3 2 ${entries}\n`;
    const path = await place.folder({
      ...SMALL,
      "matrix.mtx": header + "1 1 1\n".repeat(entries),
      "genes.tsv": rows("ENSG1\tA", "ENSG2\tB"),
    });
    const running = start("src/main.ts", ["matrix", "stats", path], { TMPDIR: scratch });
    onTestFinished(() => void running.process.kill("SIGKILL"));
    expect(await running.ended).toEqual({
      code: 1,
      stdout: "",
      stderr: "hdash: matrix.mtx: genes.tsv has 2 genes, but the matrix 3 rows\n",
    });
  });

  test("says in one line that a thread cannot be started, also where it is begun early", async () => {
    const env = {
      TMPDIR: scratch,
      NODE_OPTIONS: "--permission --allow-fs-read=* --allow-fs-write=*",
    };
    const { code, stdout, stderr } = await start(
      "src/main.ts",
      ["matrix", "stats", join(FIXTURES, "csr.h5ad")],
      env,
    ).ended;
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^hdash: [^\n]*restricted[^\n]*\n$/);
  });

  test("takes a path that is not there, or none, for a mistake on the command line", async () => {
    const gone = await run(join(place.dir, "gone.zip"));
    expect(gone).toMatchObject({ code: 2, stdout: "" });
    expect(gone.stderr).toMatch(/^hdash: there is no file or folder .*gone\.zip/);
    expect(await run()).toMatchObject({ code: 2, stdout: "" });
  });

  test("stops on SIGTERM and takes its scratch folder with it", async () => {
    // Two hundred million zeros, the same member of gzip again and again: seconds of work in a few megabytes.
    const members = 200;
    const head = `%%MatrixMarket matrix coordinate integer general\n3 2 ${members * 1_000_000}\n`;
    const member = gzipSync("1 1 0\n".repeat(1_000_000));
    const path = await place.folder({
      ...SMALL,
      "matrix.mtx": Buffer.concat([gzipSync(head), ...Array<Buffer>(members).fill(member)]),
    });
    const changes = watch(scratch)[Symbol.asyncIterator]();
    const running = start("src/main.ts", ["matrix", "stats", path], { TMPDIR: scratch });
    await changes.next();
    running.process.kill("SIGTERM");
    expect(await running.ended).toEqual({
      code: 143,
      stdout: "",
      stderr: "hdash: told to stop by SIGTERM\n",
    });
    await changes.return?.();
  });
});

/** Runs a line of a shell in which "$@" stands for hdash matrix stats. */
function runShell(line: string): Promise<{ code: number | null; stderr: string }> {
  const args = [process.execPath, "src/main.ts", "matrix", "stats"];
  const child = spawn("bash", ["-o", "pipefail", "-c", line, "bash", ...args], {
    env: { ...process.env, TMPDIR: scratch, FILE: join(FIXTURES, "csr.h5ad") },
    stdio: ["ignore", "ignore", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, stderr })));
}

describe("hdash matrix stats: where its output goes and what it is given", () => {
  test.each(["", "--json"])("ends quietly where nobody reads on (%s)", async (flag) => {
    // `true` has ended long before there is anything to write.
    expect(await runShell(`"$@" "$FILE" ${flag} | true`)).toEqual({ code: 0, stderr: "" });
  });

  test.each(["", "--json"])("says in one line that the disk is full (%s)", async (flag) => {
    const { code, stderr } = await runShell(`"$@" "$FILE" ${flag} > /dev/full`);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^hdash: [^\n]*ENOSPC[^\n]*\n$/);
  });

  test.each([
    ['"$FILE" other', /^error: too many arguments for 'stats'/],
    ["''", /^hdash: the path of the matrix is empty\n$/],
    ['<(cat "$FILE")', /^hdash: \S+ is no file and no folder: pipes cannot be read/],
  ])("refuses %s", async (args, said) => {
    const { code, stderr } = await runShell(`"$@" ${args}`);
    expect(code).toBe(2);
    expect(stderr).toMatch(said);
  });

  test("reads a matrix with the mark of UTF-8, and says when a line of its header is too long", async () => {
    const [genes, cells] = [rows("A", "B"), rows("c1", "c2")];
    for (const [name, start] of [
      ["marked", "\ufeff%%MatrixMarket matrix coordinate integer general\n"],
      ["long", `%%MatrixMarket matrix coordinate integer general\n%${"x".repeat(5e6)}\n`],
    ] as const) {
      const dir = join(place.dir, name);
      await mkdir(dir);
      await writeFile(join(dir, "matrix.mtx"), `${start}2 2 2\n1 1 30\n2 2 40\n`);
      await writeFile(join(dir, "genes.tsv"), genes);
      await writeFile(join(dir, "barcodes.tsv"), cells);
    }
    const marked = await run(join(place.dir, "marked"));
    expect({ code: marked.code, stderr: marked.stderr }).toEqual({ code: 0, stderr: "" });
    const long = await run(join(place.dir, "long"));
    expect({ code: long.code, stderr: long.stderr }).toEqual({
      code: 1,
      stderr:
        "hdash: matrix.mtx: a line is too long, or the sizes are missing: the header goes on beyond 1,048,576 bytes\n",
    });
  });
});
