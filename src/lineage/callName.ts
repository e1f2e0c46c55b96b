// How a call of a step is called when people are told of it: what hdash does for a user's pipeline is no step of theirs.

import { oneLine } from "../format.ts";
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
  if (step === RESULTS_STEP && label === null) return "named results";
  const name = givenName(step) ?? step;
  // A label may be any text, and it stands in tables and sentences.
  return oneLine(label === null ? name : `${name} ${label}`);
}

/** The same with its scope, where it has one: "count B_2 in Sample B". */
export function callInScope({
  scope,
  ...call
}: {
  readonly scope: string;
  readonly step: string;
  readonly label: string | null;
}): string {
  return scope === "" ? callName(call) : oneLine(`${callName(call)} in ${scope}`);
}

/** Names all calls of a step together. */
export function stepName(step: string): string {
  const given = givenName(step);
  if (given !== null) return `${given}s`;
  return step === RESULTS_STEP ? "named results" : step;
}
