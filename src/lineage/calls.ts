// The calls of a run, to find the one again that another run has made anew: by scope, step and label, or by what it was given.

import type { Digest } from "../digest.ts";
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
  /**
   * The call of that name. Null where there is none or where there are several, and where its name is but its number: one more before it
   * would change that.
   */
  named(name: CallName): RunCall | null;
  /** The call of that name, or the only one of its step and scope; null where nothing tells it from others. */
  sole(name: CallName): RunCall | null;
  /** All of them. */
  readonly all: readonly RunCall[];
  /** The call that gave some content: of several that which was first known; one that hands on what it was given comes later. */
  maker(digest: Digest): RunCall | null;
  /**
   * Calls that may be the same: that of the name; else, under another name, those of the same step, first those of its number and of its
   * scope. @param taken what none of them is, asked for where it is needed.
   */
  candidates(name: CallName, taken: () => ReadonlySet<RunCall>): readonly RunCall[];
}

/** To look at more of them would take longer than it helps. */
const MOST_SIMILAR = 40;

/** How a call is called that has no other name: by how many there were before it. */
export function isNumbered(label: string | null): boolean {
  return label === null || /^#\d+$/.test(label);
}

/** Makes the calls of a run findable. */
export function openCalls(runId: string, calls: readonly RunCall[]): RunCalls {
  const byName = Map.groupBy(calls, nameOf);
  const byStep = Map.groupBy(calls, ({ step }) => step);
  const byScope = Map.groupBy(calls, scopeOf);
  let makers: Map<Digest, RunCall> | null = null;
  const makersOf = (): ReadonlyMap<Digest, RunCall> => {
    if (makers !== null) return makers;
    makers = new Map();
    // Results are numbered in the order in which they were made.
    const sorted = calls.toSorted((a, b) => Number(BigInt(a.resultId) - BigInt(b.resultId)));
    for (const call of sorted) {
      for (const { digest } of Object.values(call.outputs)) {
        if (!makers.has(digest)) makers.set(digest, call);
      }
    }
    return makers;
  };
  const named = (name: CallName): RunCall | null => {
    const own = byName.get(nameOf(name)) ?? [];
    return isNumbered(name.label) || own.length > 1 ? null : (own[0] ?? null);
  };
  return {
    runId,
    named,
    sole(name) {
      const own = named(name);
      if (own !== null) return own;
      const inScope = byScope.get(scopeOf(name)) ?? [];
      return inScope.length === 1 ? (inScope[0] ?? null) : null;
    },
    all: calls,
    maker: (digest) => makersOf().get(digest) ?? null,
    candidates(name, takenOf) {
      const only = named(name);
      if (only !== null) return [only];
      const taken = takenOf();
      const all = byStep.get(name.step) ?? [];
      const inScope = all.length > MOST_SIMILAR ? (byScope.get(scopeOf(name)) ?? all) : all;
      const found = new Set<RunCall>();
      for (const call of [...(byName.get(nameOf(name)) ?? []), ...inScope]) {
        if (found.size >= MOST_SIMILAR) break;
        if (!taken.has(call)) found.add(call);
      }
      return [...found];
    },
  };
}

function nameOf({ scope, step, label }: CallName): string {
  return JSON.stringify([scope, step, label]);
}

function scopeOf({ scope, step }: CallName): string {
  return JSON.stringify([scope, step]);
}

/** The calls of a run that are there under their names in another one: none of them is what a call of another name was. */
export function takenBy(last: RunCalls, names: Iterable<CallName>): ReadonlySet<RunCall> {
  const taken = new Set<RunCall>();
  for (const name of names) {
    const call = last.named(name);
    if (call !== null) taken.add(call);
  }
  return taken;
}
