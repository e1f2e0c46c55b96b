// A user's pipeline as a job of hdash: its flags and variables are what it takes. It is made when a command line names its file.

import { join } from "node:path";

import type { Job } from "../../job.ts";
import type { Declared } from "./opened.ts";
import { type AnalysisSettings, makeSettings, optionsOf } from "./settings.ts";
import { loadModule, pipelineOf } from "./sources/loadPipeline.ts";
import { makeOwnFlags } from "./told.ts";
import { declaredSteps } from "./writing/declare.ts";

/** Loads a pipeline and makes its job. Throws usage where there is none, or its name is one of `names`. */
export async function openPipelineJob(
  path: string,
  names: readonly string[],
): Promise<Job<AnalysisSettings>> {
  const module = await loadModule(path);
  const pipeline = pipelineOf(module, path, names);
  const secrets = new Set(declaredSteps().flatMap((one) => (one as Declared).secrets ?? []));
  const { ownFlags, told } = makeOwnFlags(pipeline);
  const settings = makeSettings(pipeline, [...secrets].sort(), told);
  return {
    name: pipeline.name,
    title: pipeline.title ?? pipeline.name,
    scopeNoun: ["scope", "scopes"],
    pages: null,
    needs: ["database"],
    settings,
    deployment: {
      schedule: "cron(0 3 * * ? *)",
      lateAfterHours: 36,
      ...{ cpu: 1024, memoryMiB: 2048, diskGiB: 21, secrets: [], variables: {} },
      reads: () => null,
    },
    options: optionsOf(pipeline),
    ownFlags,
    async bind(effects, own, request) {
      const { bindAnalysis } = await import("./bind.ts");
      return bindAnalysis(effects, own, request, { path, pipeline });
    },
  };
}

/** Makes the job of the example that the demo shows; `names` are those of other jobs. */
export async function openExampleJob(names: readonly string[]): Promise<Job<AnalysisSettings>> {
  const { EXAMPLE, playExample } = await import("./demo/example.ts");
  const job = await openPipelineJob(EXAMPLE, names);
  return {
    ...job,
    demo: {
      // A story of the user's own data is about that alone.
      start: async (home, _own, isBundled) =>
        isBundled ? playExample(join(home, job.name)) : null,
    },
  };
}
