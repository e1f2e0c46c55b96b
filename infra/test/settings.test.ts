import { readFileSync } from "node:fs";

import { describe, expect, test } from "vitest";

import { HdashError } from "../../src/error.ts";
import type { Job } from "../../src/job.ts";
import { JOBS } from "../../src/jobList.ts";
import { SCHEDULE_FORM } from "../schedule.ts";
import { parseSettings, readSettings, type Settings } from "../settings.ts";
import { deployedPipelines } from "../settingsOfPipelines.ts";
import { AS_DECLARED, DOMAIN, TAKEN } from "./support/templates.ts";

const FILE = "infra/settings/develop.json";
const GOOD = readSettings("develop", JOBS);
const parse = (changes: object, registry: readonly Job[] = JOBS): Settings =>
  parseSettings("develop", { ...GOOD, ...changes }, registry);

/** What is wrong with settings, line by line. */
function problemsOf(run: () => unknown): readonly string[] {
  try {
    run();
  } catch (error) {
    if (!(error instanceof HdashError)) throw error;
    expect(error.kind).toBe("config");
    const [head = "", ...lines] = error.message.split("\n  ");
    expect(head).toMatch(/^\d+ problems? in the settings:$/);
    return lines;
  }
  return [];
}
const pipeline = (changes: object): object => ({
  pipelines: { ...GOOD.pipelines, matrix: { ...GOOD.pipelines["matrix"], ...changes } },
});
const pipelineOnly = (matrix: object): object => ({
  pipelines: { ...GOOD.pipelines, matrix },
});
const matrixWith = (deployment: Partial<Job["deployment"]>): readonly Job[] =>
  JOBS.map((entry) =>
    entry.name === "matrix"
      ? { ...entry, deployment: { ...entry.deployment, ...deployment } }
      : entry,
  );

describe("readSettings(stage, pipelines)", () => {
  test.each(["develop", "prod"] as const)("reads the file of %s", (stage) => {
    expect(Object.keys(readSettings(stage, JOBS).pipelines)).toEqual(JOBS.map(({ name }) => name));
  });
});

describe("parseSettings(stage, value, pipelines)", () => {
  test("refuses values that hdash would refuse when its task starts", () => {
    const variables = { MATRIX_SOURCE: "local", HDASH_CONCURRENCY: "lots" };
    const lines = problemsOf(() => parse(pipeline({ variables })));
    expect(lines).toHaveLength(2);
    for (const line of lines) {
      expect(line).toMatch(
        /^infra\/settings\/develop\.json: pipelines\.matrix\.variables: (MATRIX_PATH|HDASH_CONCURRENCY) /,
      );
    }
  });

  test("has a pipeline that the file does not name run as its job says", () => {
    const { matrix } = GOOD.pipelines;
    expect(parse({ pipelines: { matrix } }).pipelines).toEqual({
      matrix,
      htan: AS_DECLARED,
      // It wants a variable that is not there.
      cohort: { ...AS_DECLARED, enabled: false },
    });
  });

  test("takes what is there already", () => {
    const github = {
      repository: "example/hdash",
      environments: ["develop", "staging"],
      providerArn: "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com",
      ownAccount: true,
    };
    expect(parse({ ...TAKEN, github })).toEqual({ ...GOOD, ...TAKEN, github });
    const own = { domain: DOMAIN, accessLogs: true, flowLogs: true, ownKey: true };
    expect(parse(own)).toEqual({ ...GOOD, ...own });
    const ids = { github: { ...github, repository: "example@123/hdash@456" } };
    expect(parse(ids)).toEqual({ ...GOOD, ...ids });
  });

  test.each<[string, object, string]>([
    ["a network", { network: "vpn" }, `network is "vpn", but must be public or nat or endpoints`],
    ["a site", { site: "ftp" }, `site is "ftp", but must be website or cloudfront`],
    ["access logs", { accessLogs: 1 }, "accessLogs is 1, but must be true or false"],
    ["flow logs", { flowLogs: null }, "flowLogs is null, but must be true or false"],
    ["a key", { ownKey: "alias/mine" }, `ownKey is "alias/mine", but must be true or false`],
    ["a domain that is a name", { domain: "a.org" }, `domain is "a.org", but must be an object`],
    [
      "a domain with a scheme",
      { domain: { ...DOMAIN, name: "https://a.org" } },
      `domain.name is "https://a.org", but must be a host's name in small letters`,
    ],
    [
      "a certificate that CloudFront does not see",
      {
        domain: {
          ...DOMAIN,
          certificateArn: DOMAIN.certificateArn.replace("us-east-1", "eu-west-1"),
        },
      },
      `domain.certificateArn is "${DOMAIN.certificateArn.replace("us-east-1", "eu-west-1")}", but must be the ARN of a certificate in us-east-1`,
    ],
    [
      "a domain for a website, which has no TLS",
      { domain: DOMAIN, site: "website" },
      `domain is given, but only CloudFront serves it: site has to be "cloudfront"`,
    ],
    ["a flag", { slack: "yes" }, `slack is "yes", but must be true or false`],
    [
      "an address",
      { alarmEmails: ["ops"] },
      `alarmEmails is ["ops"], but must be a list: e-mail addresses`,
    ],
    [
      "a retention",
      { logRetentionDays: 31 },
      "logRetentionDays is 31, but must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731",
    ],
    ["a VPC that is no object", { vpc: "vpc-1" }, `vpc is "vpc-1", but must be an object`],
    [
      "a VPC's id",
      { ...TAKEN, vpc: { ...TAKEN.vpc, id: "main" } },
      `vpc.id is "main", but must be an id like vpc-0a1b2c3d`,
    ],
    [
      "a VPC without subnets",
      { ...TAKEN, vpc: { ...TAKEN.vpc, taskSubnets: [] } },
      "vpc.taskSubnets is [], but must be a list: at least 1 of them, ids like subnet-0a1b2c3d",
    ],
    [
      "a VPC without subnets for a new database",
      { vpc: TAKEN.vpc },
      "vpc.databaseSubnets is [], but must be a list: at least 2 of them, ids like subnet-0a1b2c3d",
    ],
    [
      "a secret's name instead of its ARN",
      { database: { ...TAKEN.database, secretArn: "shared/db" } },
      `database.secretArn is "shared/db", but must be the whole ARN of a secret, with the six characters at its end`,
    ],
    [
      "a port",
      { database: { ...TAKEN.database, port: 0 } },
      "database.port is 0, but must be a whole number from 1 to 65535",
    ],
    [
      "a database without its instance",
      { database: { ...TAKEN.database, instance: undefined } },
      "database.instance is missing, but must be null or the identifier of an RDS instance",
    ],
    [
      "a database that shrinks",
      { newDatabase: { ...GOOD.newDatabase, maxStorageGiB: 10 } },
      "newDatabase.maxStorageGiB is 10, but must be a whole number from 22 to 65536",
    ],
    [
      "no backups",
      { newDatabase: { ...GOOD.newDatabase, backupDays: 0 } },
      "newDatabase.backupDays is 0, but must be a whole number from 1 to 35",
    ],
    [
      "an environment with a wildcard",
      { github: { repository: "a/b", environments: ["*"], providerArn: null, ownAccount: true } },
      `github.environments is ["*"], but must be a list: at least 1 of them, names of environments`,
    ],
    [
      "a repository without an owner",
      {
        github: {
          repository: "hdash",
          environments: ["develop"],
          providerArn: null,
          ownAccount: true,
        },
      },
      `github.repository is "hdash", but must be owner/name or owner@id/name@id`,
    ],
    [
      "another identity provider",
      {
        github: {
          repository: "a/b",
          environments: ["develop"],
          providerArn: "arn:x",
          ownAccount: true,
        },
      },
      `github.providerArn is "arn:x", but must be null or the ARN of GitHub's identity provider`,
    ],
    [
      "a setting that there is not",
      { colour: "red" },
      "colour is no setting; there are network, vpc, database, newDatabase, site, domain, slack, alarmEmails, logRetentionDays, accessLogs, flowLogs, ownKey, github, pipelines",
    ],
    [
      "a pipeline that there is not",
      { pipelines: { ...GOOD.pipelines, recover: {} } },
      "pipelines.recover is no setting; there are matrix, htan, cohort",
    ],
    [
      "a pipeline that is no object",
      { pipelines: { ...GOOD.pipelines, htan: null } },
      "pipelines.htan is null, but must be an object",
    ],
    [
      "a schedule of cron's",
      pipeline({ schedule: "0 3 * * *" }),
      `pipelines.matrix.schedule is "0 3 * * *", but must be null, ${SCHEDULE_FORM}`,
    ],
    [
      "a schedule of its own without its lateness",
      pipeline({ schedule: "rate(2 days)" }),
      "pipelines.matrix.lateAfterHours is null, but a schedule of its own needs its own: ",
    ],
    [
      "a lateness between two runs",
      pipeline({ schedule: "rate(2 days)", lateAfterHours: 48 }),
      "pipelines.matrix.lateAfterHours is 48, but must be more than lie between two runs, which is 48 hours; ",
    ],
    [
      "a lateness that does not fit the registry's schedule",
      pipeline({ lateAfterHours: 24 }),
      "pipelines.matrix.lateAfterHours is 24, but must be more than lie between two runs, which is 24 hours; ",
    ],
    [
      "a schedule that is rarer than an alarm looks back",
      pipeline({ schedule: "cron(0 3 1 * ? *)", lateAfterHours: 168 }),
      "pipelines.matrix.lateAfterHours is 168, but must be more than lie between two runs, which is 744 hours; an alarm looks back 168 hours at most",
    ],
    [
      "a day that there is not",
      pipeline({ schedule: "cron(0 3 30 2 ? *)", lateAfterHours: 168 }),
      "pipelines.matrix.lateAfterHours is 168, but must be more than lie between two runs, which is for ever; ",
    ],
    [
      "workflows in an account that is not develop's own",
      {
        github: { repository: "a/b", environments: ["c"], providerArn: null, ownAccount: false },
      },
      "github.ownAccount is false, but workflows administer the account that they deploy to, ",
    ],
    [
      "a variable that hdash does not read",
      pipeline({ variables: { MATRIX_COLOUR: "red" } }),
      "pipelines.matrix.variables.MATRIX_COLOUR is no setting; there are ",
    ],
    [
      "a number for a variable",
      pipeline({ variables: { HDASH_CONCURRENCY: 4 } }),
      "pipelines.matrix.variables.HDASH_CONCURRENCY is 4, but must be a text",
    ],
    [
      "a variable of the stack's own",
      pipeline({ variables: { S3_PREFIX: "foo/" } }),
      "pipelines.matrix.variables.S3_PREFIX is set by the stack",
    ],
    [
      "another bucket for figures",
      pipeline({ variables: { MATRIX_TARGET_BUCKET: "example" } }),
      "pipelines.matrix.variables.MATRIX_TARGET_BUCKET is of no use: a task may write to its namespace's folders only",
    ],
    [
      "a secret in the open",
      pipeline({ variables: { SLACK_WEBHOOK_URL: "https://hooks.example.org" } }),
      "pipelines.matrix.variables.SLACK_WEBHOOK_URL is a secret: it is filled in at Secrets Manager, never here",
    ],
    [
      "a bucket's address",
      pipeline({ readBuckets: ["s3://example"] }),
      `pipelines.matrix.readBuckets is ["s3://example"], but must be a list: names of buckets`,
    ],
  ])("refuses %s, naming file, field and value", (_, changes, expected) => {
    const problems = problemsOf(() => parse(changes));
    expect(problems.map((line) => line.slice(0, FILE.length + 2 + expected.length))).toEqual([
      `${FILE}: ${expected}`,
    ]);
  });

  test("leaves it to prod whether its account holds other things", () => {
    const github = {
      ...{ repository: "example/hdash", environments: ["production"], providerArn: null },
      ownAccount: false,
    };
    expect(parseSettings("prod", { ...GOOD, github }, JOBS).github).toEqual(github);
  });

  test("takes a schedule with its lateness", () => {
    const changes = pipeline({ schedule: "cron(0 3 ? * MON-FRI *)", lateAfterHours: 80 });
    expect(parse(changes)).toEqual({ ...GOOD, ...changes });
  });

  test("lists every problem at once, and does not show a secret's value", () => {
    const changes = {
      network: "vpn",
      slack: null,
      ...pipeline({ variables: { SYNAPSE_PASSWORD: ["hush"] } }),
    };
    const problems = problemsOf(() => parse(changes));
    expect(problems).toHaveLength(3);
    expect(problems.join("\n")).not.toContain("hush");
  });

  test("refuses an empty object, each of whose fields is missing", () => {
    expect(problemsOf(() => parse(pipelineOnly({})))).toEqual(
      [
        "enabled is missing, but must be true or false",
        `schedule is missing, but must be null, ${SCHEDULE_FORM}`,
        "lateAfterHours is missing, but must be a whole number from 1 to 168",
        "variables is missing, but must be an object",
        "readBuckets is missing, but must be a list: names of buckets",
      ].map((line) => `${FILE}: pipelines.matrix.${line}`),
    );
  });

  test("refuses a file that holds no object", () => {
    expect(problemsOf(() => parseSettings("develop", null, JOBS))[0]).toBe(
      `${FILE}: is null, but must be an object`,
    );
  });

  test.each<[string, Partial<Job["deployment"]>, string]>([
    [
      "memory",
      { cpu: 2048, memoryMiB: 3000 },
      "matrix.memoryMiB is 3000, but Fargate has 4096 to 16384 in steps of 1024 for 2048 units of CPU",
    ],
    ["a disk", { diskGiB: 300 }, "matrix.diskGiB is 300, but Fargate has 21 to 200"],
    [
      "lateness",
      { lateAfterHours: 200 },
      "matrix.lateAfterHours is 200, but an alarm looks back 1 to 168 hours",
    ],
  ])("refuses %s that AWS does not have", (_, deployment, expected) => {
    expect(problemsOf(() => parse({}, matrixWith(deployment)))).toEqual([
      `src/jobs/matrix/job.ts: ${expected}`,
    ]);
  });
});

describe("the table of settings in infra/README.md", () => {
  test("names every setting and no other", () => {
    const text = readFileSync(new URL("../README.md", import.meta.url), "utf8");
    const section = text.split("## Settings\n")[1]?.split("\n## ")[0] ?? "";
    const named = [...section.matchAll(/^\| `([^`]+)`/gm)].map(([, name]) => name);
    const { pipelines, ...rest } = GOOD;
    const own = Object.keys(pipelines["matrix"] ?? {}).map((name) => `pipelines.NAME.${name}`);
    expect(named.sort()).toEqual([...Object.keys(rest), ...own].sort());
    const inner = [...Object.keys(TAKEN.vpc), ...Object.keys(TAKEN.database)];
    expect(
      [...inner, ...Object.keys(GOOD.newDatabase)].filter((name) => !section.includes(name)),
    ).toEqual([]);
  });
});

describe("a network without a way to the internet", () => {
  const on = GOOD.pipelines["matrix"];
  const off = { ...on, enabled: false };
  const says = (name: string, what: string): string =>
    `${FILE}: pipelines.${name}.enabled is true, but ${name} reads ${what} from the internet, which network "endpoints" does not reach: choose "public" or "nat", or switch ${name} off`;
  const canned = { ...on, variables: { MATRIX_SOURCE: "canned" }, readBuckets: ["example"] };

  test("is refused to pipelines that read the internet", () => {
    expect(problemsOf(() => parse({ network: "endpoints" }))).toEqual([
      says("matrix", "matrices (MATRIX_SOURCE=fresh)"),
      says("htan", "Synapse"),
    ]);
    const htan = { network: "endpoints", pipelines: { matrix: canned, htan: on } };
    expect(problemsOf(() => parse(htan))).toEqual([says("htan", "Synapse")]);
  });

  test("is good for canned matrices, which get no secret of Slack's", () => {
    const settings = parse({ network: "endpoints", pipelines: { matrix: canned, htan: off } });
    expect(
      deployedPipelines(JOBS, settings).map(({ name, enabled, secrets, variables }) => [
        name,
        enabled,
        secrets,
        variables,
      ]),
    ).toEqual([
      ["matrix", true, [], { MATRIX_SOURCE: "canned" }],
      ["htan", false, ["SYNAPSE_PASSWORD"], {}],
      ["cohort", false, [], { COHORT_MEMORY_MB: "6144" }],
    ]);
  });

  test("is refused to whatever job says that it reads the internet", () => {
    const registry = JOBS.map((entry) =>
      entry.name === "htan" ? { ...entry, name: "recover" } : entry,
    );
    const changes = { network: "endpoints", pipelines: { matrix: off, recover: on } };
    expect(problemsOf(() => parse(changes, registry))).toEqual([says("recover", "Synapse")]);
  });
});
