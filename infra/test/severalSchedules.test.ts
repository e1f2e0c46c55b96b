import { Command } from "commander";
import { beforeAll, describe, expect, test } from "vitest";

import { addRun } from "../../src/commands/run.ts";
import { JOBS } from "../../src/jobList.ts";
import type { Shell } from "../../src/shell.ts";
import { longestGapHours } from "../schedule.ts";
import type { ScheduleSettings } from "../settingsOfSchedules.ts";
import {
  AS_DECLARED,
  COHORT,
  MAIN,
  type Resource,
  resourceOf,
  resourcesOf,
  synthesise,
  type Template,
} from "./support/templates.ts";

const deploy = (schedule: ScheduleSettings, enabled = true): Template =>
  synthesise(MAIN, {
    pipelines: { htan: AS_DECLARED, cohort: { ...COHORT, schedule, enabled } },
  }).namespace;
const scheduleOf = (template: Template, name: string): Resource["Properties"] =>
  resourceOf(template, `Cohort${name}Schedule`);

let declared: Template;
beforeAll(() => {
  declared = deploy(null);
});

/** The command that a schedule hands its task. */
function commandOf(template: Template, name: string): unknown {
  const { Input } = scheduleOf(template, name)["Target"] as { Input: string };
  return JSON.parse(Input);
}

describe("a job of several schedules", () => {
  test("has one task, which each of them starts with options of its own", () => {
    expect(
      Object.keys(resourcesOf(declared, "AWS::ECS::TaskDefinition")).filter((id) =>
        id.startsWith("Cohort"),
      ),
    ).toEqual(["CohortTask"]);
    const schedules = ["Ingest", "Sync", "Build"].map((name) => {
      const { ScheduleExpression, State, Target } = scheduleOf(declared, name);
      const { EcsParameters } = Target as { EcsParameters: { TaskDefinitionArn: string } };
      return [ScheduleExpression, State, EcsParameters.TaskDefinitionArn];
    });
    expect(schedules).toEqual([
      ["cron(20 * * * ? *)", "ENABLED", "<CohortTask>"],
      ["cron(50 2 * * ? *)", "ENABLED", "<CohortTask>"],
      ["cron(50 4 ? * SUN *)", "ENABLED", "<CohortTask>"],
    ]);
    const run = (...options: readonly string[]): object => ({
      containerOverrides: [{ name: "hdash", command: ["hdash", "run", "cohort", ...options] }],
    });
    expect(commandOf(declared, "Ingest")).toEqual(run("--part", "ingest,build,validate"));
    expect(commandOf(declared, "Sync")).toEqual(run("--part", "sync,build,validate", "--wait"));
    expect(commandOf(declared, "Build")).toEqual(run("--part", "build,validate", "--wait"));
  });

  test("names in the override the container that the task has", () => {
    const [container] = resourceOf(declared, "CohortTask")["ContainerDefinitions"] as [
      { Name: string; Command: unknown },
    ];
    expect(container).toMatchObject({ Name: "hdash", Command: ["hdash", "run", "cohort"] });
  });

  test("leaves a job of one schedule as it is: its task does what its own command says", () => {
    expect(resourceOf(declared, "HtanSchedule")["Target"]).not.toHaveProperty("Input");
  });

  test("says for which of them a schedule is", () => {
    expect(scheduleOf(declared, "Sync")["Description"]).toBe(
      "Digital-health cohorts: sync, of main",
    );
  });

  test("has one alarm for all of them, which hears of the run of any", () => {
    const late = Object.entries(resourcesOf(declared, "AWS::CloudWatch::Alarm")).filter(
      ([id]) => id.startsWith("Cohort") && id.includes("NoRunInTime"),
    );
    expect(late.map(([, { EvaluationPeriods }]) => EvaluationPeriods)).toEqual([3]);
  });

  test("has them changed and switched off one by one by a stage's settings", () => {
    const changed = deploy({ ingest: "rate(2 hours)", sync: null, build: false });
    expect(scheduleOf(changed, "Ingest")).toMatchObject({
      ScheduleExpression: "rate(2 hours)",
      State: "ENABLED",
    });
    expect(commandOf(changed, "Ingest")).toEqual(commandOf(declared, "Ingest"));
    expect(scheduleOf(changed, "Sync")).toEqual(scheduleOf(declared, "Sync"));
    // A pause is a state: it goes on with what it had.
    expect(scheduleOf(changed, "Build")).toEqual({
      ...scheduleOf(declared, "Build"),
      State: "DISABLED",
    });
  });

  test("has all of them off where the pipeline is", () => {
    const off = deploy({ build: null }, false);
    const states = ["Ingest", "Sync", "Build"].map((name) => scheduleOf(off, name)["State"]);
    expect(states).toEqual(["DISABLED", "DISABLED", "DISABLED"]);
  });
});

describe("the schedules of all jobs", () => {
  interface OfJob {
    readonly job: string;
    readonly schedule: string;
    readonly options: readonly string[];
  }
  const all = JOBS.flatMap(({ name: job, deployment: { schedule } }): readonly OfJob[] =>
    typeof schedule === "string"
      ? [{ job, schedule, options: [] }]
      : schedule.map((one) => ({ job, schedule: one.schedule, options: one.options })),
  );

  test("are right, and begin at moments of their own", () => {
    expect(all.filter(({ schedule }) => longestGapHours(schedule) === null)).toEqual([]);
    expect(new Set(all.map(({ schedule }) => schedule)).size).toBe(all.length);
  });

  test.each(all)("$job $options: its options are those that hdash run has", ({ job, options }) => {
    const program = new Command();
    addRun(program, {} as Shell, JOBS);
    const command = program.commands[0]?.commands.find((one) => one.name() === job);
    const flags = new Set(command?.options.map(({ long }) => long));
    const used = options.filter((word) => word.startsWith("--"));
    expect(used.filter((flag) => !flags.has(flag))).toEqual([]);
  });
});
