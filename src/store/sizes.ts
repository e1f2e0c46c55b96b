// What takes how much: outputs and logs by whose they are, and the ledger's own tables.

import { sql } from "kysely";

import type { Digest } from "../digest.ts";
import { type Db, RELATIONS } from "./schema.ts";

/** An output or a log, by whose it is. */
export interface Owned {
  readonly pipeline: string;
  readonly step: string;
  readonly kind: "output" | "log";
  /** Numbers the result, or names the attempt. */
  readonly owner: string;
  readonly digest: Digest;
}

/** Rows of one statement. */
const ROWS_AT_ONCE = 5000;

/** Lists the outputs of all results, and the logs of all attempts whose run or result says whose they are. */
export async function* listOwned(db: Db): AsyncIterable<Owned> {
  for (let after = "0"; ;) {
    const { rows } = await sql<Owned & { readonly owner: string }>`
      with page as (
        select id, step, document, outputs from step_result where id > ${after} order by id limit ${ROWS_AT_ONCE}
      )
      select coalesce(p.document::jsonb ->> 'pipeline', '') as pipeline, p.step, 'output' as kind, p.id::text as owner,
        o.value ->> 'digest' as digest
      from page p left join lateral jsonb_each(p.outputs) o on true order by p.id`.execute(db);
    for (const row of rows) {
      after = row.owner;
      // A result without outputs has a row, so that the page has an end.
      if ((row.digest as Digest | null) !== null) yield row;
    }
    if (rows.length === 0) break;
  }
  const { rows } = await sql<Owned>`
    select coalesce(r.pipeline, (
        select document::jsonb ->> 'pipeline' from step_result s where s.step_key = a.step_key limit 1), '') as pipeline,
      a.step, 'log' as kind, a.step_key || ' ' || a.n as owner, a.log_digest as digest
    from step_attempt a left join run r on r.id = a.run_id where a.log_digest is not null`.execute(
    db,
  );
  yield* rows;
}

/** Reads what each table takes, with its indexes; largest first. */
export async function readTableSizes(
  db: Db,
): Promise<readonly { readonly table: string; readonly bytes: number }[]> {
  const tables = Object.entries(RELATIONS).flatMap(([name, kind]) =>
    kind === "table" ? [name] : [],
  );
  const { rows } = await sql<{ table: string; bytes: string }>`
    select name as "table", pg_total_relation_size(to_regclass(quote_ident(current_schema()) || '.' || quote_ident(name))) as bytes
    from unnest(${tables}::text[]) as t(name) order by 2 desc, 1`.execute(db);
  return rows.map(({ table, bytes }) => ({ table, bytes: Number(bytes) }));
}
