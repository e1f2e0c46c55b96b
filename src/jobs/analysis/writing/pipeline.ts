// How a user declares a pipeline: what it takes and gives, and the plan that says which steps to run.

import type { DeclaredStep } from "./declare.ts";
import type { Handle } from "./handle.ts";
import type { ArgOf, Args, Handles, Kinds, LastingKinds, Planneds } from "./kinds.ts";

/** What became of a scope. */
export type ScopeResult<R> =
  { readonly ok: true; readonly value: R } | { readonly ok: false; readonly error: string };

/** How one call of a step is called. */
export interface CallOptions {
  /** Names one call among many for people; default: the values that tell it from its sisters. Not part of the key. */
  readonly label?: string;
}

/** What a plan may use. */
export interface PlanTools {
  /** Runs a step, or finds its result: gives handles at once, which the next step takes. */
  run<T extends Kinds, G extends Kinds>(
    step: DeclaredStep<T, G>,
    values: Args<T>,
    options?: CallOptions,
  ): Handles<G>;
  /** Waits for what a handle stands for, and reads it. */
  read<T>(handle: Handle<T>): Promise<T>;
  /** Runs a part that may fail alone: whatever fails in it, the others go on, and the run ends degraded. */
  scope<R>(name: string, part: () => Promise<R> | R): Promise<ScopeResult<R>>;
}

/** What a plan returns for what the pipeline gives. */
export type Results<G extends Kinds> = { readonly [N in keyof G]: ArgOf<G[N]> };

export interface PipelineDeclaration<T extends Kinds, G extends Kinds> {
  /** A word of lower-case letters, digits and hyphens: it names the pipeline in the ledger, on the command line and on pages. */
  readonly name: string;
  /** What people call it; default: its name. */
  readonly title?: string;
  readonly takes: T;
  readonly gives: G;
  /** Reads nothing but what it takes and what it `read`s: no clock, no files, no network. */
  plan(values: Planneds<T>, tools: PlanTools): Promise<Results<G>> | Results<G>;
}

/** A pipeline that was declared. */
export interface DeclaredPipeline<T extends Kinds = Kinds, G extends Kinds = Kinds> {
  readonly kind: "pipeline";
  readonly name: string;
  readonly title?: string;
  readonly takes: T;
  readonly gives: G;
  plan(values: Planneds<T>, tools: PlanTools): Promise<Results<G>> | Results<G>;
}

/** Declares a pipeline: a module's default export. */
export function pipeline<const T extends LastingKinds, const G extends LastingKinds>(
  declaration: PipelineDeclaration<T, G>,
): DeclaredPipeline<T, G> {
  return { kind: "pipeline", ...declaration };
}
