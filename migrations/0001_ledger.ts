// The ledger as it was first: frozen, forward only. Tables have no schema's name, so that they land where search_path points.

import { type Kysely, sql } from "kysely";

/** Makes every table and view of the ledger. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  `create table atlas (
    atlas_id text primary key,
    project_id text not null unique,
    name text not null,
    liaison text not null,
    updated_at timestamptz not null default now()
  )`,

  `create table run (
    id bigint generated always as identity primary key,
    pipeline text not null,
    params jsonb not null,
    params_key text not null,
    status text not null check (status in ('queued', 'running', 'succeeded', 'degraded', 'failed')),
    worker text,
    worker_detail jsonb,
    claimed_at timestamptz,
    lease_until timestamptz,
    attempt integer not null,
    build text not null,
    started_at timestamptz not null,
    finished_at timestamptz,
    error text,
    outcome jsonb,
    publishing_site text
  )`,
  // One active run per pipeline and parameters, and one that publishes a site: kept by the database, whoever races.
  `create unique index run_active on run (pipeline, params_key) where status in ('queued', 'running')`,
  `create unique index run_publishing on run (publishing_site)
    where publishing_site is not null and status = 'running'`,
  `create index run_finished on run (pipeline, finished_at desc, id desc)
    where status in ('succeeded', 'degraded')`,

  `create table run_scope (
    run_id bigint not null references run on delete cascade,
    scope text not null,
    status text not null check (status in ('running', 'done', 'failed')),
    attempt integer not null,
    error text,
    facts_digest text,
    delta jsonb,
    started_at timestamptz not null,
    ended_at timestamptz,
    primary key (run_id, scope)
  )`,

  `create table step_result (
    step_key text primary key,
    step text not null,
    version integer not null,
    document text not null,
    outputs jsonb not null,
    facts_digest text,
    ms double precision not null,
    created_at timestamptz not null default now(),
    run_id bigint references run on delete set null
  )`,
  `create index step_result_run on step_result (run_id)`,

  // scope '' is what the plan does outside of every scope. step_key is null where a source could not be pinned.
  `create table step_run (
    id bigint generated always as identity primary key,
    run_id bigint not null references run on delete cascade,
    scope text not null,
    step text not null,
    step_key text,
    state text not null check (state in ('running', 'hit', 'ran', 'failed')),
    attempt integer not null,
    done double precision,
    total double precision,
    error text,
    started_at timestamptz not null,
    ended_at timestamptz,
    unique (run_id, scope, step_key)
  )`,
  `create index step_run_key on step_run (step_key)`,

  `create table finding (
    step_key text not null references step_result on delete cascade,
    ordinal integer not null,
    identity text not null,
    rule text not null,
    severity text not null check (severity in ('error', 'warning', 'info')),
    subject text not null,
    "row" integer,
    message text not null,
    fields jsonb not null,
    primary key (step_key, ordinal)
  )`,
  `create index finding_rule on finding (rule)`,
  `create index finding_subject on finding (subject)`,

  `create table measure (
    step_key text not null references step_result on delete cascade,
    subject text not null,
    name text not null,
    value double precision not null,
    primary key (step_key, subject, name)
  )`,
  `create index measure_name on measure (subject, name)`,

  `create table blob (
    digest text primary key,
    bytes bigint not null,
    stored_bytes bigint not null,
    chunks integer not null,
    encoding text not null check (encoding in ('zstd')),
    created_at timestamptz not null default now()
  )`,
  // No foreign key: chunks come first, the blob's row is what makes them count.
  `create table blob_chunk (
    digest text not null,
    n integer not null,
    bytes bytea not null,
    primary key (digest, n)
  )`,
  // The bytes are compressed already; compressing them again only costs time.
  `alter table blob_chunk alter column bytes set storage external`,

  // owner is the pipeline that published the path: others leave it alone. etag '' is a row whose object was about to be put.
  `create table publication (
    site text not null,
    path text not null,
    owner text not null,
    digest text not null,
    etag text not null,
    scope text,
    content_type text not null,
    bytes bigint not null,
    run_id bigint references run on delete set null,
    published_at timestamptz not null default now(),
    primary key (site, path)
  )`,
  `create index publication_run on publication (run_id)`,

  // A run's facts without knowing the engine: what the steps it did, or found done, have to say.
  `create view run_finding as
    select s.run_id, nullif(s.scope, '') as scope, s.step, f.step_key, f.ordinal, f.identity, f.rule,
      f.severity, f.subject, f."row", f.message, f.fields
    from step_run s join finding f on f.step_key = s.step_key
    where s.state in ('hit', 'ran')`,
  `create view run_measure as
    select s.run_id, nullif(s.scope, '') as scope, s.step, m.step_key, m.subject, m.name, m.value
    from step_run s join measure m on m.step_key = s.step_key
    where s.state in ('hit', 'ran')`,
];
