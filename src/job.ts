// A pipeline bound to parameters and to the world: what commands execute.

import type { Json } from "./digest.ts";
import type { Pipeline } from "./engine/step.ts";
import type { RunFacts } from "./publish/message.ts";
import type { Publisher } from "./publish/site.ts";
import type { FinishedRun } from "./work/facts.ts";

/** What a command asks of a run. */
export interface RunRequest {
  /** Atlas ids; null: all. */
  readonly atlases: readonly string[] | null;
  /** True where the user insists. */
  readonly force?: boolean;
}

/** A pipeline bound to its parameters and to what it uses of the world, ready to be executed. */
export interface BoundPipeline {
  readonly pipeline: Pipeline<Json>;
  readonly params: Json;
  readonly publisher: Publisher;
  /** Says what Slack is told about a finished run. */
  facts(outcome: FinishedRun): Promise<RunFacts>;
}
