// The build that readers use, as current.json has it, and what follows from it: which types are to be built, which files stay, the
// record counts.

import type { Digest } from "../../../digest.ts";
import type { RecordCounts } from "./days.ts";
import type { PeopleCount } from "./people.ts";
import type { KeptObject } from "./report.ts";
import { byText } from "./text.ts";

/** A file of a dataset; its key is below the namespace. */
export interface DatasetFile extends KeptObject {
  readonly rows: number;
}

export type ColumnType = "string" | "bigint" | "double" | "boolean" | "surrogate";

export interface Dataset {
  readonly name: string;
  readonly rows: number;
  /** In their order in the files; the cohort, by which files are parted, is the last. */
  readonly columns: readonly { readonly name: string; readonly type: ColumnType }[];
  readonly files: readonly DatasetFile[];
}

/** What a type was built from, and what became of its records. */
export interface BuiltState {
  /** Digest of everything that its datasets follow from. */
  readonly inputs: Digest;
  /** Names of its datasets; none for a type that deletes the records of another. */
  readonly datasets: readonly string[];
  readonly counts: RecordCounts;
  /** Participants by cohort; missing where nobody could count them. */
  readonly people?: readonly PeopleCount[];
  /** The build that its files lie in. */
  readonly build: string;
}

/** A type that is not switched to what was built of it: a check that blocks has failed there. */
export interface BlockedType {
  readonly type: string;
  /** Ids of the checks that failed, in the order of their file. */
  readonly checks: readonly string[];
  /** When the first run began that it was blocked in, as an ISO instant. */
  readonly since: string;
  /** Digest of what was built and of the checks that block: as long as both are the same, it is not built again. */
  readonly tried: Digest;
}

/** The switch: what it names is whole, and it is put last. */
export interface Current {
  readonly schema: number;
  readonly build: string;
  /** Below the namespace: where this build's own files lie. */
  readonly prefix: string;
  /** Columns that were left out of all datasets. */
  readonly dropped: readonly string[];
  readonly datasets: readonly Dataset[];
  readonly types: Readonly<Record<string, BuiltState>>;
  /** Types that have records which their datasets do not show: these are of a build before, or empty. */
  readonly stale: readonly string[];
  /** Those of them that could not be built the last time. */
  readonly failed: readonly string[];
  /** Those of them that a check has held back, sorted. */
  readonly blocked: readonly BlockedType[];
  /** What this build consists of, for the next one; null where nothing is kept of that. */
  readonly segments: KeptObject | null;
  /** Builds before this one that stay readable, newest first, with the files that only they name. */
  readonly kept: readonly { readonly build: string; readonly files: readonly string[] }[];
}

/** Folder of all builds. */
export const BUILDS = "parquet/v/";

/** Folder of a build. */
export function buildPrefix(build: string): string {
  return `${BUILDS}${build}/`;
}

/**
 * Names a build by when its run began: names sort as builds follow each other. A run that was stopped after its switch goes on with what has
 * come meanwhile: that is another build, since what readers have is never written over.
 */
export function buildName(startedAt: string, runId: string, before: Current | null): string {
  const time = startedAt.replace(/[-:]/g, "").replace(/\.\d+/, "");
  const name = `${time}-${runId.replace(/[^A-Za-z0-9]/g, "").slice(0, 12)}`;
  const [own, times = "1"] = before?.build.split("_") ?? [];
  return own === name ? `${name}_${Number(times) + 1}` : name;
}

/** Folder of all record counts. */
export const RECORD_COUNTS = "parquet/record_counts/";

/** Folder of a build's record counts: those of a run that switched twice are the later build's. */
export function countsPrefix(build: string): string {
  const [, year = "", month = "", day = "", run = ""] =
    /^(\d{4})(\d\d)(\d\d)[^-]*-([^_]*)/.exec(build) ?? [];
  return `${RECORD_COUNTS}${year}_${month}_${day}_${run}/`;
}

/** Puts a build together: what was built now, and of all else what the build before has. */
export function nextCurrent(
  before: Current | null,
  built: ReadonlyMap<string, { readonly state: BuiltState; readonly datasets: readonly Dataset[] }>,
  how: {
    /** Every dataset that there should be, without rows. */
    readonly empty: readonly Dataset[];
    readonly failed: readonly string[];
    readonly stale: readonly string[];
    readonly blocked: readonly BlockedType[];
    /** Every type that there is. */
    readonly types: ReadonlySet<string>;
    readonly schema: number;
    readonly build: string;
    readonly dropped: readonly string[];
    readonly keepBuilds: number;
  },
): Current {
  const { schema, build, dropped, keepBuilds } = how;
  const isKnown = ([type]: readonly [string, unknown]): boolean => how.types.has(type);
  const types: Record<string, BuiltState> = Object.fromEntries(
    Object.entries(before?.types ?? {}).filter(isKnown),
  );
  const datasets = new Map(how.empty.map((dataset) => [dataset.name, dataset]));
  // One whose type is gone from the schema goes with it.
  for (const dataset of before?.datasets ?? []) {
    if (datasets.has(dataset.name)) datasets.set(dataset.name, dataset);
  }
  for (const [type, { state, datasets: own }] of built) {
    types[type] = state;
    for (const dataset of own) datasets.set(dataset.name, dataset);
  }
  const all = [...datasets.values()].sort((a, b) => byText(a.name, b.name));
  const named = new Set(all.flatMap(({ files }) => files.map(({ key }) => key)));
  const older =
    before === null
      ? []
      : [
          {
            build: before.build,
            files: before.datasets.flatMap(({ files }) => files.map(({ key }) => key)),
          },
          ...before.kept,
        ];
  const kept = older.slice(0, keepBuilds).map(({ build: name, files }) => ({
    build: name,
    files: files.filter((key) => !named.has(key)).sort(),
  }));
  const stale = [...how.stale].sort(byText);
  const failed = [...new Set([...(before?.failed ?? []), ...how.failed])]
    .filter((type) => how.stale.includes(type))
    .sort(byText);
  const blocked = how.blocked
    .filter(({ type }) => stale.includes(type))
    .sort((a, b) => byText(a.type, b.type));
  // Datasets of a build before may still have one of them.
  const columns = new Set(all.flatMap((dataset) => dataset.columns.map(({ name }) => name)));
  const gone = dropped.filter((name) => !columns.has(name));
  return {
    ...{ schema, build, prefix: buildPrefix(build), dropped: gone, datasets: all },
    ...{ types: sortedTypes(types), stale, failed, blocked, segments: null, kept },
  };
}

function sortedTypes(
  types: Readonly<Record<string, BuiltState>>,
): Readonly<Record<string, BuiltState>> {
  return Object.fromEntries(Object.entries(types).sort(([a], [b]) => byText(a, b)));
}

/** Keys of every file that a reader of this build, or of one that is kept, may open. */
export function filesInUse(current: Current): ReadonlySet<string> {
  return new Set([
    ...current.datasets.flatMap(({ files }) => files.map(({ key }) => key)),
    ...current.kept.flatMap(({ files }) => files),
  ]);
}

/** Writes a type's record counts as CSV: a running number that begins anew for each event, the day, the rows, the run, the type, the event. */
export function countsCsv(type: string, counts: RecordCounts, run: string): string {
  const lines = [",export_end_date,count,workflow_run_id,data_type,event"];
  for (const [event, days] of Object.entries(counts)) {
    Object.entries(days).forEach(([day, count], index) => {
      lines.push([index, day, count, run, type.toLowerCase(), event].join(","));
    });
  }
  return `${lines.join("\n")}\n`;
}
