// What scanners of templates look for, tried here since none of them can be had offline. CKV_… are rules of Checkov, as its index of
// CloudFormation policies has them; the others, with names of our own, are what cfn-nag and cdk-nag ask besides.

import { statementsIn } from "./statements.ts";
import { shown, type Template } from "./templates.ts";

type Properties = Readonly<Record<string, unknown>>;

export interface Flagged {
  readonly rule: string;
  /** Logical id of the resource. */
  readonly at: string;
}

interface Rule {
  readonly rule: string;
  readonly type: string;
  readonly isFlagged: (properties: Properties, template: Template, id: string) => boolean;
}

/** Looks at a value below others: get(properties, "A", "B"). */
function get(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === "object" && inner !== null ? (inner as Properties)[key] : undefined,
    value,
  );
}
const listOf = (value: unknown): readonly Properties[] =>
  Array.isArray(value) ? (value as Properties[]) : [];
const lacks =
  (...path: readonly string[]) =>
  (properties: Properties): boolean =>
    get(properties, ...path) === undefined;
const isNot =
  (wanted: unknown, ...path: readonly string[]) =>
  (properties: Properties): boolean =>
    get(properties, ...path) !== wanted;
const hasType = (template: Template, type: string): boolean =>
  Object.values(template.Resources).some((resource) => resource.Type === type);
const isAnybody = (principal: unknown): boolean =>
  principal === "*" || get(principal, "AWS") === "*";
/** The statements of the policies of a bucket. */
const policyOf = (template: Template, bucket: string): readonly Properties[] =>
  statementsIn(template)
    .filter(
      ({ at }) => get(shown(template.Resources[at]), "Properties", "Bucket") === `<${bucket}>`,
    )
    .map(({ fields }) => fields);
const statementsAt = (template: Template, id: string): readonly Properties[] =>
  statementsIn(template)
    .filter(({ at }) => at === id)
    .map(({ fields }) => fields);
const allows = ({ Effect }: Properties): boolean => Effect === "Allow";
const words = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [value]);

const BUCKET = "AWS::S3::Bucket";
const BLOCK = "PublicAccessBlockConfiguration";
const BUCKETS: readonly Rule[] = [
  { rule: "CKV_AWS_18", type: BUCKET, isFlagged: lacks("LoggingConfiguration") },
  { rule: "CKV_AWS_19", type: BUCKET, isFlagged: lacks("BucketEncryption") },
  { rule: "CKV_AWS_20", type: BUCKET, isFlagged: isNot(undefined, "AccessControl") },
  {
    rule: "CKV_AWS_21",
    type: BUCKET,
    isFlagged: isNot("Enabled", "VersioningConfiguration", "Status"),
  },
  { rule: "CKV_AWS_53", type: BUCKET, isFlagged: isNot(true, BLOCK, "BlockPublicAcls") },
  { rule: "CKV_AWS_54", type: BUCKET, isFlagged: isNot(true, BLOCK, "BlockPublicPolicy") },
  { rule: "CKV_AWS_55", type: BUCKET, isFlagged: isNot(true, BLOCK, "IgnorePublicAcls") },
  { rule: "CKV_AWS_56", type: BUCKET, isFlagged: isNot(true, BLOCK, "RestrictPublicBuckets") },
  {
    rule: "bucket-without-own-key",
    type: BUCKET,
    isFlagged: (properties) => !JSON.stringify(properties).includes('"aws:kms"'),
  },
  {
    rule: "bucket-without-tls",
    type: BUCKET,
    isFlagged: (_, template, id) =>
      !policyOf(template, id).some(
        ({ Effect, Condition }) =>
          Effect === "Deny" && get(Condition, "Bool", "aws:SecureTransport") === "false",
      ),
  },
  {
    rule: "bucket-for-everybody",
    type: BUCKET,
    isFlagged: (_, template, id) =>
      policyOf(template, id).some((one) => allows(one) && isAnybody(one["Principal"])),
  },
];

const INSTANCE = "AWS::RDS::DBInstance";
const DATABASES: readonly Rule[] = [
  { rule: "CKV_AWS_16", type: INSTANCE, isFlagged: isNot(true, "StorageEncrypted") },
  { rule: "CKV_AWS_17", type: INSTANCE, isFlagged: isNot(false, "PubliclyAccessible") },
  { rule: "CKV_AWS_157", type: INSTANCE, isFlagged: isNot(true, "MultiAZ") },
  {
    rule: "CKV_AWS_161",
    type: INSTANCE,
    isFlagged: isNot(true, "EnableIAMDatabaseAuthentication"),
  },
  { rule: "database-without-log", type: INSTANCE, isFlagged: lacks("EnableCloudwatchLogsExports") },
  { rule: "database-without-backup", type: INSTANCE, isFlagged: lacks("BackupRetentionPeriod") },
  { rule: "database-without-own-key", type: INSTANCE, isFlagged: lacks("KmsKeyId") },
  { rule: "database-without-monitoring", type: INSTANCE, isFlagged: lacks("MonitoringInterval") },
  {
    rule: "database-without-deletion-protection",
    type: INSTANCE,
    isFlagged: isNot(true, "DeletionProtection"),
  },
  { rule: "database-on-usual-port", type: INSTANCE, isFlagged: (one) => one["Port"] === "5432" },
  { rule: "CKV_AWS_149", type: "AWS::SecretsManager::Secret", isFlagged: lacks("KmsKeyId") },
  {
    rule: "secret-without-rotation",
    type: "AWS::SecretsManager::Secret",
    isFlagged: (_, template) => !hasType(template, "AWS::SecretsManager::RotationSchedule"),
  },
];

const GROUP = "AWS::EC2::SecurityGroup";
const rulesOf = (group: Properties): readonly Properties[] => [
  ...listOf(group["SecurityGroupIngress"]),
  ...listOf(group["SecurityGroupEgress"]),
];
const isEverywhere = (one: Properties): boolean =>
  one["CidrIp"] === "0.0.0.0/0" || one["CidrIpv6"] === "::/0";
const NETWORKS: readonly Rule[] = [
  {
    rule: "CKV_AWS_23",
    type: GROUP,
    isFlagged: (group) => rulesOf(group).some(lacks("Description")),
  },
  { rule: "CKV_AWS_23", type: `${GROUP}Ingress`, isFlagged: lacks("Description") },
  { rule: "CKV_AWS_23", type: `${GROUP}Egress`, isFlagged: lacks("Description") },
  {
    rule: "ingress-from-everywhere",
    type: GROUP,
    isFlagged: (group) => listOf(group["SecurityGroupIngress"]).some(isEverywhere),
  },
  { rule: "ingress-from-everywhere", type: `${GROUP}Ingress`, isFlagged: isEverywhere },
  {
    rule: "egress-to-everywhere",
    type: GROUP,
    isFlagged: (group) => listOf(group["SecurityGroupEgress"]).some(isEverywhere),
  },
  { rule: "egress-to-everywhere", type: `${GROUP}Egress`, isFlagged: isEverywhere },
  {
    rule: "subnet-with-public-addresses",
    type: "AWS::EC2::Subnet",
    isFlagged: isNot(false, "MapPublicIpOnLaunch"),
  },
  {
    rule: "network-without-flow-log",
    type: "AWS::EC2::VPC",
    isFlagged: (_, template) => !hasType(template, "AWS::EC2::FlowLog"),
  },
  { rule: "network-with-default-group", type: "AWS::EC2::VPC", isFlagged: () => true },
  {
    rule: "task-with-public-address",
    type: "AWS::Scheduler::Schedule",
    isFlagged: (one) => JSON.stringify(one).includes('"AssignPublicIp":"ENABLED"'),
  },
];

const KEY = "AWS::KMS::Key";
const REPOSITORY = "AWS::ECR::Repository";
const SERVICES: readonly Rule[] = [
  { rule: "CKV_AWS_7", type: KEY, isFlagged: isNot(true, "EnableKeyRotation") },
  {
    rule: "CKV_AWS_33",
    type: KEY,
    isFlagged: (_, template, id) =>
      statementsAt(template, id).some(({ Principal }) => isAnybody(Principal)),
  },
  { rule: "CKV_AWS_26", type: "AWS::SNS::Topic", isFlagged: lacks("KmsMasterKeyId") },
  {
    rule: "CKV_AWS_27",
    type: "AWS::SQS::Queue",
    isFlagged: (queue) =>
      lacks("KmsMasterKeyId")(queue) && isNot(true, "SqsManagedSseEnabled")(queue),
  },
  {
    rule: "queue-without-dead-letters",
    type: "AWS::SQS::Queue",
    isFlagged: lacks("RedrivePolicy"),
  },
  { rule: "CKV_AWS_32", type: REPOSITORY, isFlagged: isNot(undefined, "RepositoryPolicyText") },
  { rule: "CKV_AWS_51", type: REPOSITORY, isFlagged: isNot("IMMUTABLE", "ImageTagMutability") },
  {
    rule: "CKV_AWS_136",
    type: REPOSITORY,
    isFlagged: isNot("KMS", "EncryptionConfiguration", "EncryptionType"),
  },
  {
    rule: "CKV_AWS_163",
    type: REPOSITORY,
    isFlagged: isNot(true, "ImageScanningConfiguration", "ScanOnPush"),
  },
  { rule: "CKV_AWS_65", type: "AWS::ECS::Cluster", isFlagged: lacks("ClusterSettings") },
  { rule: "CKV_AWS_66", type: "AWS::Logs::LogGroup", isFlagged: lacks("RetentionInDays") },
  { rule: "CKV_AWS_158", type: "AWS::Logs::LogGroup", isFlagged: lacks("KmsKeyId") },
  {
    rule: "schedule-without-own-key",
    type: "AWS::Scheduler::Schedule",
    isFlagged: lacks("KmsKeyArn"),
  },
];

const DISTRIBUTION = "AWS::CloudFront::Distribution";
const CONFIG = "DistributionConfig";
const TASK = "AWS::ECS::TaskDefinition";
const containersOf = (task: Properties): readonly Properties[] =>
  listOf(task["ContainerDefinitions"]);
const TASKS: readonly Rule[] = [
  {
    rule: "CKV_AWS_34",
    type: DISTRIBUTION,
    isFlagged: (one) =>
      get(one, CONFIG, "DefaultCacheBehavior", "ViewerProtocolPolicy") === "allow-all",
  },
  { rule: "CKV_AWS_68", type: DISTRIBUTION, isFlagged: lacks(CONFIG, "WebACLId") },
  { rule: "CKV_AWS_86", type: DISTRIBUTION, isFlagged: lacks(CONFIG, "Logging") },
  {
    rule: "CKV_AWS_174",
    type: DISTRIBUTION,
    isFlagged: (one) =>
      !String(get(one, CONFIG, "ViewerCertificate", "MinimumProtocolVersion")).startsWith(
        "TLSv1.2",
      ),
  },
  {
    rule: "distribution-for-all-countries",
    type: DISTRIBUTION,
    isFlagged: lacks(CONFIG, "Restrictions"),
  },
  {
    rule: "root-that-can-be-written",
    type: TASK,
    isFlagged: (task) => containersOf(task).some(isNot(true, "ReadonlyRootFilesystem")),
  },
  {
    rule: "user-root",
    type: TASK,
    isFlagged: (task) => containersOf(task).some(({ User }) => !/^[1-9]/.test(String(User))),
  },
  {
    rule: "task-with-variables",
    type: TASK,
    isFlagged: (task) => containersOf(task).some((one) => listOf(one["Environment"]).length > 0),
  },
];

const ROLE = "AWS::IAM::Role";
const ROLES: readonly Rule[] = [
  {
    rule: "CKV_AWS_60",
    type: ROLE,
    isFlagged: (_, template, id) =>
      statementsAt(template, id).some(({ Principal }) => isAnybody(Principal)),
  },
  {
    rule: "CKV_AWS_63",
    type: ROLE,
    isFlagged: (_, template, id) =>
      statementsAt(template, id).some((one) => allows(one) && words(one["Action"]).includes("*")),
  },
  {
    rule: "role-for-every-resource",
    type: ROLE,
    isFlagged: (_, template, id) =>
      statementsAt(template, id).some((one) => allows(one) && words(one["Resource"]).includes("*")),
  },
];

export const RULES: readonly Rule[] = [
  ...BUCKETS,
  ...DATABASES,
  ...NETWORKS,
  ...SERVICES,
  ...TASKS,
  ...ROLES,
];

/** Lists what scanners would flag in a template. */
export function scan(template: Template): readonly Flagged[] {
  return Object.entries(template.Resources).flatMap(([at, { Type, Properties = {} }]) => {
    const properties = shown(Properties) as Properties;
    return RULES.filter(
      ({ type, isFlagged }) => type === Type && isFlagged(properties, template, at),
    ).map(({ rule }) => ({ rule, at }));
  });
}
