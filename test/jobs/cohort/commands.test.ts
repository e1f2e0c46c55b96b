// hdash cohort and hdash run cohort as people use them: what a command line means, and what is said of a wrong one.

import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Ended, hdash as start } from "../../support/command.ts";
import { cohortFolders } from "./support/cohortFolders.ts";

let dir = "";
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-cohort-commands-"));
  await mkdir(join(dir, "in/main/adults_v1"), { recursive: true });
  await writeFile(join(dir, "in/main/adults_v1/2026-01-11_text"), "this is no archive");
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function hdash(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Ended> {
  return start(args, {
    ...{ HDASH_HOME: join(dir, "home"), HDASH_LOG_LEVEL: "warn" },
    ...cohortFolders(dir),
    ...env,
  });
}

describe("hdash cohort, told what is not there", () => {
  test.each([
    [
      ["run", "cohort", "--part", "ingest,bild"],
      /^hdash: --part \(COHORT_PART\) is "ingest,bild"/m,
    ],
    [["cohort", "status", "--since", "yesterday"], /^hdash: --since \(COHORT_SINCE\) is "yester/m],
    [
      ["cohort", "build", "--type", "FitbitDailydata"],
      /^hdash: --type \(COHORT_TYPES\): there is no data type "FitbitDailydata"\nDid you mean FitbitDailyData\?/m,
    ],
    [["cohort", "audit", "--type", "Fitbit"], /there is no data type "Fitbit"/],
    [
      ["cohort", "status", "--cohort", "adults_v1,nobody"],
      /^hdash: --cohort \(COHORT_ONLY\): there is no cohort "nobody"\nThere are: adults_v1, ped/m,
    ],
    [
      ["cohort", "ingest", "--export", "adults_v1"],
      /^hdash: --export \(COHORT_EXPORTS\): "adults_v1" names no export\n/m,
    ],
    [
      ["cohort", "ingest"],
      /^hdash: say which exports: --all, --since DAY, --newest N or --export KEY$/m,
    ],
    [
      ["cohort", "ingest", "--newest", "0"],
      /^hdash: --newest \(COHORT_NEWEST\) is "0": it must be a who/m,
    ],
    [
      ["cohort", "ingest", "--all", "--from", "../main"],
      /^hdash: --from \(COHORT_FROM\) "..\/main" cannot be a namespace/m,
    ],
    [["cohort", "ingest", "--since", ""], /^hdash: --since is empty$/m],
    [
      ["cohort", "ingest", "--all", "--namespace", "nope"],
      /^hdash: there is no namespace "nope" in \S+ \(COHORT_SOURCE\)$/m,
    ],
    [
      ["cohort", "ingest", "--all", "--from", "nope"],
      /^hdash: there is no namespace "nope" in \S+ \(COHORT_SOURCE\)$/m,
    ],
    [
      ["cohort", "audit", "--since", "2026-02-30"],
      /^hdash: --since \(COHORT_SINCE\) is "2026-02-30/m,
    ],
    [
      ["cohort", "audit"],
      /^hdash: nothing has been read: \S+processed\S* has no catalog \(COHORT_PROCESSED\)\n.*ingest --all/m,
    ],
    [["run", "cohorts"], /^hdash: there is no job "cohorts"\nDid you mean cohort\?$/m],
    [["run", "cohorts", "--part", "build"], /there is no job "cohorts"\nDid you mean cohort\?$/m],
    [["cohort", "stats"], /unknown command 'stats'\n\(Did you mean status\?\)/],
  ])("says so with 2, and does nothing (%j)", async (args, expected) => {
    const ended = await hdash(args);
    expect(ended.code, ended.stderr).toBe(2);
    expect(ended.stderr).toMatch(expected);
    expect(existsSync(join(dir, "processed/main/catalog.json.gz"))).toBe(false);
  });

  test("warns of a column that is to be left out and is none", async () => {
    const ended = await hdash(["run", "cohort", "--part", "sync"], {
      ...{ COHORT_DROP: "EmailAdress", COHORT_PROCESSED: join(dir, "other") },
    });
    expect(ended.code, ended.stderr).toBe(0);
    expect(ended.stderr).toMatch(
      /warning: COHORT_DROP has EmailAdress, and no dataset is declared to have such a column\. Did you mean EmailAddress\?$/m,
    );
  });
});

describe("hdash run cohort --part PARTS", () => {
  test("reads without building, and then builds, whatever the order is written in", async () => {
    const parquet = join(dir, "processed/main/parquet");
    const read = await hdash(["run", "cohort", "--part", "ingest"]);
    expect(read.code, read.stderr).toBe(0);
    expect(existsSync(parquet)).toBe(false);

    // What was set aside whole is to be looked at, though every record of all others is accounted for.
    const audit = await hdash(["cohort", "audit"]);
    expect(audit).toMatchObject({ code: 3, stderr: "" });
    expect(audit.stdout.split("\n")).toEqual([
      "adults_v1/2026-01-11_text  not_archive: it neither begins like a zip nor has a zip's directory",
      "1 export, 1 of them set aside, 0 members: 0 records read = 0 written + 0 set aside; 0 findings",
      "",
    ]);
    const none = await hdash(["cohort", "audit", "--cohort", "pediatric_v1"]);
    expect(none.code).toBe(0);
    const status = await hdash(["cohort", "status"]);
    expect(status.stdout).toMatch(/^ {2}not_archive +adults_v1\/2026-01-11_text$/m);
    expect(status.stdout).toMatch(/^datasets \(build none\)$/m);

    const unbuilt = await hdash(["cohort", "validate"]);
    expect(unbuilt.code, unbuilt.stderr).toBe(2);
    expect(unbuilt.stderr).toMatch(/^hdash: there is no build in \S+ \(COHORT_PROCESSED\)$/m);

    const built = await hdash(["run", "cohort", "--part", "build,sync"]);
    expect(built.code, built.stderr).toBe(0);
    const checked = await hdash(["cohort", "validate"]);
    expect(checked.code, checked.stderr).toBe(0);
    expect(checked.stdout).toMatch(/^31 checks: 0 failed, 31 not run, 0 passed$/m);
    expect(await readdir(parquet)).toContain("current.json");
  });

  test("reads the newest exports of another namespace into its own places", async () => {
    const env = { NAMESPACE: "branch", COHORT_PROCESSED: join(dir, "of-branch") };
    await writeFile(join(dir, "in/main/adults_v1/2026-01-12_text"), "neither is this");
    const read = await hdash(["cohort", "ingest", "--newest", "1", "--from", "main"], env);
    expect(read.code, read.stderr).toBe(0);
    const status = await hdash(["cohort", "status"], { ...env, COHORT_FROM: "main" });
    expect(status.stdout).toMatch(/^exports \(.*in\/main\)$/m);
    expect(status.stdout).toMatch(/^ {2}waiting +adults_v1\/2026-01-11_text$/m);
    expect(status.stdout).toMatch(/^ {2}not_archive +adults_v1\/2026-01-12_text$/m);
    expect(existsSync(join(dir, "of-branch/branch/catalog.json.gz"))).toBe(true);
    await rm(join(dir, "in/main/adults_v1/2026-01-12_text"));
  });

  test("tells on Slack of a failure, and that the site stands as it was", async () => {
    await writeFile(join(dir, "broken"), "a file");
    const ended = await hdash(["run", "cohort"], {
      ...{ HDASH_LOG_LEVEL: "info", COHORT_RAW: join(dir, "broken") },
    });
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("❌ cohort: failed, the site was not updated");
    expect(ended.stderr).not.toMatch(/tries again/);
    expect(ended.stderr).toMatch(/^ *What to do: Change the setting: until then every run ends/m);
  });
});

describe("hdash, of everything", () => {
  test("leaves cohorts out where none of their variables is set", async () => {
    const env = {
      COHORT_SOURCE: "",
      COHORT_RAW: "",
      COHORT_INTERMEDIATE: "",
      COHORT_PROCESSED: "",
    };
    const ended = await hdash([], env);
    expect(ended.code).toBe(2);
    expect(ended.stderr).toContain("SYNAPSE_PASSWORD is not set");
    expect(ended.stderr).not.toContain("COHORT_");
  });
});
