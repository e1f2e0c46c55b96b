// What is kept when old blobs go: runs by age, by number and for being going on, and results by name.

import type { Digest } from "../digest.ts";
import { HdashError } from "../error.ts";
import type { RunStatus } from "../run.ts";
import { type AgedRun, listAgedRuns } from "../store/keeping.ts";
import type { LedgerResult } from "../store/lineage.ts";
import type { Db } from "../store/schema.ts";
import { findResult, type Looking } from "./find.ts";

/** A thing that is to be kept, as somebody has said it. */
export type Keep =
  | { readonly kind: "age"; readonly ms: number }
  | { readonly kind: "runs"; readonly count: number }
  | { readonly kind: "named"; readonly word: string };

const HOUR_MS = 3_600_000;
const UNITS_MS: Readonly<Record<string, number>> = {
  h: HOUR_MS,
  d: 24 * HOUR_MS,
  w: 7 * 24 * HOUR_MS,
};

/** What was used so lately stays, where nobody says another age. */
export const GRACE_MS = 24 * HOUR_MS;

/** Where nobody says what is to be kept. */
export const KEPT_BY_ITSELF: Keep = { kind: "age", ms: 30 * 24 * HOUR_MS };

/** Reads "30d", "12h" or "2w"; null where it is none of them. */
export function parseAge(word: string): number | null {
  const [, number, unit] = /^(\d{1,5}) ?([hdw])$/.exec(word) ?? [];
  const unitMs = UNITS_MS[unit ?? ""];
  return number === undefined || unitMs === undefined ? null : Number(number) * unitMs;
}

/** Reads what is to be kept: an age, a number of runs ("10 runs"), or what findResult() knows. */
export function parseKeep(word: string): Keep {
  const ms = parseAge(word);
  if (ms !== null) return { kind: "age", ms };
  const count = /^(\d{1,6}) runs?$/.exec(word)?.[1];
  if (count !== undefined) return { kind: "runs", count: Number(count) };
  return { kind: "named", word };
}

/** What is kept. */
export interface Roots {
  /** Runs of which everything is kept that they have found or made. */
  readonly runIds: readonly string[];
  /** Ended runs that are not kept. */
  readonly otherRunIds: readonly string[];
  /** Results that were asked for, with all outputs, or contents alone. */
  readonly results: readonly LedgerResult[];
  readonly digests: readonly Digest[];
}

/**
 * Finds what is kept: always each pipeline's last run that ended well, runs that are going on or wait to, and runs that ended within the
 * grace; beyond that what is asked for. Throws usage where a word means nothing that is there.
 */
export async function findRoots(
  db: Db,
  keeps: readonly Keep[],
  {
    now,
    graceMs,
    looking,
  }: { readonly now: Date; readonly graceMs: number; readonly looking: Looking },
): Promise<Roots> {
  const runs = await listAgedRuns(db);
  const kept = new Set<string>();
  const named = await findNamed(db, keeps, looking);
  for (const id of named.runIds) kept.add(id);
  const oldest = Math.max(
    graceMs,
    ...keeps.flatMap((keep) => (keep.kind === "age" ? [keep.ms] : [])),
  );
  const most = Math.max(0, ...keeps.flatMap((keep) => (keep.kind === "runs" ? [keep.count] : [])));
  const counts = new Map<string, number>();
  const lastGood = lastOf(runs, ["succeeded", "degraded"]);
  // What it has of scopes that failed in the one after it is wanted when they are mended.
  const lastSucceeded = lastOf(runs, ["succeeded"]);
  for (const { id, pipeline, finishedAt } of runs) {
    const before = counts.get(pipeline) ?? 0;
    counts.set(pipeline, before + 1);
    const isLastGood = lastGood.get(pipeline) === id || lastSucceeded.get(pipeline) === id;
    const isYoung = finishedAt !== null && now.getTime() - finishedAt.getTime() < oldest;
    if (finishedAt === null || isLastGood || isYoung || before < most) kept.add(id);
  }
  return {
    runIds: runs.map(idOf).filter((id) => kept.has(id)),
    otherRunIds: runs.map(idOf).filter((id) => !kept.has(id)),
    results: named.results,
    digests: named.digests,
  };
}

/** Of each pipeline the run that has ended so last, of those that were asked for all: an imported one is older than its number says. */
function lastOf(
  runs: readonly AgedRun[],
  states: readonly RunStatus[],
): ReadonlyMap<string, string> {
  const last = new Map<string, AgedRun>();
  for (const run of runs) {
    if (!run.isWhole || run.finishedAt === null || !states.includes(run.status)) continue;
    const known = last.get(run.pipeline)?.finishedAt ?? null;
    if (known === null || known < run.finishedAt) last.set(run.pipeline, run);
  }
  return new Map([...last].map(([pipeline, { id }]) => [pipeline, id]));
}

function idOf({ id }: AgedRun): string {
  return id;
}

async function findNamed(db: Db, keeps: readonly Keep[], looking: Looking) {
  const runIds: string[] = [];
  const results: LedgerResult[] = [];
  const digests: Digest[] = [];
  for (const keep of keeps) {
    if (keep.kind !== "named") continue;
    let found;
    try {
      found = await findResult(db, keep.word, looking);
    } catch (error) {
      if (!(error instanceof HdashError) || error.kind !== "usage") throw error;
      throw new HdashError("usage", `--keep ${keep.word}: ${error.message}`, {
        cause: error,
        hint: 'It is an age (30d, 12h, 2w), a number of runs ("10 runs"), or a result or run by name.',
      });
    }
    if (found.kind === "run") runIds.push(found.run.id);
    else {
      results.push(found.result);
      if (found.digest !== null) digests.push(found.digest);
    }
  }
  return { runIds, results, digests };
}
