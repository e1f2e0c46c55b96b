import { execFile } from "node:child_process";
import { truncate } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { describe, expect, test } from "vitest";

import { makeRig, makeWorld, serve } from "./rig.ts";

const MEGABYTE = 1024 * 1024;

/**
 * Reads in a process whose heap could not hold what is read. What the whole process takes beside that is Node itself (about
 * 70 MB) and buffers on their way to the disk.
 */
async function readApart(
  ...args: readonly string[]
): Promise<{ count: number; maxRssMegabytes: number }> {
  const script = fileURLToPath(new URL("./bigReads.ts", import.meta.url));
  const flags = ["--max-old-space-size=32", "--disable-warning=ExperimentalWarning", script];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, ...args]);
  return JSON.parse(stdout) as { count: number; maxRssMegabytes: number };
}

describe("queryRows(viewId, sql, signal)", () => {
  test("reads 1,000,000 rows in a heap that could not hold them", async () => {
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
    const { count, maxRssMegabytes } = await readApart("rows", endpoint);
    expect(count).toBe(1_000_000);
    expect(maxRssMegabytes).toBeLessThan(250);
  });
});

describe("download(entityId, md5, path, signal, onBytes)", () => {
  test("takes no more memory for 300 MB than for 1 MB", async () => {
    const world = await makeWorld();
    const { server, dir } = await makeRig({ server: { world } });
    const measured: number[] = [];
    for (const megabytes of [1, 300]) {
      await truncate(join(world, "files", "syn111.csv"), megabytes * MEGABYTE);
      const path = join(dir, String(megabytes));
      const { count, maxRssMegabytes } = await readApart("file", server.url, path);
      expect(count).toBe(megabytes * MEGABYTE);
      measured.push(maxRssMegabytes);
    }
    const [small = 0, large = 0] = measured;
    expect(large - small).toBeLessThan(60);
  });
});
