// What is known of a namespace, kept beside its datasets: the catalog of its exports, the build that readers use, and what goes with it.

import { HdashError } from "../../error.ts";
import { quoted } from "../../format.ts";
import { meant } from "../../settings/nearest.ts";
import type { Bucket } from "../../store/bucket.ts";
import type { TypeBuild } from "./building.ts";
import { type Catalog, EMPTY_CATALOG } from "./data/catalog.ts";
import { COMPARE_VERSION, type CompareResult } from "./data/compareResult.ts";
import {
  buildPrefix,
  BUILDS,
  countsCsv,
  countsPrefix,
  type Current,
  filesInUse,
} from "./data/current.ts";
import { isCatalog, isCurrent } from "./data/keptForms.ts";
import { findUnnamed, type Sweepable } from "./data/keptObjects.ts";
import type { CohortState } from "./data/known.ts";
import type { KeptObject } from "./data/report.ts";
import { keptOf } from "./data/segments.ts";
import { bucketUrl, SESSION, snowflakeFiles, STATEMENT_FILES } from "./data/snowflake.ts";
import { type Validation, validationKey, VALIDATIONS } from "./data/validation.ts";
import type { Places } from "./doing.ts";
import { getJson, JSON_OBJECT, pack, putJson, unpack } from "./keptJson.ts";

const CATALOG = "catalog.json.gz";
const CURRENT = "parquet/current.json";
const TEXT_OBJECT = { contentType: "text/plain; charset=utf-8", cacheControl: "no-cache" } as const;

/** What hdash keeps of a namespace, and what to do where that is damaged. */
interface Kept<T> {
  readonly key: string;
  /** What it is, to follow "is no". */
  readonly noun: string;
  readonly hint: string;
  /** True where it has the form of what this hdash writes. */
  readonly is: (value: unknown) => value is T;
}

const KEPT_CATALOG: Kept<Catalog> = {
  key: CATALOG,
  noun: "catalog of exports",
  hint: "Put the version before back where its place keeps versions, or remove it: hdash cohort ingest --all then reads every export of the source anew.",
  is: isCatalog,
};
const KEPT_CURRENT: Kept<Current> = {
  key: CURRENT,
  noun: "description of a build",
  hint: "Each build has a copy: put that of the newest, parquet/v/<build>/current.json, back in its place. Or remove it: hdash cohort build then makes all datasets anew, and builds before are gone.",
  is: isCurrent,
};

/** Reads what is known. Throws a permanent error where it is there and cannot be read: to begin anew would take it for nothing. */
export async function readState(processed: Bucket, signal?: AbortSignal): Promise<CohortState> {
  const [catalog, current] = await Promise.all([
    readCatalog(processed, signal),
    readCurrent(processed, KEPT_CURRENT, signal),
  ]);
  const [segments, validation] = await Promise.all([
    readSegments(processed, current, signal),
    readValidation(processed, current, signal),
  ]);
  return { catalog, current, segments, validation };
}

const NONE_HELD = { blocked: [] } as const;

/** Reads what checks have found of a build; nothing, where that is gone, damaged or of another form: they are done again then. */
async function readValidation(
  processed: Bucket,
  current: Current | null,
  signal?: AbortSignal,
): Promise<Validation | null> {
  const text = current === null ? null : await processed.get(validationKey(current.build), signal);
  if (text === null) return null;
  try {
    const found = JSON.parse(Buffer.from(text).toString()) as Validation | null;
    return found?.version === 1 && found.build === current?.build ? found : null;
  } catch {
    return null;
  }
}

/** Puts what checks have found of a build. */
export async function saveValidation(
  processed: Bucket,
  validation: Validation,
  signal?: AbortSignal,
): Promise<void> {
  const bytes = Buffer.from(JSON.stringify(validation));
  await processed.put(validationKey(validation.build), bytes, JSON_OBJECT, signal);
}

/** Folder of what comparisons have found, and the last one's counts in it. */
export const COMPARISONS = "comparison_result/";
export const LAST_COMPARISON = "compare.json";

/** Reads what the last comparison has found; null where there is none, or none of this form: it is made again by who wants it. */
export async function readComparison(
  processed: Bucket,
  signal?: AbortSignal,
): Promise<CompareResult | null> {
  const text = await processed.get(COMPARISONS + LAST_COMPARISON, signal);
  if (text === null) return null;
  try {
    const found = JSON.parse(Buffer.from(text).toString()) as Partial<CompareResult> | null;
    const isWhole = Array.isArray(found?.datasets) && found.staging?.people !== undefined;
    return isWhole && found.version === COMPARE_VERSION ? (found as CompareResult) : null;
  } catch {
    return null;
  }
}

/** Reads what is known of exports; throws as readState does. */
export async function readCatalog(processed: Bucket, signal?: AbortSignal): Promise<Catalog> {
  const packed = await processed.get(CATALOG, signal);
  if (packed === null) return EMPTY_CATALOG;
  return parse(processed, KEPT_CATALOG, await unpackOr(processed, KEPT_CATALOG, packed));
}

async function readCurrent(
  processed: Bucket,
  kept: Kept<Current>,
  signal?: AbortSignal,
): Promise<Current | null> {
  const text = await processed.get(kept.key, signal);
  if (text === null) return null;
  // One of before there were checks says nothing of them.
  return { ...NONE_HELD, ...parse(processed, kept, Buffer.from(text)) };
}

/** Where a build says what it consists of, also when it is not the current one any more. */
const ownList = (prefix: string): string => `${prefix}current.json`;

/**
 * Reads a build that is readable still, the current one for null. Throws usage where there is none, or none of this name, and where it is of
 * before builds kept lists of their own; a permanent error where its list cannot be read.
 */
export async function readBuild(
  processed: Bucket,
  build: string | null,
  signal?: AbortSignal,
): Promise<Current> {
  const current = await readCurrent(processed, KEPT_CURRENT, signal);
  if (current === null) {
    throw new HdashError("usage", `nothing has been built: ${processed.uri} has no ${CURRENT}`, {
      hint: "hdash cohort build makes datasets of what has been read.",
    });
  }
  if (build === null || build === current.build) return current;
  const known = [current.build, ...current.kept.map((one) => one.build)];
  if (!known.includes(build)) {
    throw new HdashError("usage", `there is no build ${quoted(build)} in ${processed.uri}`, {
      hint: meant(build, known),
    });
  }
  const hint = "The build cannot be compared any more; its files are as they were.";
  const own = { ...KEPT_CURRENT, key: ownList(buildPrefix(build)), hint };
  const found = await readCurrent(processed, own, signal);
  if (found !== null) return found;
  throw new HdashError("usage", `${processed.uri} has no list of the files of build ${build}`, {
    hint: "Builds keep one since they can be compared; this one is older.",
  });
}

/** Reads what a build consists of; nothing, where that is gone or damaged: types are built whole then. */
async function readSegments(
  processed: Bucket,
  current: Current | null,
  signal?: AbortSignal,
): Promise<CohortState["segments"]> {
  const held = current?.segments ?? null;
  if (held === null) return {};
  return (await getJson<CohortState["segments"]>(processed, held, signal)) ?? {};
}

async function unpackOr(bucket: Bucket, kept: Kept<unknown>, packed: Uint8Array): Promise<Buffer> {
  try {
    return await unpack(packed);
  } catch (error) {
    throw unreadable(bucket, kept, "it is no gzip, or cut short", error);
  }
}

/** What we wrote ourselves: that it is whole, and of this form, is all that is looked at. What it says instead is not repeated. */
function parse<T>(bucket: Bucket, kept: Kept<T>, bytes: Buffer): T {
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString());
  } catch {
    throw unreadable(bucket, kept, "it is not JSON");
  }
  if (kept.is(value)) return value;
  throw unreadable(bucket, kept, "it has another form than this hdash writes");
}

function unreadable(
  { uri }: Bucket,
  { key, noun, hint }: Kept<unknown>,
  what: string,
  cause?: unknown,
): HdashError {
  return new HdashError("permanent", `${uri}/${key} is no ${noun}: ${what}`, { cause, hint });
}

export async function saveCatalog(
  processed: Bucket,
  catalog: Catalog,
  signal?: AbortSignal,
): Promise<void> {
  await processed.put(CATALOG, await pack(JSON.stringify(catalog)), JSON_OBJECT, signal);
}

/** What readers are switched to, and the run that does it. */
export interface Switch {
  readonly current: Current;
  readonly segments: CohortState["segments"];
  readonly run: string;
}

/** What Snowflake is told of a build, for whoever runs it in a database and schema of theirs. */
function statementsOf({ uri }: Bucket, { datasets, build }: Current) {
  return snowflakeFiles(datasets, build, { ...SESSION, url: bucketUrl(uri) });
}

/** Switches readers: what goes with a build first, current.json last; then what no reader uses any more goes. */
export async function switchTo(
  processed: Bucket,
  { current: next, segments, run }: Switch,
  signal?: AbortSignal,
): Promise<void> {
  const held = await putJson(processed, () => `${next.prefix}segments.json.gz`, segments, signal);
  const current = { ...next, segments: held };
  const counts = countsPrefix(current.build);
  await Promise.all(
    Object.entries(current.types).map(([type, state]) => {
      const key = `${counts}${type.toLowerCase()}_${run}.csv`;
      const text = countsCsv(type, state.counts, run);
      return processed.put(key, Buffer.from(text), TEXT_OBJECT, signal);
    }),
  );
  for (const { name, text } of statementsOf(processed, current)) {
    await processed.put(`${current.prefix}${name}`, Buffer.from(text), TEXT_OBJECT, signal);
  }
  const list = Buffer.from(JSON.stringify(current));
  await processed.put(ownList(current.prefix), list, JSON_OBJECT, signal);
  await processed.put(CURRENT, list, JSON_OBJECT, signal);
  await removeUnused(processed, current, segments, signal);
}

/** Removes the files of builds that nobody names any more: older ones, and what a run that was killed has left. */
async function removeUnused(
  processed: Bucket,
  current: Current,
  segments: CohortState["segments"],
  signal?: AbortSignal,
): Promise<void> {
  const own = Object.values(segments).flatMap((type) => type.segments);
  const used = new Set([
    ...filesInUse(current),
    ...own.flatMap((segment) => keptOf(segment).map(({ key }) => key)),
    current.segments?.key,
  ]);
  const prefixes = [current.prefix, ...current.kept.map(({ build }) => buildPrefix(build))];
  const isUsed = (key: string): boolean =>
    used.has(key) ||
    prefixes.some(
      (prefix) =>
        key === ownList(prefix) || STATEMENT_FILES.some((name) => key === `${prefix}${name}`),
    );
  const gone: string[] = [];
  for await (const key of processed.keys(BUILDS, signal)) if (!isUsed(key)) gone.push(key);
  const told = new Set([current, ...current.kept].map(({ build }) => validationKey(build)));
  for await (const key of processed.keys(VALIDATIONS, signal)) if (!told.has(key)) gone.push(key);
  // What a type's build came to goes first: what names files must not be there without them.
  const isResult = (key: string): boolean => key.includes("/built/");
  await processed.delete(gone.filter(isResult), signal);
  await processed.delete(
    gone.filter((key) => !isResult(key)),
    signal,
  );
}

/** Reads what a type's build came to. Throws a permanent error where it is gone: the next run builds the type anew. */
export async function readBuilt(processed: Bucket, built: KeptObject): Promise<TypeBuild> {
  const found = await getJson<TypeBuild>(processed, built);
  if (found !== null) return found;
  throw new HdashError("permanent", `${built.key} is gone from ${processed.uri}, or damaged`);
}

/** Removes what nothing names any more, reports first; who is stopped in between leaves the rest to the next. */
export async function removeUnnamed(
  { intermediate, processed }: Pick<Places, "intermediate" | "processed">,
  found: Sweepable,
  known: Pick<CohortState, "catalog" | "current">,
  signal?: AbortSignal,
): Promise<void> {
  const { reports, others } = findUnnamed(found, known);
  await processed.delete(reports, signal);
  await intermediate.delete(others.intermediate, signal);
  await processed.delete(others.processed, signal);
}
