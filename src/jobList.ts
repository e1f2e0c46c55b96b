// The pipelines hdash has, and how each of them is deployed. The one list: commands, the stack (infra/) and docs read it.

import type { Effects } from "./effects.ts";
import type { BoundPipeline, RunRequest } from "./job.ts";
import type { GivenJobs, Need } from "./settings/config.ts";

/** How a pipeline runs in a deployment: a container of its own, on a schedule of its own. */
export interface Deployment {
  /** When it begins, in UTC, as EventBridge Scheduler takes it: cron(minutes hours day month weekday year). */
  readonly schedule: string;
  /** Hours after which an alarm says that no run has ended; more than lie between two runs, with the time one takes. */
  readonly lateAfterHours: number;
  /** Units of a vCPU, 1024 each. */
  readonly cpu: 256 | 512 | 1024 | 2048 | 4096;
  readonly memoryMiB: number;
  /** The container's disk, at least 21. */
  readonly diskGiB: number;
  /** Secret variables that it gets by reference; the database's come from the database itself. */
  readonly secrets: readonly string[];
  /** Variables that it is for; a stage's settings may add to them and change them. */
  readonly variables: Readonly<Record<string, string>>;
}

export interface PipelineEntry {
  readonly name: string;
  /** What people call it. */
  readonly title: string;
  readonly needs: readonly Need[];
  readonly deployment: Deployment;
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
    deployment: {
      schedule: "cron(0 3 * * ? *)",
      lateAfterHours: 36,
      cpu: 2048,
      memoryMiB: 8192,
      // A matrix is downloaded whole; the largest of the Human Cell Atlas are some ten gigabytes.
      diskGiB: 100,
      secrets: ["SLACK_WEBHOOK_URL"],
      variables: { MATRIX_SOURCE: "fresh" },
    },
    isConfigured: ({ matrices }) => matrices,
    bind: async (effects, request) =>
      (await import("./jobs/matrix/bind.ts")).bindMatrix(effects, request),
  },
  {
    name: "htan",
    title: "HTAN dashboard",
    needs: ["synapse", "database", "site"],
    deployment: {
      // Before the working day of the Americas, after the night in which data is submitted.
      schedule: "cron(0 9 * * ? *)",
      lateAfterHours: 30,
      cpu: 1024,
      memoryMiB: 4096,
      diskGiB: 21,
      secrets: ["SYNAPSE_PASSWORD", "SLACK_WEBHOOK_URL"],
      variables: {},
    },
    // Without a token it is still asked for, and says what is missing, unless another job is all that was set up.
    isConfigured: ({ dashboard, matrices }) => dashboard || !matrices,
    bind: async (effects, request) =>
      (await import("./jobs/htan/bind.ts")).bindHtan(effects, request),
  },
];
