// How a run ends: in the ledger as it deserves, handed back, or not at all where it is no longer ours.

import { type HdashError, isSetup, messageOf, remedyOf } from "../error.ts";
import type { FindingDelta } from "../finding.ts";
import { pause, retry, type RetryPolicy } from "../retry.ts";
import type { RunNews, RunRecord } from "../run.ts";
import { handBackRun } from "../store/claims.ts";
import { finishRun, readStatus } from "../store/runs.ts";
import type { Db } from "../store/schema.ts";
import { readMeasures } from "../store/scopes.ts";
import { sortedRecord } from "./plan.ts";
import type { GoneScope } from "./progress.ts";
import { LEDGER_RETRY, lostRun, type Session } from "./session.ts";

/** What became of a start. */
export type RunOutcome =
  | {
      readonly kind: "finished";
      readonly record: RunRecord;
      /** Scope → what changed since the last finished run that did it; only scopes that did not fail. */
      readonly deltas: Readonly<Record<string, FindingDelta | null>>;
      /** Scope → name → value of the measures whose subject is the scope's name. */
      readonly measures: Readonly<Record<string, Readonly<Record<string, number>>>>;
      /** Scopes that it took off the site. */
      readonly gone: readonly GoneScope[];
      /** What the pipeline has to tell; null where it has said nothing. */
      readonly news: RunNews | null;
      /** Of this attempt. */
      readonly durationMs: number;
      /** What to do about a failure, where the error knows; else null. */
      readonly hint: string | null;
      /** True where it failed since a setting or the command line is wrong. */
      readonly isWronglySet: boolean;
    }
  | {
      /** The same pipeline with the same params is running already. */
      readonly kind: "busy";
      readonly worker: string;
      readonly since: string;
      readonly leaseUntil: string;
      readonly runId: string;
    }
  | {
      /** Told to stop; the next start goes on with it. */
      readonly kind: "handedBack";
      readonly runId: string;
    }
  | {
      /** Nobody wants it any more. */
      readonly kind: "cancelled";
      readonly runId: string;
    };

/** How a plan ended. */
export type Played =
  | { readonly kind: "done" }
  | { readonly kind: "failed"; readonly error: unknown }
  | { readonly kind: "stopped"; readonly reason: HdashError };

/** For handing back: what does not work at once is left to the lease, which runs out by itself. */
const HAND_BACK_RETRY: RetryPolicy = { attempts: 3, minDelayMs: 100, maxDelayMs: 500 };
const HAND_BACK_MS = 2000;

/** Closes a run in the ledger as it deserves. */
export async function closeRun(
  session: Session,
  played: Played,
  signal: AbortSignal,
  since: number,
): Promise<RunOutcome> {
  const { db, lease, log, onProgress, counts } = session;
  const { runId } = lease;
  const ended = { kind: "runEnded" as const, runId, ...counts };
  const withoutEnd = (kind: "handedBack" | "cancelled"): RunOutcome => {
    const durationMs = performance.now() - since;
    onProgress({ ...ended, status: kind, durationMs, error: null });
    return { kind, runId };
  };
  if (played.kind === "stopped") {
    if (!signal.aborted || played.reason.kind !== "aborted") {
      if (await isCancelled(db, runId)) return withoutEnd("cancelled");
      throw played.reason;
    }
    await handBack(session);
    return withoutEnd("handedBack");
  }
  const failedScopes = new Map<string, string>();
  for (const { name, error } of session.scopes.values()) {
    if (error !== null) failedScopes.set(name, error);
  }
  const status =
    played.kind === "failed" ? "failed" : failedScopes.size > 0 ? "degraded" : "succeeded";
  const error = played.kind === "failed" ? messageOf(played.error) : null;
  if (played.kind === "failed")
    log.debug(`${session.pipeline} failed`, { stack: stackOf(played.error) });
  const finishedAt = session.clock();
  const deltas = sortedRecord(session.deltas);
  const record = await retry("finishing the run", LEDGER_RETRY, () =>
    finishRun(db, lease, {
      status,
      error,
      finishedAt,
      deltas,
      failedScopes: sortedRecord(failedScopes),
    }),
  );
  if (record === null) {
    if (await isCancelled(db, runId)) return withoutEnd("cancelled");
    throw lostRun(lease);
  }
  const measures = await retry("reading measures", LEDGER_RETRY, () =>
    readMeasures(db, [runId], [...session.scopes.keys()]),
  );
  const durationMs = performance.now() - since;
  const { hits, ran, failed } = record;
  onProgress({ ...ended, hits, ran, failed, status, durationMs, error });
  return {
    kind: "finished",
    record,
    deltas,
    gone: session.gone,
    news: session.news,
    measures: sortedRecord(measures.get(runId) ?? new Map<string, Record<string, number>>()),
    durationMs,
    ...(played.kind === "failed"
      ? { hint: remedyOf(played.error), isWronglySet: isSetup(played.error) }
      : { hint: null, isWronglySet: false }),
  };
}

/** Tells whether a run that is no longer ours was cancelled; where that cannot be asked, it was lost otherwise. */
async function isCancelled(db: Db, runId: string): Promise<boolean> {
  const status = await readStatus(db, runId).catch(() => null);
  return status === "cancelled";
}

/** Gives a run back for the next start to go on with, as well as that goes within the time that a stop may take. */
export async function handBack({
  db,
  lease,
  log,
}: Pick<Session, "db" | "lease" | "log">): Promise<void> {
  const given = retry("handing the run back", HAND_BACK_RETRY, () => handBackRun(db, lease)).catch(
    (error: unknown) => {
      log.warn(
        `run ${lease.runId} could not be handed back; its lease runs out in a minute: ${messageOf(error)}`,
      );
    },
  );
  await within(HAND_BACK_MS, given);
}

/** Waits for work that does not fail, but not for longer than this. */
export async function within(deadlineMs: number, work: Promise<unknown>): Promise<void> {
  const done = new AbortController();
  const late = pause(deadlineMs, done.signal).catch(() => {});
  await Promise.race([work, late]);
  done.abort();
}

function stackOf(error: unknown): string | null {
  return error instanceof Error ? (error.stack ?? null) : null;
}
