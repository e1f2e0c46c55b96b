// Environment → Config. The only reader of the environment; it reports every bad variable at once, and never prints a secret's value.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { customCleanEnv, EnvMissingError } from "envalid";

import { isThisMachine } from "../address.ts";
import { HdashError, messageOf } from "../error.ts";
import { quoted } from "../format.ts";
import { addressesInClear, IN_CLEAR } from "./inClear.ts";
import type { JobSettings } from "./jobSettings.ts";
import { placesOf } from "./namespace.ts";
import { problemText } from "./problemText.ts";
import { SPECS } from "./rules.ts";
import { SHARED_VARIABLES, type Variable } from "./variables.ts";

/** What a command is going to use: only what it needs can be missing. */
export type Need = "database" | "site" | "slack" | "artifacts";

/** A job as far as its settings go. */
export interface JobWithSettings<S = unknown> {
  readonly name: string;
  readonly settings: JobSettings<S>;
}

export type LogFormat = "auto" | "plain" | "json";
export type LogLevel = "debug" | "info" | "warn" | "error";

export interface DatabaseTls {
  /** PEM text; null: the system's authorities. */
  readonly ca: string | null;
  readonly rejectUnauthorized: true;
}

export interface S3Config {
  /** Null: AWS. */
  readonly endpoint: string | null;
  readonly region: string;
  /** Null: the AWS default chain. */
  readonly credentials: {
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  } | null;
  /** Whose keys of ~/.aws are used; missing: the default ones. */
  readonly profile?: string;
}

/** Everything that is configurable, checked and with defaults filled in. */
export interface Config {
  readonly database:
    | {
        readonly kind: "postgres";
        readonly host: string;
        readonly port: number;
        readonly user: string;
        readonly password: string;
        readonly rolePassword: string | null;
        readonly name: string;
        readonly schema: string;
        readonly tls: DatabaseTls | null;
      }
    | { readonly kind: "embedded"; readonly dir: string };
  readonly site:
    | ({ readonly kind: "s3"; readonly bucket: string; readonly prefix: string } & S3Config)
    | { readonly kind: "folder"; readonly dir: string };
  /** How any bucket is reached. */
  readonly s3: S3Config;
  /** A job's own settings; null where it is not asked for. */
  of<S>(job: JobWithSettings<S>): S | null;
  /** Names of the jobs that the environment has variables for. */
  readonly given: readonly string[];
  /** Where people see the site; null when nobody said. A folder's is its file: URL. */
  readonly siteUrl: string | null;
  readonly slack: { readonly webhookUrl: string | null; readonly label: string | null };
  /** What crates say of those who made them; null where nobody said. */
  readonly provenance: { readonly agent: string | null; readonly licence: string | null };
  /** Which deployment this is; null where it is the only one. */
  readonly namespace: string | null;
  /** Bucket that holds the artifacts of every namespace; null: hdash's own are used. */
  readonly workBucket: string | null;
  /** Absolute path. */
  readonly home: string;
  readonly concurrency: number;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** Values that must never be printed. */
  readonly secrets: readonly string[];
}

/** What of a configuration decides how a log is written. */
export type LogConfig = Pick<Config, "log" | "secrets">;

/** An environment: process.env, or what a test makes. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks the environment. Throws one config error that lists every problem: the variable, what is wrong with it and an example.
 * @param needs what the command will use; what it does not use may be missing (but not malformed).
 * @param jobs all that there are. @param asked names of those that are going to run. @param flags flags that stand for variables, by these.
 */
export function readConfig(
  env: Environment,
  needs: readonly Need[],
  jobs: readonly JobWithSettings[],
  asked: readonly string[] = [],
  flags: Readonly<Record<string, string>> = {},
): Config {
  const known = variablesOf(jobs);
  const problem = (name: string, what: string): string =>
    problemText(known, name, what, flags[name] ?? null);
  const problems: string[] = [];
  /** What has no value since its value is wrong, which is said. */
  const wrong = new Set<string>();
  const given = withoutEmpty(env);
  // Not cleanEnv: its proxy throws at the first look at a variable that is wrong, and we go on to find the others.
  const takeErrors = ({ errors }: Errors): void => {
    for (const [name, error] of Object.entries(errors)) {
      wrong.add(name);
      if (error instanceof EnvMissingError) problems.push(problem(name, "is not set"));
      else if (error !== undefined) problems.push(problem(name, error.message));
    }
  };
  const values = customCleanEnv(given, SPECS, (clean) => clean, { reporter: takeErrors });
  const own: Readonly<Record<string, unknown>> = customCleanEnv(
    given,
    Object.assign({}, ...jobs.map(({ settings }) => settings.rules)) as JobSettings["rules"],
    (clean) => clean,
    { reporter: takeErrors },
  );
  const text = (name: string): string | null => {
    const value: unknown = name in SPECS ? values[name as keyof typeof SPECS] : own[name];
    return typeof value === "string" && value !== "" ? value : null;
  };
  const need = (name: string, why: string): string => {
    const value = text(name);
    if (value === null && !problems.some((line) => line.startsWith(`${name} `))) {
      problems.push(problem(name, `is not set, but ${why}`));
    }
    return value ?? "";
  };

  const namespace = text("NAMESPACE");
  const places = namespace === null ? null : placesOf(namespace);
  // A deployment that says who it is must not write where another one lives.
  const placed = (name: string, own: string | undefined): string | null => {
    const value = text(name)?.replace(/\/+$/, "") ?? null;
    if (own === undefined || value === null) return value ?? own ?? null;
    if (value !== own) {
      problems.push(
        problem(name, `is ${quoted(value)}, but the namespace ${namespace ?? ""} has ${own}`),
      );
    }
    return own;
  };
  const schema = placed("HDASH_DB_SCHEMA", places?.schema) ?? "hdash";
  const prefix = placed("S3_PREFIX", places?.prefix.slice(0, -1)) ?? "";

  const home = resolve(text("HDASH_HOME") ?? ".hdash");
  const database = readDatabase(text, need, { port: values.HDASH_DB_PORT, schema, home, problems });
  const s3 = readS3(text, need, (name) => given[name]?.trim());
  const ofJobs = new Map<string, unknown>();
  let jobsUseBuckets = false;
  for (const { name, settings } of jobs) {
    const found = settings.read({
      isAsked: asked.includes(name),
      text,
      value: <T>(variable: string) => (own[variable] ?? null) as T | null,
      need,
      report: (variable, what, flag) => {
        const said = problemText(known, variable, what, flag ?? flags[variable] ?? null);
        if (!wrong.has(variable)) problems.push(said);
      },
    });
    ofJobs.set(name, found);
    jobsUseBuckets ||= found !== null && settings.usesBuckets?.(found) === true;
  }
  const workBucket = needs.includes("artifacts")
    ? need("HDASH_WORK_BUCKET", "artifacts are kept in it")
    : text("HDASH_WORK_BUCKET");
  const hasBuckets =
    // A command that publishes needs the site's bucket as well; one that only looks after artifacts does not.
    (workBucket !== null && !needs.includes("site")) || jobsUseBuckets;
  const site = readSite(text, need, { home, s3, prefix, hasBuckets, problems });
  if (!values.HDASH_ALLOW_HTTP) {
    problems.push(...addressesInClear(jobs, text).map((name) => problem(name, IN_CLEAR)));
  }
  if (needs.includes("slack")) need("SLACK_WEBHOOK_URL", "a message has to be posted");

  if (problems.length > 0) {
    const [only] = problems; // one line says what, which value and what to do
    if (problems.length === 1 && only !== undefined) throw new HdashError("config", only);
    const listed = problems.join("\n  ");
    throw new HdashError(
      "config",
      `${problems.length} problems in the configuration:\n  ${listed}`,
      {
        hint: "Set them in the environment, or in a file passed with --env-file; .env.example names them all.",
      },
    );
  }
  return {
    database,
    site,
    s3,
    // Each was read by the settings of the job of that name.
    of: <S>(job: JobWithSettings<S>) => (ofJobs.get(job.name) ?? null) as S | null,
    given: givenJobs(env, jobs),
    siteUrl:
      text("S3_WEB_SITE_URL") ??
      (site.kind === "folder" ? pathToFileURL(resolve(site.dir, "index.html")).href : null),
    ...readWords(text, places?.label ?? null),
    namespace,
    workBucket,
    home,
    concurrency: values.HDASH_CONCURRENCY,
    log: { level: values.HDASH_LOG_LEVEL, format: values.HDASH_LOG_FORMAT },
    secrets: secretsIn(given, known),
  };
}

/** Reads how a log is to be written from an environment in which anything may be wrong: what is wrong of it counts as not set. */
export function readLogConfig(env: Environment, jobs: readonly JobWithSettings[]): LogConfig {
  const given = withoutEmpty(env);
  const { HDASH_LOG_LEVEL, HDASH_LOG_FORMAT } = SPECS;
  const { HDASH_LOG_LEVEL: level, HDASH_LOG_FORMAT: format } = customCleanEnv(
    given,
    { HDASH_LOG_LEVEL, HDASH_LOG_FORMAT },
    (clean) => clean,
    { reporter: () => {} },
  );
  return {
    log: { level: level ?? "info", format: format ?? "auto" },
    secrets: secretsIn(given, variablesOf(jobs)),
  };
}

function secretsIn(given: Environment, variables: readonly Variable[]): readonly string[] {
  return variables
    .filter(({ secret }) => secret)
    .map(({ name }) => given[name]?.trim())
    .filter((value): value is string => value !== undefined);
}

/** Names the jobs that an environment is for, right or wrong: half a configuration is to be completed, not passed over. */
export function givenJobs(env: Environment, jobs: readonly JobWithSettings[]): readonly string[] {
  const given = withoutEmpty(env);
  const claims = jobs.map(({ settings }) => settings.claims?.(given) ?? []);
  const isOfAnother = (name: string, own: number): boolean =>
    claims.some((claimed, at) => at !== own && claimed.includes(name));
  return jobs
    .filter(({ settings }, own) =>
      settings.isGiven(Object.keys(given).filter((name) => !isOfAnother(name, own))),
    )
    .map(({ name }) => name);
}

/** Every variable that hdash reads: the shared ones, then those of each job; one that several jobs have stands with the first of them. */
export function variablesOf(jobs: readonly JobWithSettings[]): readonly Variable[] {
  const all = [...SHARED_VARIABLES, ...jobs.flatMap(({ settings }) => settings.variables)];
  return all.filter((one, at) => all.indexOf(one) === at);
}

/** An empty value is how .env files and task definitions say "not set". */
function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
}

/** What messages and crates say of the deployment. */
function readWords(text: Text, label: string | null): Pick<Config, "slack" | "provenance"> {
  return {
    slack: { webhookUrl: text("SLACK_WEBHOOK_URL"), label: text("HDASH_LABEL") ?? label },
    provenance: { agent: text("HDASH_AGENT"), licence: text("HDASH_LICENCE") },
  };
}

type Text = (name: string) => string | null;
type Needed = (name: string, why: string) => string;

function readDatabase(
  text: Text,
  need: Needed,
  known: {
    readonly port: number;
    readonly schema: string;
    readonly home: string;
    readonly problems: string[];
  },
): Config["database"] {
  const { port, schema, home, problems } = known;
  const isGiven = (name: string): boolean => text(name) !== null;
  const host = text("HDASH_DB_HOST");
  if (host === null) {
    // Half a configuration must not become a green run into a database that nobody keeps.
    const half = (["HDASH_DB_USER", "HDASH_DB_PASSWORD", "HDASH_DB_NAME"] as const).find(isGiven);
    if (half !== undefined) need("HDASH_DB_HOST", `${half} is`);
    return { kind: "embedded", dir: resolve(home, "database") };
  }
  const why = "HDASH_DB_HOST is";
  const caFile = text("HDASH_DB_CA_FILE");
  // A password is never sent in clear because nobody thought of it: only what stays on this machine goes without.
  const isPlain = caFile === null && isThisMachine(host);
  const wanted = text("HDASH_DB_TLS") ?? (isPlain ? "off" : "on");
  let tls: DatabaseTls | null = null;
  if (wanted === "on") {
    tls = { ca: caFile === null ? null : readPem(caFile, problems), rejectUnauthorized: true };
  } else if (caFile !== null) {
    problems.push(
      problem("HDASH_DB_TLS", "is off, but HDASH_DB_CA_FILE is set: use one or the other"),
    );
  }
  return {
    kind: "postgres",
    host,
    port,
    user: need("HDASH_DB_USER", why),
    password: need("HDASH_DB_PASSWORD", why),
    rolePassword: text("HDASH_DB_ROLE_PASSWORD"),
    name: need("HDASH_DB_NAME", why),
    schema,
    tls,
  };
}

function readPem(path: string, problems: string[]): string | null {
  try {
    const pem = readFileSync(path, "utf8");
    if (pem.includes("-----BEGIN CERTIFICATE-----")) return pem;
    problems.push(problem("HDASH_DB_CA_FILE", `names ${path}, which holds no PEM certificate`));
  } catch (error) {
    problems.push(problem("HDASH_DB_CA_FILE", `cannot be read (${messageOf(error)})`));
  }
  return null;
}

/** `aws` gives AWS's own variables: their older names count as well, which the SDK no longer reads but people still set. */
function readS3(text: Text, need: Needed, aws: (name: string) => string | undefined): S3Config {
  const profile = aws("AWS_PROFILE") ?? aws("AWS_DEFAULT_PROFILE");
  const isStatic = text("S3_ACCESS_KEY_ID") !== null || text("S3_SECRET_ACCESS_KEY") !== null;
  return {
    endpoint: text("S3_ENDPOINT_URL"),
    // AWS sets its own variable in every task.
    region: text("S3_REGION") ?? aws("AWS_REGION") ?? aws("AWS_DEFAULT_REGION") ?? "us-east-1",
    credentials: isStatic
      ? {
          accessKeyId: need("S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY is"),
          secretAccessKey: need("S3_SECRET_ACCESS_KEY", "S3_ACCESS_KEY_ID is"),
        }
      : null,
    ...(isStatic || profile === undefined ? {} : { profile }),
  };
}

function readSite(
  text: Text,
  need: Needed,
  known: {
    readonly home: string;
    readonly s3: S3Config;
    readonly prefix: string;
    /** True where buckets are used for something else than the site. */
    readonly hasBuckets: boolean;
    readonly problems: string[];
  },
): Config["site"] {
  const isGiven = (name: string): boolean => text(name) !== null;
  const bucket = text("S3_BUCKET_NAME");
  if (bucket === null) {
    const access = ["S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "S3_ENDPOINT_URL"] as const;
    const half = [...(known.hasBuckets ? [] : access), "S3_PREFIX" as const].find(isGiven);
    if (half !== undefined) need("S3_BUCKET_NAME", `${half} is`);
    const dir = text("HDASH_SITE_DIR") ?? resolve(known.home, "site");
    return { kind: "folder", dir: resolve(dir) };
  }
  if (text("HDASH_SITE_DIR") !== null) {
    known.problems.push(
      problem("HDASH_SITE_DIR", "is set, but so is S3_BUCKET_NAME: the site goes to one place"),
    );
  }
  return { kind: "s3", bucket, prefix: known.prefix, ...known.s3 };
}

/** What the reader of an environment says of it. */
interface Errors {
  readonly errors: Readonly<Record<string, Error | undefined>>;
}

function problem(name: string, what: string): string {
  return problemText(SHARED_VARIABLES, name, what);
}
