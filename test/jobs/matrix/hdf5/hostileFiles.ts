// Damaged and lying HDF5 files for tests: X with parts replaced, and what reading says of it.

import { readdir } from "node:fs/promises";
import { join } from "node:path";

import { expect } from "vitest";

import { openHdf5 } from "../../../../src/jobs/matrix/hdf5/openHdf5.ts";
import { UnreadableMatrix } from "../../../../src/jobs/matrix/problem.ts";
import {
  type Leaf,
  makeScratch,
  readAll,
  sparse,
  type Table,
  tables,
  type Tree,
  writeHdf5,
} from "./hdf5Files.ts";

export const ROWS: Table = [
  [1, 0, 2],
  [0, 30, 0],
];

/** Opens and reads a file; tells the rule and the message of what is wrong with it. */
export async function problemOf(path: string): Promise<readonly [string, string]> {
  await using scratch = await makeScratch();
  const { signal } = new AbortController();
  const options = { scratchDir: scratch.dir, signal, approaches: [] };
  try {
    const reader = await openHdf5(path, "m.h5ad", options);
    try {
      await readAll(reader);
    } finally {
      await reader.close();
    }
  } catch (error) {
    if (!(error instanceof UnreadableMatrix)) throw error;
    expect(error.publicly).toBe(error.message);
    expect(error.message).not.toContain(path);
    return [error.rule, error.message];
  } finally {
    expect(await readdir(scratch.dir)).toEqual([]);
  }
  throw new Error("the file was read");
}

export async function problemOfTree(tree: Tree): Promise<readonly [string, string]> {
  await using scratch = await makeScratch();
  return await problemOf(await writeHdf5(join(scratch.dir, "made.h5ad"), tree));
}

/** A file with some parts of X replaced. */
export function withX(parts: Tree, format = "csr"): Tree {
  return { ...tables(2, 3), X: { ...sparse(ROWS, 3, {}, format), ...parts } };
}

export function reals(...data: number[]): Leaf {
  return { data: Float64Array.from(data) };
}

export function integers(...data: number[]): Leaf {
  return { data: Int32Array.from(data) };
}
