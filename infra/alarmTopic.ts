// Where alarms are told: one topic for each stage, with its subscribers by e-mail.

import { CfnAlarm } from "aws-cdk-lib/aws-cloudwatch";
import { CfnSubscription, CfnTopic, CfnTopicPolicy } from "aws-cdk-lib/aws-sns";
import type { Construct } from "constructs";

import { arn, denyPlainHttp, policy } from "./statements.ts";

/** What there is to say of an alarm; the rest is the same for all. */
export interface AlarmProps {
  /** "hdash/<stage>/…/<kind>"; docs/operations.md has a chapter for each kind. */
  readonly name: string;
  readonly description: string;
  readonly metric: {
    readonly namespace: string;
    readonly name: string;
    readonly dimensions?: Readonly<Record<string, string>>;
  };
  readonly statistic: "Sum" | "Maximum" | "Minimum";
  readonly periodSeconds: number;
  readonly periods: number;
  readonly operator: "LessThanThreshold" | "GreaterThanOrEqualToThreshold";
  readonly threshold: number;
  readonly missing: "breaching" | "notBreaching" | "ignore";
  readonly topicArn: string;
}

/** Makes the topic, which alarms of this account and rules of EventBridge may publish to. */
export function makeAlarmTopic(
  scope: Construct,
  { emails, keyId }: { readonly emails: readonly string[]; readonly keyId: string | null },
): CfnTopic {
  const topic = new CfnTopic(scope, "Alarms", {
    displayName: "hdash",
    ...(keyId === null ? {} : { kmsMasterKeyId: keyId }),
  });
  new CfnTopicPolicy(scope, "AlarmsPolicy", {
    topics: [topic.ref],
    policyDocument: policy(
      {
        Sid: "AlarmsOfThisAccount",
        Effect: "Allow",
        Principal: { Service: "cloudwatch.amazonaws.com" },
        Action: "sns:Publish",
        Resource: topic.ref,
        Condition: { ArnLike: { "aws:SourceArn": arn("cloudwatch", "alarm:hdash/*") } },
      },
      {
        Sid: "Rules",
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: "sns:Publish",
        Resource: topic.ref,
        // No condition: see UNCONDITIONAL in wildcards.ts.
      },
      denyPlainHttp("sns:Publish", topic.ref),
    ),
  });
  emails.forEach((endpoint, at) => {
    const id = `AlarmsTo${at + 1}`;
    new CfnSubscription(scope, id, { topicArn: topic.ref, protocol: "email", endpoint });
  });
  return topic;
}

/** Makes an alarm that tells the topic. */
export function makeAlarm(scope: Construct, id: string, props: AlarmProps): CfnAlarm {
  const { metric } = props;
  return new CfnAlarm(scope, id, {
    alarmName: props.name,
    alarmDescription: props.description,
    namespace: metric.namespace,
    metricName: metric.name,
    ...(metric.dimensions === undefined
      ? {}
      : {
          dimensions: Object.entries(metric.dimensions).map(([name, value]) => ({ name, value })),
        }),
    statistic: props.statistic,
    period: props.periodSeconds,
    evaluationPeriods: props.periods,
    comparisonOperator: props.operator,
    threshold: props.threshold,
    treatMissingData: props.missing,
    alarmActions: [props.topicArn],
  });
}
