// The CDK app: a stage's shared stack and the stack of one of its namespaces, from registry and settings.

import type { Stack } from "aws-cdk-lib";
import { App } from "aws-cdk-lib";

import type { Job } from "../src/job.ts";
import { JOBS } from "../src/jobList.ts";
import { makeBaseStack } from "./baseStack.ts";
import { makeNamespaceStack } from "./namespaceStack.ts";
import { readSettings, type Settings } from "./settings.ts";
import { deployedPipelines } from "./settingsOfPipelines.ts";
import type { Target } from "./target.ts";

export interface Stacks {
  readonly app: App;
  readonly base: Stack;
  readonly namespace: Stack;
}

/**
 * Makes both stacks of a deployment.
 * @param options what a test chooses: other settings, another registry, the folder that templates are written to.
 */
export function makeStacks(
  target: Target,
  options: {
    readonly settings?: Settings;
    readonly registry?: readonly Job[];
    readonly outdir?: string;
  } = {},
): Stacks {
  const registry = options.registry ?? JOBS;
  const settings = options.settings ?? readSettings(target.stage, registry);
  const pipelines = deployedPipelines(registry, settings);
  // Also those of pipelines that the stage does not run: an empty secret that stays can be filled in, one that went for a while comes
  // back neither where it was kept nor under its old name.
  const secrets = [...new Set(registry.flatMap(({ deployment }) => deployment.secrets))].sort();
  const places = registry.flatMap(({ deployment }) => deployment.privatePlaces ?? []);
  const app = new App({
    analyticsReporting: false,
    ...(options.outdir === undefined ? {} : { outdir: options.outdir }),
  });
  return {
    app,
    base: makeBaseStack(app, { stage: target.stage, settings, secrets, places }),
    namespace: makeNamespaceStack(app, { target, settings, pipelines }),
  };
}
