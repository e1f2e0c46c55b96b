// The cohort job's lines of the doctor: the schema, the source of exports, and the three private places.

import { stat } from "node:fs/promises";

import type { Effects } from "../../effects.ts";
import { count, listFew, oneLine } from "../../format.ts";
import { diagnose, type Diagnosis } from "../../job.ts";
import { settingProblems, strangeDropped } from "./asked.ts";
import { namespaceOf, openExports, openPlace } from "./bind.ts";
import { sortListing } from "./data/catalog.ts";
import { checkNamed } from "./data/checks.ts";
import { noExports, notRead, whyNotRead } from "./data/listing.ts";
import { loadSchemas, type Schemas } from "./schemas.ts";
import type { CohortSettings, Place } from "./settings.ts";

const service = "Cohorts";
/** What is put into a place and removed again: nothing of the job's begins so. */
const PROBE = "hdash-doctor.txt";
const TEXT = { contentType: "text/plain; charset=utf-8", cacheControl: "no-store" } as const;
/** Variables that say where something is, by its kind. */
const REACHED = {
  s3: " and S3_ENDPOINT_URL",
  synapse: " and SYNAPSE_ENDPOINT_URL",
  folder: "",
} as const;

/** Reads the schema, lists the exports that there are, and puts something into each place, which it then removes. */
export async function examineCohort(
  effects: Effects,
  settings: CohortSettings | null,
  signal: AbortSignal,
): Promise<readonly Diagnosis[]> {
  if (settings === null) {
    if (!effects.config.given.includes("cohort")) return [];
    const says =
      "COHORT_… variables are set, but not all that say where exports are and what goes where";
    const advice = "Set COHORT_SOURCE, COHORT_RAW, COHORT_INTERMEDIATE and COHORT_PROCESSED.";
    return [{ service, state: "bad", says, advice }];
  }
  const { schemas, schema } = await askSchema(effects, settings);
  const { raw, intermediate, processed } = settings;
  return [
    schema,
    ...(schemas === null ? [] : askSettings(settings, schemas)),
    ...(schemas === null ? [] : [await askSource(effects, settings, schemas, signal)]),
    await askPlace(effects, raw, "COHORT_RAW", signal),
    await askPlace(effects, intermediate, "COHORT_INTERMEDIATE", signal),
    await askPlace(effects, processed, "COHORT_PROCESSED", signal),
  ];
}

async function askSchema(
  effects: Effects,
  { dropped }: CohortSettings,
): Promise<{ readonly schemas: Schemas | null; readonly schema: Diagnosis }> {
  let schemas: Schemas | null = null;
  const schema = await diagnose(service, "the schema", "HDASH_WORK_BUCKET", async () => {
    schemas = await loadSchemas((await effects.artifacts()).dir);
    const { version, shapes } = schemas.of(null);
    const types = count(shapes.size, "data type");
    const says = `datasets have version ${version} of the schema: ${types} of ${schemas.cohorts.join(", ")}`;
    const strange = strangeDropped(dropped, schemas);
    if (strange.length === 0) return { service, state: "ok", says, advice: null };
    return { service, state: "note", says, advice: strange.join(" ") };
  });
  return { schemas, schema };
}

/** Says what no run can begin with, by what a run itself is refused by. */
function askSettings(settings: CohortSettings, schemas: Schemas): readonly Diagnosis[] {
  return settingProblems(settings, schemas).map(({ message, hint }) => {
    return { service, state: "bad", says: message, advice: hint };
  });
}

async function askSource(
  effects: Effects,
  settings: CohortSettings,
  { cohorts }: Schemas,
  signal: AbortSignal,
): Promise<Diagnosis> {
  const { source } = settings;
  const variables = `COHORT_SOURCE${REACHED[source.kind]}`;
  const ask = async (): Promise<Diagnosis> => {
    // A run takes a folder without exports for one that nobody has sent anything to: that it is there at all is looked at here.
    if (source.kind === "folder") await stat(source.dir);
    const opened = await openExports(effects, settings);
    try {
      const listing = sortListing(await opened.list(signal), cohorts);
      const { exports } = listing;
      const [strange, refused] = [true, false].map((isCohort) =>
        notRead(listing).filter(({ outcome }) => (outcome === "unknown_cohort") === isCohort),
      );
      const others = strange?.length ? `; ${strange.length} of other cohorts` : "";
      const named = (refused ?? []).map((one) => `${oneLine(one.key)} (${whyNotRead(one)})`);
      const more = named.length > 0 ? `; not read: ${listFew(named)}` : "";
      const says = `${opened.label} lists ${count(exports.length, "export")} of ${cohorts.join(", ")}${others}${more}`;
      if (exports.length === 0) {
        const facts = { label: opened.label, namespace: namespaceOf(effects), cohorts };
        return { service, state: "note", says, advice: noExports(facts).advice };
      }
      checkNamed(settings.choice, exports);
      const advice = named.length > 0 ? "Put the files themselves there, or remove these." : null;
      return { service, state: advice === null ? "ok" : "note", says, advice };
    } finally {
      await opened.close();
    }
  };
  return diagnose(service, "the source of exports", variables, ask, source.kind === "folder");
}

async function askPlace(
  effects: Effects,
  place: Place,
  variable: string,
  signal: AbortSignal,
): Promise<Diagnosis> {
  const ask = async (): Promise<Diagnosis> => {
    const bucket = await openPlace(effects, place, variable);
    await bucket.put(PROBE, new TextEncoder().encode("hdash doctor was here\n"), TEXT, signal);
    await bucket.delete([PROBE], signal);
    // Building lists what older builds have left: a role that may not is found out here.
    for await (const _object of bucket.list(signal)) break;
    const says = `${bucket.uri} can be written and cleaned (${variable})`;
    return { service, state: "ok", says, advice: null };
  };
  const variables = `${variable}${REACHED[place.kind]}`;
  return diagnose(service, variable, variables, ask, place.kind === "folder");
}
