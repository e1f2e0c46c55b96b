// The steps of the cohort job: reading an export, mending copies, building a data type. What they are given and what they give is named by
// digests and keys: the ledger grows with what is new, and not with all that there is.

import type { Digest } from "../../digest.ts";
import { json, step, type StepContext } from "../../engine/step.ts";
import { countSeverities } from "../../finding.ts";
import { build, type BuildInputs, type BuildParams, keepBuilt } from "./building.ts";
import type { ListedObject } from "./data/catalog.ts";
import { checkFindings, checkMeasures, type CheckResult, trendName } from "./data/checkResult.ts";
import type { ExportReport, KeptObject } from "./data/report.ts";
import type { Tally } from "./data/scan.ts";
import { BUILD_VERSION } from "./data/typeInput.ts";
import { makeDesk } from "./desk.ts";
import {
  type CohortEffects,
  ingest,
  INGEST_VERSION,
  type IngestHints,
  type IngestParams,
  noteListing,
  repair,
  type Repaired,
  type RepairParams,
  REPORT_VERSION,
} from "./doing.ts";
import {
  countRecent,
  inspect,
  type InspectInputs,
  type InspectParams,
  type RecentParams,
} from "./inspecting.ts";

/** Bump when what is counted for checks changes. */
const CHECK_VERSION = 1;

export type CohortSteps = ReturnType<typeof makeSteps>;

/** What a listing is read by. */
type ListingParams = {
  readonly label: string;
  readonly namespace: string;
  readonly cohorts: readonly string[];
  /** The digest of the listing. */
  readonly given: Digest;
};

/** Makes the steps, and the desks on which they find what they are given. */
export function makeSteps(effects: CohortEffects) {
  const reports = makeDesk<ExportReport>();
  const inputs = makeDesk<BuildInputs>();
  const listings = makeDesk<readonly ListedObject[]>();
  return {
    reports,
    inputs,
    listings,

    noteListing: step({
      name: "noteListing",
      version: 1,
      outputs: { noted: json<true>() },
      run: (_inputs: object, { given, ...facts }: ListingParams, ctx: StepContext) => {
        noteListing(listings.take(given), facts, ctx);
        return Promise.resolve({ noted: true as const });
      },
    }),

    ingest: step({
      name: "ingest",
      version: REPORT_VERSION,
      outputs: { report: json<KeptObject>() },
      resources: { memoryMiB: effects.memoryMiB },
      run: async (_inputs: object, params: IngestParams, ctx: StepContext<IngestHints>) => ({
        report: await ingest(effects, params, ctx),
      }),
    }),

    repair: step({
      name: "repair",
      version: INGEST_VERSION,
      outputs: { copies: json<Repaired>() },
      run: async (_inputs: object, params: RepairParams, ctx: StepContext) => ({
        copies: await repair(effects, reports.take(params.report), params, ctx),
      }),
    }),

    build: step({
      name: "build",
      version: BUILD_VERSION,
      outputs: { built: json<KeptObject>() },
      uses: { ...effects.builtBy, schema: effects.schemaOf(null).name },
      resources: { memoryMiB: effects.memoryMiB },
      run: async (_inputs: object, params: BuildParams, ctx: StepContext) => {
        const built = await build(effects, inputs.take(params.given), params, ctx);
        return { built: await keepBuilt(effects, params, built, ctx.signal) };
      },
    }),

    ...makeCheckSteps(effects),
  };
}

/** Makes the steps by which datasets are checked. */
function makeCheckSteps(effects: CohortEffects) {
  const counting = {
    version: CHECK_VERSION,
    uses: effects.builtBy,
    resources: { memoryMiB: effects.memoryMiB },
  };
  return {
    inspect: step({
      name: "inspect",
      ...counting,
      outputs: { tallies: json<readonly Tally[]>() },
      run: async (inputs: InspectInputs, params: InspectParams, ctx: StepContext) => ({
        tallies: await inspect(effects, inputs, params, ctx),
      }),
    }),

    countRecent: step({
      name: "countRecent",
      ...counting,
      outputs: { rows: json<number>() },
      run: async (
        inputs: Pick<InspectInputs, "files">,
        params: RecentParams,
        ctx: StepContext,
      ) => ({ rows: await countRecent(effects, inputs, params, ctx) }),
    }),

    tellChecks: step({
      name: "tellChecks",
      version: CHECK_VERSION,
      outputs: { results: json<readonly CheckResult[]>() },
      run: async (
        { results, last }: Told,
        { type }: { readonly type: string },
        ctx: StepContext,
      ) => {
        const findings = checkFindings([...results, ...last]);
        ctx.find(findings);
        for (const measure of checkMeasures(results)) ctx.measure(...measure);
        // A scope's numbers are those whose subject is the scope: its past is told by them.
        for (const { id, unexpected } of results) {
          if (unexpected !== null) ctx.measure(type, trendName(id), unexpected);
        }
        for (const [name, value] of Object.entries(countSeverities(findings))) {
          ctx.measure(type, name, value);
        }
        return Promise.resolve({ results });
      },
    }),
  };
}

/** What checks have found now, and what others had found when they were last done: of these there are no new numbers. */
type Told = Readonly<Record<"results" | "last", readonly CheckResult[]>>;
