// How much a file may unpack to, and that no more of it comes to lie on the disk.

import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateRawSync, gzipSync } from "node:zlib";

import { describe, expect, test } from "vitest";

import {
  mostUnpackedBytes,
  unpackRegion,
} from "../../../../src/jobs/matrix/reading/boundedRegion.ts";
import type { ByteRegion } from "../../../../src/jobs/matrix/reading/region.ts";
import { failure, useWorkplace } from "../support/matrixFiles.ts";

const place = useWorkplace();
const { signal } = new AbortController();
const REGION: ByteRegion = {
  path: "/x.zip",
  offset: 0,
  length: 1000,
  layers: ["deflate"],
  name: "x.h5ad",
  claimed: { bytes: 5000, crc32: 0 },
};

describe("mostUnpackedBytes(region)", () => {
  test("takes an archive at its word", () => {
    expect(mostUnpackedBytes(REGION)).toBe(5000);
    expect(mostUnpackedBytes({ ...REGION, layers: [] })).toBe(5000);
  });

  test("allows what deflate can do where nothing is said, or only of a layer further out", () => {
    const unsaid: ByteRegion = { ...REGION, length: 5000, layers: ["gzip"], claimed: null };
    expect(mostUnpackedBytes(unsaid)).toBe(5_000_000);
    expect(mostUnpackedBytes({ ...REGION, length: 5000, layers: ["deflate", "gzip"] })).toBe(
      5_000_000,
    );
    // Small files may be of one repeated line.
    expect(mostUnpackedBytes({ ...unsaid, length: 10 })).toBe(1_048_576);
  });

  test("allows no more than any disk is thought to hold", () => {
    const claiming = (bytes: number) => ({ ...REGION, claimed: { bytes, crc32: 0 } });
    expect(mostUnpackedBytes(claiming(100e9))).toBe(100e9);
    expect(mostUnpackedBytes(claiming(100e9 + 1))).toBe(100e9);
    expect(mostUnpackedBytes({ ...REGION, length: 1e9, layers: ["gzip"], claimed: null })).toBe(
      100e9,
    );
  });
});

describe("unpackRegion(region, to, mostBytes, signal)", () => {
  const CONTENT = Buffer.alloc(3_000_000, "0123456789abcdefghijk");

  async function unpack(
    packed: Buffer,
    layers: ByteRegion["layers"],
    mostBytes: number,
    claimed: ByteRegion["claimed"] = null,
  ): Promise<{ readonly end: string; readonly to: string }> {
    const whole = await place.region("x", packed);
    const to = join(await place.folder({}), "unpacked");
    const region = { ...whole, layers, claimed };
    return { end: await failure(unpackRegion(region, to, mostBytes, signal)), to };
  }

  test("writes what fits", async () => {
    const { end, to } = await unpack(gzipSync(CONTENT), ["gzip"], CONTENT.length);
    expect(end).toBe("it was read");
    expect((await readFile(to)).equals(CONTENT)).toBe(true);
    expect((await stat(to)).mode & 0o777).toBe(0o600);
  });

  test("stops at the limit, and leaves no more than that behind", async () => {
    const limit = CONTENT.length - 1;
    const { end, to } = await unpack(gzipSync(CONTENT), ["gzip"], limit);
    expect(end).toBe("M_UNSAFE: x unpacks to more than 3.00 MB");
    expect((await stat(to)).size).toBeLessThanOrEqual(limit);
  });

  test("stops where an archive claimed less than there is", async () => {
    const packed = deflateRawSync(CONTENT);
    const claimed = { bytes: 2_000_000, crc32: crc32(CONTENT) };
    const { end, to } = await unpack(packed, ["deflate"], 100e9, claimed);
    expect(end).toMatch(/^M_CORRUPT: x unpacks to more than the 2,000,000 bytes/);
    expect((await stat(to)).size).toBeLessThanOrEqual(2_000_000);
  });

  test("stops at a thousand times the size, whatever the limit", async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000));
    const { end, to } = await unpack(bomb, ["gzip"], 100e9);
    expect(end).toMatch(/^M_UNSAFE: x unpacks to more than 1,000 times its size of \d+\.\d+ kB$/);
    expect((await stat(to)).size).toBeLessThanOrEqual(bomb.length * 1000);
  });
});
