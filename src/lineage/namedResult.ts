// How what a pipeline gives is kept by name: in the parameters of a step of its own.

import type { Digest, Json } from "../digest.ts";

/** How that step is called. */
export const RESULTS_STEP = "results";

/** A result by its name, e.g. "merged[1]": a value of the plan, or what was stored. */
export type NamedResult = { readonly name: string } & (
  | { readonly value: Json }
  | { readonly digest: Digest; readonly bytes: number; readonly codec: string }
);
