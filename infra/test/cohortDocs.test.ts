// What docs/deploy.md says of switching the cohort on: its settings are read, its tables compared with the registry and the stacks.

import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { JOBS } from "../../src/jobList.ts";
import { makeCohortJob } from "../../src/jobs/cohort/job.ts";
import { parseSettings, readSettings } from "../settings.ts";
import { deployedPipelines } from "../settingsOfPipelines.ts";
import { COHORT, resourcesOf, STAGING, synthesise } from "./support/templates.ts";

const DEPLOY = readFileSync(new URL("../../docs/deploy.md", import.meta.url), "utf8");
const [, SECTION = ""] = /^## Cohorts$([^]*?)^## /m.exec(DEPLOY) ?? [];
const GOOD = readSettings("prod", JOBS);
const BLOCKS = [...SECTION.matchAll(/^```json\n([^]*?)^```$/gm)].map(
  ([, body = ""]) => JSON.parse(body) as Readonly<Record<string, unknown>>,
);
const { deployment } = makeCohortJob();

/** The rows of the table whose head begins so, as cells without markup. */
function rowsOf(head: string): readonly (readonly string[])[] {
  const table = SECTION.split("\n\n").find((block) => block.trimStart().startsWith(`| ${head} `));
  return (table ?? "")
    .trim()
    .split("\n")
    .slice(2)
    .map((line) =>
      line
        .split("|")
        .slice(1, -1)
        .map((cell) => cell.replaceAll("`", "").trim()),
    );
}

describe("docs/deploy.md, of cohorts", () => {
  test("has settings that switch the job on, beside those of the other pipelines", () => {
    const [on] = BLOCKS as [{ pipelines: object }];
    const pipelines = { ...GOOD.pipelines, ...on.pipelines };
    const settings = parseSettings("prod", { ...GOOD, pipelines }, JOBS);
    expect(settings.pipelines["cohort"]).toEqual(COHORT);
    const cohort = deployedPipelines(JOBS, settings).find(({ name }) => name === "cohort");
    expect([cohort?.enabled, cohort?.isReady]).toEqual([true, true]);
  });

  test("has settings that change and stop single schedules", () => {
    const [, changes] = BLOCKS;
    const cohort = { ...COHORT, ...changes };
    const settings = parseSettings("prod", { ...GOOD, pipelines: { cohort } }, JOBS);
    const deployed = deployedPipelines(JOBS, settings).find(({ name }) => name === "cohort");
    expect(deployed?.schedules.map(({ name, isOn }) => [name, isOn])).toEqual([
      ["ingest", true],
      ["sync", true],
      ["build", false],
    ]);
    expect(BLOCKS).toHaveLength(2);
  });

  test("names the schedules of the job, and which of them wait", () => {
    const { schedule } = deployment;
    if (typeof schedule === "string") throw new Error("the job has one schedule");
    expect(rowsOf("schedule")).toEqual(
      schedule.map(({ name, schedule: when, options }) => [
        name,
        when,
        ["hdash run cohort", ...options].join(" "),
        options.includes("--wait") ? "waits" : "is left out",
      ]),
    );
    expect(SECTION).toContain(`(${deployment.lateAfterHours}, where nothing is said)`);
    expect(SECTION).toContain(
      `(${deployment.cpu / 1024} vCPU, ${deployment.memoryMiB / 1024} GiB, ${deployment.diskGiB} GiB of disk; \`COHORT_MEMORY_MB\` is ${deployment.variables["COHORT_MEMORY_MB"] ?? ""})`,
    );
  });

  test("names its places, the outputs of their buckets, and how long old versions are kept", () => {
    const { base } = synthesise(STAGING);
    const buckets = resourcesOf(base, "AWS::S3::Bucket");
    const rows = rowsOf("variable");
    expect(rows.map(([variable]) => variable)).toEqual(
      deployment.privatePlaces?.map(({ variable }) => variable),
    );
    for (const [, output = "", , versions] of rows) {
      expect(Object.keys(base.Outputs)).toContain(output);
      const isVersioned =
        buckets[output.replace(/Bucket$/, "")]?.["VersioningConfiguration"] !== undefined;
      expect([output, versions]).toEqual([output, isVersioned ? "30 days" : "none"]);
    }
  });
});
