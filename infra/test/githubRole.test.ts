import { beforeAll, describe, expect, test } from "vitest";

import { statementsIn } from "./support/statements.ts";
import {
  GITHUB,
  MAIN,
  resourceOf,
  resourcesOf,
  STAGING,
  synthesise,
  type Template,
  type Templates,
} from "./support/templates.ts";

let develop: Templates;
let prod: Templates;
beforeAll(() => {
  develop = synthesise(STAGING, { github: GITHUB });
  prod = synthesise(MAIN, { github: { ...GITHUB, environments: ["production"] } });
});

const statement = (template: Template, at: string, sid: string): object | undefined =>
  statementsIn(template).find((one) => one.at === at && one.sid === sid)?.fields;

describe("the role of GitHub's workflows", () => {
  test("is taken on by jobs of the named environments of the named repository only", () => {
    const trust = (template: Template): unknown =>
      resourceOf(template, "Deployer")["AssumeRolePolicyDocument"];
    const expected = (environment: string): object => ({
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "EnvironmentsOfTheRepository",
          Effect: "Allow",
          Principal: { Federated: "<Github.Arn>" },
          Action: "sts:AssumeRoleWithWebIdentity",
          Condition: {
            StringEquals: {
              "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
              "token.actions.githubusercontent.com:sub": [
                `repo:example/hdash:environment:${environment}`,
              ],
            },
          },
        },
      ],
    });
    expect(trust(develop.base)).toEqual(expected("develop"));
    expect(trust(prod.base)).toEqual(expected("production"));
    expect(resourceOf(develop.base, "Github")).toEqual({
      Url: "https://token.actions.githubusercontent.com",
      ClientIdList: ["sts.amazonaws.com"],
    });
  });

  test("takes the account's identity provider where there is one, and is not made for nobody", () => {
    const providerArn =
      "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
    const { base } = synthesise(STAGING, { github: { ...GITHUB, providerArn } });
    expect(resourcesOf(base, "AWS::IAM::OIDCProvider")).toEqual({});
    expect(statement(base, "Deployer", "EnvironmentsOfTheRepository")).toMatchObject({
      Principal: { Federated: providerArn },
    });
    const nobody = synthesise(STAGING, { github: null });
    expect(resourcesOf(nobody.base, "AWS::IAM::Role")).toEqual({});
  });

  test("deploys by CDK's roles, pushes to the one repository, and hands roles to ECS tasks only", () => {
    const role = (name: string): string =>
      `arn:<AWS::Partition>:iam::<AWS::AccountId>:role/cdk-hnb659fds-${name}-<AWS::AccountId>-<AWS::Region>`;
    expect(statement(develop.base, "Deployer", "Cdk")).toEqual({
      Sid: "Cdk",
      Effect: "Allow",
      Action: ["sts:AssumeRole"],
      Resource: [role("deploy-role"), role("file-publishing-role"), role("lookup-role")],
    });
    expect(statement(develop.base, "Deployer", "PushImages")).toMatchObject({
      Resource: ["<Images.Arn>"],
    });
    expect(statement(develop.base, "Deployer", "RunTasks")).toMatchObject({
      Condition: { ArnEquals: { "ecs:cluster": "<TaskCluster.Arn>" } },
    });
    // The image that a namespace runs, for a scan.
    expect(statement(develop.base, "Deployer", "SeeTaskDefinitions")).toMatchObject({
      Action: ["ecs:DescribeTaskDefinition"],
    });
    expect(statement(develop.base, "Deployer", "HandTasksTheirRoles")).toMatchObject({
      Condition: { StringEquals: { "iam:PassedToService": "ecs-tasks.amazonaws.com" } },
    });
    expect(resourceOf(develop.base, "Images")["RepositoryName"]).toBe("hdash-develop");
  });

  test("touches no site in prod, and of the work bucket only main's folder", () => {
    expect(statement(prod.base, "Deployer", "WriteArtifacts")).toMatchObject({
      Resource: ["<Work.Arn>/main/*"],
    });
    expect(statement(prod.base, "Deployer", "ListArtifacts")).toEqual({
      Sid: "ListArtifacts",
      Effect: "Allow",
      Action: ["s3:ListBucket"],
      Resource: ["<Work.Arn>"],
      Condition: { StringLike: { "s3:prefix": "main/*" } },
    });
  });
});
