// The build that readers use, as current.json has it, and what follows from it: which types are to be built, which files stay, the
// statements that load datasets elsewhere, the record counts.

import type { Digest } from "../../../digest.ts";
import type { RecordCounts } from "../build/buildType.ts";
import { byText } from "./text.ts";

/** A file of a dataset. */
export interface DatasetFile {
  /** Below the namespace. */
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
  readonly etag: string | null;
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
  /** The build that its files lie in. */
  readonly build: string;
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
  /** Types whose last build failed: their datasets are of the one before, or empty. */
  readonly stale: readonly string[];
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

/** Puts a build together: what was built now, and of all else what the build before has. */
export function nextCurrent(
  before: Current | null,
  built: ReadonlyMap<string, { readonly state: BuiltState; readonly datasets: readonly Dataset[] }>,
  how: {
    /** Every dataset that there should be, without rows. */
    readonly empty: readonly Dataset[];
    readonly failed: readonly string[];
    readonly schema: number;
    readonly build: string;
    readonly dropped: readonly string[];
    readonly keepBuilds: number;
  },
): Current {
  const { schema, build, dropped, keepBuilds, failed } = how;
  const types: Record<string, BuiltState> = { ...before?.types };
  const datasets = new Map(
    [...how.empty, ...(before?.datasets ?? [])].map((dataset) => [dataset.name, dataset]),
  );
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
  const stale = [
    ...new Set([...(before?.stale ?? []).filter((type) => !built.has(type)), ...failed]),
  ].sort(byText);
  const prefix = buildPrefix(build);
  return { schema, build, prefix, dropped, datasets: all, types: sortedTypes(types), stale, kept };
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

/**
 * Writes the statements that load each dataset whole into a table of its name, as Snowflake takes them: the files are named by folder, and
 * a folder ends with a slash, so that no dataset takes in another whose name begins with its own.
 */
export function copyStatements(current: Current, stage: string): string {
  const statements = current.datasets.map(({ name, files }) => {
    const folders = [
      ...new Set(
        files.map(({ key }) => key.slice(0, key.indexOf("/", key.indexOf(`/${name}/`) + 1) + 1)),
      ),
    ];
    const table = name.toUpperCase();
    const loads = folders.map(
      (folder) =>
        `COPY INTO ${table} FROM @${stage}/${folder} FILE_FORMAT = (TYPE = PARQUET) MATCH_BY_COLUMN_NAME = CASE_SENSITIVE;`,
    );
    return [
      `-- ${name}: build ${current.build}`,
      `TRUNCATE TABLE IF EXISTS ${table};`,
      ...loads,
    ].join("\n");
  });
  return `${statements.join("\n\n")}\n`;
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
