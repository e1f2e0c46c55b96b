// Rows of the ledger on their way into an archive, and out of one: by table, as JSON, without what is a machine's own.

import { sql } from "kysely";

import type { Json } from "../digest.ts";
import type { Db } from "./schema.ts";
import { storableJson } from "./text.ts";

/**
 * Which columns go along, and in which order rows do. What is left out is the machine's: who works on it and where, numbers that are given
 * anew. Of what a run was begun from, whoever reads or writes rows lets pass but which results it was asked for.
 */
const TABLES = {
  run: {
    columns: [
      ...["id", "pipeline", "params", "params_key", "status", "attempt", "build", "requested_at"],
      ...["priority", "started_at", "finished_at", "error", "outcome", "origin"],
    ],
    order: ["id"],
  },
  run_scope: {
    columns: [
      ...["run_id", "scope", "title", "status", "attempt", "error", "facts_digest", "delta"],
      ...["started_at", "ended_at"],
    ],
    order: ["run_id", "scope"],
  },
  step_result: {
    columns: [
      ...["id", "step_key", "attempt", "step", "version", "document", "outputs", "facts_digest"],
      ...["ms", "created_at", "run_id", "void_why"],
    ],
    order: ["id"],
  },
  finding: {
    columns: [
      ...["result_id", "ordinal", "identity", "rule", "severity", "subject", "row", "message"],
      "fields",
    ],
    order: ["result_id", "ordinal"],
  },
  measure: {
    columns: ["result_id", "subject", "name", "value"],
    order: ["result_id", "subject", "name"],
  },
  step_verdict: {
    columns: ["result_id", "state", "differences", "build", "machine", "ms", "checked_at"],
    order: ["result_id", "checked_at", "state"],
  },
  step_attempt: {
    columns: [
      ...["step_key", "n", "step", "run_id", "run_attempt", "runner", "state", "resources"],
      ...["machine", "started_at", "ended_at", "code", "reason", "message", "usage", "log_digest"],
      "cause",
    ],
    order: ["step_key", "n"],
  },
  step_run: {
    columns: [
      ...["run_id", "scope", "step", "label", "step_key", "result_id", "state", "attempt", "done"],
      ...["total", "error", "started_at", "ended_at"],
    ],
    order: ["run_id", "id"],
  },
  blob_part: { columns: ["whole", "path", "part", "bytes"], order: ["whole", "path"] },
  code_listing: { columns: ["digest", "listing"], order: ["digest"] },
  step_trust: {
    columns: [
      ...["pipeline", "step", "code", "stands_for", "because", "trusted_by", "trusted_at"],
      ...["withdrawn_at", "withdrawn_why"],
    ],
    order: ["pipeline", "step", "code", "trusted_at"],
  },
} as const satisfies Readonly<
  Record<string, { readonly columns: readonly string[]; readonly order: readonly string[] }>
>;

/** A table of which rows go along. */
export type ExportedTable = keyof typeof TABLES;

/** A row by column. Times are as Postgres writes them, to the microsecond. */
export type ExportedRow = Readonly<Record<string, Json>>;

/** Writes what a column says as a text. */
export function textIn(row: ExportedRow, column: string): string {
  const value = row[column] ?? null;
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** Tells the columns of a table that go along; null where none do. */
export function columnsOf(table: string): readonly string[] | null {
  return Object.hasOwn(TABLES, table) ? TABLES[table as ExportedTable].columns : null;
}

/** Values of one statement. */
const VALUES_AT_ONCE = 500;

/** Reads the rows of a table in which a column has one of these values, in an order that follows from the rows. */
export async function* readRows(
  db: Db,
  table: ExportedTable,
  column: string,
  values: readonly string[],
): AsyncIterable<ExportedRow> {
  const { columns, order } = TABLES[table];
  const type = sql.raw(column.endsWith("id") ? "bigint[]" : "text[]");
  for (let from = 0; from < values.length; from += VALUES_AT_ONCE) {
    const { rows } = await sql<{ row: ExportedRow }>`
      select to_jsonb(t) as row from (
        select ${sql.join(columns.map((name) => sql.ref(name)))} from ${sql.table(table)}
        where ${sql.ref(column)} = any(${values.slice(from, from + VALUES_AT_ONCE)}::${type})
        order by ${sql.join(order.map((name) => inOrder(name)))}
      ) t`.execute(db);
    for (const { row } of rows) yield row;
  }
}

const TEXTS = ["scope", "step_key", "subject", "name", "state", "whole", "path", "digest"];

/** Texts by their bytes, and not as the server's locale has them. */
function inOrder(name: string) {
  const isText = [...TEXTS, "pipeline", "step", "code"].includes(name);
  return isText ? sql`${sql.ref(name)} collate "C"` : sql.ref(name);
}

/** Rows of one statement. */
const ROWS_AT_ONCE = 1000;

/** Inserts rows; what is there under the same key stays as it is. Says how many were new. */
export async function insertRows(
  trx: Db,
  table: Exclude<ExportedTable, "run" | "step_result">,
  rows: readonly ExportedRow[],
): Promise<number> {
  const columns = sql.join(TABLES[table].columns.map((name) => sql.ref(name)));
  let inserted = 0;
  for (let from = 0; from < rows.length; from += ROWS_AT_ONCE) {
    const { numAffectedRows } = await sql`
      insert into ${sql.table(table)} (${columns})
      select ${columns} from jsonb_populate_recordset(null::${sql.table(table)},
        ${storableJson(rows.slice(from, from + ROWS_AT_ONCE))}::jsonb)
      on conflict do nothing`.execute(trx);
    inserted += Number(numAffectedRows ?? 0n);
  }
  return inserted;
}

/** Inserts a result and returns its number, which is the newest. */
export async function insertResult(trx: Db, row: ExportedRow): Promise<string> {
  const names = TABLES.step_result.columns.filter((name) => name !== "id");
  const columns = sql.join(names.map((name) => sql.ref(name)));
  const { rows } = await sql<{ id: string }>`
    insert into step_result (${columns})
    select ${columns} from jsonb_populate_record(null::step_result, ${storableJson(row)}::jsonb)
    returning id`.execute(trx);
  const [made] = rows;
  if (made === undefined) throw new Error("an insertion without a condition has inserted nothing");
  return made.id;
}

/** The last number that a run was given. */
const LAST_NUMBER = sql`(select case when is_called then last_value else 0 end from run_id_seq)`;

/** How far ahead of the last number of a run one of an archive may be to be kept. */
const FARTHEST_NUMBER = 100_000;

/**
 * Enters a run and returns its number: that of the archive where nobody has it, so that an empty ledger tells the same of it. One that is here
 * already stays.
 */
export async function enterRun(
  trx: Db,
  row: ExportedRow,
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const text = storableJson(row);
  const { rows: same } = await sql<{ id: string }>`
    select run.id from run, jsonb_populate_record(null::run, ${text}::jsonb) given
    where run.pipeline = given.pipeline and run.params_key = given.params_key and run.status = given.status
      and run.build = given.build and run.started_at is not distinct from given.started_at
      and run.finished_at is not distinct from given.finished_at
    limit 1`.execute(trx);
  const [known] = same;
  if (known !== undefined) return { id: known.id, isNew: false };
  // Numbers are only ever taken: whoever begins a run meanwhile is given one behind.
  const ahead = sql`${row["id"]}::bigint - ${LAST_NUMBER}`;
  await sql`
    select nextval('run_id_seq')
    from generate_series(1, case when ${ahead} <= ${FARTHEST_NUMBER} then ${ahead} else 0 end)`.execute(
    trx,
  );
  return {
    id: (await insertRun(trx, text, true)) ?? (await insertRun(trx, text, false)) ?? "",
    isNew: true,
  };
}

/** Inserts a run, under its own number where that is asked for: null where that is taken, or nobody has been given it yet. */
async function insertRun(trx: Db, text: string, isOwn: boolean): Promise<string | null> {
  const names = TABLES.run.columns.filter((name) => isOwn || name !== "id");
  const columns = sql.join(names.map((name) => sql.ref(name)));
  // A value that is null and none at all are the same in a row as JSON.
  const values = names.map((name) =>
    name === "params" ? sql`coalesce(params, 'null'::jsonb)` : sql.ref(name),
  );
  const { rows } = await sql<{ id: string }>`
    insert into run (${columns}) ${isOwn ? sql`overriding system value` : sql``}
    select ${sql.join(values)} from jsonb_populate_record(null::run, ${text}::jsonb) given
    ${isOwn ? sql`where id <= ${LAST_NUMBER}` : sql``}
    on conflict (id) do nothing
    returning id`.execute(trx);
  return rows[0]?.id ?? null;
}

/** A result as it is compared with one of the same key. */
export interface KnownResult {
  readonly id: string;
  readonly key: string;
  readonly outputs: Json;
  readonly factsDigest: string | null;
}

/** Reads all results of some keys, oldest first: also such as do not count any more. */
export async function readKnown(db: Db, keys: readonly string[]): Promise<readonly KnownResult[]> {
  const known: KnownResult[] = [];
  for (let from = 0; from < keys.length; from += VALUES_AT_ONCE) {
    const rows = await db
      .selectFrom("step_result")
      .select(["id", "step_key", "outputs", "facts_digest"])
      .where("step_key", "=", sql<string>`any(${keys.slice(from, from + VALUES_AT_ONCE)}::text[])`)
      .orderBy("id")
      .execute();
    for (const { id, step_key: key, outputs, facts_digest: factsDigest } of rows) {
      known.push({ id, key, outputs: outputs as Json, factsDigest });
    }
  }
  return known;
}

/** What the ledger knows of a key's attempts: number and when each began. */
export async function readAttemptStarts(db: Db, key: string): Promise<ReadonlyMap<number, string>> {
  const { rows } = await sql<{ n: number; at: string }>`
    select n, to_jsonb(started_at) #>> '{}' as at from step_attempt where step_key = ${key}
    union all
    select attempt, '' from step_result r where step_key = ${key} and attempt is not null
      and not exists (select from step_attempt a where a.step_key = r.step_key and a.n = r.attempt)`.execute(
    db,
  );
  return new Map(rows.map(({ n, at }) => [n, at]));
}
