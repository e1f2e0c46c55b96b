// The pipelines hdash has, and when each of them runs. The one list: commands, schedules and docs read it.

import type { BoundPipeline, RunRequest } from "./boundPipeline.ts";
import type { GivenJobs, Need } from "./config.ts";
import type { Effects } from "./effects.ts";

export interface PipelineEntry {
  readonly name: string;
  /** What people call it. */
  readonly title: string;
  readonly needs: readonly Need[];
  /** Tells whether a run of everything includes it. */
  isConfigured(given: GivenJobs): boolean;
  bind(effects: Effects, request: RunRequest): Promise<BoundPipeline>;
}

/** In the order in which a run of everything does them: the dashboard shows figures, so these are made before it. */
export const PIPELINES: readonly PipelineEntry[] = [
  {
    name: "matrix",
    title: "Matrix figures",
    needs: ["database", "site", "matrices"],
    isConfigured: ({ matrices }) => matrices,
    bind: async (effects, request) =>
      (await import("./bindMatrix.ts")).bindMatrix(effects, request),
  },
  {
    name: "htan",
    title: "HTAN dashboard",
    needs: ["synapse", "database", "site"],
    // Without a token it is still asked for, and says what is missing, unless another job is all that was set up.
    isConfigured: ({ dashboard, matrices }) => dashboard || !matrices,
    bind: async (effects, request) => (await import("./bindHtan.ts")).bindHtan(effects, request),
  },
];
