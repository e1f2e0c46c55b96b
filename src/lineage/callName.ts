// How a call of a step is called when people are told of it: what hdash does for a user's pipeline is no step of theirs.

import { RESULTS_STEP } from "./namedResult.ts";

/** The steps by which what a user gave comes in; their label is its name. */
const IMPORT_STEPS: Readonly<Record<string, string>> = {
  "import file": "given file",
  "import folder": "given folder",
  "fetch data": "given file",
};

/** Names a call, e.g. "count A_1", "given file A_1.fa". */
export function callName({
  step,
  label,
}: {
  readonly step: string;
  readonly label: string | null;
}): string {
  const given = IMPORT_STEPS[step];
  if (given !== undefined) return label === null ? given : `${given} ${label}`;
  if (step === RESULTS_STEP && label === null) return "named results";
  return label === null ? step : `${step} ${label}`;
}

/** Names all calls of a step together. */
export function stepName(step: string): string {
  const given = IMPORT_STEPS[step];
  if (given !== undefined) return `${given}s`;
  return step === RESULTS_STEP ? "named results" : step;
}
