// What runs a pipeline: its task definition, its log group and its two roles.

import { Aws } from "aws-cdk-lib";
import { CfnTaskDefinition } from "aws-cdk-lib/aws-ecs";
import { CfnRole } from "aws-cdk-lib/aws-iam";
import { CfnLogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";

import { placesOf } from "../src/settings/namespace.ts";
import { familyName, idOf, type Imported, pathOf, removalPolicy } from "./names.ts";
import type { Settings } from "./settings.ts";
import type { DeployedPipeline } from "./settingsOfPipelines.ts";
import { allow, arn, policy, type PolicyDocument, trustOf } from "./statements.ts";
import { isProtected, type Target } from "./target.ts";

/** The container's name in its task: in overrides and in the names of log streams. */
export const CONTAINER = "hdash";
/** Log streams are called <this>/<container>/<task>. */
export const LOG_STREAM = "run";
/** Seconds between SIGTERM and SIGKILL, the most that Fargate gives: a run is handed back in that time. */
const STOP_SECONDS = 120;
/** The image's user; a number needs no name in it. */
const USER = "10001:10001";
/** Where the image keeps the authority that signs the certificates of RDS. */
const RDS_AUTHORITY = "/app/rds-ca.pem";

interface TaskProps {
  readonly target: Target;
  readonly settings: Pick<Settings, "logRetentionDays" | "database">;
  readonly pipeline: DeployedPipeline;
  readonly siteUrl: string;
  readonly imported: Imported;
}

/** A pipeline with what runs it. */
export interface PipelineTask {
  readonly pipeline: DeployedPipeline;
  readonly definition: CfnTaskDefinition;
  readonly logGroup: CfnLogGroup;
  /** ARNs of the roles that whoever starts the task hands it. */
  readonly roles: readonly string[];
}

/** Makes what runs a pipeline in a namespace. */
export function makePipelineTask(scope: Construct, props: TaskProps): PipelineTask {
  const { target, pipeline, imported, settings } = props;
  const logGroup = new CfnLogGroup(scope, idOf(pipeline.name, "Logs"), {
    logGroupName: `/${pathOf(target)}/${pipeline.name}`,
    retentionInDays: settings.logRetentionDays,
  });
  logGroup.applyRemovalPolicy(removalPolicy(isProtected(target)));
  const role = (kind: string, description: string, document: PolicyDocument): CfnRole =>
    new CfnRole(scope, idOf(pipeline.name, kind, "Role"), {
      // The path is what tells CI's right to hand roles to tasks which roles these are.
      path: `/${pathOf(target)}/`,
      description: `hdash ${target.stage} ${target.namespace} ${pipeline.name}: ${description}`,
      assumeRolePolicyDocument: trustOf("ecs-tasks"),
      policies: [{ policyName: kind.toLowerCase(), policyDocument: document }],
    });
  const execution = role("Execution", "starts the container", makeExecutionPolicy(props, logGroup));
  const task = role("Task", "what hdash itself may do", makeTaskPolicy(props));
  const definition = new CfnTaskDefinition(scope, idOf(pipeline.name, "Task"), {
    family: familyName(target, pipeline.name),
    requiresCompatibilities: ["FARGATE"],
    networkMode: "awsvpc",
    runtimePlatform: { cpuArchitecture: "X86_64", operatingSystemFamily: "LINUX" },
    cpu: String(pipeline.cpu),
    memory: String(pipeline.memoryMiB),
    ephemeralStorage: { sizeInGiB: pipeline.diskGiB },
    executionRoleArn: execution.attrArn,
    taskRoleArn: task.attrArn,
    volumes: [{ name: "scratch" }],
    containerDefinitions: [
      {
        name: CONTAINER,
        image: `${Aws.ACCOUNT_ID}.dkr.ecr.${Aws.REGION}.${Aws.URL_SUFFIX}/${imported("Repository")}:${target.tag}`,
        essential: true,
        command: ["hdash", "run", pipeline.name],
        user: USER,
        readonlyRootFilesystem: true,
        // Fargate gives a volume the owner and mode that the folder has in the image, where the image declares it as one (VOLUME).
        mountPoints: [{ sourceVolume: "scratch", containerPath: "/tmp", readOnly: false }],
        // hdash is the first process and gets SIGTERM itself.
        linuxParameters: { initProcessEnabled: false },
        stopTimeout: STOP_SECONDS,
        environment: Object.entries(makeEnvironment(props)).map(([name, value]) => ({
          name,
          value,
        })),
        secrets: makeSecrets(props),
        logConfiguration: {
          logDriver: "awslogs",
          options: {
            "awslogs-group": logGroup.ref,
            "awslogs-region": Aws.REGION,
            "awslogs-stream-prefix": LOG_STREAM,
            // Alarms read the last line: better a run that waits for its log than one whose end nobody hears of.
            mode: "blocking",
          },
        },
      },
    ],
  });
  return { pipeline, definition, logGroup, roles: [execution.attrArn, task.attrArn] };
}

function makeEnvironment(props: TaskProps): Readonly<Record<string, string>> {
  const { target, pipeline, siteUrl, imported } = props;
  const { prefix, schema, label } = placesOf(target.namespace);
  return {
    ...pipeline.variables,
    NAMESPACE: target.namespace,
    HDASH_WORK_BUCKET: imported("WorkBucket"),
    HDASH_DB_HOST: imported("DatabaseHost"),
    HDASH_DB_PORT: imported("DatabasePort"),
    HDASH_DB_NAME: imported("DatabaseName"),
    HDASH_DB_SCHEMA: schema,
    HDASH_DB_TLS: "on",
    HDASH_DB_CA_FILE: RDS_AUTHORITY,
    S3_BUCKET_NAME: imported("SiteBucket"),
    S3_PREFIX: prefix,
    S3_REGION: Aws.REGION,
    S3_WEB_SITE_URL: siteUrl,
    HDASH_LOG_FORMAT: "json",
    ...(label === null ? {} : { HDASH_LABEL: label }),
  };
}

function makeSecrets({ pipeline, imported }: TaskProps): { name: string; valueFrom: string }[] {
  const database = imported("DatabaseSecret");
  return [
    { name: "HDASH_DB_USER", valueFrom: `${database}:username::` },
    { name: "HDASH_DB_PASSWORD", valueFrom: `${database}:password::` },
    ...pipeline.secrets.map((name) => ({ name, valueFrom: imported(idOf("Secret", name)) })),
  ];
}

/** What ECS does before hdash begins: pulls the image, opens the log, reads the secrets. */
function makeExecutionPolicy(
  { pipeline, imported }: TaskProps,
  logGroup: CfnLogGroup,
): PolicyDocument {
  return policy(
    allow("LogInToRegistry", ["ecr:GetAuthorizationToken"], ["*"]),
    allow(
      "PullImage",
      ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
      [arn("ecr", `repository/${imported("Repository")}`)],
    ),
    allow("WriteLog", ["logs:CreateLogStream", "logs:PutLogEvents"], [logGroup.attrArn]),
    allow(
      "ReadSecrets",
      ["secretsmanager:GetSecretValue"],
      [
        imported("DatabaseSecret"),
        ...pipeline.secrets.map((name) => imported(idOf("Secret", name))),
      ],
    ),
  );
}

/** What hdash itself may do: its own folder in each of the two buckets, and reading the buckets that its settings name. */
function makeTaskPolicy({ target, pipeline, imported }: TaskProps): PolicyDocument {
  const { prefix } = placesOf(target.namespace);
  const bucketArn = (name: string): string => `arn:${Aws.PARTITION}:s3:::${name}`;
  const own = [bucketArn(imported("SiteBucket")), bucketArn(imported("WorkBucket"))];
  const others = pipeline.readBuckets.map(bucketArn);
  return policy(
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
  );
}
