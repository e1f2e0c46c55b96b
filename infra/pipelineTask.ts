// What runs a pipeline: its container, told where everything is, with the namespace's own login to the database.

import { Aws } from "aws-cdk-lib";
import type { Construct } from "constructs";

import { placesOf } from "../src/settings/namespace.ts";
import {
  type ContainerTask,
  databaseVariables,
  makeContainerTask,
  runCommand,
  type SecretVariable,
} from "./containerTask.ts";
import { idOf, type Imported, privateBucketName } from "./names.ts";
import type { Settings } from "./settings.ts";
import type { DeployedPipeline } from "./settingsOfPipelines.ts";
import { allow, type Statement } from "./statements.ts";
import type { Target } from "./target.ts";

interface PipelineProps {
  readonly target: Target;
  readonly settings: Pick<Settings, "logRetentionDays" | "ownKey">;
  readonly pipeline: DeployedPipeline;
  readonly siteUrl: string;
  readonly imported: Imported;
  /** Secret with the username and password of the namespace's role in the database. */
  readonly loginArn: string;
}

/** A pipeline with what runs it. */
export interface PipelineTask extends ContainerTask {
  readonly pipeline: DeployedPipeline;
}

/** Makes what runs a pipeline in a namespace. */
export function makePipelineTask(scope: Construct, props: PipelineProps): PipelineTask {
  const { target, settings, pipeline, imported } = props;
  const { name, cpu, memoryMiB, diskGiB } = pipeline;
  const task = makeContainerTask(scope, {
    ...{ target, settings, imported, name, cpu, memoryMiB, diskGiB },
    command: runCommand(name),
    environment: makeEnvironment(props),
    secrets: makeSecrets(props),
    statements: makeStatements(props),
  });
  return { ...task, pipeline };
}

function makeEnvironment(props: PipelineProps): Readonly<Record<string, string>> {
  const { target, pipeline, siteUrl, imported } = props;
  const { prefix, label } = placesOf(target.namespace);
  return {
    ...pipeline.variables,
    ...databaseVariables(target, imported),
    ...Object.fromEntries(
      placesIn(pipeline, imported).map(({ variable, bucket }) => [variable, `s3://${bucket}`]),
    ),
    HDASH_WORK_BUCKET: imported("WorkBucket"),
    S3_BUCKET_NAME: imported("SiteBucket"),
    S3_PREFIX: prefix,
    S3_REGION: Aws.REGION,
    S3_WEB_SITE_URL: siteUrl,
    ...(label === null ? {} : { HDASH_LABEL: label }),
  };
}

function makeSecrets({ pipeline, imported, loginArn }: PipelineProps): readonly SecretVariable[] {
  return [
    { name: "HDASH_DB_USER", secretArn: loginArn, field: "username" },
    { name: "HDASH_DB_PASSWORD", secretArn: loginArn, field: "password" },
    ...pipeline.secrets.map((name) => ({ name, secretArn: imported(idOf("Secret", name)) })),
  ];
}

/** The buckets of a pipeline's private places, each with the variable that names it. */
function placesIn(
  { privatePlaces = [] }: DeployedPipeline,
  imported: Imported,
): readonly { readonly variable: string; readonly bucket: string }[] {
  return privatePlaces.map(({ variable }) => ({
    variable,
    bucket: imported(privateBucketName(variable)),
  }));
}

function bucketArn(name: string): string {
  return `arn:${Aws.PARTITION}:s3:::${name}`;
}

/** What hdash itself may do: its own folder in each bucket of the stage's that it uses, and reading what its settings name. */
function makeStatements(props: PipelineProps): readonly Statement[] {
  const { target, settings, pipeline, imported } = props;
  const { prefix } = placesOf(target.namespace);
  const places = placesIn(pipeline, imported).map(({ bucket }) => bucketArn(bucket));
  const own = [bucketArn(imported("SiteBucket")), bucketArn(imported("WorkBucket")), ...places];
  return [
    allow(
      "OwnFiles",
      ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
      own.map((bucket) => `${bucket}/${prefix}*`),
    ),
    allow("ListOwnFiles", ["s3:ListBucket"], own, { StringLike: { "s3:prefix": `${prefix}*` } }),
    // IAM knows no prefix here: names of other namespaces' unfinished uploads can be seen; only one's own can be aborted.
    allow(
      "ListUnfinishedUploads",
      ["s3:ListBucketMultipartUploads"],
      [bucketArn(imported("WorkBucket"))],
    ),
    ...(places.length > 0 && settings.ownKey ? [allowKey(places, imported)] : []),
    ...makeSourceStatements(target, pipeline),
  ];
}

/** Encrypting and decrypting with the stage's own key what lies in these buckets, and nothing else. */
function allowKey(buckets: readonly string[], imported: Imported): Statement {
  return allow("OwnKeyForOwnFiles", ["kms:Decrypt", "kms:GenerateDataKey"], [imported("KeyArn")], {
    StringEquals: {
      "kms:ViaService": `s3.${Aws.REGION}.${Aws.URL_SUFFIX}`,
      // With a key for a whole bucket the context is the bucket.
      "kms:EncryptionContext:aws:s3:arn": buckets,
    },
  });
}

/** Reading what is not the stage's: whole buckets that its settings name, and of a place in a variable the namespace's folder. */
function makeSourceStatements(
  target: Target,
  { readBuckets, sources }: DeployedPipeline,
): readonly Statement[] {
  const { prefix: own } = placesOf(target.namespace);
  const others = readBuckets.map(bucketArn);
  return [
    ...(others.length === 0
      ? []
      : [
          allow(
            "ReadSources",
            ["s3:GetObject"],
            others.map((bucket) => `${bucket}/*`),
          ),
          allow("ListSources", ["s3:ListBucket"], others),
        ]),
    ...sources.flatMap(({ bucket, prefix }) => [
      allow("ReadOwnSource", ["s3:GetObject"], [`${bucketArn(bucket)}/${prefix}${own}*`]),
      allow("ListOwnSource", ["s3:ListBucket"], [bucketArn(bucket)], {
        StringLike: { "s3:prefix": `${prefix}${own}*` },
      }),
    ]),
  ];
}
