// The cohort job's part of the demo beside another job's, which has a site: what is in the datasets, what can be looked at afterwards, and
// that nothing of a participant is where everybody reads.

import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { pathToFileURL } from "node:url";

import { DuckDBInstance } from "@duckdb/node-api";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import type { Current } from "../../../../src/jobs/cohort/data/current.ts";
import { demoWorld } from "../../../../src/jobs/cohort/demo/serve.ts";
import type { World } from "../../../../src/jobs/cohort/demo/world.ts";
import { makeCohortJob } from "../../../../src/jobs/cohort/job.ts";
import { type Ended, hdash, startProgram } from "../../../support/command.ts";
import { COMPILE_CACHE } from "../../../support/compileCache.ts";
import { FIXTURE } from "../../../support/services.ts";

const ROOT = join(import.meta.dirname, "../../../..");

/** The demo of the dashboard's small world, in four days, and of the bundled study: the bundled rest would take a minute. */
const SCRIPT = `
  const { JOBS } = await import("${pathToFileURL(join(ROOT, "src/jobList.ts")).href}");
  const { addDemo } = await import("${pathToFileURL(join(ROOT, "src/commands/demo.ts")).href}");
  const { runCommand } = await import("${pathToFileURL(join(ROOT, "src/shell.ts")).href}");
  const study = (job) => ({ ...job, demo: { start: (home) => job.demo.start(home, null, true) } });
  const long = (job) => ({ ...job, demo: { ...job.demo, start: async (...args) => ({ ...(await job.demo.start(...args)), days: 4 }) } });
  const jobs = JOBS.filter(({ name }) => name !== "matrix").map((job) => (job.name === "cohort" ? study(job) : long(job)));
  process.exitCode = await runCommand(["node", "hdash", ...process.argv.slice(1)], jobs, async (program, shell) => addDemo(program, shell, jobs));
`;

let dir = "";
let site = "";
let ended: Ended;
let world: World;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-cohort-demo-"));
  site = join(dir, "the site");
  const args = ["demo", "--world", FIXTURE, "--site", site];
  const node = ["--disable-warning=ExperimentalWarning", "--input-type=module", "--eval", SCRIPT];
  ended = await startProgram(process.execPath, [...node, "--", ...args], {
    ...{ TZ: "UTC", NO_COLOR: "1", NODE_COMPILE_CACHE: COMPILE_CACHE },
    HDASH_HOME: join(dir, "home"),
  }).ended;
  // The study ends on the day that the demo ran on, whatever day it is by now.
  const sent = await readdir(join(studyDir(), "exports", "main", "adults_v1"));
  world = await demoWorld(
    ROOT,
    sent
      .filter((name) => /^\d{4}/.test(name))
      .sort()
      .at(-1)
      ?.slice(0, 10) ?? "",
  );
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Where the demo keeps the study. */
const studyDir = (): string => join(dirname(envFileOf("cohort status")), "cohort");

/** The file of variables that a command line has which the demo has printed. */
function envFileOf(command: string): string {
  const line = ended.stdout.split("\n").find((one) => one.endsWith(` ${command}`)) ?? "";
  const [, file = ""] = /^ {2}hdash --env-file (\S+) /.exec(line) ?? [];
  expect(file).not.toBe("");
  return file;
}

/** Runs a command line that the demo has printed, in its words. */
function runPrinted(command: string): Promise<Ended> {
  return hdash(["--env-file", envFileOf(command), ...command.split(" ")]);
}

/** A key as it is documented: what stands between < and > is any name. */
function patternOf(key: string): RegExp {
  const escaped = key.replaceAll(/[.*+?^$(){}|[\]\\]/g, "\\$&").replaceAll(/<\w+>/g, "[^/]+");
  return new RegExp(`^${escaped}$`);
}

async function filesOf(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((one) => one.isFile()).map((one) => join(one.parentPath, one.name));
}

describe("hdash demo, cohorts", () => {
  test("is told of on Slack, and says where to look and where nothing is", () => {
    expect(ended.code, ended.stderr).toBe(0);
    const [, told = ""] = ended.stdout.split("Slack was told:\n");
    expect(told.split("\n").slice(0, 2)).toEqual([
      expect.stringMatching(/^ {2}htan succeeded · /),
      expect.stringMatching(/^ {2}cohort succeeded · /),
    ]);
    expect(ended.stdout).toContain("nothing of them is on the site");
    // The dashboard, and the pages about cohorts.
    expect(ended.stdout.match(/^Open /gm)).toHaveLength(2);
  });

  test("plays in the last days of a story that is longer than its own", () => {
    const days = ended.stderr.split(/^.*day (\d of \d) → published in .*$/m);
    expect(days.filter((_text, at) => at % 2 === 1)).toEqual([
      "1 of 4",
      "2 of 4",
      "3 of 4",
      "4 of 4",
    ]);
    const read = days
      .filter((_text, at) => at % 2 === 0)
      .map((text) => text.match(/^.*(adults|pediatric)_v1\/.* done in /gm)?.length ?? 0);
    // Before its own first day it is not run at all.
    expect(days[0]).not.toContain("the source done in");
    expect(days[2]).toContain("the source done in");
    // The last day has what is no good export, and one that is sent again.
    expect(read).toEqual([0, expect.any(Number), 2, 6, 0]);
    expect(read[1]).toBeGreaterThan(50);
  });

  test("leaves datasets that can be looked at with the commands that it prints", async () => {
    const status = await runPrinted("cohort status");
    expect(status.code, status.stderr).toBe(0);
    const [exports = "", datasets = ""] = status.stdout.split(/^datasets .*$/m);
    expect(datasets.match(/\bdataset_\w+ [\d,]+/g)).toHaveLength(59);
    expect(datasets).toMatch(/^ {2}current +SymptomLog {2}dataset_symptomlog [1-9]/m);
    expect(datasets).not.toMatch(/^ {2}(behind|failed)/m);
    for (const stand of ["truncated_archive", "not_archive", "empty_object", "unknown_cohort"]) {
      expect(exports).toMatch(new RegExp(`^ {2}${stand} `, "m"));
    }
    expect(exports).toMatch(/^ {2}read +adults_v1\/.* sent again later/m);
    expect(exports).not.toMatch(/^ {2}(waiting|changed|gone)/m);
  });

  test("accounts for every record, and says so with 3, since what is wrong was planted", async () => {
    const audit = await runPrinted("cohort audit");
    expect(audit.code, audit.stderr).toBe(3);
    const [sums = ""] = audit.stdout.split("\n").slice(-2);
    const [, read, written, aside] =
      /: ([\d,]+) records read = ([\d,]+) written \+ ([\d,]+) set aside/.exec(sums) ?? [];
    const numberOf = (text = ""): number => Number(text.replaceAll(",", ""));
    expect(numberOf(read)).toBe(numberOf(written) + numberOf(aside));
    expect(numberOf(aside)).toBeGreaterThan(10);
    for (const { fault, member, lines = [] } of world.planted) {
      if (!/^(bad_|missing_key|not_object)/.test(fault) || member === undefined) continue;
      // Where lines were set aside it says how many; else, perhaps, why the member is not used.
      const told = audit.stdout.split("\n").filter((line) => line.includes(` ${member}`));
      const says = lines.length > 0 ? [`${member}, `] : [`${member}`, `${member}: `];
      expect(
        told.some((line) => says.some((some) => line.includes(` ${some}`))),
        fault,
      ).toBe(true);
    }
  });

  test("has its last exports arrive on the last day, in a build of their own", async () => {
    const places = join(dirname(envFileOf("cohort status")), "cohort");
    const text = await readFile(join(places, "processed/main/parquet/current.json"), "utf8");
    const current = JSON.parse(text) as Current;
    // A day of the story is a build; two before the last stay.
    expect(current.kept).toHaveLength(2);
    for (const { files } of current.datasets) {
      for (const { key } of files)
        expect(existsSync(join(places, "processed/main", key))).toBe(true);
    }
    // Types that nobody has sent anything of are not.
    const later = Object.values(current.types).filter(({ build }) => build === current.build);
    expect(later.length).toBeGreaterThan(5);
  });

  test("leaves datasets that a reader finds as docs/cohort.md shows it", async () => {
    const home = join(dirname(envFileOf("cohort status")), "cohort");
    const doc = await readFile(join(ROOT, "docs/cohort.md"), "utf8");
    const [, sql = ""] = /^```sql\n([^]*?)^```$/m.exec(doc) ?? [];
    const shown = "s3://my-processed/main/";
    expect(sql).toContain(shown);
    const instance = await DuckDBInstance.create();
    const connection = await instance.connect();
    try {
      const statements = sql.replace(shown, `${join(home, "processed/main")}/`);
      const rows = (await connection.runAndReadAll(statements)).getRowsJson();
      const sum = rows.reduce((total, [, count]) => total + Number(count), 0);
      const status = await runPrinted("cohort status");
      expect(rows.map(([cohort]) => cohort).sort()).toEqual(["adults_v1", "pediatric_v1"]);
      expect(status.stdout).toContain(`dataset_symptomlog ${sum.toLocaleString("en")},`);
    } finally {
      connection.closeSync();
      instance.closeSync();
    }
  });

  test("puts into the places what docs/cohort.md says of them, for their user alone", async () => {
    const home = join(dirname(envFileOf("cohort status")), "cohort");
    const doc = await readFile(join(ROOT, "docs/cohort.md"), "utf8");
    const rows = [...doc.matchAll(/^\| (raw|intermediate|processed): `([^`]+)`/gm)];
    expect(rows.length).toBeGreaterThan(9);
    const seen = new Set<string>();
    for (const place of ["raw", "intermediate", "processed"]) {
      const patterns = rows.filter(([, of]) => of === place).map(([, , key = ""]) => key);
      for (const file of await filesOf(join(home, place, "main"))) {
        const key = relative(join(home, place, "main"), file);
        const found = patterns.find((pattern) => patternOf(pattern).test(key));
        expect(found, `${place}: ${key}`).toBeDefined();
        seen.add(`${place}: ${found ?? ""}`);
        expect((await stat(file)).mode & 0o077).toBe(0);
      }
    }
    expect((await stat(envFileOf("cohort status"))).mode & 0o077).toBe(0);
    // Nothing is told of that is not there.
    // Reports are on their way to the catalog: a run that looks at the places removes them.
    expect(rows.map(([, of, key]) => `${of}: ${key}`).filter((row) => !seen.has(row))).toEqual([
      "processed: reports/<version>.<content>.json.gz",
      // Nobody compares in the demo.
      "processed: comparison_result/<dataset>/…",
    ]);
  });

  test("leaves nothing of a participant in the site, the log or what was said", async () => {
    const files = await filesOf(site);
    expect(files.length).toBeGreaterThan(50);
    const texts = await Promise.all(files.map((file) => readFile(file, "latin1")));
    const all = [...texts, ...files, ended.stdout, ended.stderr].join("\n");
    expect(world.identifiers.length).toBeGreaterThan(100);
    expect(world.identifiers.filter((one) => all.includes(one))).toEqual([]);
    expect(all).not.toMatch(/SYN-/);
  });

  test("takes no part where the user gives data of their own", async () => {
    const { demo } = makeCohortJob();
    expect(await demo?.start(join(dir, "none"), null, false)).toBeNull();
    expect(existsSync(join(dir, "none"))).toBe(false);
  });
});
