import { readFileSync } from "node:fs";

import { beforeAll, describe, expect, test } from "vitest";

import { JOBS } from "../../src/jobList.ts";
import { variablesOf } from "../../src/settings/config.ts";
import { statementsIn } from "./support/statements.ts";
import { containerOf, environmentOf, policyOf } from "./support/tasks.ts";
import {
  AS_DECLARED,
  MAIN,
  resourceOf,
  resourcesOf,
  STAGING,
  synthesise,
  type Template,
  type Templates,
} from "./support/templates.ts";

const VARIABLES = variablesOf(JOBS);

let develop: Templates;
let prod: Templates;
beforeAll(() => {
  develop = synthesise(STAGING);
  prod = synthesise(MAIN, { site: "website" });
});

describe("a pipeline's task definition", () => {
  test("has the sizes of the registry, and a volume for scratch files", () => {
    const { ContainerDefinitions, ...rest } = resourceOf(develop.namespace, "MatrixTask");
    expect(ContainerDefinitions).toBeDefined();
    expect(rest).toEqual({
      Family: "hdash-develop-staging-matrix",
      RequiresCompatibilities: ["FARGATE"],
      NetworkMode: "awsvpc",
      RuntimePlatform: { CpuArchitecture: "X86_64", OperatingSystemFamily: "LINUX" },
      Cpu: "2048",
      Memory: "8192",
      EphemeralStorage: { SizeInGiB: 100 },
      ExecutionRoleArn: "<MatrixExecutionRole.Arn>",
      TaskRoleArn: "<MatrixTaskRole.Arn>",
      Volumes: [{ Name: "scratch" }],
    });
  });

  test("runs the pipeline as nobody, on a root that cannot be written, with time to hand a run back", () => {
    const { Environment, Secrets, ...rest } = containerOf(develop.namespace, "HtanTask");
    expect(Environment.length + Secrets.length).toBeGreaterThan(10);
    expect(rest).toEqual({
      Name: "hdash",
      Image: "<AWS::AccountId>.dkr.ecr.<AWS::Region>.<AWS::URLSuffix>/<Repository>:abc1234",
      Essential: true,
      Command: ["hdash", "run", "htan"],
      User: "10001:10001",
      ReadonlyRootFilesystem: true,
      MountPoints: [{ SourceVolume: "scratch", ContainerPath: "/tmp", ReadOnly: false }],
      LinuxParameters: { InitProcessEnabled: false },
      StopTimeout: 120,
      LogConfiguration: {
        LogDriver: "awslogs",
        Options: {
          "awslogs-group": "<HtanLogs>",
          "awslogs-region": "<AWS::Region>",
          "awslogs-stream-prefix": "run",
          mode: "blocking",
        },
      },
    });
  });

  test("has the user and the folders of the image", () => {
    const dockerfile = readFileSync(new URL("../../Dockerfile", import.meta.url), "utf8");
    // Without VOLUME Fargate gives the volume to root, and nobody else can write to it.
    expect(dockerfile.match(/^(USER|VOLUME) .*$/gm)).toEqual([
      'VOLUME ["/tmp"]',
      "USER 10001:10001",
    ]);
    expect(dockerfile.includes("/app/rds-ca.pem")).toBe(true);
  });

  test("tells hdash where everything is", () => {
    const own = {
      HDASH_WORK_BUCKET: "<WorkBucket>",
      HDASH_DB_HOST: "<DatabaseHost>",
      HDASH_DB_PORT: "<DatabasePort>",
      HDASH_DB_NAME: "<DatabaseName>",
      HDASH_DB_TLS: "on",
      HDASH_DB_CA_FILE: "/app/rds-ca.pem",
      S3_BUCKET_NAME: "<SiteBucket>",
      S3_REGION: "<AWS::Region>",
      HDASH_LOG_FORMAT: "json",
    };
    expect(environmentOf(containerOf(develop.namespace, "HtanTask"))).toEqual({
      ...own,
      NAMESPACE: "staging",
      HDASH_DB_SCHEMA: "hdash_staging",
      S3_PREFIX: "staging/",
      S3_WEB_SITE_URL: "https://<Site.DomainName>/",
      HDASH_LABEL: "staging",
    });
    expect(environmentOf(containerOf(prod.namespace, "MatrixTask"))).toEqual({
      ...own,
      NAMESPACE: "main",
      HDASH_DB_SCHEMA: "hdash_main",
      S3_PREFIX: "main/",
      S3_WEB_SITE_URL: "<SiteAddress>/main/",
      MATRIX_SOURCE: "fresh",
    });
  });

  test("gets secrets by reference, just those that the registry names and the namespace's own login", () => {
    expect(containerOf(develop.namespace, "HtanTask").Secrets).toEqual([
      { Name: "HDASH_DB_USER", ValueFrom: "<DatabaseLogin>:username::" },
      { Name: "HDASH_DB_PASSWORD", ValueFrom: "<DatabaseLogin>:password::" },
      { Name: "SYNAPSE_PASSWORD", ValueFrom: "<SecretSynapsePassword>" },
      { Name: "SLACK_WEBHOOK_URL", ValueFrom: "<SecretSlackWebhookUrl>" },
    ]);
    expect(containerOf(develop.namespace, "MatrixTask").Secrets.map(({ Name }) => Name)).toEqual([
      "HDASH_DB_USER",
      "HDASH_DB_PASSWORD",
      "SLACK_WEBHOOK_URL",
    ]);
  });

  test("sets only variables that hdash reads, and no secret one in the open", () => {
    for (const { namespace } of [develop, prod]) {
      for (const id of ["HtanTask", "MatrixTask", "CohortTask"]) {
        const { Environment, Secrets } = containerOf(namespace, id);
        const known = new Map(VARIABLES.map(({ name, secret }) => [name, secret]));
        expect(Environment.map(({ Name }) => [Name, known.get(Name)])).toEqual(
          Environment.map(({ Name }) => [Name, false]),
        );
        expect(Secrets.filter(({ Name }) => !known.has(Name))).toEqual([]);
      }
    }
  });
});

describe("a pipeline's roles", () => {
  test("are for ECS tasks of this account", () => {
    expect(resourceOf(develop.namespace, "HtanTaskRole")).toMatchObject({
      Path: "/hdash/develop/staging/",
      AssumeRolePolicyDocument: {
        Statement: [
          {
            Principal: { Service: "ecs-tasks.amazonaws.com" },
            Action: "sts:AssumeRole",
            Condition: { StringEquals: { "aws:SourceAccount": "<AWS::AccountId>" } },
          },
        ],
      },
    });
  });

  test("start the container: one repository, one log group, its secrets", () => {
    expect(policyOf(develop.namespace, "MatrixExecutionRole")).toEqual([
      {
        Sid: "LogInToRegistry",
        Effect: "Allow",
        Action: ["ecr:GetAuthorizationToken"],
        Resource: ["*"],
      },
      {
        Sid: "PullImage",
        Effect: "Allow",
        Action: [
          "ecr:BatchCheckLayerAvailability",
          "ecr:BatchGetImage",
          "ecr:GetDownloadUrlForLayer",
        ],
        Resource: [
          "arn:<AWS::Partition>:ecr:<AWS::Region>:<AWS::AccountId>:repository/<Repository>",
        ],
      },
      {
        Sid: "WriteLog",
        Effect: "Allow",
        Action: ["logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: ["<MatrixLogs.Arn>"],
      },
      {
        Sid: "ReadSecrets",
        Effect: "Allow",
        Action: ["secretsmanager:GetSecretValue"],
        Resource: ["<DatabaseLogin>", "<SecretSlackWebhookUrl>"],
      },
    ]);
  });

  test("let hdash into its own folders only", () => {
    const buckets = ["<SiteBucket>", "<WorkBucket>"].map(
      (name) => `arn:<AWS::Partition>:s3:::${name}`,
    );
    expect(policyOf(develop.namespace, "HtanTaskRole")).toEqual([
      {
        Sid: "OwnFiles",
        Effect: "Allow",
        Action: ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
        Resource: buckets.map((bucket) => `${bucket}/staging/*`),
      },
      {
        Sid: "ListOwnFiles",
        Effect: "Allow",
        Action: ["s3:ListBucket"],
        Resource: buckets,
        Condition: { StringLike: { "s3:prefix": "staging/*" } },
      },
      {
        Sid: "ListUnfinishedUploads",
        Effect: "Allow",
        Action: ["s3:ListBucketMultipartUploads"],
        Resource: ["arn:<AWS::Partition>:s3:::<WorkBucket>"],
      },
    ]);
  });

  test("let a pipeline read the buckets of others that its settings name", () => {
    const matrix = { ...AS_DECLARED, readBuckets: ["example-matrices"] };
    const { namespace } = synthesise(STAGING, { pipelines: { htan: AS_DECLARED, matrix } });
    const bucket = "arn:<AWS::Partition>:s3:::example-matrices";
    expect(policyOf(namespace, "MatrixTaskRole").slice(3)).toEqual([
      { Sid: "ReadSources", Effect: "Allow", Action: ["s3:GetObject"], Resource: [`${bucket}/*`] },
      { Sid: "ListSources", Effect: "Allow", Action: ["s3:ListBucket"], Resource: [bucket] },
    ]);
    expect(policyOf(namespace, "HtanTaskRole")).toHaveLength(3);
  });
});

describe("a pipeline's schedule", () => {
  test("is kept to the minute by main only: the others do not all ask the database at once", () => {
    expect(resourceOf(prod.namespace, "HtanSchedule")["FlexibleTimeWindow"]).toEqual({
      Mode: "OFF",
    });
    const main = synthesise({ ...STAGING, namespace: "main" });
    expect(resourceOf(main.namespace, "HtanSchedule")["FlexibleTimeWindow"]).toEqual({
      Mode: "OFF",
    });
  });

  test("starts its task in UTC, again where AWS refuses, and keeps what was not started", () => {
    expect(resourceOf(develop.namespace, "HtanSchedule")).toEqual({
      Description: "HTAN dashboard of staging",
      GroupName: "<Schedules>",
      ScheduleExpression: JOBS.find(({ name }) => name === "htan")?.deployment.schedule,
      ScheduleExpressionTimezone: "UTC",
      FlexibleTimeWindow: { Mode: "FLEXIBLE", MaximumWindowInMinutes: 30 },
      State: "ENABLED",
      Target: {
        Arn: "<Cluster>",
        RoleArn: "<ScheduleRole.Arn>",
        RetryPolicy: { MaximumRetryAttempts: 10, MaximumEventAgeInSeconds: 3600 },
        DeadLetterConfig: { Arn: "<NotStarted.Arn>" },
        EcsParameters: {
          TaskDefinitionArn: "<HtanTask>",
          TaskCount: 1,
          LaunchType: "FARGATE",
          NetworkConfiguration: {
            AwsvpcConfiguration: {
              AssignPublicIp: "ENABLED",
              SecurityGroups: ["<TaskSecurityGroup>"],
              Subnets: "split <TaskSubnets>",
            },
          },
        },
      },
    });
  });

  test("has a role that starts just these tasks, hands them just their roles, and is for this group's schedules", () => {
    expect(statementsIn(develop.namespace).filter(({ at }) => at === "ScheduleRole")).toEqual(
      [
        {
          Sid: "ServiceOfThisAccount",
          Effect: "Allow",
          Principal: { Service: "scheduler.amazonaws.com" },
          Action: "sts:AssumeRole",
          Condition: {
            StringEquals: {
              "aws:SourceAccount": "<AWS::AccountId>",
              "aws:SourceArn":
                "arn:<AWS::Partition>:scheduler:<AWS::Region>:<AWS::AccountId>:schedule-group/hdash-develop-staging",
            },
          },
        },
        {
          Sid: "StartTasks",
          Effect: "Allow",
          Action: ["ecs:RunTask"],
          Resource: ["<MatrixTask>", "<HtanTask>", "<CohortTask>"],
          Condition: { ArnEquals: { "ecs:cluster": "<Cluster>" } },
        },
        {
          Sid: "HandTasksTheirRoles",
          Effect: "Allow",
          Action: ["iam:PassRole"],
          Resource: [
            "<MatrixExecutionRole.Arn>",
            "<MatrixTaskRole.Arn>",
            "<HtanExecutionRole.Arn>",
            "<HtanTaskRole.Arn>",
            "<CohortExecutionRole.Arn>",
            "<CohortTaskRole.Arn>",
          ],
          Condition: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
        },
        {
          Sid: "KeepWhatWasNotStarted",
          Effect: "Allow",
          Action: ["sqs:SendMessage"],
          Resource: ["<NotStarted.Arn>"],
        },
      ].map((fields) => ({ at: "ScheduleRole", sid: fields.Sid, fields })),
    );
    expect(resourceOf(develop.namespace, "Schedules")).toEqual({ Name: "hdash-develop-staging" });
  });
});

describe("a pipeline's log group", () => {
  test("keeps as long as the settings say, and with the stage's own key where they have one", () => {
    const logs = (template: Template): unknown[] =>
      Object.values(resourcesOf(template, "AWS::Logs::LogGroup"));
    expect(logs(develop.namespace)).toEqual([
      { LogGroupName: "/hdash/develop/staging/role", RetentionInDays: 30 },
      { LogGroupName: "/hdash/develop/staging/matrix", RetentionInDays: 30 },
      { LogGroupName: "/hdash/develop/staging/htan", RetentionInDays: 30 },
      { LogGroupName: "/hdash/develop/staging/cohort", RetentionInDays: 30 },
    ]);
    const KEPT = { RetentionInDays: 365, KmsKeyId: "<KeyArn>" };
    expect(logs(prod.namespace)).toEqual([
      { ...KEPT, LogGroupName: "/hdash/prod/main/role" },
      { ...KEPT, LogGroupName: "/hdash/prod/main/matrix" },
      { ...KEPT, LogGroupName: "/hdash/prod/main/htan" },
      { ...KEPT, LogGroupName: "/hdash/prod/main/cohort" },
    ]);
  });
});
