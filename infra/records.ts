// Who came and went: a bucket for the access logs of buckets and distributions, and for the network's flow logs, where settings want them.

import { Aws, type RemovalPolicy } from "aws-cdk-lib";
import { CfnFlowLog } from "aws-cdk-lib/aws-ec2";
import { CfnBucket, CfnBucketPolicy } from "aws-cdk-lib/aws-s3";
import type { Construct } from "constructs";

import type { Settings } from "./settings.ts";
import { arn, denyPlainHttp, policy, type Statement } from "./statements.ts";

/** Seconds of traffic in one line of a flow log: the longest there is, as lines cost and nobody looks at once. */
const FLOW_SECONDS = 600;

export type RecordSettings = Pick<
  Settings,
  "accessLogs" | "flowLogs" | "site" | "logRetentionDays"
>;

/** Makes the bucket; null where nothing is to be recorded. */
export function makeRecords(
  scope: Construct,
  { settings, policy: removal }: { settings: RecordSettings; policy: RemovalPolicy },
): CfnBucket | null {
  if (!settings.accessLogs && !settings.flowLogs) return null;
  const bucket = new CfnBucket(scope, "Records", {
    bucketEncryption: {
      serverSideEncryptionConfiguration: [
        // Access logs go to no bucket with another encryption.
        { serverSideEncryptionByDefault: { sseAlgorithm: "AES256" } },
      ],
    },
    ownershipControls: {
      rules: [
        {
          // CloudFront hands its logs over by an access control list, which it writes itself.
          objectOwnership:
            settings.accessLogs && settings.site === "cloudfront"
              ? "BucketOwnerPreferred"
              : "BucketOwnerEnforced",
        },
      ],
    },
    publicAccessBlockConfiguration: {
      blockPublicAcls: true,
      ignorePublicAcls: true,
      blockPublicPolicy: true,
      restrictPublicBuckets: true,
    },
    lifecycleConfiguration: {
      rules: [
        {
          id: "as long as logs",
          status: "Enabled",
          expirationInDays: settings.logRetentionDays,
          abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
        },
      ],
    },
  });
  bucket.applyRemovalPolicy(removal);
  return bucket;
}

/** Lets in what is recorded, and has the network's flow recorded. `buckets` are those whose access is. */
export function writeRecords(
  scope: Construct,
  records: CfnBucket,
  props: {
    readonly settings: RecordSettings;
    readonly vpcId: string;
    readonly buckets: readonly CfnBucket[];
  },
): void {
  const { settings, vpcId, buckets } = props;
  const account = { "aws:SourceAccount": Aws.ACCOUNT_ID };
  const access: Statement = {
    Sid: "AccessLogs",
    Effect: "Allow",
    Principal: { Service: "logging.s3.amazonaws.com" },
    Action: "s3:PutObject",
    Resource: `${records.attrArn}/s3/*`,
    Condition: {
      ArnLike: { "aws:SourceArn": buckets.map(({ attrArn }) => attrArn) },
      StringEquals: account,
    },
  };
  const delivery = {
    Effect: "Allow",
    Principal: { Service: "delivery.logs.amazonaws.com" },
  } as const;
  const source = { ArnLike: { "aws:SourceArn": arn("logs", "*") } };
  const flow: readonly Statement[] = [
    {
      Sid: "FlowLogs",
      ...delivery,
      Action: "s3:PutObject",
      Resource: `${records.attrArn}/flow/AWSLogs/${Aws.ACCOUNT_ID}/*`,
      Condition: {
        ...source,
        StringEquals: { ...account, "s3:x-amz-acl": "bucket-owner-full-control" },
      },
    },
    {
      Sid: "FlowLogsLook",
      ...delivery,
      Action: ["s3:GetBucketAcl", "s3:ListBucket"],
      Resource: records.attrArn,
      Condition: { ...source, StringEquals: account },
    },
  ];
  const recordsPolicy = new CfnBucketPolicy(scope, "RecordsPolicy", {
    bucket: records.ref,
    policyDocument: policy(
      ...(settings.accessLogs ? [access] : []),
      ...(settings.flowLogs ? flow : []),
      denyPlainHttp("s3:*", [records.attrArn, `${records.attrArn}/*`]),
    ),
  });
  if (!settings.flowLogs) return;
  new CfnFlowLog(scope, "FlowLog", {
    resourceType: "VPC",
    resourceId: vpcId,
    trafficType: "ALL",
    logDestinationType: "s3",
    logDestination: `${records.attrArn}/flow`,
    maxAggregationInterval: FLOW_SECONDS,
  }).addResourceDependency(recordsPolicy);
}
