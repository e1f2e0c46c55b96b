// The network of a stage: a VPC of its own or one that is there, and one of three ways out for tasks.

import { Aws, Fn, Tags } from "aws-cdk-lib";
import {
  CfnEIP,
  CfnInternetGateway,
  CfnNatGateway,
  CfnRoute,
  CfnRouteTable,
  CfnSecurityGroup,
  CfnSecurityGroupEgress,
  CfnSecurityGroupIngress,
  CfnSubnet,
  CfnSubnetRouteTableAssociation,
  CfnVPC,
  CfnVPCEndpoint,
  CfnVPCGatewayAttachment,
} from "aws-cdk-lib/aws-ec2";
import type { Construct } from "constructs";

import type { Network, Settings } from "./settings.ts";

/** What the rest of the stack needs to know of the network. */
export interface MadeNetwork {
  readonly vpcId: string;
  readonly taskSubnets: readonly string[];
  readonly databaseSubnets: readonly string[];
  readonly taskSecurityGroup: string;
}

/** A block that offices and other VPCs hardly use, in case this one is to be connected with them some day. */
const VPC_CIDR = "10.73.0.0/20";
/** RDS wants two even for one instance. */
const ZONES = [0, 1] as const;
/** What a task without a way to the internet asks of AWS; its sites and image layers come by the S3 gateway. */
const INTERFACES = ["ecr.api", "ecr.dkr", "logs", "secretsmanager"] as const;

interface MadeVpc {
  readonly vpcId: string;
  readonly taskSubnets: readonly string[];
  readonly databaseSubnets: readonly string[];
  /** Get the S3 gateway endpoint. */
  readonly routeTables: readonly string[];
}

/** Makes the network, or takes the one that the settings name. */
export function makeNetwork(
  scope: Construct,
  { vpc: taken, network }: Pick<Settings, "vpc" | "network">,
): MadeNetwork {
  const vpc: MadeVpc = taken === null ? makeVpc(scope, network) : { vpcId: taken.id, ...taken };
  const tasks = new CfnSecurityGroup(scope, "Tasks", {
    vpcId: vpc.vpcId,
    groupDescription: "hdash tasks: nobody comes in; out by HTTPS, and to the database",
    securityGroupEgress: [
      {
        ipProtocol: "tcp",
        fromPort: 443,
        toPort: 443,
        cidrIp: "0.0.0.0/0",
        description: "Sources, AWS and Slack, whose addresses change",
      },
    ],
  });
  if (vpc.routeTables.length > 0) {
    // Costs nothing, and what tasks read from and write to S3 does not pass a NAT gateway, which is paid by the gigabyte. It lets
    // through every bucket of the region: sources such as Synapse hand out addresses in buckets of their own.
    new CfnVPCEndpoint(scope, "S3Gateway", {
      vpcId: vpc.vpcId,
      vpcEndpointType: "Gateway",
      serviceName: `com.amazonaws.${Aws.REGION}.s3`,
      routeTableIds: [...vpc.routeTables],
    });
  }
  // A VPC that was there has its own ways out: hdash does not put a second one into it.
  if (network === "endpoints" && taken === null) makeInterfaces(scope, vpc, tasks.attrGroupId);
  return {
    vpcId: vpc.vpcId,
    taskSubnets: vpc.taskSubnets,
    databaseSubnets: vpc.databaseSubnets,
    taskSecurityGroup: tasks.attrGroupId,
  };
}

/** Lets tasks reach a database, and nobody else; the rule for what comes in lies on the database's side. */
export function joinDatabase(
  scope: Construct,
  taskSecurityGroup: string,
  databaseSecurityGroup: string,
  port: number,
): void {
  const rule = { ipProtocol: "tcp", fromPort: port, toPort: port };
  new CfnSecurityGroupIngress(scope, "DatabaseFromTasks", {
    ...rule,
    groupId: databaseSecurityGroup,
    sourceSecurityGroupId: taskSecurityGroup,
    description: "hdash tasks",
  });
  new CfnSecurityGroupEgress(scope, "TasksToDatabase", {
    ...rule,
    groupId: taskSecurityGroup,
    destinationSecurityGroupId: databaseSecurityGroup,
    description: "The database",
  });
}

function makeVpc(scope: Construct, network: Network): MadeVpc {
  const vpc = new CfnVPC(scope, "Vpc", {
    cidrBlock: VPC_CIDR,
    enableDnsHostnames: true,
    enableDnsSupport: true,
  });
  nameIt(vpc, "");
  const databaseTable = makeTable(scope, vpc, "Database");
  const databaseSubnets = makeSubnets(scope, vpc, {
    kind: "Database",
    first: 4,
    table: databaseTable,
  });
  const ways: Readonly<Record<Network, () => Omit<MadeVpc, "vpcId" | "databaseSubnets">>> = {
    public: () => makePublic(scope, vpc),
    nat: () => makeNat(scope, vpc),
    endpoints: () => makeClosed(scope, vpc),
  };
  return { vpcId: vpc.ref, databaseSubnets, ...ways[network]() };
}

/** Tasks have public addresses; nothing comes in, as their security group has no rule for it. */
function makePublic(scope: Construct, vpc: CfnVPC): Omit<MadeVpc, "vpcId" | "databaseSubnets"> {
  const { table, subnets } = makePublicSubnets(scope, vpc);
  return { taskSubnets: subnets, routeTables: [table.ref] };
}

/** Tasks have private addresses and share the one public address of a NAT gateway. */
function makeNat(scope: Construct, vpc: CfnVPC): Omit<MadeVpc, "vpcId" | "databaseSubnets"> {
  const { subnets, attachment } = makePublicSubnets(scope, vpc);
  const [outside = ""] = subnets;
  const address = new CfnEIP(scope, "NatAddress", { domain: "vpc" });
  // One, not one for each zone: when its zone is down, the next run catches up.
  const gateway = new CfnNatGateway(scope, "NatGateway", {
    subnetId: outside,
    allocationId: address.attrAllocationId,
  });
  // Both want the VPC to have its way out when they are made, and for as long as they are there.
  for (const one of [address, gateway]) one.addResourceDependency(attachment);
  nameIt(gateway, "nat");
  const table = makeTable(scope, vpc, "Private");
  new CfnRoute(scope, "PrivateRoute", {
    routeTableId: table.ref,
    destinationCidrBlock: "0.0.0.0/0",
    natGatewayId: gateway.ref,
  });
  const taskSubnets = makeSubnets(scope, vpc, { kind: "Private", first: 2, table });
  return { taskSubnets, routeTables: [table.ref] };
}

/** Tasks have no way to the internet at all. */
function makeClosed(scope: Construct, vpc: CfnVPC): Omit<MadeVpc, "vpcId" | "databaseSubnets"> {
  const table = makeTable(scope, vpc, "Private");
  const taskSubnets = makeSubnets(scope, vpc, { kind: "Private", first: 2, table });
  return { taskSubnets, routeTables: [table.ref] };
}

function makePublicSubnets(
  scope: Construct,
  vpc: CfnVPC,
): {
  readonly table: CfnRouteTable;
  readonly subnets: readonly string[];
  readonly attachment: CfnVPCGatewayAttachment;
} {
  const gateway = new CfnInternetGateway(scope, "InternetGateway");
  nameIt(gateway, "internet");
  const attachment = new CfnVPCGatewayAttachment(scope, "InternetGatewayAttachment", {
    vpcId: vpc.ref,
    internetGatewayId: gateway.ref,
  });
  const table = makeTable(scope, vpc, "Public");
  new CfnRoute(scope, "PublicRoute", {
    routeTableId: table.ref,
    destinationCidrBlock: "0.0.0.0/0",
    gatewayId: gateway.ref,
  }).addResourceDependency(attachment);
  const subnets = makeSubnets(scope, vpc, { kind: "Public", first: 0, table });
  return { table, subnets, attachment };
}

function makeTable(scope: Construct, vpc: CfnVPC, kind: string): CfnRouteTable {
  const table = new CfnRouteTable(scope, `${kind}Routes`, { vpcId: vpc.ref });
  nameIt(table, kind.toLowerCase());
  return table;
}

function makeSubnets(
  scope: Construct,
  vpc: CfnVPC,
  { kind, first, table }: { kind: string; first: number; table: CfnRouteTable },
): readonly string[] {
  return ZONES.map((zone) => {
    const subnet = new CfnSubnet(scope, `${kind}Subnet${zone + 1}`, {
      vpcId: vpc.ref,
      availabilityZone: Fn.select(zone, Fn.getAzs()),
      // 251 addresses each; the VPC has room for ten more such blocks.
      cidrBlock: VPC_CIDR.replace("0.0/20", `${first + zone}.0/24`),
      mapPublicIpOnLaunch: false,
    });
    nameIt(subnet, `${kind.toLowerCase()}-${zone + 1}`);
    new CfnSubnetRouteTableAssociation(scope, `${kind}Subnet${zone + 1}Routes`, {
      subnetId: subnet.ref,
      routeTableId: table.ref,
    });
    return subnet.ref;
  });
}

function makeInterfaces(scope: Construct, vpc: MadeVpc, taskSecurityGroup: string): void {
  const group = new CfnSecurityGroup(scope, "EndpointSecurityGroup", {
    vpcId: vpc.vpcId,
    groupDescription: "AWS services, for hdash tasks only",
    // Answers need no rule; the address is nobody's, so that AWS does not put in its own rule that allows all.
    securityGroupEgress: [
      {
        ...{ ipProtocol: "tcp", fromPort: 443, toPort: 443 },
        cidrIp: "255.255.255.255/32",
        description: "Nobody",
      },
    ],
  });
  new CfnSecurityGroupIngress(scope, "EndpointFromTasks", {
    groupId: group.attrGroupId,
    sourceSecurityGroupId: taskSecurityGroup,
    ipProtocol: "tcp",
    fromPort: 443,
    toPort: 443,
    description: "hdash tasks",
  });
  for (const service of INTERFACES) {
    new CfnVPCEndpoint(scope, `Endpoint${service.replace(/\W/g, "")}`, {
      vpcId: vpc.vpcId,
      vpcEndpointType: "Interface",
      serviceName: `com.amazonaws.${Aws.REGION}.${service}`,
      privateDnsEnabled: true,
      subnetIds: [...vpc.taskSubnets],
      securityGroupIds: [group.attrGroupId],
    });
  }
}

/** The console lists networks by this tag; they have no other name. */
function nameIt(thing: Construct, what: string): void {
  Tags.of(thing).add("Name", what === "" ? Aws.STACK_NAME : `${Aws.STACK_NAME}-${what}`);
}
