import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";

import { beforeEach, describe, expect, onTestFinished, test } from "vitest";

import { type Effects, makeEffects } from "../../../src/effects.ts";
import type { Diagnosis } from "../../../src/job.ts";
import { JOBS } from "../../../src/jobList.ts";
import { makeCohortJob } from "../../../src/jobs/cohort/job.ts";
import { SILENT } from "../../../src/log.ts";
import { startSynapse } from "../../../src/lookalikes/synapse/synapseServer.ts";
import { type Environment, readConfig } from "../../../src/settings/config.ts";
import { tempDir } from "../../sources/rig.ts";
import { startS3 } from "../../support/s3Server.ts";
import { cohortFolders } from "./support/cohortFolders.ts";
import { ROOT, writeWorld } from "./support/synapseWorld.ts";

const NEVER = new AbortController().signal;
const POLICY = { attempts: 2, minDelayMs: 1, maxDelayMs: 2 };
const job = makeCohortJob();

let dir = "";
beforeEach(async () => {
  dir = await tempDir();
});

/** Places that are folders. */
const folders = (): Record<string, string> => cohortFolders(dir);

async function examine(
  env: Environment,
  change: (effects: Effects) => Partial<Effects> = () => ({}),
): Promise<readonly Diagnosis[]> {
  const config = readConfig({ HDASH_HOME: join(dir, "home"), ...env }, [], JOBS);
  const effects = makeEffects(config, SILENT, { policy: POLICY });
  onTestFinished(() => effects.close());
  const changed = { ...effects, ...change(effects) };
  return (await job.examine?.(changed, config.of(job), NEVER)) ?? [];
}

/** "ok says", or "BAD says → advice". */
function lines(found: readonly Diagnosis[]): readonly string[] {
  return found.map(({ service, state, says, advice }) => {
    expect(service).toBe("Cohorts");
    return `${state} ${says.replaceAll(dir, "")}${advice === null ? "" : ` → ${advice}`}`;
  });
}

const SCHEMA = "ok datasets have version 1 of the schema: 38 data types of adults_v1, pediatric_v1";

describe("hdash doctor, cohorts", () => {
  test("says nothing where nobody asks for them", async () => {
    expect(await examine({ MATRIX_SOURCE: "local", MATRIX_PATH: dir })).toEqual([]);
  });

  test("says what is lacking of what is half configured", async () => {
    const { COHORT_RAW: _lacking, ...env } = folders();
    expect(lines(await examine(env))).toEqual([
      "bad COHORT_… variables are set, but not all that say where exports are and what goes where → Set COHORT_SOURCE, COHORT_RAW, COHORT_INTERMEDIATE and COHORT_PROCESSED.",
    ]);
  });

  test("lists the source, and leaves nothing in the places", async () => {
    await mkdir(join(dir, "in", "main", "adults_v1"), { recursive: true });
    await mkdir(join(dir, "in", "main", "others"));
    for (const name of ["adults_v1/one", "adults_v1/two", "others/three", "owner.txt"]) {
      await writeFile(join(dir, "in", "main", name), "x");
    }
    const uri = (place: string): string => `file:///${place}/main can be written and cleaned`;
    expect(lines(await examine(folders()))).toEqual([
      SCHEMA,
      "ok file:///in/main lists 2 exports of adults_v1, pediatric_v1; 1 of other cohorts",
      `ok ${uri("raw")} (COHORT_RAW)`,
      `ok ${uri("intermediate")} (COHORT_INTERMEDIATE)`,
      `ok ${uri("processed")} (COHORT_PROCESSED)`,
    ]);
    for (const place of ["raw", "intermediate", "processed"]) {
      expect(await readdir(join(dir, place, "main"))).toEqual([]);
    }
  });

  test("says that the folder of exports is not there", async () => {
    const [, source] = await examine(folders());
    expect(source?.says.replaceAll(dir, "")).toBe(
      "the source of exports: ENOENT: no such file or directory, stat '/in'",
    );
    expect([source?.state, source?.advice]).toEqual([
      "bad",
      "Check COHORT_SOURCE, and that the folder may be read and written.",
    ]);
  });

  test("says which columns to be left out are none", async () => {
    await mkdir(join(dir, "in"));
    const [schema] = await examine({ ...folders(), COHORT_DROP: "LastName,EmailAdress,Shoes" });
    expect([schema?.state, schema?.advice]).toEqual([
      "note",
      "COHORT_DROP has EmailAdress, and no dataset is declared to have such a column. Did you mean EmailAddress? COHORT_DROP has Shoes, and no dataset is declared to have such a column.",
    ]);
  });

  test("says what no run can begin with, all of it, as a run does", async () => {
    await mkdir(join(dir, "in", "main", "adults_v1"), { recursive: true });
    await writeFile(join(dir, "in", "main", "adults_v1", "one"), "x");
    const found = await examine({
      ...folders(),
      COHORT_TYPES: "FitbitDailydata,Shoes",
      COHORT_ONLY: "adults",
      COHORT_EXPORTS: "adults_v1",
      COHORT_DROP: "ParticipantIdentifier",
    });
    const [schema, ...wrong] = lines(found.slice(0, 6));
    expect(schema).toBe(SCHEMA);
    expect(wrong).toEqual([
      'bad --type (COHORT_TYPES): there is no data type "FitbitDailydata" → Did you mean FitbitDailyData?',
      expect.stringMatching(
        /^bad --type \(COHORT_TYPES\): there is no data type "Shoes" → There are: /,
      ),
      'bad --cohort (COHORT_ONLY): there is no cohort "adults" → Did you mean adults_v1?',
      'bad --export (COHORT_EXPORTS): "adults_v1" names no export → An export is named COHORT/EXPORT, as `hdash cohort status` lists them.',
      "bad COHORT_DROP has ParticipantIdentifier, which is of the key of EnrolledParticipants → Leave ParticipantIdentifier out of COHORT_DROP: records are told apart by it.",
    ]);
    const missing = await examine({ ...folders(), COHORT_EXPORTS: "adults_v1/two" });
    expect(lines(missing)[1]).toBe(
      "bad the source of exports: there is no export adults_v1/two → hdash cohort status lists those that there are.",
    );
  });

  test("says what lies in the source and is no file", async () => {
    await mkdir(join(dir, "in", "main", "adults_v1"), { recursive: true });
    await writeFile(join(dir, "in", "main", "adults_v1", "one"), "x");
    await symlink("one", join(dir, "in", "main", "adults_v1", "t\two"));
    expect(lines(await examine(folders()))[1]).toBe(
      "note file:///in/main lists 1 export of adults_v1, pediatric_v1; not read: adults_v1/t\\two (it is a symbolic link, which is not followed) → Put the files themselves there, or remove these.",
    );
  });

  test("says where exports should be, where there are none", async () => {
    await mkdir(join(dir, "in"));
    const found = await examine({ ...folders(), NAMESPACE: "staging" });
    expect(lines(found)[1]).toBe(
      "note file:///in/staging lists 0 exports of adults_v1, pediatric_v1 → Exports lie at NAMESPACE/COHORT/EXPORT below COHORT_SOURCE; the namespace is staging.",
    );
  });

  test("tells places apart: one that cannot be written says nothing of the others", async () => {
    await writeFile(join(dir, "intermediate"), "a file");
    const [, , raw, intermediate, processed] = await examine(folders());
    expect([raw?.state, intermediate?.state, processed?.state]).toEqual(["ok", "bad", "ok"]);
    expect(intermediate?.says.replaceAll(dir, "")).toBe(
      "COHORT_INTERMEDIATE: /intermediate/main cannot be made: /intermediate is a file; name a folder",
    );
    expect(intermediate?.advice).toBe(
      "Check COHORT_INTERMEDIATE, and that the folder may be read and written.",
    );
  });

  test("reads and writes buckets, and says which right is lacking", async () => {
    const s3 = await startS3({ buckets: ["exports", "raw", "intermediate", "processed"] });
    onTestFinished(() => s3.close());
    s3.setObject("exports", "sent/main/adults_v1/one", Buffer.from("x"));
    s3.setFaults(({ operation, bucket }) =>
      (operation === "DeleteObjects" && bucket === "raw") ||
      (operation === "ListObjectsV2" && bucket === "processed")
        ? { status: 403, code: "AccessDenied" }
        : null,
    );
    const [, source, raw, intermediate, processed] = await examine({
      COHORT_SOURCE: "s3://exports/sent",
      COHORT_RAW: "s3://raw/a/b",
      COHORT_INTERMEDIATE: "s3://intermediate",
      COHORT_PROCESSED: "s3://processed",
      S3_ENDPOINT_URL: s3.url,
      S3_ACCESS_KEY_ID: s3.accessKeyId,
      S3_SECRET_ACCESS_KEY: s3.secretAccessKey,
    });
    expect(source?.says).toBe("s3://exports/sent/main lists 1 export of adults_v1, pediatric_v1");
    expect([raw?.state, intermediate?.state, processed?.state]).toEqual(["bad", "ok", "bad"]);
    expect(intermediate?.says).toBe(
      "s3://intermediate/main can be written and cleaned (COHORT_INTERMEDIATE)",
    );
    expect(raw?.says).toMatch(/^COHORT_RAW: delete .*AccessDenied/);
    expect(processed?.says).toMatch(/^COHORT_PROCESSED: list .*AccessDenied/);
    expect([...s3.objects("intermediate").keys()]).toEqual([]);
  });

  test("lists exports in Synapse, and never says the token", async () => {
    await writeWorld(join(dir, "world"), { "main/pediatric_v1/one": Buffer.from("x") });
    const synapse = await startSynapse({ world: join(dir, "world"), tokens: { "tok-1": "ada" } });
    onTestFinished(() => synapse.close());
    const env = {
      ...folders(),
      COHORT_SOURCE: `synapse:${ROOT}`,
      SYNAPSE_ENDPOINT_URL: synapse.url,
    };
    const [, source] = await examine({ ...env, SYNAPSE_PASSWORD: "tok-1" });
    expect(source?.says).toBe("synapse:syn51/main lists 1 export of adults_v1, pediatric_v1");
    const [, wrong] = await examine({ ...env, SYNAPSE_PASSWORD: "tok-2" });
    expect([wrong?.state, wrong?.says]).toEqual([
      "bad",
      "the source of exports: Synapse did not accept the token (SYNAPSE_PASSWORD): Invalid access token",
    ]);
    expect(JSON.stringify(wrong)).not.toContain("tok-2");
    const [, none] = await examine(env);
    expect(none?.says).toBe(
      "the source of exports: SYNAPSE_PASSWORD is not set, but COHORT_SOURCE is in Synapse",
    );
    await synapse.close();
    const [, gone] = await examine({ ...env, SYNAPSE_PASSWORD: "tok-1" });
    expect([gone?.state, gone?.advice]).toEqual([
      "bad",
      "Check COHORT_SOURCE and SYNAPSE_ENDPOINT_URL, and that it can be reached from here.",
    ]);
  });

  test("says that the schema cannot be read, and looks at the places all the same", async () => {
    const config = join(dir, "artifacts", "config", "cohort");
    await mkdir(config, { recursive: true });
    await writeFile(join(config, "versions.json"), '{"latest_version": 0}');
    const found = await examine(folders(), () => ({
      artifacts: async () => ({ dir: join(dir, "artifacts"), isOther: false }),
    }));
    expect(found.map(({ state }) => state)).toEqual(["bad", "ok", "ok", "ok"]);
    expect(found[0]?.says).toMatch(/^the schema: .*latest_version is no whole number from 1/);
    expect(await readFile(join(config, "versions.json"), "utf8")).toContain("0");
  });
});
