// One removal of old blobs from beginning to end: what is kept, what is not, and what of that went.

import type { Leftovers } from "../store/blobs.ts";
import type { GoneRecords } from "../store/keeping.ts";
import type { Database } from "../store/schema.ts";
import type { Looking } from "./find.ts";
import { walkLineage } from "./graph.ts";
import { findRoots, type Keep, type Roots } from "./roots.ts";
import {
  type Amount,
  amountOf,
  findUnused,
  readCutoff,
  type Store,
  sweep,
  sweepLeftovers,
  sweepRecords,
} from "./sweep.ts";

/** What is asked for. */
export interface GcRequest {
  readonly keeps: readonly Keep[];
  readonly graceMs: number;
  /** Removes nothing, and tells what would go. */
  readonly isDryRun: boolean;
  /** Removes runs and results, too. */
  readonly withRecords: boolean;
}

/** What came of it. */
export interface GcOutcome {
  readonly before: Date;
  readonly roots: Roots;
  readonly kept: Amount;
  /** Not needed, but used too lately. */
  readonly young: Amount;
  readonly removed: Amount;
  readonly leftovers: Leftovers;
  /** Null where records were not to go, or could not: a run is going on. */
  readonly records: GoneRecords | null;
}

/** Removes what nothing needs, or tells what that would be. */
export async function collectGarbage(
  database: Database,
  store: Store,
  { keeps, graceMs, isDryRun, withRecords }: GcRequest,
  looking: Looking,
): Promise<GcOutcome> {
  const { now, before } = await readCutoff(database, graceMs);
  const roots = await findRoots(store.db, keeps, { now, graceMs, looking });
  const unused = await findUnused(store, roots, before);
  const gone = isDryRun ? unused.levels.flat() : await sweep(store, unused, looking.signal);
  const leftovers = await sweepLeftovers(store, before, isDryRun);
  const records = withRecords
    ? await sweepRecords(store, roots, await keptRecords(store, roots), before, isDryRun)
    : null;
  return {
    ...{ before, roots, kept: unused.kept, young: unused.young },
    ...{ removed: amountOf(gone), leftovers, records },
  };
}

/** Results that stay though no run is left that has seen them: such as were asked for, and what they were made from. */
async function keptRecords({ db }: Store, { results }: Roots): Promise<readonly string[]> {
  const { steps } = await walkLineage(db, results);
  return steps.map(({ result }) => result.id);
}
