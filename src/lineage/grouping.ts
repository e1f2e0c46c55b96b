// The steps of a provenance by what they are calls of: what has ten thousand nodes is read and drawn by these.

import type { Provenance, StepInfo } from "./provenance.ts";

/** The calls of one step. */
export interface StepGroup {
  /** "count", with the pipeline in front where there are several. */
  readonly name: string;
  readonly calls: readonly StepInfo[];
  readonly ms: number;
  /** How many contents it has read of each other group, by its number, and how many of what was given. */
  readonly reads: ReadonlyMap<number, number>;
  readonly readsGiven: number;
  /** The longest way from what reads nothing of other groups. */
  readonly rank: number;
}

/** Groups steps by name and pipeline, in the order in which the first of each was made. */
export function groupSteps({ steps, given }: Provenance): readonly StepGroup[] {
  const pipelines = new Set(steps.map(({ pipeline }) => pipeline));
  const by = Map.groupBy(steps, ({ pipeline, step }) => `${pipeline} ${step}`);
  const numberOf = new Map<string, number>();
  [...by.values()].forEach((calls, number) => {
    for (const { result } of calls) numberOf.set(result, number);
  });
  const isGiven = new Set(given.map(({ digest }) => digest));
  const groups = [...by.values()].map((calls, own) => {
    const reads = new Map<number, number>();
    let readsGiven = 0;
    for (const { digest, from } of calls.flatMap(({ inputs }) => inputs)) {
      const number = from === null ? undefined : numberOf.get(from.result);
      if (number !== undefined && number !== own) reads.set(number, (reads.get(number) ?? 0) + 1);
      if (from === null && isGiven.has(digest)) readsGiven++;
    }
    const [first] = calls;
    const name = pipelines.size > 1 ? `${first?.pipeline}: ${first?.step}` : (first?.step ?? "");
    return { name, calls, reads, readsGiven, ms: calls.reduce((sum, { ms }) => sum + ms, 0) };
  });
  const ranks = rank(groups.map(({ reads }) => [...reads.keys()]));
  return groups.map((group, own) => ({ ...group, rank: ranks[own] ?? 0 }));
}

/** The longest way to each from those that read nothing. Steps of one name may read each other's results in circles: these are cut. */
function rank(reads: readonly (readonly number[])[]): readonly number[] {
  const ranks = reads.map(() => 0);
  // As many rounds as a way can be long; in a circle no rank grows beyond that.
  for (let round = 1; round < reads.length; round++) {
    let isDone = true;
    reads.forEach((those, own) => {
      const longest = Math.max(0, ...those.map((one) => Math.min((ranks[one] ?? 0) + 1, round)));
      if (longest > (ranks[own] ?? 0)) [ranks[own], isDone] = [longest, false];
    });
    if (isDone) break;
  }
  return ranks;
}

/** "count A_1", as people call a call of a step. */
export function callName({ step, label }: Pick<StepInfo, "step" | "label">): string {
  return label === "" ? step : `${step} ${label}`;
}
