// Checks in runs as a worker makes them: what they find and tell, which types they hold back and until when, and what they read for it.

import { createHash } from "node:crypto";
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, inject, test } from "vitest";

import type { CheckResult } from "../../../src/jobs/cohort/data/checkResult.ts";
import type { Current } from "../../../src/jobs/cohort/data/current.ts";
import type { Validation } from "../../../src/jobs/cohort/data/validation.ts";
import { openDatabase } from "../../../src/store/database.ts";
import { handZip } from "../../formats/support/handZip.ts";
import { makeRig, type Rig } from "./support/cohortRig.ts";
import { BUCKETS, type CohortWorld, makeCohortWorld, runHere } from "./support/cohortWorld.ts";

const LONG_MS = 120_000;
const ONLY = { COHORT_TYPES: "FitbitDevices,SymptomLog", COHORT_KEEP_BUILDS: "1" };
const MANY = 40_000;
const DEVICES = "dataset_fitbitdevices";
const SYMPTOMS = "dataset_symptomlog";

let rig: Rig;
let world: CohortWorld;
let config: string;
beforeAll(async () => {
  rig = await makeRig();
});
afterAll(() => rig.close());
beforeEach(async () => {
  world = await makeCohortWorld(inject("postgres"));
  config = await rig.folder();
  await mkdir(join(config, "config"));
  for (const folder of ["config/cohort", "views"]) {
    await cp(folder, join(config, folder), { recursive: true });
  }
  return () => world.close();
});

/** Says which checks there are. */
async function setChecks(...checks: readonly object[]): Promise<void> {
  await writeFile(join(config, "config/cohort/checks.json"), JSON.stringify({ checks }));
}
const battery = (more: object = {}) => ({
  ...{ dataset: DEVICES, check: "set", column: "Battery", values: ["High", "Low"], ...more },
});

/** Sends an export of a day: what each participant's device says, and a symptom of the first. */
function send(day: number, batteries: readonly string[], cohort = "adults_v1"): void {
  const date = `2026-01-${String(day).padStart(2, "0")}`;
  const devices = batteries.map((Battery, person) => ({
    ...{ ParticipantIdentifier: `SYN-${person}`, Date: date, Device: "a", Battery },
  }));
  const Value = '{"symptoms":[{"id":"a","severity":1}]}';
  const symptoms = [{ ParticipantIdentifier: "SYN-0", DataPointKey: `k${day}`, Date: date, Value }];
  const lines = (records: readonly object[]): Buffer =>
    Buffer.from(records.map((record) => `${JSON.stringify(record)}\n`).join(""));
  const compact = date.replaceAll("-", "");
  const members = {
    [`FitbitDevices_${compact}.json`]: lines(devices),
    [`SymptomLog_${compact}.json`]: lines(symptoms),
  };
  const zip = handZip(
    Object.entries(members).map(([name, content]) => {
      return { name, content, packed: deflateRawSync(content) };
    }),
  );
  world.send(`${cohort}/${date}T05--00--08Z_${++sent}`, zip);
}
let sent = 0;

const run = (variables: Readonly<Record<string, string>> = {}): Promise<string> =>
  runHere(world, { ...ONLY, ...variables }, config);
function current(): Current {
  const found = world.current();
  if (found === null) throw new Error("there is no build");
  return found;
}
function validation(): Validation {
  const key = `main/validation/${current().build}.json`;
  const object = world.s3.objects(BUCKETS.processed).get(key);
  if (object === undefined) throw new Error(`there is no ${key}`);
  return JSON.parse(object.read().toString()) as Validation;
}
const outcomes = () =>
  validation().results.map(({ id, outcome, rows, missing, unexpected, why }) => [
    ...[id, outcome, rows, missing, unexpected, why],
  ]);
const rowsOf = (name: string): number | undefined =>
  current().datasets.find((dataset) => dataset.name === name)?.rows;

/** Types of those that are built whose records are not all shown. */
const standing = () => current().stale.filter((type) => ONLY.COHORT_TYPES.includes(type));

/** Rows that SQL finds in the ledger. */
async function ledger(query: string): Promise<readonly (readonly unknown[])[]> {
  const database = await openDatabase(world.settings);
  try {
    const { rows } = await sql.raw<Readonly<Record<string, unknown>>>(query).execute(database.db);
    return rows.map((row) => Object.values(row));
  } finally {
    await database.close();
  }
}

describe("a run that validates", () => {
  test(
    "tells of every check, in the order of their file, and switches in spite of those that fail",
    async () => {
      await setChecks(
        battery(),
        { dataset: DEVICES, check: "exists", column: "Type" },
        { dataset: DEVICES, check: "exists", column: "Color", undeclared: true },
        { dataset: DEVICES, check: "not_null", column: "Color", undeclared: true },
        { dataset: DEVICES, check: "unique", columns: ["ParticipantIdentifier", "Date", "Device"] },
        { dataset: DEVICES, check: "unique", columns: ["Device"], severity: "error" },
        { dataset: DEVICES, check: "fresh", column: "export_end_date", days: 3 },
        { dataset: DEVICES, check: "fresh", column: "Date", days: 1_000_000 },
        { dataset: DEVICES, check: "row_count", percent: 10 },
        { dataset: `${SYMPTOMS}_value_symptoms`, check: "has_parent" },
        { dataset: `${SYMPTOMS}_value_treatments`, check: "has_parent" },
        { dataset: "dataset_fitbitecg", check: "exists", column: "StartTime" },
      );
      send(1, ["High", "Medium", ""]);
      send(1, ["Low"], "pediatric_v1");
      expect(await run()).toBe("succeeded");
      expect(outcomes()).toEqual([
        [`${DEVICES}.Battery.set`, "failed", 3, 1, 1, null],
        [`${DEVICES}.Type.exists`, "passed", 3, null, null, null],
        [`${DEVICES}.Color.exists`, "failed", 3, null, null, "there is none"],
        [`${DEVICES}.Color.not_null`, "not_run", 3, null, null, "the dataset has no column Color"],
        [`${DEVICES}.ParticipantIdentifier+Date+Device.unique`, "passed", 3, 0, 0, null],
        [`${DEVICES}.Device.unique`, "failed", 3, 0, 3, null],
        [
          ...[`${DEVICES}.export_end_date.fresh`, "failed", 3, null, null],
          "there is no row of the last 3 days by export_end_date",
        ],
        [`${DEVICES}.Date.fresh`, "passed", 3, null, null, null],
        [`${DEVICES}.row_count`, "not_run", 3, null, null, "there is no build before"],
        [`${SYMPTOMS}_value_symptoms.has_parent`, "passed", 1, 0, 0, null],
        [
          ...[`${SYMPTOMS}_value_treatments.has_parent`, "not_run", 0, null, null],
          "the dataset has no rows",
        ],
        ["dataset_fitbitecg.StartTime.exists", "not_run", 0, null, null, "the dataset has no rows"],
      ]);
      expect([standing(), current().blocked]).toEqual([[], []]);

      // Findings and numbers of what was found, for Slack and for the trend.
      const findings = await ledger(
        "select rule, severity, subject, fields->>'column' from run_finding where rule like 'check%' order by 1, 2, 4",
      );
      expect(findings).toEqual([
        ["check_failed", "error", DEVICES, "Device"],
        ["check_failed", "warning", DEVICES, "Battery"],
        ["check_failed", "warning", DEVICES, "Color"],
        ["check_failed", "warning", DEVICES, "export_end_date"],
        ["check_not_run", "warning", DEVICES, "Color"],
      ]);
      const measures = await ledger(
        `select subject, name, value from run_measure where subject in ('FitbitDevices', '${DEVICES}.Battery.set') order by 1, 2`,
      );
      expect(measures.map((row) => row.map(String).join(" "))).toEqual([
        "FitbitDevices errors 1",
        "FitbitDevices rows 3",
        // By these a check's past is told.
        `FitbitDevices unexpected.${DEVICES}.Battery.set 1`,
        `FitbitDevices unexpected.${DEVICES}.Device.unique 3`,
        `FitbitDevices unexpected.${DEVICES}.ParticipantIdentifier+Date+Device.unique 0`,
        "FitbitDevices warnings 4",
        ...["failed 1", "missing 1", "rows 3", "unexpected 1"].map(
          (one) => `${DEVICES}.Battery.set ${one}`,
        ),
      ]);

      // Nothing is new: nothing is read of datasets, and nothing is put.
      world.s3.requests.length = 0;
      expect(await run()).toBe("succeeded");
      const touched = world.s3.requests.filter(({ key }) => key.includes("dataset_"));
      expect([touched.map(({ key }) => key), world.s3.requests.filter(isPut)]).toEqual([[], []]);
    },
    LONG_MS,
  );

  test(
    "describes datasets: how many values there are of each column, whom it identifies, who is in it",
    async () => {
      await setChecks();
      send(1, ["High", "", "Low"]);
      send(2, ["High"], "pediatric_v1");
      expect(await run()).toBe("succeeded");
      send(3, ["High", "Low"]);
      expect(await run()).toBe("succeeded");
      const profile = validation().profiles.find(({ dataset }) => dataset === DEVICES);
      expect(profile?.people).toEqual([
        { cohort: "adults_v1", count: 3 },
        { cohort: "pediatric_v1", count: 1 },
      ]);
      expect(profile?.rows).toBe(6);
      const columns = profile?.columns.map(({ name, filled }) => [name, filled]);
      // Empty text is text; nobody sent a type.
      expect(columns).toContainEqual(["Battery", 6]);
      expect(columns).toContainEqual(["Type", 0]);
      expect(columns?.at(-1)).toEqual(["cohort", 6]);
      const identifying = profile?.columns.filter(({ isIdentifying }) => isIdentifying);
      expect(identifying?.map(({ name }) => name)).toEqual([
        ...["ParticipantIdentifier", "ParticipantID"],
      ]);
      const child = validation().profiles.find(({ dataset }) => dataset.endsWith("_symptoms"));
      expect(child?.people).toBe(null);
    },
    LONG_MS,
  );

  test(
    "reads of a new day only that day's files, and comes to what reading all comes to",
    async () => {
      await setChecks(
        battery(),
        { dataset: `${SYMPTOMS}_value_symptoms`, check: "has_parent" },
        { dataset: DEVICES, check: "unique", columns: ["Device"] },
        { dataset: SYMPTOMS, check: "pattern", column: "DataPointKey", pattern: "k\\d" },
      );
      // So large that it costs less to leave it where it is.
      const noise = (at: number): string => createHash("sha256").update(`${at}`).digest("hex");
      send(
        1,
        Array.from({ length: MANY }, (_none, at) => noise(at)),
      );
      expect(await run()).toBe("succeeded");
      const before = new Set(filesOf(DEVICES));
      send(20, ["High", "Medium", "Low"]);
      world.s3.requests.length = 0;
      expect(await run()).toBe("succeeded");
      const fresh = filesOf(DEVICES).filter((key) => !before.has(key));
      expect([before.size, fresh.length, filesOf(DEVICES).length]).toEqual([1, 1, 2]);
      // Only what may be equal in rows of several keys has to be looked at in all of them.
      expect(readOf(DEVICES)).toEqual([...fresh, ...filesOf(DEVICES)].sort());
      const [set] = validation().results;
      expect([set?.rows, set?.missing, set?.unexpected]).toEqual([MANY + 3, 0, MANY + 1]);

      // All of it once more, whole.
      const incremental = validation();
      expect(await run({ COHORT_AGAIN: "1" })).toBe("succeeded");
      const whole = validation();
      expect(whole.results).toEqual(incremental.results);
      expect(whole.profiles).toEqual(incremental.profiles);
      expect(whole.build).not.toBe(incremental.build);
    },
    LONG_MS,
  );

  /** Files of a dataset that were fetched, sorted. */
  const readOf = (name: string): readonly string[] =>
    world.s3.requests
      .filter(({ key, operation }) => operation === "GetObject" && key.includes(`/${name}/`))
      .map(({ key }) => key.slice("main/".length))
      .sort();
  const filesOf = (name: string): readonly string[] =>
    current()
      .datasets.find((dataset) => dataset.name === name)
      ?.files.map(({ key }) => key) ?? [];

  test(
    "says of a check that cannot be done why, does all others, and tries it again",
    async () => {
      await setChecks(battery(), {
        ...{ dataset: SYMPTOMS, check: "not_null", column: "DataPointKey" },
      });
      send(1, ["High", "Medium"]);
      const isRead = ({ key, operation }: { key: string; operation: string }): boolean =>
        operation === "GetObject" && key.includes(`${DEVICES}/`);
      world.s3.setFaults((request) => (isRead(request) ? { status: 403 } : null));
      expect(await run()).toBe("succeeded");
      const [broken, other] = validation().results;
      expect(broken).toMatchObject({ outcome: "not_run", rows: 2, unexpected: null });
      expect(broken?.why).toMatch(/dataset_fitbitdevices.* 403|403|denied/i);
      expect(other).toMatchObject({ outcome: "passed", rows: 1 });
      world.s3.setFaults(() => null);
      expect(await run()).toBe("succeeded");
      expect(validation().results[0]).toMatchObject({ outcome: "failed", unexpected: 1 });
    },
    LONG_MS,
  );

  test(
    "comes to the same where nobody knows any more what the build consists of",
    async () => {
      await setChecks(battery(), { dataset: DEVICES, check: "fresh", column: "Date", days: 1e6 });
      send(1, ["High", "Medium", ""]);
      expect(await run()).toBe("succeeded");
      const known = outcomes();
      const { build, segments } = current();
      world.s3.removeObject(BUCKETS.processed, `main/${segments?.key ?? ""}`);
      world.s3.removeObject(BUCKETS.processed, `main/validation/${build}.json`);
      expect(await run({ COHORT_PART: "validate" })).toBe("succeeded");
      expect(outcomes()).toEqual(known);
    },
    LONG_MS,
  );

  test(
    "is still told of by a build that nobody checks, without numbers, and mended only when it is",
    async () => {
      const stop = { id: "stop", blocks: true, values: ["High", "Low", "Medium"] };
      await setChecks(battery(), battery(stop), battery({ id: "gone", values: ["Low"] }));
      send(1, ["Medium"]);
      expect(await run()).toBe("succeeded");
      const told = () =>
        ledger(`select fields->>'check', identity from run_finding f join (
            select id, row_number() over (order by started_at desc) as n from run
          ) r on r.id = f.run_id where r.n = 1 and rule = 'check_failed' order by 1`);
      const counted = () =>
        ledger(`select subject, name from run_measure m join (
            select id, row_number() over (order by started_at desc) as n from run
          ) r on r.id = m.run_id where r.n = 1 and subject ~ 'set$|stop' and name = 'unexpected'`);
      const first = await told();
      expect(first.map(([check]) => check)).toEqual([`${DEVICES}.Battery.set`, "gone"]);
      expect(await counted()).toHaveLength(2);

      // One of the checks is taken away, and one looks, as it must.
      await setChecks(battery(), battery(stop));
      send(2, ["High"]);
      expect(await run({ COHORT_PART: "ingest,build" })).toBe("succeeded");
      expect(rowsOf(DEVICES)).toBe(2);
      expect(await told()).toEqual(first.slice(0, 1));
      expect((await counted()).map(([subject]) => subject)).toEqual(["stop"]);
      send(3, ["High"]);
      expect(await run({ COHORT_PART: "ingest,build" })).toBe("succeeded");
      expect(rowsOf(DEVICES)).toBe(3);
      expect(await told()).toEqual(first.slice(0, 1));
      // The same once more, looked at by nobody and then by a run that finds it as it was.
      expect(await run()).toBe("succeeded");
      expect(await run({ COHORT_PART: "build", COHORT_AGAIN: "1" })).toBe("succeeded");
      expect(await run()).toBe("succeeded");
      const { build } = current().types["FitbitDevices"] ?? {};
      expect(validation().types["FitbitDevices"]?.build).toBe(build);

      send(1, ["Low"]);
      expect(await run()).toBe("succeeded");
      expect(await told()).toEqual([]);
    },
    LONG_MS,
  );

  test(
    "keeps what checks found where they cannot be done, and says so beside",
    async () => {
      await setChecks(battery());
      send(1, ["Medium"]);
      expect(await run()).toBe("succeeded");
      send(2, ["High"]);
      const isRead = ({ key, operation }: { key: string; operation: string }): boolean =>
        operation === "GetObject" && key.includes(`${DEVICES}/`);
      world.s3.setFaults((request) => (isRead(request) ? { status: 403 } : null));
      expect(await run()).toBe("succeeded");
      const told = () =>
        ledger(`select rule from run_finding f join (
            select id, row_number() over (order by started_at desc) as n from run
          ) r on r.id = f.run_id where r.n = 1 and rule like 'check%' order by 1`);
      const both = [["check_failed"], ["check_not_run"]];
      expect(await told()).toEqual(both);
      send(3, ["High"]);
      expect(await run()).toBe("succeeded");
      expect(await told()).toEqual(both);
      // Of another rule nobody has found anything.
      await setChecks(battery({ values: ["High", "Low", "Full"] }));
      expect(await run()).toBe("succeeded");
      expect(await told()).toEqual(both.slice(1));
      world.s3.setFaults(() => null);
      expect(await run()).toBe("succeeded");
      expect(await told()).toEqual(both.slice(0, 1));
    },
    LONG_MS,
  );

  test(
    "compares rows with the build before, also where all of them are gone",
    async () => {
      await setChecks({ dataset: DEVICES, check: "row_count", percent: 10 });
      send(1, ["High", "Low"]);
      expect(await run()).toBe("succeeded");
      send(2, ["High", "Low"]);
      expect(await run()).toBe("succeeded");
      const why = "there are more than in the build before";
      expect(outcomes()).toEqual([[`${DEVICES}.row_count`, "failed", 4, null, 2, why]]);
      // Another type's build changes nothing about that, nor does looking once more.
      send(3, []);
      expect(await run()).toBe("succeeded");
      expect(outcomes()[0]?.[5]).toBe(why);
      await setChecks({ dataset: DEVICES, check: "row_count", percent: 100 });
      expect(await run({ COHORT_PART: "validate" })).toBe("succeeded");
      expect(outcomes()).toEqual([[`${DEVICES}.row_count`, "passed", 4, null, 0, null]]);
    },
    LONG_MS,
  );
});

const isPut = ({ operation }: { readonly operation: string }): boolean =>
  ["PutObject", "UploadPart", "CompleteMultipartUpload"].includes(operation);

describe("a check that blocks", () => {
  const BLOCKING = battery({ blocks: true });
  const ID = `${DEVICES}.Battery.set`;

  test(
    "keeps the old datasets of its type until they are mended, and switches all others",
    async () => {
      await setChecks(BLOCKING);
      send(1, ["High", "Low"]);
      expect(await run()).toBe("succeeded");
      const first = current();

      send(2, ["Medium", "Low"]);
      expect(await run()).toBe("succeeded");
      const second = current();
      expect([rowsOf(DEVICES), rowsOf(SYMPTOMS)]).toEqual([2, 2]);
      expect([standing(), second.failed]).toEqual([["FitbitDevices"], []]);
      const [held] = second.blocked;
      expect(held).toMatchObject({ type: "FitbitDevices", checks: [ID] });
      expect(second.types["FitbitDevices"]).toEqual(first.types["FitbitDevices"]);
      // Results are about what is held back, the description about what readers have.
      expect(outcomes()).toEqual([[ID, "failed", 4, 0, 1, null]]);
      expect(validation().profiles.find(({ dataset }) => dataset === DEVICES)?.rows).toBe(2);

      // It is told once, and nothing is built or read again until there is something new.
      world.s3.requests.length = 0;
      expect(await run()).toBe("succeeded");
      expect(world.s3.requests.filter(isPut)).toEqual([]);
      expect(current()).toEqual(second);

      // More of it: it is tried again, and held back as long as before.
      send(3, ["Medium"]);
      expect(await run()).toBe("succeeded");
      expect(rowsOf(DEVICES)).toBe(2);
      expect(current().blocked[0]).toMatchObject({ checks: [ID], since: held?.since });
      expect(current().blocked[0]?.tried).not.toBe(held?.tried);
      expect(outcomes()).toEqual([[ID, "failed", 5, 0, 2, null]]);

      // The days are sent again as they should have been.
      send(2, ["High", "Low"]);
      send(3, ["High"]);
      expect(await run()).toBe("succeeded");
      expect(rowsOf(DEVICES)).toBe(5);
      expect([standing(), current().blocked]).toEqual([[], []]);
      expect(outcomes()).toEqual([[ID, "passed", 5, 0, 0, null]]);
    },
    LONG_MS,
  );

  test(
    "tells of what readers have where a build alone was held back, and of what holds it",
    async () => {
      const stop = { id: "stop", blocks: true, values: ["High", "Low", "Medium"] };
      await setChecks(battery(stop), battery({ id: "warn", values: ["High"] }));
      const told = () => outcomes().map(([id, outcome, rows, , , why]) => [id, outcome, rows, why]);
      send(1, ["High"]);
      expect(await run()).toBe("succeeded");
      send(2, ["Low", "Low"]);
      expect(await run({ COHORT_PART: "ingest,build" })).toBe("succeeded");
      expect(rowsOf(DEVICES)).toBe(3);
      send(3, ["Broken"]);
      expect(await run({ COHORT_PART: "ingest,build" })).toBe("succeeded");
      expect([rowsOf(DEVICES), current().blocked[0]?.checks]).toEqual([3, ["stop"]]);
      const heldBack = [
        ["stop", "failed", 4, null],
        ["warn", "not_run", null, "the type is held back, and is checked with its next build"],
      ];
      expect(told()).toEqual(heldBack);
      expect(await run()).toBe("succeeded");
      expect(told()).toEqual(heldBack);
      const [profile] = validation().profiles.filter(({ dataset }) => dataset === DEVICES);
      expect(profile?.rows).toBe(3);

      send(3, ["High"]);
      expect(await run()).toBe("succeeded");
      expect(told()).toEqual([
        ["stop", "passed", 4, null],
        ["warn", "failed", 4, null],
      ]);
    },
    LONG_MS,
  );

  test(
    "holds back a first build, a build alone as well, and lets go once the check is another",
    async () => {
      await setChecks(BLOCKING);
      send(1, ["Medium"]);
      expect(await run({ COHORT_PART: "ingest,build" })).toBe("succeeded");
      expect(rowsOf(DEVICES)).toBe(0);
      expect(current().blocked).toHaveLength(1);
      const { build } = current();
      expect(await run({ COHORT_PART: "ingest,build" })).toBe("succeeded");
      expect(current().build).toBe(build);

      await setChecks(BLOCKING, battery({ id: "another" }));
      expect(await run()).toBe("succeeded");
      // A check that blocks nothing is no reason to build it once more.
      expect(current().build).toBe(build);
      expect(outcomes().map(([id, outcome]) => [id, outcome])).toEqual([
        [ID, "failed"],
        ["another", "not_run"],
      ]);
      await setChecks(battery());
      expect(await run()).toBe("succeeded");
      expect(rowsOf(DEVICES)).toBe(1);
      expect(current().blocked).toEqual([]);
      expect(outcomes()).toEqual([[ID, "failed", 1, 0, 1, null]]);
    },
    LONG_MS,
  );

  test(
    "fails its type where the column that it looks at is not there: nobody has looked at what came",
    async () => {
      await setChecks(battery({ blocks: true, column: "Firmware", undeclared: true }));
      send(1, ["High"]);
      expect(await run()).toBe("degraded");
      expect(current()).toMatchObject({ failed: ["FitbitDevices"], blocked: [] });
      expect([rowsOf(DEVICES), rowsOf(SYMPTOMS)]).toEqual([0, 1]);
      await setChecks(battery({ column: "Firmware", undeclared: true }));
      expect(await run()).toBe("succeeded");
      expect(rowsOf(DEVICES)).toBe(1);
    },
    LONG_MS,
  );

  test(
    "that cannot be done fails its type, which is tried again",
    async () => {
      await setChecks(BLOCKING);
      send(1, ["High"]);
      world.s3.setFaults(({ key, operation }) =>
        operation === "GetObject" && key.includes(`${DEVICES}/`) ? { status: 403 } : null,
      );
      expect(await run()).toBe("degraded");
      expect(current()).toMatchObject({ failed: ["FitbitDevices"], blocked: [] });
      expect([rowsOf(DEVICES), rowsOf(SYMPTOMS)]).toEqual([0, 1]);
      world.s3.setFaults(() => null);
      expect(await run()).toBe("succeeded");
      expect([standing(), current().failed, current().blocked]).toEqual([[], [], []]);
      expect(rowsOf(DEVICES)).toBe(1);
    },
    LONG_MS,
  );

  test(
    "lets go of a type whose input is what its datasets show again",
    async () => {
      await setChecks(BLOCKING);
      send(1, ["High"]);
      expect(await run()).toBe("succeeded");
      send(2, ["Medium"]);
      expect(await run()).toBe("succeeded");
      expect(current().blocked).toHaveLength(1);
      await setChecks();
      expect(await run()).toBe("succeeded");
      expect(current().blocked).toEqual([]);
      expect(rowsOf(DEVICES)).toBe(2);
      // Results of builds that nobody can read any more go with them.
      const kept = [current(), ...current().kept].map(
        ({ build }) => `main/validation/${build}.json`,
      );
      const objects = [...world.s3.objects(BUCKETS.processed).keys()];
      expect(objects.filter((key) => key.startsWith("main/validation/")).sort()).toEqual(
        kept.sort(),
      );
    },
    LONG_MS,
  );
});

describe("what checks tell", () => {
  test(
    "has no value of a participant",
    async () => {
      const results: CheckResult[] = [];
      await setChecks(battery(), {
        ...{ dataset: DEVICES, check: "between", column: "Battery", min: 0 },
      });
      send(1, ["SECRET-1", "SECRET-2"]);
      expect(await run()).toBe("succeeded");
      results.push(...validation().results);
      expect(results.map(({ unexpected }) => unexpected)).toEqual([2, 2]);
      const rows = await ledger("select message || fields::text from run_finding");
      const said = JSON.stringify([rows, validation(), current()]);
      expect(said).not.toMatch(/SECRET|SYN-/);
    },
    LONG_MS,
  );
});
