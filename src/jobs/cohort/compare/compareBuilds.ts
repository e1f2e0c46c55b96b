// Two builds compared, a data type after the other: their files are brought to this disk, compared, and what was found is put away.

import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";

import { HdashError } from "../../../error.ts";
import { quoted } from "../../../format.ts";
import { meant } from "../../../settings/nearest.ts";
import type { Bucket } from "../../../store/bucket.ts";
import type { Duck } from "../build/duck.ts";
import type { Catalog } from "../data/catalog.ts";
import { exportsOf } from "../data/comparedBuilds.ts";
import { type ComparedTable, comparedTables, OUTER } from "../data/comparedTables.ts";
import {
  type BySide,
  COMPARE_VERSION,
  type ComparedBuild,
  type CompareResult,
  type DatasetComparison,
} from "../data/compareResult.ts";
import type { Current, Dataset } from "../data/current.ts";
import type { RecordShape } from "../data/recordShape.ts";
import { byText } from "../data/text.ts";
import { fetchObject } from "../sources/fetchObject.ts";
import { compareType, type TableRows } from "./compareType.ts";
import { type SideRows, SIDES } from "./statements.ts";

/** A build, and where it lies. */
export interface OpenedBuild {
  readonly label: string;
  readonly namespace: string;
  readonly processed: Bucket;
  readonly current: Current;
}

export interface BuildsRequest extends BySide<OpenedBuild> {
  readonly shapes: ReadonlyMap<string, RecordShape>;
  /** Data types and the dataset that are meant; null: all. */
  readonly types: readonly string[] | null;
  readonly dataset: string | null;
  /** Staging's exports, which main is limited to; null: all of main counts. */
  readonly catalog: Catalog | null;
  readonly duck: Duck;
  /** What it may hold. */
  readonly memoryMiB: number;
  /** Work folder: what participants' rows pass through. */
  readonly dir: string;
  /** Puts the files of a dataset away, which lie in the folder. */
  put(dataset: string, folder: string, files: readonly string[]): Promise<void>;
  readonly signal: AbortSignal;
}

/** Compares two builds. Throws usage where what is meant is not on both sides. */
export async function compareBuilds(request: BuildsRequest): Promise<CompareResult> {
  const { staging, main, catalog, dir, signal } = request;
  const chosen = chooseTypes(request);
  const builds = { staging: describe(staging, chosen), main: describe(main, chosen) };
  const datasets: DatasetComparison[] = [];
  const unmatched: string[] = [];
  const unmatchable: CompareResult["notCompared"][number][] = [];
  const fetcher = makeFetcher(join(dir, "in"), signal);
  for (const one of chosen) {
    signal.throwIfAborted();
    const { type } = one;
    const rows = await bringTables(request, one, fetcher.bring);
    if (!rows.some((table) => table?.isCompared === true)) continue;
    const out = join(dir, "out");
    await mkdir(out, { mode: 0o700 });
    let found: Awaited<ReturnType<typeof compareType>>;
    try {
      found = await compareType(request.duck, {
        exports: catalog === null ? null : exportsOf(catalog, type),
        ...{ tables: rows, builds, dir: out, memoryMiB: request.memoryMiB, signal },
      });
    } catch (error) {
      // One type that has another key on a side, say, keeps no other from being compared; who asked for it alone is told why.
      if (request.dataset !== null || !(error instanceof HdashError) || error.kind !== "usage") {
        throw error;
      }
      for (const { dataset } of one.tables) {
        unmatchable.push({ dataset, why: "unmatched", says: error.message });
      }
      await rm(out, { recursive: true });
      await fetcher.clear();
      continue;
    }
    for (const [dataset, files] of found.files) {
      await request.put(dataset, join(out, dataset), files);
    }
    datasets.push(...found.datasets);
    if (found.isUnmatched) unmatched.push(type);
    await rm(out, { recursive: true });
    await fetcher.clear();
  }
  return {
    ...{ version: COMPARE_VERSION, ...builds },
    limit: { kind: catalog === null ? "all" : "exports", unmatched },
    datasets,
    notCompared: [...notCompared(request, chosen), ...unmatchable].sort((a, b) =>
      byText(a.dataset, b.dataset),
    ),
  };
}

interface ChosenType {
  readonly type: string;
  readonly tables: readonly ComparedTable[];
  /** Names of the datasets that are compared. */
  readonly meant: ReadonlySet<string>;
}

/** Chooses types and datasets, and throws usage where there is none such. */
function chooseTypes({
  shapes,
  types,
  dataset,
  staging,
  main,
}: BuildsRequest): readonly ChosenType[] {
  const all = [...shapes.values()]
    .filter(({ type }) => type.deletes === null)
    .map((shape) => ({ type: shape.type.name, tables: comparedTables(shape) }))
    .sort((a, b) => byText(a.type, b.type));
  const chosen = all.filter(({ type }) => types?.includes(type) ?? true);
  const names = chosen.flatMap(({ tables }) => tables.map((table) => table.dataset));
  if (names.length === 0) {
    throw new HdashError("usage", `--type: ${(types ?? []).join(", ")} has no dataset of its own`);
  }
  if (dataset !== null) {
    if (!names.includes(dataset)) {
      const hint = meant(dataset, names);
      throw new HdashError("usage", `--dataset: there is no dataset ${quoted(dataset)}`, { hint });
    }
    for (const { label, current } of [staging, main]) {
      if (findDataset(current, dataset) !== null) continue;
      throw new HdashError("usage", `${label} has no ${dataset}: build ${current.build}`);
    }
  }
  return chosen
    .map((one) => ({
      ...one,
      meant: new Set(dataset === null ? one.tables.map((table) => table.dataset) : [dataset]),
    }))
    .filter(({ tables, meant: own }) => tables.some((table) => own.has(table.dataset)));
}

function findDataset({ datasets }: Current, dataset: string): Dataset | null {
  return datasets.find(({ name }) => name === dataset) ?? null;
}

function describe(
  { label, namespace, current }: OpenedBuild,
  chosen: readonly Pick<ChosenType, "type">[],
): ComparedBuild {
  const types = new Set(chosen.map(({ type }) => type));
  const stale = current.stale.filter((type) => types.has(type));
  const people = Object.fromEntries(
    [...types].flatMap((type) => {
      const own = current.types[type]?.people;
      return own === undefined ? [] : [[type, own]];
    }),
  );
  return { namespace, build: current.build, label, stale, people };
}

/** Why a table cannot be compared: one of the builds has it, or what it is a child of, not; null where it can. */
function missingOn(
  { staging, main }: BySide<OpenedBuild>,
  tables: readonly ComparedTable[],
  { dataset, parent }: ComparedTable,
): "only_staging" | "only_main" | "neither" | null {
  const [here, there] = [staging, main].map(
    ({ current }) => findDataset(current, dataset) !== null,
  );
  if (here !== there) return here === true ? "only_staging" : "only_main";
  if (here !== true) return "neither";
  const above = parent === null ? undefined : tables[parent];
  return above === undefined ? null : missingOn({ staging, main }, tables, above);
}

/** Names the datasets of either build that are not compared: one side lacks them, or, where all are meant, no data type has them. */
function notCompared(
  request: BuildsRequest,
  chosen: readonly ChosenType[],
): CompareResult["notCompared"] {
  const found: CompareResult["notCompared"][number][] = [];
  for (const { tables, meant: own } of chosen) {
    for (const table of tables.filter(({ dataset }) => own.has(dataset))) {
      const why = missingOn(request, tables, table);
      if (why !== null && why !== "neither") found.push({ dataset: table.dataset, why });
    }
  }
  if (request.types === null && request.dataset === null) {
    const known = new Set(chosen.flatMap((one) => [...one.meant]));
    const named = SIDES.flatMap((side) => request[side].current.datasets.map(({ name }) => name));
    for (const dataset of new Set(named)) {
      if (!known.has(dataset)) found.push({ dataset, why: "no_type" });
    }
  }
  return found.sort((a, b) => byText(a.dataset, b.dataset));
}

/** Brings a type's files to this disk: of the datasets that are compared, and of those that tell which of their rows count. */
async function bringTables(
  request: BuildsRequest,
  { tables, meant: own }: ChosenType,
  bring: Fetcher["bring"],
): Promise<readonly (TableRows | null)[]> {
  const isCompared = (table: ComparedTable): boolean =>
    own.has(table.dataset) && missingOn(request, tables, table) === null;
  const needed = new Set<number>();
  for (const [at, table] of tables.entries()) {
    if (!isCompared(table)) continue;
    needed.add(at);
    if (request.catalog === null && !table.key.includes(OUTER)) continue;
    for (let up = table.parent; up !== null; up = tables[up]?.parent ?? null) needed.add(up);
  }
  const brought: (TableRows | null)[] = [];
  for (const [at, table] of tables.entries()) {
    if (!needed.has(at)) {
      brought.push(null);
      continue;
    }
    const rows = {
      staging: await bring(request.staging, table.dataset),
      main: await bring(request.main, table.dataset),
    };
    brought.push({ table, rows, isCompared: isCompared(table) });
  }
  return brought;
}

interface Fetcher {
  bring(build: OpenedBuild, dataset: string): Promise<SideRows>;
  clear(): Promise<void>;
}

/** Brings files to a folder, each once: builds of one namespace share most of theirs. */
function makeFetcher(dir: string, signal: AbortSignal): Fetcher {
  const fetched = new Map<string, string>();
  // DuckDB remembers what it has read of a file by its name: none may come twice.
  let number = 0;
  return {
    async bring({ processed, current }, dataset) {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      const { columns, files } = findDataset(current, dataset) ?? { columns: [], files: [] };
      const brought: { cohort: string; path: string }[] = [];
      for (const file of files) {
        const object = `${processed.uri}/${file.key}`;
        const path = fetched.get(object) ?? join(dir, `${++number}.parquet`);
        if (!fetched.has(object)) await fetchObject(processed, file, path, signal);
        fetched.set(object, path);
        brought.push({ cohort: COHORT_FOLDER.exec(file.key)?.[1] ?? "", path });
      }
      return { columns, files: brought };
    },
    async clear() {
      await rm(dir, { recursive: true, force: true });
      fetched.clear();
    },
  };
}

const COHORT_FOLDER = /\/cohort=([^/]+)\//;
