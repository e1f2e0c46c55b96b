// What a run of a user's pipeline has done, as its page and its message tell it: calls of steps, what failed, what did not run, what it gave.

import { type CallOfStep, listCalls } from "../store/runCalls.ts";
import type { Db } from "../store/schema.ts";
import { listScopeErrors } from "../store/scopes.ts";
import { callName } from "./callName.ts";
import { isHousework } from "./givenSteps.ts";
import { readNamed } from "./named.ts";
import { type NamedResult, RESULTS_STEP } from "./namedResult.ts";
import { type NotRunCall, readNotRun } from "./notRun.ts";

export interface RunReport {
  /** Calls of the pipeline's own steps, in the order in which the run came by them. */
  readonly calls: readonly CallOfStep[];
  /** Calls that failed, with what is told of their end. */
  readonly failed: readonly FailedCall[];
  readonly notRun: readonly NotRunCall[];
  /** So many more did not run. */
  readonly moreNotRun: number;
  /** Names of files and folders that it was given. */
  readonly given: readonly string[];
  readonly results: readonly NamedResult[];
  /** How long it took to make what the run has found. */
  readonly savedMs: number;
}

export interface FailedCall {
  /** "mean elm". */
  readonly name: string;
  readonly scope: string;
  /** "failed · exit"; "" where no attempt was begun. */
  readonly end: string;
  /** How many attempts the run has made at it. */
  readonly attempts: number;
  /** Why, in a line: nothing that a program has said. */
  readonly says: string;
  /** What to type to see more; null where there is no more. */
  readonly look: string | null;
  readonly call: CallOfStep;
}

/** Reads what a run has done. @param error what the run failed with. */
export async function readRunReport(
  db: Db,
  { id, error }: { readonly id: string; readonly error: string | null },
): Promise<RunReport> {
  const all = await listCalls(db, id);
  const errors = [...(error === null ? [] : [error]), ...(await listScopeErrors(db, id))];
  const notRun = errors.map(readNotRun);
  const named = await readNamed(db, id);
  const calls = all.filter((call) => isUsers(call));
  const given = all.filter((call) => !isUsers(call) && call.step !== RESULTS_STEP);
  return {
    calls,
    failed: all.filter(({ state }) => state === "failed").map(failedCall),
    // A scope that failed may make the run fail with the same words.
    notRun: [...new Map(notRun.flatMap((one) => one.calls).map((one) => [one.call, one])).values()],
    moreNotRun: notRun.reduce((sum, { more }) => sum + more, 0),
    given: [...new Set(given.flatMap(({ label }) => label ?? []))],
    results: named?.named ?? [],
    savedMs: calls.reduce(
      (sum, { state, result }) => (state === "hit" ? sum + (result?.ms ?? 0) : sum),
      0,
    ),
  };
}

/** Tells a user's step from those of hdash that bring in what is given and keep what is given away. A user's may have such a name. */
function isUsers({ step, result }: CallOfStep): boolean {
  return result?.isClosed ?? !isHousework(step);
}

function failedCall(call: CallOfStep): FailedCall {
  const { attempt, key, error, scope } = call;
  const end = attempt === null ? "" : [attempt.state, attempt.reason ?? ""].filter(Boolean);
  const [says = ""] = (attempt?.message ?? error ?? "no reason was given").split("\n");
  return {
    ...{ name: callName(call), scope, call, says },
    end: typeof end === "string" ? end : end.join(" · "),
    attempts: attempt?.inRun ?? 0,
    look:
      attempt === null || key === null
        ? null
        : `hdash logs ${key.slice(0, 8)} --attempt ${attempt.n}`,
  };
}
