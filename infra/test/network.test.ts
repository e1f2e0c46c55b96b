import { describe, expect, test } from "vitest";

import type { Network } from "../settings.ts";
import {
  FOO,
  resourceOf,
  resourcesOf,
  synthesise,
  TAKEN,
  type Template,
} from "./support/templates.ts";

/** Where the tasks of a template's network are, and how they get out. */
function waysOut({ base, namespace }: { base: Template; namespace: Template }): object {
  const subnets = String(base.Outputs["TaskSubnets"]?.Value && shownSubnets(base));
  const tables = Object.values(resourcesOf(base, "AWS::EC2::SubnetRouteTableAssociation"))
    .filter(({ SubnetId }) => subnets.split(",").includes(String(SubnetId)))
    .map(({ RouteTableId }) => RouteTableId);
  const routes = Object.values(resourcesOf(base, "AWS::EC2::Route"))
    .filter(({ RouteTableId }) => tables.includes(RouteTableId))
    .map(({ GatewayId, NatGatewayId }) => GatewayId ?? NatGatewayId);
  const endpoints = Object.values(resourcesOf(base, "AWS::EC2::VPCEndpoint")).map(
    ({ ServiceName, VpcEndpointType, RouteTableIds }) => [
      VpcEndpointType,
      String(ServiceName).replace("com.amazonaws.<AWS::Region>.", ""),
      RouteTableIds ?? null,
    ],
  );
  const schedules = Object.values(resourcesOf(namespace, "AWS::Scheduler::Schedule"));
  const networks = schedules.map(
    ({ Target }) =>
      (Target as { EcsParameters: { NetworkConfiguration: unknown } }).EcsParameters
        .NetworkConfiguration,
  );
  return { subnets, routes, endpoints, network: networks[0] };
}

function shownSubnets(base: Template): string {
  const outputs = { Resources: { Out: { Type: "x", Properties: base.Outputs } }, Outputs: {} };
  return (resourceOf(outputs, "Out")["TaskSubnets"] as { Value: string }).Value;
}

const inNamespace = (AssignPublicIp: string): object => ({
  AwsvpcConfiguration: {
    AssignPublicIp,
    SecurityGroups: ["<TaskSecurityGroup>"],
    Subnets: "split <TaskSubnets>",
  },
});

describe("a network of its own", () => {
  test("public: tasks have public addresses", () => {
    expect(waysOut(synthesise(FOO, { network: "public" }))).toEqual({
      subnets: "<PublicSubnet1>,<PublicSubnet2>",
      routes: ["<InternetGateway>"],
      endpoints: [["Gateway", "s3", ["<PublicRoutes>"]]],
      network: inNamespace("ENABLED"),
    });
  });

  test("nat: tasks share the one address of a NAT gateway", () => {
    const templates = synthesise(FOO, { network: "nat" });
    expect(waysOut(templates)).toEqual({
      subnets: "<PrivateSubnet1>,<PrivateSubnet2>",
      routes: ["<NatGateway>"],
      endpoints: [["Gateway", "s3", ["<PrivateRoutes>"]]],
      network: inNamespace("DISABLED"),
    });
    expect(resourceOf(templates.base, "NatGateway")).toMatchObject({
      SubnetId: "<PublicSubnet1>",
      AllocationId: "<NatAddress.AllocationId>",
    });
    const { NatAddress, NatGateway } = templates.base.Resources;
    expect([NatAddress?.DependsOn, NatGateway?.DependsOn]).toEqual([
      ["InternetGatewayAttachment"],
      ["InternetGatewayAttachment"],
    ]);
  });

  test("endpoints: there is no way to the internet, but one to each service that a task needs", () => {
    const templates = synthesise(FOO, { network: "endpoints" });
    expect(waysOut(templates)).toEqual({
      subnets: "<PrivateSubnet1>,<PrivateSubnet2>",
      routes: [],
      endpoints: [
        ["Gateway", "s3", ["<PrivateRoutes>"]],
        ["Interface", "ecr.api", null],
        ["Interface", "ecr.dkr", null],
        ["Interface", "logs", null],
        ["Interface", "secretsmanager", null],
      ],
      network: inNamespace("DISABLED"),
    });
    expect(resourcesOf(templates.base, "AWS::EC2::InternetGateway")).toEqual({});
    expect(resourceOf(templates.base, "Endpointlogs")).toMatchObject({
      PrivateDnsEnabled: true,
      SecurityGroupIds: ["<EndpointSecurityGroup.GroupId>"],
      SubnetIds: ["<PrivateSubnet1>", "<PrivateSubnet2>"],
    });
    // Slack is on the internet: its secret would only make the run try.
    expect(JSON.stringify(templates.namespace)).not.toContain("SLACK_WEBHOOK_URL");
  });

  test.each(["public", "nat", "endpoints"] satisfies Network[])(
    "makes what needs the VPC's way out after that, and removes it before (%s)",
    (network) => {
      const { base } = synthesise(FOO, { network });
      // As CloudFormation's reference asks it for addresses, NAT gateways and routes to an internet gateway.
      const needing = Object.entries(base.Resources).filter(
        ([, { Type, Properties = {} }]) =>
          ["AWS::EC2::EIP", "AWS::EC2::NatGateway"].includes(Type) ||
          (Type === "AWS::EC2::Route" && "GatewayId" in Properties),
      );
      expect(needing.map(([id]) => id).sort()).toEqual(
        {
          public: ["PublicRoute"],
          nat: ["NatAddress", "NatGateway", "PublicRoute"],
          endpoints: [],
        }[network],
      );
      expect(
        needing.filter(([, { DependsOn }]) => DependsOn?.[0] !== "InternetGatewayAttachment"),
      ).toEqual([]);
    },
  );

  test("puts every subnet into a block of its own", () => {
    const subnets = Object.values(
      resourcesOf(synthesise(FOO, { network: "nat" }).base, "AWS::EC2::Subnet"),
    );
    expect(subnets.map(({ CidrBlock }) => CidrBlock).sort()).toEqual(
      [0, 1, 2, 3, 4, 5].map((at) => `10.73.${at}.0/24`),
    );
    expect(subnets.filter(({ MapPublicIpOnLaunch }) => MapPublicIpOnLaunch !== false)).toEqual([]);
  });
});

describe("a network that is there", () => {
  test.each(["public", "nat", "endpoints"] satisfies Network[])(
    "gets nothing new for %s but security groups and the S3 gateway",
    (network) => {
      const templates = synthesise(FOO, { ...TAKEN, network });
      const types = Object.values(templates.base.Resources)
        .map(({ Type }) => Type)
        .filter((type) => type.startsWith("AWS::EC2::"));
      expect(types.sort()).toEqual([
        "AWS::EC2::SecurityGroup",
        "AWS::EC2::SecurityGroupEgress",
        "AWS::EC2::SecurityGroupIngress",
        "AWS::EC2::VPCEndpoint",
      ]);
      expect(waysOut(templates)).toMatchObject({
        subnets: "subnet-0a1b2c3d,subnet-0a1b2c3e",
        endpoints: [["Gateway", "s3", ["rtb-0a1b2c3d"]]],
        network: inNamespace(network === "public" ? "ENABLED" : "DISABLED"),
      });
    },
  );

  test("keeps its own S3 gateway where no route table is named", () => {
    const vpc = { ...TAKEN.vpc, routeTables: [] };
    const { base } = synthesise(FOO, { ...TAKEN, vpc });
    expect(resourcesOf(base, "AWS::EC2::VPCEndpoint")).toEqual({});
  });

  test("gets a new database in the subnets named for it", () => {
    const databaseSubnets = ["subnet-0a1b2c4d", "subnet-0a1b2c4e"];
    const { base } = synthesise(FOO, { vpc: { ...TAKEN.vpc, databaseSubnets } });
    expect(resourceOf(base, "DatabaseSubnets")["SubnetIds"]).toEqual(databaseSubnets);
    expect(resourceOf(base, "DatabaseSecurityGroup")["VpcId"]).toBe("vpc-0a1b2c3d");
  });
});

describe("the security groups", () => {
  test.each(["public", "nat", "endpoints"] satisfies Network[])(
    "let in nobody but tasks, at the database and at endpoints (%s)",
    (network) => {
      const { base } = synthesise(FOO, { network });
      const groups = Object.values(resourcesOf(base, "AWS::EC2::SecurityGroup"));
      expect(groups.filter((group) => "SecurityGroupIngress" in group)).toEqual([]);
      const rules = Object.values(resourcesOf(base, "AWS::EC2::SecurityGroupIngress")).map(
        ({ GroupId, SourceSecurityGroupId, FromPort, ToPort }) => [
          GroupId,
          SourceSecurityGroupId,
          FromPort,
          ToPort,
        ],
      );
      const database = ["<DatabaseSecurityGroup.GroupId>", "<Tasks.GroupId>", 5432, 5432];
      const endpoint = ["<EndpointSecurityGroup.GroupId>", "<Tasks.GroupId>", 443, 443];
      expect(rules).toEqual(network === "endpoints" ? [endpoint, database] : [database]);
    },
  );

  test("let tasks out by HTTPS and to the database, and the database nowhere", () => {
    const { base } = synthesise(FOO);
    const out = (id: string): unknown => resourceOf(base, id)["SecurityGroupEgress"];
    expect(out("Tasks")).toEqual([
      {
        CidrIp: "0.0.0.0/0",
        Description: "Sources, AWS and Slack, whose addresses change",
        FromPort: 443,
        IpProtocol: "tcp",
        ToPort: 443,
      },
    ]);
    expect(resourceOf(base, "TasksToDatabase")).toEqual({
      Description: "The database",
      DestinationSecurityGroupId: "<DatabaseSecurityGroup.GroupId>",
      FromPort: 5432,
      GroupId: "<Tasks.GroupId>",
      IpProtocol: "tcp",
      ToPort: 5432,
    });
    expect(out("DatabaseSecurityGroup")).toEqual([
      {
        CidrIp: "255.255.255.255/32",
        Description: "Nobody",
        FromPort: 5432,
        IpProtocol: "tcp",
        ToPort: 5432,
      },
    ]);
  });
});
