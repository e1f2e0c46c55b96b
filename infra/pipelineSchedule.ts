// When pipelines run: their schedules, the one role that starts their tasks, and a queue for what could not be started.

import { CfnRole } from "aws-cdk-lib/aws-iam";
import { CfnSchedule, type CfnScheduleGroup } from "aws-cdk-lib/aws-scheduler";
import { CfnQueue, CfnQueuePolicy } from "aws-cdk-lib/aws-sqs";
import type { Construct } from "constructs";

import { PRODUCTION } from "../src/settings/namespace.ts";
import { makeAlarm } from "./alarmTopic.ts";
import { CONTAINER, runCommand } from "./containerTask.ts";
import { idOf, type Imported, namespaceStackName, pathOf } from "./names.ts";
import type { PipelineTask } from "./pipelineTask.ts";
import type { DeployedSchedule } from "./settingsOfSchedules.ts";
import { allow, arn, denyPlainHttp, policy, trustOf } from "./statements.ts";
import type { Target } from "./target.ts";

/** How often, and for how long, a start that AWS refuses is tried again: an hour late is better than a day. */
const RETRIES = 10;
const RETRY_SECONDS = 3600;
/** Namespaces have the same schedules and one database: all but production's start somewhere in so many minutes. */
const WINDOW_MINUTES = 30;
/** The longest that SQS keeps a message: time to look at what was not started. */
const KEPT_SECONDS = 14 * 24 * 3600;

interface ScheduleProps {
  readonly target: Target;
  readonly group: CfnScheduleGroup;
  readonly tasks: readonly PipelineTask[];
  readonly network: {
    readonly subnets: string[];
    readonly securityGroups: string[];
    readonly assignPublicIp: string;
  };
  readonly imported: Imported;
  readonly topicArn: string;
}

/** Makes the schedules of a namespace's pipelines. */
export function makeSchedules(scope: Construct, props: ScheduleProps): void {
  const { target, group, tasks, network, imported } = props;
  const queue = new CfnQueue(scope, "NotStarted", {
    messageRetentionPeriod: KEPT_SECONDS,
    sqsManagedSseEnabled: true,
  });
  new CfnQueuePolicy(scope, "NotStartedPolicy", {
    queues: [queue.ref],
    policyDocument: policy(denyPlainHttp("sqs:*", queue.attrArn)),
  });
  makeAlarm(scope, "NotStartedAlarm", {
    name: `${pathOf(target)}/not-started`,
    description: `hdash ${target.stage} ${target.namespace}: a schedule could not start its task; the message in the queue says why`,
    metric: {
      namespace: "AWS/SQS",
      name: "ApproximateNumberOfMessagesVisible",
      dimensions: { QueueName: queue.attrQueueName },
    },
    statistic: "Maximum",
    periodSeconds: 300,
    periods: 1,
    operator: "GreaterThanOrEqualToThreshold",
    threshold: 1,
    missing: "notBreaching",
    topicArn: props.topicArn,
  });
  const cluster = imported("Cluster");
  const role = new CfnRole(scope, "ScheduleRole", {
    path: `/${pathOf(target)}/`,
    description: `hdash ${target.stage} ${target.namespace}: starts tasks on schedule`,
    assumeRolePolicyDocument: trustOf("scheduler", {
      StringEquals: {
        "aws:SourceArn": arn("scheduler", `schedule-group/${namespaceStackName(target)}`),
      },
    }),
    policies:
      tasks.length === 0
        ? []
        : [
            {
              policyName: "start",
              policyDocument: policy(
                allow(
                  "StartTasks",
                  ["ecs:RunTask"],
                  tasks.map(({ definition }) => definition.ref),
                  { ArnEquals: { "ecs:cluster": cluster } },
                ),
                allow(
                  "HandTasksTheirRoles",
                  ["iam:PassRole"],
                  tasks.flatMap(({ roles }) => roles),
                  { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
                ),
                allow("KeepWhatWasNotStarted", ["sqs:SendMessage"], [queue.attrArn]),
              ),
            },
          ],
  });
  const window =
    target.namespace === PRODUCTION
      ? { mode: "OFF" }
      : { mode: "FLEXIBLE", maximumWindowInMinutes: WINDOW_MINUTES };
  const all = tasks.flatMap(({ pipeline, definition }) =>
    pipeline.schedules.map((schedule) => ({ pipeline, definition, schedule })),
  );
  for (const { pipeline, definition, schedule } of all) {
    const { name, isOn } = schedule;
    const what = name === null ? pipeline.title : `${pipeline.title}: ${name},`;
    new CfnSchedule(scope, idOf(pipeline.name, ...(name === null ? [] : [name]), "Schedule"), {
      description: `${what} of ${target.namespace}`,
      groupName: group.ref,
      scheduleExpression: schedule.schedule,
      scheduleExpressionTimezone: "UTC",
      flexibleTimeWindow: window,
      // A pause is a state, not a removal: its log and what it is started with stay, so that it can go on.
      state: pipeline.enabled && isOn ? "ENABLED" : "DISABLED",
      target: {
        arn: cluster,
        roleArn: role.attrArn,
        retryPolicy: { maximumRetryAttempts: RETRIES, maximumEventAgeInSeconds: RETRY_SECONDS },
        deadLetterConfig: { arn: queue.attrArn },
        ...inputOf(pipeline.name, schedule),
        ecsParameters: {
          taskDefinitionArn: definition.ref,
          taskCount: 1,
          launchType: "FARGATE",
          networkConfiguration: { awsvpcConfiguration: network },
        },
      },
    });
  }
}

/** What the task is told instead of its own command; nothing where that is what it is to do. */
function inputOf(pipeline: string, { options }: DeployedSchedule): { readonly input?: string } {
  if (options.length === 0) return {};
  const command = [...runCommand(pipeline), ...options];
  return { input: JSON.stringify({ containerOverrides: [{ name: CONTAINER, command }] }) };
}
