// Matrices as they come in the field: which numbers are counts, what is read, and what is refused by its name.

import { describe, expect, test } from "vitest";

import { expectCase } from "./support/countCases.ts";
import { mtx, readMatrix, SMALL, SMALL_READ, useWorkplace } from "./support/matrixFiles.ts";

const place = useWorkplace();

describe("openMatrix(case) with computeStatistics(reader): valid input", () => {
  test("reads the field unsigned-integer, as SciPy writes it", async () => {
    await expectCase("mtx-unsigned-integer", place);
  });

  test("reads the field in any case, packed by gzip or not", async () => {
    const entries = [
      [1, 1, 5],
      [3, 1, 1],
      [2, 2, 7],
    ] as const;
    const path = await place.folder({
      ...SMALL,
      "matrix.mtx": mtx(3, 2, entries, { field: "Unsigned-Integer" }),
    });
    expect((await readMatrix(path, place)).cells).toEqual(SMALL_READ.cells);
  });

  test("reads categories that are nullable texts", async () => {
    const notes = await expectCase("h5ad-nullable-categories", place, "input.h5ad");
    expect(notes).toEqual([]);
  });
});
