// Scopes of runs: how each one ended, and its past over the runs that finished.

import { sql } from "kysely";

import type { Digest } from "../digest.ts";
import type { FindingDelta } from "../finding.ts";
import type { Lease } from "./lease.ts";
import type { Db } from "./schema.ts";
import { storable, storableJson } from "./text.ts";

/** Facts of a scope (its findings and measures) as they stood from one run on, until a later run found others. */
export interface ScopeVersion {
  readonly runId: string;
  /** When the first run that saw these facts started; ISO 8601, UTC. */
  readonly startedAt: string;
  /** Digest over the scope's findings and measures. */
  readonly factsDigest: Digest;
  /** Name → value of the measures whose subject is the scope's name. */
  readonly measures: Readonly<Record<string, number>>;
}

/** The last finished run in which a scope was done without failing. */
export interface LastDone {
  readonly runId: string;
  readonly startedAt: string;
  readonly measures: Readonly<Record<string, number>>;
}

/** How a scope ended. */
export interface ScopeEnd {
  readonly status: "done" | "failed";
  readonly error: string | null;
  readonly factsDigest: Digest | null;
  readonly delta: FindingDelta | null;
  readonly endedAt: Date;
}

/** Notes that a scope was begun; false where the run is no longer ours. */
export async function startScope(
  db: Db,
  { runId, attempt }: Lease,
  scope: string,
  startedAt: Date,
  title: string | null = null,
): Promise<boolean> {
  const { numAffectedRows } = await sql`
    insert into run_scope (run_id, scope, title, status, attempt, started_at)
    select id, ${scope}, ${title === null ? null : storable(title)}, 'running', attempt, ${startedAt} from run
    where id = ${runId} and attempt = ${attempt} and status = 'running'
    on conflict (run_id, scope) do update set
      status = 'running', title = excluded.title, attempt = excluded.attempt, error = null, facts_digest = null, delta = null,
      ended_at = null`.execute(db);
  return numAffectedRows === 1n;
}

/** Notes how a scope ended; false where the run is no longer ours. */
export async function endScope(
  db: Db,
  { runId, attempt }: Lease,
  scope: string,
  { status, error, factsDigest, delta, endedAt }: ScopeEnd,
): Promise<boolean> {
  const [result] = await db
    .updateTable("run_scope")
    .set({
      status,
      error: error === null ? null : storable(error),
      facts_digest: factsDigest,
      delta: delta === null ? null : storableJson(delta),
      ended_at: endedAt,
    })
    .where("run_id", "=", runId)
    .where("scope", "=", scope)
    .where("attempt", "=", attempt)
    .execute();
  return result?.numUpdatedRows === 1n;
}

/** Forgets scopes that earlier attempts of a run did and this one did not. */
export async function pruneScopes(db: Db, { runId, attempt }: Lease): Promise<void> {
  await db
    .deleteFrom("run_scope")
    .where("run_id", "=", runId)
    .where("attempt", "<", attempt)
    .execute();
}

/** Finds the last finished run of a pipeline, other than this one, in which a scope was done; null where there is none. */
export async function findLastDone(
  db: Db,
  pipeline: string,
  runId: string,
  scope: string,
): Promise<{
  readonly runId: string;
  readonly startedAt: Date;
  readonly factsDigest: Digest;
} | null> {
  const row = await db
    .selectFrom("run as r")
    .innerJoin("run_scope as s", "s.run_id", "r.id")
    .select(["r.id", "r.started_at", "s.facts_digest"])
    .where("r.pipeline", "=", pipeline)
    .where("r.id", "!=", runId)
    .where("r.status", "in", ["succeeded", "degraded"])
    .where("s.scope", "=", scope)
    .where("s.status", "=", "done")
    .orderBy("r.finished_at", "desc")
    .orderBy("r.id", "desc")
    .limit(1)
    .$narrowType<{ started_at: Date }>() // a run that has finished has started
    .executeTakeFirst();
  if (row === undefined) return null;
  return { runId: row.id, startedAt: row.started_at, factsDigest: row.facts_digest as Digest };
}

/** Lists the versions of a scope's facts over the finished runs of a pipeline other than this one: the newest `limit`, oldest first. */
export async function listVersions(
  db: Db,
  pipeline: string,
  runId: string,
  scope: string,
  limit: number,
): Promise<readonly ScopeVersion[]> {
  const { rows } = await sql<{ id: string; started_at: Date; facts_digest: string }>`
    select id, started_at, facts_digest from (
      select r.id, r.started_at, r.finished_at, s.facts_digest,
        lag(s.facts_digest) over (order by r.finished_at, r.id) as before
      from run r join run_scope s on s.run_id = r.id
      where r.pipeline = ${pipeline} and r.id <> ${runId} and r.status in ('succeeded', 'degraded')
        and s.scope = ${scope} and s.status = 'done'
    ) v
    where facts_digest is distinct from before
    order by finished_at desc, id desc
    limit ${limit}`.execute(db);
  const measures = await readMeasures(
    db,
    rows.map(({ id }) => id),
    [scope],
  );
  return rows.reverse().map((row) => ({
    runId: row.id,
    startedAt: row.started_at.toISOString(),
    factsDigest: row.facts_digest as Digest,
    measures: measures.get(row.id)?.get(scope) ?? {},
  }));
}

/** Reads the measures of runs whose subject is the name of the scope they were taken in: run → scope → name → value. */
export async function readMeasures(
  db: Db,
  runIds: readonly string[],
  scopes: readonly string[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, Readonly<Record<string, number>>>>> {
  const found = new Map<string, Map<string, Record<string, number>>>();
  if (runIds.length === 0 || scopes.length === 0) return found;
  const { rows } = await sql<{ run_id: string; scope: string; name: string; value: number }>`
    select s.run_id, s.scope, m.name, m.value
    from step_run s join measure m on m.result_id = s.result_id and m.subject = s.scope
    where s.run_id = any(${[...runIds]}::bigint[]) and s.scope = any(${[...scopes]}::text[])
      and s.state in ('hit', 'ran')
    order by s.run_id, m.name collate "C", s.step collate "C", s.step_key collate "C"`.execute(db);
  for (const { run_id: runId, scope, name, value } of rows) {
    const run = found.get(runId) ?? new Map<string, Record<string, number>>();
    found.set(runId, run);
    const measures = run.get(scope) ?? {};
    run.set(scope, measures);
    measures[name] = value;
  }
  return found;
}

/** Lists the scopes of a run with what people call each; its own name where nobody said. */
export async function listTitles(
  db: Db,
  runId: string,
): Promise<readonly { readonly scope: string; readonly title: string }[]> {
  const rows = await db
    .selectFrom("run_scope")
    .select(["scope", "title"])
    .where("run_id", "=", runId)
    .execute();
  return rows.map(({ scope, title }) => ({ scope, title: title ?? scope }));
}

/** Lists why scopes of a run failed. */
export async function listScopeErrors(db: Db, runId: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("run_scope")
    .select("error")
    .where("run_id", "=", runId)
    .where("error", "is not", null)
    .orderBy("scope")
    .execute();
  return rows.flatMap(({ error }) => error ?? []);
}

/** Lists scopes, in their order, with what the last run of a pipeline that had each called it; its own name where nobody said. */
export async function listLastTitles(
  db: Db,
  pipeline: string,
  scopes: readonly string[],
): Promise<readonly { readonly scope: string; readonly title: string }[]> {
  if (scopes.length === 0) return [];
  const { rows } = await sql<{ scope: string; title: string | null }>`
    select distinct on (s.scope) s.scope, s.title
    from run_scope s join run r on r.id = s.run_id
    where r.pipeline = ${pipeline} and s.scope = any(${[...scopes]}::text[])
    order by s.scope, r.id desc`.execute(db);
  const titles = new Map(rows.map(({ scope, title }) => [scope, title]));
  return scopes.map((scope) => ({ scope, title: titles.get(scope) ?? scope }));
}
