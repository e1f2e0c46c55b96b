// Cohorts as a pipeline: from exports to copies and staged rows, from these to one build of all datasets, and the switch to it.

import type { Pipeline, Plan } from "../../engine/step.ts";
import { HdashError } from "../../error.ts";
import { count, oneLine } from "../../format.ts";
import { buildAll, showBuilt, withoutTypes } from "./buildPlan.ts";
import {
  type Catalog,
  type CatalogEntry,
  exportKey,
  exportsToRead,
  type FoundExport,
  sortListing,
  withEntries,
} from "./data/catalog.ts";
import { checkCatalog, checkNamed, checkReadAnew } from "./data/checks.ts";
import { tellComparison } from "./data/comparison.ts";
import type { Losses, Sweepable } from "./data/keptObjects.ts";
import type { CohortState } from "./data/known.ts";
import { SOURCE_SCOPE } from "./data/listing.ts";
import { laterIds } from "./data/ranking.ts";
import type { ExportReport } from "./data/report.ts";
import { tellStudy } from "./data/study.ts";
import { allInputs } from "./data/typeInput.ts";
import { check, type CohortEffects, listSource } from "./doing.ts";
import {
  type CohortKeeper,
  type CohortParams,
  type CohortRequest,
  look,
  type Maker,
  put,
} from "./maker.ts";
import { makeWatch, toldOf, validate } from "./planValidation.ts";
import { makeSiteSteps, type SiteEffects } from "./siteSteps.ts";
import { makeSteps } from "./steps.ts";
import { newsOf, planStudy, trendsOf } from "./telling.ts";

/** Makes the pipeline. */
export function makeCohort(
  effects: CohortEffects & CohortKeeper & SiteEffects,
  request: CohortRequest,
): Pipeline<CohortParams> {
  const maker: Maker = { effects, request, steps: makeSteps(effects) };
  const siteSteps = makeSiteSteps(effects);
  return {
    name: "cohort",
    async plan(plan, { namespace }) {
      const listing = await look(plan, "listExports", (signal) => listSource(effects, signal));
      const found = sortListing(listing, effects.cohorts);
      const { source, cohorts } = effects;
      const facts = { label: source.label, namespace, cohorts };
      const given = maker.steps.listings.lay(listing);
      await plan.scope(SOURCE_SCOPE, (scope) =>
        scope.do(maker.steps.noteListing, { params: { ...facts, given }, inputs: {} }),
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
        const { isAgain } = request.choice;
        catalog = await readExports(plan, maker, wanted, { catalog, isAgain, when: "new" });
      }
      let lost: readonly string[] = [];
      let held: Sweepable | null = null;
      if (parts.includes("sync")) {
        const checked = await look(plan, "checkPlaces", (signal) => check(effects, signal));
        catalog = await mendCopies(plan, maker, checked.losses, found.exports, catalog);
        lost = checked.losses.types;
        held = checked.sweepable;
      }
      const isBuilding = parts.includes("build");
      if (isBuilding) checkReadAnew(state, catalog, found.exports);
      const known = isBuilding ? withoutTypes({ ...state, catalog }, lost) : { ...state, catalog };
      const watch = makeWatch(plan.run, maker, known);
      const inputs = allInputs(catalog, effects.schemaOf(null), request.dropped);
      const built = isBuilding ? await buildAll(plan, maker, known, { inputs, watch }) : null;
      const validation = await validate(plan, watch, built);
      await showBuilt(plan, maker, built, validation);
      const current = built?.current ?? state.current;
      if (held !== null) await removeUnnamed(plan, maker, held, { catalog, current });
      const study = tellStudy({
        ...{ namespace, cohorts: effects.cohorts, catalog, listing: found, current },
        laidOut: effects.schemaOf(null),
        inputs,
        ...{
          ...toldOf({ known: validation ?? state.validation, current }, watch.checker),
          before: state,
        },
        today: plan.run.startedAt.slice(0, 10),
        leastPeople: request.leastPeople,
      });
      plan.say(newsOf(study));
      const trends = await trendsOf(plan, study);
      const compared = await look(plan, "readComparison", (signal) =>
        effects.readComparison(signal),
      );
      const { leastPeople } = request;
      const comparison =
        compared === null ? null : tellComparison(compared, effects.schemaOf(null), leastPeople);
      await plan.site(() => planStudy(plan, siteSteps, { study, trends, comparison }));
    },
  };
}

/** Removes what nothing names, after the switch: by then the catalog and the build are those that stay. */
async function removeUnnamed(
  plan: Plan,
  { effects }: Maker,
  held: Sweepable,
  known: Pick<CohortState, "catalog" | "current">,
): Promise<void> {
  await put(plan, "removeUnnamed", "", (signal) => effects.removeUnnamed(held, known, signal));
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
  const known = new Map(catalog.exports.map((entry) => [exportKey(entry.report), entry]));
  const whole = exports.flatMap((key) => listed.get(key) ?? []);
  for (const key of exports) if (!listed.has(key)) await lostForGood(plan, key, "staged rows");
  const mended: CatalogEntry[] = [];
  for (const { export: key, members } of copies) {
    const [one, entry] = [listed.get(key), known.get(key)];
    if (entry === undefined || (one !== undefined && whole.includes(one))) continue;
    if (one === undefined) {
      await lostForGood(plan, key, `copies of ${count(members.length, "member")}`);
      continue;
    }
    const outcome = await plan.scope(one.key, (scope) =>
      mendOne(scope, maker, one, entry, members),
    );
    if (outcome.ok) mended.push(outcome.value);
  }
  const next = mended.length === 0 ? catalog : withEntries(catalog, mended);
  if (mended.length > 0)
    await put(plan, "keepCatalog", "copies", (signal) => maker.effects.saveCatalog(next, signal));
  return readExports(plan, maker, whole, { catalog: next, isAgain: true, when: "lost" });
}

/** Says, in the export's scope, that something of it is lost that only its source could give back. */
async function lostForGood(plan: Plan, key: string, what: string): Promise<void> {
  await plan.scope(key, () => {
    throw new HdashError(
      "permanent",
      `${what} of export ${oneLine(key)} are lost, and the source has it no longer: they cannot be made again`,
      { hint: "Put the export back into the source, or the objects into their place." },
    );
  });
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
  const of = { report: steps.reports.lay(entry.report), check: plan.run.id };
  const params = { cohort, export: name, bytes, etag, schema, members, ...of };
  const { copies } = await plan.do(steps.repair, { params, inputs: {} });
  const made = await plan.read(copies);
  const report = {
    ...entry.report,
    members: entry.report.members.map((member) => ({ ...member, ...made[member.name] })),
  };
  return { ...entry, report };
}

/** Reads exports, and keeps the catalog. Those of a cohort follow each other by name, so that the later one's copies come last. */
async function readExports(
  plan: Plan,
  maker: Maker,
  wanted: readonly FoundExport[],
  of: { readonly catalog: Catalog; readonly isAgain: boolean; readonly when: string },
): Promise<Catalog> {
  const { catalog, isAgain } = of;
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
  await put(plan, "keepCatalog", of.when, (signal) => maker.effects.saveCatalog(next, signal));
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
  const schema = effects.schemaOf(name).name;
  const read = async (scope: Plan, again: string | null): Promise<ExportReport | null> => {
    const params = { cohort, export: name, bytes, etag, schema, again };
    const { report } = await scope.do(steps.ingest, { params, inputs: {}, hints: { later } });
    return effects.readReport(await scope.read(report));
  };
  const outcome = await plan.scope(key, async (scope) => {
    const { id } = plan.run;
    // The report is gone where the catalog had it, and has lost it: what it names may be gone, too.
    const report =
      (await read(scope, isAgain ? id : null)) ?? (await read(scope, `${id}, its report is gone`));
    if (report === null) throw new HdashError("permanent", `the report of ${key} is lost`);
    return { bytes, etag, report };
  });
  return outcome.ok ? outcome.value : null;
}
