// Entries in any order, given back cell by cell.

import { execFileSync } from "node:child_process";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { beforeEach, describe, expect, test } from "vitest";

import type { PassSummary } from "../../../../src/jobs/matrix/matrix.ts";
import { type EntrySpool, makeSpool } from "../../../../src/jobs/matrix/reading/spool.ts";
import { scratchError } from "../../../../src/jobs/matrix/reading/spoolFile.ts";
import { makeFolder } from "../support/mtxFiles.ts";
import { makeRandom } from "../support/random.ts";

const signal = new AbortController().signal;
type Entry = readonly [cell: number, gene: number, count: number];

function fill(spool: EntrySpool, entries: readonly Entry[]): void {
  const column = (at: 0 | 1 | 2): Uint32Array => Uint32Array.from(entries, (entry) => entry[at]);
  spool.add(column(0), column(1), column(2), entries.length);
}

async function read(
  spool: EntrySpool,
): Promise<{ cells: ReadonlyMap<number, number>[]; summary: PassSummary; mostEntries: number }> {
  const cells: Map<number, number>[] = [];
  let mostEntries = 0;
  const summary = await spool.pass(
    (block) => {
      expect(block.firstCell).toBe(cells.length);
      expect([block.starts.length, block.starts[0]]).toEqual([block.cells + 1, 0]);
      mostEntries = Math.max(mostEntries, block.genes.length);
      for (let cell = 0; cell < block.cells; cell++) {
        const genes = block.genes.subarray(block.starts[cell], block.starts[cell + 1]);
        const map = new Map<number, number>();
        for (const [at, gene] of genes.entries()) {
          expect(map.has(gene)).toBe(false);
          map.set(gene, block.counts[(block.starts[cell] ?? 0) + at] ?? -1);
        }
        cells.push(map);
      }
    },
    { signal },
  );
  return { cells, summary, mostEntries };
}

const SMALL = { blockEntries: 300, blockCells: 16, bufferBytes: 4096 };

describe("makeSpool({ dir, cells, genes, entries })", () => {
  // Each test throws the same numbers, whichever ran before it.
  let random = makeRandom(11);
  beforeEach(() => {
    random = makeRandom(11);
  });

  test.for([null, 0, 5_000, 1_000_000_000])(
    "gives every cell once and in order, where %s entries were foreseen",
    async (entries) => {
      for (const [cells, genes, count] of [
        [1, 1, 1],
        [50, 20, 5_000],
        [3_000, 7, 4_000],
        [1, 500, 3_000],
      ] as const) {
        const dir = makeFolder();
        const spool = makeSpool({ dir, cells, genes, entries, ...SMALL });
        const made = Array.from({ length: count }, (): Entry => [
          random.below(cells),
          random.below(genes),
          // Some do not fit into a byte.
          random.below(20) === 0 ? 254 + random.below(4) * 1000 : random.below(4),
        ]);
        fill(spool, made.slice(0, 100));
        fill(spool, made.slice(100));
        const expected = Array.from({ length: cells }, () => new Map<number, number>());
        let nonzero = 0;
        for (const [cell, gene, value] of made) {
          if (value === 0) continue;
          nonzero++;
          expected[cell]?.set(gene, (expected[cell].get(gene) ?? 0) + value);
        }
        const kept = expected.reduce((sum, map) => sum + map.size, 0);
        for (let pass = 0; pass < 2; pass++) {
          const { cells: given, summary, mostEntries } = await read(spool);
          expect(given).toEqual(expected);
          expect(summary).toEqual({ entries: kept, duplicates: nonzero - kept, rounded: 0 });
          expect(mostEntries).toBeLessThanOrEqual(Math.max(300, genes));
        }
        await spool.remove();
        expect(readdirSync(dir)).toEqual([]);
      }
    },
  );

  test("keeps its file private, and makes none where memory is enough", async () => {
    const dir = makeFolder();
    const spool = makeSpool({ dir, cells: 10, genes: 2, entries: 100, bufferBytes: 4096 });
    fill(
      spool,
      Array.from({ length: 100 }, (): Entry => [1, 1, 1]),
    );
    expect(readdirSync(dir)).toEqual([]);
    fill(
      spool,
      Array.from({ length: 1000 }, (): Entry => [1, 1, 1]),
    );
    expect(readdirSync(dir).map((name) => statSync(join(dir, name)).mode & 0o777)).toEqual([0o600]);
    await spool.remove();
    await spool.remove();
  });

  test("gives nothing of a matrix without cells, and empty cells of one without entries", async () => {
    const dir = makeFolder();
    expect((await read(makeSpool({ dir, cells: 0, genes: 1, entries: null }))).cells).toEqual([]);
    const { cells } = await read(makeSpool({ dir, cells: 20, genes: 1, entries: 0, ...SMALL }));
    expect(cells).toEqual(Array.from({ length: 20 }, () => new Map()));
  });

  test("gives every entry back where there are more than 65,536 buckets", async () => {
    // So many genes leave seven bits for the cell within its bucket.
    const genes = 2 ** 24 + 1;
    const cells = 65_600 * 128;
    const dir = makeFolder();
    const spool = makeSpool({ dir, cells, genes, entries: null, bufferBytes: 1 });
    // More than a chunk holds, so that they lie in the file.
    const made = [3 * 128, 65_539 * 128 + 5].flatMap((cell) =>
      Array.from({ length: 100 }, (_, at): Entry => [cell, genes - 100 + at, 1 + at]),
    );
    fill(spool, made);
    const given: Entry[] = [];
    const summary = await spool.pass(
      ({ firstCell, starts, genes, counts }) => {
        for (const [at, gene] of genes.entries()) {
          const cell = firstCell + starts.findLastIndex((start) => start <= at);
          given.push([cell, gene, counts[at] ?? 0]);
        }
      },
      { signal },
    );
    expect(given).toEqual(made);
    expect(summary).toEqual({ entries: 200, duplicates: 0, rounded: 0 });
    await spool.remove();
  });

  test("refuses sums that are too large, and cells and genes that there are not", async () => {
    for (const copies of [2, 1000]) {
      const spool = makeSpool({ dir: makeFolder(), cells: 2, genes: 3, entries: null, ...SMALL });
      fill(
        spool,
        Array.from({ length: copies }, (): Entry => [1, 2, 0xffffffff]),
      );
      await expect(read(spool)).rejects.toMatchObject({
        rule: "M_ENTRY",
        message: "the entries of gene 3 in cell 2 add up to more than 4,294,967,295",
      });
      await spool.remove();
    }
    const spool = makeSpool({ dir: makeFolder(), cells: 2, genes: 3, entries: null });
    expect(() => fill(spool, [[2, 0, 1]])).toThrow("a spool for 2 cells was given cell 2");
    for (const gene of [3, 4]) {
      const given = `a spool for 3 genes was given gene ${gene}`;
      expect(() => fill(spool, [[1, gene, 1]])).toThrow(given);
    }
  });

  test("stops when told to", async () => {
    const spool = makeSpool({ dir: makeFolder(), cells: 2, genes: 3, entries: null });
    const stopped = AbortSignal.abort();
    await expect(spool.pass(() => {}, { signal: stopped })).rejects.toMatchObject({
      kind: "aborted",
    });
  });

  test("hears between two blocks that it is to stop, and lets others have their turn", async () => {
    const spool = makeSpool({
      dir: makeFolder(),
      cells: 1000,
      genes: 2,
      entries: null,
      blockEntries: 10,
    });
    fill(
      spool,
      Array.from({ length: 1000 }, (_, cell): Entry => [cell, 1, 1]),
    );
    const abort = new AbortController();
    let blocks = 0;
    setImmediate(() => abort.abort());
    await expect(spool.pass(() => void blocks++, { signal: abort.signal })).rejects.toMatchObject({
      kind: "aborted",
    });
    expect(blocks).toBeLessThan(50);
    await spool.remove();
  });

  test("says that the disk is full", () => {
    const file = pathToFileURL(
      join(import.meta.dirname, "../../../../src/jobs/matrix/reading/spool.ts"),
    ).href;
    const folder = makeFolder();
    const script = `
      const { makeSpool } = await import(${JSON.stringify(file)});
      const spool = makeSpool({ dir: ${JSON.stringify(folder)}, cells: 9, genes: 2, entries: 9 });
      const ones = new Uint32Array(1e6).fill(1);
      try { spool.add(ones, ones, ones, 1e6); } catch (error) {
        console.log(JSON.stringify([error.name, error.kind, error.message]));
      }`;
    // A limit on the size of files fails as a full disk does, if its signal is ignored.
    const out = execFileSync("sh", [
      "-c",
      `trap '' XFSZ; ulimit -f 100; exec "$0" --input-type=module -e "$1"`,
      process.execPath,
      script,
    ]);
    expect(JSON.parse(out.toString())).toEqual([
      "HdashError",
      "permanent",
      `there is no room on the scratch disk for 104,854 entries of a matrix; free some space on the disk of ${folder}, or name a folder on a larger one (HDASH_HOME; TMPDIR for \`hdash matrix stats\`)`,
    ]);
  });

  test("says that the folder is gone", () => {
    const spool = makeSpool({
      dir: join(makeFolder(), "gone"),
      cells: 1,
      genes: 1,
      entries: 1,
      ...SMALL,
    });
    const many = Array.from({ length: 2000 }, (): Entry => [0, 0, 1]);
    expect(() => fill(spool, many)).toThrow("could not be put into the scratch folder");
  });
});

describe("scratchError(error, what)", () => {
  test("tells a full disk from other trouble", () => {
    const messages = ["ENOSPC", "EDQUOT", "EIO"].map(
      (code) => scratchError(Object.assign(new Error(code), { code }), "x", "/d").message,
    );
    const full = expect.stringMatching(
      /^there is no room on the scratch disk for x; free some space on the disk of \/d, or name/,
    ) as string;
    expect(messages).toEqual([full, full, "x could not be put into the scratch folder"]);
  });
});
