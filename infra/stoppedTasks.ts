// Tells of tasks that ended as no run of hdash ends: out of memory, no image, no secret, a crash.

import { CfnRule } from "aws-cdk-lib/aws-events";
import type { Construct } from "constructs";

import { makeAlarm } from "./alarmTopic.ts";
import { familyName, pathOf } from "./names.ts";
import type { DeployedPipeline } from "./settingsOfPipelines.ts";
import { arn } from "./statements.ts";
import type { Target } from "./target.ts";

/** ok, degraded (the site was published), and told to stop and handed back; see "Exit codes" in the README. */
const EXPECTED_CODES = [0, 3, 143];

/** Makes the rule that tells the topic of them, and the alarm for what it could not tell. */
export function tellStoppedTasks(
  scope: Construct,
  props: {
    readonly target: Target;
    readonly pipelines: readonly DeployedPipeline[];
    readonly cluster: string;
    readonly topicArn: string;
  },
): void {
  const { target, pipelines, cluster, topicArn } = props;
  if (pipelines.length === 0) return;
  const rule = new CfnRule(scope, "StoppedTasks", {
    description: `hdash ${target.stage} ${target.namespace}: tasks that ended as no run ends`,
    eventPattern: {
      source: ["aws.ecs"],
      "detail-type": ["ECS Task State Change"],
      detail: {
        clusterArn: [cluster],
        lastStatus: ["STOPPED"],
        // Every revision of them; up to the colon, or "foo" would hear of "foo-bar".
        taskDefinitionArn: pipelines.map(({ name }) => ({
          prefix: arn("ecs", `task-definition/${familyName(target, name)}:`),
        })),
        // A container that never started has no exit code at all.
        containers: { exitCode: [{ "anything-but": EXPECTED_CODES }, { exists: false }] },
      },
    },
    targets: [
      {
        id: "topic",
        arn: topicArn,
        inputTransformer: {
          inputPathsMap: {
            task: "$.detail.taskArn",
            definition: "$.detail.taskDefinitionArn",
            code: "$.detail.containers[0].exitCode",
            reason: "$.detail.stoppedReason",
            container: "$.detail.containers[0].reason",
          },
          inputTemplate: `"hdash ${target.stage} ${target.namespace}: the task <task> (<definition>) stopped with exit code <code>: <reason> <container>"`,
        },
      },
    ],
  });
  makeAlarm(scope, "NotToldAlarm", {
    name: `${pathOf(target)}/not-told`,
    description: `hdash ${target.stage} ${target.namespace}: a task ended as no run ends, and the mail about it could not be sent`,
    // Only counted where there was one.
    metric: {
      namespace: "AWS/Events",
      name: "FailedInvocations",
      dimensions: { RuleName: rule.ref },
    },
    statistic: "Sum",
    periodSeconds: 300,
    periods: 1,
    operator: "GreaterThanOrEqualToThreshold",
    threshold: 1,
    missing: "notBreaching",
    topicArn,
  });
}
