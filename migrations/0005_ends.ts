// How attempts end, in words that can be counted, and on which machine they were. Frozen, forward only.

import { type Kysely, sql } from "kysely";

/** Adds the columns; what attempts have said of their ends becomes a sentence, and is told in the words of today. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // reason is a word now, as the state is one: failed · exit. message is what people read; machine is what the worker had:
  // {cpus, memoryMiB, arch}, null for attempts from before that was kept.
  `alter table step_attempt add column message text, add column machine jsonb`,
  `update step_attempt set
    message = reason,
    state = case state when 'timedOut' then 'timeout' else state end,
    reason = case state
      when 'failed' then 'error' when 'timedOut' then 'time' when 'cancelled' then 'run' when 'lost' then 'lease' end
    where ended_at is not null`,
];
