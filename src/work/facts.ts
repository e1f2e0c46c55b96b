// What Slack is told of a finished run, from its record and the ledger; the same for every pipeline.

import type { Effects } from "../effects.ts";
import type { RunOutcome } from "../engine/run.ts";
import type { RunFacts, ScopeFacts } from "../publish/message.ts";

export type FinishedRun = Extract<RunOutcome, { kind: "finished" }>;

/** What a pipeline calls its scopes, and where its pages are. */
export interface Naming {
  /** Scope → what people call it, in the order in which scopes are told; those that the run did not do are left out. */
  readonly titles: ReadonlyMap<string, string>;
  readonly noun: readonly [one: string, many: string];
  readonly siteUrl: string | null;
}

/** Gathers the facts. */
export async function runFacts(
  effects: Effects,
  outcome: FinishedRun,
  { titles, noun, siteUrl }: Naming,
): Promise<RunFacts> {
  const { findLastDone } = await import("../store/scopes.ts");
  const { listMovedScopes } = await import("../store/stepRuns.ts");
  const { db } = await effects.database();
  const { record, deltas, measures, durationMs } = outcome;
  const scopes: ScopeFacts[] = [];
  for (const [name, title] of titles) {
    const error = record.failedScopes[name] ?? null;
    const numbers = measures[name];
    if (error === null && numbers === undefined) continue;
    const last = error === null ? null : await findLastDone(db, record.pipeline, record.id, name);
    const delta = deltas[name];
    scopes.push({
      name,
      title,
      ok: error === null,
      error,
      lastGoodAt: last?.startedAt.toISOString() ?? null,
      delta:
        delta === null || delta === undefined
          ? null
          : {
              addedErrors: delta.added.error,
              addedWarnings: delta.added.warning,
              removedErrors: delta.removed.error,
              removedWarnings: delta.removed.warning,
            },
      errors: numbers?.["errors"] ?? 0,
      warnings: numbers?.["warnings"] ?? 0,
    });
  }
  return {
    pipeline: record.pipeline,
    status:
      record.status === "succeeded" || record.status === "degraded" ? record.status : "failed",
    build: record.build,
    startedAt: record.startedAt,
    durationMs,
    hits: record.hits,
    ran: record.ran,
    failedSteps: record.failed,
    scopes,
    isMoved:
      (await listMovedScopes(db, record.id)).length > 0 || (record.published?.deleted ?? 0) > 0,
    published: record.published,
    siteUrl,
    label: effects.config.slack.label,
    error: record.error,
    hint: outcome.hint,
    scopeNoun: noun,
  };
}
