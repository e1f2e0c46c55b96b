// The Postgres of a stage: an RDS instance of its own that only tasks reach and only by TLS, or one that is there.

import type { RemovalPolicy } from "aws-cdk-lib";
import { CfnSecurityGroup } from "aws-cdk-lib/aws-ec2";
import { CfnLogGroup, CfnMetricFilter } from "aws-cdk-lib/aws-logs";
import { CfnDBInstance, CfnDBParameterGroup, CfnDBSubnetGroup } from "aws-cdk-lib/aws-rds";
import { CfnSecret, CfnSecretTargetAttachment } from "aws-cdk-lib/aws-secretsmanager";
import type { Construct } from "constructs";

import { makeAlarm } from "./alarmTopic.ts";
import { baseStackName, databaseLogName, secretName } from "./names.ts";
import { joinDatabase, type MadeNetwork } from "./network.ts";
import type { NewDatabase, Settings } from "./settings.ts";
import type { Stage } from "./target.ts";

/** What tasks are told of the database. */
export interface MadeDatabase {
  readonly host: string;
  readonly port: string;
  readonly name: string;
  /** Its JSON has username and password. */
  readonly secretArn: string;
}

/** The major version; RDS takes the newest minor one. hdash's SQL is that of Postgres 15. */
const MAJOR = "17";
const PORT = 5432;
const GIB = 1024 ** 3;
/**
 * Room left at which the alarm goes off, of the storage that the database begins with. RDS adds storage when a tenth is left, which is
 * more at every later size: with half of that it has not done so, as a rule because it is at its limit.
 */
const FREE_FRACTION = 0.05;
/** The same for a database that was there, of whose size and limit the settings know nothing. */
const FREE_GIB_OF_TAKEN = 4;

/** What Postgres says to whom it does not let in, to whom comes without TLS, and to whom asks for what is another's. */
const REFUSALS = [
  "password authentication failed",
  "PAM authentication failed",
  "no pg_hba.conf entry",
  "permission denied for",
];

interface DatabaseProps {
  readonly stage: Stage;
  readonly settings: Pick<Settings, "database" | "newDatabase" | "logRetentionDays">;
  /** ARN of what logs are encrypted with; null: Amazon's own. */
  readonly keyArn: string | null;
  readonly network: MadeNetwork;
  readonly policy: RemovalPolicy;
  readonly topicArn: string;
}

/** Makes the database and its alarm, or lets tasks into the one that the settings name. */
export function makeDatabase(scope: Construct, props: DatabaseProps): MadeDatabase {
  const { database: taken, newDatabase } = props.settings;
  if (taken === null) {
    const made = makeInstance(scope, props, newDatabase);
    const freeGiB = Math.round(newDatabase.storageGiB * FREE_FRACTION);
    makeStorageAlarm(scope, props, made.instance, freeGiB);
    makeRefusalAlarm(scope, props, made.log);
    return made;
  }
  joinDatabase(scope, props.network.taskSecurityGroup, taken.securityGroup, taken.port);
  if (taken.instance !== null) makeStorageAlarm(scope, props, taken.instance, FREE_GIB_OF_TAKEN);
  return {
    host: taken.host,
    port: String(taken.port),
    name: taken.name,
    secretArn: taken.secretArn,
  };
}

function makeInstance(
  scope: Construct,
  { stage, network, policy, settings, keyArn }: DatabaseProps,
  wanted: NewDatabase,
): MadeDatabase & { readonly instance: string; readonly log: CfnLogGroup } {
  const group = new CfnSecurityGroup(scope, "DatabaseSecurityGroup", {
    vpcId: network.vpcId,
    groupDescription: "hdash database: only its tasks come in, and it goes nowhere",
    // Answers need no rule; the address is nobody's, so that AWS does not put in its own rule that allows all.
    securityGroupEgress: [
      {
        ...{ ipProtocol: "tcp", fromPort: PORT, toPort: PORT },
        cidrIp: "255.255.255.255/32",
        description: "Nobody",
      },
    ],
  });
  joinDatabase(scope, network.taskSecurityGroup, group.attrGroupId, PORT);
  const secret = new CfnSecret(scope, "DatabaseLogin", {
    name: secretName(stage, "database"),
    description: "Who hdash is in its database",
    generateSecretString: {
      secretStringTemplate: JSON.stringify({ username: "hdash" }),
      generateStringKey: "password",
      passwordLength: 40,
      excludePunctuation: true,
    },
  });
  // Made before RDS writes the first line: it would make the group itself, without a retention and a key.
  const log = new CfnLogGroup(scope, "DatabaseLogs", {
    logGroupName: databaseLogName(stage),
    retentionInDays: settings.logRetentionDays,
    ...(keyArn === null ? {} : { kmsKeyId: keyArn }),
  });
  log.applyRemovalPolicy(policy);
  const instance = new CfnDBInstance(scope, "Database", {
    // With a name, since its log group goes by that.
    dbInstanceIdentifier: baseStackName(stage),
    engine: "postgres",
    engineVersion: MAJOR,
    dbName: "hdash",
    dbInstanceClass: wanted.class,
    allocatedStorage: String(wanted.storageGiB),
    maxAllocatedStorage: wanted.maxStorageGiB,
    storageType: "gp3",
    storageEncrypted: true,
    masterUsername: "hdash",
    // Filled in by CloudFormation when it makes the instance; the template holds the reference only.
    masterUserPassword: `{{resolve:secretsmanager:${secret.ref}:SecretString:password}}`,
    dbSubnetGroupName: new CfnDBSubnetGroup(scope, "DatabaseSubnets", {
      dbSubnetGroupDescription: "hdash database",
      subnetIds: [...network.databaseSubnets],
    }).ref,
    dbParameterGroupName: new CfnDBParameterGroup(scope, "DatabaseParameters", {
      family: `postgres${MAJOR}`,
      description: "hdash database: no connection without TLS, and none without a line in the log",
      parameters: { "rds.force_ssl": "1", log_connections: "1" },
    }).ref,
    vpcSecurityGroups: [group.attrGroupId],
    caCertificateIdentifier: "rds-ca-rsa2048-g1",
    port: String(PORT),
    publiclyAccessible: false,
    multiAz: wanted.multiAz,
    backupRetentionPeriod: wanted.backupDays,
    // In UTC, before and after the hours in which pipelines run.
    preferredBackupWindow: "01:00-02:00",
    preferredMaintenanceWindow: "sun:14:00-sun:15:00",
    autoMinorVersionUpgrade: true,
    allowMajorVersionUpgrade: false,
    enableCloudwatchLogsExports: ["postgresql"],
    copyTagsToSnapshot: true,
    deletionProtection: wanted.deletionProtection,
  });
  instance.addResourceDependency(log);
  instance.applyRemovalPolicy(policy);
  secret.applyRemovalPolicy(policy);
  new CfnSecretTargetAttachment(scope, "DatabaseLoginOfDatabase", {
    secretId: secret.ref,
    targetId: instance.ref,
    targetType: "AWS::RDS::DBInstance",
  });
  return {
    host: instance.attrEndpointAddress,
    port: instance.attrEndpointPort,
    name: "hdash",
    secretArn: secret.ref,
    instance: instance.ref,
    log,
  };
}

/** Tells of each log-in that failed: tasks have the right password, so that one that is wrong is a mistake or somebody else. */
function makeRefusalAlarm(
  scope: Construct,
  { stage, topicArn }: DatabaseProps,
  log: CfnLogGroup,
): void {
  const metric = { namespace: `hdash/${stage}`, name: "DatabaseRefused" };
  new CfnMetricFilter(scope, "DatabaseRefused", {
    logGroupName: log.ref,
    // One of them is enough.
    filterPattern: REFUSALS.map((text) => `?"${text}"`).join(" "),
    metricTransformations: [
      { metricNamespace: metric.namespace, metricName: metric.name, metricValue: "1" },
    ],
  });
  makeAlarm(scope, "DatabaseRefusedAlarm", {
    name: `hdash/${stage}/database-refused`,
    description: `hdash ${stage}: the database refused a log-in, or somebody what is not theirs`,
    metric,
    statistic: "Sum",
    periodSeconds: 300,
    periods: 1,
    operator: "GreaterThanOrEqualToThreshold",
    threshold: 1,
    missing: "notBreaching",
    topicArn,
  });
}

function makeStorageAlarm(
  scope: Construct,
  { stage, topicArn }: DatabaseProps,
  instance: string,
  freeGiB: number,
): void {
  makeAlarm(scope, "DatabaseStorageAlarm", {
    name: `hdash/${stage}/database-storage`,
    description: `hdash ${stage}: the database has less than ${freeGiB} GiB free`,
    metric: {
      namespace: "AWS/RDS",
      name: "FreeStorageSpace",
      dimensions: { DBInstanceIdentifier: instance },
    },
    statistic: "Minimum",
    periodSeconds: 300,
    periods: 3,
    operator: "LessThanThreshold",
    threshold: freeGiB * GIB,
    missing: "ignore",
    topicArn,
  });
}
