// What each variable may be: the rule that its text has to pass, and what holds where it is not set.

import { makeValidator, type ValidatorSpec } from "envalid";

import { quoted } from "../format.ts";
import { checkNamespace } from "./namespace.ts";

/** A validator by a rule; the message of a secret's does not repeat its value. */
export function checked(rule: Pick<RegExp, "test">, what: string, { isSecret = false } = {}) {
  return makeValidator<string>((input) => {
    const value = input.trim();
    if (rule.test(value)) return value;
    throw new Error(`${isSecret ? "" : `is ${quoted(value)}: it `}must be ${what}`);
  });
}

/** An address on the web. */
export function url({ isSecret = false } = {}): ValidatorSpec<string | undefined> {
  return makeValidator<string>((input) => {
    const value = input.trim();
    if (/^https?:\/\/[^\s/]+/.test(value) && URL.canParse(value)) return value;
    throw new Error(
      `${isSecret ? "" : `is ${quoted(value)}: it `}must be a http:// or https:// address`,
    );
  })({ default: undefined });
}

/** The name of a bucket, by S3's own rules. */
export function bucketName(): ValidatorSpec<string | undefined> {
  return makeValidator<string>((input) => {
    const value = input.trim();
    const problem = bucketProblem(value);
    if (problem === null) return value;
    throw new Error(`is ${quoted(value)}: ${problem}`);
  })({ default: undefined });
}

/** Says by which of S3's rules a text is no name of a bucket; null where it is one. */
export function bucketProblem(name: string): string | null {
  if (/^s3:/i.test(name) || /[/\\]/.test(name)) {
    return "it must be a bucket's name, without s3:// or a path";
  }
  if (name.length < 3 || name.length > 63) {
    return `it must be a bucket's name of 3 to 63 characters, and has ${name.length}`;
  }
  if (/[A-Z]/.test(name)) {
    return "it must be a bucket's name, which S3 has in small letters only";
  }
  if (!/^[a-z0-9.-]+$/.test(name)) {
    return "it must be a bucket's name, which S3 has of small letters, digits, . and - only";
  }
  if (!/^[a-z0-9].*[a-z0-9]$/.test(name) || name.includes("..")) {
    return "it must be a bucket's name, which begins and ends with a letter or a digit and has no two dots together";
  }
  return /^\d+(\.\d+){3}$/.test(name) ? "it must be a bucket's name, not an IP address" : null;
}

/** Any text. */
export const text = makeValidator<string>((input) => input.trim());
/** A name that a namespace can have. */
export const namespaceName = makeValidator<string>((input) => checkNamespace(input.trim()));
/** A switch. */
export const flag = makeValidator<boolean>((input) => {
  const value = input.trim().toLowerCase();
  if (["1", "true", "yes", "on"].includes(value)) return true;
  if (["0", "false", "no", "off"].includes(value)) return false;
  throw new Error(`is ${quoted(input)}: it must be 1 or 0`);
});
const port = wholeNumber(1, 65_535);
const concurrency = wholeNumber(1, 64);

/** A whole number within bounds, both included. */
export function wholeNumber(least: number, most: number) {
  return makeValidator<number>((input) => {
    const value = Number(input);
    if (/^\d+$/.test(input.trim()) && value >= least && value <= most) return value;
    throw new Error(`is ${quoted(input)}: it must be a whole number from ${least} to ${most}`);
  });
}

/** One of some words, in any case. */
export function oneOf<T extends string>(choices: readonly T[]) {
  return makeValidator<T>((input) => {
    const found = choices.find((choice) => choice === input.trim().toLowerCase());
    if (found !== undefined) return found;
    throw new Error(`is ${quoted(input)}: it must be one of ${choices.join(", ")}`);
  });
}

/** Some of some words, separated by commas, in any case, order and number, or `all` of them; the value has them in their own order. */
export function someOf<T extends string>(choices: readonly T[], all: string) {
  return makeValidator<readonly T[]>((input) => {
    const words = input
      .split(",")
      .map((word) => word.trim().toLowerCase())
      .filter((word) => word !== "");
    const unknown = words.filter((word) => word !== all && !choices.some((one) => one === word));
    const what = `some of ${choices.join(", ")}, separated by commas, or ${all}`;
    if (words.length === 0) throw new Error(`is ${quoted(input)}: it must be ${what}`);
    if (unknown.length > 0) {
      const are = unknown.length === 1 ? "is none of them" : "are none of them";
      throw new Error(
        `is ${quoted(input)}: it must be ${what}; ${unknown.map(quoted).join(", ")} ${are}`,
      );
    }
    return choices.filter((one) => words.includes(all) || words.includes(one));
  });
}

/** For a variable without a default. */
export const optional = { default: undefined } as const;
const LEVELS = ["debug", "info", "warn", "error"] as const;

/** Every shared variable and its rule. */
export const SPECS = {
  HDASH_DB_HOST: checked(
    /^[^\s:/@][^\s:@]*$|^[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f.]*$|^\/\S*$/,
    "a host name or address without scheme, port or user",
  )(optional),
  HDASH_DB_PORT: port({ default: 5432 }),
  HDASH_DB_USER: text(optional),
  HDASH_DB_PASSWORD: text(optional),
  HDASH_DB_ROLE_PASSWORD: checked(/^[!-~]{16,128}$/, "16 to 128 ASCII characters without spaces", {
    isSecret: true,
  })(optional),
  HDASH_DB_NAME: text(optional),
  HDASH_DB_SCHEMA: checked(/^[a-z_][a-z0-9_]{0,62}$/, "a lower-case Postgres name")(optional),
  HDASH_DB_TLS: oneOf(["on", "off"])(optional),
  HDASH_DB_CA_FILE: text(optional),
  S3_ACCESS_KEY_ID: checked(/^\S+$/, "without spaces", { isSecret: true })(optional),
  S3_SECRET_ACCESS_KEY: checked(/^\S+$/, "without spaces", { isSecret: true })(optional),
  S3_ENDPOINT_URL: url(),
  S3_REGION: checked(/^[a-z0-9-]+$/, "a region's name")(optional),
  S3_BUCKET_NAME: bucketName(),
  S3_PREFIX: checked(
    /^(?!\/)(?!.*(^|\/)\.{1,2}(\/|$))(?!.*\/\/)[^\s\\]*$/,
    "a path without a leading slash, '..' or '//'",
  )(optional),
  S3_WEB_SITE_URL: url(),
  HDASH_SITE_DIR: text(optional),
  SLACK_WEBHOOK_URL: url({ isSecret: true }),
  HDASH_LABEL: text(optional),
  HDASH_AGENT: text(optional),
  HDASH_LICENCE: text(optional),
  NAMESPACE: namespaceName(optional),
  HDASH_WORK_BUCKET: bucketName(),
  HDASH_ALLOW_HTTP: flag({ default: false }),
  HDASH_HOME: text({ default: ".hdash" }),
  HDASH_CONCURRENCY: concurrency({ default: 8 }),
  HDASH_LOG_LEVEL: oneOf(LEVELS)({ default: "info" }),
  HDASH_LOG_FORMAT: oneOf(["auto", "plain", "json"])({ default: "auto" }),
};
