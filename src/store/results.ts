// Results of steps, under their keys: found, and committed together with their facts and the run's note of having done the step. None is
// ever written over: what was made from an older one keeps its provenance.

import { sql } from "kysely";

import { canonicalJson, type Digest, type Json } from "../digest.ts";
import { HdashError } from "../error.ts";
import type { Facts } from "./facts.ts";
import { insertFacts } from "./facts.ts";
import { isRunOurs, type Lease, type StepHolder } from "./lease.ts";
import type { Db } from "./schema.ts";
import { type Amounts, endAttempt } from "./stepAttempts.ts";
import { releaseClaim } from "./stepClaims.ts";
import { noteSteps } from "./stepRuns.ts";
import { storable, storableJson } from "./text.ts";

/** An output as it is stored: enough to make a ref of it. */
export type StoredOutput = {
  readonly digest: Digest;
  readonly bytes: number;
  readonly codec: string;
  readonly visibility: string;
  /** Its bytes may be missing: whoever needs them has them made again. */
  readonly temporary?: true;
};

/** What a step's result comes to. */
export interface StepOutcome {
  readonly key: string;
  readonly outputs: Readonly<Record<string, StoredOutput>>;
  /** Digest of the findings and measures; null where there are none. */
  readonly factsDigest: Digest | null;
}

/** A result as the ledger has it. A key may have several; the one with the highest id counts, of those that are not void. */
export interface StoredResult extends StepOutcome {
  readonly id: string;
}

/** A result to be committed. */
export interface NewResult extends StepOutcome {
  /** The attempt that made it. */
  readonly attempt: number;
  /** The blob of that attempt's log, where it logged anything. */
  readonly logDigest?: Digest | null;
  /** The exit code of its program, where it was one. */
  readonly code?: number | null;
  readonly usage?: Amounts | null;
  readonly step: string;
  /** How people call this call of it; null where nobody said. */
  readonly label?: string | null;
  readonly version: number;
  /** The canonical JSON that the key is the digest of. */
  readonly document: string;
  readonly facts: Facts;
  readonly ms: number;
  /** '' outside of every scope. */
  readonly scope: string;
  readonly startedAt: Date;
  readonly endedAt: Date;
}

/**
 * What a commit came to. inserted: ours is the first of its key, or differs from the one that counted before · same: equal to it, and
 * that one is ours as well · unclaimed: another run has taken the step over, nothing was written · lost: the run is no longer ours,
 * nothing was written. `before` is the one that counted before ours; null where there was none.
 */
export type Commit =
  | {
      readonly kind: "inserted" | "same";
      readonly stored: StoredResult;
      readonly before: StoredResult | null;
    }
  | { readonly kind: "unclaimed" }
  | { readonly kind: "lost" };

/** Finds the results that count for these keys. */
export async function findResults(
  db: Db,
  keys: readonly string[],
): Promise<ReadonlyMap<string, StoredResult>> {
  const rows = await db
    .selectFrom("step_result")
    .distinctOn("step_key")
    .select(["id", "step_key", "outputs", "facts_digest"])
    .where("step_key", "=", sql<string>`any(${[...keys]}::text[])`)
    .where("void_why", "is", null)
    .orderBy("step_key")
    .orderBy("id", "desc")
    .execute();
  return new Map(rows.map((row) => [row.step_key, asStored(row)]));
}

/** Says of keys why the newest of their results that do not count any more does not. */
export async function readVoid(
  db: Db,
  keys: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const rows = await db
    .selectFrom("step_result")
    .distinctOn("step_key")
    .select(["step_key", "void_why"])
    .where("step_key", "=", sql<string>`any(${[...keys]}::text[])`)
    .where("void_why", "is not", null)
    .orderBy("step_key")
    .orderBy("id", "desc")
    .execute();
  return new Map(
    rows.flatMap(({ step_key: key, void_why: why }) => (why === null ? [] : [[key, why] as const])),
  );
}

/** Has results count no more. What was made from them keeps its provenance. */
export async function voidResults(db: Db, ids: readonly string[], why: string): Promise<void> {
  await db
    .updateTable("step_result")
    .set({ void_why: storable(why) })
    .where("id", "=", sql<string>`any(${[...ids]}::bigint[])`)
    .where("void_why", "is", null)
    .execute();
}

/** A step that gave an output of some digest. */
export interface OutputSource {
  readonly resultId: string;
  readonly key: string;
  readonly step: string;
  readonly document: string;
  readonly ports: readonly string[];
}

/** Finds the results that have an output of this digest, oldest first. */
export async function findSources(db: Db, digest: Digest): Promise<readonly OutputSource[]> {
  const rows = await db
    .selectFrom("step_result")
    .select(["id", "step_key", "step", "document", "outputs"])
    .where(hasOutput(digest))
    .orderBy("id")
    .execute();
  return rows.map(({ id, step_key: key, step, document, outputs }) => ({
    ...{ resultId: id, key, step, document },
    ports: Object.entries(outputs as StoredResult["outputs"])
      .filter(([, output]) => output.digest === digest)
      .map(([port]) => port),
  }));
}

/** Word for word what the index step_result_output is made of. */
export function hasOutput(digest: Digest) {
  return sql<boolean>`jsonb_path_query_array(outputs, '$.*.digest') @> ${JSON.stringify([digest])}::jsonb`;
}

/**
 * Commits a result, whole or not at all: its row, its facts, the end of its attempt, and the run's step as "ran"; the step's claim is given
 * back. Safe to repeat when the answer was lost.
 */
export async function commitResult(db: Db, claim: StepHolder, result: NewResult): Promise<Commit> {
  const { findings, measures } = result.facts;
  const isPlain = findings.length === 0 && measures.length === 0;
  return (isPlain ? await commitPlain(db, claim, result) : null) ?? commitWhole(db, claim, result);
}

/**
 * Commits a result without facts in one statement, which is most of what a small step costs; null where nothing was written, since step or
 * run are not ours any more. Nobody else can have added a result of the key since the statement began: its claim is held until then.
 */
async function commitPlain(
  db: Db,
  { lease, holder }: StepHolder,
  result: NewResult,
): Promise<Commit | null> {
  const { key, outputs, factsDigest, attempt, startedAt, endedAt, logDigest = null } = result;
  const { label = null, code = null, usage = null } = result;
  const usageJson = usage === null ? null : storableJson(usage);
  const outputsJson = JSON.stringify(outputs);
  const { rows } = await sql<{
    id: string;
    is_new: boolean;
    before_id: string | null;
    before_outputs: unknown;
    before_facts: string | null;
  }>`
    with mine as (
      select id, attempt from run
      where id = ${lease.runId} and attempt = ${lease.attempt} and status = 'running' for share
    ), claim as (
      delete from step_claim c using mine
      where c.step_key = ${key} and c.holder = ${holder} and c.run_id = mine.id and c.run_attempt = mine.attempt
      returning c.run_id, c.run_attempt
    ), before as (
      select id, outputs, facts_digest from step_result where step_key = ${key} and void_why is null
      order by id desc limit 1
    ), made as (
      insert into step_result (step_key, attempt, step, version, document, outputs, facts_digest, ms, run_id)
      select ${key}, ${attempt}::integer, ${result.step}, ${result.version}::integer, ${result.document}, ${outputsJson}::jsonb,
        ${factsDigest}::text, ${result.ms}::double precision, run_id
      from claim
      where not exists (
        select from before where outputs = ${outputsJson}::jsonb and facts_digest is not distinct from ${factsDigest}::text)
      returning id
    ), counts as (
      select id, true as is_new from made
      union all
      select before.id, false from before, claim where not exists (select from made)
    ), noted as (
      insert into step_run (run_id, scope, step, label, step_key, result_id, state, attempt, started_at, ended_at)
      select claim.run_id, ${storable(result.scope)}, ${storable(result.step)}, ${label === null ? null : storable(label)}::text,
        ${key}, counts.id, 'ran', claim.run_attempt, ${startedAt}::timestamptz, ${endedAt}::timestamptz
      from claim, counts
      on conflict (run_id, scope, step_key) do update set
        attempt = excluded.attempt, result_id = excluded.result_id, state = excluded.state, done = null, total = null,
        error = null, started_at = excluded.started_at, ended_at = excluded.ended_at
    ), ended as (
      update step_attempt a
      set state = ${SUCCEEDED.state}, code = ${code}::integer, usage = ${usageJson}::jsonb, log_digest = ${logDigest}::text,
        ended_at = ${endedAt}::timestamptz
      from claim
      where a.step_key = ${key} and a.n = ${attempt}::integer and a.run_id = claim.run_id and a.run_attempt = claim.run_attempt
        and a.ended_at is null
    )
    select counts.id, counts.is_new, before.id as before_id, before.outputs as before_outputs, before.facts_digest as before_facts
    from counts left join before on true`.execute(db);
  const [row] = rows;
  if (row === undefined) return null;
  const before =
    row.before_id === null
      ? null
      : asStored({
          ...{ id: row.before_id, step_key: key },
          ...{ outputs: row.before_outputs, facts_digest: row.before_facts },
        });
  if (!row.is_new && before !== null) return { kind: "same", stored: before, before };
  return { kind: "inserted", stored: { id: row.id, key, outputs, factsDigest }, before };
}

async function commitWhole(db: Db, claim: StepHolder, result: NewResult): Promise<Commit> {
  const { lease } = claim;
  const lost = new HdashError("transient", `run ${lease.runId} is no longer ours`);
  try {
    return await db.transaction().execute(async (trx): Promise<Commit> => {
      const isClaimed = await releaseClaim(trx, result.key, claim);
      const commit = isClaimed
        ? await writeResult(trx, lease, result)
        : await findCommitted(trx, lease, result);
      if (commit === null) {
        // Whether the run went with the claim decides what is to be done.
        if (!(await isRunOurs(trx, lease))) throw lost;
        return { kind: "unclaimed" };
      }
      // Last, so that the run's row is locked no longer than it must be: a rival's claim waits for this.
      const noted = await noteSteps(trx, lease, [
        {
          scope: result.scope,
          step: result.step,
          label: result.label ?? null,
          key: result.key,
          resultId: commit.stored.id,
          state: "ran",
          done: null,
          total: null,
          error: null,
          startedAt: result.startedAt,
          endedAt: result.endedAt,
        },
      ]);
      if (!noted) throw lost;
      // After the run's row, as whoever takes the run over does it.
      await endAttempt(
        trx,
        lease,
        { key: result.key, n: result.attempt },
        {
          ...SUCCEEDED,
          ...{ code: result.code ?? null, usage: result.usage ?? null },
          ...{ logDigest: result.logDigest ?? null, endedAt: result.endedAt },
        },
      );
      return commit;
    });
  } catch (error) {
    if (error === lost) return { kind: "lost" };
    throw error;
  }
}

const SUCCEEDED = { state: "succeeded", reason: null, message: null };

/** What this very commit came to, if it was made before and only its answer was lost; else null. */
async function findCommitted(trx: Db, lease: Lease, { key, attempt }: NewResult) {
  const made = await trx
    .selectFrom("step_attempt")
    .select("n")
    .where("step_key", "=", key)
    .where("n", "=", attempt)
    .where("run_id", "=", lease.runId)
    .where("run_attempt", "=", lease.attempt)
    .where("state", "=", SUCCEEDED.state)
    .executeTakeFirst();
  const stored = (await findResults(trx, [key])).get(key);
  if (made === undefined || stored === undefined) return null;
  return { kind: "same" as const, stored, before: stored };
}

async function writeResult(trx: Db, lease: Lease, result: NewResult) {
  const { key, outputs, factsDigest } = result;
  const own: StepOutcome = { key, outputs, factsDigest };
  const before = (await findResults(trx, [key])).get(key) ?? null;
  if (before !== null && isEqual(before, own))
    return { kind: "same" as const, stored: before, before };
  const { id } = await trx
    .insertInto("step_result")
    .values({
      step_key: key,
      attempt: result.attempt,
      step: result.step,
      version: result.version,
      document: result.document,
      outputs: JSON.stringify(outputs),
      facts_digest: factsDigest,
      ms: result.ms,
      run_id: lease.runId,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  await insertFacts(trx, id, result.facts);
  return { kind: "inserted" as const, stored: { id, ...own }, before };
}

function isEqual({ id: _id, ...known }: StoredResult, own: StepOutcome): boolean {
  return canonicalJson(asJson(known)) === canonicalJson(asJson(own));
}

function asStored(row: {
  readonly id: string;
  readonly step_key: string;
  readonly outputs: unknown;
  readonly facts_digest: string | null;
}): StoredResult {
  return {
    id: row.id,
    key: row.step_key,
    // Written by writeResult and by nobody else.
    outputs: row.outputs as Readonly<Record<string, StoredOutput>>,
    factsDigest: row.facts_digest as Digest | null,
  };
}

function asJson(outcome: StepOutcome): Json {
  return JSON.parse(storableJson(outcome)) as Json;
}
