// hdash cohort compare: which builds are meant, where what is found goes, and what is said of it. Counts and names of columns, never a value.

import { rm, stat } from "node:fs/promises";
import { join, resolve } from "node:path";

import type { Effects } from "../../../effects.ts";
import { codeOf, HdashError } from "../../../error.ts";
import { count, list, listFew, number, quoted } from "../../../format.ts";
import { checkNamespace } from "../../../settings/namespace.ts";
import { EXIT, type Shell } from "../../../shell.ts";
import type { Bucket } from "../../../store/bucket.ts";
import { fileSource } from "../../../store/byteSource.ts";
import { checkAsked } from "../asked.ts";
import { duckMemory, namespaceOf, openDucks, openToRead } from "../bind.ts";
import { type NamedBuild, readNamedBuild } from "../data/comparedBuilds.ts";
import {
  type BySide,
  type CompareResult,
  type DatasetComparison,
  isSame,
} from "../data/compareResult.ts";
import { loadSchemas } from "../schemas.ts";
import type { CohortSettings } from "../settings.ts";
import { COMPARISONS, LAST_COMPARISON, readBuild, readCatalog } from "../state.ts";
import { compareBuilds, type OpenedBuild } from "./compareBuilds.ts";
import { CSV_FILES, TEXT_FILE } from "./compareType.ts";

/** What a command line asks for. */
export interface CompareAsked {
  readonly staging: string;
  readonly main: string;
  readonly dataset: string | null;
  /** True: all of main counts; false: what staging's exports could hold; null: as it suits what is compared. */
  readonly isWhole: boolean | null;
  /** Folder for what is found; null: below staging's processed place. */
  readonly out: string | null;
  readonly isJson: boolean;
}

const FILES = [TEXT_FILE, ...Object.values(CSV_FILES).flatMap((of) => Object.values(of))];
const PRIVATE = { contentType: "application/octet-stream", cacheControl: "no-cache" } as const;

/** Reads the flags of a command line. Throws usage where they contradict each other, or one is empty. */
export function readCompareFlags(
  [staging, main]: readonly [string, string],
  flags: Readonly<Record<string, string | boolean | undefined>>,
): CompareAsked {
  const text = (flag: string): string | null => {
    const value = flags[flag];
    if (typeof value !== "string") return null;
    if (value.trim() === "") throw new HdashError("usage", `--${flag} is empty`);
    return value;
  };
  const [isAll, isFiltered] = [flags["all"] === true, flags["filter"] === true];
  if (isAll && isFiltered) {
    throw new HdashError("usage", "--all and --filter exclude each other: say one of them");
  }
  return {
    ...{ staging, main, dataset: text("dataset"), out: text("out") },
    ...{ isWhole: isAll ? true : isFiltered ? false : null, isJson: flags["json"] === true },
  };
}

/** Compares, puts away what was found, and says it. */
export async function compare(
  shell: Shell,
  effects: Effects,
  settings: CohortSettings,
  asked: CompareAsked,
): Promise<number> {
  const { signal } = shell;
  const schemas = await loadSchemas((await effects.artifacts()).dir);
  checkAsked(settings, schemas);
  const own = namespaceOf(effects);
  const named = {
    staging: readNamedBuild(asked.staging, own),
    main: readNamedBuild(asked.main, own),
  };
  const staging = await openBuild(effects, settings, named.staging, signal);
  const main = await openBuild(effects, settings, named.main, signal);
  const isOne = staging.namespace === main.namespace;
  if (isOne && staging.current.build === main.current.build) {
    const what = `${quoted(asked.staging)} and ${quoted(asked.main)}`;
    throw new HdashError("usage", `${what} are one build: ${staging.current.build}`);
  }
  const label = ({ namespace, current }: Omit<OpenedBuild, "label">): string =>
    isOne ? `${namespace}@${current.build}` : namespace;
  const place =
    asked.out === null
      ? { bucket: staging.processed, prefix: COMPARISONS }
      : { bucket: await openOut(effects, asked.out), prefix: "" };
  // Two builds of a namespace are of the same exports.
  const isWhole = asked.isWhole ?? isOne;
  const { makePassingFolder } = await import("../../../engine/scratch.ts");
  const dir = await makePassingFolder(await effects.scratch(), "compare-");
  const duck = await (await openDucks(effects, settings))();
  try {
    const result = await compareBuilds({
      staging: { ...staging, label: label(staging) },
      main: { ...main, label: label(main) },
      ...{ shapes: schemas.of(null).shapes, types: settings.types, dataset: asked.dataset },
      catalog: isWhole ? null : await readCatalog(staging.processed, signal),
      ...{ duck, memoryMiB: duckMemory(settings.memoryMiB), dir, signal },
      put: (dataset, folder, files) =>
        putFiles(place.bucket, `${place.prefix}${dataset}/`, folder, files, signal),
    });
    const json = JSON.stringify(result);
    await place.bucket.put(`${place.prefix}${LAST_COMPARISON}`, Buffer.from(json), PRIVATE, signal);
    if (asked.isJson) shell.print(json);
    else print(shell, result, `${place.bucket.uri}/${place.prefix}`);
    return EXIT.ok;
  } finally {
    duck.close();
    await rm(dir, { recursive: true, force: true });
  }
}

/** Opens a build. A namespace that there is not is not made by looking at it. */
async function openBuild(
  effects: Effects,
  { processed: place }: CohortSettings,
  { namespace, build }: NamedBuild,
  signal: AbortSignal,
): Promise<Omit<OpenedBuild, "label">> {
  checkNamespace(namespace);
  if (place.kind === "folder" && !(await isThere(join(place.dir, namespace)))) {
    throw new HdashError(
      "usage",
      `there is no namespace ${quoted(namespace)}: ${place.dir} (COHORT_PROCESSED) has no such folder`,
    );
  }
  const processed = await openToRead(effects, place, "COHORT_PROCESSED", namespace);
  return { namespace, processed, current: await readBuild(processed, build, signal) };
}

async function isThere(path: string): Promise<boolean> {
  try {
    return (await stat(path)).isDirectory();
  } catch (error) {
    if (codeOf(error) === "ENOENT") return false;
    throw error;
  }
}

/** Opens a folder of the user's own; what is put there is for the user alone. Not where everybody reads. */
async function openOut({ config }: Effects, out: string): Promise<Bucket> {
  const dir = resolve(out);
  const { site } = config;
  if (site.kind === "folder") {
    const [one, two] = [`${dir}/`, `${resolve(site.dir)}/`];
    if (one.startsWith(two) || two.startsWith(one)) {
      const what = `--out: ${dir} is not apart from the site, ${site.dir}, which everybody may read`;
      throw new HdashError("usage", `${what}: rows of participants would lie there`);
    }
  }
  const { openFolderBucket } = await import("../../../store/folderBucket.ts");
  return openFolderBucket(dir, { isPrivate: true });
}

/** Puts a dataset's files, and removes what an earlier comparison found and this one did not. */
async function putFiles(
  bucket: Bucket,
  prefix: string,
  folder: string,
  files: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const gone = FILES.filter((name) => !files.includes(name)).map((name) => `${prefix}${name}`);
  await bucket.delete(gone, signal);
  for (const name of files) {
    const source = await fileSource(join(folder, name));
    await bucket.putStream(`${prefix}${name}`, source, PRIVATE, signal);
  }
}

const WHY = {
  only_staging: ({ staging }) => `only ${staging} has it`,
  only_main: ({ main }) => `only ${main} has it`,
  no_type: () => "the schema has no data type of it",
  unmatched: () => "its rows cannot be matched",
} as const satisfies Record<
  CompareResult["notCompared"][number]["why"],
  (labels: BySide<string>) => string
>;

function print(shell: Shell, result: CompareResult, where: string): void {
  const { staging, main, limit, datasets, notCompared } = result;
  const labels = { staging: staging.label, main: main.label };
  const build = (one: CompareResult["staging"]): string =>
    one.label.includes("@") ? one.label : `${one.label} (build ${one.build})`;
  const of = limit.kind === "all" ? "all rows" : `the exports that ${staging.label} holds`;
  shell.print(`${build(staging)} compared with ${build(main)}: of ${main.label} ${of}`);
  if (limit.unmatched.length > 0) {
    const types = limit.unmatched.join(", ");
    shell.print(`  all of ${main.label} counts where it has no row of these exports: ${types}`);
  }
  for (const side of [staging, main]) {
    if (side.stale.length === 0) continue;
    const types = list(side.stale);
    shell.print(`  ${side.label} has records that are in no dataset yet: ${types}`);
  }
  for (const one of datasets) shell.print(`  ${datasetLine(one, labels)}`);
  for (const { dataset, why, says } of notCompared) {
    const more = says === undefined ? "" : ` (${says})`;
    shell.print(`  ${dataset}: not compared, ${WHY[why](labels)}${more}`);
  }
  const differing = datasets.filter((one) => !isSame(one)).length;
  const equal = datasets.length - differing;
  const sums = differing === 0 ? "all equal" : `${number(equal)} equal, ${number(differing)} not`;
  shell.print(`${count(datasets.length, "dataset")}: ${sums}. Rows, for you alone: ${where}`);
}

/** Columns that a line has room for. */
const MOST_COLUMNS = 4;

function datasetLine(
  { dataset, rows, columns, duplicates, unequal }: DatasetComparison,
  { staging, main }: BySide<string>,
): string {
  const few = (what: string, all: readonly string[]): readonly string[] =>
    all.length === 0 ? [] : [`${what} ${listFew(all, MOST_COLUMNS)}`];
  const some = (found: number, what: string): readonly string[] =>
    found === 0 ? [] : [`${number(found)} ${what}`];
  const values = unequal.filter((one) => one.unequal > 0);
  const types = unequal.filter((one) => one.types.staging !== one.types.main);
  const said = [
    ...some(rows.onlyStaging, `only in ${staging}`),
    ...some(rows.onlyMain, `only in ${main}`),
    ...some(rows.someUnequal, "unequal"),
    ...few(
      "by column",
      values.map(({ name, unequal: found }) => `${name} ${number(found)}`),
    ),
    ...few(
      "of two types",
      types.map(({ name }) => name),
    ),
    ...few(`columns only in ${staging}:`, columns.onlyStaging),
    ...few(`columns only in ${main}:`, columns.onlyMain),
    ...some(duplicates.staging + duplicates.main, "repeat a key"),
  ];
  const all = `${dataset}: ${number(rows.inCommon)} of ${number(rows.staging)} and ${number(rows.main)} rows in common`;
  if (rows.staging + rows.main + said.length === 0) return `${dataset}: no rows on either side`;
  return [all, ...(said.length === 0 ? ["equal"] : said)].join(", ");
}
