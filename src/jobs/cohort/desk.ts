// What a plan hands to a step beside the ledger. Its digest is among the step's params, so that the step is done once for each content; the
// content itself follows from what lies in the private places, and would be a new blob of the ledger in every run.

import { type Digest, digestOfJson, type Json } from "../../digest.ts";
import { HdashError } from "../../error.ts";

export interface Desk<T> {
  /** Lays a value down, and names it. */
  lay(value: T): Digest;
  /** Takes up what has that name. Throws a permanent error where nobody has laid it down in this process. */
  take(name: Digest): T;
}

/** Makes an empty desk. */
export function makeDesk<T>(): Desk<T> {
  const values = new Map<Digest, T>();
  return {
    lay(value) {
      // What is no JSON, digestOfJson refuses.
      const name = digestOfJson(value as Json);
      values.set(name, value);
      return name;
    },
    take(name) {
      const value = values.get(name);
      if (value === undefined) {
        throw new HdashError("permanent", `a step is given ${name}, which this run does not know`);
      }
      return value;
    },
  };
}
