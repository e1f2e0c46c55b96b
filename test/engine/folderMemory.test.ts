// A folder of many files is stored and laid out in memory for its list, and in none for what its files contain.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, test } from "vitest";

import type { FolderWork, FolderWorked } from "./folderWorker.ts";

const FILES = 20_000;
const FILE_BYTES = 16 * 1024;
/** From 173 to 286 MB were measured, the more the busier the machine; 542 MB where what the files contain is held. */
const MOST_BYTES = 400e6;

/** Stores and lays out a folder in a process of its own. */
function work(): FolderWorked {
  const dir = mkdtempSync(join(tmpdir(), "hdash-folder-"));
  try {
    const given: FolderWork = { dir, files: FILES, fileBytes: FILE_BYTES };
    const { status, stdout, stderr } = spawnSync(
      process.execPath,
      [join(import.meta.dirname, "folderWorker.ts"), JSON.stringify(given)],
      { encoding: "utf8" },
    );
    if (status !== 0) throw new Error(stderr);
    // Written by the worker.
    return JSON.parse(stdout) as FolderWorked;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

describe("folder()", () => {
  test("holds a list of 20,000 files in memory, and not what they contain", () => {
    const { peakBytes, ...worked } = work();
    expect(worked).toEqual({ count: FILES, bytes: FILES * FILE_BYTES, laidOut: FILES });
    expect(peakBytes).toBeLessThan(MOST_BYTES);
  });
});
