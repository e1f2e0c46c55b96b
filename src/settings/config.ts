// Environment → Config. The only reader of the environment; it reports every bad variable at once, and never prints a secret's value.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { customCleanEnv, EnvMissingError } from "envalid";

import { HdashError, messageOf } from "../error.ts";
import {
  makeMatrixConfig,
  type MatrixConfig,
  type MatrixValues,
  type Stage,
} from "../jobs/matrix/settings.ts";
import { placesOf } from "./namespace.ts";
import { SPECS } from "./rules.ts";
import { VARIABLES } from "./variables.ts";

/** What a command is going to use: only what it needs can be missing. */
export type Need = "synapse" | "database" | "site" | "matrices" | "slack" | "artifacts";

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
}

/** Everything that is configurable, checked and with defaults filled in. */
export interface Config {
  readonly synapse: {
    readonly endpoint: string;
    readonly user: string | null;
    readonly token: string | null;
    readonly masterView: string;
  };
  readonly database:
    | {
        readonly kind: "postgres";
        readonly host: string;
        readonly port: number;
        readonly user: string;
        readonly password: string;
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
  /** Null where no source of matrices is named: then the matrix job does not run. */
  readonly matrix: MatrixConfig | null;
  readonly given: GivenJobs;
  /** Where people see the site; null when nobody said. A folder's is its file: URL. */
  readonly siteUrl: string | null;
  readonly slack: { readonly webhookUrl: string | null; readonly label: string | null };
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

/** The jobs that an environment has variables for. */
export interface GivenJobs {
  readonly dashboard: boolean;
  readonly matrices: boolean;
}

/** An environment: process.env, or what a test makes. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks the environment. Throws one config error that lists every problem: the variable, what is wrong with it and an example.
 * @param needs what the command will use; what it does not use may be missing (but not malformed).
 */
export function readConfig(env: Environment, needs: readonly Need[]): Config {
  const problems: string[] = [];
  const given = withoutEmpty(env);
  // Not cleanEnv: its proxy throws at the first look at a variable that is wrong, and we go on to find the others.
  const values = customCleanEnv(given, SPECS, (clean) => clean, {
    reporter: ({ errors }) => {
      for (const [name, error] of Object.entries(errors)) {
        if (error instanceof EnvMissingError) problems.push(problem(name, "is not set"));
        else if (error !== undefined) problems.push(problem(name, error.message));
      }
    },
  });
  const text = (name: keyof typeof values): string | null => {
    const value: unknown = values[name];
    return typeof value === "string" && value !== "" ? value : null;
  };
  const need = (name: keyof typeof values, why: string): string => {
    const value = text(name);
    if (value === null && !problems.some((line) => line.startsWith(`${name} `))) {
      problems.push(problem(name, `is not set, but ${why}`));
    }
    return value ?? "";
  };

  const namespace = text("NAMESPACE");
  const places = namespace === null ? null : placesOf(namespace);
  // A deployment that says who it is must not write where another one lives.
  const placed = (name: keyof typeof values, own: string | undefined): string | null => {
    const value = text(name)?.replace(/\/+$/, "") ?? null;
    if (own === undefined || value === null) return value ?? own ?? null;
    if (value !== own) {
      problems.push(
        problem(
          name,
          `is ${JSON.stringify(value)}, but the namespace ${namespace ?? ""} has ${own}`,
        ),
      );
    }
    return own;
  };
  const schema = placed("HDASH_DB_SCHEMA", places?.schema) ?? "hdash";
  const prefix = placed("S3_PREFIX", places?.prefix.slice(0, -1)) ?? "";

  const home = resolve(text("HDASH_HOME") ?? ".hdash");
  const token = needs.includes("synapse")
    ? need("SYNAPSE_PASSWORD", "Synapse has to be read")
    : text("SYNAPSE_PASSWORD");
  const database = readDatabase(text, need, { port: values.HDASH_DB_PORT, schema, home, problems });
  const s3 = readS3(text, need, given["AWS_REGION"]?.trim());
  const matrix = makeMatrixConfig(matrixValues(values, text), (name, what) =>
    problems.push(problem(name, what)),
  );
  if (needs.includes("matrices")) need("MATRIX_SOURCE", "matrices have to be read");
  const workBucket = needs.includes("artifacts")
    ? need("HDASH_WORK_BUCKET", "artifacts are kept in it")
    : text("HDASH_WORK_BUCKET");
  const hasBuckets =
    // A command that publishes needs the site's bucket as well; one that only looks after artifacts does not.
    (workBucket !== null && !needs.includes("site")) ||
    (matrix !== null && (matrix.source.kind === "canned" || matrix.targetBucket !== null));
  const site = readSite(text, need, { home, s3, prefix, hasBuckets, problems });
  if (needs.includes("slack")) need("SLACK_WEBHOOK_URL", "a message has to be posted");

  if (problems.length > 0) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    throw new HdashError("config", `${count} in the configuration:\n  ${problems.join("\n  ")}`, {
      hint: "Set them in the environment, or in a file passed with --env-file; .env.example names them all.",
    });
  }
  return {
    synapse: {
      endpoint: values.SYNAPSE_ENDPOINT_URL.replace(/\/+$/, ""),
      user: text("SYNAPSE_USER"),
      token: token === "" ? null : token,
      masterView: values.SYNAPSE_MASTER_VIEW,
    },
    database,
    site,
    s3,
    matrix,
    given: givenJobs(env),
    siteUrl:
      text("S3_WEB_SITE_URL") ??
      (site.kind === "folder" ? pathToFileURL(resolve(site.dir, "index.html")).href : null),
    slack: {
      webhookUrl: text("SLACK_WEBHOOK_URL"),
      label: text("HDASH_LABEL") ?? places?.label ?? null,
    },
    namespace,
    workBucket,
    home,
    concurrency: values.HDASH_CONCURRENCY,
    log: { level: values.HDASH_LOG_LEVEL, format: values.HDASH_LOG_FORMAT },
    secrets: secretsIn(given),
  };
}

/** Reads how a log is to be written from an environment in which anything may be wrong: what is wrong of it counts as not set. */
export function readLogConfig(env: Environment): LogConfig {
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
    secrets: secretsIn(given),
  };
}

function secretsIn(given: Environment): readonly string[] {
  return VARIABLES.filter(({ secret }) => secret)
    .map(({ name }) => given[name]?.trim())
    .filter((value): value is string => value !== undefined);
}

/** Tells which jobs an environment is for, right or wrong: half a configuration is to be completed, not passed over. */
export function givenJobs(env: Environment): GivenJobs {
  const names = Object.keys(withoutEmpty(env));
  return {
    dashboard: names.some((name) => name.startsWith("SYNAPSE_")),
    matrices: names.includes("MATRIX_SOURCE"),
  };
}

/** An empty value is how .env files and task definitions say "not set". */
function withoutEmpty(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim()));
}

type Text = (name: keyof typeof SPECS) => string | null;
type Needed = (name: keyof typeof SPECS, why: string) => string;

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
  const isGiven = (name: keyof typeof SPECS): boolean => text(name) !== null;
  const host = text("HDASH_DB_HOST");
  if (host === null) {
    // Half a configuration must not become a green run into a database that nobody keeps.
    const half = (["HDASH_DB_USER", "HDASH_DB_PASSWORD", "HDASH_DB_NAME"] as const).find(isGiven);
    if (half !== undefined) need("HDASH_DB_HOST", `${half} is`);
    return { kind: "embedded", dir: resolve(home, "database") };
  }
  const why = "HDASH_DB_HOST is";
  const caFile = text("HDASH_DB_CA_FILE");
  const wanted = text("HDASH_DB_TLS") ?? (caFile === null ? "off" : "on");
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

function readS3(text: Text, need: Needed, awsRegion: string | undefined): S3Config {
  const isStatic = text("S3_ACCESS_KEY_ID") !== null || text("S3_SECRET_ACCESS_KEY") !== null;
  return {
    endpoint: text("S3_ENDPOINT_URL"),
    // AWS sets its own variable in every task.
    region: text("S3_REGION") ?? awsRegion ?? "us-east-1",
    credentials: isStatic
      ? {
          accessKeyId: need("S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY is"),
          secretAccessKey: need("S3_SECRET_ACCESS_KEY", "S3_ACCESS_KEY_ID is"),
        }
      : null,
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
  const isGiven = (name: keyof typeof SPECS): boolean => text(name) !== null;
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

function matrixValues(
  values: { readonly [K in keyof typeof SPECS]?: unknown },
  text: Text,
): MatrixValues {
  // envalid has checked each against its list, or there is a problem and nothing of this is used.
  const choice = <T>(name: keyof typeof SPECS): T | null => (values[name] ?? null) as T | null;
  return {
    source: choice("MATRIX_SOURCE"),
    sourceStage: choice<Stage>("MATRIX_SOURCE_STAGE") ?? "prod",
    sourceBucket: text("MATRIX_SOURCE_BUCKET"),
    targetStage: choice("MATRIX_TARGET_STAGE"),
    targetBucket: text("MATRIX_TARGET_BUCKET"),
    isPublicRead: choice("MATRIX_PUBLIC_READ") === true,
    path: text("MATRIX_PATH"),
    service: choice<MatrixValues["service"]>("MATRIX_SERVICE") ?? "azul",
    endpoint: text("MATRIX_ENDPOINT_URL"),
    catalog: text("MATRIX_CATALOG"),
    collection: text("MATRIX_COLLECTION"),
    pollSeconds: choice<number>("MATRIX_POLL_SECONDS") ?? 30,
    useBlacklist: choice("MATRIX_BLACKLIST") === true,
    targets: text("MATRIX_TARGET_UUIDS"),
    isForced: choice("MATRIX_FORCE") === true,
    diskMb: choice("MATRIX_DISK_MB"),
    atlases: text("MATRIX_ATLASES"),
  };
}

function problem(name: string, what: string): string {
  const variable = VARIABLES.find((one) => one.name === name);
  return `${name} ${what}; for example ${name}=${variable?.example ?? "…"}`;
}
