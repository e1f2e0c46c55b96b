// What a walk from results to what they were made of asks of the ledger: always for a whole level at once, never for one result.

import { type Selectable, sql } from "kysely";

import type { Digest, Json } from "../digest.ts";
import type { Db, Schema } from "./schema.ts";
import type { Amounts } from "./stepAttempts.ts";

/** Content that has more makers than this ("0" as JSON, an empty file) is asked for by run: its makers would come from all of the ledger. */
const MOST_MAKERS = 64;

/** Who has made what: all of its makers, or, of what is popular, some. */
export interface Makers {
  readonly makers: ReadonlyMap<Digest, readonly string[]>;
  /** Contents that more have made than are listed. */
  readonly popular: readonly Digest[];
}

/**
 * Finds who has made each of many contents. The inner query has a limit and no order: with an order the planner walks the ledger backwards
 * until it meets a maker, without a limit what is popular is read whole.
 */
export async function findCandidates(db: Db, digests: readonly Digest[]): Promise<Makers> {
  if (digests.length === 0) return { makers: new Map(), popular: [] };
  const { rows } = await sql<{ digest: Digest; id: string }>`
    select asked.digest, made.id
    from unnest(${[...new Set(digests)]}::text[]) as asked(digest)
    cross join lateral (
      select id from step_result
      where jsonb_path_query_array(outputs, '$.*.digest') @> jsonb_build_array(asked.digest)
      limit ${MOST_MAKERS + 1}
    ) made`.execute(db);
  const makers = new Map<Digest, string[]>();
  for (const { digest, id } of rows) {
    const those = makers.get(digest);
    if (those === undefined) makers.set(digest, [id]);
    else those.push(id);
  }
  const popular = [...makers].filter(([, ids]) => ids.length > MOST_MAKERS);
  return { makers, popular: popular.map(([digest]) => digest) };
}

/** A result that a run has seen. */
export interface Sighting {
  readonly runId: string;
  readonly resultId: string;
}

/** A result with some content as an output that a run has seen. */
export interface MakerInRun extends Sighting {
  readonly digest: Digest;
}

/** Finds among the results that some runs have seen those that have one of these contents. It reads all that those runs have seen. */
export async function findMakersInRuns(
  db: Db,
  digests: readonly Digest[],
  runIds: readonly string[],
): Promise<readonly MakerInRun[]> {
  if (digests.length === 0 || runIds.length === 0) return [];
  const { rows } = await sql<{ run_id: string; id: string; digests: readonly Digest[] }>`
    select seen.run_id, made.id, jsonb_path_query_array(made.outputs, '$.*.digest') as digests
    from step_run seen join step_result made on made.id = seen.result_id
    where seen.run_id = any(${[...new Set(runIds)]}::bigint[])
      and jsonb_path_query_array(made.outputs, '$.*.digest') ?| ${[...new Set(digests)]}::text[]`.execute(
    db,
  );
  const asked = new Set(digests);
  return rows.flatMap(({ run_id: runId, id: resultId, digests: own }) =>
    own.filter((digest) => asked.has(digest)).map((digest) => ({ runId, resultId, digest })),
  );
}

/** Tells which of some results some runs have seen. */
export async function listSightingsIn(
  db: Db,
  resultIds: readonly string[],
  runIds: readonly string[],
): Promise<readonly Sighting[]> {
  if (resultIds.length === 0 || runIds.length === 0) return [];
  const rows = await db
    .selectFrom("step_run")
    .select(["run_id", "result_id"])
    .where("result_id", "=", sql<string>`any(${[...resultIds]}::bigint[])`)
    .where("run_id", "=", sql<string>`any(${[...runIds]}::bigint[])`)
    .execute();
  return rows.flatMap(({ run_id: runId, result_id: resultId }) =>
    resultId === null ? [] : [{ runId, resultId }],
  );
}

/** A call of a step in a run: how it was called, and how it came to its result. */
export interface CallOfRun {
  readonly runId: string;
  readonly resultId: string;
  readonly label: string | null;
  readonly scope: string;
  readonly state: "running" | "hit" | "ran" | "failed";
  readonly startedAt: Date;
  readonly endedAt: Date | null;
}

/** Lists where some results were seen in some runs. */
export async function listCalls(
  db: Db,
  resultIds: readonly string[],
  runIds: readonly string[],
): Promise<readonly CallOfRun[]> {
  if (resultIds.length === 0 || runIds.length === 0) return [];
  const rows = await db
    .selectFrom("step_run")
    .select(["run_id", "result_id", "label", "scope", "state", "started_at", "ended_at"])
    .where("result_id", "=", sql<string>`any(${[...resultIds]}::bigint[])`)
    .where("run_id", "=", sql<string>`any(${[...runIds]}::bigint[])`)
    .orderBy("id")
    .execute();
  return rows.flatMap((row) =>
    row.result_id === null
      ? []
      : [
          {
            runId: row.run_id,
            resultId: row.result_id,
            label: row.label,
            scope: row.scope,
            state: row.state,
            startedAt: row.started_at,
            endedAt: row.ended_at,
          },
        ],
  );
}

/** A stored list that names a file. */
export interface Whole {
  readonly part: Digest;
  readonly whole: Digest;
  readonly path: string;
}

/** Finds for each of many files the stored lists that name it, a few of each. */
export async function findWholesOf(db: Db, parts: readonly Digest[]): Promise<readonly Whole[]> {
  if (parts.length === 0) return [];
  const { rows } = await sql<{ part: string; whole: string; path: string }>`
    select asked.part, own.whole, own.path
    from unnest(${[...new Set(parts)]}::text[]) as asked(part)
    cross join lateral (
      select whole, path from blob_part where part = asked.part limit ${MOST_MAKERS}
    ) own`.execute(db);
  return rows.map(({ part, whole, path }) => ({
    part: part as Digest,
    whole: whole as Digest,
    path,
  }));
}

/** An attempt as its ledger row tells it. */
export interface MadeBy {
  readonly key: string;
  readonly n: number;
  readonly runner: string;
  readonly state: string;
  readonly code: number | null;
  readonly reason: string | null;
  readonly resources: Amounts;
  readonly usage: Amounts | null;
  readonly startedAt: Date;
  readonly endedAt: Date | null;
}

/** Reads attempts by key and number. */
export async function readAttempts(
  db: Db,
  asked: readonly { readonly key: string; readonly n: number }[],
): Promise<readonly MadeBy[]> {
  if (asked.length === 0) return [];
  const rows = await db
    .selectFrom("step_attempt")
    .innerJoin(
      sql<{ key: string; n: number }>`unnest(
        ${asked.map(({ key }) => key)}::text[], ${asked.map(({ n }) => n)}::int[])`.as<"asked">(
        sql`asked(key, n)`,
      ),
      (join) =>
        join
          .onRef("asked.key", "=", "step_attempt.step_key")
          .onRef("asked.n", "=", "step_attempt.n"),
    )
    .select(["step_attempt.step_key", "step_attempt.n", "runner", "state", "code", "reason"])
    .select(["resources", "usage", "started_at", "ended_at"])
    .execute();
  return rows.map((row) => ({
    key: row.step_key,
    n: row.n,
    runner: row.runner,
    state: row.state,
    code: row.code,
    reason: row.reason,
    // Both are written by stepAttempts.ts and by nobody else.
    resources: row.resources as Amounts,
    usage: row.usage as Amounts | null,
    startedAt: row.started_at,
    endedAt: row.ended_at,
  }));
}

/** What came of doing a step again. */
export interface Verdict {
  readonly resultId: string;
  readonly state: "same" | "different" | "failed";
  readonly differences: Json;
  readonly build: string;
  readonly checkedAt: Date;
}

/** Lists the verdicts on results, newest first. */
export async function listVerdicts(
  db: Db,
  resultIds: readonly string[],
): Promise<readonly Verdict[]> {
  if (resultIds.length === 0) return [];
  const rows = await db
    .selectFrom("step_verdict")
    .select(["result_id", "state", "differences", "build", "checked_at"])
    .where("result_id", "=", sql<string>`any(${[...resultIds]}::bigint[])`)
    .orderBy("id", "desc")
    .execute();
  return rows.map((row) => ({
    resultId: row.result_id,
    state: row.state,
    differences: row.differences as Json,
    build: row.build,
    checkedAt: row.checked_at,
  }));
}

/** Somebody's word that a step's code gives what other code gave. */
export interface Trust {
  readonly pipeline: string;
  readonly step: string;
  readonly code: string;
  readonly standsFor: string;
  readonly because: string;
  readonly trustedBy: string | null;
  readonly trustedAt: Date;
  readonly withdrawnAt: Date | null;
  readonly withdrawnWhy: string | null;
}

/** Lists what was said of the code of steps: results are made under the code that it stands for. */
export async function listTrust(db: Db, codes: readonly string[]): Promise<readonly Trust[]> {
  if (codes.length === 0) return [];
  const rows = await db
    .selectFrom("step_trust")
    .selectAll()
    .where("stands_for", "=", sql<string>`any(${[...new Set(codes)]}::text[])`)
    .orderBy("id")
    .execute();
  return rows.map(asTrust);
}

type TrustRow = Selectable<Schema["step_trust"]>;

/** Makes the record of a row. */
export function asTrust(row: TrustRow): Trust {
  return {
    pipeline: row.pipeline,
    step: row.step,
    code: row.code,
    standsFor: row.stands_for,
    because: row.because,
    trustedBy: row.trusted_by,
    trustedAt: row.trusted_at,
    withdrawnAt: row.withdrawn_at,
    withdrawnWhy: row.withdrawn_why,
  };
}

/** A place on the web where content is. */
export interface PublishedAt {
  readonly digest: Digest;
  readonly site: string;
  readonly path: string;
}

/** Lists where contents are published. */
export async function listPublished(
  db: Db,
  digests: readonly Digest[],
): Promise<readonly PublishedAt[]> {
  if (digests.length === 0) return [];
  const rows = await db
    .selectFrom("publication")
    .select(["digest", "site", "path"])
    .where("digest", "=", sql<string>`any(${[...new Set(digests)]}::text[])`)
    .where("etag", "!=", "")
    .orderBy("site")
    .orderBy("path")
    .execute();
  return rows.map(({ digest, site, path }) => ({ digest: digest as Digest, site, path }));
}
