// The answers of the fixture: two namespaces, whole and limited to staging's exports, and two datasets with keys that repeat.

import { readFileSync } from "node:fs";
import { cp, mkdir, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { columnTypes } from "../../../../src/jobs/cohort/building.ts";
import { compareType, type TableRows } from "../../../../src/jobs/cohort/compare/compareType.ts";
import { rowsInFolder } from "../../../../src/jobs/cohort/compare/folders.ts";
import type { SideRows } from "../../../../src/jobs/cohort/compare/statements.ts";
import { exportsOf } from "../../../../src/jobs/cohort/data/comparedBuilds.ts";
import { comparedTables } from "../../../../src/jobs/cohort/data/comparedTables.ts";
import type {
  CompareResult,
  DatasetComparison,
} from "../../../../src/jobs/cohort/data/compareResult.ts";
import { NEVER } from "../../../formats/support/ranges.ts";
import { hdash } from "../../../support/command.ts";
import { cohortFolders } from "../support/cohortFolders.ts";
import { FIXTURE, makeRig, type Rig } from "../support/cohortRig.ts";
import { publish } from "../support/publishing.ts";
import { IDENTIFIERS } from "../support/secrets.ts";
import { type Worked, workThrough } from "../support/workThrough.ts";

/** A dataset's answer. */
interface ExpectedComparison {
  readonly rowsInCommon: number;
  readonly rowsOnlyStaging: number;
  readonly rowsOnlyMain: number;
  readonly rowsWithSomeUnequal: number;
  readonly columnsOnlyStaging: readonly string[];
  readonly columnsOnlyMain: readonly string[];
  readonly unequal: Readonly<
    Record<string, { readonly unequal: number; readonly nullDiff: number }>
  >;
}

const { compare: EXPECTED } = JSON.parse(readFileSync(`${FIXTURE}/expected.json`, "utf8")) as {
  readonly compare: Readonly<
    Record<"whole" | "limitedToStagingExports", Readonly<Record<string, ExpectedComparison>>>
  >;
};
const LONG_MS = 300_000;

/** A comparison in the form of the answers. */
function inTheirForm({ rows, columns, unequal }: DatasetComparison): ExpectedComparison {
  return {
    rowsInCommon: rows.inCommon,
    rowsOnlyStaging: rows.onlyStaging,
    rowsOnlyMain: rows.onlyMain,
    rowsWithSomeUnequal: rows.someUnequal,
    columnsOnlyStaging: columns.onlyStaging,
    columnsOnlyMain: columns.onlyMain,
    unequal: Object.fromEntries(
      unequal.map(({ name, unequal: count, nullDiff }) => [name, { unequal: count, nullDiff }]),
    ),
  };
}

let rig: Rig;
beforeAll(async () => {
  rig = await makeRig();
});
afterAll(() => rig.close());

const lines = async (path: string): Promise<readonly string[]> =>
  (await readFile(path, "utf8")).split("\r\n").slice(1, -1);

describe("compareType(duck, request), of two namespaces", () => {
  let staging: Worked;
  let main: Worked;
  beforeAll(async () => {
    staging = await workThrough(rig, `${FIXTURE}/world/world-b`);
    main = await workThrough(rig, `${FIXTURE}/world/main`);
  }, LONG_MS);

  function side({ built, out }: Worked, type: string, dataset: string): SideRows {
    const found = built.get(type)?.datasets.find(({ name }) => name === dataset);
    if (found === undefined) throw new Error(`no ${dataset}`);
    const files = found.files.map(({ path }) => ({
      cohort: /\/cohort=([^/]+)\//.exec(path)?.[1] ?? "",
      path: join(out, path),
    }));
    return { columns: columnTypes(found.columns), files };
  }

  async function compareAll(isLimited: boolean) {
    const dir = await rig.folder();
    const datasets: DatasetComparison[] = [];
    const files = new Map<string, readonly string[]>();
    const unmatched: string[] = [];
    for (const [type, shape] of rig.shapes) {
      if (shape.type.deletes !== null) continue;
      const tables = comparedTables(shape).map((table): TableRows => ({
        ...{ table, isCompared: true },
        rows: {
          staging: side(staging, type, table.dataset),
          main: side(main, type, table.dataset),
        },
      }));
      const found = await compareType(rig.duck, {
        builds: {
          staging: { label: "world-b", build: "1" },
          main: { label: "main", build: "2" },
        },
        exports: isLimited ? exportsOf(staging.catalog, type) : null,
        ...{ tables, dir, memoryMiB: 512, signal: NEVER },
      });
      datasets.push(...found.datasets);
      for (const [dataset, names] of found.files) files.set(dataset, names);
      if (isLimited && !found.isLimited) unmatched.push(type);
    }
    return { dir, datasets, files, unmatched };
  }

  test.each(["whole", "limitedToStagingExports"] as const)(
    "comes to every number of the answers, %s, and tells of nobody in its counts",
    async (block) => {
      const { dir, datasets, files, unmatched } = await compareAll(block !== "whole");
      expect(unmatched).toEqual([]);
      const found = Object.fromEntries(datasets.map((one) => [one.dataset, inTheirForm(one)]));
      expect(Object.keys(found)).toHaveLength(59);
      expect(found).toEqual(EXPECTED[block]);
      for (const { dataset, rows, duplicates, overTime, parent } of datasets) {
        expect(duplicates).toEqual({ staging: 0, main: 0 });
        expect(rows.noneUnequal + rows.someUnequal).toBe(rows.inCommon);
        expect(overTime === null).toBe(parent !== null);
        const names = files.get(dataset) ?? [];
        expect([...names].sort()).toEqual((await readdir(join(dir, dataset))).sort());
        const only = { staging: rows.onlyStaging, main: rows.onlyMain };
        for (const own of ["staging", "main"] as const) {
          const name = `all_diff_${own}_rows.csv`;
          expect(names.includes(name)).toBe(only[own] > 0);
          if (only[own] === 0) continue;
          expect(await lines(join(dir, dataset, name))).toHaveLength(only[own]);
          expect((await stat(join(dir, dataset, name))).mode & 0o777).toBe(0o600);
        }
        expect((await stat(join(dir, dataset, "parquet_compare.txt"))).mode & 0o777).toBe(0o600);
      }
      const said = JSON.stringify(datasets);
      expect(IDENTIFIERS.filter((one) => said.includes(one))).toEqual([]);
      // Their rows are in the private files, so that not finding them in counts says something.
      const csv = await readFile(
        join(dir, "dataset_healthkitv2heartbeat/all_diff_main_rows.csv"),
        "utf8",
      );
      expect(IDENTIFIERS.some((one) => csv.includes(one))).toBe(true);
    },
    LONG_MS,
  );

  test(
    "is told by the command without a name or an identifier of anybody",
    async () => {
      const dir = await rig.folder();
      const shapes = [...rig.shapes.values()];
      const names = { "world-b": staging, main };
      for (const [namespace, worked] of Object.entries(names)) {
        const published = { ...worked, shapes };
        await publish(join(dir, "processed", namespace), "20260112T000000Z-1", published);
      }
      await mkdir(join(dir, "in"));
      const out = join(dir, "out");
      const env = {
        ...{ HDASH_HOME: join(dir, "home"), HDASH_LOG_LEVEL: "debug" },
        ...cohortFolders(dir),
      };
      const ended = await hdash(["cohort", "compare", "world-b", "main", "--out", out], env);
      expect(ended.code, ended.stderr).toBe(0);
      const text = await readFile(join(out, "compare.json"), "utf8");
      const { datasets, limit } = JSON.parse(text) as CompareResult;
      expect(limit).toEqual({ kind: "exports", unmatched: [] });
      const found = Object.fromEntries(datasets.map((one) => [one.dataset, inTheirForm(one)]));
      expect(found).toEqual(EXPECTED.limitedToStagingExports);
      expect(ended.stdout).toMatch(
        /^ {2}dataset_fitbitdevices: 60 of 60 and 60 rows in common, 1 /m,
      );
      const said = `${ended.stdout}${ended.stderr}${text}`;
      expect(IDENTIFIERS.filter((one) => said.includes(one))).toEqual([]);
    },
    LONG_MS,
  );
});

describe("compareType(duck, request), of folders whose keys repeat", () => {
  const FOLDER = `${FIXTURE}/duplicate-keys`;
  const { dataset, csvRows, anyDuplicates, ...expected } = JSON.parse(
    readFileSync(`${FOLDER}/expected.json`, "utf8"),
  ) as ExpectedComparison & {
    readonly dataset: string;
    readonly anyDuplicates: boolean;
    readonly csvRows: Readonly<Record<string, number>>;
  };

  test("pairs their rows, and writes the four CSVs", async () => {
    const shape = rig.shapes.get("FitbitDevices");
    if (shape === undefined) throw new Error("no shape");
    const [table] = comparedTables(shape);
    // DuckDB reads below its work folder alone.
    const home = await rig.folder();
    await cp(FOLDER, home, { recursive: true });
    const staging = await rowsInFolder(rig.duck, join(home, "staging"), dataset);
    const main = await rowsInFolder(rig.duck, join(home, "main"), dataset);
    expect(await rowsInFolder(rig.duck, home, "dataset_symptomlog")).toBe(null);
    if (table === undefined || staging === null || main === null) throw new Error("no rows");
    const dir = await rig.folder();
    const build = { label: "a", build: "b" };
    const { datasets } = await compareType(rig.duck, {
      tables: [{ table, rows: { staging, main }, isCompared: true }],
      ...{
        builds: { staging: build, main: build },
        exports: null,
        dir,
        memoryMiB: 512,
        signal: NEVER,
      },
    });
    const [found] = datasets;
    if (found === undefined) throw new Error("nothing was compared");
    expect(inTheirForm(found)).toEqual(expected);
    expect(found.duplicates.staging + found.duplicates.main > 0).toBe(anyDuplicates);
    const rows: Record<string, number> = {};
    for (const name of Object.keys(csvRows)) {
      rows[name] = (await lines(join(dir, dataset, `${name}.csv`))).length;
    }
    expect(rows).toEqual(csvRows);
  });
});
