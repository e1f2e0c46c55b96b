// The cohort job bound to the world: where exports come from, the three private places, DuckDB, the schemas.

import { rm } from "node:fs/promises";
import { join } from "node:path";

import type { Effects } from "../../effects.ts";
import { HdashError } from "../../error.ts";
import { quoted } from "../../format.ts";
import { type BoundPipeline, pagesUrl, type ReadMenu } from "../../job.ts";
import { loadDesign, versionsOf } from "../../render/design.ts";
import { PATIENT } from "../../retry.ts";
import { PRODUCTION } from "../../settings/namespace.ts";
import type { Bucket } from "../../store/bucket.ts";
import { settingProblems, strangeDropped } from "./asked.ts";
import type { Duck } from "./build/duck.ts";
import { loadChecks } from "./checkList.ts";
import { PRICES } from "./data/segments.ts";
import type { Places } from "./doing.ts";
import { getJson } from "./keptJson.ts";
import { PAGES } from "./pages/pageFrame.ts";
import { makeCohort } from "./plan.ts";
import { loadSchemas } from "./schemas.ts";
import type { CohortSettings, Place, SynapsePlace } from "./settings.ts";
import type { ExportSource } from "./sources/exports.ts";
import {
  readBuilt,
  readComparison,
  readState,
  removeUnnamed,
  saveCatalog,
  saveValidation,
  switchTo,
} from "./state.ts";

/** Another version of it may write other bytes. */
const BUILDING = ["@duckdb/node-api"];

/** Binds the pipeline. */
export async function bindCohort(
  effects: Effects,
  settings: CohortSettings,
  readMenu: ReadMenu,
): Promise<BoundPipeline> {
  await effects.fonts();
  const { dir } = await effects.artifacts();
  const design = await loadDesign(effects.root, dir);
  const publisher = await effects.publisher();
  const schemas = await loadSchemas(dir);
  const [problem] = settingProblems(settings, schemas);
  if (problem !== undefined) throw problem;
  for (const strange of strangeDropped(settings.dropped, schemas)) effects.log.warn(strange);
  await checkSourceNamespace(effects, settings);
  const source = await openExports(effects, settings);
  const places = await openPlaces(effects, settings);
  const pipeline = makeCohort(
    {
      ...{ source, places },
      openDuck: await openDucks(effects, settings),
      readState: (signal) => readState(places.processed, signal),
      readComparison: (signal) => readComparison(places.processed, signal),
      saveCatalog: (catalog, signal) => saveCatalog(places.processed, catalog, signal),
      switchTo: (current, segments, run, signal) =>
        switchTo(places.processed, { current, segments, run }, signal),
      removeUnnamed: (found, known, signal) => removeUnnamed(places, found, known, signal),
      readReport: (report) => getJson(places.processed, report),
      readBuilt: (built) => readBuilt(places.processed, built),
      schemaOf: (name) => schemas.of(name),
      cohorts: schemas.cohorts,
      namespace: namespaceOf(effects),
      log: effects.log,
      memoryMiB: settings.memoryMiB,
      builtBy: await versionsOf(effects.root, BUILDING),
      prices: PRICES,
      checks: await loadChecks(dir, schemas),
      saveValidation: (validation, signal) => saveValidation(places.processed, validation, signal),
      render: design.render,
      assets: design.assets,
      designDigest: design.digest,
      drawnBy: design.drawnBy,
      sourceLabel: source.label,
      readMenu: () => readMenu(publisher.site),
    },
    settings,
  );
  const params = { namespace: namespaceOf(effects), processed: places.processed.uri };
  return { pipeline, params, publisher, siteUrl: pagesUrl(PAGES, effects.config.siteUrl) };
}

/** Of the memory that the job may take, what DuckDB may account for: its process takes up to half as much again, Node some 300 MB. */
const DUCK_SHARE = 0.5;
const NODE_MIB = 300;
const LEAST_DUCK_MIB = 256;

/** Tells how much of the memory that the job may take is DuckDB's to account for. Both in MiB. */
export function duckMemory(memoryMiB: number): number {
  return Math.max(LEAST_DUCK_MIB, Math.floor((memoryMiB - NODE_MIB) * DUCK_SHARE));
}

/** Makes one DuckDB for all steps of the process, with a folder for what does not fit into memory. */
export async function openDucks(
  effects: Effects,
  { memoryMiB }: CohortSettings,
): Promise<() => Promise<Duck>> {
  const { shareDuck } = await import("./build/duck.ts");
  const { makePassingFolder } = await import("../../engine/scratch.ts");
  let spillDir: string | null = null;
  const ducks = shareDuck(async () => {
    const workDir = await effects.scratch();
    spillDir ??= await makePassingFolder(workDir, "spill-");
    return { memoryMiB: duckMemory(memoryMiB), threads: 1, spillDir, workDir };
  });
  effects.onClose(async () => {
    ducks.close();
    if (spillDir !== null) await rm(spillDir, { recursive: true, force: true });
  });
  return () => ducks.open();
}

/** The namespace whose exports these are. */
export function namespaceOf({ config }: Effects): string {
  return config.namespace ?? PRODUCTION;
}

/** Opens the three private places of the namespace. */
async function openPlaces(effects: Effects, settings: CohortSettings): Promise<Places> {
  const open = (place: Place, variable: string) => openPlace(effects, place, variable);
  return {
    raw: await open(settings.raw, "COHORT_RAW"),
    intermediate: await open(settings.intermediate, "COHORT_INTERMEDIATE"),
    processed: await open(settings.processed, "COHORT_PROCESSED"),
  };
}

/** Opens one place of the namespace; a folder is made where it is not there, or refused by its variable. */
export async function openPlace(effects: Effects, place: Place, variable: string): Promise<Bucket> {
  if (place.kind === "folder") {
    const { mkdir } = await import("node:fs/promises");
    const { checkFolder, LEAST_BYTES } = await import("../../store/folderCheck.ts");
    const { closeFolder } = await import("../../store/privateFolder.ts");
    const dir = join(place.dir, namespaceOf(effects));
    await checkFolder(dir, { setting: variable, leastBytes: LEAST_BYTES });
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await closeFolder(dir, variable, effects.log);
  }
  return openToRead(effects, place, variable);
}

/** Opens one place of a namespace as it is, of this one's where none is named: nothing is made of it. */
export async function openToRead(
  effects: Effects,
  place: Place,
  variable: string,
  namespace = namespaceOf(effects),
): Promise<Bucket> {
  if (place.kind === "folder") {
    const { openFolderBucket } = await import("../../store/folderBucket.ts");
    const dir = join(place.dir, namespace);
    return openFolderBucket(dir, { isPrivate: true, setting: variable });
  }
  const prefix = [place.prefix, namespace].filter((part) => part !== "").join("/");
  return effects.openBucket(place.bucket, { prefix, variable });
}

/** Throws usage where a folder has no namespace of this name. Production may wait for its first export; any other is more likely a slip. */
async function checkSourceNamespace(
  effects: Effects,
  { source, from }: Pick<CohortSettings, "source" | "from">,
): Promise<void> {
  const namespace = from ?? namespaceOf(effects);
  if (source.kind !== "folder" || (from === null && namespace === PRODUCTION)) return;
  const { isMissing } = await import("./sources/folderExports.ts");
  if (!(await isMissing(join(source.dir, namespace)))) return;
  const where = `${source.dir} (COHORT_SOURCE)`;
  throw new HdashError("usage", `there is no namespace ${quoted(namespace)} in ${where}`, {
    hint: "Exports lie in <namespace>/<cohort>/ there.",
  });
}

/** Opens where exports come from. */
export async function openExports(
  effects: Effects,
  { source, from }: Pick<CohortSettings, "source" | "from">,
): Promise<ExportSource> {
  const namespace = from ?? namespaceOf(effects);
  if (source.kind === "synapse") return openInSynapse(effects, source, namespace);
  if (source.kind === "folder") {
    const { folderExports } = await import("./sources/folderExports.ts");
    return folderExports(join(source.dir, namespace));
  }
  const { bucketExports } = await import("./sources/exports.ts");
  return bucketExports(await openToRead(effects, source, "COHORT_SOURCE", namespace));
}

async function openInSynapse(
  effects: Effects,
  { id, access }: SynapsePlace,
  namespace: string,
): Promise<ExportSource> {
  const { endpoint, token, user } = access;
  if (token === null) {
    throw new HdashError("config", "SYNAPSE_PASSWORD is not set, but COHORT_SOURCE is in Synapse");
  }
  const { makeSynapse } = await import("../../sources/synapse.ts");
  const { logRetries } = await import("../../sources/synapseCalls.ts");
  const { synapseExports } = await import("./sources/synapseExports.ts");
  const { log, patience } = effects;
  const http = await effects.http();
  return synapseExports({
    client: makeSynapse({ endpoint, token, userName: user, http, log, ...patience }),
    ...{ http, endpoint, rootId: id, namespace },
    policy: patience.policy ?? PATIENT,
    onRetry: logRetries(log),
  });
}
