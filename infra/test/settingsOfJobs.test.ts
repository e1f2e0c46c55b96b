// What settings say of a job that wants a variable, has several schedules and private places.

import { describe, expect, test } from "vitest";

import { HdashError } from "../../src/error.ts";
import { JOBS } from "../../src/jobList.ts";
import { SCHEDULE_FORM } from "../schedule.ts";
import { parseSettings, readSettings, type Settings } from "../settings.ts";
import { COHORT } from "./support/templates.ts";

const GOOD = readSettings("develop", JOBS);
const CRON = "cron(40 * * * ? *)";
const parse = (cohort: object, more: object = {}): Settings =>
  parseSettings(
    "develop",
    { ...GOOD, pipelines: { cohort: { ...COHORT, ...cohort } }, ...more },
    JOBS,
  );

/** What is wrong with what develop says of the cohort, without the file's name. */
function problemsOf(cohort: object, more: object = {}): readonly string[] {
  try {
    parse(cohort, more);
  } catch (error) {
    if (!(error instanceof HdashError)) throw error;
    const [, ...lines] = error.message.split("\n  infra/settings/develop.json: ");
    return lines.map((line) => line.replace("pipelines.cohort.", ""));
  }
  return [];
}

describe("the schedules of a job that has several", () => {
  test.each<[string, unknown]>([
    ["nothing", null],
    ["none of them", {}],
    ["one", { ingest: CRON }],
    ["all", { ingest: CRON, sync: null, build: false }],
  ])("can be changed by name: %s", (_, schedule) => {
    expect(parse({ schedule }).pipelines["cohort"]?.schedule).toEqual(schedule);
  });

  test.each<[string, object, string]>([
    [
      "a name that none has",
      { schedule: { nightly: CRON } },
      "schedule.nightly is no setting; there are ingest, sync, build",
    ],
    [
      "a schedule of cron's",
      { schedule: { sync: "0 3 * * *" } },
      `schedule.sync is "0 3 * * *", but must be null, false, ${SCHEDULE_FORM}`,
    ],
    [
      "a word for off",
      { schedule: { build: "off" } },
      `schedule.build is "off", but must be null, false, ${SCHEDULE_FORM}`,
    ],
    [
      "true",
      { schedule: { build: true } },
      `schedule.build is true, but must be null, false, ${SCHEDULE_FORM}`,
    ],
    [
      "one schedule for all",
      { schedule: CRON },
      `schedule is "${CRON}", but must be null or an object: the names of schedules (ingest, sync, build), each with null, false or a schedule`,
    ],
    [
      "a list",
      { schedule: [CRON] },
      `schedule is ["${CRON}"], but must be null or an object: the names of schedules (ingest, sync, build), each with null, false or a schedule`,
    ],
    [
      "none that is on",
      { schedule: { ingest: false, sync: false, build: false } },
      "schedule switches every schedule off: say enabled false instead",
    ],
    [
      "a lateness that fits none that is on",
      { schedule: { ingest: false } },
      "lateAfterHours is 3, but must be more than lie between two runs, which is 24 hours; an alarm looks back 168 hours at most",
    ],
    [
      "a lateness between two runs of the most frequent one",
      { schedule: { ingest: "rate(6 hours)" }, lateAfterHours: 6 },
      "lateAfterHours is 6, but must be more than lie between two runs, which is 6 hours; an alarm looks back 168 hours at most",
    ],
  ])("are refused with %s, naming field and value", (_, cohort, expected) => {
    expect(problemsOf(cohort)).toEqual([expected]);
  });

  test("want no lateness of their own where the job's fits", () => {
    expect(
      problemsOf({ schedule: { ingest: "rate(2 hours)", build: "cron(0 5 1 * ? *)" } }),
    ).toEqual([]);
    expect(problemsOf({ schedule: { ingest: false }, lateAfterHours: 30 })).toEqual([]);
  });
});

describe("a job that wants a variable", () => {
  test("is refused where it is on without", () => {
    for (const variables of [{}, { COHORT_SOURCE: " " }]) {
      expect(problemsOf({ variables })).toEqual([
        "enabled is true, but cohort has nothing to do without COHORT_SOURCE: set it in its variables, or switch cohort off",
      ]);
    }
  });

  test("is off without it in the settings as delivered, whose values are looked at all the same", () => {
    for (const stage of ["develop", "prod"] as const) {
      expect(readSettings(stage, JOBS).pipelines["cohort"]).toMatchObject({ enabled: false });
    }
    const off = { enabled: false, variables: { COHORT_SINCE: "yesterday" } };
    expect(problemsOf(off)).toEqual([
      expect.stringMatching(/^variables: COHORT_SINCE is "yesterday"/) as string,
    ]);
  });

  test("is told at once what it would be told by its task", () => {
    const variables = { ...COHORT.variables, COHORT_MEMORY_MB: "lots", COHORT_KEEP_BUILDS: "-1" };
    const lines = problemsOf({ variables });
    expect(lines.map((line) => line.split(" is ")[0])).toEqual([
      "variables: COHORT_KEEP_BUILDS",
      "variables: COHORT_MEMORY_MB",
    ]);
    const one = { ...COHORT.variables, COHORT_MEMORY_MB: "lots" };
    expect(problemsOf({ variables: one })).toEqual([
      expect.stringMatching(/^variables: COHORT_MEMORY_MB is "lots"/) as string,
    ]);
  });
});

describe("private places", () => {
  test.each(["COHORT_RAW", "COHORT_INTERMEDIATE", "COHORT_PROCESSED"])(
    "are the stack's to name: %s",
    (name) => {
      const variables = { ...COHORT.variables, [name]: "s3://mine" };
      expect(problemsOf({ variables })).toEqual([`variables.${name} is set by the stack`]);
    },
  );
});

describe("a place that a task is to read", () => {
  const FORM =
    "but a task reads s3://bucket/prefix, of letters, digits and !_.'()=+,@:- between single slashes";
  test.each(["s3://b-1.c", "s3://my-exports/", "s3://my-exports/a/b=c/D_e.1/", "synapse:syn123"])(
    "can be %s",
    (source) => {
      expect(problemsOf({ variables: { COHORT_SOURCE: source } })).toEqual([]);
    },
  );

  test.each([
    ...["exports", "/data/exports", "./exports"],
    ...["s3://", "s3://My_Exports", "s3:my-exports"],
    // They would be wildcards and variables of a policy.
    ...["s3://my-exports/*", "s3://my-exports/a?", "s3://my-exports/${aws:username}"],
    ...["s3://my-exports//a", "s3://my-exports/a b"],
  ])("cannot be %j", (source) => {
    const lines = problemsOf({ variables: { COHORT_SOURCE: source } });
    expect(lines[0]).toBe(`variables.COHORT_SOURCE is ${JSON.stringify(source)}, ${FORM}`);
  });

  test("is not reached by a network without a way to the internet where it is Synapse", () => {
    const pipelines = {
      ...{ htan: { ...COHORT, enabled: false, variables: {} } },
      matrix: { ...COHORT, enabled: false, variables: {} },
    };
    const endpoints = (source: string): readonly string[] => {
      const cohort = { ...COHORT, variables: { COHORT_SOURCE: source } };
      return problemsOf({}, { network: "endpoints", pipelines: { ...pipelines, cohort } });
    };
    expect(endpoints("s3://my-exports")).toEqual([]);
    expect(endpoints("synapse:syn123")).toEqual([
      'enabled is true, but cohort reads Synapse (COHORT_SOURCE=synapse:syn123) from the internet, which network "endpoints" does not reach: choose "public" or "nat", or switch cohort off',
    ]);
  });
});
