// The key of a step's result: what it was made of, by content. Not in it: clock, git commit, run id.

import { canonicalJson, type Digest, digestOf, type Json } from "../digest.ts";
import { HdashError, messageOf } from "../error.ts";

/** A sha256 over everything that decides a step's output. */
export type StepKey = Digest & { readonly __key: "StepKey" };

/** Everything that decides a step's output. */
export interface StepDocument {
  readonly step: string;
  readonly version: number;
  readonly params: Json;
  readonly pin: Json;
  /** Port → digest, or digests where the input is a list. */
  readonly inputs: Readonly<Record<string, Digest | readonly Digest[]>>;
}

/** Makes a step's key and the document it is the digest of. Throws a permanent error that names the step where params or pin are not plain JSON. */
export function stepKey(document: StepDocument): {
  readonly key: StepKey;
  readonly document: string;
} {
  const { step, version, params, pin, inputs } = document;
  let text: string;
  try {
    text = canonicalJson({ step, version, params, pin, inputs });
  } catch (error) {
    throw new HdashError("permanent", `step ${step} has no key: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return { key: digestOf(text) as StepKey, document: text };
}
