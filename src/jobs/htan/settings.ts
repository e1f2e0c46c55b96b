// The settings of the HTAN dashboard: where Synapse is, and who reads it.

import type { JobSettings } from "../../settings/jobSettings.ts";
import { checked, optional, text } from "../../settings/rules.ts";
import { secret, variable } from "../../settings/variables.ts";

export interface HtanSettings {
  /** Without a slash at its end. */
  readonly endpoint: string;
  readonly user: string | null;
  readonly token: string | null;
  /** The file view, e.g. "syn20446927". */
  readonly masterView: string;
}

const ENDPOINT = "https://repo-prod.prod.sagebase.org";
const VIEW = "syn20446927";

export const SETTINGS: JobSettings<HtanSettings> = {
  variables: [
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
    variable(
      "SYNAPSE_MASTER_VIEW",
      "Synapse",
      "syn20446927",
      "syn20446927",
      "Entity view with one row per file and folder",
    ),
  ],
  rules: {
    SYNAPSE_USER: text(optional),
    SYNAPSE_PASSWORD: checked(/^\S+$/, "a token without spaces or line breaks", {
      isSecret: true,
    })(optional),
    SYNAPSE_ENDPOINT_URL: checked(
      /^https?:\/\/[^\s/]+/,
      "a http:// or https:// address",
    )({ default: ENDPOINT }),
    SYNAPSE_MASTER_VIEW: checked(/^syn\d+$/, "a Synapse id")({ default: VIEW }),
  },
  confidential: ["SYNAPSE_ENDPOINT_URL"],
  isGiven: (names) => names.some((name) => name.startsWith("SYNAPSE_")),
  read(values) {
    const token = values.isAsked
      ? values.need("SYNAPSE_PASSWORD", "Synapse has to be read")
      : values.text("SYNAPSE_PASSWORD");
    return {
      endpoint: (values.text("SYNAPSE_ENDPOINT_URL") ?? ENDPOINT).replace(/\/+$/, ""),
      user: values.text("SYNAPSE_USER"),
      token: token === "" ? null : token,
      masterView: values.text("SYNAPSE_MASTER_VIEW") ?? VIEW,
    };
  },
};
