// The work of the cohort job's steps in the world: exports read, places filled and compared, types built.

import { type Digest, digestOf } from "../../digest.ts";
import type { StepContext } from "../../engine/step.ts";
import { countSeverities } from "../../finding.ts";
import type { Log } from "../../log.ts";
import type { Bucket } from "../../store/bucket.ts";
import { fileSource } from "../../store/byteSource.ts";
import type { Duck } from "./build/duck.ts";
import { exportKey, type ListedObject, sortListing } from "./data/catalog.ts";
import type { Check } from "./data/check.ts";
import { reportFindings } from "./data/findings.ts";
import {
  findLosses,
  type Held,
  type HeldObject,
  type Losses,
  REPORTS,
  type Sweepable,
  sweepable,
} from "./data/keptObjects.ts";
import type { CohortState } from "./data/known.ts";
import {
  listingFindings,
  listingWarnings,
  SOURCE_SCOPE,
  type SourceFacts,
} from "./data/listing.ts";
import type { LaidOut } from "./data/recordShape.ts";
import type { ExportReport, KeptObject, MemberReport } from "./data/report.ts";
import type { Prices } from "./data/segments.ts";
import { copyMembers, ingestExport, type Keep, type KeptFile } from "./ingest/ingestExport.ts";
import { putJson } from "./keptJson.ts";
import type { ExportSource } from "./sources/exports.ts";

export interface Places {
  readonly raw: Bucket;
  readonly intermediate: Bucket;
  readonly processed: Bucket;
}

/** What the pipeline uses of the world. */
export interface CohortEffects {
  readonly source: ExportSource;
  readonly places: Places;
  /** Reads what is known of the namespace: its exports, and its build. */
  readState(signal?: AbortSignal): Promise<CohortState>;
  /** The schema that an export is read with, and, for null, the one that datasets have. */
  schemaOf(exportName: string | null): LaidOut;
  readonly cohorts: readonly string[];
  readonly namespace: string;
  readonly log: Pick<Log, "warn">;
  /** Opens a DuckDB of the process, with tables of its own. */
  openDuck(): Promise<Duck>;
  readonly memoryMiB: number;
  /** Versions of the libraries that shape datasets. */
  readonly builtBy: Readonly<Record<string, string>>;
  readonly prices: Prices;
  readonly checks: readonly Check[];
}

/** A version of an export, and how it is read. */
export type IngestParams = {
  readonly cohort: string;
  readonly export: string;
  readonly bytes: number;
  readonly etag: string;
  readonly schema: string;
  /** The run that was asked to read it once more; null: once is enough. */
  readonly again: string | null;
};
/** Ids of members that a later export has sent again: the places hold that one's copies. */
export type IngestHints = { readonly later: readonly string[] };

/** Members of an export whose copies are made again. `check` names the run that found them missing: what was lost twice is made twice. */
export type RepairParams = Omit<IngestParams, "again"> & {
  readonly members: readonly string[];
  readonly check: string;
  /** The digest of the export's report. */
  readonly report: Digest;
};
export type Repaired = Readonly<Record<string, Pick<MemberReport, "raw" | "copy">>>;

/** Bump when what is staged of an export changes. 2: objects are named by their content, and a report is kept in a place. */
export const INGEST_VERSION = 2;
/** Bump when what is said of an export changes. 2: its name may begin with a day that there is not. */
export const REPORT_VERSION = INGEST_VERSION + 1;
/** So much of a digest tells the versions of all exports apart. */
const VERSION_LETTERS = 32;
/** Private objects are for programs, which know when they change. */
const PRIVATE = { contentType: "application/octet-stream", cacheControl: "no-cache" } as const;

/** Lends a DuckDB. */
export async function withDuck<T>(
  { openDuck }: CohortEffects,
  use: (duck: Duck) => Promise<T>,
): Promise<T> {
  const duck = await openDuck();
  try {
    return await use(duck);
  } finally {
    duck.close();
  }
}

/** Puts a file of the step's into a place. What was digested as it was written is put with that digest alone. */
export async function put(
  bucket: Bucket,
  key: string,
  file: KeptFile,
  signal: AbortSignal,
  metadata: Readonly<Record<string, string>> = {},
): Promise<KeptObject> {
  const options = {
    ...PRIVATE,
    metadata,
    // Computed as it was written, by us.
    ...("sha256" in file ? { digest: file.sha256 as Digest } : {}),
  };
  const source = "source" in file ? file.source : await fileSource(file.path);
  const { bytes, digest, etag } = await bucket.putStream(key, source, options, signal);
  return { key, bytes, sha256: digest, etag };
}

/** What reading a version of an export takes, whatever is read of it. */
async function openRequest(
  { source, places, schemaOf }: CohortEffects,
  { cohort, export: name, bytes, etag }: Omit<IngestParams, "schema" | "again">,
  ctx: StepContext<unknown>,
) {
  const { signal } = ctx;
  const key = exportKey({ cohort, export: name });
  const keep: Keep = (place, to, file, metadata) => put(places[place], to, file, signal, metadata);
  return {
    ...{ cohort, export: name, signal, keep, shapes: schemaOf(name).shapes },
    dir: await ctx.workDir(),
    source: await source.open({ key, cohort, export: name, bytes, etag }, signal),
    onBytes: (done: number, total: number) => ctx.progress(done, total, { unit: "bytes" }),
  };
}

/** Reads an export once. Its report lies beside the datasets until the catalog has it: it tells of members and fields what nobody else need know. */
export async function ingest(
  effects: CohortEffects,
  params: IngestParams,
  ctx: StepContext<IngestHints>,
): Promise<KeptObject> {
  const { etag } = params;
  const later = new Set(ctx.hints.later);
  const { name: schema } = effects.schemaOf(params.export);
  const request = await openRequest(effects, params, ctx);
  const version = versionName(exportKey(params), etag, schema);
  const report = await withDuck(effects, (duck) =>
    ingestExport({
      ...request,
      ...{ schema, duck, version },
      isLatest: (id) => !later.has(id),
    }),
  );
  noteReport(ctx, report);
  const keyOf = (content: string): string => `${REPORTS}${version}.${content}.json.gz`;
  return putJson(effects.places.processed, keyOf, report, ctx.signal);
}

/** Lists the source, and says in the log what of it is not read. */
export async function listSource(
  { source, cohorts, namespace, log }: CohortEffects,
  signal: AbortSignal,
): Promise<readonly ListedObject[]> {
  const objects = await source.list(signal);
  const facts = { label: source.label, namespace, cohorts };
  for (const says of listingWarnings(sortListing(objects, cohorts), facts)) log.warn(says);
  return objects;
}

/** Notes what a listing of the source says beside its exports. */
export function noteListing(
  objects: readonly ListedObject[],
  facts: SourceFacts,
  ctx: StepContext,
): void {
  const findings = listingFindings(sortListing(objects, facts.cohorts), facts);
  ctx.find(findings);
  // Where nothing is to be said of it, the source is not one of the things that a message counts.
  if (findings.length === 0) return;
  for (const [name, value] of Object.entries(countSeverities(findings))) {
    ctx.measure(SOURCE_SCOPE, name, value);
  }
}

/** Lists the three places and compares them with what they should hold; with it comes what may go of them. */
export async function check(
  { places, readState }: CohortEffects,
  signal: AbortSignal,
): Promise<{ readonly losses: Losses; readonly sweepable: Sweepable }> {
  const state = await readState(signal);
  const held = async (bucket: Bucket): Promise<Held> => {
    const objects = new Map<string, HeldObject>();
    for await (const { key, bytes, etag } of bucket.list(signal)) objects.set(key, { bytes, etag });
    return objects;
  };
  const [raw, intermediate, processed] = [
    await held(places.raw),
    await held(places.intermediate),
    await held(places.processed),
  ];
  const losses = findLosses(state, { raw, intermediate, processed });
  return { losses, sweepable: sweepable({ intermediate, processed }) };
}

/** Makes the copies of some members again. What was found of the export still holds. */
export async function repair(
  effects: CohortEffects,
  report: ExportReport,
  params: RepairParams,
  ctx: StepContext,
): Promise<Repaired> {
  noteReport(ctx, report);
  const request = await openRequest(effects, params, ctx);
  return Object.fromEntries(await copyMembers(request, new Set(params.members)));
}

/** Notes what was found, and counts it; a scope's numbers are those whose subject is the scope. */
function noteReport(ctx: StepContext<unknown>, report: ExportReport): void {
  const scope = exportKey(report);
  const findings = reportFindings(report);
  ctx.find(findings);
  const { members } = report;
  const read = members.reduce((sum, member) => sum + (member.read ?? 0), 0);
  const written = members.reduce((sum, member) => sum + member.written, 0);
  const numbers = {
    ...countSeverities(findings),
    members: members.length,
    records: read,
    written,
    quarantined: read - written,
  };
  for (const [name, value] of Object.entries(numbers)) ctx.measure(scope, name, value);
}

/** Names what is made of a version of an export, so that another version's lies elsewhere. */
function versionName(key: string, etag: string, schema: string): string {
  return digestOf(JSON.stringify([key, etag, schema, INGEST_VERSION])).slice(0, VERSION_LETTERS);
}
