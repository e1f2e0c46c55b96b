// Logs of attempts while they are written: the last lines of each, for those who follow one. The whole log becomes a blob when the attempt ends.

import { sql } from "kysely";

import type { Db } from "./schema.ts";
import { storableJson } from "./text.ts";

/** Enough to see what a program is at; a chatty one does not fill the ledger. */
export const MOST_LOG_LINES = 1000;
/** A line that is longer is cut: nobody reads it to its end. Characters. */
export const LONGEST_LINE = 4000;

/** A line of an attempt's log. `seq` counts the lines of the attempt from 1. */
export interface LogLine {
  readonly key: string;
  readonly n: number;
  readonly seq: number;
  readonly at: Date;
  readonly line: string;
}

/** Appends lines and forgets those that are too old. Safe to repeat. Lines of attempts that the ledger does not know are left out. */
export async function appendLog(db: Db, lines: readonly LogLine[]): Promise<void> {
  const last = new Map<string, LogLine>();
  for (const line of lines) last.set(`${line.key} ${line.n}`, line);
  const kept = lines.filter(
    ({ key, n, seq }) => seq > (last.get(`${key} ${n}`)?.seq ?? 0) - MOST_LOG_LINES,
  );
  if (kept.length === 0) return;
  const rows = storableJson(
    kept.map(({ key, line, ...rest }) => ({
      ...rest,
      step_key: key,
      line: line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line,
    })),
  );
  await sql`
    insert into step_log (step_key, n, seq, at, line)
    select l.step_key, l.n, l.seq, l.at, l.line
    from jsonb_to_recordset(${rows}::jsonb) as l(step_key text, n integer, seq integer, at timestamptz, line text)
    join step_attempt a on a.step_key = l.step_key and a.n = l.n
    on conflict do nothing`.execute(db);
  const newest = storableJson(
    [...last.values()].map(({ key, n, seq }) => ({ step_key: key, n, seq })),
  );
  await sql`
    delete from step_log l
    using jsonb_to_recordset(${newest}::jsonb) as newest(step_key text, n integer, seq integer)
    where l.step_key = newest.step_key and l.n = newest.n and l.seq <= newest.seq - ${MOST_LOG_LINES}`.execute(
    db,
  );
}

/** Reads the lines of an attempt that came after a number. */
export async function readLog(
  db: Db,
  key: string,
  n: number,
  afterSeq = 0,
): Promise<readonly LogLine[]> {
  const rows = await db
    .selectFrom("step_log")
    .selectAll()
    .where("step_key", "=", key)
    .where("n", "=", n)
    .where("seq", ">", afterSeq)
    .orderBy("seq")
    .execute();
  return rows.map(({ step_key, ...row }) => ({ key: step_key, ...row }));
}

/** Reads at most so many lines that came after numbers of several attempts: of each in its order, all by time. */
export async function readLogs(
  db: Db,
  asked: readonly { readonly key: string; readonly n: number; readonly afterSeq: number }[],
  limit: number,
): Promise<readonly LogLine[]> {
  if (asked.length === 0) return [];
  const { rows } = await sql<LogLine>`
    select l.step_key as key, l.n, l.seq, l.at, l.line
    from unnest(
      ${asked.map(({ key }) => key)}::text[], ${asked.map(({ n }) => n)}::integer[],
      ${asked.map(({ afterSeq }) => afterSeq)}::integer[]
    ) as asked(key, n, after_seq)
    join step_log l on l.step_key = asked.key and l.n = asked.n and l.seq > asked.after_seq
    order by l.at, l.step_key, l.n, l.seq limit ${limit}`.execute(db);
  return rows;
}

/** Forgets the lines of an attempt, because all of its log is a blob. */
export async function dropLog(db: Db, key: string, n: number): Promise<void> {
  await db.deleteFrom("step_log").where("step_key", "=", key).where("n", "=", n).execute();
}
