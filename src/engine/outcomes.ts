// What is to be said of all scopes of a pipeline together: nothing is published where nothing could be done.

import { HdashError } from "../error.ts";
import type { ScopeOutcome } from "./step.ts";

/**
 * Throws permanent, beginning with `words`, where every scope failed: there is nothing to publish then, and the old site stays as it
 * is. No scopes at all are no failure. `titleOf` tells what people call a scope.
 */
export function checkAnyDone(
  outcomes: ReadonlyMap<string, ScopeOutcome<unknown>>,
  words: string,
  titleOf: (id: string) => string = (id) => id,
): void {
  const failures = [...outcomes].flatMap(([id, outcome]) =>
    outcome.ok ? [] : [`${titleOf(id)}: ${outcome.error}`],
  );
  if (failures.length === 0 || failures.length < outcomes.size) return;
  throw new HdashError("permanent", `${words}. ${failures[0] ?? ""}`);
}
