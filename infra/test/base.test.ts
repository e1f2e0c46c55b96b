import { readFileSync } from "node:fs";

import { beforeAll, describe, expect, test } from "vitest";

import { statementsIn } from "./support/statements.ts";
import {
  MAIN,
  resourceOf,
  resourcesOf,
  shown,
  STAGING,
  synthesise,
  TAKEN,
  type Template,
  type Templates,
} from "./support/templates.ts";

let develop: Templates;
let prod: Templates;
let website: Templates;
beforeAll(() => {
  develop = synthesise(STAGING, {
    alarmEmails: ["a@example.org", "b@example.org"],
  });
  prod = synthesise(MAIN);
  website = synthesise(STAGING, { ...TAKEN, site: "website", slack: false });
});

const outputsOf = (template: Template): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(template.Outputs).map(([name, { Value }]) => [name, shown(Value)]),
  );
const statement = (template: Template, at: string, sid: string): object | undefined =>
  statementsIn(template).find((one) => one.at === at && one.sid === sid)?.fields;

describe("the repository", () => {
  test("scans what is pushed, overwrites no tag, and forgets what nobody has pulled", () => {
    const { LifecyclePolicy, ...rest } = resourceOf(develop.base, "Images");
    expect(rest).toEqual({
      RepositoryName: "hdash-develop",
      ImageScanningConfiguration: { ScanOnPush: true },
      ImageTagMutability: "IMMUTABLE",
      EncryptionConfiguration: { EncryptionType: "AES256" },
      EmptyOnDelete: true,
    });
    const { LifecyclePolicyText } = LifecyclePolicy as { LifecyclePolicyText: string };
    const { rules } = JSON.parse(LifecyclePolicyText) as {
      rules: { selection: object; action: object }[];
    };
    expect(rules.map(({ selection }) => selection)).toEqual([
      { tagStatus: "untagged", countType: "sinceImagePushed", countUnit: "days", countNumber: 1 },
      {
        tagStatus: "tagged",
        tagPatternList: ["*"],
        countType: "sinceImagePulled",
        countUnit: "days",
        countNumber: 90,
      },
      {
        tagStatus: "any",
        storageClass: "archive",
        countType: "sinceImageTransitioned",
        countUnit: "days",
        countNumber: 90,
      },
    ]);
    expect(rules.map(({ action }) => action)).toEqual([
      { type: "expire" },
      { type: "transition", targetStorageClass: "archive" },
      { type: "expire" },
    ]);
  });
});

describe("the site bucket", () => {
  test("is private behind CloudFront of this account, and takes nobody without TLS", () => {
    expect(resourceOf(develop.base, "Sites")).toMatchObject({
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
    });
    expect(resourceOf(develop.base, "Sites")["WebsiteConfiguration"]).toBeUndefined();
    expect(resourceOf(develop.base, "SitesPolicy")).toEqual({
      Bucket: "<Sites>",
      PolicyDocument: {
        Version: "2012-10-17",
        Statement: [
          {
            Sid: "CloudFrontOfThisAccount",
            Effect: "Allow",
            Principal: { Service: "cloudfront.amazonaws.com" },
            Action: "s3:GetObject",
            Resource: "<Sites.Arn>/*",
            Condition: {
              ArnLike: {
                "aws:SourceArn": "arn:<AWS::Partition>:cloudfront::<AWS::AccountId>:distribution/*",
              },
            },
          },
          {
            Sid: "OnlyTls",
            Effect: "Deny",
            Principal: "*",
            Action: "s3:*",
            Resource: ["<Sites.Arn>", "<Sites.Arn>/*"],
            Condition: { Bool: { "aws:SecureTransport": "false" } },
          },
        ],
      },
    });
  });

  test("is a website where the settings say so, which anybody may read and nobody list", () => {
    expect(resourceOf(website.base, "Sites")).toMatchObject({
      WebsiteConfiguration: { IndexDocument: "index.html", ErrorDocument: "staging/404.html" },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: false,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: false,
      },
    });
    const statements = statementsIn(website.base).filter(({ at }) => at === "SitesPolicy");
    expect(statements.map(({ fields }) => fields)).toEqual([
      {
        Sid: "Everybody",
        Effect: "Allow",
        Principal: "*",
        Action: "s3:GetObject",
        Resource: "<Sites.Arn>/*",
      },
    ]);
  });
});

describe("the work bucket", () => {
  test("is private, encrypted, and keeps old versions for 30 days and broken uploads for 7", () => {
    expect(resourceOf(website.base, "Work")).toEqual({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } },
        ],
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      VersioningConfiguration: { Status: "Enabled" },
      LifecycleConfiguration: {
        Rules: [
          {
            Id: "unfinished uploads",
            Status: "Enabled",
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
          },
          {
            Id: "old versions",
            Status: "Enabled",
            NoncurrentVersionExpiration: { NoncurrentDays: 30 },
            ExpiredObjectDeleteMarker: true,
          },
        ],
      },
    });
    expect(statement(website.base, "WorkPolicy", "OnlyTls")).toMatchObject({
      Effect: "Deny",
      Principal: "*",
      Resource: ["<Work.Arn>", "<Work.Arn>/*"],
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    });
  });
});

describe("the secrets", () => {
  test("are made empty, one for each secret variable of the pipelines, and outputs say how to fill them", () => {
    const { DatabaseLogin, ...secrets } = resourcesOf(develop.base, "AWS::SecretsManager::Secret");
    expect(secrets).toEqual({
      SlackWebhookUrl: {
        Name: "hdash/develop/SLACK_WEBHOOK_URL",
        Description: "Incoming webhook that gets one message per run",
      },
      SynapsePassword: {
        Name: "hdash/develop/SYNAPSE_PASSWORD",
        Description: "Synapse personal access token with the scopes view and download",
      },
    });
    expect(DatabaseLogin).toMatchObject({
      Name: "hdash/develop/database",
      GenerateSecretString: {
        SecretStringTemplate: '{"username":"hdash"}',
        GenerateStringKey: "password",
        PasswordLength: 40,
      },
    });
    const fill = (name: string): string =>
      `aws secretsmanager put-secret-value --region <AWS::Region> --secret-id hdash/develop/${name} --secret-string file:///dev/stdin`;
    expect(outputsOf(develop.base)).toMatchObject({
      FillSlackWebhookUrl: fill("SLACK_WEBHOOK_URL"),
      FillSynapsePassword: fill("SYNAPSE_PASSWORD"),
    });
  });

  test("are there also where nobody needs them now, so that a setting can be taken back", () => {
    const off = { enabled: false, schedule: null, lateAfterHours: null } as const;
    const pipeline = { ...off, variables: {}, readBuckets: [] };
    const none = synthesise(STAGING, {
      slack: false,
      pipelines: { htan: pipeline, matrix: pipeline },
    });
    for (const { base } of [website, none]) {
      expect(Object.keys(resourcesOf(base, "AWS::SecretsManager::Secret"))).toEqual(
        expect.arrayContaining(["SlackWebhookUrl", "SynapsePassword"]),
      );
    }
  });
});

describe("the topic", () => {
  test("takes alarms of this account and rules, and tells the e-mail addresses", () => {
    expect(
      statementsIn(develop.base)
        .filter(({ at }) => at === "AlarmsPolicy")
        .map(({ fields }) => [fields["Sid"], fields["Principal"], fields["Condition"]]),
    ).toEqual([
      [
        "AlarmsOfThisAccount",
        { Service: "cloudwatch.amazonaws.com" },
        {
          ArnLike: {
            "aws:SourceArn":
              "arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:hdash/*",
          },
        },
      ],
      // EventBridge publishes nothing to a topic whose policy has a condition for it.
      ["Rules", { Service: "events.amazonaws.com" }, undefined],
      ["OnlyTls", "*", { Bool: { "aws:SecureTransport": "false" } }],
    ]);
    const subscriptions = Object.values(resourcesOf(develop.base, "AWS::SNS::Subscription"));
    expect(subscriptions.map(({ Endpoint, Protocol }) => [Protocol, Endpoint])).toEqual([
      ["email", "a@example.org"],
      ["email", "b@example.org"],
    ]);
  });
});

describe("the cluster", () => {
  test("has no capacity providers, which an account without a cluster so far cannot connect", () => {
    expect(resourceOf(develop.base, "TaskCluster")).toEqual({ ClusterName: "hdash-develop" });
  });
});

describe("the shared stack", () => {
  test("comes out the same for every namespace and tag", () => {
    const other = synthesise({ stage: "develop", namespace: "foo-bar", tag: "x" });
    expect(other.base).toEqual(synthesise(STAGING).base);
  });

  test("hands on every value that a namespace reads, and exports none, as that could not be changed", () => {
    for (const { base, namespace } of [develop, prod, website]) {
      const given = Object.values(resourcesOf(base, "AWS::SSM::Parameter")).map(({ Name }) => Name);
      const read = Object.entries(namespace.Parameters ?? {})
        .filter(([id]) => id.startsWith("Shared"))
        .map(([, { Default }]) => Default);
      expect(read.length).toBeGreaterThan(10);
      expect(read.filter((name) => !given.includes(name))).toEqual([]);
      expect(JSON.stringify([base, namespace])).not.toMatch(/"Export"|Fn::ImportValue/);
    }
  });
});

describe("the settings of this repository", () => {
  test("hold nothing of anybody's account", () => {
    for (const stage of ["develop", "prod"]) {
      const text = readFileSync(new URL(`../settings/${stage}.json`, import.meta.url), "utf8");
      expect(text).not.toMatch(/\d{12}|arn:|@|(vpc|subnet|sg)-/);
    }
  });
});
