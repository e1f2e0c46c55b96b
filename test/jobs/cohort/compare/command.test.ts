// hdash cohort compare as people use it, on namespaces in folders: builds, refusals, what is put where, and what is told.

import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { EMPTY_CATALOG, withEntries } from "../../../../src/jobs/cohort/data/catalog.ts";
import type { CompareResult } from "../../../../src/jobs/cohort/data/compareResult.ts";
import type { Current } from "../../../../src/jobs/cohort/data/current.ts";
import { shapeOf } from "../../../../src/jobs/cohort/data/recordShape.ts";
import { typeInputs } from "../../../../src/jobs/cohort/data/typeInput.ts";
import { handZip } from "../../../formats/support/handZip.ts";
import { sourceOf } from "../../../formats/support/ranges.ts";
import { type Ended, hdash as start } from "../../../support/command.ts";
import { cohortFolders } from "../support/cohortFolders.ts";
import { build, type BuiltType, ingest, makeRig, type Rig } from "../support/cohortRig.ts";
import { typeOf } from "../support/comparing.ts";
import { publish, type Published } from "../support/publishing.ts";

const [FIRST, SECOND, THIRD] = [
  "20260111T000000Z-1",
  "20260112T000000Z-2",
  "20260113T000000Z-3",
] as const;
const TYPES = ["FitbitDevices", "FitbitEcg"];
const DEVICES = "dataset_fitbitdevices";
const SECRET = "SYN-0007-secret";

let rig: Rig;
let dir = "";

/** Reads exports, each some lines of FitbitDevices by the day of its member, and builds what they come to. */
async function read(
  exports: Readonly<Record<string, Readonly<Record<string, readonly object[]>>>>,
): Promise<Published> {
  const [home, out] = [await rig.folder(), await rig.folder()];
  let catalog = EMPTY_CATALOG;
  for (const [key, days] of Object.entries(exports)) {
    const members = Object.entries(days).map(([day, lines]) => ({
      name: `FitbitDevices_${day}.json`,
      content: Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join("")),
    }));
    catalog = withEntries(catalog, [await ingest(rig, home, key, sourceOf(handZip(members)))]);
  }
  const inputs = typeInputs(catalog, rig.shapes);
  const built = new Map<string, BuiltType>();
  for (const type of TYPES) {
    built.set(type, await build(rig, home, inputs, type, out));
  }
  const shapes = TYPES.flatMap((type) => rig.shapes.get(type) ?? []);
  return { catalog, built, home, shapes };
}

const device = (name: string, battery: string, more: object = {}): object => ({
  ...{ ParticipantIdentifier: SECRET, Date: "2026-01-10", Device: name, Battery: battery, ...more },
});

const place = (namespace: string): string => join(dir, "processed", namespace);

function hdash(...args: readonly string[]): Promise<Ended> {
  return start(["cohort", "compare", ...args], {
    ...{
      HDASH_HOME: join(dir, "home"),
      HDASH_LOG_LEVEL: "warn",
      HDASH_SITE_DIR: join(dir, "site"),
    },
    ...cohortFolders(dir),
    COHORT_MEMORY_MB: "512",
  });
}

/** What stands below a folder, as files' paths. */
async function below(folder: string): Promise<readonly string[]> {
  const all = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = all.filter((one) => one.isFile());
  return files.map((one) => join(one.parentPath, one.name).slice(folder.length + 1)).sort();
}

beforeAll(async () => {
  rig = await makeRig();
  dir = await rig.folder();
  await mkdir(join(dir, "in"));
  const day = { "20260111": [device("Charge", "Low"), device("Sense", "Low")] };
  const first = await read({ "adults_v1/1": day });
  const second = await read({
    "adults_v1/1": day,
    "adults_v1/2": { "20260112": [device("Charge", "High"), device("Versa", "Low")] },
  });
  const before = await publish(place("main"), FIRST, first);
  const next = await publish(place("main"), SECOND, second, before, { stale: ["FitbitDevices"] });
  const third = await read({
    "adults_v1/1": day,
    "adults_v1/2": { "20260112": [device("Charge", "High")] },
  });
  await publish(place("main"), THIRD, third, next, { stale: ["FitbitDevices"] });
  await publish(
    place("foo"),
    FIRST,
    await read({ "adults_v1/1": { "20260111": [device("Charge", "Full", { Wear: "left" })] } }),
  );
  await mkdir(place("empty"));
}, 60_000);
afterAll(() => rig.close());

describe("hdash cohort compare STAGING MAIN, of two namespaces", () => {
  test("limits main to staging's exports, says counts, and puts rows below staging's place", async () => {
    const ended = await hdash("foo", "main");
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    const found = `file://${place("foo")}/comparison_result/`;
    // Of main, Charge is of the second export, and Sense alone is left.
    expect(ended.stdout.split("\n")).toEqual([
      `foo (build ${FIRST}) compared with main (build ${THIRD}): of main the exports that foo holds`,
      "  main has records that are in no dataset yet: FitbitDevices",
      `  ${DEVICES}: 0 of 1 and 1 rows in common, 1 only in foo, 1 only in main, columns only in foo: Wear`,
      "  dataset_fitbitecg: no rows on either side",
      "  dataset_fitbitecg_waveformsamples: no rows on either side",
      `3 datasets: 2 equal, 1 not. Rows, for you alone: ${found}`,
      "",
    ]);
    expect(await below(join(place("foo"), "comparison_result"))).toEqual([
      "compare.json",
      ...["all_diff_main_rows.csv", "all_diff_staging_rows.csv", "parquet_compare.txt"].map(
        (name) => `${DEVICES}/${name}`,
      ),
      "dataset_fitbitecg/parquet_compare.txt",
      "dataset_fitbitecg_waveformsamples/parquet_compare.txt",
    ]);
  });

  test("compares all of main where that is asked for, and removes what is not found any more", async () => {
    const ended = await hdash("foo", "main", "--all", "--dataset", DEVICES, "--json");
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    const result = JSON.parse(ended.stdout) as CompareResult;
    const folder = join(place("foo"), "comparison_result");
    expect(JSON.parse(await readFile(join(folder, "compare.json"), "utf8"))).toEqual(result);
    expect(result).toEqual({
      version: 1,
      staging: { namespace: "foo", build: FIRST, label: "foo", stale: [], people: {} },
      main: {
        namespace: "main",
        build: THIRD,
        label: "main",
        stale: ["FitbitDevices"],
        people: {},
      },
      limit: { kind: "all", unmatched: [] },
      notCompared: [],
      datasets: [
        {
          ...{ dataset: DEVICES, type: "FitbitDevices", parent: null, isLimited: false },
          key: ["ParticipantIdentifier", "Date", "Device"],
          columns: {
            ...{ staging: 10, main: 9, inCommon: 9, compared: 6 },
            ...{ onlyStaging: ["Wear"], onlyMain: [] },
          },
          rows: {
            ...{ staging: 1, main: 2, inCommon: 1, onlyStaging: 0, onlyMain: 1 },
            ...{ someUnequal: 1, noneUnequal: 0 },
          },
          duplicates: { staging: 0, main: 0 },
          unequal: [
            ["Battery", 0],
            ["export_end_date", 0],
          ].map(([name, nullDiff]) => ({
            ...{ name, types: { staging: "string", main: "string" }, unequal: 1, nullDiff },
          })),
          overTime: [
            { end: "2026-01-11T00:00:00", inCommon: 1, onlyStaging: 0, onlyMain: 1, unequal: 1 },
          ],
        },
      ],
    });
    expect(await readdir(join(folder, DEVICES))).toEqual([
      "all_diff_main_rows.csv",
      "parquet_compare.txt",
    ]);
    expect(ended.stdout).not.toContain(SECRET);
    // The rows themselves are private, and there.
    for (const name of await readdir(join(folder, DEVICES))) {
      expect(await readFile(join(folder, DEVICES, name), "utf8")).toContain(SECRET);
      expect((await stat(join(folder, DEVICES, name))).mode & 0o777).toBe(0o600);
    }
  });

  test("puts everything into a folder of one's own, and leaves no work file", async () => {
    const out = join(dir, "mine");
    const ended = await hdash("main", "foo", "--type", "FitbitDevices", "--out", out);
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(ended.stdout).toContain(`Rows, for you alone: file://${out}/`);
    expect(await below(out)).toContain(`${DEVICES}/parquet_compare.txt`);
    expect((await stat(out)).mode & 0o777).toBe(0o700);
    expect(await below(join(dir, "home"))).toEqual([]);
    await expect(stat(join(place("main"), "comparison_result"))).rejects.toThrow("ENOENT");
  });
});

describe("hdash cohort compare STAGING MAIN, of builds of one namespace", () => {
  test.each([
    [`main@${SECOND}`, "main", [2, 1, 0], `main@${SECOND}`],
    [`@${THIRD}`, `@${FIRST}`, [2, 0, 0], `main@${THIRD}`],
    ["main", `main@${SECOND}`, [2, 0, 1], `main@${THIRD}`],
  ])("compares %s with %s as they are", async (staging, main, rows, label) => {
    const out = join(dir, "builds");
    await rm(out, { recursive: true, force: true });
    const ended = await hdash(staging, main, "--json", "--out", out);
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    const result = JSON.parse(ended.stdout) as CompareResult;
    expect([result.limit.kind, result.staging.label]).toEqual(["all", label]);
    const found = result.datasets.find(({ dataset }) => dataset === DEVICES)?.rows;
    expect([found?.inCommon, found?.onlyStaging, found?.onlyMain]).toEqual(rows);
  });

  test("limits them where that is asked for", async () => {
    const out = ["--out", join(dir, "limited")];
    const ended = await hdash(`@${SECOND}`, "main", "--filter", "--json", ...out);
    const { limit, datasets } = JSON.parse(ended.stdout) as CompareResult;
    expect(limit).toEqual({ kind: "exports", unmatched: [] });
    expect(datasets.map(({ isLimited }) => isLimited)).toEqual([true, false, false]);
  });
});

describe("hdash cohort compare STAGING MAIN, where the exports have nothing in common", () => {
  test("compares all of main, and says so", async () => {
    const bar = await read({ "pediatric_v1/1": { "20260301": [device("Charge", "Full")] } });
    await publish(place("bar"), FIRST, bar);
    const ended = await hdash("bar", "main", "--dataset", DEVICES);
    await rm(place("bar"), { recursive: true });
    expect(ended.stdout.split("\n").slice(1, 4)).toEqual([
      "  all of main counts where it has no row of these exports: FitbitDevices",
      "  main has records that are in no dataset yet: FitbitDevices",
      `  ${DEVICES}: 1 of 1 and 2 rows in common, 1 only in main, 1 unequal, by column Battery 1, cohort 1, export_end_date 1`,
    ]);
  });
});

describe("hdash cohort compare STAGING MAIN, where a type has another key on a side", () => {
  test("compares all others, and says why that one is not", async () => {
    await cp(place("foo"), place("rekeyed"), { recursive: true });
    const list = join(place("rekeyed"), "parquet/current.json");
    const current = JSON.parse(await readFile(list, "utf8")) as Current;
    const datasets = current.datasets.map((one) =>
      one.name === DEVICES
        ? { ...one, columns: one.columns.filter(({ name }) => name !== "Device") }
        : one,
    );
    await writeFile(list, JSON.stringify({ ...current, datasets }));
    const ended = await hdash("rekeyed", "main");
    const asked = await hdash("rekeyed", "main", "--dataset", DEVICES);
    await rm(place("rekeyed"), { recursive: true });
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(ended.stdout).toMatch(
      /^ {2}dataset_fitbitdevices: not compared, its rows cannot be matched \(.*rows are matched on Device, and staging has no such column\)$/m,
    );
    expect(ended.stdout).toContain("dataset_fitbitecg: no rows on either side");
    expect(asked.code).toBe(2);
    expect(asked.stderr).toContain("rows are matched on Device, and staging has no such column");
  });
});

describe("hdash cohort compare STAGING MAIN, where one of them has not every dataset", () => {
  test("names what is not compared, and why", async () => {
    const less = await read({ "adults_v1/1": { "20260111": [device("Charge", "Full")] } });
    const thing = shapeOf(typeOf({ k: "string" }), "InsertedDate");
    const shapes = [...less.shapes.slice(0, 1), thing];
    await publish(place("less"), FIRST, {
      ...less,
      shapes,
      built: new Map([...less.built].slice(0, 1)),
    });
    const ended = await hdash("less", "main");
    const asked = await hdash("less", "main", "--dataset", "dataset_fitbitecg");
    await rm(place("less"), { recursive: true });
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(ended.stdout.split("\n").slice(2, -2)).toEqual([
      `  ${DEVICES}: 0 of 1 and 1 rows in common, 1 only in less, 1 only in main`,
      "  dataset_fitbitecg: not compared, only main has it",
      "  dataset_fitbitecg_waveformsamples: not compared, only main has it",
      "  dataset_thing: not compared, the schema has no data type of it",
    ]);
    // What is asked for by its name has to be there.
    expect(asked.code).toBe(2);
    expect(asked.stderr).toMatch(/^hdash: less has no dataset_fitbitecg: build 20260111/m);
  });
});

describe("hdash cohort compare, asked for what is not there", () => {
  test.each([
    [["nowhere", "main"], /^hdash: there is no namespace "nowhere": \S+ \(COHORT_PROCESSED\)/m],
    [["foo", "Main"], /^hdash: "Main" cannot be a namespace/m],
    [
      ["empty", "main"],
      /^hdash: nothing has been built: \S+empty has no parquet\/current.json\n.*build/m,
    ],
    [["", "main"], /^hdash: "" names no build\nSay NAMESPACE/m],
    [["foo@", "main"], /^hdash: "foo@" names no build/m],
    [["foo"], /missing required argument 'main'/],
    [["main", "main"], /^hdash: "main" and "main" are one build: 20260113/m],
    [["main", `@${THIRD}`], /^hdash: "main" and "@20260113T000000Z-3" are one build/m],
    [
      ["main@20260112T000000Z-3", "foo"],
      /^hdash: there is no build "20260112T000000Z-3" in \S+\nDid you mean 2026011\dT000000Z-\d\?/m,
    ],
    [["foo", "main", "--type", "Fitbit"], /there is no data type "Fitbit"/],
    [
      ["foo", "main", "--type", "HealthKitV2Samples_Deleted"],
      /--type: HealthKitV2Samples_Deleted has no dataset of its own/,
    ],
    [
      ["foo", "main", "--dataset", "dataset_fitbitdevice"],
      /^hdash: --dataset: there is no dataset "dataset_fitbitdevice"\nDid you mean dataset_fitbitdevices\?/m,
    ],
    [
      ["foo", "main", "--dataset", "dataset_symptomlog"],
      /^hdash: foo has no dataset_symptomlog: build 20260111/m,
    ],
    [["foo", "main", "--dataset", ""], /^hdash: --dataset is empty/m],
    [["foo", "main", "--out", " "], /^hdash: --out is empty/m],
    [["foo", "main", "--type", ""], /^hdash: --type is empty/m],
    [["foo", "main", "--all", "--filter"], /--all and --filter exclude each other/],
  ])("says so with 2 (%j)", async (args, expected) => {
    const ended = await hdash(...args);
    expect(ended.stderr).toMatch(expected);
    expect(ended).toMatchObject({ code: 2, stdout: "" });
    expect(await readdir(join(dir, "processed"))).toEqual(["empty", "foo", "main"]);
  });

  test("refuses a folder that everybody may read", async () => {
    for (const out of [join(dir, "site"), join(dir, "site/below"), dir]) {
      const ended = await hdash("foo", "main", "--out", out);
      expect(ended.stderr).toMatch(/^hdash: --out: \S+ is not apart from the site, /m);
      expect(ended.code).toBe(2);
    }
  });

  test("says of a build of before builds kept lists of their own that it cannot be compared", async () => {
    const list = join(place("main"), "parquet/v", FIRST, "current.json");
    await rm(list);
    const ended = await hdash(`main@${FIRST}`, "main");
    expect(ended.code).toBe(2);
    expect(ended.stderr).toMatch(
      /has no list of the files of build 20260111T000000Z-1\nBuilds keep/,
    );
  });

  test("says of a build whose list is damaged that it is none", async () => {
    const list = join(place("main"), "parquet/v", SECOND, "current.json");
    await writeFile(list, (await readFile(list, "utf8")).slice(0, -100));
    const ended = await hdash(`main@${SECOND}`, "main");
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(
      /v\/20260112T000000Z-2\/current.json is no description of a build: it is not JSON\nThe build/,
    );
  });

  test("says of a file that is lost what finds it, and tells of no row", async () => {
    const parquet = join(place("foo"), "parquet/v");
    for (const path of await below(parquet)) {
      if (path.includes(DEVICES)) await rm(join(parquet, path));
    }
    const ended = await hdash("foo", "main");
    expect(ended.code).toBe(1);
    expect(ended.stderr).toMatch(/fitbitdevices\S+ is missing\n.*hdash cohort sync/);
    expect(`${ended.stdout}${ended.stderr}`).not.toContain(SECRET);
    expect(await below(join(dir, "home"))).toEqual([]);
  });
});
