// What questions about results need of the ledger: how calls are called, what lies in folders, what was verified, what is trusted.
// Frozen, forward only.

import { type Kysely, sql } from "kysely";

/** Adds the tables and columns; what a ledger holds has no labels, and its folders' files are not listed. */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const statement of STATEMENTS) await sql.raw(statement).execute(db);
}

const STATEMENTS = [
  // label: how people call this call of the step, among its sisters; null where nobody said.
  `alter table step_run add column label text`,

  // cause: why work was done whose result was known: 'forced', 'gone' (its blob was), 'damaged' (it was refused); null: nothing was known.
  `alter table step_attempt add column cause text`,

  // Whoever looks an output up would read all that was added to the index lately, one by one: up to 4 MB for each digest.
  `alter index step_result_output set (fastupdate = off)`,
  `select gin_clean_pending_list('step_result_output'::regclass)`,

  // origin: from what the run can be begun again, e.g. {"file": …, "cwd": …}; null for a job of hdash's own.
  `alter table run add column origin jsonb`,

  // The files of stored folders and sets of files, by path: from a file's digest to what it lies in. No foreign key: a list's row may
  // come before its result's, and goes when the list's blob goes.
  `create table blob_part (
    whole text not null,
    path text not null,
    part text not null,
    bytes bigint not null,
    primary key (whole, path)
  )`,
  `create index blob_part_part on blob_part (part)`,

  // What a digest of code or of used files is of, for people: {"modules": [{"path", "digest"}], "packages": [{"name", "version"}]}, or files
  // for used ones. Paths are no part of the digest: those of the first time are kept.
  `create table code_listing (
    digest text primary key,
    listing jsonb not null
  )`,

  // What came of doing a step again and comparing: 'same', 'different', or 'failed' where it could not be done. differences is a list.
  `create table step_verdict (
    id bigint generated always as identity primary key,
    result_id bigint not null references step_result on delete cascade,
    state text not null check (state in ('same', 'different', 'failed')),
    differences jsonb not null,
    build text not null,
    machine jsonb not null,
    ms double precision not null,
    checked_at timestamptz not null default now()
  )`,
  `create index step_verdict_result on step_verdict (result_id, id desc)`,

  // Somebody says that a step's new code gives what its old code gave: keys are made with stands_for in its place, until it is withdrawn.
  `create table step_trust (
    id bigint generated always as identity primary key,
    pipeline text not null,
    step text not null,
    code text not null,
    stands_for text not null,
    because text not null,
    trusted_by text,
    trusted_at timestamptz not null default now(),
    withdrawn_at timestamptz,
    withdrawn_why text
  )`,
  `create unique index step_trust_code on step_trust (pipeline, step, code) where withdrawn_at is null`,
];
