import { beforeAll, describe, expect, test } from "vitest";

import { JOBS } from "../../src/jobList.ts";
import { deployedPipelines, type PipelineSettings } from "../settingsOfPipelines.ts";
import { statementsIn } from "./support/statements.ts";
import { containerOf, environmentOf, policyOf } from "./support/tasks.ts";
import {
  AS_DECLARED,
  COHORT,
  FOO,
  GITHUB,
  MAIN,
  resourceOf,
  resourcesOf,
  shown,
  STAGING,
  synthesise,
  type Template,
  type Templates,
} from "./support/templates.ts";

const IDS = ["CohortRaw", "CohortIntermediate", "CohortProcessed"];
/** As the namespace's stack knows the buckets, which the base gives it. */
const ARNS = IDS.map((id) => `arn:<AWS::Partition>:s3:::<${id}Bucket>`);
const ON = { pipelines: { htan: AS_DECLARED, cohort: COHORT } };
const from = (source: string): { pipelines: Readonly<Record<string, PipelineSettings>> } => ({
  pipelines: { cohort: { ...AS_DECLARED, variables: { COHORT_SOURCE: source } } },
});

let develop: Templates;
let prod: Templates;
beforeAll(() => {
  develop = synthesise(STAGING, { ...ON, github: GITHUB });
  prod = synthesise(MAIN, { ...ON, github: { ...GITHUB, environments: ["production"] } });
});

const statement = (template: Template, at: string, sid: string): object | undefined =>
  statementsIn(template).find((one) => one.at === at && one.sid === sid)?.fields;

describe("the bucket of a private place", () => {
  test.each(IDS)("%s is closed like the work bucket, and cleans up broken uploads", (id) => {
    const { VersioningConfiguration, LifecycleConfiguration, ...rest } = resourceOf(
      develop.base,
      "Work",
    );
    expect(VersioningConfiguration).toBeDefined();
    const own = resourceOf(develop.base, id);
    expect(own).toMatchObject(rest);
    const { Rules: rules } = LifecycleConfiguration as { Rules: object[] };
    const { Rules: kept } = own["LifecycleConfiguration"] as { Rules: object[] };
    expect(kept[0]).toEqual(rules[0]);
    expect(statement(develop.base, `${id}Policy`, "OnlyTls")).toMatchObject({
      Effect: "Deny",
      Principal: "*",
      Action: "s3:*",
      Resource: [`<${id}.Arn>`, `<${id}.Arn>/*`],
      Condition: { Bool: { "aws:SecureTransport": "false" } },
    });
    expect(resourceOf(develop.base, `${id}Policy`)["Bucket"]).toBe(`<${id}>`);
  });

  test("keeps old versions where what was in it cannot be made again, and only there", () => {
    const versioned = IDS.filter(
      (id) => resourceOf(develop.base, id)["VersioningConfiguration"] !== undefined,
    );
    expect(versioned).toEqual(["CohortRaw"]);
  });

  test("is encrypted with the stage's own key where there is one, which only those may use who may use its files", () => {
    for (const id of IDS) {
      expect(resourceOf(develop.base, id)["BucketEncryption"]).toEqual({
        ServerSideEncryptionConfiguration: [
          { ServerSideEncryptionByDefault: { SSEAlgorithm: "AES256" } },
        ],
      });
      expect(resourceOf(prod.base, id)["BucketEncryption"]).toEqual({
        ServerSideEncryptionConfiguration: [
          {
            ServerSideEncryptionByDefault: {
              SSEAlgorithm: "aws:kms",
              KMSMasterKeyID: "<OwnKey.Arn>",
            },
            BucketKeyEnabled: true,
          },
        ],
      });
    }
    expect(statement(prod.namespace, "CohortTaskRole", "OwnKeyForOwnFiles")).toEqual({
      Sid: "OwnKeyForOwnFiles",
      Effect: "Allow",
      Action: ["kms:Decrypt", "kms:GenerateDataKey"],
      Resource: ["<KeyArn>"],
      Condition: {
        StringEquals: {
          "kms:ViaService": "s3.<AWS::Region>.<AWS::URLSuffix>",
          "kms:EncryptionContext:aws:s3:arn": ARNS,
        },
      },
    });
    const others = statementsIn(prod.namespace).filter(({ sid }) => sid === "OwnKeyForOwnFiles");
    expect(others.map(({ at }) => at)).toEqual(["CohortTaskRole"]);
    expect(statementsIn(develop.namespace).map(({ sid }) => sid)).not.toContain(
      "OwnKeyForOwnFiles",
    );
  });

  test("is there whatever the settings say: one that went with a line of them would take its data with it", () => {
    const { base } = synthesise(STAGING, { pipelines: {} });
    expect(base).toEqual(synthesise(STAGING).base);
    expect(Object.keys(resourcesOf(base, "AWS::S3::Bucket"))).toEqual(["Sites", "Work", ...IDS]);
  });

  test("is given to namespaces and said as an output", () => {
    const outputs = Object.fromEntries(
      IDS.map((id) => [`${id}Bucket`, shown(develop.base.Outputs[`${id}Bucket`]?.Value)]),
    );
    expect(outputs).toEqual(Object.fromEntries(IDS.map((id) => [`${id}Bucket`, `<${id}>`])));
  });
});

describe("a task of a job with private places", () => {
  test("is told of each, and which namespace's folder is its own", () => {
    expect(environmentOf(containerOf(develop.namespace, "CohortTask"))).toMatchObject({
      COHORT_RAW: "s3://<CohortRawBucket>",
      COHORT_INTERMEDIATE: "s3://<CohortIntermediateBucket>",
      COHORT_PROCESSED: "s3://<CohortProcessedBucket>",
      COHORT_SOURCE: "s3://example-exports/daily",
      COHORT_MEMORY_MB: "6144",
      NAMESPACE: "staging",
    });
  });

  test("may do in them what it may in its other buckets: with its namespace's folder, and nothing else", () => {
    const own = ["<SiteBucket>", "<WorkBucket>"].map((name) => `arn:<AWS::Partition>:s3:::${name}`);
    expect(policyOf(develop.namespace, "CohortTaskRole")).toEqual([
      {
        Sid: "OwnFiles",
        Effect: "Allow",
        Action: ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"],
        Resource: [...own, ...ARNS].map((bucket) => `${bucket}/staging/*`),
      },
      {
        Sid: "ListOwnFiles",
        Effect: "Allow",
        Action: ["s3:ListBucket"],
        Resource: [...own, ...ARNS],
        Condition: { StringLike: { "s3:prefix": "staging/*" } },
      },
      {
        Sid: "ListUnfinishedUploads",
        Effect: "Allow",
        Action: ["s3:ListBucketMultipartUploads"],
        Resource: ["arn:<AWS::Partition>:s3:::<WorkBucket>"],
      },
      {
        Sid: "ReadOwnSource",
        Effect: "Allow",
        Action: ["s3:GetObject"],
        Resource: ["arn:<AWS::Partition>:s3:::example-exports/daily/staging/*"],
      },
      {
        Sid: "ListOwnSource",
        Effect: "Allow",
        Action: ["s3:ListBucket"],
        Resource: ["arn:<AWS::Partition>:s3:::example-exports"],
        Condition: { StringLike: { "s3:prefix": "daily/staging/*" } },
      },
    ]);
  });

  test("is the only one that reaches them", () => {
    const reaching = statementsIn(prod.namespace)
      .filter(({ fields }) => JSON.stringify(fields).includes("<Cohort"))
      .map(({ at }) => at);
    expect([...new Set(reaching)].sort()).toEqual([
      "CohortExecutionRole",
      "CohortTaskRole",
      // It starts the task.
      "ScheduleRole",
    ]);
    const deployer = statementsIn(prod.base).filter(({ at }) => at === "Deployer");
    expect(JSON.stringify(deployer)).not.toContain("Cohort");
  });

  test.each([
    ["s3://example-exports", "example-exports/foo/*", "foo/*"],
    ["s3://example-exports/", "example-exports/foo/*", "foo/*"],
    ["s3://example-exports/a/b/", "example-exports/a/b/foo/*", "a/b/foo/*"],
  ])("reads of %s its namespace's folder", (source, resource, prefix) => {
    const { namespace } = synthesise(FOO, from(source));
    const [read, list, ...more] = policyOf(namespace, "CohortTaskRole").slice(3);
    expect(more).toEqual([]);
    expect(read).toMatchObject({ Resource: [`arn:<AWS::Partition>:s3:::${resource}`] });
    expect(list).toMatchObject({ Condition: { StringLike: { "s3:prefix": prefix } } });
  });

  test("gets Synapse's token where its exports are there, and then reads no bucket", () => {
    const secrets = (template: Template): readonly string[] =>
      containerOf(template, "CohortTask").Secrets.map(({ Name }) => Name);
    const { namespace } = synthesise(FOO, from("synapse:syn123"));
    const database = ["HDASH_DB_USER", "HDASH_DB_PASSWORD"];
    expect(secrets(namespace)).toEqual([...database, "SYNAPSE_PASSWORD", "SLACK_WEBHOOK_URL"]);
    expect(policyOf(namespace, "CohortTaskRole")).toHaveLength(3);
    expect(secrets(develop.namespace)).toEqual([...database, "SLACK_WEBHOOK_URL"]);
    expect(JSON.stringify(policyOf(develop.namespace, "CohortExecutionRole"))).not.toContain(
      "Synapse",
    );
  });
});

describe("a stage that says nothing of a job that wants a variable", () => {
  let off: Templates;
  beforeAll(() => {
    off = synthesise(FOO);
  });

  test("starts no task of it, waits for no run of it, and offers none to be started", () => {
    const states = Object.entries(resourcesOf(off.namespace, "AWS::Scheduler::Schedule"));
    expect(states.map(([id, { State }]) => [id, State])).toEqual([
      ["MatrixSchedule", "ENABLED"],
      ["HtanSchedule", "ENABLED"],
      ["CohortIngestSchedule", "DISABLED"],
      ["CohortSyncSchedule", "DISABLED"],
      ["CohortBuildSchedule", "DISABLED"],
    ]);
    const watching = ["AWS::CloudWatch::Alarm", "AWS::Logs::MetricFilter"].flatMap((type) =>
      Object.keys(resourcesOf(off.namespace, type)),
    );
    expect(watching.filter((id) => id.startsWith("Cohort"))).toEqual([]);
    expect(Object.keys(off.namespace.Outputs).filter((id) => id.includes("Cohort"))).toEqual([]);
  });

  test("has it in place once it says what the job wants", () => {
    const { namespace } = synthesise(FOO, ON);
    const outputs = Object.keys(namespace.Outputs).filter((id) => id.includes("Cohort"));
    expect(outputs.sort()).toEqual(["LogsCohort", "TaskCohort"]);
    const settings = { network: "public", slack: true, ...ON };
    expect(deployedPipelines(JOBS, settings).map(({ name, isReady }) => [name, isReady])).toEqual([
      ["htan", true],
      ["cohort", true],
    ]);
  });
});

describe("the role of develop's workflows", () => {
  test("removes a namespace's private files, and reads none", () => {
    const own = statementsIn(develop.base).filter(
      ({ at, fields }) => at === "Deployer" && JSON.stringify(fields).includes("<Cohort"),
    );
    const arns = IDS.map((id) => `<${id}.Arn>`);
    expect(own.map(({ fields }) => [fields["Sid"], fields["Action"], fields["Resource"]])).toEqual([
      ["RemovePrivateFiles", ["s3:DeleteObject"], arns.map((arn) => `${arn}/*`)],
      ["ListPrivateFiles", ["s3:ListBucket"], arns],
    ]);
  });
});
