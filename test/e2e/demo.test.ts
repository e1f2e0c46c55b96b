// The demo as a stranger runs it, held against answers that were worked out elsewhere.

import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Ended, hdash } from "../support/command.ts";
import { demoSite } from "../support/demoSite.ts";
import { asExpected, asPublished } from "../support/expectedFields.ts";
import { FIXTURE as WORLD } from "../support/services.ts";

type Row = Readonly<Record<string, unknown>>;
interface Expected {
  readonly totalFileSize: number;
  readonly fileCounts: Row;
  readonly rootFolders: Row;
  readonly percentMetadataComplete: number;
  readonly manifests: Row;
  readonly findings: Readonly<Record<string, readonly Row[]>>;
  readonly matrices: Readonly<
    Record<string, { counts: Row; rows: number; ones: Readonly<Record<string, string[]>> }>
  >;
  readonly sif: readonly string[];
  readonly timelineEvents: readonly Row[];
}

let home = "";
let site = "";
/** Where a demo that is refused was to put its site. */
let none = "";
let first: Ended;
let expected: Readonly<Record<string, Expected>>;

async function json<T>(...path: string[]): Promise<T> {
  return JSON.parse(await readFile(join(...path), "utf8")) as T;
}

/** A set of objects as sorted text, so that order does not matter and repeats do. */
function asSet(rows: readonly unknown[]): readonly string[] {
  return rows
    .map((row) =>
      JSON.stringify(row, typeof row === "object" && row !== null ? Object.keys(row).sort() : null),
    )
    .sort();
}

function pick(row: Row, keys: readonly string[]): Row {
  return Object.fromEntries(keys.filter((key) => key in row).map((key) => [key, row[key]]));
}

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "hdash-demo-"));
  none = join(home, "none");
  expected = await json(WORLD, "expected.json");
  ({ site, ended: first } = await demoSite("dashboard"));
});

afterAll(() => rm(home, { recursive: true, force: true }));

describe("hdash demo --world DIR --site DIR", () => {
  test("ends well and says where to look", () => {
    expect(first.code, first.stderr).toBe(0);
    expect(first.stdout).toContain(`The site is in ${site}`);
    expect(first.stdout).toContain(`file://${site}/index.html`);
  });

  test("is about that world alone: no example of a pipeline runs", () => {
    expect(first.stdout + first.stderr).not.toMatch(/kmer/);
  });

  test.each(["HTA1", "HTA2", "HTA3"])(
    "publishes exactly the expected numbers of %s",
    async (atlas) => {
      const answer = expected[atlas];
      if (answer === undefined) throw new Error(`no ${atlas} in expected.json`);
      const want = asPublished(answer);
      const got = await json<Expected>(site, "data", `${atlas}.json`);
      expect(got.totalFileSize).toBe(want.totalFileSize);
      expect(got.fileCounts).toEqual(want.fileCounts);
      expect(got.rootFolders).toEqual(want.rootFolders);
      expect(got.percentMetadataComplete).toBeCloseTo(want.percentMetadataComplete, 12);
      expect(Object.keys(got.manifests).sort()).toEqual(Object.keys(want.manifests).sort());
      expect(got.manifests).toMatchObject(want.manifests);
      for (const [rule, findings] of Object.entries(want.findings)) {
        const mine = (got.findings[rule] ?? []).map((row) => asExpected(rule, row));
        expect(asSet(mine), rule).toEqual(asSet(findings));
      }
      for (const [name, grid] of Object.entries(want.matrices)) {
        expect(got.matrices[name]?.counts, name).toEqual(grid.counts);
        expect(got.matrices[name]?.rows, name).toBe(grid.rows);
        const ones = (all: Readonly<Record<string, string[]>>) =>
          Object.fromEntries(
            Object.entries(all).map(([row, columns]) => [row, [...columns].sort()]),
          );
        expect(ones(got.matrices[name]?.ones ?? {}), name).toEqual(ones(grid.ones));
      }
      expect(got.sif).toEqual(want.sif);
      const keys = ["Event", "Start", "Finish", "Grouping", "Samples", "Location"];
      expect(asSet(got.timelineEvents.map((event) => pick(event, keys)))).toEqual(
        asSet(want.timelineEvents.map((event) => pick(event, keys))),
      );
    },
  );

  test.each(["HTA1", "HTA2", "HTA3"])("offers every finding of %s for download", async (atlas) => {
    const answer = expected[atlas];
    if (answer === undefined) throw new Error(`no ${atlas} in expected.json`);
    const got = await json<Row[]>(site, "data", `${atlas}-findings.json`);
    for (const [rule, findings] of Object.entries(asPublished(answer).findings)) {
      const keys = [...new Set(findings.flatMap((finding) => Object.keys(finding)))];
      const mine = got
        .filter((row) => row["rule"] === rule)
        .map((row) => pick(asExpected(rule, row), keys));
      expect(asSet(mine), rule).toEqual(asSet(findings));
    }
    for (const row of got) {
      expect(row["severity"]).toMatch(/^(error|warning|info)$/);
      expect(row["subject"]).toMatch(/^syn\d+$/);
      expect(row["message"]).toMatch(/\S.*[.?]$/);
      expect(row["row"] === null || Number.isInteger(row["row"])).toBe(true);
    }
    const csv = await readFile(join(site, "data", `${atlas}-findings.csv`), "utf8");
    expect(csv.trimEnd().split("\n").length).toBeGreaterThan(got.length);
  });

  test("publishes every page and download", async () => {
    const names = (await readdir(site, { recursive: true })).sort();
    for (const name of ["index.html", "runs.html", "404.html", "data/index.json"]) {
      expect(names).toContain(name);
    }
    for (const atlas of ["HTA1", "HTA2", "HTA3"]) {
      expect(names).toContain(`${atlas}.html`);
      expect(await readFile(join(site, `${atlas}_network.sif`), "utf8")).toBe(
        `${(expected[atlas]?.sif ?? []).join("\n")}\n`,
      );
    }
    expect((await readFile(join(site, "index.html"))).byteLength).toBeLessThan(150_000);
  });

  test("escapes names that came from data", async () => {
    const html = await readFile(join(site, "HTA1.html"), "utf8");
    expect(html).not.toContain("<i>&</i>");
    expect(html).toContain("Synthetic Atlas 1 &lt;i&gt;&amp;&lt;/i&gt;");
  });

  test("makes the figures of a folder of matrices that it is given", async () => {
    const { site: other, ended } = await demoSite("both");
    expect(ended.code, ended.stderr).toBe(0);
    const id = "00000000-0000-4000-8000-000000000005.homo_sapiens";
    expect(await readdir(join(other, "project-assets", "project-stats", id))).toEqual([
      "10X",
      "SS2",
    ]);
    expect(await readFile(join(other, "matrices", "index.html"), "utf8")).toContain(id);
    expect(await readFile(join(other, "index.html"), "utf8")).toContain("matrices/index.html");
  });

  test("refuses a folder of matrices that is not there", async () => {
    const missing = join(home, "nowhere");
    const ended = await hdash(["demo", "--world", WORLD, "--matrices", missing, "--site", none], {
      HDASH_HOME: join(home, "other"),
    });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(`${missing} is not a folder of matrices: it is not there`);
    expect(ended.stderr).toContain("what they are called is up to you");
  });

  test("refuses a folder that is no world, naming what is missing", async () => {
    const ended = await hdash(["demo", "--world", home, "--site", none], {
      HDASH_HOME: join(home, "other"),
    });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain(`${home} is not a world: there is no atlases.csv in it`);
  });
});
