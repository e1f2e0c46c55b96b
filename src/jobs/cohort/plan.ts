// Cohorts as a pipeline: from exports to copies and staged rows, from these to one build of all datasets, and the switch to it.

import type { Pipeline, Plan } from "../../engine/step.ts";
import { HdashError } from "../../error.ts";
import { emptyDatasets } from "./build/buildType.ts";
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
import {
  buildName,
  type BuiltState,
  type Current,
  type Dataset,
  nextCurrent,
} from "./data/current.ts";
import type { Losses } from "./data/keptObjects.ts";
import { laterIds } from "./data/ranking.ts";
import type { LaidOut } from "./data/recordShape.ts";
import { allInputs } from "./data/typeInput.ts";
import { type CohortEffects, columnTypes } from "./doing.ts";
import type { Part } from "./settings.ts";
import { type CohortSteps, makeSteps } from "./steps.ts";

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
}

/** What the plan is made with. */
interface Maker {
  readonly effects: CohortEffects & CohortWriter;
  readonly steps: CohortSteps;
  readonly request: CohortRequest;
}

/** Puts what is known, and switches readers. */
export interface CohortWriter {
  saveCatalog(catalog: Catalog): Promise<void>;
  switchTo(current: Current, run: string): Promise<void>;
}

/** Makes the pipeline. */
export function makeCohort(
  effects: CohortEffects & CohortWriter,
  request: CohortRequest,
): Pipeline<CohortParams> {
  const maker: Maker = { effects, request, steps: makeSteps(effects) };
  const { steps } = maker;
  return {
    name: "cohort",
    async plan(plan) {
      const { listing } = await plan.do(steps.listExports, { params: null, inputs: {} });
      const found = sortListing(await plan.read(listing), effects.cohorts);
      const state = await plan.do(steps.readState, { params: null, inputs: {} });
      let catalog = await plan.read(state.catalog);
      const current = await plan.read(state.current);
      const { parts } = request;
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
      if (parts.includes("build"))
        await buildAll(plan, maker, catalog, withoutTypes(current, lost));
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
  if (mended.length > 0) await maker.effects.saveCatalog(next);
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
      `export ${key} has changed since it was read: it is read anew first`,
    );
  }
  const schema = effects.schemaOf(name).name;
  const params = { cohort, export: name, bytes, etag, schema, members, check: plan.run.id };
  const { copies } = await plan.do(steps.repair, { params, inputs: {} });
  const made = await plan.read(copies);
  const report = {
    ...entry.report,
    members: entry.report.members.map((member) => ({ ...member, ...made[member.name] })),
  };
  return { ...entry, report };
}

/** The build without types whose files are lost, so that they are built again. */
function withoutTypes(current: Current | null, lost: readonly string[]): Current | null {
  if (current === null || lost.length === 0) return current;
  const types = Object.entries(current.types).filter(([type]) => !lost.includes(type));
  return { ...current, types: Object.fromEntries(types) };
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
  await maker.effects.saveCatalog(next);
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

/** Builds the types whose inputs have changed, and switches to a build that has these anew and all others as they were. */
async function buildAll(
  plan: Plan,
  maker: Maker,
  catalog: Catalog,
  before: Current | null,
): Promise<void> {
  const { effects, steps, request } = maker;
  const laidOut = effects.schemaOf(null);
  const inputs = allInputs(catalog, laidOut, request.dropped);
  const { startedAt, id } = plan.run;
  const build = buildName(startedAt, id, before);
  const built = new Map<string, { state: BuiltState; datasets: readonly Dataset[] }>();
  const failed: string[] = [];
  // One after the other: each takes the memory that there is.
  for (const type of typesOf(laidOut, request.types)) {
    const own = inputs.get(type);
    if (own === undefined || before?.types[type]?.inputs === own.digest) continue;
    const { input, deletions, digest } = own;
    const outcome = await plan.scope(type, async (scope) => {
      const { built: made } = await scope.do(steps.build, {
        params: { type, build, dropped: request.dropped },
        inputs: { input: await scope.value(input), deletions: await scope.value(deletions) },
      });
      return scope.read(made);
    });
    if (!outcome.ok) {
      failed.push(type);
      continue;
    }
    const { datasets, counts } = outcome.value;
    const names = datasets.map(({ name }) => name);
    built.set(type, { state: { inputs: digest, datasets: names, counts, build }, datasets });
  }
  if (built.size === 0) return;
  const { dropped, keepBuilds } = request;
  const schema = laidOut.version;
  const empty = emptyOf(laidOut, dropped);
  const next = nextCurrent(before, built, { schema, build, dropped, keepBuilds, empty, failed });
  await effects.switchTo(next, id);
}

/** Every dataset that there should be, without rows. */
function emptyOf({ shapes }: LaidOut, dropped: readonly string[]): readonly Dataset[] {
  return [...shapes.values()]
    .filter(({ type }) => type.deletes === null)
    .flatMap((shape) => emptyDatasets(shape, { extras: [], dropped: new Set(dropped) }))
    .map(({ name, rows, columns }) => ({ name, rows, columns: columnTypes(columns), files: [] }));
}

function typesOf({ shapes }: LaidOut, asked: readonly string[] | null): readonly string[] {
  const unknown = (asked ?? []).filter((type) => !shapes.has(type));
  if (unknown.length > 0) {
    throw new HdashError("usage", `there is no data type ${unknown.join(", ")}`, {
      hint: `There are ${[...shapes.keys()].sort().join(", ")}.`,
    });
  }
  return asked ?? [...shapes.keys()];
}
