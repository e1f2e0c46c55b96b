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
  /** Calls that may be the same under another name: of the same step, those of its scope first, those of its number first. */
  similar(name: CallName, taken?: ReadonlySet<RunCall>): readonly RunCall[];
}

const NONE: ReadonlySet<RunCall> = new Set();

/** To look at more of them would take longer than it helps. */
const MOST_SIMILAR = 40;

/** How a call is called that has no other name: by how many there were before it. */
export function isNumbered(label: string | null): boolean {
  return label === null || /^#\d+$/.test(label);
}

/** Makes the calls of a run findable. */
export function openCalls(runId: string, calls: readonly RunCall[]): RunCalls {
  const byName = new Map<string, RunCall[]>();
  const byStep = new Map<string, RunCall[]>();
  for (const call of calls) {
    const name = nameOf(call);
    const same = byName.get(name) ?? [];
    byName.set(name, same);
    same.push(call);
    const steps = byStep.get(call.step) ?? [];
    byStep.set(call.step, steps);
    steps.push(call);
  }
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
    const [only, ...others] = byName.get(nameOf(name)) ?? [];
    return isNumbered(name.label) || others.length > 0 ? null : (only ?? null);
  };
  return {
    runId,
    named,
    sole(name) {
      const own = named(name);
      if (own !== null) return own;
      const [only, ...others] = (byStep.get(name.step) ?? []).filter(
        ({ scope }) => scope === name.scope,
      );
      return others.length === 0 ? (only ?? null) : null;
    },
    all: calls,
    maker: (digest) => makersOf().get(digest) ?? null,
    similar(name, taken = NONE) {
      const all = byStep.get(name.step) ?? [];
      const own = byName.get(nameOf(name)) ?? [];
      const inScope =
        all.length > MOST_SIMILAR ? all.filter(({ scope }) => scope === name.scope) : all;
      const found = new Set(own.filter((call) => !taken.has(call)).slice(0, MOST_SIMILAR));
      for (const call of inScope.length > 0 ? inScope : all) {
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

/** What people read: "count B_2", or the step alone. */
export function callText({ scope, step, label }: CallName): string {
  const called = label === null ? step : `${step} ${label}`;
  return scope === "" ? called : `${called} in ${scope}`;
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
