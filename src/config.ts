// Environment → Config. The only reader of the environment; it reports every bad variable at once, and never prints a secret's value.

import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

import { customCleanEnv, EnvMissingError, makeValidator, type ValidatorSpec } from "envalid";

import { HdashError, messageOf } from "./error.ts";

/** What a command is going to use: only what it needs can be missing. */
export type Need = "synapse" | "database" | "site" | "slack";

interface Variable {
  readonly name: string;
  readonly group: "Synapse" | "Database" | "Site" | "Slack" | "Worker";
  readonly secret: boolean;
  /** What holds when it is not set, in words or as the value. */
  readonly fallback: string;
  readonly example: string;
  readonly description: string;
}

/** Every variable hdash reads; .env.example and the README's table are compared with it by a test. */
export const VARIABLES: readonly Variable[] = [
  v("SYNAPSE_USER", "Synapse", "", "jdoe", "Who the token belongs to; `hdash doctor` compares it"),
  s(
    "SYNAPSE_PASSWORD",
    "Synapse",
    "",
    "eyJ0eXAiOiJKV1QiLCJ…",
    "Synapse personal access token with the scopes view and download",
  ),
  v(
    "SYNAPSE_ENDPOINT_URL",
    "Synapse",
    "https://repo-prod.prod.sagebase.org",
    "http://127.0.0.1:8080",
    "Where the Synapse REST API is",
  ),
  v(
    "SYNAPSE_MASTER_VIEW",
    "Synapse",
    "syn20446927",
    "syn20446927",
    "Entity view with one row per file and folder",
  ),
  v(
    "HDASH_DB_HOST",
    "Database",
    "(embedded database)",
    "db.example.org",
    "Postgres host; without it hdash keeps an embedded database in HDASH_HOME",
  ),
  v("HDASH_DB_PORT", "Database", "5432", "5432", "Postgres port"),
  v("HDASH_DB_USER", "Database", "", "hdash", "Postgres user; needed with HDASH_DB_HOST"),
  s(
    "HDASH_DB_PASSWORD",
    "Database",
    "",
    "correct-horse-battery-staple",
    "Its password; needed with HDASH_DB_HOST",
  ),
  v("HDASH_DB_NAME", "Database", "", "hdash", "Database name; needed with HDASH_DB_HOST"),
  v(
    "HDASH_DB_SCHEMA",
    "Database",
    "hdash",
    "hdash",
    "Postgres schema that holds hdash's tables; made at start-up",
  ),
  v(
    "HDASH_DB_TLS",
    "Database",
    "off (on with a CA file)",
    "on",
    "on: encrypt and verify the server's certificate; off: plain",
  ),
  v(
    "HDASH_DB_CA_FILE",
    "Database",
    "(the system's authorities)",
    "/etc/ssl/rds-ca.pem",
    "PEM file with the authority that signed the server's certificate",
  ),
  s(
    "S3_ACCESS_KEY_ID",
    "Site",
    "(the AWS default chain)",
    "AKIAIOSFODNN7EXAMPLE",
    "Static key; without it the task role or profile is used",
  ),
  s(
    "S3_SECRET_ACCESS_KEY",
    "Site",
    "(the AWS default chain)",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "Its secret; set both or none",
  ),
  v(
    "S3_ENDPOINT_URL",
    "Site",
    "(AWS)",
    "https://minio.example.org",
    "Any S3-compatible store; addressed path-style",
  ),
  v("S3_REGION", "Site", "(AWS_REGION, else us-east-1)", "us-east-1", "Region of the bucket"),
  v(
    "S3_BUCKET_NAME",
    "Site",
    "(the folder HDASH_SITE_DIR)",
    "htan-dashboard",
    "Bucket that the site is published to",
  ),
  v(
    "S3_PREFIX",
    "Site",
    "(the bucket's root)",
    "dashboard/",
    "Everything hdash puts or removes lies below it",
  ),
  v(
    "S3_WEB_SITE_URL",
    "Site",
    "",
    "https://htan-dashboard.example.org",
    "Where people see the site; linked in Slack",
  ),
  v(
    "HDASH_SITE_DIR",
    "Site",
    "(HDASH_HOME/site)",
    "./site",
    "Folder that the site is published to when no bucket is set",
  ),
  s(
    "SLACK_WEBHOOK_URL",
    "Slack",
    "(the message is logged)",
    "https://hooks.slack.com/services/T000/B000/XXXX",
    "Incoming webhook that gets one message per run",
  ),
  v(
    "HDASH_LABEL",
    "Slack",
    "",
    "staging",
    "Put before the title of Slack messages; tells deployments apart",
  ),
  v(
    "HDASH_HOME",
    "Worker",
    ".hdash",
    "/var/lib/hdash",
    "Folder for the embedded database, its blobs and scratch files",
  ),
  v("HDASH_CONCURRENCY", "Worker", "8", "8", "Steps at work at the same time"),
  v("HDASH_LOG_LEVEL", "Worker", "info", "debug", "debug, info, warn or error"),
  v(
    "HDASH_LOG_FORMAT",
    "Worker",
    "auto",
    "json",
    "auto (live view on a terminal, else plain), plain or json",
  ),
];

function v(
  name: string,
  group: Variable["group"],
  fallback: string,
  example: string,
  description: string,
): Variable {
  return { name, group, secret: false, fallback, example, description };
}
function s(
  name: string,
  group: Variable["group"],
  fallback: string,
  example: string,
  description: string,
): Variable {
  return { ...v(name, group, fallback, example, description), secret: true };
}

export type LogFormat = "auto" | "plain" | "json";
export type LogLevel = "debug" | "info" | "warn" | "error";

export interface DatabaseTls {
  /** PEM text; null: the system's authorities. */
  readonly ca: string | null;
  readonly rejectUnauthorized: true;
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
    | {
        readonly kind: "s3";
        readonly bucket: string;
        readonly prefix: string;
        readonly endpoint: string | null;
        readonly region: string;
        readonly credentials: {
          readonly accessKeyId: string;
          readonly secretAccessKey: string;
        } | null;
      }
    | { readonly kind: "folder"; readonly dir: string };
  /** Where people see the site; null when nobody said. A folder's is its file: URL. */
  readonly siteUrl: string | null;
  readonly slack: { readonly webhookUrl: string | null; readonly label: string | null };
  /** Absolute path. */
  readonly home: string;
  readonly concurrency: number;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  /** Values that must never be printed. */
  readonly secrets: readonly string[];
}

/** An environment: process.env, or what a test makes. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads and checks the environment. Throws one config error that lists every problem: the variable, what is wrong with it and an example.
 * @param needs what the command will use; what it does not use may be missing (but not malformed).
 */
export function readConfig(env: Environment, needs: readonly Need[]): Config {
  const problems: string[] = [];
  // An empty value is how .env files and task definitions say "not set".
  const given = Object.fromEntries(
    Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ""),
  );
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

  const home = resolve(text("HDASH_HOME") ?? ".hdash");
  const token = needs.includes("synapse")
    ? need("SYNAPSE_PASSWORD", "Synapse has to be read")
    : text("SYNAPSE_PASSWORD");
  const database = readDatabase(text, need, values.HDASH_DB_PORT, home, problems);
  const site = readSite(text, need, home, given["AWS_REGION"]?.trim(), problems);
  if (needs.includes("slack")) need("SLACK_WEBHOOK_URL", "a message has to be posted");

  if (problems.length > 0) {
    const count = problems.length === 1 ? "1 problem" : `${problems.length} problems`;
    throw new HdashError("config", `${count} in the configuration:\n  ${problems.join("\n  ")}`, {
      hint: "Set them in the environment, or in a file passed with --env-file; .env.example names them all.",
    });
  }
  const secrets = VARIABLES.filter(({ secret }) => secret)
    .map(({ name }) => given[name]?.trim())
    .filter((value): value is string => value !== undefined);
  return {
    synapse: {
      endpoint: values.SYNAPSE_ENDPOINT_URL.replace(/\/+$/, ""),
      user: text("SYNAPSE_USER"),
      token: token === "" ? null : token,
      masterView: values.SYNAPSE_MASTER_VIEW,
    },
    database,
    site,
    siteUrl:
      text("S3_WEB_SITE_URL") ??
      (site.kind === "folder" ? pathToFileURL(resolve(site.dir, "index.html")).href : null),
    slack: { webhookUrl: text("SLACK_WEBHOOK_URL"), label: text("HDASH_LABEL") },
    home,
    concurrency: values.HDASH_CONCURRENCY,
    log: { level: values.HDASH_LOG_LEVEL, format: values.HDASH_LOG_FORMAT },
    secrets,
  };
}

type Text = (name: keyof typeof SPECS) => string | null;
type Needed = (name: keyof typeof SPECS, why: string) => string;

function readDatabase(
  text: Text,
  need: Needed,
  port: number,
  home: string,
  problems: string[],
): Config["database"] {
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
    schema: text("HDASH_DB_SCHEMA") ?? "hdash",
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

function readSite(
  text: Text,
  need: Needed,
  home: string,
  awsRegion: string | undefined,
  problems: string[],
): Config["site"] {
  const isGiven = (name: keyof typeof SPECS): boolean => text(name) !== null;
  const bucket = text("S3_BUCKET_NAME");
  if (bucket === null) {
    const half = (
      ["S3_ACCESS_KEY_ID", "S3_SECRET_ACCESS_KEY", "S3_ENDPOINT_URL", "S3_PREFIX"] as const
    ).find(isGiven);
    if (half !== undefined) need("S3_BUCKET_NAME", `${half} is`);
    return { kind: "folder", dir: resolve(text("HDASH_SITE_DIR") ?? resolve(home, "site")) };
  }
  if (text("HDASH_SITE_DIR") !== null) {
    problems.push(
      problem("HDASH_SITE_DIR", "is set, but so is S3_BUCKET_NAME: the site goes to one place"),
    );
  }
  const isStatic = text("S3_ACCESS_KEY_ID") !== null || text("S3_SECRET_ACCESS_KEY") !== null;
  return {
    kind: "s3",
    bucket,
    prefix: text("S3_PREFIX") ?? "",
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

function problem(name: string, what: string): string {
  const variable = VARIABLES.find((one) => one.name === name);
  return `${name} ${what}; for example ${name}=${variable?.example ?? "…"}`;
}

/** A validator whose message never repeats a secret. */
function checked(name: string, rule: RegExp, what: string) {
  const secret = VARIABLES.find((one) => one.name === name)?.secret === true;
  return makeValidator<string>((input) => {
    const value = input.trim();
    if (rule.test(value)) return value;
    throw new Error(`${secret ? "" : `is ${JSON.stringify(value)}: it `}must be ${what}`);
  });
}

function url(name: string): ValidatorSpec<string | undefined> {
  const secret = VARIABLES.find((one) => one.name === name)?.secret === true;
  return makeValidator<string>((input) => {
    const value = input.trim();
    if (/^https?:\/\/[^\s/]+/.test(value) && URL.canParse(value)) return value;
    throw new Error(
      `${secret ? "" : `is ${JSON.stringify(value)}: it `}must be a http:// or https:// address`,
    );
  })({ default: undefined });
}

const text = makeValidator<string>((input) => input.trim());
const port = makeValidator<number>((input) => integer(input, 1, 65_535));
const concurrency = makeValidator<number>((input) => integer(input, 1, 64));

function integer(input: string, least: number, most: number): number {
  const value = Number(input);
  if (/^\d+$/.test(input.trim()) && value >= least && value <= most) return value;
  throw new Error(
    `is ${JSON.stringify(input)}: it must be a whole number from ${least} to ${most}`,
  );
}

function oneOf<T extends string>(choices: readonly T[]) {
  return makeValidator<T>((input) => {
    const found = choices.find((choice) => choice === input.trim().toLowerCase());
    if (found !== undefined) return found;
    throw new Error(`is ${JSON.stringify(input)}: it must be one of ${choices.join(", ")}`);
  });
}

const optional = { default: undefined } as const;
const LEVELS = ["debug", "info", "warn", "error"] as const;

const SPECS = {
  SYNAPSE_USER: text(optional),
  SYNAPSE_PASSWORD: checked(
    "SYNAPSE_PASSWORD",
    /^\S+$/,
    "a token without spaces or line breaks",
  )(optional),
  SYNAPSE_ENDPOINT_URL: checked(
    "SYNAPSE_ENDPOINT_URL",
    /^https?:\/\/[^\s/]+/,
    "a http:// or https:// address",
  )({
    default: "https://repo-prod.prod.sagebase.org",
  }),
  SYNAPSE_MASTER_VIEW: checked(
    "SYNAPSE_MASTER_VIEW",
    /^syn\d+$/,
    "a Synapse id",
  )({ default: "syn20446927" }),
  HDASH_DB_HOST: checked(
    "HDASH_DB_HOST",
    /^[^\s:/@][^\s:@]*$|^\/\S*$/,
    "a host name or address without scheme, port or user",
  )(optional),
  HDASH_DB_PORT: port({ default: 5432 }),
  HDASH_DB_USER: text(optional),
  HDASH_DB_PASSWORD: text(optional),
  HDASH_DB_NAME: text(optional),
  HDASH_DB_SCHEMA: checked(
    "HDASH_DB_SCHEMA",
    /^[a-z_][a-z0-9_]{0,62}$/,
    "a lower-case Postgres name",
  )({ default: "hdash" }),
  HDASH_DB_TLS: oneOf(["on", "off"])(optional),
  HDASH_DB_CA_FILE: text(optional),
  S3_ACCESS_KEY_ID: checked("S3_ACCESS_KEY_ID", /^\S+$/, "without spaces")(optional),
  S3_SECRET_ACCESS_KEY: checked("S3_SECRET_ACCESS_KEY", /^\S+$/, "without spaces")(optional),
  S3_ENDPOINT_URL: url("S3_ENDPOINT_URL"),
  S3_REGION: checked("S3_REGION", /^[a-z0-9-]+$/, "a region's name")(optional),
  S3_BUCKET_NAME: checked(
    "S3_BUCKET_NAME",
    /^[a-zA-Z0-9][a-zA-Z0-9._-]{1,253}[a-zA-Z0-9]$/,
    "a bucket's name, without s3:// or a path",
  )(optional),
  S3_PREFIX: checked(
    "S3_PREFIX",
    /^(?!\/)(?!.*(^|\/)\.{1,2}(\/|$))(?!.*\/\/)[^\s\\]*$/,
    "a path without a leading slash, '..' or '//'",
  )(optional),
  S3_WEB_SITE_URL: url("S3_WEB_SITE_URL"),
  HDASH_SITE_DIR: text(optional),
  SLACK_WEBHOOK_URL: url("SLACK_WEBHOOK_URL"),
  HDASH_LABEL: text(optional),
  HDASH_HOME: text({ default: ".hdash" }),
  HDASH_CONCURRENCY: concurrency({ default: 8 }),
  HDASH_LOG_LEVEL: oneOf(LEVELS)({ default: "info" }),
  HDASH_LOG_FORMAT: oneOf(["auto", "plain", "json"])({ default: "auto" }),
};
