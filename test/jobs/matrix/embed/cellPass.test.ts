import { describe, expect, test } from "vitest";

import {
  type CellPass,
  entriesOf,
  keepCells,
  passOfReader,
} from "../../../../src/jobs/matrix/embed/cellPass.ts";
import { type Cells, readMemory } from "./memoryReader.ts";
import { plainStatistics } from "./plainStatistics.ts";

const CELLS: Cells = [[[0, 1]], [], [[2, 5], [1, 4]], [[1, 7]], [[0, 2], [1, 3], [2, 4]]]; // prettier-ignore
const reader = readMemory(CELLS, 3, { blockCells: 2 });
const vectors = plainStatistics(reader, CELLS).cells;
const { signal } = new AbortController();

/** What a pass visits, and the fractions it tells. */
async function visitsOf(pass: CellPass): Promise<{
  readonly visits: readonly (readonly [number, readonly (readonly number[])[]])[];
  readonly fractions: readonly number[];
}> {
  const visits: [number, number[][]][] = [];
  const fractions: number[] = [];
  await pass(
    (cell, genes, counts, from, to) => {
      const entries = Array.from({ length: to - from }, (_, at) => [
        genes[from + at] ?? -1,
        counts[from + at] ?? -1,
      ]);
      visits.push([cell, entries]);
    },
    (fraction) => fractions.push(fraction),
  );
  return { visits, fractions };
}

describe("passOfReader(reader, cells, signal)", () => {
  test("visits every cell that has counts, in order, and tells how far it is", async () => {
    expect(await visitsOf(passOfReader(reader, vectors, signal))).toEqual({
      visits: [0, 2, 3, 4].map((cell) => [cell, CELLS[cell]]),
      fractions: [0.4, 0.8, 1],
    });
  });

  test("refuses a matrix that changed since it was counted", async () => {
    const changed = readMemory(CELLS.with(3, []), 3);
    await expect(visitsOf(passOfReader(changed, vectors, signal))).rejects.toMatchObject({
      rule: "M_CORRUPT",
      message:
        "cell 4 had counts for 1 genes when it was counted and has them for 0 now: the matrix changed meanwhile",
    });
    const longer = readMemory([...CELLS, [[0, 1]]], 3);
    await expect(visitsOf(passOfReader(longer, vectors, signal))).rejects.toMatchObject({
      rule: "M_CORRUPT",
    });
  });

  test("stops when it is told to between two blocks", async () => {
    const controller = new AbortController();
    const pass = passOfReader(reader, vectors, controller.signal);
    await expect(
      pass(
        () => controller.abort("enough"),
        () => {},
      ),
    ).rejects.toMatchObject({
      kind: "aborted",
      cause: "enough",
    });
  });
});

describe("keepCells(cells, nGenes, signal)", () => {
  test("keeps some cells of a pass and visits them again", async () => {
    const kept = keepCells(Uint32Array.of(0, 2, 4), vectors.nGenes, signal);
    await passOfReader(reader, vectors, signal)(kept.keep, () => {});
    const again = {
      visits: [0, 2, 4].map((cell) => [cell, CELLS[cell]]),
      fractions: [0, 1],
    };
    expect(await visitsOf(kept.pass)).toEqual(again);
    expect(await visitsOf(kept.pass)).toEqual(again);
  });

  test("stops when it is told to", async () => {
    const kept = keepCells(Uint32Array.of(0), vectors.nGenes, AbortSignal.abort("enough"));
    await expect(visitsOf(kept.pass)).rejects.toMatchObject({ kind: "aborted", cause: "enough" });
  });
});

describe("entriesOf(cells, nGenes)", () => {
  test("adds up the entries of some cells", () => {
    expect(entriesOf(Uint32Array.of(0, 4), vectors.nGenes)).toBe(4);
  });
});
