import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import { computeStatistics } from "../../../../src/jobs/matrix/counting/computeStatistics.ts";
import { openMatrix } from "../../../../src/jobs/matrix/openMatrix.ts";
import { UnreadableMatrix } from "../../../../src/jobs/matrix/problem.ts";
import { tempDir } from "../demo/rig.ts";
import { makeManyProjects } from "./manyProjects.ts";

/** Reads a matrix, and says how many cells and genes it has or why it cannot be read. */
async function judge(path: string): Promise<string> {
  const { signal } = new AbortController();
  const scratchDir = await tempDir();
  try {
    const reader = await openMatrix(path, { scratchDir, signal, approaches: [] });
    try {
      const { cells, genes } = await computeStatistics(reader, { scratchDir, signal });
      return `${cells.nCounts.length} × ${genes.ids.length}`;
    } finally {
      await reader.close();
    }
  } catch (error) {
    if (error instanceof UnreadableMatrix) return error.rule;
    throw error;
  }
}

describe("makeManyProjects(dir, options)", () => {
  test("writes projects of which three are bad in ways of their own", async () => {
    const dir = await tempDir();
    const { ids, badIds } = await makeManyProjects(dir, { count: 10, bad: 3 });
    expect((await readdir(dir)).sort()).toEqual(ids.map((id) => `${id}.mtx.zip`).sort());
    expect(new Set(ids).size).toBe(10);
    for (const id of ids) expect(id).toMatch(/^[0-9a-f-]{36}\.homo_sapiens$/);
    const found = await Promise.all(ids.map((id) => judge(join(dir, `${id}.mtx.zip`))));
    const bad = new Map(ids.map((id, index) => [id, found[index]]));
    expect(badIds.map((id) => bad.get(id))).toEqual(["M_CORRUPT", "M_ENTRY", "M_UNSAFE"]);
    expect(found.filter((what) => what === "60 × 80")).toHaveLength(7);
  });

  test("writes the same bytes every time, others for every project", async () => {
    const [first, second] = [await tempDir(), await tempDir()];
    const { ids } = await makeManyProjects(first, { count: 4, bad: 4 });
    expect(await makeManyProjects(second, { count: 4, bad: 4 })).toEqual({ ids, badIds: ids });
    const contents = await Promise.all(ids.map((id) => readFile(join(first, `${id}.mtx.zip`))));
    const again = await Promise.all(ids.map((id) => readFile(join(second, `${id}.mtx.zip`))));
    expect(again).toEqual(contents);
    expect(new Set(contents.map((content) => content.toString("base64"))).size).toBe(4);
  });

  test("writes none that is bad where none is asked for", async () => {
    const { ids, badIds } = await makeManyProjects(await tempDir(), { count: 2, bad: 0 });
    expect([ids.length, badIds]).toEqual([2, []]);
  });
});
