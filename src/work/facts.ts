// What Slack is told of a finished run, from its record and the ledger; the same for every pipeline.

import type { Effects } from "../effects.ts";
import type { RunOutcome } from "../engine/ending.ts";
import { bytes } from "../format.ts";
import type { PipelineFacts, RunFacts, ScopeFacts } from "../publish/message.ts";
import type { RunRecord } from "../run.ts";
import type { Db } from "../store/schema.ts";

export type FinishedRun = Extract<RunOutcome, { kind: "finished" }>;

/** What a job calls its scopes, whether it has pages, and where they are. */
export interface Naming {
  readonly noun: readonly [one: string, many: string];
  readonly hasSite: boolean;
  readonly siteUrl: string | null;
  /** True for a pipeline of a user's own: its message tells of its steps. */
  readonly isUsers: boolean;
}

/** Gathers the facts. */
export async function runFacts(
  effects: Effects,
  outcome: FinishedRun,
  { noun, hasSite, siteUrl, isUsers }: Naming,
): Promise<RunFacts> {
  const { findLastDone, listTitles } = await import("../store/scopes.ts");
  const { listMovedScopes } = await import("../store/stepRuns.ts");
  const { db } = await effects.database();
  const { record, deltas, measures, durationMs } = outcome;
  const scopes: ScopeFacts[] = [];
  // In the order that people expect: HTA2 before HTA10.
  const { compare } = new Intl.Collator("en", { numeric: true });
  const titles = [...(await listTitles(db, record.id))].sort((a, b) => compare(a.scope, b.scope));
  for (const { scope: name, title } of titles) {
    const error = record.failedScopes[name] ?? null;
    const numbers = measures[name];
    if (error === null && numbers === undefined) continue;
    const last = error === null ? null : await findLastDone(db, record.pipeline, record.id, name);
    scopes.push({
      name,
      title,
      ok: error === null,
      error,
      lastGoodAt: last?.startedAt.toISOString() ?? null,
      delta: deltas[name] ?? null,
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
    news: outcome.news,
    gone: outcome.gone.map(({ scope: name, title }) => ({ name, title })),
    ...{ siteUrl, hasSite },
    label: effects.config.slack.label,
    error: record.error,
    hint: outcome.hint,
    scopeNoun: noun,
    ...(isUsers ? { calls: await pipelineFacts(db, record) } : {}),
  };
}

/** What the steps of a user's pipeline did. */
async function pipelineFacts(db: Db, record: RunRecord): Promise<PipelineFacts> {
  const { readRunReport } = await import("../lineage/runReport.ts");
  const { calls, results, ...report } = await readRunReport(db, record);
  return {
    ...report,
    ran: calls.filter(({ state }) => state === "ran").length,
    reused: calls.filter(({ state }) => state === "hit").length,
    results: results.map((one) => ({
      name: one.name,
      size: "value" in one ? "a value" : `${one.codec}, ${bytes(one.bytes)}`,
    })),
  };
}
