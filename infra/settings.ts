// The settings of a stage: infra/settings/<stage>.json, checked as a whole. What a pipeline needs is not in there but in the registry.

import { readFileSync } from "node:fs";

import { HdashError } from "../src/error.ts";
import type { Job } from "../src/job.ts";
import {
  choiceOf,
  countOf,
  type Fields,
  flagOf,
  nullOr,
  oneOf,
  openFields,
  textOf,
  textsOf,
} from "./settingsFields.ts";
import { type PipelineSettings, readPipelineSettings } from "./settingsOfPipelines.ts";
import type { Stage } from "./target.ts";

/** A VPC that is there already. */
export interface TakenVpc {
  readonly id: string;
  readonly taskSubnets: readonly string[];
  /** For a new database, in two availability zones. */
  readonly databaseSubnets: readonly string[];
  /** Route tables that get the S3 gateway endpoint; none: the VPC has one. */
  readonly routeTables: readonly string[];
}

/** A Postgres that is there already. */
export interface TakenDatabase {
  readonly host: string;
  readonly port: number;
  readonly name: string;
  /** Its JSON has username and password. */
  readonly secretArn: string;
  readonly securityGroup: string;
  /** Identifier of the RDS instance, for the storage alarm; null: no alarm. */
  readonly instance: string | null;
}

export interface NewDatabase {
  readonly class: string;
  readonly storageGiB: number;
  /** RDS adds storage by itself up to this. */
  readonly maxStorageGiB: number;
  readonly backupDays: number;
  readonly deletionProtection: boolean;
  readonly multiAz: boolean;
}

/** Who on GitHub may deploy to the stage. */
export interface GithubSettings {
  /** "owner/name", or "owner@id/name@id" where the tokens' subject has ids. */
  readonly repository: string;
  /** Environments of the repository whose jobs may. */
  readonly environments: readonly string[];
  /** The account's identity provider for GitHub; null: it is made. */
  readonly providerArn: string | null;
  /** Whether nothing but this stage is in its account, which workflows administer. */
  readonly ownAccount: boolean;
}

/** A name of one's own for the sites. */
export interface DomainSettings {
  /** The first namespace's site has it (main in prod, staging in develop), every other one NAMESPACE.<name>. */
  readonly name: string;
  /** A certificate for all of them, in us-east-1, where CloudFront looks. */
  readonly certificateArn: string;
}

export type Network = "public" | "nat" | "endpoints";

export interface Settings {
  readonly network: Network;
  readonly vpc: TakenVpc | null;
  readonly database: TakenDatabase | null;
  readonly newDatabase: NewDatabase;
  readonly site: "website" | "cloudfront";
  /** Null: the names that CloudFront gives, with its certificate. */
  readonly domain: DomainSettings | null;
  readonly slack: boolean;
  readonly alarmEmails: readonly string[];
  readonly logRetentionDays: number;
  /** Who read and wrote in the buckets, and who read the sites. */
  readonly accessLogs: boolean;
  /** Who talked with whom in the network. */
  readonly flowLogs: boolean;
  /** Whether images, logs and alarms are encrypted with a key of the stage's own. */
  readonly ownKey: boolean;
  readonly github: GithubSettings | null;
  readonly pipelines: Readonly<Record<string, PipelineSettings>>;
}

/** What CloudWatch Logs can keep for. */
const RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731];
const NAMES = [
  ...["network", "vpc", "database", "newDatabase", "site", "domain", "slack"],
  ...["alarmEmails", "logRetentionDays", "accessLogs", "flowLogs", "ownKey", "github", "pipelines"],
];
const SUBNETS = [/^subnet-[0-9a-f]+$/, "ids like subnet-0a1b2c3d"] as const;

function fileOf(stage: Stage): string {
  return `infra/settings/${stage}.json`;
}

/** Reads the settings file of a stage. */
export function readSettings(stage: Stage, pipelines: readonly Job[]): Settings {
  const file = fileOf(stage);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(new URL(`settings/${stage}.json`, import.meta.url), "utf8"));
  } catch (cause) {
    throw new HdashError("config", `${file} cannot be read`, { cause });
  }
  return parseSettings(stage, value, pipelines);
}

/** Checks the settings of a stage's file. Throws one config error that lists every problem. */
export function parseSettings(stage: Stage, value: unknown, pipelines: readonly Job[]): Settings {
  const file = fileOf(stage);
  const problems: string[] = [];
  const fields = openFields(`${file}:`, value, NAMES, problems);
  const database = nullOr(fields, "database", TAKEN_DATABASE, readTakenDatabase);
  const newDatabase = readNewDatabase(
    openFields(`${fields.where}.newDatabase`, fields.values["newDatabase"], NEW_DATABASE, problems),
  );
  const vpc = nullOr(fields, "vpc", TAKEN_VPC, (inner) => readVpc(inner, database === null));
  const network = choiceOf(fields, "network", ["public", "nat", "endpoints"]);
  const site = choiceOf(fields, "site", ["website", "cloudfront"]);
  const domain = nullOr(fields, "domain", DOMAIN, readDomain);
  if (domain !== null && site === "website") {
    problems.push(
      `${fields.where}.domain is given, but only CloudFront serves it: site has to be "cloudfront"`,
    );
  }
  const settings: Settings = {
    network,
    vpc,
    database,
    newDatabase,
    site,
    domain,
    slack: flagOf(fields, "slack"),
    alarmEmails: textsOf(fields, "alarmEmails", /^[^\s@]+@[^\s@]+\.[^\s@]+$/, "e-mail addresses"),
    logRetentionDays: oneOf(fields, "logRetentionDays", RETENTION_DAYS),
    accessLogs: flagOf(fields, "accessLogs"),
    flowLogs: flagOf(fields, "flowLogs"),
    ownKey: flagOf(fields, "ownKey"),
    github: nullOr(fields, "github", GITHUB, (inner) => readGithub(inner, stage)),
    pipelines: readPipelineSettings(fields, pipelines, network),
  };
  if (problems.length === 0) return settings;
  const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
  const lines = problems.map((line) => line.replaceAll(":.", ": "));
  throw new HdashError("config", `${count} in the settings:\n  ${lines.join("\n  ")}`, {
    hint: "infra/README.md has a table of the settings.",
  });
}

const TAKEN_VPC = ["id", "taskSubnets", "databaseSubnets", "routeTables"];

function readVpc(fields: Fields, needsDatabase: boolean): TakenVpc {
  return {
    id: textOf(fields, "id", /^vpc-[0-9a-f]+$/, "an id like vpc-0a1b2c3d"),
    taskSubnets: textsOf(fields, "taskSubnets", ...SUBNETS, 1),
    // RDS wants two availability zones even for one instance.
    databaseSubnets: textsOf(fields, "databaseSubnets", ...SUBNETS, needsDatabase ? 2 : 0),
    routeTables: textsOf(fields, "routeTables", /^rtb-[0-9a-f]+$/, "ids like rtb-0a1b2c3d"),
  };
}

const TAKEN_DATABASE = ["host", "port", "name", "secretArn", "securityGroup", "instance"];
const INSTANCE = [/^[a-z][a-z0-9-]{0,62}$/, "null or the identifier of an RDS instance"] as const;

function readTakenDatabase(fields: Fields): TakenDatabase {
  return {
    host: textOf(fields, "host", /^[A-Za-z0-9.-]+$/, "a host's name"),
    port: countOf(fields, "port", 1, 65_535),
    name: textOf(fields, "name", /^[A-Za-z_][A-Za-z0-9_]{0,62}$/, "a database's name"),
    secretArn: textOf(
      fields,
      "secretArn",
      /^arn:[a-z-]+:secretsmanager:[a-z0-9-]+:\d{12}:secret:\S+-[A-Za-z0-9]{6}$/,
      "the whole ARN of a secret, with the six characters at its end",
    ),
    securityGroup: textOf(fields, "securityGroup", /^sg-[0-9a-f]+$/, "an id like sg-0a1b2c3d"),
    instance: fields.values["instance"] === null ? null : textOf(fields, "instance", ...INSTANCE),
  };
}

const DOMAIN = ["name", "certificateArn"];
/** Names of hosts in small letters, at least two words. */
const HOST = /^(?=.{1,200}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/;

function readDomain(fields: Fields): DomainSettings {
  return {
    name: textOf(fields, "name", HOST, "a host's name in small letters"),
    certificateArn: textOf(
      fields,
      "certificateArn",
      /^arn:[a-z-]+:acm:us-east-1:\d{12}:certificate\/[0-9a-f-]+$/,
      "the ARN of a certificate in us-east-1",
    ),
  };
}

const NEW_DATABASE = [
  ...["class", "storageGiB", "maxStorageGiB"],
  ...["backupDays", "deletionProtection", "multiAz"],
];

function readNewDatabase(fields: Fields): NewDatabase {
  // gp3 begins at 20 GiB.
  const storageGiB = countOf(fields, "storageGiB", 20, 65_536);
  return {
    class: textOf(fields, "class", /^db\.[a-z0-9]+\.[a-z0-9]+$/, "a class like db.t4g.micro"),
    storageGiB,
    // RDS refuses less than a tenth more.
    maxStorageGiB: countOf(fields, "maxStorageGiB", Math.ceil((storageGiB * 11) / 10), 65_536),
    // None at all is no choice: nothing else brings the ledger back.
    backupDays: countOf(fields, "backupDays", 1, 35),
    deletionProtection: flagOf(fields, "deletionProtection"),
    multiAz: flagOf(fields, "multiAz"),
  };
}

/** As the subject of GitHub's tokens has it: newer repositories' with the ids of owner and repository. */
const REPOSITORY = /^[\w.-]+(@\d+)?\/[\w.-]+(@\d+)?$/;
const PROVIDER = /^arn:[a-z-]+:iam::\d{12}:oidc-provider\/token\.actions\.githubusercontent\.com$/;

const GITHUB = ["repository", "environments", "providerArn", "ownAccount"];

function readGithub(fields: Fields, stage: Stage): GithubSettings {
  const ownAccount = flagOf(fields, "ownAccount");
  // Workflows deploy as administrators of the account, and develop's run the code of everybody who may push.
  if (stage === "develop" && fields.values["ownAccount"] === false) {
    fields.problems.push(
      `${fields.where}.ownAccount is false, but workflows administer the account that they deploy to, and whoever may push is a workflow of develop: give it an account in which nothing else is`,
    );
  }
  return {
    ownAccount,
    repository: textOf(fields, "repository", REPOSITORY, "owner/name or owner@id/name@id"),
    // No wildcard, no colon: the token's subject is compared as a whole.
    environments: textsOf(fields, "environments", /^[\w.-]+$/, "names of environments", 1),
    providerArn:
      fields.values["providerArn"] === null
        ? null
        : textOf(fields, "providerArn", PROVIDER, "null or the ARN of GitHub's identity provider"),
  };
}
