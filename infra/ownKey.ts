// A key of the stage's own (KMS), for what Amazon encrypts with keys of its own or not at all: images, logs, private places of jobs, mails of
// alarms on their way.

import { Aws, type RemovalPolicy } from "aws-cdk-lib";
import { CfnKey } from "aws-cdk-lib/aws-kms";
import type { Construct } from "constructs";

import { databaseLogName } from "./names.ts";
import { arn, policy } from "./statements.ts";
import type { Stage } from "./target.ts";

/** What a service does that publishes to an encrypted topic, as Amazon's guide to SNS has it. */
const PUBLISH = ["kms:Decrypt", "kms:GenerateDataKey*"];

/**
 * Makes the key. Its policy lets the account's own policies decide who administers it, and lets in just the services that write to what it
 * encrypts: with the key of Amazon's own (alias/aws/sns) neither alarms nor rules could publish, since nobody can let them into that.
 */
export function makeOwnKey(
  scope: Construct,
  { stage, policy: removal }: { readonly stage: Stage; readonly policy: RemovalPolicy },
): CfnKey {
  const key = new CfnKey(scope, "OwnKey", {
    description: `hdash ${stage}: images, logs, private places and alarms`,
    enableKeyRotation: true,
    keyPolicy: policy(
      {
        Sid: "Account",
        Effect: "Allow",
        Principal: { AWS: `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:root` },
        Action: "kms:*",
        Resource: "*",
      },
      {
        Sid: "LogsOfThisStage",
        Effect: "Allow",
        Principal: { Service: `logs.${Aws.REGION}.amazonaws.com` },
        Action: [
          ...["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt"],
          ...["kms:GenerateDataKey*", "kms:ReEncrypt*"],
        ],
        Resource: "*",
        Condition: {
          ArnLike: {
            "kms:EncryptionContext:aws:logs:arn": [
              arn("logs", `log-group:/hdash/${stage}/*`),
              arn("logs", `log-group:${databaseLogName(stage)}`),
            ],
          },
        },
      },
      {
        Sid: "AlarmsToTopic",
        Effect: "Allow",
        Principal: { Service: "cloudwatch.amazonaws.com" },
        Action: PUBLISH,
        Resource: "*",
        Condition: {
          ArnLike: { "aws:SourceArn": arn("cloudwatch", "alarm:hdash/*") },
          StringEquals: { "aws:SourceAccount": Aws.ACCOUNT_ID },
        },
      },
      {
        Sid: "RulesToTopic",
        Effect: "Allow",
        Principal: { Service: "events.amazonaws.com" },
        Action: PUBLISH,
        Resource: "*",
        // No condition: see UNCONDITIONAL in wildcards.ts.
      },
    ),
  });
  // Images that are kept can be read with it only.
  key.applyRemovalPolicy(removal);
  return key;
}
