// The cohort job's part of the demo: a folder in which exports of a synthetic study arrive, and the three private places beside it.

import { createWriteStream, existsSync } from "node:fs";
import { mkdir, readFile, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";

import type { DemoPart } from "../../../job.ts";
import { PRODUCTION } from "../../../settings/namespace.ts";
import { exportDay } from "../data/exportName.ts";
import { daysBefore } from "../data/studyDays.ts";
import { latestSchemaFile } from "../schemas.ts";
import { makeWorld, type World, type WorldObject } from "./world.ts";
import { numberOf } from "./worldPeople.ts";
import type { WorldTables } from "./worldRecords.ts";

const COHORTS = ["adults_v1", "pediatric_v1"] as const;
/** Daily exports of each cohort. */
const EXPORTS = 30;
/** What a cohort has never sent: a day in the middle of the month, and two that follow each other. */
const MISSING = [
  [1, 11],
  [1, 17],
  [1, 18],
] as const;
/** The story's day on which the last of them arrive, with all that is no good export; the others are there from the first. */
const LAST_DAY = 3;
/** Types that the study sends. One of each shape, and those in which something is wrong: more would only take longer. */
const TYPES: readonly string[] = [
  ...["EnrolledParticipants", "SymptomLog", "HealthKitV2Samples", "HealthKitV2Samples_Deleted"],
  ...["FitbitDailyData", "FitbitDevices", "FitbitRestingHeartRates", "FitbitSleepLogs"],
  ...["GoogleFitSamples", "GarminStressDetailSummary"],
];

/** Plans the study of the demo, up to a day, by the schema that hdash brings along. */
export async function demoWorld(root: string, today: string): Promise<World> {
  const schema = JSON.parse(await readFile(join(root, await latestSchemaFile(root)), "utf8")) as {
    // Its form is checked where the job reads it.
    readonly types: WorldTables;
  };
  const sent = Object.entries(schema.types).filter(([type]) => TYPES.includes(type));
  return makeWorld(Object.fromEntries(sent), {
    ...{ seed: 7, namespace: PRODUCTION, cohorts: COHORTS, exports: EXPORTS },
    ...{ participants: 24, rowsPerDay: 4, faults: true, missing: MISSING },
    faultsAt: EXPORTS - 3,
    first: numberOf(today) - EXPORTS + 1,
  });
}

/** Has exports arrive in a folder below `home`, day by day of the story. */
export async function receiveExports(home: string): Promise<DemoPart> {
  const today = new Date().toISOString().slice(0, 10);
  const dir = join(home, "cohort");
  const source = join(dir, "exports");
  const processed = join(dir, "processed");
  const current = join("processed", PRODUCTION, "parquet/current.json");
  await mkdir(source, { recursive: true, mode: 0o700 });
  return {
    variables: {
      COHORT_SOURCE: source,
      COHORT_RAW: join(dir, "raw"),
      COHORT_INTERMEDIATE: join(dir, "intermediate"),
      COHORT_PROCESSED: processed,
    },
    days: LAST_DAY,
    async prepare({ root }, day) {
      const { objects } = await demoWorld(root, today);
      for (const object of objects.filter(({ key }) => arrivesOn(key, today) <= day)) {
        await receive(source, object);
      }
    },
    afterwards: {
      says: `Exports, copies and datasets of an invented study are in ${dir}; nothing of them is on the site but counts. ${current} names the datasets`,
      commands: ["cohort status", "cohort audit"],
    },
    close: () => Promise.resolve(),
  };
}

/** The day of the story on which an object arrives: daily exports on theirs, or before the story, what is no good export on the last. */
function arrivesOn(key: string, today: string): number {
  const name = key.split("/").at(-1) ?? "";
  const isDaily = !/owner|keep|_(truncated|text|empty|elders|re-export_.*)$/.test(name);
  const day = exportDay(name);
  return isDaily && day !== null ? Math.max(1, LAST_DAY - daysBefore(day, today)) : LAST_DAY;
}

/** Writes an object, unless it lies there from an earlier day or demo: under its name it is whole or not there. */
async function receive(source: string, { key, bytes }: WorldObject): Promise<void> {
  const path = join(source, key);
  if (existsSync(path)) return;
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const draft = join(source, "arriving");
  await pipeline(Readable.from(bytes()), createWriteStream(draft, { mode: 0o600 }));
  await rename(draft, path);
}
