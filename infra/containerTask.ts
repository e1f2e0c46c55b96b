// What runs one container of the image: its task definition, its log group and its two roles.

import { Aws } from "aws-cdk-lib";
import { CfnTaskDefinition } from "aws-cdk-lib/aws-ecs";
import { CfnRole } from "aws-cdk-lib/aws-iam";
import { CfnLogGroup } from "aws-cdk-lib/aws-logs";
import type { Construct } from "constructs";

import { placesOf } from "../src/settings/namespace.ts";
import { familyName, idOf, type Imported, pathOf, removalPolicy } from "./names.ts";
import type { Settings } from "./settings.ts";
import { allow, arn, policy, type PolicyDocument, type Statement, trustOf } from "./statements.ts";
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

/** A variable whose value ECS reads from Secrets Manager: the whole secret, or one field of its JSON. */
export interface SecretVariable {
  readonly name: string;
  readonly secretArn: string;
  readonly field?: string;
}

export interface TaskProps {
  readonly target: Target;
  readonly settings: Pick<Settings, "logRetentionDays" | "ownKey">;
  readonly imported: Imported;
  /** In names of things and ids; no hyphen in it. */
  readonly name: string;
  readonly cpu: number;
  readonly memoryMiB: number;
  /** Null: the 20 GiB that every task has. */
  readonly diskGiB: number | null;
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly secrets: readonly SecretVariable[];
  /** What hdash itself may do. */
  readonly statements: readonly Statement[];
}

export interface ContainerTask {
  readonly definition: CfnTaskDefinition;
  readonly logGroup: CfnLogGroup;
  /** ARNs of the roles that whoever starts the task hands it. */
  readonly roles: readonly string[];
}

/** What runs a pipeline with all that it does where nothing else is said. */
export function runCommand(pipeline: string): readonly string[] {
  return ["hdash", "run", pipeline];
}

/** Says where a namespace's tasks find their database, and how they write their log. */
export function databaseVariables(
  target: Target,
  imported: Imported,
): Readonly<Record<string, string>> {
  return {
    NAMESPACE: target.namespace,
    HDASH_DB_HOST: imported("DatabaseHost"),
    HDASH_DB_PORT: imported("DatabasePort"),
    HDASH_DB_NAME: imported("DatabaseName"),
    HDASH_DB_SCHEMA: placesOf(target.namespace).schema,
    HDASH_DB_TLS: "on",
    HDASH_DB_CA_FILE: RDS_AUTHORITY,
    HDASH_LOG_FORMAT: "json",
  };
}

/** Makes what runs a container. */
export function makeContainerTask(scope: Construct, props: TaskProps): ContainerTask {
  const { target, name, imported, settings } = props;
  const logGroup = new CfnLogGroup(scope, idOf(name, "Logs"), {
    logGroupName: `/${pathOf(target)}/${name}`,
    retentionInDays: settings.logRetentionDays,
    ...(settings.ownKey ? { kmsKeyId: imported("KeyArn") } : {}),
  });
  logGroup.applyRemovalPolicy(removalPolicy(isProtected(target)));
  const role = (kind: string, description: string, document: PolicyDocument): CfnRole =>
    new CfnRole(scope, idOf(name, kind, "Role"), {
      // The path is what tells CI's right to hand roles to tasks which roles these are.
      path: `/${pathOf(target)}/`,
      description: `hdash ${target.stage} ${target.namespace} ${name}: ${description}`,
      assumeRolePolicyDocument: trustOf("ecs-tasks"),
      // IAM knows no policy without a statement.
      ...(document.Statement.length === 0
        ? {}
        : { policies: [{ policyName: kind.toLowerCase(), policyDocument: document }] }),
    });
  const execution = role("Execution", "starts the container", makeExecutionPolicy(props, logGroup));
  const task = role("Task", "what hdash itself may do", policy(...props.statements));
  const definition = new CfnTaskDefinition(scope, idOf(name, "Task"), {
    family: familyName(target, name),
    requiresCompatibilities: ["FARGATE"],
    networkMode: "awsvpc",
    runtimePlatform: { cpuArchitecture: "X86_64", operatingSystemFamily: "LINUX" },
    cpu: String(props.cpu),
    memory: String(props.memoryMiB),
    ...(props.diskGiB === null ? {} : { ephemeralStorage: { sizeInGiB: props.diskGiB } }),
    executionRoleArn: execution.attrArn,
    taskRoleArn: task.attrArn,
    volumes: [{ name: "scratch" }],
    containerDefinitions: [
      {
        name: CONTAINER,
        image: `${Aws.ACCOUNT_ID}.dkr.ecr.${Aws.REGION}.${Aws.URL_SUFFIX}/${imported("Repository")}:${target.tag}`,
        essential: true,
        command: [...props.command],
        user: USER,
        readonlyRootFilesystem: true,
        // Fargate gives a volume the owner and mode that the folder has in the image, where the image declares it as one (VOLUME).
        mountPoints: [{ sourceVolume: "scratch", containerPath: "/tmp", readOnly: false }],
        // hdash is the first process and gets SIGTERM itself.
        linuxParameters: { initProcessEnabled: false },
        stopTimeout: STOP_SECONDS,
        environment: Object.entries(props.environment).map(([variable, value]) => ({
          name: variable,
          value,
        })),
        secrets: props.secrets.map(({ name: variable, secretArn, field }) => ({
          name: variable,
          valueFrom: field === undefined ? secretArn : `${secretArn}:${field}::`,
        })),
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
  return { definition, logGroup, roles: [execution.attrArn, task.attrArn] };
}

/** What ECS does before hdash begins: pulls the image, opens the log, reads the secrets. */
function makeExecutionPolicy(
  { secrets, imported }: TaskProps,
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
      [...new Set(secrets.map(({ secretArn }) => secretArn))],
    ),
  );
}
