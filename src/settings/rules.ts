// What each variable may be: the rule that its text has to pass, and what holds where it is not set.

import { makeValidator, type ValidatorSpec } from "envalid";

import { SERVICES, STAGES } from "../jobs/matrix/settings.ts";
import { MATRIX_SOURCES } from "../jobs/matrix/source.ts";
import { checkNamespace } from "./namespace.ts";
import { VARIABLES } from "./variables.ts";

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

function bucketName(name: string): ValidatorSpec<string | undefined> {
  const rule = /^[a-zA-Z0-9][a-zA-Z0-9._-]{1,253}[a-zA-Z0-9]$/;
  return checked(name, rule, "a bucket's name, without s3:// or a path")({ default: undefined });
}

const text = makeValidator<string>((input) => input.trim());
const namespaceName = makeValidator<string>((input) => checkNamespace(input.trim()));
const flag = makeValidator<boolean>((input) => {
  const value = input.trim().toLowerCase();
  if (["1", "true", "yes", "on"].includes(value)) return true;
  if (["0", "false", "no", "off"].includes(value)) return false;
  throw new Error(`is ${JSON.stringify(input)}: it must be 1 or 0`);
});
const pollSeconds = makeValidator<number>((input) => integer(input, 1, 3600));
const diskMb = makeValidator<number>((input) => integer(input, 1, 1_000_000_000));
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

/** Every variable and its rule. */
export const SPECS = {
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
  )(optional),
  HDASH_DB_TLS: oneOf(["on", "off"])(optional),
  HDASH_DB_CA_FILE: text(optional),
  S3_ACCESS_KEY_ID: checked("S3_ACCESS_KEY_ID", /^\S+$/, "without spaces")(optional),
  S3_SECRET_ACCESS_KEY: checked("S3_SECRET_ACCESS_KEY", /^\S+$/, "without spaces")(optional),
  S3_ENDPOINT_URL: url("S3_ENDPOINT_URL"),
  S3_REGION: checked("S3_REGION", /^[a-z0-9-]+$/, "a region's name")(optional),
  S3_BUCKET_NAME: bucketName("S3_BUCKET_NAME"),
  S3_PREFIX: checked(
    "S3_PREFIX",
    /^(?!\/)(?!.*(^|\/)\.{1,2}(\/|$))(?!.*\/\/)[^\s\\]*$/,
    "a path without a leading slash, '..' or '//'",
  )(optional),
  S3_WEB_SITE_URL: url("S3_WEB_SITE_URL"),
  HDASH_SITE_DIR: text(optional),
  MATRIX_SOURCE: oneOf(MATRIX_SOURCES)(optional),
  MATRIX_SOURCE_STAGE: oneOf(STAGES)({ default: "prod" }),
  MATRIX_SOURCE_BUCKET: bucketName("MATRIX_SOURCE_BUCKET"),
  MATRIX_TARGET_STAGE: oneOf(STAGES)(optional),
  MATRIX_TARGET_BUCKET: bucketName("MATRIX_TARGET_BUCKET"),
  MATRIX_PUBLIC_READ: flag(optional),
  MATRIX_PATH: text(optional),
  MATRIX_SERVICE: oneOf(SERVICES)({ default: "azul" }),
  MATRIX_ENDPOINT_URL: url("MATRIX_ENDPOINT_URL"),
  MATRIX_CATALOG: checked("MATRIX_CATALOG", /^[\w-]+$/, "a catalogue's name")(optional),
  MATRIX_COLLECTION: checked("MATRIX_COLLECTION", /^[\w-]+$/, "a collection's id")(optional),
  MATRIX_POLL_SECONDS: pollSeconds({ default: 30 }),
  MATRIX_BLACKLIST: flag(optional),
  MATRIX_TARGET_UUIDS: checked(
    "MATRIX_TARGET_UUIDS",
    /^[A-Za-z0-9._,\s-]+$/,
    "project ids, separated by commas",
  )(optional),
  MATRIX_FORCE: flag(optional),
  MATRIX_DISK_MB: diskMb(optional),
  MATRIX_ATLASES: text(optional),
  SLACK_WEBHOOK_URL: url("SLACK_WEBHOOK_URL"),
  HDASH_LABEL: text(optional),
  NAMESPACE: namespaceName(optional),
  HDASH_WORK_BUCKET: bucketName("HDASH_WORK_BUCKET"),
  HDASH_HOME: text({ default: ".hdash" }),
  HDASH_CONCURRENCY: concurrency({ default: 8 }),
  HDASH_LOG_LEVEL: oneOf(LEVELS)({ default: "info" }),
  HDASH_LOG_FORMAT: oneOf(["auto", "plain", "json"])({ default: "auto" }),
};
