import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { benchPlans } from "../../../../bench/plans.ts";
import { DEMO_ATLASES } from "../../../../src/jobs/htan/demo/demoAtlases.ts";
import {
  DEMO_DAYS,
  demoWorld,
  makeWorld,
  type World,
} from "../../../../src/jobs/htan/demo/world.ts";
import { cell, readRows, recount, type Row, rowsByProject } from "./recount.ts";

const scratch = mkdtempSync(join(tmpdir(), "hdash-world-test-"));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

/** File name → digest of its content. */
function digests(dir: string): Record<string, string> {
  const names = ["atlases.csv", "master.csv", ...readdirSync(join(dir, "files")).sort()];
  return Object.fromEntries(
    names.map((name) => {
      const path = name.startsWith("syn") ? join(dir, "files", name) : join(dir, name);
      return [name, createHash("md5").update(readFileSync(path)).digest("hex")];
    }),
  );
}

const small = benchPlans(1)
  .slice(0, 2)
  .map((plan) => ({ ...plan, participants: 5 }));

describe("makeWorld(options)", () => {
  test("writes the same bytes for the same seed, and others for another", async () => {
    const first = await makeWorld({ dir: join(scratch, "a"), seed: 7, atlases: small, day: 1 });
    const second = await makeWorld({ dir: join(scratch, "b"), seed: 7, atlases: small, day: 1 });
    await makeWorld({ dir: join(scratch, "c"), seed: 8, atlases: small, day: 1 });

    expect(second).toEqual(first);
    expect(digests(join(scratch, "b"))).toEqual(digests(join(scratch, "a")));
    expect(digests(join(scratch, "c"))).not.toEqual(digests(join(scratch, "a")));
  });

  test("tells the rows, manifests and bytes that it wrote", async () => {
    const dir = join(scratch, "told");
    const world = await makeWorld({ dir, seed: 7, atlases: small, day: 1 });
    const manifests = readdirSync(join(dir, "files"));
    const sizes = manifests.map((name) => readFileSync(join(dir, "files", name)).length);

    expect(world.rows).toBe(readRows(join(dir, "master.csv")).length);
    expect(world.manifests).toBe(manifests.length);
    expect(world.bytes).toBe(sizes.reduce((sum, size) => sum + size, 0));
  });

  test("leaves an atlas as it is when another joins the world", async () => {
    const [first] = small;
    await makeWorld({ dir: join(scratch, "one"), seed: 7, atlases: [first!], day: 1 });
    await makeWorld({ dir: join(scratch, "two"), seed: 7, atlases: small, day: 1 });
    const one = rowsByProject(join(scratch, "one")).get("syn90000000");

    expect(rowsByProject(join(scratch, "two")).get("syn90000000")).toEqual(one);
  });

  test("plants in the short form of reporting what can be found in it", async () => {
    const atlases = benchPlans(1).map((plan) => ({ ...plan, participants: 40 }));
    const dir = join(scratch, "bench");
    const { planted } = await makeWorld({ dir, seed: 1, atlases, day: 1 });
    const projects = rowsByProject(dir);
    const recounted = readRows(join(dir, "atlases.csv")).map((row): [string, unknown] => {
      const rows = projects.get(cell(row, "id")) ?? [];
      return [cell(row, "atlas_id"), recount(dir, cell(row, "atlas_id"), rows)];
    });

    expect(Object.fromEntries(recounted)).toEqual(planted);
    expect(planted["HTA15"]).toHaveProperty("H_NON_DEM", 1);
  });
});

describe("demoWorld(dir, day)", () => {
  const days = Array.from({ length: DEMO_DAYS }, (_, i) => i + 1);
  const dirOf = (day: number): string => join(scratch, `day${day}`);
  const worlds = new Map<number, World>();
  const views = new Map<number, ReadonlyMap<string, readonly Row[]>>();
  const atlases = DEMO_ATLASES.map((plan, i) => ({
    atlasId: plan.atlasId,
    project: `syn${90_000_000 + i * 600_000}`,
  }));
  const viewOf = (day: number, project: string): readonly Row[] =>
    views.get(day)?.get(project) ?? [];
  const contentOf = (day: number, row: Row): string =>
    readFileSync(join(dirOf(day), "files", `${cell(row, "id")}.csv`), "utf8");
  const isManifest = (row: Row): boolean =>
    cell(row, "name").startsWith("synapse_storage_manifest");

  beforeAll(async () => {
    for (const day of days) {
      worlds.set(day, await demoWorld(dirOf(day), day));
      views.set(day, rowsByProject(dirOf(day)));
    }
  });

  test("keeps to the form and size of a world", () => {
    const header = (path: string): string => readFileSync(path, "utf8").split(/\r?\n/)[0] ?? "";
    const fixture = join(import.meta.dirname, "../../../fixtures/htan");

    expect(header(join(dirOf(1), "master.csv"))).toBe(header(join(fixture, "master.csv")));
    expect(header(join(dirOf(1), "atlases.csv"))).toBe(header(join(fixture, "atlases.csv")));
    for (const { rows } of worlds.values()) {
      expect(rows).toBeGreaterThan(5_000);
      expect(rows).toBeLessThan(12_000);
    }
  });

  test.each(days)("plants on day %i just the findings that it tells", (day) => {
    const recounted = atlases.map(({ atlasId, project }): [string, unknown] => [
      atlasId,
      recount(dirOf(day), atlasId, viewOf(day, project)),
    ]);

    expect(Object.fromEntries(recounted)).toEqual(worlds.get(day)?.planted);
  });

  test("plants every rule somewhere in the week, and nothing in the clean atlas", () => {
    const planted = [...worlds.values()].map((world) => world.planted);
    const rules = new Set(planted.flatMap((world) => Object.values(world).flatMap(Object.keys)));

    expect([...rules].sort()).toEqual([
      ...["H_BIOSPEC", "H_CATEGORIES", "H_DEM", "H_ENTITY_ID"],
      ...["H_FILE_NAMES", "H_ID_SPEC", "H_LINKS", "H_NON_DEM"],
    ]);
    expect(planted.map((world) => world["HTA2"])).toEqual(days.map(() => ({})));
  });

  test("tells of atlases that get better, worse, or break on one day", () => {
    const errors = (atlasId: string): number[] =>
      days.map((day) => {
        const { H_FILE_NAMES: _warnings, ...rules } = worlds.get(day)?.planted[atlasId] ?? {};
        return Object.values(rules).reduce((sum, count) => sum + count, 0);
      });
    const [mending, surging, troubled] = [errors("HTA1"), errors("HTA3"), errors("HTA4")];

    expect(mending[6]).toBeLessThan(mending[0]! / 2);
    expect(surging[4]).toBeGreaterThan(surging[3]! * 4);
    expect(surging[6]).toBeLessThan(surging[4]!);
    expect(troubled[6]).toBeGreaterThan(troubled[0]! * 2);
  });

  test("leaves an atlas as it was on days when nothing happens to it", () => {
    const isSame = (project: string, day: number): boolean => {
      const [before, after] = [viewOf(day - 1, project), viewOf(day, project)];
      if (JSON.stringify(before) !== JSON.stringify(after)) return false;
      return after
        .filter(isManifest)
        .every((row) => contentOf(day - 1, row) === contentOf(day, row));
    };
    const changed = atlases.map(({ atlasId, project }): [string, number[]] => [
      atlasId,
      days.filter((day) => day > 1 && !isSame(project, day)),
    ]);

    expect(Object.fromEntries(changed)).toEqual({
      HTA1: [2, 3, 4, 5, 6, 7],
      HTA2: [3, 6],
      HTA3: [2, 4, 5, 6, 7],
      HTA4: [2, 3, 5, 6, 7],
      HTA5: [],
      HTA6: [3, 4, 7],
      HTA7: [2, 3, 4, 5, 6],
      HTA8: [2, 4, 5, 6],
    });
  });

  test("keeps ids and places of what stays, and dates what changes", () => {
    for (const day of days.slice(1)) {
      for (const { project } of atlases) {
        const before = new Map(viewOf(day - 1, project).map((row) => [row["id"], row]));
        for (const row of viewOf(day, project)) {
          const old = before.get(row["id"]);
          if (old === undefined) continue;
          expect(row["parentId"]).toBe(old["parentId"]);
          if (JSON.stringify(row) === JSON.stringify(old)) continue;
          expect(Number(row["modifiedOn"])).toBeGreaterThan(Number(old["modifiedOn"]));
        }
      }
    }
  });

  test("describes each manifest's content truly, in folders that exist", () => {
    for (const { project } of atlases) {
      const rows = viewOf(7, project);
      const folders = new Set([project]);
      const ids = new Set<unknown>();
      for (const row of rows) if (row["type"] === "folder") folders.add(cell(row, "id"));
      for (const row of rows) {
        ids.add(row["id"]);
        expect(folders).toContain(row["parentId"]);
        if (!isManifest(row)) continue;
        const content = contentOf(7, row);
        expect(row["dataFileSizeBytes"]).toBe(String(Buffer.byteLength(content)));
        expect(row["dataFileMD5Hex"]).toBe(createHash("md5").update(content).digest("hex"));
      }
      expect(ids.size).toBe(rows.length);
    }
  });

  test("has assays begin where an atlas joins, and annotation progress", () => {
    const components = (day: number): unknown =>
      [
        ...new Set(
          viewOf(day, "syn93600000")
            .filter(isManifest)
            .map((row) => row["Component"]),
        ),
      ]
        .filter((name) => /^(Demographics|Biospecimen|.*-seqLevel1)$/.test(name ?? ""))
        .sort();
    const annotated = (day: number): number => {
      const files = viewOf(day, "syn94200000").filter((row) =>
        /\.(bam|csv)$/.test(cell(row, "name")),
      );
      return files.filter((row) => row["Component"] !== "").length / files.length;
    };

    expect([2, 3, 4, 6].map(components)).toEqual([
      [],
      ["Biospecimen", "Demographics"],
      ["Biospecimen", "Demographics", "ScRNA-seqLevel1"],
      ["Biospecimen", "BulkRNA-seqLevel1", "Demographics", "ScRNA-seqLevel1"],
    ]);
    expect(annotated(1)).toBeLessThan(0.4);
    expect(annotated(7)).toBeGreaterThan(0.8);
  });

  test("gives one atlas names and values with markup, quotes, commas and line breaks", () => {
    const [, , , , , plan] = DEMO_ATLASES;
    const listed = readRows(join(dirOf(1), "atlases.csv"))[5];
    const rows = viewOf(7, "syn93000000");
    const values = rows
      .filter(isManifest)
      .map((row) => contentOf(7, row))
      .join("");

    expect(listed).toEqual({
      id: "syn93000000",
      atlas_id: "HTA6",
      name: plan?.name,
      liaison: plan?.liaison,
    });
    expect(plan?.name).toMatch(/<.*".*&/);
    expect(rows.map((row) => row["name"])).toContain('notes <b>"final"</b>, v2.txt');
    expect(values).toContain('"<b>see ""notes""</b>, p. 3 & 4\nthen <i>ask</i>"');
  });
});
