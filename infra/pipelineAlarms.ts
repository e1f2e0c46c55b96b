// What is measured of a pipeline's runs, and when somebody is told: from the line that every run ends its log with.

import type { CfnLogGroup } from "aws-cdk-lib/aws-logs";
import { CfnMetricFilter } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";

import { type AlarmProps, makeAlarm } from "./alarmTopic.ts";
import { idOf, pathOf } from "./names.ts";
import type { DeployedPipeline } from "./settingsOfPipelines.ts";
import type { Target } from "./target.ts";

const HOUR_SECONDS = 3600;
const CHECK_SECONDS = 300;
/** Degraded once is told in Slack, and often passes; twice in a row it does not pass by itself. */
const DEGRADED_IN_A_ROW = 2;

interface AlarmsProps {
  readonly target: Target;
  readonly pipeline: DeployedPipeline;
  readonly logGroup: CfnLogGroup;
  readonly topicArn: string;
}

/** Makes the metrics and the three alarms of a pipeline. */
export function makePipelineAlarms(scope: Construct, props: AlarmsProps): void {
  const { target, pipeline, logGroup, topicArn } = props;
  const namespace = `${pathOf(target)}/${pipeline.name}`;
  const ended = `($.event = "runEnded") && ($.pipeline = "${pipeline.name}")`;
  const measure = (id: string, metricName: string, pattern: string, metricValue: string): void => {
    new CfnMetricFilter(scope, idOf(pipeline.name, id), {
      logGroupName: logGroup.ref,
      filterPattern: `{ ${pattern} }`,
      metricTransformations: [{ metricNamespace: namespace, metricName, metricValue }],
    });
  };
  measure("Ended", "RunEnded", ended, "1");
  // Both values of one metric, so that an alarm stays on until a run that did not fail has ended.
  measure("Failed", "RunFailed", `${ended} && ($.status = "failed")`, "1");
  measure("NotFailed", "RunFailed", `${ended} && ($.status != "failed")`, "0");
  measure("Degraded", "DegradedInARow", `${ended} && ($.degradedInARow >= 0)`, "$.degradedInARow");

  const who = `hdash ${target.stage} ${target.namespace} ${pipeline.name}`;
  const alarm = (
    kind: string,
    metricName: string,
    rest: Omit<AlarmProps, "name" | "metric" | "topicArn">,
  ): void => {
    makeAlarm(scope, idOf(pipeline.name, ...kind.split("-"), "Alarm"), {
      name: `${namespace}/${kind}`,
      metric: { namespace, name: metricName },
      topicArn,
      ...rest,
    });
  };
  const atLeast = { operator: "GreaterThanOrEqualToThreshold", statistic: "Maximum" } as const;
  alarm("run-failed", "RunFailed", {
    ...atLeast,
    description: `${who}: a run failed; nothing new was published`,
    periodSeconds: CHECK_SECONDS,
    periods: 1,
    threshold: 1,
    missing: "ignore",
  });
  alarm("run-degraded-twice", "DegradedInARow", {
    ...atLeast,
    description: `${who}: ${DEGRADED_IN_A_ROW} runs in a row were degraded; parts of the site are old`,
    periodSeconds: CHECK_SECONDS,
    periods: 1,
    threshold: DEGRADED_IN_A_ROW,
    missing: "ignore",
  });
  alarm("no-run-in-time", "RunEnded", {
    description: `${who}: no run has ended for ${pipeline.lateAfterHours} hours`,
    statistic: "Sum",
    // CloudWatch looks back a day, or seven with periods of an hour at least.
    periodSeconds: HOUR_SECONDS,
    periods: pipeline.lateAfterHours,
    operator: "LessThanThreshold",
    threshold: 1,
    missing: "breaching",
  });
}
