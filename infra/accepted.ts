// What a scanner of templates would flag in the stacks, and why it is so all the same. A test scans the templates of four deployments
// (infra/test/golden) and fails on what is not written here, and on what is written here and flagged no more. Wildcards in policies have
// their own list, wildcards.ts.

export interface Accepted {
  /** Checkov's number, or a name of ours for what cfn-nag and cdk-nag ask (infra/test/support/scanner.ts). */
  readonly rule: string;
  /** Logical ids. */
  readonly at: readonly string[];
  /** The setting that ends it; null: none does. */
  readonly setting: string | null;
  readonly reason: string;
}

const TASKS = ["CohortTask", "HtanTask", "MatrixTask", "RoleTask"];
const SCHEDULES = [
  ...["HtanSchedule", "MatrixSchedule"],
  ...["CohortIngestSchedule", "CohortSyncSchedule", "CohortBuildSchedule"],
];
/** Buckets of jobs' private places. */
const PRIVATE = ["CohortRaw", "CohortIntermediate", "CohortProcessed"];
const SECRETS = ["DatabaseLogin", "SlackWebhookUrl", "SynapsePassword"];

/** What is accepted. */
export const ACCEPTED: readonly Accepted[] = [
  // Buckets.
  {
    rule: "CKV_AWS_18",
    at: ["Sites", "Work", ...PRIVATE],
    setting: "accessLogs",
    reason: "who reads and writes is recorded where a setting says so, as it does in prod",
  },
  {
    rule: "CKV_AWS_18",
    at: ["Records"],
    setting: null,
    reason: "a record of who reads records would record itself for ever",
  },
  {
    rule: "CKV_AWS_21",
    at: ["Sites"],
    setting: null,
    reason: "every run can make the site again, so that old versions are worth nothing",
  },
  {
    rule: "CKV_AWS_21",
    at: ["CohortIntermediate", "CohortProcessed"],
    setting: null,
    reason:
      "made of exports, and made again of them: every build replaces files, whose old versions would cost many times the bucket; earlier builds stay readable by a variable of the job",
  },
  {
    rule: "CKV_AWS_21",
    at: ["Records"],
    setting: null,
    reason: "records are written once; nothing but their end of life overwrites or removes them",
  },
  {
    rule: "bucket-without-own-key",
    at: ["Records", "Sites", "Work"],
    setting: null,
    reason:
      "encrypted with S3's key: the site is public, access logs go to no other bucket, and artifacts and large blobs are encrypted like the database that they stand beside",
  },
  {
    rule: "bucket-without-own-key",
    at: PRIVATE,
    setting: "ownKey",
    reason:
      "encrypted with S3's key; with one's own, which a role has to be allowed besides, where a setting says so, as in prod",
  },
  ...["CKV_AWS_54", "CKV_AWS_56", "bucket-for-everybody"].map((rule) => ({
    rule,
    at: ["Sites"],
    setting: "site",
    reason: "with site: website it is read by everybody, without CloudFront before it",
  })),
  {
    rule: "bucket-without-tls",
    at: ["Sites"],
    setting: "site",
    reason: "a bucket's website speaks HTTP only; docs/deploy.md says what is lost by it",
  },
  // The database and its logins.
  {
    rule: "CKV_AWS_157",
    at: ["Database"],
    setting: "newDatabase.multiAz",
    reason: "a second instance doubles the price; the ledger can be restored, pages be made again",
  },
  {
    rule: "CKV_AWS_161",
    at: ["Database"],
    setting: null,
    reason:
      "a log-in by IAM wants 300 MB and more of memory, which the smallest class has not to spare; passwords are random, one for each namespace, and make rotate changes them",
  },
  {
    rule: "database-without-deletion-protection",
    at: ["Database"],
    setting: "newDatabase.deletionProtection",
    reason: "develop's can be torn down by a command; prod's is protected",
  },
  {
    rule: "database-without-own-key",
    at: ["Database"],
    setting: null,
    reason: "encrypted with Amazon's key for RDS; another key makes another instance of it",
  },
  {
    rule: "database-without-monitoring",
    at: ["Database"],
    setting: null,
    reason: "its storage and its refusals have alarms; of the rest a run's own log tells more",
  },
  {
    rule: "database-on-usual-port",
    at: ["Database"],
    setting: null,
    reason: "only tasks reach it, by their security group; another port hides it from nobody",
  },
  {
    rule: "CKV_AWS_149",
    at: SECRETS,
    setting: null,
    reason:
      "encrypted with Amazon's key for secrets; a key of one's own adds who may decrypt, which the roles that read each secret say already",
  },
  {
    rule: "secret-without-rotation",
    at: SECRETS,
    setting: null,
    reason:
      "a namespace's login is rotated by make rotate, between two runs; tokens of Synapse and Slack are given out by them, and rotation by machine is a function in the VPC of its own",
  },
  // The network.
  {
    rule: "network-without-flow-log",
    at: ["Vpc"],
    setting: "flowLogs",
    reason: "who talks with whom is recorded where a setting says so, as it does in prod",
  },
  {
    rule: "network-with-default-group",
    at: ["Vpc"],
    setting: null,
    reason:
      "CloudFormation cannot empty the security group that AWS puts into a VPC; nothing is in it",
  },
  {
    rule: "egress-to-everywhere",
    at: ["Tasks"],
    setting: null,
    reason:
      "by HTTPS only: Synapse, Azul, AWS and Slack have addresses that change; hdash itself refuses private ones",
  },
  {
    rule: "task-with-public-address",
    at: SCHEDULES,
    setting: "network",
    reason:
      "the cheapest way out, while a run lasts; nothing comes in, as no rule lets it; nat and endpoints have none",
  },
  // Services.
  {
    rule: "CKV_AWS_26",
    at: ["Alarms"],
    setting: "ownKey",
    reason:
      "mails of alarms have nothing secret in them; encrypted where a setting says so, as in prod",
  },
  {
    rule: "CKV_AWS_136",
    at: ["Images"],
    setting: "ownKey",
    reason: "encrypted with ECR's key; with one's own where a setting says so, as in prod",
  },
  {
    rule: "CKV_AWS_158",
    at: ["DatabaseLogs", "CohortLogs", "HtanLogs", "MatrixLogs", "RoleLogs"],
    setting: "ownKey",
    reason:
      "encrypted with the key of CloudWatch Logs; with one's own where a setting says so, as in prod",
  },
  {
    rule: "queue-without-dead-letters",
    at: ["NotStarted"],
    setting: null,
    reason: "it is the queue of dead letters: people read it, and an alarm says so",
  },
  {
    rule: "schedule-without-own-key",
    at: SCHEDULES,
    setting: null,
    reason: "encrypted with Amazon's key; a schedule holds a time and names of things",
  },
  {
    rule: "CKV_AWS_65",
    at: ["TaskCluster"],
    setting: null,
    reason:
      "metrics of containers cost more than the containers here; runs tell their time and memory in their log",
  },
  // Sites and tasks.
  {
    rule: "CKV_AWS_68",
    at: ["Site"],
    setting: null,
    reason:
      "a firewall before static files has nothing to protect: there is no form, no query and no server",
  },
  {
    rule: "CKV_AWS_86",
    at: ["Site"],
    setting: "accessLogs",
    reason: "who reads is recorded where a setting says so, as it does in prod",
  },
  {
    rule: "CKV_AWS_174",
    at: ["Site"],
    setting: "domain",
    reason:
      "with CloudFront's own certificate the least version is its own, TLS 1; with a domain it is 1.2",
  },
  {
    rule: "distribution-for-all-countries",
    at: ["Site"],
    setting: null,
    reason: "the pages are for everybody",
  },
  {
    rule: "task-with-variables",
    at: TASKS,
    setting: null,
    reason:
      "none of them is secret, which a test compares with what hdash says of its variables; secrets come from Secrets Manager",
  },
  {
    rule: "role-for-every-resource",
    at: [
      ...["Deployer", "CohortExecutionRole", "HtanExecutionRole"],
      ...["MatrixExecutionRole", "RoleExecutionRole"],
    ],
    setting: null,
    reason: "for two actions that IAM grants for everything or not at all; wildcards.ts names them",
  },
];
