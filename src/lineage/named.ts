// What a run of a user's pipeline has given, by name: kept by a step of its own, so that a result is found by the name of its pipeline.

import { type LedgerResult, listRunSteps, readResults } from "../store/lineage.ts";
import type { Db } from "../store/schema.ts";
import { type NamedResult, RESULTS_STEP } from "./namedResult.ts";

/** What a run has named, and the result of the step that keeps the names; null where the run has named nothing. */
export interface RunResults {
  readonly keeper: LedgerResult;
  readonly named: readonly NamedResult[];
}

/** Reads what a run has given by name. */
export async function readNamed(db: Db, runId: string): Promise<RunResults | null> {
  const steps = await listRunSteps(db, runId);
  const own = steps.findLast(({ step, resultId }) => step === RESULTS_STEP && resultId !== null);
  const id = own?.resultId ?? null;
  if (id === null) return null;
  const [keeper] = await readResults(db, [id]);
  return keeper === undefined ? null : { keeper, named: namedIn(keeper) };
}

/** The names in a document of that step; none where it is another's. */
function namedIn({
  step,
  document,
}: Pick<LedgerResult, "step" | "document">): readonly NamedResult[] {
  if (step !== RESULTS_STEP) return [];
  const { params } = JSON.parse(document) as { readonly params?: { readonly results?: unknown } };
  // Written by the step of that name of a user's pipeline; another step of the name has no such list.
  return Array.isArray(params?.results) ? (params.results as readonly NamedResult[]) : [];
}
