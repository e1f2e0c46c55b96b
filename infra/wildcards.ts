// Every `*` in what somebody may do, and every service that comes without a condition, and why it has to be so. A test walks all
// statements of the templates and fails on what is not written here, and on a line here that nothing needs any more.

/** A wildcard in a statement; names of stages and namespaces are left out of `value`. */
export interface Wildcard {
  /** The statement's Sid. */
  readonly statement: string;
  readonly in: "Action" | "Resource" | "Principal";
  readonly value: string;
  readonly reason: string;
}

/** A deny that spares nobody and nothing is as wide as it is meant to be. */
const DENY = "it refuses; whoever comes without TLS is refused everything";
const LOGIN = "the login to the registry belongs to no repository; AWS takes no other resource";
const DATA_KEY = "Amazon's guides say it so: the service chooses between kinds of one call";
/** Buckets of jobs' private places. */
const PRIVATE = ["CohortRaw", "CohortIntermediate", "CohortProcessed"];
const FOLDER =
  "the files in one folder, which ends with a slash; their names are hdash's to choose";

/** A service that may come without a condition that binds it to this account. */
export interface Unconditional {
  readonly statement: string;
  readonly reason: string;
}

/** The statements that let a service in without a condition. */
export const UNCONDITIONAL: readonly Unconditional[] = [
  {
    statement: "Rules",
    reason:
      "EventBridge fills in no condition key when it publishes to SNS, as its user guide says under resource-based policies: with a condition nothing would ever arrive; who knows the topic's ARN could have a rule of his own write to it, and mails are all that he could cause",
  },
  {
    statement: "RulesToTopic",
    reason:
      "for the key of an encrypted topic holds what holds for the topic: EventBridge fills in no condition key, as the guide to SNS says; it may encrypt and decrypt what goes to the topic, and gets neither logs nor images by it",
  },
];

/** The wildcards that are needed. */
export const WILDCARDS: readonly Wildcard[] = [
  // The base stack's buckets, topic and queue.
  { statement: "OnlyTls", in: "Principal", value: "*", reason: DENY },
  { statement: "OnlyTls", in: "Action", value: "s3:*", reason: DENY },
  { statement: "OnlyTls", in: "Action", value: "sqs:*", reason: DENY },
  { statement: "OnlyTls", in: "Resource", value: "<Sites.Arn>/*", reason: DENY },
  { statement: "OnlyTls", in: "Resource", value: "<Work.Arn>/*", reason: DENY },
  ...PRIVATE.map(
    (id) =>
      ({ statement: "OnlyTls", in: "Resource", value: `<${id}.Arn>/*`, reason: DENY }) as const,
  ),
  {
    statement: "CloudFrontOfThisAccount",
    in: "Resource",
    value: "<Sites.Arn>/*",
    reason:
      "namespaces and their distributions come and go; each is bound to its own folder by its origin path",
  },
  {
    statement: "Everybody",
    in: "Principal",
    value: "*",
    reason: "a website without CloudFront is public: settings choose it with site: website",
  },
  {
    statement: "Everybody",
    in: "Resource",
    value: "<Sites.Arn>/*",
    reason: "all that lies in the site bucket is meant to be read by everybody",
  },
  // The bucket of records, and the stage's own key.
  { statement: "OnlyTls", in: "Resource", value: "<Records.Arn>/*", reason: DENY },
  {
    statement: "AccessLogs",
    in: "Resource",
    value: "<Records.Arn>/s3/*",
    reason: "S3 names the files of its access logs; only for the stage's other buckets",
  },
  {
    statement: "FlowLogs",
    in: "Resource",
    value: "<Records.Arn>/flow/AWSLogs/<AWS::AccountId>/*",
    reason: "the network's flow logs, whose files AWS names, of this account only",
  },
  {
    statement: "Account",
    in: "Action",
    value: "kms:*",
    reason: "a key that its account may not administer could never be changed or removed",
  },
  ...["Account", "AlarmsToTopic", "LogsOfThisStage", "RulesToTopic"].map(
    (statement) =>
      ({
        statement,
        in: "Resource",
        value: "*",
        reason: "in the policy of a key this is the key itself, and nothing else",
      }) as const,
  ),
  ...["AlarmsToTopic", "LogsOfThisStage", "RulesToTopic"].map(
    (statement) =>
      ({ statement, in: "Action", value: "kms:GenerateDataKey*", reason: DATA_KEY }) as const,
  ),
  { statement: "LogsOfThisStage", in: "Action", value: "kms:ReEncrypt*", reason: DATA_KEY },
  // A namespace's roles.
  { statement: "LogInToRegistry", in: "Resource", value: "*", reason: LOGIN },
  {
    statement: "OwnFiles",
    in: "Resource",
    value: "arn:<AWS::Partition>:s3:::<SiteBucket>/<namespace>/*",
    reason: FOLDER,
  },
  {
    statement: "OwnFiles",
    in: "Resource",
    value: "arn:<AWS::Partition>:s3:::<WorkBucket>/<namespace>/*",
    reason: FOLDER,
  },
  ...PRIVATE.map(
    (id) =>
      ({
        statement: "OwnFiles",
        in: "Resource",
        value: `arn:<AWS::Partition>:s3:::<${id}Bucket>/<namespace>/*`,
        reason: FOLDER,
      }) as const,
  ),
  ...["Cohort", "Htan", "Matrix", "Role"].map(
    (name) =>
      ({
        statement: "WriteLog",
        in: "Resource",
        value: `<${name}Logs.Arn>`,
        reason: "CloudFormation's ARN of a log group ends with :*, its streams, which ECS names",
      }) as const,
  ),
  {
    statement: "ReadOwnSource",
    in: "Resource",
    value: "arn:<AWS::Partition>:s3:::example-exports/daily/<namespace>/*",
    reason:
      "the namespace's folder of a place that a variable names, to read; who sends files there names them",
  },
  {
    statement: "ReadSources",
    in: "Resource",
    value: "arn:<AWS::Partition>:s3:::example-matrices/*",
    reason: "all matrices of a bucket that the settings name (readBuckets), to read",
  },
  // The role of GitHub's workflows.
  {
    statement: "SeeStacks",
    in: "Resource",
    value: "arn:<AWS::Partition>:cloudformation:<AWS::Region>:<AWS::AccountId>:stack/<base>/*",
    reason: "behind a stack's name comes an id that nobody knows before",
  },
  {
    statement: "SeeStacks",
    in: "Resource",
    value: "arn:<AWS::Partition>:cloudformation:<AWS::Region>:<AWS::AccountId>:stack/<base>-*/*",
    reason: "the stacks of the stage's namespaces, which come and go, to look at",
  },
  {
    statement: "WriteArtifacts",
    in: "Resource",
    value: "<Work.Arn>/*",
    reason:
      "in develop workflows upload and remove the files of any namespace, its large blobs among them",
  },
  {
    statement: "WriteArtifacts",
    in: "Resource",
    value: "<Sites.Arn>/*",
    reason: "in develop workflows remove the site of a namespace whose branch was deleted",
  },
  {
    statement: "WriteArtifacts",
    in: "Resource",
    value: "<Work.Arn>/<namespace>/*",
    reason: FOLDER,
  },
  ...PRIVATE.map(
    (id) =>
      ({
        statement: "RemovePrivateFiles",
        in: "Resource",
        value: `<${id}.Arn>/*`,
        reason:
          "in develop workflows remove what a namespace has whose branch was deleted; none may read it, and in prod none may remove it",
      }) as const,
  ),
  {
    statement: "RunTasks",
    in: "Resource",
    value: "arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:task-definition/<base>-*:*",
    reason: "each deployment makes a new revision; only in the stage's own cluster",
  },
  {
    statement: "SeeTaskDefinitions",
    in: "Resource",
    value: "*",
    reason: "to look at a task definition is a right that IAM grants for all of them or none",
  },
  {
    statement: "SeeTasks",
    in: "Resource",
    value: "arn:<AWS::Partition>:ecs:<AWS::Region>:<AWS::AccountId>:task/<base>/*",
    reason: "a task's id is known when it was started; only those of the stage's own cluster",
  },
  {
    statement: "HandTasksTheirRoles",
    in: "Resource",
    value: "arn:<AWS::Partition>:iam::<AWS::AccountId>:role/hdash/<stage>/*",
    reason: "the roles of the stage's namespaces, which come and go, and to ECS tasks only",
  },
  {
    statement: "ReadLogs",
    in: "Resource",
    value: "arn:<AWS::Partition>:logs:<AWS::Region>:<AWS::AccountId>:log-group:/hdash/<stage>/*",
    reason: "the log groups of the stage's namespaces, which come and go, to read",
  },
];
