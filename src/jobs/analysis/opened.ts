// A pipeline as it was opened: its declaration, and of each step the identity of its code.

import type { Digest } from "../../digest.ts";
import type { CodeListing } from "../../store/codeListings.ts";
import type { UsedPath } from "./staging.ts";
import type { Resources, StepTools } from "./writing/declare.ts";
import type { Kinds } from "./writing/kinds.ts";
import type { DeclaredPipeline } from "./writing/pipeline.ts";
import type { StagedPath } from "./writing/script.ts";

type Values = Readonly<Record<string, unknown>>;

/** A step as it was declared, without its types. */
export interface Declared {
  readonly kind: "function" | "command" | "container" | "source";
  readonly name: string;
  readonly takes: Kinds;
  readonly gives: Kinds;
  readonly version?: number;
  readonly uses?: readonly string[];
  readonly cache?: "run";
  readonly resources?: Resources | ((of: { readonly attempt: number }) => Resources);
  readonly attempts?: number;
  readonly secrets?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly network?: boolean;
  readonly image?: string;
  run?(values: Values, tools: StepTools): unknown;
  argv?(values: Values): readonly (string | number | StagedPath)[];
  stub?(values: Values, tools: StepTools): unknown;
  pin?(values: Values, tools: Pick<StepTools, "signal">): Promise<unknown>;
}

export interface OpenedStep {
  readonly declared: Declared;
  /** Of the module that exports it and all that it imports. */
  readonly code: Digest;
  /** Of the files that it says it uses; null where it uses none. */
  readonly uses: Digest | null;
  /** Where those lie. */
  readonly used: readonly UsedPath[];
}

export interface Opened {
  /** Absolute path of the module. */
  readonly file: string;
  readonly pipeline: DeclaredPipeline;
  /** What the identity of the code cannot see, each in a sentence with its place. */
  readonly notes: readonly string[];
  /** What the digests of code and of used files are of. */
  readonly listings: ReadonlyMap<Digest, CodeListing>;
  /** All steps that its modules export. */
  readonly steps: readonly OpenedStep[];
  /** What is known of a step. Throws usage where no module exports it. */
  stepOf(declared: object): OpenedStep;
}
