import { beforeAll, describe, expect, test } from "vitest";

import { statementsIn } from "./support/statements.ts";
import {
  resourceOf,
  resourcesOf,
  STAGING,
  synthesise,
  type Templates,
} from "./support/templates.ts";

const ON = { accessLogs: true, flowLogs: true, ownKey: true } as const;
let on: Templates;
let off: Templates;
let website: Templates;
beforeAll(() => {
  on = synthesise(STAGING, ON);
  off = synthesise(STAGING);
  website = synthesise(STAGING, { ...ON, flowLogs: false, site: "website" });
});
const sidsOf = (templates: Templates, at: string): readonly string[] =>
  statementsIn(templates.base)
    .filter((one) => one.at === at)
    .map(({ sid }) => sid);

describe("access logs and flow logs", () => {
  test("go to a bucket of their own, closed, that keeps them as long as logs", () => {
    expect(resourceOf(on.base, "Records")).toEqual({
      BucketEncryption: {
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } },
        ],
      },
      OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerPreferred" }] },
      PublicAccessBlockConfiguration: {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      },
      LifecycleConfiguration: {
        Rules: [
          {
            Id: "as long as logs",
            Status: "Enabled",
            ExpirationInDays: 30,
            AbortIncompleteMultipartUpload: { DaysAfterInitiation: 7 },
          },
        ],
      },
    });
    for (const [id, name] of [
      ["Sites", "site"],
      ["Work", "work"],
      ["CohortRaw", "cohort-raw"],
      ["CohortIntermediate", "cohort-intermediate"],
      ["CohortProcessed", "cohort-processed"],
    ] as const) {
      expect(resourceOf(on.base, id)["LoggingConfiguration"]).toEqual({
        DestinationBucketName: "<Records>",
        LogFilePrefix: `s3/${name}/`,
      });
    }
    const { DistributionConfig } = resourceOf(on.namespace, "Site");
    expect(DistributionConfig).toMatchObject({
      Logging: { Bucket: "<RecordDomain>", Prefix: "cloudfront/staging/", IncludeCookies: false },
    });
    expect(resourceOf(on.base, "FlowLog")).toMatchObject({
      ResourceType: "VPC",
      ResourceId: "<Vpc>",
      TrafficType: "ALL",
      LogDestinationType: "s3",
      LogDestination: "<Records.Arn>/flow",
    });
    expect(on.base.Resources["FlowLog"]?.DependsOn).toEqual(["RecordsPolicy"]);
  });

  test("are let in by service, account and source only", () => {
    expect(sidsOf(on, "RecordsPolicy")).toEqual([
      "AccessLogs",
      "FlowLogs",
      "FlowLogsLook",
      "OnlyTls",
    ]);
    const conditions = statementsIn(on.base)
      .filter(({ at, sid }) => at === "RecordsPolicy" && sid !== "OnlyTls")
      .map(({ fields }) => fields["Condition"]);
    expect(conditions).toEqual(
      [
        ["Sites", "Work", "CohortRaw", "CohortIntermediate", "CohortProcessed"].map(
          (id) => `<${id}.Arn>`,
        ),
        ...Array<string>(2).fill("arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:*"),
      ].map((source, at) => ({
        ArnLike: { "aws:SourceArn": source },
        StringEquals: {
          "aws:SourceAccount": "<AWS::AccountId>",
          ...(at === 1 ? { "s3:x-amz-acl": "bucket-owner-full-control" } : {}),
        },
      })),
    );
  });

  test("are each of them a setting, and without CloudFront nobody hands over by access control lists", () => {
    expect(sidsOf(website, "RecordsPolicy")).toEqual(["AccessLogs", "OnlyTls"]);
    expect(resourceOf(website.base, "Records")).toMatchObject({
      OwnershipControls: { Rules: [{ ObjectOwnership: "BucketOwnerEnforced" }] },
    });
    expect(resourcesOf(website.base, "AWS::EC2::FlowLog")).toEqual({});
    const flow = synthesise(STAGING, { flowLogs: true });
    expect(sidsOf(flow, "RecordsPolicy")).toEqual(["FlowLogs", "FlowLogsLook", "OnlyTls"]);
    expect(resourceOf(flow.base, "Sites")).not.toHaveProperty("LoggingConfiguration");
    expect(JSON.stringify(resourceOf(flow.namespace, "Site"))).not.toContain("Logging");
    expect(JSON.stringify([off.base, off.namespace])).not.toMatch(
      /Record|"AWS::EC2::FlowLog"|LoggingConf/,
    );
  });
});

describe("the stage's own key", () => {
  test("is turned over each year, and encrypts images, logs and alarms", () => {
    expect(resourceOf(on.base, "OwnKey")).toMatchObject({ EnableKeyRotation: true });
    expect(resourceOf(on.base, "Images")).toMatchObject({
      EncryptionConfiguration: { EncryptionType: "KMS", KmsKey: "<OwnKey.Arn>" },
    });
    expect(resourceOf(on.base, "Alarms")).toMatchObject({ KmsMasterKeyId: "<OwnKey>" });
    expect(resourceOf(on.base, "DatabaseLogs")).toMatchObject({ KmsKeyId: "<OwnKey.Arn>" });
    const logs = Object.values(resourcesOf(on.namespace, "AWS::Logs::LogGroup"));
    expect(logs.map(({ KmsKeyId }) => KmsKeyId)).toEqual(Array(4).fill("<KeyArn>"));
    expect(JSON.stringify([off.base, off.namespace])).not.toMatch(/OwnKey|Kms/);
  });

  test("lets in what writes logs of this stage, alarms of this account, and rules; else the account decides", () => {
    const statements = statementsIn(on.base).filter(({ at }) => at === "OwnKey");
    expect(
      statements.map(({ fields }) => [fields["Sid"], fields["Principal"], fields["Condition"]]),
    ).toEqual([
      ["Account", { AWS: "arn:<AWS::Partition>:iam::<AWS::AccountId>:root" }, undefined],
      [
        "LogsOfThisStage",
        { Service: "logs.<AWS::Region>.amazonaws.com" },
        {
          ArnLike: {
            "kms:EncryptionContext:aws:logs:arn": [
              "arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:/hdash/develop/*",
              "arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:/aws/rds/instance/hdash-develop/postgresql",
            ],
          },
        },
      ],
      [
        "AlarmsToTopic",
        { Service: "cloudwatch.amazonaws.com" },
        {
          ArnLike: {
            "aws:SourceArn":
              "arn:<AWS::Partition>:cloudwatch:<AWS::Region>:<AWS::AccountId>:alarm:hdash/*",
          },
          StringEquals: { "aws:SourceAccount": "<AWS::AccountId>" },
        },
      ],
      ["RulesToTopic", { Service: "events.amazonaws.com" }, undefined],
    ]);
    // Every log group's name is one of those that the key lets in.
    const names = [on.base, on.namespace].flatMap((template) =>
      Object.values(resourcesOf(template, "AWS::Logs::LogGroup")).map((one) =>
        String(one["LogGroupName"]),
      ),
    );
    expect(
      names.filter(
        (name) =>
          !/^\/(hdash\/develop\/|aws\/rds\/instance\/hdash-develop\/postgresql$)/.test(name),
      ),
    ).toEqual([]);
  });
});
