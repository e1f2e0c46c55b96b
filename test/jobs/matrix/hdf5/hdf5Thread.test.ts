// A thread for HDF5 that starts before anything is known of a file.

import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { openSession } from "../../../../src/jobs/matrix/hdf5/hdf5Session.ts";
import { startHdf5ThreadEarly } from "../../../../src/jobs/matrix/hdf5/hdf5Thread.ts";
import { FIXTURES } from "../support/matrixFiles.ts";

const FILE = join(FIXTURES, "csr.h5ad");
const never = new AbortController().signal;

describe("startHdf5ThreadEarly(words)", () => {
  test("starts none where no word names such a file", () => {
    expect(startHdf5ThreadEarly(["stats", "--json", "folder.h5ad/matrix.mtx"])).toBe(null);
  });

  test.each([false, true])(
    "starts what a session takes unless it has ended (%s)",
    async (ended) => {
      const early = startHdf5ThreadEarly(["stats", "CELLS.H5AD"]);
      if (early === null) throw new Error("no thread");
      if (ended) await early.terminate();
      const session = await openSession(FILE, "m.h5ad", never, { early });
      expect(early.threadId === -1).toBe(ended);
      expect((await session.ask({ op: "list", path: "/" })).map(({ name }) => name)).toContain("X");
      await session.close();
      expect(early.threadId).toBe(-1);
    },
  );
});
