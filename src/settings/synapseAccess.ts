// How Synapse is reached: variables that all jobs share which read from it. Each of them lists these among its own.

import type { JobSettings, ValueReader } from "./jobSettings.ts";
import { checked, optional, text } from "./rules.ts";
import { secret, type Variable, variable } from "./variables.ts";

export interface SynapseAccess {
  /** Without a slash at its end. */
  readonly endpoint: string;
  /** Who the token belongs to; null: nobody said. */
  readonly user: string | null;
  readonly token: string | null;
}

const ENDPOINT = "https://repo-prod.prod.sagebase.org";

export const SYNAPSE_VARIABLES: readonly Variable[] = [
  variable(
    "SYNAPSE_USER",
    "Synapse",
    "",
    "jdoe",
    "Who the token belongs to; `hdash doctor` compares it",
  ),
  secret(
    "SYNAPSE_PASSWORD",
    "Synapse",
    "",
    "eyJ0eXAiOiJKV1QiLCJ…",
    "Synapse personal access token with the scopes view and download",
  ),
  variable(
    "SYNAPSE_ENDPOINT_URL",
    "Synapse",
    "https://repo-prod.prod.sagebase.org",
    "http://127.0.0.1:8080",
    "Where the Synapse REST API is",
  ),
];

export const SYNAPSE_RULES: JobSettings["rules"] = {
  SYNAPSE_USER: text(optional),
  SYNAPSE_PASSWORD: checked(/^\S+$/, "a token without spaces or line breaks", {
    isSecret: true,
  })(optional),
  SYNAPSE_ENDPOINT_URL: checked(
    /^https?:\/\/[^\s/]+/,
    "a http:// or https:// address",
  )({ default: ENDPOINT }),
};

export const SYNAPSE_CONFIDENTIAL = ["SYNAPSE_ENDPOINT_URL"] as const;

/** Reads how Synapse is reached; `why` says what needs the token, where it is going to be used. */
export function readSynapseAccess(values: ValueReader, why: string): SynapseAccess {
  const token = values.isAsked
    ? values.need("SYNAPSE_PASSWORD", why)
    : values.text("SYNAPSE_PASSWORD");
  return {
    endpoint: (values.text("SYNAPSE_ENDPOINT_URL") ?? ENDPOINT).replace(/\/+$/, ""),
    user: values.text("SYNAPSE_USER"),
    token: token === "" ? null : token,
  };
}
