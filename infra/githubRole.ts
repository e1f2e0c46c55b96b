// The role that GitHub's workflows take on to deploy to a stage: no key, but a token that says which environment a job runs in.

import { Aws, type Stack } from "aws-cdk-lib";
import { CfnOIDCProvider, CfnRole } from "aws-cdk-lib/aws-iam";

import { PRODUCTION } from "../src/settings/namespace.ts";
import { baseStackName } from "./names.ts";
import type { GithubSettings } from "./settings.ts";
import { allow, arn, policy } from "./statements.ts";
import type { Stage } from "./target.ts";

const ISSUER = "token.actions.githubusercontent.com";
/** What `cdk bootstrap` calls its roles where nobody chose another qualifier. */
const BOOTSTRAP = "cdk-hnb659fds";
/** Deploys stacks, uploads templates, looks up what is there. hdash has no assets, so the role for images is not needed. */
const BOOTSTRAP_ROLES = ["deploy-role", "file-publishing-role", "lookup-role"];
/** A deployment with its image takes minutes; a one-off task that is waited for may take longer. */
const SESSION_SECONDS = 2 * 60 * 60;

interface GithubProps {
  readonly stage: Stage;
  readonly github: GithubSettings;
  readonly repositoryArn: string;
  readonly clusterArn: string;
  readonly siteBucketArn: string;
  readonly workBucketArn: string;
  /** Buckets of jobs' private places. */
  readonly placeBucketArns: readonly string[];
}

/**
 * Makes the role, and the account's identity provider for GitHub where the settings name none. By CDK's deploy role it hands any template
 * to CloudFormation, which is an administrator of the account unless it was bootstrapped otherwise: the role is one, too, and what is said
 * below of single rights narrows what happens by mistake, not what somebody could do.
 */
export function makeGithubRole(stack: Stack, props: GithubProps): CfnRole {
  const { github, stage } = props;
  const provider =
    github.providerArn ??
    new CfnOIDCProvider(stack, "Github", {
      url: `https://${ISSUER}`,
      clientIdList: ["sts.amazonaws.com"],
    }).attrArn;
  return new CfnRole(stack, "Deployer", {
    description: `hdash ${stage}: workflows of ${github.repository}`,
    maxSessionDuration: SESSION_SECONDS,
    assumeRolePolicyDocument: policy({
      Sid: "EnvironmentsOfTheRepository",
      Effect: "Allow",
      Principal: { Federated: provider },
      Action: "sts:AssumeRoleWithWebIdentity",
      Condition: {
        // Whole values: no other branch, tag or pull request of the repository has a token with this subject, unless the environment's
        // own rules let it in.
        StringEquals: {
          [`${ISSUER}:aud`]: "sts.amazonaws.com",
          [`${ISSUER}:sub`]: github.environments.map(
            (name) => `repo:${github.repository}:environment:${name}`,
          ),
        },
      },
    }),
    policies: [{ policyName: "deploy", policyDocument: makeDeployPolicy(props) }],
  });
}

function makeDeployPolicy(props: GithubProps): ReturnType<typeof policy> {
  const { stage, repositoryArn, clusterArn, siteBucketArn, workBucketArn, placeBucketArns } = props;
  const base = baseStackName(stage);
  // In prod there is one namespace, and its site is the tasks' business alone.
  const isProd = stage === "prod";
  const folder = isProd ? `${PRODUCTION}/` : "";
  const buckets = isProd ? [workBucketArn] : [workBucketArn, siteBucketArn];
  return policy(
    allow(
      "Cdk",
      ["sts:AssumeRole"],
      BOOTSTRAP_ROLES.map(
        (role) =>
          `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:role/${BOOTSTRAP}-${role}-${Aws.ACCOUNT_ID}-${Aws.REGION}`,
      ),
    ),
    allow(
      "SeeStacks",
      ["cloudformation:DescribeStacks"],
      [arn("cloudformation", `stack/${base}/*`), arn("cloudformation", `stack/${base}-*/*`)],
    ),
    allow("LogInToRegistry", ["ecr:GetAuthorizationToken"], ["*"]),
    allow(
      "PushImages",
      [
        ...["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload"],
        ...["ecr:DescribeImages", "ecr:DescribeImageScanFindings", "ecr:GetDownloadUrlForLayer"],
        ...["ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:StartImageScan", "ecr:UploadLayerPart"],
      ],
      [repositoryArn],
    ),
    allow(
      "WriteArtifacts",
      ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
      buckets.map((bucket) => `${bucket}/${folder}*`),
    ),
    allow(
      "ListArtifacts",
      ["s3:ListBucket"],
      buckets,
      isProd ? { StringLike: { "s3:prefix": `${folder}*` } } : undefined,
    ),
    // What is private goes with the namespace of a branch that was deleted; no workflow reads it.
    ...(isProd || placeBucketArns.length === 0
      ? []
      : [
          allow(
            "RemovePrivateFiles",
            ["s3:DeleteObject"],
            placeBucketArns.map((bucket) => `${bucket}/*`),
          ),
          allow("ListPrivateFiles", ["s3:ListBucket"], placeBucketArns),
        ]),
    allow("RunTasks", ["ecs:RunTask"], [arn("ecs", `task-definition/${base}-*:*`)], {
      ArnEquals: { "ecs:cluster": clusterArn },
    }),
    allow("SeeTaskDefinitions", ["ecs:DescribeTaskDefinition"], ["*"]),
    allow("SeeTasks", ["ecs:DescribeTasks"], [arn("ecs", `task/${base}/*`)]),
    allow(
      "HandTasksTheirRoles",
      ["iam:PassRole"],
      [`arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:role/hdash/${stage}/*`],
      { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
    ),
    allow("ReadLogs", ["logs:GetLogEvents"], [arn("logs", `log-group:/hdash/${stage}/*`)]),
  );
}
