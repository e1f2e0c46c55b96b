// Cohorts as a pipeline: from exports to copies and staged rows, from these to one build of all datasets, and the switch to it.

import pLimit from "p-limit";

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
  inputsDigest,
  nextCurrent,
} from "./data/current.ts";
import { byText } from "./data/text.ts";
import { type TypeInput, typeInputs } from "./data/typeInput.ts";
import type { Part } from "./settings.ts";
import {
  BUILD_VERSION,
  type CohortEffects,
  type CohortSteps,
  columnTypes,
  type LaidOut,
  makeSteps,
} from "./steps.ts";

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
      const before = await plan.read(state.catalog);
      const current = await plan.read(state.current);
      let catalog = before;
      if (request.parts.includes("ingest")) {
        const read = await ingestAll(plan, maker, found.exports, before);
        if (read.length > 0) catalog = withEntries(before, read);
        if (catalog !== before) await effects.saveCatalog(catalog);
      }
      if (request.parts.includes("build")) await buildAll(plan, maker, catalog, current);
    },
  };
}

/** Reads the exports that are new. Those of a cohort follow each other by name, so that the later one's copies come last. */
async function ingestAll(
  plan: Plan,
  maker: Maker,
  found: readonly FoundExport[],
  catalog: Catalog,
): Promise<readonly CatalogEntry[]> {
  const { effects, request } = maker;
  const wanted = exportsToRead(
    found,
    catalog,
    request.choice,
    (one) => effects.schemaOf(one.export).name,
  );
  const read: CatalogEntry[] = [];
  const byCohort = Map.groupBy(wanted, ({ cohort }) => cohort);
  await Promise.all(
    [...byCohort.values()].map(async (exports) => {
      for (const one of exports) {
        const entry = await ingestOne(plan, maker, one, [...catalog.exports, ...read]);
        if (entry !== null) read.push(entry);
      }
    }),
  );
  return read;
}

async function ingestOne(
  plan: Plan,
  { effects, steps }: Maker,
  { key, cohort, export: name, bytes, etag }: FoundExport,
  known: readonly CatalogEntry[],
): Promise<CatalogEntry | null> {
  const later = known
    .filter(({ report }) => report.cohort === cohort && byText(report.export, name) > 0)
    .flatMap(({ report }) =>
      report.members.flatMap(({ id, status }) =>
        id === null || status === "bad_member" ? [] : [id],
      ),
    );
  const outcome = await plan.scope(key, async (scope) => {
    const schema = effects.schemaOf(name).name;
    const { report } = await scope.do(steps.ingest, {
      params: { cohort, export: name, bytes, etag, schema },
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
  const inputs = typeInputs(catalog, laidOut.shapes);
  const { startedAt, id } = plan.run;
  const build = buildName(startedAt, id);
  const built = new Map<string, { state: BuiltState; datasets: readonly Dataset[] }>();
  const failed: string[] = [];
  // One after the other: each takes the memory that there is.
  const limit = pLimit(1);
  await Promise.all(
    typesOf(laidOut, request.types).map((type) =>
      limit(async () => {
        const input = inputs.get(type) ?? noInput(type);
        const deletions = deletionsOf(laidOut, inputs, type);
        const how = { schema: laidOut.name, dropped: request.dropped, version: BUILD_VERSION };
        const digest = inputsDigest(input, deletions, how);
        if (before?.types[type]?.inputs === digest) return;
        const outcome = await plan.scope(type, async (scope) => {
          const { built: made } = await scope.do(steps.build, {
            params: { type, build, dropped: request.dropped },
            inputs: { input: await scope.value(input), deletions: await scope.value(deletions) },
          });
          return scope.read(made);
        });
        if (!outcome.ok) {
          failed.push(type);
          return;
        }
        const { datasets, counts } = outcome.value;
        const names = datasets.map(({ name }) => name);
        built.set(type, { state: { inputs: digest, datasets: names, counts, build }, datasets });
      }),
    ),
  );
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

function noInput(type: string): TypeInput {
  return { type, files: [], members: [], extras: [] };
}

function deletionsOf(
  { shapes }: LaidOut,
  inputs: ReadonlyMap<string, TypeInput>,
  type: string,
): TypeInput | null {
  const deleting = [...shapes.values()].find((shape) => shape.type.deletes === type);
  return deleting === undefined ? null : (inputs.get(deleting.type.name) ?? null);
}

/** Names the exports of a catalog. */
export function catalogKeys({ exports }: Catalog): readonly string[] {
  return exports.map(({ report }) => exportKey(report));
}
