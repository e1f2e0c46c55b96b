import { execFile } from "node:child_process";
import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { describe, expect, test } from "vitest";

import { makeRig, makeWorld, serve } from "./rig.ts";

const MEGABYTE = 1024 * 1024;

/** Reads in a process of its own, and tells how many megabytes were in use at most for it. */
async function readApart(
  ...args: readonly string[]
): Promise<{ readonly count: number; readonly megabytes: number }> {
  const script = fileURLToPath(new URL("./bigReads.ts", import.meta.url));
  const flags = ["--expose-gc", "--disable-warning=ExperimentalWarning", script];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, ...args]);
  return JSON.parse(stdout) as { count: number; megabytes: number };
}

describe("queryRows(viewId, sql, signal)", () => {
  test("holds a page or two of 1,000,000 rows, which take 120 MB as text", async () => {
    const [pages, perPage] = [100, 10_000];
    const values = ["syn31100008", "a file of which there are a million.fastq.gz", "1600031100008"];
    const rows = Array.from({ length: perPage }, (_, rowId) => ({
      rowId,
      versionNumber: 1,
      values,
    }));
    const pageText = (next: number | null): string => {
      const nextPageToken = next === null ? null : { entityId: "syn1", token: String(next) };
      const page = { queryResults: { etag: "e", rows: [] }, nextPageToken };
      return JSON.stringify(page).replace('"rows":[]', `"rows":${rowsText}`);
    };
    const rowsText = JSON.stringify(rows);
    let page = 0;
    const endpoint = await serve((request, response) => {
      if (request.method === "POST") {
        response.end('{"token":"t"}');
        return;
      }
      const text = pageText(++page < pages ? page : null);
      response.end(page === 1 ? `{"queryResult":${text}}` : text);
    });
    const { count, megabytes } = await readApart("rows", endpoint);
    expect(count).toBe(1_000_000);
    // A page takes 1.2 MB as text, and some 5 MB as rows.
    expect(megabytes).toBeLessThan(30);
  });
});

describe("download(entityId, md5, path, signal, onBytes)", () => {
  test("holds a few megabytes of 300", async () => {
    const world = await makeWorld();
    const { server, dir } = await makeRig({ server: { world } });
    await truncate(join(world, "files", "syn111.csv"), 300 * MEGABYTE);
    const { count, megabytes } = await readApart("file", server.url, join(dir, "file"));
    expect(count).toBe(300 * MEGABYTE);
    expect(megabytes).toBeLessThan(30);
  });
});
