// A user's pipeline as a job of hdash: its flags and variables are what it takes. It is made when a command line names its file.

import { join } from "node:path";

import { HdashError } from "../../error.ts";
import type { Job, RunToOpen } from "../../job.ts";
import type { Declared } from "./opened.ts";
import { makeKeptSettings, type Origin, readOrigin } from "./origin.ts";
import { nameOfRuns } from "./plan.ts";
import { type AnalysisSettings, makeSettings, optionsOf } from "./settings.ts";
import { loadModule, pipelineOf } from "./sources/loadPipeline.ts";
import { makeOwnFlags } from "./told.ts";
import { declaredSteps } from "./writing/declare.ts";

/** Loads a pipeline and makes its job. Throws usage where there is none, or its name is one of `names`. */
export function openPipelineJob(
  path: string,
  names: readonly string[],
): Promise<Job<AnalysisSettings>> {
  return open({ path, cwd: process.cwd() }, names, null);
}

/** Makes the job of a run as it was: from its file, seen from its folder, with its values. Throws usage where it cannot be made so. */
export async function openJobOfRun(
  run: RunToOpen,
  names: readonly string[],
): Promise<Job<AnalysisSettings>> {
  const origin = readOrigin(run);
  const job = await open({ path: origin.file, cwd: origin.cwd }, names, { run, origin });
  if (nameOfRuns(job.name, origin) === run.pipeline) return job;
  throw new HdashError(
    "usage",
    `run ${run.id} was one of ${run.pipeline}, but ${origin.file} has the pipeline ${job.name} now`,
  );
}

async function open(
  { path, cwd }: { readonly path: string; readonly cwd: string },
  names: readonly string[],
  kept: { readonly run: RunToOpen; readonly origin: Origin } | null,
): Promise<Job<AnalysisSettings>> {
  const module = await loadModule(path);
  const pipeline = pipelineOf(module, path, names);
  const secrets = new Set(declaredSteps().flatMap((one) => (one as Declared).secrets ?? []));
  const { ownFlags, told } = makeOwnFlags(pipeline);
  const settings =
    kept === null
      ? makeSettings(pipeline, [...secrets].sort(), told)
      : makeKeptSettings(pipeline, [...secrets].sort(), kept.run, kept.origin);
  return {
    name: pipeline.name,
    title: pipeline.title ?? pipeline.name,
    scopeNoun: ["scope", "scopes"],
    pages: null,
    isUsers: true,
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
    async bind(effects, own, _request, readMenu) {
      const { bindAnalysis } = await import("./bind.ts");
      return bindAnalysis(effects, own, readMenu, { path, cwd, pipeline });
    },
  };
}

/** Makes the job of the example that the demo shows; `names` are those of other jobs. */
export async function openExampleJob(names: readonly string[]): Promise<Job<AnalysisSettings>> {
  const { EXAMPLE, playExample } = await import("./demo/example.ts");
  const job = await openPipelineJob(EXAMPLE, names);
  return {
    ...job,
    settings: {
      ...job.settings,
      // The story shows its pages on the site, beside those of the other jobs.
      read(values) {
        const own = job.settings.read(values);
        return own === null ? null : { ...own, told: { ...own.told, isPublished: true } };
      },
    },
    demo: {
      // A story of the user's own data is about that alone.
      start: async (home, _own, isBundled) =>
        isBundled ? playExample(join(home, job.name)) : null,
    },
  };
}
