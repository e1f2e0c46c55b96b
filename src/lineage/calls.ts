// The calls of a run, to find the one again that another run has made anew: by scope, step and label, or by what it was given.

import type { RunCall } from "../store/lineage.ts";

/** How a call is told from others. */
export interface CallName {
  readonly scope: string;
  readonly step: string;
  readonly label: string | null;
}

/** The calls of one run. */
export interface RunCalls {
  readonly runId: string;
  /** The call of that name. Null where there is none, and where its name is but its number: one more before it would change that. */
  named(name: CallName): RunCall | null;
  /** Calls that may be the same under another name: of the same step, those of its scope first, those of its number first. */
  similar(name: CallName): readonly RunCall[];
}

/** To look at more of them would take longer than it helps. */
const MOST_SIMILAR = 40;

/** How a call is called that has no other name: by how many there were before it. */
export function isNumbered(label: string | null): boolean {
  return label === null || /^#\d+$/.test(label);
}

/** Makes the calls of a run findable. */
export function openCalls(runId: string, calls: readonly RunCall[]): RunCalls {
  const byName = new Map<string, RunCall>();
  const byStep = new Map<string, RunCall[]>();
  for (const call of calls) {
    const name = nameOf(call);
    if (!byName.has(name)) byName.set(name, call);
    const steps = byStep.get(call.step) ?? [];
    byStep.set(call.step, steps);
    steps.push(call);
  }
  return {
    runId,
    named: (name) => (isNumbered(name.label) ? null : (byName.get(nameOf(name)) ?? null)),
    similar(name) {
      const all = byStep.get(name.step) ?? [];
      const own = byName.get(nameOf(name));
      const inScope =
        all.length > MOST_SIMILAR ? all.filter(({ scope }) => scope === name.scope) : all;
      const found = new Set(own === undefined ? [] : [own]);
      for (const call of inScope.length > 0 ? inScope : all) {
        if (found.size >= MOST_SIMILAR) break;
        found.add(call);
      }
      return [...found];
    },
  };
}

function nameOf({ scope, step, label }: CallName): string {
  return JSON.stringify([scope, step, label]);
}

/** What people read: "count B_2", or the step alone. */
export function callText({ scope, step, label }: CallName): string {
  const called = label === null ? step : `${step} ${label}`;
  return scope === "" ? called : `${called} in ${scope}`;
}
