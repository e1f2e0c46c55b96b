// Whether a task's role is enough for what its schedules start, and no more: the cohort's commands run with its task's own variables on a strict
// S3 that refuses whatever the role of the template does not allow.

import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { start } from "../../test/support/command.ts";
import { createEmptyDatabase, databaseEnv } from "../../test/support/postgres.ts";
import { type S3Request, type S3Server, startS3 } from "../../test/support/s3Server.ts";
import { containerOf, environmentOf, policyOf } from "./support/tasks.ts";
import { COHORT, resourceOf, STAGING, synthesise, type Template } from "./support/templates.ts";

const CASES = join(import.meta.dirname, "../../test/fixtures/cohort/cases");
const CASE = "main/adults_v1/2026-01-11T05--00--08Z_case";
const SOURCE = "example-exports";
/** What the base stack would give, as this S3 has it. */
const BUCKETS: Readonly<Record<string, string>> = {
  SiteBucket: "site",
  WorkBucket: "work",
  CohortRawBucket: "raw",
  CohortIntermediateBucket: "intermediate",
  CohortProcessedBucket: "processed",
};
/** Which right an operation wants, as Amazon's reference of S3's actions has it. */
const RIGHTS: Readonly<Record<string, string>> = {
  GetObject: "s3:GetObject",
  HeadObject: "s3:GetObject",
  PutObject: "s3:PutObject",
  CreateMultipartUpload: "s3:PutObject",
  UploadPart: "s3:PutObject",
  CompleteMultipartUpload: "s3:PutObject",
  AbortMultipartUpload: "s3:AbortMultipartUpload",
  DeleteObject: "s3:DeleteObject",
  ListObjectsV2: "s3:ListBucket",
  ListMultipartUploads: "s3:ListBucketMultipartUploads",
};

interface Allowed {
  readonly Action: readonly string[];
  readonly Resource: readonly string[];
  readonly Condition?: { readonly StringLike?: Readonly<Record<string, string>> };
}

let home: string;
let s3: S3Server;
let database: Awaited<ReturnType<typeof createEmptyDatabase>>;
let template: Template;
beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), "hdash-granted-"));
  s3 = await startS3({ buckets: [SOURCE, ...Object.values(BUCKETS)] });
  database = await createEmptyDatabase();
  template = synthesise(STAGING, { pipelines: { cohort: COHORT } }).namespace;
});
afterAll(async () => {
  await s3.close();
  await database.drop();
  await rm(home, { recursive: true, force: true });
});

/** Writes the names of this S3's buckets for those that the stack does not know before it is deployed. */
const named = (text: string): string =>
  text
    .replace(/<(\w+)>/g, (whole, name: string) => BUCKETS[name] ?? whole)
    .replaceAll("<AWS::Partition>", "aws")
    .replaceAll("<AWS::Region>", "us-east-1");
const matches = (pattern: string, text: string): boolean =>
  pattern.endsWith("*") ? text.startsWith(pattern.slice(0, -1)) : text === pattern;

/** Says whether the role of the template allows a request. */
function isAllowed(statements: readonly Allowed[], request: S3Request): boolean {
  const { operation, bucket, key, query } = request;
  // The keys are in its body: what is gone afterwards is looked at.
  if (operation === "DeleteObjects") return true;
  const right = RIGHTS[operation] ?? operation;
  const arn = `arn:aws:s3:::${bucket}${key === "" ? "" : `/${key}`}`;
  return statements.some(({ Action, Resource, Condition }) => {
    const prefix = Condition?.StringLike?.["s3:prefix"];
    return (
      Action.includes(right) &&
      Resource.some((one) => matches(named(one), arn)) &&
      (prefix === undefined || matches(prefix, query.get("prefix") ?? ""))
    );
  });
}

/** What the container of the task gets, but with the database and the keys of this test. */
function environment(): Readonly<Record<string, string>> {
  const own = environmentOf(containerOf(template, "CohortTask"));
  const { HDASH_DB_CA_FILE: _, ...variables } = Object.fromEntries(
    Object.entries(own).map(([name, value]) => [name, named(value)]),
  );
  return {
    ...variables,
    ...databaseEnv(database.settings),
    HDASH_DB_TLS: "off",
    HDASH_DB_SCHEMA: variables["HDASH_DB_SCHEMA"] ?? "",
    S3_ACCESS_KEY_ID: s3.accessKeyId,
    S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    S3_ENDPOINT_URL: s3.url,
    S3_WEB_SITE_URL: "https://hdash.example.org/",
    HDASH_HOME: home,
    COHORT_MEMORY_MB: "1024",
    COHORT_KEEP_BUILDS: "0",
  };
}

/** Starts what a schedule starts, and says how it ended: nothing where it succeeded. */
async function run(schedule: string): Promise<string> {
  const { Target } = resourceOf(template, `Cohort${schedule}Schedule`);
  const { Input } = Target as { Input: string };
  const { containerOverrides } = JSON.parse(Input) as {
    containerOverrides: readonly [{ command: readonly [string, ...(readonly string[])] }];
  };
  const [, ...args] = containerOverrides[0].command;
  const { code, stdout, stderr } = await start("src/main.ts", args, environment()).ended;
  return code === 0 ? "" : `${String(code)}\n${stdout}\n${stderr}`;
}

const send = async (name: string): Promise<void> =>
  s3.setObject(
    SOURCE,
    `daily/staging/adults_v1/2026-01-11T05--00--08Z_case-${name}`,
    await readFile(join(CASES, name, CASE)),
  );

describe("the role of the cohort's task", () => {
  test("allows all that the commands of its schedules ask of S3, and another namespace's files stay", async () => {
    const neighbours = ["staging-2/a", "main/b"];
    for (const bucket of Object.values(BUCKETS)) {
      for (const key of neighbours) s3.setObject(bucket, key, "theirs");
    }
    const statements = policyOf(template, "CohortTaskRole") as readonly Allowed[];
    const refused: string[] = [];
    s3.setFaults((request) => {
      if (isAllowed(statements, request)) return null;
      const { operation, bucket, key, query } = request;
      refused.push(`${operation} ${bucket}/${key}${query.get("prefix") ?? ""}`);
      return { status: 403, code: "AccessDenied" };
    });
    await send("offsets");
    expect([await run("Ingest"), refused]).toEqual(["", []]);
    // The next build removes the one before.
    await send("open-names");
    s3.requests.length = 0;
    expect([await run("Ingest"), refused]).toEqual(["", []]);
    expect([await run("Sync"), refused]).toEqual(["", []]);
    expect([await run("Build"), refused]).toEqual(["", []]);
    const operations = new Set(s3.requests.map(({ operation }) => operation));
    expect([...operations]).toEqual(
      expect.arrayContaining(["DeleteObjects", "GetObject", "ListObjectsV2", "PutObject"]),
    );
    for (const bucket of Object.values(BUCKETS)) {
      const keys = [...s3.objects(bucket).keys()];
      expect(keys.filter((key) => !key.startsWith("staging/")).sort()).toEqual(
        [...neighbours].sort(),
      );
    }
    expect([...s3.objects("processed").keys()]).toContain("staging/parquet/current.json");
    expect([...s3.objects("site").keys()]).toContain("staging/cohorts/index.html");
  });
});
