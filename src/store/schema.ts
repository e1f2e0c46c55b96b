// The ledger's tables as kysely sees them; what they mean is said in migrations/.

import type { ColumnType, Generated, Kysely } from "kysely";

import type { RunStatus } from "../run.ts";

/** bigint: node-postgres reads it as text, because a number could not hold it all. */
type Bigint = ColumnType<string, number | string, number | string>;
/** timestamptz. */
type Instant = ColumnType<Date, Date | string, Date | string>;
/** jsonb: always written as text, because node-postgres turns an array into a Postgres array. */
type Jsonb<T> = ColumnType<T, string, string>;

interface AtlasTable {
  atlas_id: string;
  project_id: string;
  name: string;
  liaison: string;
  updated_at: Generated<Date>;
}

interface RunTable {
  id: ColumnType<string, never, never>;
  pipeline: string;
  params: Jsonb<unknown>;
  params_key: string;
  status: RunStatus;
  worker: string | null;
  worker_detail: Jsonb<unknown> | null;
  claimed_at: Instant | null;
  lease_until: Instant | null;
  attempt: number;
  build: string;
  requested_at: ColumnType<Date, Date | string | undefined, Date | string>;
  requested_by: string | null;
  priority: Generated<number>;
  started_at: Instant | null;
  finished_at: Instant | null;
  error: string | null;
  outcome: Jsonb<unknown> | null;
  publishing_site: string | null;
  origin: Jsonb<unknown> | null;
}

interface RunScopeTable {
  run_id: Bigint;
  scope: string;
  title: string | null;
  status: "running" | "done" | "failed";
  attempt: number;
  error: string | null;
  facts_digest: string | null;
  delta: Jsonb<unknown> | null;
  started_at: Instant;
  ended_at: Instant | null;
}

interface StepResultTable {
  id: ColumnType<string, never, never>;
  step_key: string;
  attempt: number | null;
  step: string;
  version: number;
  document: string;
  outputs: Jsonb<unknown>;
  facts_digest: string | null;
  ms: number;
  created_at: Generated<Date>;
  run_id: Bigint | null;
  void_why: Generated<string | null>;
}

interface StepRunTable {
  id: ColumnType<string, never, never>;
  run_id: Bigint;
  scope: string;
  step: string;
  step_key: string | null;
  result_id: Bigint | null;
  state: "running" | "hit" | "ran" | "failed";
  attempt: number;
  done: number | null;
  total: number | null;
  error: string | null;
  started_at: Instant;
  ended_at: Instant | null;
  label: string | null;
}

interface StepAttemptTable {
  step_key: string;
  n: number;
  step: string;
  run_id: Bigint | null;
  run_attempt: number;
  runner: string;
  runner_id: string | null;
  state: string;
  resources: Jsonb<unknown>;
  started_at: Instant;
  ended_at: Instant | null;
  code: number | null;
  reason: string | null;
  usage: Jsonb<unknown> | null;
  log_digest: string | null;
  message: string | null;
  machine: Jsonb<unknown> | null;
  cause: string | null;
}

interface StepLogTable {
  step_key: string;
  n: number;
  seq: number;
  at: Instant;
  line: string;
}

interface StepClaimTable {
  step_key: string;
  run_id: Bigint;
  run_attempt: number;
  holder: string;
  worker: string;
  worker_detail: Jsonb<unknown>;
  claimed_at: Instant;
  lease_until: Instant;
}

interface FindingTable {
  result_id: Bigint;
  ordinal: number;
  identity: string;
  rule: string;
  severity: "error" | "warning" | "info";
  subject: string;
  row: number | null;
  message: string;
  fields: Jsonb<Record<string, string>>;
}

interface MeasureTable {
  result_id: Bigint;
  subject: string;
  name: string;
  value: number;
}

interface BlobTable {
  digest: string;
  bytes: Bigint;
  stored_bytes: Bigint;
  chunks: number;
  encoding: "zstd" | "none";
  place: string | null;
  used_at: Generated<Date>;
}

interface BlobChunkTable {
  digest: string;
  n: number;
  bytes: Buffer;
}

interface BlobPartTable {
  whole: string;
  path: string;
  part: string;
  bytes: Bigint;
}

interface CodeListingTable {
  digest: string;
  listing: Jsonb<unknown>;
}

interface StepVerdictTable {
  id: ColumnType<string, never, never>;
  result_id: Bigint;
  state: "same" | "different" | "failed";
  differences: Jsonb<unknown>;
  build: string;
  machine: Jsonb<unknown>;
  ms: number;
  checked_at: Generated<Date>;
}

interface StepTrustTable {
  id: ColumnType<string, never, never>;
  pipeline: string;
  step: string;
  code: string;
  stands_for: string;
  because: string;
  trusted_by: string | null;
  trusted_at: Generated<Date>;
  withdrawn_at: Instant | null;
  withdrawn_why: string | null;
}

interface PublicationTable {
  site: string;
  path: string;
  owner: string;
  digest: string;
  etag: string;
  scope: string | null;
  content_type: string;
  bytes: Bigint;
  run_id: Bigint | null;
  published_at: Generated<Date>;
}

interface RunFindingView extends Omit<FindingTable, "result_id"> {
  run_id: string;
  scope: string | null;
  step: string;
  step_key: string;
}

interface RunMeasureView extends Omit<MeasureTable, "result_id"> {
  run_id: string;
  scope: string | null;
  step: string;
  step_key: string;
}

/** Every table and view of the ledger. */
export interface Schema {
  atlas: AtlasTable;
  run: RunTable;
  run_scope: RunScopeTable;
  step_result: StepResultTable;
  step_run: StepRunTable;
  step_attempt: StepAttemptTable;
  step_log: StepLogTable;
  step_claim: StepClaimTable;
  finding: FindingTable;
  measure: MeasureTable;
  blob: BlobTable;
  blob_chunk: BlobChunkTable;
  blob_part: BlobPartTable;
  code_listing: CodeListingTable;
  step_verdict: StepVerdictTable;
  step_trust: StepTrustTable;
  publication: PublicationTable;
  run_finding: RunFindingView;
  run_measure: RunMeasureView;
}

/** The same at run time: the compiler sees that nothing is missing and nothing too many. */
export const RELATIONS = {
  atlas: "table",
  run: "table",
  run_scope: "table",
  step_result: "table",
  step_run: "table",
  step_attempt: "table",
  step_log: "table",
  step_claim: "table",
  finding: "table",
  measure: "table",
  blob: "table",
  blob_chunk: "table",
  blob_part: "table",
  code_listing: "table",
  step_verdict: "table",
  step_trust: "table",
  publication: "table",
  run_finding: "view",
  run_measure: "view",
} as const satisfies Readonly<Record<keyof Schema, "table" | "view">>;

/** The ledger, or a transaction on it. */
export type Db = Kysely<Schema>;

/** An open database. */
export interface Database {
  readonly db: Db;
  readonly kind: "postgres" | "embedded";
  /** The Postgres schema that holds all tables. */
  readonly schema: string;
  /** Names the database for people, without secrets. */
  readonly describe: () => string;
  readonly close: () => Promise<void>;
}
