// How a call of a step is called when people are told of it: what hdash does for a user's pipeline is no step of theirs.

import { bringsIn } from "./givenSteps.ts";
import { RESULTS_STEP } from "./namedResult.ts";

/** What people call what a user gave; null for what a step has made. */
function givenName(step: string): string | null {
  const brings = bringsIn(step);
  return brings === null ? null : `given ${brings}`;
}

/** Names a call, e.g. "count A_1", "given file A_1.fa". */
export function callName({
  step,
  label,
}: {
  readonly step: string;
  readonly label: string | null;
}): string {
  const given = givenName(step);
  if (given !== null) return label === null ? given : `${given} ${label}`;
  if (step === RESULTS_STEP && label === null) return "named results";
  return label === null ? step : `${step} ${label}`;
}

/** Names all calls of a step together. */
export function stepName(step: string): string {
  const given = givenName(step);
  if (given !== null) return `${given}s`;
  return step === RESULTS_STEP ? "named results" : step;
}
