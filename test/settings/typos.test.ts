import { describe, expect, test } from "vitest";

import { JOBS } from "../../src/jobList.ts";
import { variablesOf } from "../../src/settings/config.ts";
import { findTypos } from "../../src/settings/typos.ts";

const KNOWN = variablesOf(JOBS).map(({ name }) => name);

describe("findTypos(env, known)", () => {
  test.each([
    ["SYNAPSE_PASSWORT", "SYNAPSE_PASSWORD"],
    ["SYNAPSE_PASWORD", "SYNAPSE_PASSWORD"],
    ["synapse_password", "SYNAPSE_PASSWORD"],
    ["AIRFLOW_VAR_SYNAPSE_PASSWORD", "SYNAPSE_PASSWORD"],
    ["S3_BUCKET", "S3_BUCKET_NAME"],
    ["S3_BUKCET_NAME", "S3_BUCKET_NAME"],
    ["SLACK_WEBHOOK", "SLACK_WEBHOOK_URL"],
    ["MATRIX_TARGET_UUID", "MATRIX_TARGET_UUIDS"],
    ["HDASH_SITE_DRI", "HDASH_SITE_DIR"],
  ])("takes %s for %s", (name, meant) => {
    expect(findTypos({ [name]: "hunter2" }, KNOWN)).toEqual([
      `${name} is set, which hdash does not read: did you mean ${meant}?`,
    ]);
    // Beside the right one it does no harm; not set it is none.
    expect(findTypos({ [name]: "x", [meant]: "y" }, KNOWN)).toEqual([]);
    expect(findTypos({ [name]: " " }, KNOWN)).toEqual([]);
  });

  test("names what begins as ours and is none of them, without a guess", () => {
    expect(findTypos({ HDASH_COLOUR: "x" }, KNOWN)).toEqual([
      "HDASH_COLOUR is set, which hdash does not read",
    ]);
  });

  test("lets everybody else's variables be", () => {
    const others = {
      PATH: "/bin",
      HOME: "/somewhere",
      AWS_PROFILE: "x",
      AWS_DEFAULT_PROFILE: "x",
      SYNAPSE_AUTH_TOKEN: "x",
      MATRIX_HOMESERVER: "x",
      POD_NAMESPACE: "x",
      S3_USE_SIGV4: "1",
      HDASH_TEST_KILL_AT: "x",
      NODE_COMPILE_CACHE: "x",
      ...Object.fromEntries(KNOWN.map((name) => [name, "x"])),
    };
    expect(findTypos(others, KNOWN)).toEqual([]);
  });
});
