// A second opinion by zlib on what we ourselves say is damaged.

import { deflateRawSync, gzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import { makeRing, type Ring } from "../../../../src/jobs/matrix/kernel/ring.ts";
import type { MatrixReader } from "../../../../src/jobs/matrix/matrix.ts";
import { UnreadableMatrix } from "../../../../src/jobs/matrix/problem.ts";
import {
  openMtx,
  type RestartablePassOptions,
} from "../../../../src/jobs/matrix/reading/mtxReader.ts";
import type { ByteRegion } from "../../../../src/jobs/matrix/reading/region.ts";
import {
  makeRegionReader,
  type RegionPiece,
} from "../../../../src/jobs/matrix/reading/regionReader.ts";
import { readWithZlib } from "../../../../src/jobs/matrix/reading/zlibRegion.ts";
import { cellsOf, genesNamed, makeFolder, readCells, regionOf } from "../support/mtxFiles.ts";

const GENES = 5;
const CELLS = 40;
const LINES = Array.from({ length: GENES * CELLS }, (_, at) => {
  return `${1 + (at % GENES)} ${1 + Math.floor(at / GENES)} ${at + 1}\n`;
});
const TEXT = `%%MatrixMarket matrix coordinate integer general\n${GENES} ${CELLS} ${LINES.length}\n${LINES.join("")}`;
const CELLS_READ = Array.from({ length: CELLS }, (_, cell) => {
  return new Map(Array.from({ length: GENES }, (_, gene) => [gene, cell * GENES + gene + 1]));
});
/** 1 kB: the text is several slots long. */
const SIZES = { slotBytes: 1024, blockEntries: 16, inlineBytes: Infinity };
const never = new AbortController().signal;

/** Reads the beginning as it is, then says that the rest is damaged. */
async function* refuse(ring: Ring, region: ByteRegion): AsyncGenerator<RegionPiece> {
  for await (const piece of readWithZlib({ ...region, claimed: null }, ring, never)) {
    yield piece;
    break;
  }
  throw new UnreadableMatrix("M_CORRUPT", `${region.name} is damaged: so it was said`);
}

async function openRefusing(
  bytes: Uint8Array,
  layers: ByteRegion["layers"],
  claimed: ByteRegion["claimed"] = null,
): Promise<MatrixReader> {
  const dir = makeFolder();
  const matrix = regionOf(dir, "matrix.mtx.gz", bytes, layers, claimed);
  const part = { matrix, genes: GENES, cells: CELLS, geneMap: null, firstCell: 0, cellMap: null };
  const source = makeRegionReader(SIZES.slotBytes, SIZES.inlineBytes);
  return openMtx({
    parts: [part],
    genes: genesNamed(GENES),
    cells: cellsOf(CELLS),
    notes: [],
    scratchDir: dir,
    sizes: SIZES,
    source: { ...source, read: (region) => refuse(source.ring, region) },
  });
}

const half = TEXT.length >> 1;
const twoMembers = Buffer.concat([gzipSync(TEXT.slice(0, half)), gzipSync(TEXT.slice(half))]);
const crc32 = gzipSync(TEXT).readUInt32LE(gzipSync(TEXT).length - 8);
const right = { bytes: TEXT.length, crc32 };

describe("openMtx({ parts, genes, cells, notes, scratchDir, sizes, source })", () => {
  test.for([
    ["gzip", twoMembers, ["gzip"], null],
    ["deflate", deflateRawSync(TEXT), ["deflate"], right],
    ["gzip within deflate", deflateRawSync(twoMembers), ["deflate", "gzip"], null],
  ] as const)("reads by zlib what was refused: %s", async ([, bytes, layers, claimed]) => {
    const reader = await openRefusing(bytes, layers, claimed);
    const { cells } = await readCells(reader);
    expect(cells).toEqual(CELLS_READ);
    // zlib stays.
    expect((await readCells(reader)).cells).toEqual(CELLS_READ);
    await reader.close();
  });

  test("begins anew where cells were given already", async () => {
    const reader = await openRefusing(twoMembers, ["gzip"]);
    let cells = 0;
    let restarts = 0;
    const options: RestartablePassOptions = {
      signal: never,
      onRestart: () => {
        restarts++;
        cells = 0;
      },
    };
    await reader.pass((block) => void (cells += block.cells), options);
    expect([cells, restarts]).toEqual([CELLS, 1]);
    await reader.close();
  });

  test.for([
    ["is cut off", twoMembers.subarray(0, twoMembers.length - 9), ["gzip"], null],
    ["has another length", deflateRawSync(TEXT), ["deflate"], { ...right, bytes: half }],
    ["has another checksum", deflateRawSync(TEXT), ["deflate"], { ...right, crc32: 1 }],
    ["is not packed", Buffer.from(TEXT), [], null],
  ] as const)(
    "says what was said first where zlib agrees: %s",
    async ([, bytes, layers, claimed]) => {
      const reader = await openRefusing(bytes, layers, claimed);
      await expect(readCells(reader)).rejects.toThrow("matrix.mtx.gz is damaged: so it was said");
      await reader.close();
    },
  );
});

describe("readWithZlib(region, ring, signal)", () => {
  test("stops when told to", async () => {
    const dir = makeFolder();
    const region = regionOf(dir, "matrix.mtx.gz", twoMembers, ["gzip"]);
    const reading = readWithZlib(region, makeRing(1024), AbortSignal.abort());
    await expect(reading.next()).rejects.toThrow("reading the matrix was stopped");
  });
});
