// Files that are no HDF5, are packed or linked in ways that are not read, or are damaged.

import { copyFile, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { HdashError } from "../../../../src/error.ts";
import { openHdf5 } from "../../../../src/jobs/matrix/hdf5/openHdf5.ts";
import { FIXTURES } from "../support/matrixFiles.ts";
import { makeScratch, ODD_FIXTURES, tables, writeHdf5 } from "./hdf5Files.ts";
import { problemOf } from "./hostileFiles.ts";

describe("openHdf5(path, name, options): what is wrong with a file", () => {
  test.each([
    [
      "virtual.h5ad",
      "m.h5ad: X refers to another file; only files that hold all their data can be read",
    ],
    [
      "external-data.h5ad",
      "m.h5ad: X refers to another file; only files that hold all their data can be read",
    ],
    [
      "external-link.h5ad",
      "m.h5ad: X refers to another file; only files that hold all their data can be read",
    ],
  ])("refuses %s", async (file, message) => {
    expect(await problemOf(join(ODD_FIXTURES, file))).toEqual(["M_FORMAT", message]);
  });

  test("says that a file is no HDF5", async () => {
    await using scratch = await makeScratch();
    for (const content of ["", "\x89HDF", "gene,cell\n".repeat(2000)]) {
      const path = join(scratch.dir, "table.h5ad");
      await writeFile(path, content, "latin1");
      expect(await problemOf(path)).toEqual(["M_FORMAT", "m.h5ad: it is not an HDF5 file"]);
    }
  });

  test("says that a file is not there", async () => {
    await using scratch = await makeScratch();
    const { signal } = new AbortController();
    const opened = openHdf5(join(scratch.dir, "none.h5"), "none.h5", {
      scratchDir: scratch.dir,
      signal,
      approaches: [],
    });
    const error: unknown = await opened.catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(HdashError);
    expect(error).toMatchObject({ kind: "permanent", message: "none.h5: it cannot be opened" });
  });

  test("says that a file is cut off", async () => {
    await using scratch = await makeScratch();
    const path = join(scratch.dir, "short.h5ad");
    await copyFile(join(FIXTURES, "csr.h5ad"), path);
    await truncate(path, 100_000);
    const [rule, message] = await problemOf(path);
    expect(rule).toBe("M_CORRUPT");
    expect(message).toBe("m.h5ad: the HDF5 file is cut off or damaged");
  });

  test("neither crashes nor hangs, wherever a file is damaged", async () => {
    await using scratch = await makeScratch();
    const whole = await readFile(join(ODD_FIXTURES, "version3.loom"));
    const path = join(scratch.dir, "damaged.loom");
    const rules = new Set<string>();
    // About 18 places: heap, trees, headers and chunks among them.
    for (let at = 8; at < whole.length; at += 797) {
      const bytes = Buffer.from(whole);
      bytes.fill(0xff, at, at + 24);
      await writeFile(path, bytes);
      try {
        rules.add((await problemOf(path))[0]);
      } catch (error) {
        // Unused space, names or texts: what is damaged is not read, or reads as other texts.
        if (!(error instanceof Error) || error.message !== "the file was read") throw error;
      }
    }
    expect([...rules]).toContain("M_CORRUPT");
  });

  test("says where a chunk is damaged", async () => {
    await using scratch = await makeScratch();
    const path = join(scratch.dir, "damaged.h5ad");
    const data = Float32Array.from({ length: 6000 }, (_, at) => (at % 7) + 1);
    const tree = {
      ...tables(60, 100),
      X: { data, shape: [60, 100], chunks: [10, 100], gzip: 4 },
    };
    await writeHdf5(path, tree);
    const bytes = await readFile(path);
    // The header of zlib's streams at level 4 is 78 5e.
    const at = bytes.lastIndexOf(Buffer.from([0x78, 0x5e]));
    bytes.fill(0xff, at, at + 12);
    await writeFile(path, bytes);
    const [rule, message] = await problemOf(path);
    expect(rule).toBe("M_CORRUPT");
    expect(message).toBe("m.h5ad: X cannot be read from 0, 0 on: the file is cut off or damaged");
  });
});
