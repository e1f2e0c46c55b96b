import { beforeAll, describe, expect, test } from "vitest";

import {
  resourceOf,
  resourcesOf,
  STAGING,
  synthesise,
  type Templates,
} from "./support/templates.ts";

let templates: Templates;
beforeAll(() => {
  templates = synthesise(STAGING);
});

describe("the metrics of a pipeline", () => {
  test("are read from the line that a run ends its log with", () => {
    const filters = Object.values(resourcesOf(templates.namespace, "AWS::Logs::MetricFilter"))
      .filter(({ LogGroupName }) => LogGroupName === "<HtanLogs>")
      .map(({ FilterPattern, MetricTransformations }) => [
        FilterPattern,
        ...(MetricTransformations as object[]),
      ]);
    const ended = '($.event = "runEnded") && ($.pipeline = "htan")';
    const metric = (MetricName: string, MetricValue: string): object => ({
      MetricNamespace: "hdash/develop/staging/htan",
      MetricName,
      MetricValue,
    });
    expect(filters).toEqual([
      [`{ ${ended} }`, metric("RunEnded", "1")],
      [`{ ${ended} && ($.status = "failed") }`, metric("RunFailed", "1")],
      [`{ ${ended} && ($.status != "failed") }`, metric("RunFailed", "0")],
      [`{ ${ended} && ($.degradedInARow >= 0) }`, metric("DegradedInARow", "$.degradedInARow")],
    ]);
  });
});

describe("the alarms of a pipeline", () => {
  const alarm = (id: string): object => {
    const { AlarmDescription, ...rest } = resourceOf(templates.namespace, id);
    expect(AlarmDescription).toMatch(/^hdash develop staging matrix: /);
    return rest;
  };
  const common = { Namespace: "hdash/develop/staging/matrix", AlarmActions: ["<AlarmTopic>"] };

  test("run-failed goes off with a failed run, and stays on until one does not fail", () => {
    expect(alarm("MatrixRunFailedAlarm")).toEqual({
      ...common,
      AlarmName: "hdash/develop/staging/matrix/run-failed",
      MetricName: "RunFailed",
      Statistic: "Maximum",
      Period: 300,
      EvaluationPeriods: 1,
      ComparisonOperator: "GreaterThanOrEqualToThreshold",
      Threshold: 1,
      TreatMissingData: "ignore",
    });
  });

  test("run-degraded-twice goes off with the second degraded run in a row", () => {
    expect(alarm("MatrixRunDegradedTwiceAlarm")).toEqual({
      ...common,
      AlarmName: "hdash/develop/staging/matrix/run-degraded-twice",
      MetricName: "DegradedInARow",
      Statistic: "Maximum",
      Period: 300,
      EvaluationPeriods: 1,
      ComparisonOperator: "GreaterThanOrEqualToThreshold",
      Threshold: 2,
      TreatMissingData: "ignore",
    });
  });

  test("no-run-in-time goes off when nothing has ended for the registry's hours", () => {
    expect(alarm("MatrixNoRunInTimeAlarm")).toEqual({
      ...common,
      AlarmName: "hdash/develop/staging/matrix/no-run-in-time",
      MetricName: "RunEnded",
      Statistic: "Sum",
      Period: 3600,
      EvaluationPeriods: 36,
      ComparisonOperator: "LessThanThreshold",
      Threshold: 1,
      TreatMissingData: "breaching",
    });
  });

  test("look back no further than CloudWatch does", () => {
    const alarms = [templates.base, templates.namespace].flatMap((template) =>
      Object.values(resourcesOf(template, "AWS::CloudWatch::Alarm")),
    );
    expect(alarms.map(({ AlarmName }) => String(AlarmName).split("/").at(-1)).sort()).toEqual([
      ...[
        "database-refused",
        "database-storage",
        "no-run-in-time",
        "no-run-in-time",
        "not-started",
        "not-told",
      ],
      ...["run-degraded-twice", "run-degraded-twice", "run-failed", "run-failed"],
    ]);
    for (const { Period, EvaluationPeriods } of alarms) {
      const seconds = Number(Period) * Number(EvaluationPeriods);
      expect(seconds).toBeLessThanOrEqual((Number(Period) < 3600 ? 1 : 7) * 24 * 3600);
    }
  });
});

describe("not-started", () => {
  test("goes off when a schedule has left a message in the queue, which keeps it for 14 days", () => {
    expect(resourceOf(templates.namespace, "NotStartedAlarm")).toMatchObject({
      AlarmName: "hdash/develop/staging/not-started",
      Namespace: "AWS/SQS",
      MetricName: "ApproximateNumberOfMessagesVisible",
      Dimensions: [{ Name: "QueueName", Value: "<NotStarted.QueueName>" }],
      Threshold: 1,
      AlarmActions: ["<AlarmTopic>"],
    });
    expect(resourceOf(templates.namespace, "NotStarted")).toEqual({
      MessageRetentionPeriod: 14 * 24 * 3600,
      SqsManagedSseEnabled: true,
    });
  });
});

describe("tasks that end as no run ends", () => {
  test("are told: another exit code than hdash's, or none because they never started", () => {
    const { EventPattern, Targets } = resourceOf(templates.namespace, "StoppedTasks");
    const family = (name: string): object => ({
      prefix: `arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:task-definition/hdash-develop-staging-${name}:`,
    });
    expect(EventPattern).toEqual({
      source: ["aws.ecs"],
      "detail-type": ["ECS Task State Change"],
      detail: {
        clusterArn: ["<Cluster>"],
        lastStatus: ["STOPPED"],
        taskDefinitionArn: [family("matrix"), family("htan"), family("cohort")],
        containers: { exitCode: [{ "anything-but": [0, 3, 143] }, { exists: false }] },
      },
    });
    const [target] = Targets as {
      Arn: string;
      InputTransformer: { InputPathsMap: Record<string, string>; InputTemplate: string };
    }[];
    expect(target?.Arn).toBe("<AlarmTopic>");
    const { InputPathsMap = {}, InputTemplate = "" } = target?.InputTransformer ?? {};
    // A text in quotes, with each path used and nothing used that is no path.
    expect(typeof JSON.parse(InputTemplate)).toBe("string");
    const used = [...InputTemplate.matchAll(/<(\w+)>/g)].map(([, name]) => name);
    expect(used.sort()).toEqual(Object.keys(InputPathsMap).sort());
  });

  test("are not lost where the mail cannot be sent: an alarm counts that", () => {
    const { AlarmDescription, ...rest } = resourceOf(templates.namespace, "NotToldAlarm");
    expect(AlarmDescription).toMatch(/^hdash develop staging: /);
    expect(rest).toEqual({
      AlarmName: "hdash/develop/staging/not-told",
      Namespace: "AWS/Events",
      MetricName: "FailedInvocations",
      Dimensions: [{ Name: "RuleName", Value: "<StoppedTasks>" }],
      Statistic: "Sum",
      Period: 300,
      EvaluationPeriods: 1,
      ComparisonOperator: "GreaterThanOrEqualToThreshold",
      Threshold: 1,
      TreatMissingData: "notBreaching",
      AlarmActions: ["<AlarmTopic>"],
    });
  });
});
