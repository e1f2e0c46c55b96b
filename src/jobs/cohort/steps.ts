// The steps of the cohort job: what there is, reading an export, mending copies, building a data type.

import { json, observation, step, type StepContext } from "../../engine/step.ts";
import { build, type BuildInputs, type BuildParams, type TypeBuild } from "./building.ts";
import type { ListedObject } from "./data/catalog.ts";
import type { Losses } from "./data/keptObjects.ts";
import type { ExportReport } from "./data/report.ts";
import { BUILD_VERSION } from "./data/typeInput.ts";
import {
  check,
  type CohortEffects,
  ingest,
  INGEST_VERSION,
  type IngestHints,
  type IngestParams,
  listSource,
  noteListing,
  repair,
  type Repaired,
  type RepairParams,
  REPORT_VERSION,
} from "./doing.ts";

export type CohortSteps = ReturnType<typeof makeSteps>;

/** What a listing is read by. */
type ListingParams = {
  readonly label: string;
  readonly namespace: string;
  readonly cohorts: readonly string[];
};

/** Makes the steps. */
export function makeSteps(effects: CohortEffects) {
  return {
    listExports: observation({
      name: "listExports",
      outputs: { listing: json<readonly ListedObject[]>() },
      read: async (_params: null, { signal }) => ({ listing: await listSource(effects, signal) }),
    }),

    noteListing: step({
      name: "noteListing",
      version: 1,
      outputs: { noted: json<true>() },
      run: (
        { listing }: { readonly listing: readonly ListedObject[] },
        facts: ListingParams,
        ctx: StepContext,
      ) => {
        noteListing(listing, facts, ctx);
        return Promise.resolve({ noted: true as const });
      },
    }),

    ingest: step({
      name: "ingest",
      version: REPORT_VERSION,
      outputs: { report: json<ExportReport>() },
      resources: { memoryMiB: effects.memoryMiB },
      run: async (_inputs: object, params: IngestParams, ctx: StepContext<IngestHints>) => ({
        report: await ingest(effects, params, ctx),
      }),
    }),

    checkPlaces: observation({
      name: "checkPlaces",
      outputs: { losses: json<Losses>() },
      read: async (_params: null, { signal }) => ({ losses: await check(effects, signal) }),
    }),

    repair: step({
      name: "repair",
      version: INGEST_VERSION,
      outputs: { copies: json<Repaired>() },
      run: async (
        { report }: { readonly report: ExportReport },
        params: RepairParams,
        ctx: StepContext,
      ) => ({
        copies: await repair(effects, report, params, ctx),
      }),
    }),

    build: step({
      name: "build",
      version: BUILD_VERSION,
      outputs: { built: json<TypeBuild>() },
      uses: { ...effects.builtBy, schema: effects.schemaOf(null).name },
      resources: { memoryMiB: effects.memoryMiB },
      run: async (inputs: BuildInputs, params: BuildParams, ctx: StepContext) => ({
        built: await build(effects, inputs, params, ctx),
      }),
    }),
  };
}
