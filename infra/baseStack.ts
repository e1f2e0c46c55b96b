// The stack that all namespaces of a stage share: network, images, cluster, database, buckets, secrets, and where alarms go.

import { Aws, CfnOutput, Stack } from "aws-cdk-lib";
import { CfnRepository } from "aws-cdk-lib/aws-ecr";
import { CfnCluster } from "aws-cdk-lib/aws-ecs";
import { CfnSecret } from "aws-cdk-lib/aws-secretsmanager";
import { CfnParameter } from "aws-cdk-lib/aws-ssm";
import type { Construct } from "constructs";

import type { PrivatePlace } from "../src/job.ts";
import { JOBS } from "../src/jobList.ts";
import { variablesOf } from "../src/settings/config.ts";
import { makeAlarmTopic } from "./alarmTopic.ts";
import { makeBuckets } from "./buckets.ts";
import { makeDatabase } from "./database.ts";
import { makeSiteEdge } from "./distribution.ts";
import { makeGithubRole } from "./githubRole.ts";
import {
  baseStackName,
  idOf,
  privateBucketName,
  removalPolicy,
  secretName,
  sharedName,
} from "./names.ts";
import { makeNetwork } from "./network.ts";
import { makeOwnKey } from "./ownKey.ts";
import { makeRecords, writeRecords } from "./records.ts";
import type { Settings } from "./settings.ts";
import type { Stage } from "./target.ts";

const VARIABLES = variablesOf(JOBS);

/** Days after its last pull in which an image can be pulled: an image that some namespace runs, if only weekly, never gets there. */
const IDLE_DAYS = 90;
/** Days in the archive, from which it can be fetched back, before it is gone: the least that ECR allows. */
const ARCHIVE_DAYS = 90;

export interface BaseProps {
  readonly stage: Stage;
  readonly settings: Settings;
  /** The secret variables of all pipelines of the registry, each once. */
  readonly secrets: readonly string[];
  /** The private places of all pipelines of the registry. */
  readonly places: readonly PrivatePlace[];
}

/** Makes the shared stack of a stage. */
export function makeBaseStack(scope: Construct, props: BaseProps): Stack {
  const { stage, settings, secrets, places } = props;
  const isKept = stage === "prod";
  const policy = removalPolicy(isKept);
  const stack = new Stack(scope, baseStackName(stage), {
    stackName: baseStackName(stage),
    description: `hdash ${stage}: what its namespaces share`,
    terminationProtection: isKept,
    analyticsReporting: false,
    tags: { app: "hdash", stage },
  });
  // Namespaces read these when they are deployed. No exports: CloudFormation refuses to change one while it is in use, so that no
  // database could be restored to another place and no network be changed.
  const give = (name: string, value: string, description: string): void => {
    new CfnParameter(stack, `Shared${name}`, {
      name: sharedName(stage, name),
      type: "String",
      value,
      description,
    });
    new CfnOutput(stack, name, { value, description });
  };

  const network = makeNetwork(stack, settings);
  const key = settings.ownKey ? makeOwnKey(stack, { stage, policy }) : null;
  const keyArn = key?.attrArn ?? null;
  const topic = makeAlarmTopic(stack, { emails: settings.alarmEmails, keyId: key?.ref ?? null });
  const repository = makeRepository(stack, { stage, isKept, keyArn });
  const cluster = new CfnCluster(stack, "TaskCluster", {
    // Without capacity providers: tasks say FARGATE themselves, and in an account that never had a cluster ECS fails to connect them.
    clusterName: baseStackName(stage),
  });
  const records = makeRecords(stack, { settings, policy });
  const buckets = makeBuckets(stack, {
    ...{ stage, policy, places, keyArn, site: settings.site },
    records: settings.accessLogs ? records : null,
  });
  if (records !== null) {
    const recorded = [buckets.site, buckets.work, ...buckets.places.values()];
    writeRecords(stack, records, { settings, vpcId: network.vpcId, buckets: recorded });
  }
  const database = makeDatabase(stack, {
    ...{ stage, settings, network, policy, keyArn },
    topicArn: topic.ref,
  });
  const registry = `${Aws.ACCOUNT_ID}.dkr.ecr.${Aws.REGION}.${Aws.URL_SUFFIX}`;

  give("Cluster", cluster.attrArn, "The cluster that tasks run in");
  give("TaskSubnets", network.taskSubnets.join(","), "Subnets of tasks");
  give("TaskSecurityGroup", network.taskSecurityGroup, "Security group of tasks");
  give("Repository", repository.ref, "Repository of images");
  give("SiteBucket", buckets.site.ref, "Bucket of the published sites");
  if (settings.site === "website") {
    give("SiteAddress", buckets.site.attrWebsiteUrl, "Where the site bucket is served");
  } else {
    const edge = makeSiteEdge(stack, stage);
    give("SiteDomain", buckets.site.attrRegionalDomainName, "Where CloudFront reads the site");
    give("SiteAccess", edge.access, "How CloudFront logs in to the site bucket");
    give("SiteHeaders", edge.headers, "Headers that CloudFront gives every site");
  }
  give("WorkBucket", buckets.work.ref, "Private bucket of artifacts (HDASH_WORK_BUCKET)");
  for (const [variable, bucket] of buckets.places) {
    give(privateBucketName(variable), bucket.ref, `Private bucket (${variable})`);
  }
  if (records !== null) {
    give("RecordBucket", records.ref, "Bucket of access and flow logs");
    give("RecordDomain", records.attrDomainName, "Where CloudFront writes its access logs");
  }
  if (keyArn !== null) give("KeyArn", keyArn, "Key that logs are encrypted with");
  give("AlarmTopic", topic.ref, "Topic that alarms are told to");
  give("DatabaseHost", database.host, "Postgres host");
  give("DatabasePort", database.port, "Postgres port");
  give("DatabaseName", database.name, "Database name");
  give("DatabaseSecret", database.secretArn, "Secret with its username and password");
  for (const variable of secrets) {
    const name = secretName(stage, variable);
    // Without a value on purpose: an empty secret has no version, and a task that needs it says so instead of running with a wrong one.
    const secret = new CfnSecret(stack, idOf(variable), {
      name,
      description: VARIABLES.find((one) => one.name === variable)?.description ?? variable,
    });
    secret.applyRemovalPolicy(policy);
    give(idOf("Secret", variable), secret.ref, `Secret of ${variable}`);
    new CfnOutput(stack, idOf("Fill", variable), {
      description: `Fills in ${variable}: paste the value, then Enter and Ctrl-D`,
      value: `aws secretsmanager put-secret-value --region ${Aws.REGION} --secret-id ${name} --secret-string file:///dev/stdin`,
    });
  }
  new CfnOutput(stack, "PushImage", {
    description: "Builds and pushes the image of a checkout",
    value: `make build_amd64 docker_push REGISTRY=${registry} REPOSITORY=${repository.ref}`,
  });
  new CfnOutput(stack, "LogIn", {
    description: "Logs Docker in to the registry, for twelve hours",
    value: `aws ecr get-login-password --region ${Aws.REGION} | docker login --username AWS --password-stdin ${registry}`,
  });
  if (settings.github !== null) {
    const role = makeGithubRole(stack, {
      stage,
      github: settings.github,
      repositoryArn: repository.attrArn,
      clusterArn: cluster.attrArn,
      siteBucketArn: buckets.site.attrArn,
      workBucketArn: buckets.work.attrArn,
      placeBucketArns: [...buckets.places.values()].map(({ attrArn }) => attrArn),
    });
    new CfnOutput(stack, "GithubRole", {
      description: "The role of the stage's GitHub environments (variable AWS_ROLE)",
      value: role.attrArn,
    });
  }
  return stack;
}

function makeRepository(
  stack: Stack,
  {
    stage,
    isKept,
    keyArn,
  }: { readonly stage: Stage; readonly isKept: boolean; readonly keyArn: string | null },
): CfnRepository {
  const repository = new CfnRepository(stack, "Images", {
    repositoryName: baseStackName(stage),
    imageScanningConfiguration: { scanOnPush: true },
    imageTagMutability: "IMMUTABLE",
    encryptionConfiguration:
      keyArn === null ? { encryptionType: "AES256" } : { encryptionType: "KMS", kmsKey: keyArn },
    emptyOnDelete: !isKept,
    lifecyclePolicy: {
      lifecyclePolicyText: JSON.stringify({
        rules: [
          {
            rulePriority: 1,
            description: "what no tag names, after a day",
            selection: {
              tagStatus: "untagged",
              countType: "sinceImagePushed",
              countUnit: "days",
              countNumber: 1,
            },
            action: { type: "expire" },
          },
          {
            rulePriority: 2,
            description: "what nobody has pulled, to the archive",
            selection: {
              tagStatus: "tagged",
              tagPatternList: ["*"],
              countType: "sinceImagePulled",
              countUnit: "days",
              countNumber: IDLE_DAYS,
            },
            action: { type: "transition", targetStorageClass: "archive" },
          },
          {
            rulePriority: 3,
            description: "what nobody has fetched back from there",
            selection: {
              tagStatus: "any",
              storageClass: "archive",
              countType: "sinceImageTransitioned",
              countUnit: "days",
              countNumber: ARCHIVE_DAYS,
            },
            action: { type: "expire" },
          },
        ],
      }),
    },
  });
  repository.applyRemovalPolicy(removalPolicy(isKept));
  return repository;
}
