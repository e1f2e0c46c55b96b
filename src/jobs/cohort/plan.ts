// Cohorts as a pipeline: from exports to copies and staged rows, from these to one build of all datasets, and the switch to it.

import { digestOfJson } from "../../digest.ts";
import { json, observation, type Pipeline, type Plan } from "../../engine/step.ts";
import { HdashError } from "../../error.ts";
import { oneLine } from "../../format.ts";
import { datasetsOf } from "./build/buildType.ts";
import { columnTypes, type TypeBuild } from "./building.ts";
import {
  type Catalog,
  type CatalogEntry,
  type Choice,
  exportKey,
  exportsToRead,
  type FoundExport,
  sortListing,
  withEntries,
} from "./data/catalog.ts";
import { checkCatalog, checkLayout, checkNamed, typesOf } from "./data/checks.ts";
import {
  buildName,
  type BuiltState,
  type Current,
  type Dataset,
  nextCurrent,
} from "./data/current.ts";
import type { Losses } from "./data/keptObjects.ts";
import type { CohortState } from "./data/known.ts";
import { SOURCE_SCOPE } from "./data/listing.ts";
import { laterIds } from "./data/ranking.ts";
import type { LaidOut } from "./data/recordShape.ts";
import { canMerge, countsOf, type Segment, type TypeSegments } from "./data/segments.ts";
import { tellStudy } from "./data/study.ts";
import { allInputs, BUILD_VERSION, type TypeInput, type WholeInput } from "./data/typeInput.ts";
import type { CohortEffects } from "./doing.ts";
import type { Part } from "./settings.ts";
import { makeSiteSteps, type SiteEffects } from "./siteSteps.ts";
import { type CohortSteps, makeSteps } from "./steps.ts";
import { newsOf, planStudy } from "./telling.ts";

/** Where a run works: runs of one namespace and its places exclude each other, whatever they are asked for. */
export type CohortParams = {
  readonly namespace: string;
  readonly processed: string;
};

/** What a run is asked for. */
export interface CohortRequest {
  readonly parts: readonly Part[];
  readonly choice: Choice;
  readonly types: readonly string[] | null;
  readonly dropped: readonly string[];
  readonly keepBuilds: number;
  /** Fewer people than this are not told. */
  readonly leastPeople: number;
}

/** What the plan is made with. */
interface Maker {
  readonly effects: CohortEffects & CohortWriter & SiteEffects;
  readonly steps: CohortSteps;
  readonly request: CohortRequest;
}

/** Puts what is known, and switches readers. */
export interface CohortWriter {
  saveCatalog(catalog: Catalog, signal: AbortSignal): Promise<void>;
  switchTo(
    current: Current,
    segments: CohortState["segments"],
    run: string,
    signal: AbortSignal,
  ): Promise<void>;
}

/** Makes the pipeline. */
export function makeCohort(
  effects: CohortEffects & CohortWriter & SiteEffects,
  request: CohortRequest,
): Pipeline<CohortParams> {
  const maker: Maker = { effects, request, steps: makeSteps(effects) };
  const { steps } = maker;
  const siteSteps = makeSiteSteps(effects);
  return {
    name: "cohort",
    async plan(plan, { namespace }) {
      const { listing } = await plan.do(steps.listExports, { params: null, inputs: {} });
      const found = sortListing(await plan.read(listing), effects.cohorts);
      const { source, cohorts } = effects;
      const facts = { label: source.label, namespace, cohorts };
      await plan.scope(SOURCE_SCOPE, (scope) =>
        scope.do(steps.noteListing, { params: facts, inputs: { listing } }),
      );
      const state = await effects.readState();
      let { catalog } = state;
      const { parts } = request;
      checkNamed(request.choice, found.exports);
      if (!parts.includes("ingest")) checkCatalog(state);
      if (parts.includes("ingest")) {
        const wanted = exportsToRead(
          found.exports,
          catalog,
          request.choice,
          (one) => effects.schemaOf(one.export).name,
        );
        catalog = await readExports(plan, maker, wanted, catalog, request.choice.isAgain);
      }
      let lost: readonly string[] = [];
      if (parts.includes("sync")) {
        const losses = await plan.read(
          (await plan.do(steps.checkPlaces, { params: null, inputs: {} })).losses,
        );
        catalog = await mendCopies(plan, maker, losses, found.exports, catalog);
        lost = losses.types;
      }
      const current = parts.includes("build")
        ? await buildAll(plan, maker, withoutTypes({ ...state, catalog }, lost))
        : state.current;
      const study = tellStudy({
        ...{ namespace, cohorts: effects.cohorts, catalog, listing: found, current },
        laidOut: effects.schemaOf(null),
        inputs: allInputs(catalog, effects.schemaOf(null), request.dropped),
        ...{ profiles: new Map(), checks: [], before: state },
        today: plan.run.startedAt.slice(0, 10),
        leastPeople: request.leastPeople,
      });
      plan.say(newsOf(study));
      await plan.site(() => planStudy(plan, siteSteps, { study, trends: {} }));
    },
  };
}

/** Makes again what the places have lost: copies member by member, staged rows by reading their export once more. */
async function mendCopies(
  plan: Plan,
  maker: Maker,
  { copies, exports }: Losses,
  found: readonly FoundExport[],
  catalog: Catalog,
): Promise<Catalog> {
  const listed = new Map(found.map((one) => [one.key, one]));
  const whole = exports.flatMap(({ report }) => listed.get(exportKey(report)) ?? []);
  const mended: CatalogEntry[] = [];
  for (const { entry, members } of copies) {
    const one = listed.get(exportKey(entry.report));
    if (one === undefined || whole.includes(one)) continue;
    const outcome = await plan.scope(one.key, (scope) =>
      mendOne(scope, maker, one, entry, members),
    );
    if (outcome.ok) mended.push(outcome.value);
  }
  const next = mended.length === 0 ? catalog : withEntries(catalog, mended);
  if (mended.length > 0)
    await put(plan, "keepCatalog", (signal) => maker.effects.saveCatalog(next, signal));
  return readExports(plan, maker, whole, next, true);
}

async function mendOne(
  plan: Plan,
  { effects, steps }: Maker,
  { key, cohort, export: name, bytes, etag }: FoundExport,
  entry: CatalogEntry,
  members: readonly string[],
): Promise<CatalogEntry> {
  if (etag !== entry.etag || bytes !== entry.bytes) {
    throw new HdashError(
      "transient",
      `export ${oneLine(key)} has changed since it was read: it is read anew first`,
    );
  }
  const schema = effects.schemaOf(name).name;
  const params = { cohort, export: name, bytes, etag, schema, members, check: plan.run.id };
  const inputs = { report: await plan.value(entry.report) };
  const { copies } = await plan.do(steps.repair, { params, inputs });
  const made = await plan.read(copies);
  const report = {
    ...entry.report,
    members: entry.report.members.map((member) => ({ ...member, ...made[member.name] })),
  };
  return { ...entry, report };
}

/** What is known, without types whose files are lost, so that they are built again, and whole. */
function withoutTypes(state: CohortState, lost: readonly string[]): CohortState {
  const without = <T>(types: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(types).filter(([type]) => !lost.includes(type)));
  const { current } = state;
  return {
    ...state,
    current: current === null ? null : { ...current, types: without(current.types) },
    segments: without(state.segments),
  };
}

/** Reads exports, and keeps the catalog. Those of a cohort follow each other by name, so that the later one's copies come last. */
async function readExports(
  plan: Plan,
  maker: Maker,
  wanted: readonly FoundExport[],
  catalog: Catalog,
  isAgain: boolean,
): Promise<Catalog> {
  const read: CatalogEntry[] = [];
  const byCohort = Map.groupBy(wanted, ({ cohort }) => cohort);
  await Promise.all(
    [...byCohort.values()].map(async (exports) => {
      for (const one of exports) {
        const entry = await ingestOne(plan, maker, one, [...catalog.exports, ...read], isAgain);
        if (entry !== null) read.push(entry);
      }
    }),
  );
  if (read.length === 0) return catalog;
  const next = withEntries(catalog, read);
  await put(plan, "keepCatalog", (signal) => maker.effects.saveCatalog(next, signal));
  return next;
}

async function ingestOne(
  plan: Plan,
  { effects, steps }: Maker,
  { key, cohort, export: name, bytes, etag }: FoundExport,
  known: readonly CatalogEntry[],
  isAgain: boolean,
): Promise<CatalogEntry | null> {
  const reports = known.map(({ report }) => report);
  const later = laterIds(reports, { cohort, export: name });
  const outcome = await plan.scope(key, async (scope) => {
    const schema = effects.schemaOf(name).name;
    const { report } = await scope.do(steps.ingest, {
      params: { cohort, export: name, bytes, etag, schema, again: isAgain ? plan.run.id : null },
      inputs: {},
      hints: { later },
    });
    return { bytes, etag, report: await scope.read(report) };
  });
  return outcome.ok ? outcome.value : null;
}

/** A type as it was built now. */
interface Made {
  readonly state: BuiltState;
  readonly datasets: readonly Dataset[];
  readonly segments: TypeSegments;
}

/** Builds the types whose inputs have changed, and switches to a build that has these anew and all others as they were. */
async function buildAll(plan: Plan, maker: Maker, state: CohortState): Promise<Current | null> {
  const { effects, request } = maker;
  const { current: before } = state;
  const laidOut = effects.schemaOf(null);
  const inputs = allInputs(state.catalog, laidOut, request.dropped);
  const { startedAt, id } = plan.run;
  const build = buildName(startedAt, id, before);
  const made = new Map<string, Made>();
  const failed: string[] = [];
  // One after the other: each takes the memory that there is. What deletes comes before what it deletes of.
  for (const type of typesOf(laidOut, request.types)) {
    const own = inputs.get(type);
    if (own === undefined || !isDue(own, type, request, state)) continue;
    const deleting = own.deletions?.type ?? null;
    const outcome = await plan.scope(type, async (scope) => {
      if (deleting !== null && failed.includes(deleting)) {
        throw new HdashError("permanent", `${type} is not built, since ${deleting} was not`);
      }
      checkLayout(own, laidOut);
      const keys = deleting === null ? null : keysOf(made.get(deleting)?.segments, deleting, state);
      return buildOne(scope, maker, own.input, { build, state, keys });
    });
    if (outcome.ok) made.set(type, madeOf(maker, own, build, outcome.value));
    else failed.push(type);
  }
  const stale = [...inputs.keys()].filter((type) => {
    const { inputs: digest } = made.get(type)?.state ?? before?.types[type] ?? { inputs: null };
    return digest !== inputs.get(type)?.digest;
  });
  const isTold = before !== null && failed.every((type) => before.failed.includes(type));
  if (made.size === 0 && isTold) return before;
  const { dropped, keepBuilds } = request;
  const empty = emptyOf(laidOut, dropped);
  const types = new Set(laidOut.shapes.keys());
  const how = { schema: laidOut.version, build, dropped, keepBuilds, empty, failed, stale, types };
  const segments = Object.fromEntries(
    [...types].flatMap((type) => {
      const own = made.get(type)?.segments ?? state.segments[type];
      return own === undefined ? [] : [[type, own]];
    }),
  );
  const next = nextCurrent(before, made, how);
  await put(plan, "switchReaders", (signal) => effects.switchTo(next, segments, id, signal));
  return next;
}

/** Has something put while this run has its lease, and no longer: what is put late would undo what another attempt has done. */
async function put(
  plan: Plan,
  name: string,
  work: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const step = observation({
    name,
    outputs: { done: json<true>() },
    read: async (_params: null, { signal }) => {
      await work(signal);
      return { done: true as const };
    },
  });
  await plan.do(step, { params: null, inputs: {} });
}

/** Tells whether a type is to be built: its input is another one than that of its datasets, or its segments are to be merged, or all is asked for again. */
function isDue(
  { digest }: WholeInput,
  type: string,
  request: CohortRequest,
  { current, segments }: CohortState,
): boolean {
  if (current?.types[type]?.inputs !== digest || request.choice.isAgain) return true;
  // Where that is lost, nobody knows which keys a type deletes, or which a new row may meet.
  if (segments[type] === undefined) return true;
  return isMerging(request) && canMerge(segments[type]?.segments ?? []);
}

/** A build that is asked for alone merges what the runs between have left. */
function isMerging({ parts }: CohortRequest): boolean {
  return parts.length === 1 && parts[0] === "build";
}

/** Files of the keys that a type deletes. */
function keysOf(
  made: TypeSegments | undefined,
  type: string,
  state: CohortState,
): readonly Segment["keys"][] {
  const known = made ?? state.segments[type];
  if (known === undefined) throw new HdashError("permanent", `nobody knows what ${type} deletes`);
  return known.segments.map(({ keys }) => keys);
}

async function buildOne(
  plan: Plan,
  { effects, steps, request }: Maker,
  input: TypeInput,
  of: {
    readonly build: string;
    readonly state: CohortState;
    readonly keys: readonly Segment["keys"][] | null;
  },
): Promise<TypeBuild> {
  const { type } = input;
  const known = of.state.segments[type];
  const isOfUse = known?.how === howOf(effects, request, input) && !request.choice.isAgain;
  const before = isOfUse ? { segments: known.segments, dead: known.dead } : null;
  const { dropped } = request;
  const { built } = await plan.do(steps.build, {
    params: { type, build: of.build, dropped, isMerging: isMerging(request) },
    inputs: {
      input: await plan.value(input),
      deletions: await plan.value(of.keys),
      before: await plan.value(before),
    },
  });
  return plan.read(built);
}

/** A digest of all that segments follow from but the records: another version of DuckDB hashes keys otherwise. */
function howOf(
  { builtBy, schemaOf }: CohortEffects,
  { dropped }: CohortRequest,
  { extras }: TypeInput,
): string {
  return digestOfJson([BUILD_VERSION, builtBy, schemaOf(null).name, dropped, extras]);
}

function madeOf(
  { effects, request }: Maker,
  { input, digest }: WholeInput,
  build: string,
  { datasets, segments, dead, hasDeletions }: TypeBuild,
): Made {
  const all = datasets.map(({ name, columns }): Dataset => {
    const files = segments.flatMap((segment) => segment.files[name] ?? []);
    return { name, rows: files.reduce((sum, { rows }) => sum + rows, 0), columns, files };
  });
  const names = all.map(({ name }) => name);
  const counts = countsOf(input, segments, { hasDeletions, isDeleting: all.length === 0 });
  return {
    state: { inputs: digest, datasets: names, counts, build },
    datasets: all,
    segments: { how: howOf(effects, request, input), segments, dead },
  };
}

/** Every dataset that there should be, without rows. */
function emptyOf({ shapes }: LaidOut, dropped: readonly string[]): readonly Dataset[] {
  return [...shapes.values()]
    .flatMap((shape) => datasetsOf(shape, { extras: [], dropped: new Set(dropped) }))
    .map(({ name, columns }) => ({ name, rows: 0, columns: columnTypes(columns), files: [] }));
}
