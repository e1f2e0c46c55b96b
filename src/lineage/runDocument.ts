// What came of a run, for programs: `hdash run --json`.

import type { Digest, Json } from "../digest.ts";
import type { BlobStore } from "../store/blobs.ts";
import type { LedgerRun } from "../store/lineage.ts";
import type { Db } from "../store/schema.ts";
import { lastLinesOf } from "./logs.ts";
import type { NamedResult } from "./namedResult.ts";
import { type FailedCall, readRunReport } from "./runReport.ts";

/** A value of more bytes is named by its digest alone. */
const MOST_VALUE_BYTES = 64 * 1024;
/** Calls that are told one by one, of those that failed and of those that did not run. */
const MOST_CALLS = 100;

/** Makes the document. @param state how the start ended, where that is not how the run did. */
export async function documentOfRun(
  { db, blobs }: { readonly db: Db; readonly blobs: BlobStore },
  run: LedgerRun,
  more: { readonly state: string; readonly siteUrl: string | null },
): Promise<Json> {
  const report = await readRunReport(db, run);
  const { calls, failed, notRun, moreNotRun, savedMs } = report;
  const { startedAt, finishedAt } = run;
  const shown = failed.slice(0, MOST_CALLS);
  const lines = await lastLinesOf({ db, blobs }, run.id, shown);
  const countOf = (state: string): number => calls.filter((call) => call.state === state).length;
  const results: Json[] = [];
  for (const one of report.results) results.push(await resultOf(blobs, one));
  return {
    run: Number(run.id),
    pipeline: run.pipeline,
    state: more.state,
    startedAt: startedAt?.toISOString() ?? null,
    finishedAt: finishedAt?.toISOString() ?? null,
    steps: {
      ran: countOf("ran"),
      reused: countOf("hit"),
      failed: failed.length,
      notRun: notRun.length + moreNotRun,
    },
    savedMs: Math.round(savedMs),
    results,
    failed: shown.map((one) => failedOf(one, lines)),
    notRun: notRun.slice(0, MOST_CALLS).map(({ call, why }) => ({ call, why })),
    error: run.error,
    siteUrl: more.siteUrl,
  };
}

async function resultOf(blobs: BlobStore, one: NamedResult): Promise<Json> {
  const { name } = one;
  if ("value" in one) return { name, value: one.value };
  const { digest, bytes, codec } = one;
  const own = { name, digest, bytes, kind: codec };
  if (codec !== "json" || bytes > MOST_VALUE_BYTES) return own;
  const [value] = await valueOf(blobs, digest);
  return value === undefined ? own : { ...own, value };
}

/** Reads a value; what cannot be read has none here, and whoever needs it is told. */
async function valueOf(blobs: BlobStore, digest: Digest): Promise<readonly [Json] | readonly []> {
  try {
    return [JSON.parse(new TextDecoder().decode(await blobs.read(digest))) as Json];
  } catch {
    return [];
  }
}

function failedOf(
  { call, scope, attempts, says, look }: FailedCall,
  lines: ReadonlyMap<string, readonly string[]>,
): Json {
  const { step, label, key, attempt } = call;
  return {
    ...{ scope, step, label, key, attempts },
    state: attempt?.state ?? null,
    reason: attempt?.reason ?? null,
    code: attempt?.code ?? null,
    ...{ says, look },
    lastLines: [...((key === null ? undefined : lines.get(key)) ?? [])],
  };
}
