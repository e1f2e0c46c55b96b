// MatrixMarket files of every kind that occurs, and of those that must not pass.

import { crc32, deflateRawSync, gzipSync } from "node:zlib";

import { beforeEach, describe, expect, test } from "vitest";

import { computeStatistics } from "../../../../src/jobs/matrix/counting/computeStatistics.ts";
import type { MtxSizes } from "../../../../src/jobs/matrix/reading/mtxReader.ts";
import {
  cellsOf,
  genesNamed,
  makeFolder,
  openParts,
  openText,
  readCells,
  regionOf,
} from "../support/mtxFiles.ts";
import { makeRandom } from "../support/random.ts";

const SMALL: MtxSizes = { slotBytes: 128, blockEntries: 16, inlineBytes: 0 };
const HEAD = "%%MatrixMarket matrix coordinate integer general\n";

type Entry = readonly [gene: number, cell: number, count: number];

function textOf(genes: number, cells: number, entries: readonly Entry[]): string {
  const lines = entries.map(([gene, cell, count]) => `${gene + 1} ${cell + 1} ${count}\n`);
  return `${HEAD}%made for a test\n${genes} ${cells} ${entries.length}\n${lines.join("")}`;
}

/** What a reader must give for entries: zeros dropped, duplicates added up. */
function naive(cells: number, entries: readonly Entry[]): readonly ReadonlyMap<number, number>[] {
  const maps = Array.from({ length: cells }, () => new Map<number, number>());
  for (const [gene, cell, count] of entries) {
    if (count > 0) maps[cell]?.set(gene, (maps[cell]?.get(gene) ?? 0) + count);
  }
  return maps;
}

describe("openMtx({ parts, genes, cells, notes, scratchDir })", () => {
  // Each test throws the same numbers, whichever ran before it.
  let random = makeRandom(7);
  beforeEach(() => {
    random = makeRandom(7);
  });
  const orders: Readonly<Record<string, (entries: Entry[]) => Entry[]>> = {
    "cell by cell": (entries) => entries,
    "gene by gene": (entries) => entries.sort((a, b) => a[0] - b[0] || a[1] - b[1]),
    "in any order": (entries) => random.shuffle(entries),
    "in order up to the last entry": (entries) => [...entries.slice(1), ...entries.slice(0, 1)],
    backwards: (entries) => entries.reverse(),
    "cell by cell, genes descending": (entries) =>
      entries.sort((a, b) => a[1] - b[1] || b[0] - a[0]),
    "with duplicates": (entries) =>
      entries.flatMap((entry) => (random.below(5) === 0 ? [entry, entry] : [entry])),
    "with many duplicates of one cell": (entries) => [
      ...entries.filter(([, cell]) => cell === 0),
      ...Array.from({ length: 400 }, (): Entry => [random.below(3), 0, 2]),
      ...entries.filter(([, cell]) => cell > 0),
    ],
  };

  test.for(Object.keys(orders))("reads what lies %s", async (order) => {
    for (let round = 0; round < 12; round++) {
      // Three at least, since one of the orders draws from as many.
      const genes = 3 + random.below(38);
      const cells = 1 + random.below(60);
      const density = random.below(4) / 4;
      const entries: Entry[] = [];
      for (let cell = 0; cell < cells; cell++) {
        for (let gene = 0; gene < genes; gene++) {
          if (random.below(1000) / 1000 < density) {
            entries.push([gene, cell, random.below(3) * 10 ** random.below(9)]);
          }
        }
      }
      const ordered = orders[order]?.(entries) ?? [];
      const text = textOf(genes, cells, ordered);
      const reader = await openText(text, {
        genes,
        cells,
        sizes: { ...SMALL, inlineBytes: round % 6 === 0 ? 0 : Infinity },
      });
      const { cells: read } = await readCells(reader);
      expect(read).toEqual(naive(cells, ordered));
      expect((await readCells(reader)).cells).toEqual(read);
      await reader.close();
    }
  });

  test("begins anew where told that it may", async () => {
    const entries: Entry[] = [
      [0, 0, 1],
      [0, 1, 2],
      [1, 0, 3],
    ];
    const reader = await openText(textOf(2, 2, entries), { genes: 2, cells: 2 });
    const statistics = await computeStatistics(reader, {
      scratchDir: makeFolder(),
      signal: new AbortController().signal,
    });
    expect(Array.from(statistics.cells.nCounts)).toEqual([4, 2]);
  });

  test("puts several parts one after the other, with genes of their own", async () => {
    const dir = makeFolder();
    const first = regionOf(
      dir,
      "a.mtx",
      textOf(3, 2, [
        [0, 0, 1],
        [1, 1, 2],
        [2, 1, 9],
      ]),
    );
    const second = regionOf(
      dir,
      "b.mtx",
      textOf(2, 3, [
        [1, 0, 4],
        [0, 2, 5],
      ]),
    );
    const parts = [
      {
        matrix: second,
        genes: 2,
        cells: 3,
        geneMap: Uint32Array.of(3, 0),
        firstCell: 2,
        cellMap: null,
      },
      {
        matrix: first,
        genes: 3,
        cells: 2,
        geneMap: Uint32Array.of(2, 1, 0xffffffff),
        firstCell: 0,
        cellMap: null,
      },
    ];
    const reader = await openParts(dir, parts, genesNamed(4), cellsOf(5));
    const { cells, summary } = await readCells(reader);
    expect(cells).toEqual([
      new Map([[2, 1]]),
      new Map([[1, 2]]),
      new Map([[0, 4]]),
      new Map(),
      new Map([[3, 5]]),
    ]);
    expect(summary).toEqual({ entries: 4, duplicates: 0, rounded: 0 });
  });

  test("turns what lies cells × genes, and says so", async () => {
    const text = textOf(2, 3, [
      [0, 0, 1],
      [0, 2, 2],
      [1, 1, 3],
    ]);
    const reader = await openText(text, { genes: 3, cells: 2 });
    expect((await readCells(reader)).cells).toEqual([
      new Map([
        [0, 1],
        [2, 2],
      ]),
      new Map([[1, 3]]),
    ]);
    expect(reader.notes()).toEqual([
      {
        rule: "M_TRANSPOSED",
        severity: "info",
        message: "matrix.mtx lies cells × genes (2 × 3) and was turned",
      },
    ]);
  });

  test.for([
    ["tabs, blanks, CRLF, blank lines, signs", "1\t1  4 \r\n\r\n \n +2 1 +5\r\n2 2 6\r\n", 3],
    ["a missing last line break", "1 1 4\n2 1 5\n2 2 6", 3],
    ["decimals", "1 1 4.0\n2 1 .5e1\n2 2 6.000000000000000000e+00\n", 3],
    [
      "many digits",
      "0000000001 1 4\n2 1 000000000000000000005\n2 2 0.60000000000000000000001e1\n",
      3,
    ],
    ["explicit zeros", "1 1 4\n1 2 0\n2 1 0.0\n2 1 5\n2 2 6\n2 2 0e5\n", 6],
  ] as const)("reads %s", async ([, lines, entries]) => {
    const text = `%%matrixmarket MATRIX Coordinate Real General\r\n%\n\n2 2 ${entries}\n${lines}`;
    const reader = await openText(text, { genes: 2, cells: 2 });
    expect((await readCells(reader)).cells).toEqual([
      new Map([
        [0, 4],
        [1, 5],
      ]),
      new Map([[1, 6]]),
    ]);
    expect(reader.notes()).toEqual([]);
  });

  test("rounds half to even, and says how many", async () => {
    const values = ["0.5", "1.5", "2.5", "3.4999999999999999999", "25.7", "1", "2", "3", "4", "5"];
    const lines = values.map((value, at) => `${at + 1} 1 ${value}\n`).join("");
    const text = `%%MatrixMarket matrix coordinate real general\n10 1 10\n${lines}`;
    const reader = await openText(text, { genes: 10, cells: 1 });
    const { cells, summary } = await readCells(reader);
    expect(Array.from(cells[0] ?? [])).toEqual(
      [
        [1, 2],
        [2, 2],
        [3, 4],
        [4, 26],
        [5, 1],
        [6, 2],
        [7, 3],
        [8, 4],
        [9, 5],
      ], // 3.4999… is the double 3.5
    );
    expect(summary).toEqual({ entries: 9, duplicates: 0, rounded: 5 });
    expect(reader.notes()).toEqual([
      {
        rule: "M_ROUNDED",
        severity: "warning",
        message: "5 values of matrix.mtx were not whole and were rounded to the nearest count",
      },
    ]);
  });

  test("adds up what occurs twice, and says how often", async () => {
    const reader = await openText(
      textOf(1, 1, [
        [0, 0, 2],
        [0, 0, 3],
        [0, 0, 4],
      ]),
      {
        genes: 1,
        cells: 1,
      },
    );
    expect(await readCells(reader)).toEqual({
      cells: [new Map([[0, 9]])],
      summary: { entries: 1, duplicates: 2, rounded: 0 },
    });
    expect(reader.notes()).toEqual([
      {
        rule: "M_DUPLICATES",
        severity: "warning",
        message: "2 entries of matrix.mtx named a gene and cell a second time and were added up",
      },
    ]);
  });

  test("reads gzip of several members and what zips hold", async () => {
    const text = textOf(1, 2, [
      [0, 0, 2],
      [0, 1, 3],
    ]);
    const cells = [new Map([[0, 2]]), new Map([[0, 3]])];
    const gz = Buffer.concat([gzipSync(text.slice(0, 60)), gzipSync(text.slice(60))]);
    const claims = (bytes: string | Buffer): { bytes: number; crc32: number } => ({
      bytes: bytes.length,
      crc32: crc32(bytes),
    });
    const size = { genes: 1, cells: 2 };
    const readers = [
      await openText(gz, { ...size, layers: ["gzip"] }),
      await openText(gz, { ...size, layers: ["gzip"], claimed: claims(gz) }),
      await openText(text, { ...size, claimed: claims(text) }),
      await openText(deflateRawSync(text), { ...size, layers: ["deflate"], claimed: claims(text) }),
      await openText(deflateRawSync(gz), {
        ...size,
        layers: ["deflate", "gzip"],
        claimed: claims(gz),
      }),
    ];
    for (const reader of readers) expect((await readCells(reader)).cells).toEqual(cells);
  });

  test("says that a file is gone, without its path", async () => {
    const dir = makeFolder();
    const matrix = { ...regionOf(dir, "matrix.mtx", "x"), path: `${dir}/gone` };
    const part = { matrix, genes: 1, cells: 1, geneMap: null, firstCell: 0, cellMap: null };
    const reader = await openParts(dir, [part], genesNamed(1), cellsOf(1));
    await expect(readCells(reader)).rejects.toMatchObject({
      kind: "permanent",
      message: "matrix.mtx cannot be read from disk",
    });
  });

  test("stops when told to", async () => {
    const reader = await openText(textOf(1, 1, []), { genes: 1, cells: 1 });
    const controller = new AbortController();
    controller.abort();
    await expect(reader.pass(() => {}, { signal: controller.signal })).rejects.toMatchObject({
      kind: "aborted",
    });
    const later = new AbortController();
    const many = Array.from({ length: 20_000 }, (_, cell): Entry => [0, cell, 1]);
    const long = await openText(textOf(1, 20_000, many), { genes: 1, cells: 20_000, sizes: SMALL });
    await expect(long.pass(() => later.abort(), { signal: later.signal })).rejects.toMatchObject({
      kind: "aborted",
    });
  });
});
