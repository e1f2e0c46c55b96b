import { beforeAll, describe, expect, test } from "vitest";

import type { Job } from "../../src/job.ts";
import { JOBS } from "../../src/jobList.ts";
import { ROLE_TASK } from "../databaseRole.ts";
import { readSettings } from "../settings.ts";
import {
  AS_DECLARED,
  COHORT,
  FOO,
  resourceOf,
  shown,
  synthesise,
  type Template,
  textsIn,
} from "./support/templates.ts";

const FOO_BAR = { ...FOO, namespace: "foo-bar" };
const WORD = /^[a-z][a-z0-9]*$/;
/** Words about a namespace that nothing is looked up by. */
const PROSE =
  /^"?hdash develop[: ]|^(HTAN dashboard|Matrix figures|Digital-health cohorts: [a-z]+,) of /;

describe("two namespaces whose names begin alike", () => {
  let foo: readonly string[];
  let fooBar: readonly string[];
  const namesIn = (template: Template): readonly string[] =>
    textsIn(shown({ ...template })).filter((text) => text.includes("foo") && !PROSE.test(text));
  beforeAll(() => {
    // Everything that there is to be told apart is on.
    const pipelines = { matrix: AS_DECLARED, htan: AS_DECLARED, cohort: COHORT };
    foo = namesIn(synthesise(FOO, { pipelines }).namespace);
    fooBar = namesIn(synthesise(FOO_BAR, { pipelines }).namespace);
  });

  test("share no name", () => {
    expect(new Set(foo).size).toBeGreaterThan(20);
    expect(foo.filter((text) => fooBar.includes(text))).toEqual([]);
  });

  test("have no place, pattern or prefix that is the beginning of the other's", () => {
    const patterns = [...new Set(foo)].filter((text) => /[*/:]$/.test(text));
    expect(patterns.length).toBeGreaterThan(5);
    const caught = patterns.flatMap((pattern) =>
      fooBar
        .filter((text) => text.startsWith(pattern.replace(/\*$/, "")))
        .map((text) => `${pattern} catches ${text}`),
    );
    expect(caught).toEqual([]);
  });

  test("have names of their own for all that can be told apart by name only", () => {
    expect(
      [...new Set(foo)]
        .map((text) =>
          text.replace("<AWS::Partition>", "aws").replace("<AWS::Region>:<AWS::AccountId>", ""),
        )
        .sort(),
    ).toEqual(
      [
        ...["cohort", "htan", "matrix"].flatMap((name) => [
          `hdash-develop-foo-${name}`,
          `/hdash/develop/foo/${name}`,
          `hdash/develop/foo/${name}`,
          `hdash/develop/foo/${name}/no-run-in-time`,
          `hdash/develop/foo/${name}/run-degraded-twice`,
          `hdash/develop/foo/${name}/run-failed`,
          `arn:aws:ecs::task-definition/hdash-develop-foo-${name}:`,
        ]),
        ...["Raw", "Intermediate", "Processed"].map(
          (place) => `arn:aws:s3:::<Cohort${place}Bucket>/foo/*`,
        ),
        "arn:aws:s3:::example-exports/daily/foo/*",
        "daily/foo/*",
        "hdash-develop-foo",
        "hdash-develop-foo-role",
        "/hdash/develop/foo/role",
        "hdash/develop/foo/database",
        '{"username":"hdash_foo"}',
        "hdash/develop/foo/not-started",
        "hdash/develop/foo/not-told",
        "/hdash/develop/foo/",
        "arn:aws:scheduler::schedule-group/hdash-develop-foo",
        "arn:aws:s3:::<SiteBucket>/foo/*",
        "arn:aws:s3:::<WorkBucket>/foo/*",
        "foo/*",
        "/foo",
        "foo",
        "foo/",
        "hdash_foo",
      ].sort(),
    );
  });

  test("cannot meet by a pipeline's name: none has a hyphen, nor is one called as the task beside them", () => {
    const wrong = JOBS.filter(({ name }) => !WORD.test(name) || name === ROLE_TASK);
    expect(wrong).toEqual([]);
    const schedules = JOBS.flatMap(({ deployment: { schedule } }) =>
      typeof schedule === "string" ? [] : [schedule.map(({ name }) => name)],
    );
    expect(schedules.flat().filter((name) => !WORD.test(name))).toEqual([]);
    for (const names of schedules) expect(new Set(names).size).toBe(names.length);
  });

  test("fit into what AWS allows, with the longest name there is", () => {
    const namespace = "a".repeat(24);
    const { namespace: template } = synthesise({ stage: "develop", namespace, tag: "x" });
    const long = textsIn(shown({ ...template })).filter((text) => text.includes(namespace));
    // A role's, an alarm's and a schedule group's names; CloudFormation cuts and numbers those that it makes itself.
    const group = resourceOf(template, "Schedules")["Name"];
    expect(String(group).length).toBeLessThanOrEqual(64);
    expect(long.filter((text) => text.startsWith("hdash/") && text.length > 255)).toEqual([]);
  });
});

describe("the registry", () => {
  const changed = (change: Partial<Job["deployment"]>): readonly Job[] =>
    JOBS.map((entry) =>
      entry.name === "htan" ? { ...entry, deployment: { ...entry.deployment, ...change } } : entry,
    );

  test("is the one source of schedule, sizes, secrets and variables", () => {
    const { namespace } = synthesise(
      FOO,
      {},
      changed({
        schedule: "cron(30 7 * * ? *)",
        lateAfterHours: 50,
        cpu: 512,
        memoryMiB: 2048,
        diskGiB: 40,
        secrets: [],
        variables: { HDASH_CONCURRENCY: "2" },
      }),
    );
    expect(resourceOf(namespace, "HtanSchedule")["ScheduleExpression"]).toBe("cron(30 7 * * ? *)");
    expect(resourceOf(namespace, "HtanNoRunInTimeAlarm")["EvaluationPeriods"]).toBe(50);
    const task = resourceOf(namespace, "HtanTask");
    expect(task).toMatchObject({
      Cpu: "512",
      Memory: "2048",
      EphemeralStorage: { SizeInGiB: 40 },
    });
    const text = JSON.stringify(task);
    expect(text).toContain('{"Name":"HDASH_CONCURRENCY","Value":"2"}');
    expect(text).not.toContain("SYNAPSE_PASSWORD");
  });

  test("gives a new pipeline all that the others have", () => {
    const [first] = JOBS;
    if (first === undefined) throw new Error("no pipelines");
    const registry = [...JOBS, { ...first, name: "recover", title: "Recover" }];
    const settings = readSettings("develop", JOBS);
    const pipelines = { ...settings.pipelines, recover: AS_DECLARED };
    const { namespace } = synthesise(FOO, { pipelines }, registry);
    const of = (name: string): readonly string[] =>
      [...Object.keys(namespace.Resources), ...Object.keys(namespace.Outputs)]
        .filter((id) => id.includes(name))
        .map((id) => id.replace(name, "…"));
    expect(of("Recover")).toEqual(of("Matrix"));
    expect(of("Recover").length).toBeGreaterThan(10);
  });

  test("is asked for what a stage has switched off: all of it stays but what would wait for its runs", () => {
    const settings = readSettings("develop", JOBS);
    const off = { ...AS_DECLARED, enabled: false };
    const { base, namespace } = synthesise(FOO, {
      pipelines: { ...settings.pipelines, htan: off },
    });
    const before = synthesise(FOO);
    expect(base).toEqual(before.base);
    const gone = Object.keys(before.namespace.Resources).filter(
      (id) => !Object.hasOwn(namespace.Resources, id),
    );
    expect(gone.sort()).toEqual([
      ...["HtanDegraded", "HtanEnded", "HtanFailed", "HtanNoRunInTimeAlarm", "HtanNotFailed"],
      ...["HtanRunDegradedTwiceAlarm", "HtanRunFailedAlarm"],
    ]);
    expect(resourceOf(namespace, "HtanSchedule")["State"]).toBe("DISABLED");
    expect(resourceOf(namespace, "MatrixSchedule")["State"]).toBe("ENABLED");
    const none = synthesise(FOO, { pipelines: {} }).namespace;
    expect(Object.keys(none.Resources).sort()).toEqual([
      ...["DatabaseLogin", "NotStarted", "NotStartedAlarm", "NotStartedPolicy"],
      ...["RoleExecutionRole", "RoleLogs", "RoleTask", "RoleTaskRole"],
      ...["ScheduleRole", "Schedules", "Site"],
    ]);
  });

  test("is overruled by the settings of a stage in schedule, lateness and variables", () => {
    const settings = readSettings("develop", JOBS);
    const { namespace } = synthesise(FOO, {
      pipelines: {
        ...settings.pipelines,
        matrix: {
          enabled: true,
          schedule: "rate(2 days)",
          lateAfterHours: 60,
          variables: { MATRIX_SOURCE: "cellxgene", HDASH_LOG_LEVEL: "debug" },
          readBuckets: [],
        },
      },
    });
    expect(resourceOf(namespace, "MatrixSchedule")["ScheduleExpression"]).toBe("rate(2 days)");
    expect(resourceOf(namespace, "MatrixNoRunInTimeAlarm")["EvaluationPeriods"]).toBe(60);
    const text = JSON.stringify(resourceOf(namespace, "MatrixTask"));
    expect(text).toContain('{"Name":"MATRIX_SOURCE","Value":"cellxgene"}');
    expect(text).toContain('{"Name":"HDASH_LOG_LEVEL","Value":"debug"}');
  });
});
