// The calls of a run by step: what has ten thousand calls is read by these.

import type { RunReport } from "./runReport.ts";

export interface StepTally {
  readonly step: string;
  readonly ran: number;
  readonly reused: number;
  readonly failed: number;
  readonly notRun: number;
  /** How long its calls of this run took, and how long those took that were reused. */
  readonly ms: number;
  readonly savedMs: number;
  /** Steps that failed, for which calls of it have waited. */
  readonly waitsFor: readonly string[];
}

type Counts = { -readonly [name in keyof StepTally]: StepTally[name] } & { waitsFor: string[] };

/** Counts the calls of each step, in the order in which the run came by them. */
export function tallySteps({ calls, failed, notRun }: RunReport): readonly StepTally[] {
  const tallies = new Map<string, Counts>();
  const of = (step: string): Counts => {
    const known = tallies.get(step);
    if (known !== undefined) return known;
    const counts = { ran: 0, reused: 0, failed: 0, notRun: 0, ms: 0, savedMs: 0 };
    const made: Counts = { step, ...counts, waitsFor: [] };
    tallies.set(step, made);
    return made;
  };
  for (const { step, state, result } of calls) {
    const tally = of(step);
    if (state === "ran") {
      tally.ran++;
      tally.ms += result?.ms ?? 0;
    } else if (state === "hit") {
      tally.reused++;
      tally.savedMs += result?.ms ?? 0;
    } else if (state === "failed") tally.failed++;
  }
  const steps = [...tallies.keys()];
  const failedStep = new Map(failed.map(({ name, call }) => [name, call.step]));
  for (const { call, why } of notRun) {
    const tally = of(stepOf(call, steps));
    tally.notRun++;
    const needs = failedStep.get(/^it needs (.+), which failed/.exec(why)?.[1] ?? "");
    if (needs !== undefined && !tally.waitsFor.includes(needs)) tally.waitsFor.push(needs);
  }
  return [...tallies.values()];
}

/** Of "merge B" the step: a name that another call has, else all but its number, else the whole. */
function stepOf(call: string, steps: readonly string[]): string {
  const [longest] = steps
    .filter((step) => call === step || call.startsWith(`${step} `))
    .sort((a, b) => b.length - a.length);
  return longest ?? call.replace(/ #\d+$/, "");
}
