// What the engine needs of the ledger: a queue, claims on steps, attempts with their logs, and results that are never written over.
// Frozen, forward only.

import { type Kysely, sql } from "kysely";

/** Adds the tables and columns, and carries over what a ledger holds: the only result of a key becomes its first. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `drop view run_finding`,
  `drop view run_measure`,

  // A run is asked for, then claimed: started_at is null until then. requested_by null: nobody said.
  `alter table run
    add column requested_at timestamptz,
    add column requested_by text,
    add column priority integer not null default 0,
    alter column started_at drop not null,
    drop constraint run_status_check,
    add constraint run_status_check
      check (status in ('queued', 'running', 'succeeded', 'degraded', 'failed', 'cancelled')),
    add constraint run_started_check check (started_at is not null or status in ('queued', 'cancelled'))`,
  `update run set requested_at = started_at`,
  `alter table run
    alter column requested_at set not null,
    alter column requested_at set default now()`,
  `create index run_queue on run (priority desc, requested_at, id) where status in ('queued', 'running')`,
  // A run that was cancelled keeps the site until its worker has let go of it, or its lease is over.
  `drop index run_publishing`,
  `create unique index run_publishing on run (publishing_site)
    where publishing_site is not null and status in ('running', 'cancelled')`,

  `alter table run_scope add column title text`,

  // Results get numbers in the order in which they were made. A key may have several: the newest counts, and the others stay for what
  // was made from them. attempt is the one that made it; null for results from before attempts were kept.
  `alter table finding drop constraint finding_step_key_fkey, drop constraint finding_pkey`,
  `alter table measure drop constraint measure_step_key_fkey, drop constraint measure_pkey`,
  `alter table step_result drop constraint step_result_pkey, add column id bigint, add column attempt integer`,
  `update step_result r set id = n.id
    from (select step_key, row_number() over (order by created_at, step_key) as id from step_result) n
    where r.step_key = n.step_key`,
  `alter table step_result alter column id set not null`,
  `alter table step_result alter column id add generated always as identity`,
  `select setval(pg_get_serial_sequence('step_result', 'id'),
    (select coalesce(max(id), 0) + 1 from step_result), false)`,
  `alter table step_result add primary key (id)`,
  `create unique index step_result_key on step_result (step_key, id desc)`,
  `create unique index step_result_attempt on step_result (step_key, attempt) where attempt is not null`,
  // From an output's digest to what made it: outputs is {port: {digest, …}}.
  `create index step_result_output on step_result
    using gin (jsonb_path_query_array(outputs, '$.*.digest') jsonb_path_ops)`,

  `alter table finding add column result_id bigint`,
  `update finding f set result_id = r.id from step_result r where r.step_key = f.step_key`,
  `alter table finding
    drop column step_key,
    alter column result_id set not null,
    add primary key (result_id, ordinal),
    add foreign key (result_id) references step_result on delete cascade`,
  `alter table measure add column result_id bigint`,
  `update measure m set result_id = r.id from step_result r where r.step_key = m.step_key`,
  `alter table measure
    drop column step_key,
    alter column result_id set not null,
    add primary key (result_id, subject, name),
    add foreign key (result_id) references step_result on delete cascade`,

  // The result that the run saw; null while the step runs, and where it failed.
  `alter table step_run add column result_id bigint references step_result on delete set null`,
  `update step_run s set result_id = r.id from step_result r
    where r.step_key = s.step_key and s.state in ('hit', 'ran')`,
  `create index step_run_result on step_run (result_id)`,

  // One row for each time that a step's work was begun, written before it is; completed once, and never changed after that. The run's
  // attempt that began it is the only one to complete it.
  // state: running, succeeded, failed, cancelled, lost (nobody knows: its worker is gone), or what a runner says of a program's end.
  // runner_id is the runner's own name for it; code is an exit code; resources and usage are numbers by name.
  `create table step_attempt (
    step_key text not null,
    n integer not null,
    step text not null,
    run_id bigint references run on delete set null,
    run_attempt integer not null,
    runner text not null,
    runner_id text,
    state text not null,
    resources jsonb not null,
    started_at timestamptz not null,
    ended_at timestamptz,
    code integer,
    reason text,
    usage jsonb,
    log_digest text,
    primary key (step_key, n)
  )`,
  `create index step_attempt_run on step_attempt (run_id)`,

  // The last lines of an attempt's log, until all of it is a blob (log_digest). at is when the line was heard.
  `create table step_log (
    step_key text not null,
    n integer not null,
    seq integer not null,
    at timestamptz not null,
    line text not null,
    primary key (step_key, n, seq),
    foreign key (step_key, n) references step_attempt on delete cascade
  )`,

  // Who does the step of this key: a process (holder is different for every start) that does an attempt of a run. It counts while its
  // lease lasts and that attempt of the run goes on.
  `create table step_claim (
    step_key text primary key,
    run_id bigint not null references run on delete cascade,
    run_attempt integer not null,
    holder text not null,
    worker text not null,
    worker_detail jsonb not null,
    claimed_at timestamptz not null,
    lease_until timestamptz not null
  )`,
  `create index step_claim_run on step_claim (run_id)`,

  `create view run_finding as
    select s.run_id, nullif(s.scope, '') as scope, s.step, s.step_key, f.ordinal, f.identity, f.rule,
      f.severity, f.subject, f."row", f.message, f.fields
    from step_run s join finding f on f.result_id = s.result_id
    where s.state in ('hit', 'ran')`,
  `create view run_measure as
    select s.run_id, nullif(s.scope, '') as scope, s.step, s.step_key, m.subject, m.name, m.value
    from step_run s join measure m on m.result_id = s.result_id
    where s.state in ('hit', 'ran')`,
];
