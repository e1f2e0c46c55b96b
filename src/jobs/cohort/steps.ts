// The steps of the cohort job: what there is, reading an export, mending copies, building a data type.

import { json, observation, step, type StepContext } from "../../engine/step.ts";
import type { Catalog, ListedObject } from "./data/catalog.ts";
import type { Current } from "./data/current.ts";
import type { Losses } from "./data/keptObjects.ts";
import type { ExportReport } from "./data/report.ts";
import { BUILD_VERSION, type TypeInput } from "./data/typeInput.ts";
import {
  build,
  type BuildParams,
  check,
  type CohortEffects,
  ingest,
  INGEST_VERSION,
  type IngestHints,
  type IngestParams,
  repair,
  type Repaired,
  type RepairParams,
  type TypeBuild,
} from "./doing.ts";

export type CohortSteps = ReturnType<typeof makeSteps>;

/** Makes the steps. */
export function makeSteps(effects: CohortEffects) {
  return {
    listExports: observation({
      name: "listExports",
      outputs: { listing: json<readonly ListedObject[]>() },
      read: async (_params: null, { signal }) => ({ listing: await effects.source.list(signal) }),
    }),

    readState: observation({
      name: "readState",
      outputs: { catalog: json<Catalog>(), current: json<Current | null>() },
      read: async (_params: null, { signal }) => effects.readState(signal),
    }),

    ingest: step({
      name: "ingest",
      version: INGEST_VERSION,
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
      run: async (_inputs: object, params: RepairParams, ctx: StepContext) => ({
        copies: await repair(effects, params, ctx),
      }),
    }),

    build: step({
      name: "build",
      version: BUILD_VERSION,
      outputs: { built: json<TypeBuild>() },
      uses: { ...effects.builtBy, schema: effects.schemaOf(null).name },
      resources: { memoryMiB: effects.memoryMiB },
      run: async (
        { input, deletions }: { input: TypeInput; deletions: TypeInput | null },
        params: BuildParams,
        ctx: StepContext,
      ) => ({ built: await build(effects, input, deletions, params, ctx) }),
    }),
  };
}
