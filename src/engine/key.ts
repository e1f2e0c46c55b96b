// The key of a step's result: what it was made of, by content. Not in it: clock, git commit, run id.

import { canonicalJson, type Digest, digestOf, type Json } from "../digest.ts";
import { HdashError, messageOf } from "../error.ts";

/** A sha256 over everything that decides a step's output. */
export type StepKey = Digest & { readonly __key: "StepKey" };

/** Everything that decides a step's output. */
export interface StepDocument {
  /** What the document is of, so that documents of different kinds can never be the same text. */
  readonly kind: "step" | "observation";
  /** Whose step it is: the steps of one pipeline have names of their own, those of two need not. */
  readonly pipeline: string;
  readonly step: string;
  readonly version: number;
  readonly params: Json;
  /** Null for a step without one. For an observation: what was found, by content. */
  readonly pin: Json;
  /** What the step closes over; missing where it says nothing. */
  readonly uses?: Json;
  /** Port → digest, or digests where the input is a list. */
  readonly inputs: Readonly<Record<string, Digest | readonly Digest[]>>;
}

/**
 * Makes a step's key and the document it is the digest of, which begins with its kind.
 * Throws a permanent error that names the step where params, uses or pin are not plain JSON.
 */
export function stepKey(document: StepDocument): {
  readonly key: StepKey;
  readonly document: string;
} {
  const { kind, pipeline, step, version, params, pin, uses, inputs } = document;
  let rest: string;
  try {
    const used = uses === undefined ? {} : { uses };
    rest = canonicalJson({ pipeline, step, version, params, pin, ...used, inputs });
  } catch (error) {
    throw new HdashError("permanent", `step ${step} has no key: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const text = `{"kind":${JSON.stringify(kind)},${rest.slice(1)}`;
  return { key: digestOf(text) as StepKey, document: text };
}
