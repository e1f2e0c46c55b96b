import { beforeAll, describe, expect, test } from "vitest";

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
  develop = synthesise(STAGING);
  prod = synthesise(MAIN);
  website = synthesise(STAGING, { ...TAKEN, site: "website", slack: false });
});

const outputsOf = (template: Template): Readonly<Record<string, unknown>> =>
  Object.fromEntries(
    Object.entries(template.Outputs).map(([name, { Value }]) => [name, shown(Value)]),
  );

describe("the database", () => {
  test("refuses connections without TLS, is encrypted, backed up, and nobody's but the tasks'", () => {
    expect(resourceOf(develop.base, "DatabaseParameters")).toEqual({
      Description: "hdash database: no connection without TLS, and none without a line in the log",
      Family: "postgres17",
      Parameters: { "rds.force_ssl": "1", log_connections: "1" },
    });
    expect(resourceOf(develop.base, "Database")).toMatchObject({
      DBParameterGroupName: "<DatabaseParameters>",
      DBSubnetGroupName: "<DatabaseSubnets>",
      VPCSecurityGroups: ["<DatabaseSecurityGroup.GroupId>"],
      StorageEncrypted: true,
      PubliclyAccessible: false,
      BackupRetentionPeriod: 3,
      DeletionProtection: false,
      MasterUsername: "hdash",
      MasterUserPassword: "{{resolve:secretsmanager:<DatabaseLogin>:SecretString:password}}",
    });
    expect(resourceOf(develop.base, "DatabaseSubnets")["SubnetIds"]).toEqual([
      "<DatabaseSubnet1>",
      "<DatabaseSubnet2>",
    ]);
    expect(resourceOf(prod.base, "Database")).toMatchObject({
      BackupRetentionPeriod: 14,
      DeletionProtection: true,
    });
  });

  test("tells of every log-in that it refuses, from a log that is there before it is", () => {
    expect(resourceOf(develop.base, "Database")).toMatchObject({
      DBInstanceIdentifier: "hdash-develop",
      EnableCloudwatchLogsExports: ["postgresql"],
    });
    expect(develop.base.Resources["Database"]?.DependsOn).toEqual(["DatabaseLogs"]);
    expect(resourceOf(develop.base, "DatabaseLogs")).toEqual({
      LogGroupName: "/aws/rds/instance/hdash-develop/postgresql",
      RetentionInDays: 30,
    });
    const { FilterPattern, ...filter } = resourceOf(develop.base, "DatabaseRefused");
    expect(filter).toEqual({
      LogGroupName: "<DatabaseLogs>",
      MetricTransformations: [
        { MetricNamespace: "hdash/develop", MetricName: "DatabaseRefused", MetricValue: "1" },
      ],
    });
    // As CloudWatch reads it: any of the texts, wherever it stands in a line.
    const terms = [...String(FilterPattern).matchAll(/\?"([^"]+)"(?: |$)/g)];
    expect(terms.map(([whole]) => whole).join("")).toBe(FilterPattern);
    const isTold = (line: string): boolean => terms.some(([, text = ""]) => line.includes(text));
    const refused = [
      'FATAL:  password authentication failed for user "hdash_foo"',
      'FATAL:  PAM authentication failed for user "hdash_foo"',
      'FATAL:  no pg_hba.conf entry for host "10.73.1.7", user "hdash", database "hdash", no encryption',
      'FATAL:  permission denied for database "hdash"',
      "ERROR:  permission denied for schema hdash_bar at character 15",
    ];
    expect(refused.filter((line) => !isTold(line))).toEqual([]);
    expect(isTold("LOG:  connection authorized: user=hdash_foo database=hdash SSL enabled")).toBe(
      false,
    );
    expect(resourceOf(develop.base, "DatabaseRefusedAlarm")).toMatchObject({
      AlarmName: "hdash/develop/database-refused",
      Namespace: "hdash/develop",
      MetricName: "DatabaseRefused",
      Statistic: "Sum",
      Threshold: 1,
      TreatMissingData: "notBreaching",
      AlarmActions: ["<Alarms>"],
    });
  });

  test("has no way out of its subnets", () => {
    const routes = Object.values(resourcesOf(develop.base, "AWS::EC2::Route"));
    expect(routes.map((route) => route["RouteTableId"])).toEqual(["<PublicRoutes>"]);
    const tables = Object.values(
      resourcesOf(develop.base, "AWS::EC2::SubnetRouteTableAssociation"),
    ).filter(({ SubnetId }) => String(SubnetId).startsWith("<DatabaseSubnet"));
    expect(tables.map(({ RouteTableId }) => RouteTableId)).toEqual([
      "<DatabaseRoutes>",
      "<DatabaseRoutes>",
    ]);
  });

  test("is taken where the settings name one: tasks are let in, and its values handed on", () => {
    expect(resourcesOf(website.base, "AWS::RDS::DBInstance")).toEqual({});
    expect(Object.values(resourcesOf(website.base, "AWS::EC2::SecurityGroupIngress"))).toEqual([
      {
        Description: "hdash tasks",
        GroupId: "sg-0a1b2c3d",
        SourceSecurityGroupId: "<Tasks.GroupId>",
        IpProtocol: "tcp",
        FromPort: 5433,
        ToPort: 5433,
      },
    ]);
    expect(outputsOf(website.base)).toMatchObject({
      DatabaseHost: "db.example.org",
      DatabasePort: "5433",
      DatabaseName: "shared",
      DatabaseSecret: TAKEN.database.secretArn,
    });
  });

  test("has an alarm for its storage, a taken one where its instance is named", () => {
    expect(resourceOf(develop.base, "DatabaseStorageAlarm")).toEqual({
      AlarmName: "hdash/develop/database-storage",
      AlarmDescription: "hdash develop: the database has less than 1 GiB free",
      Namespace: "AWS/RDS",
      MetricName: "FreeStorageSpace",
      Dimensions: [{ Name: "DBInstanceIdentifier", Value: "<Database>" }],
      Statistic: "Minimum",
      Period: 300,
      EvaluationPeriods: 3,
      ComparisonOperator: "LessThanThreshold",
      Threshold: 1024 ** 3,
      TreatMissingData: "ignore",
      AlarmActions: ["<Alarms>"],
    });
    expect(resourceOf(website.base, "DatabaseStorageAlarm")).toMatchObject({
      Dimensions: [{ Name: "DBInstanceIdentifier", Value: "shared" }],
      Threshold: 4 * 1024 ** 3,
    });
    const unnamed = synthesise(STAGING, {
      ...TAKEN,
      database: { ...TAKEN.database, instance: null },
    });
    expect(resourcesOf(unnamed.base, "AWS::CloudWatch::Alarm")).toEqual({});
  });
});
