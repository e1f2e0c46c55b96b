import { describe, expect, test } from "vitest";

import { JOBS } from "../../src/jobList.ts";
import { SETTINGS as COHORT } from "../../src/jobs/cohort/settings.ts";
import { SETTINGS as HTAN } from "../../src/jobs/htan/settings.ts";
import {
  type Environment,
  givenJobs,
  readConfig,
  readLogConfig,
} from "../../src/settings/config.ts";
import { refusal } from "../support/refusal.ts";

const cohort = { name: "cohort", settings: COHORT };
const htan = { name: "htan", settings: HTAN };
const PLACES = {
  COHORT_RAW: "s3://raw",
  COHORT_INTERMEDIATE: "s3://intermediate",
  COHORT_PROCESSED: "s3://processed",
};
const IN_SYNAPSE = { ...PLACES, COHORT_SOURCE: "synapse:syn51" };
const ACCESS = { SYNAPSE_PASSWORD: "token-abc", SYNAPSE_ENDPOINT_URL: "https://syn.example.org/" };

function problemOf(env: Environment, asked: readonly string[]): Promise<{ message: string }> {
  return refusal((async () => readConfig(env, [], JOBS, asked))());
}

describe("givenJobs(env, jobs)", () => {
  test.each([
    ["a token alone", ACCESS, ["htan"]],
    [
      "exports elsewhere, and a token",
      { ...PLACES, COHORT_SOURCE: "s3://exports", ...ACCESS },
      BOTH(),
    ],
    ["exports in Synapse, and a token", { ...IN_SYNAPSE, ...ACCESS }, ["cohort"]],
    ["the same with a user", { ...IN_SYNAPSE, ...ACCESS, SYNAPSE_USER: "jdoe" }, ["cohort"]],
    [
      "the same with the dashboard's view",
      { ...IN_SYNAPSE, ...ACCESS, SYNAPSE_MASTER_VIEW: "syn1" },
      BOTH(),
    ],
  ])("takes %s for a sign of the jobs that it is for", (_what, env, jobs) => {
    expect(givenJobs(env, JOBS)).toEqual(jobs);
    expect(readConfig(env, [], JOBS).given).toEqual(jobs);
  });

  function BOTH(): readonly string[] {
    return ["htan", "cohort"];
  }
});

describe("readSynapseAccess(values, why)", () => {
  test("gives both jobs the same token and address", () => {
    const config = readConfig({ ...IN_SYNAPSE, ...ACCESS }, [], JOBS, ["cohort", "htan"]);
    const access = { endpoint: "https://syn.example.org", user: null, token: "token-abc" };
    expect(config.of(cohort)?.source).toEqual({ kind: "synapse", id: "syn51", access });
    expect(config.of(htan)).toEqual({ ...access, masterView: "syn20446927" });
    expect(config.secrets).toEqual(["token-abc"]);
    expect(readLogConfig(ACCESS, [cohort]).secrets).toEqual(["token-abc"]);
  });

  test("works where one of the jobs is there alone", () => {
    const config = readConfig({ ...IN_SYNAPSE, ...ACCESS }, [], [cohort], ["cohort"]);
    expect(config.of(cohort)?.source).toMatchObject({ access: { token: "token-abc" } });
  });

  test("asks for the token where exports are in Synapse, and only there", async () => {
    const { message } = await problemOf(IN_SYNAPSE, ["cohort"]);
    expect(message).toMatch(/^SYNAPSE_PASSWORD is not set, but COHORT_SOURCE is in Synapse;/);
    const elsewhere = { ...PLACES, COHORT_SOURCE: "s3://exports" };
    expect(readConfig(elsewhere, [], JOBS, ["cohort"]).of(cohort)).not.toBeNull();
    expect(readConfig(IN_SYNAPSE, [], JOBS).of(cohort)?.source).toMatchObject({
      access: { token: null },
    });
  });

  test("sends no token in clear, and says so once", async () => {
    const env = { ...IN_SYNAPSE, ...ACCESS, SYNAPSE_ENDPOINT_URL: "http://syn.example.org" };
    const { message } = await problemOf(env, ["cohort"]);
    expect(message).toMatch(/^SYNAPSE_ENDPOINT_URL begins with http:\/\//);
    expect(message).not.toContain("\n");
  });
});
