// The steps by which what a user gives comes into a run: hdash does them by itself, and people see files, not steps.

import { RESULTS_STEP } from "./namedResult.ts";

/** Their names, with what they bring. They are in keys: another name is another key. */
const GIVEN_STEPS = {
  "import file": "file",
  "import folder": "folder",
  "fetch data": "file",
  "fetch object": "file",
  "fetch objects": "folder",
} as const satisfies Readonly<Record<string, "file" | "folder">>;

/** What a step of that name brings in; null for every other one. */
export function bringsIn(step: string): "file" | "folder" | null {
  return Object.entries(GIVEN_STEPS).find(([name]) => name === step)?.[1] ?? null;
}

/** Tells steps that every pipeline has by itself from those of its author. */
export function isHousework(step: string): boolean {
  return step === RESULTS_STEP || bringsIn(step) !== null;
}
