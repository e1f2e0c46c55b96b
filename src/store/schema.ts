// The ledger's tables as kysely sees them; what they mean is said in migrations/0001_ledger.ts.

import type { ColumnType, Generated, Kysely } from "kysely";

/** bigint: node-postgres reads it as text, because a number could not hold it all. */
type Bigint = ColumnType<string, number | string, number | string>;
/** timestamptz. */
type Instant = ColumnType<Date, Date | string, Date | string>;
/** jsonb: always written as text, because node-postgres turns an array into a Postgres array. */
type Jsonb<T> = ColumnType<T, string, string>;

export type RunStatus = "queued" | "running" | "succeeded" | "degraded" | "failed";

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
  started_at: Instant;
  finished_at: Instant | null;
  error: string | null;
  outcome: Jsonb<unknown> | null;
  publishing_site: string | null;
}

interface RunScopeTable {
  run_id: Bigint;
  scope: string;
  status: "running" | "done" | "failed";
  attempt: number;
  error: string | null;
  facts_digest: string | null;
  delta: Jsonb<unknown> | null;
  started_at: Instant;
  ended_at: Instant | null;
}

interface StepResultTable {
  step_key: string;
  step: string;
  version: number;
  document: string;
  outputs: Jsonb<unknown>;
  facts_digest: string | null;
  ms: number;
  created_at: Generated<Date>;
  run_id: Bigint | null;
}

interface StepRunTable {
  id: ColumnType<string, never, never>;
  run_id: Bigint;
  scope: string;
  step: string;
  step_key: string | null;
  state: "running" | "hit" | "ran" | "failed";
  attempt: number;
  done: number | null;
  total: number | null;
  error: string | null;
  started_at: Instant;
  ended_at: Instant | null;
}

interface FindingTable {
  step_key: string;
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
  step_key: string;
  subject: string;
  name: string;
  value: number;
}

interface BlobTable {
  digest: string;
  bytes: Bigint;
  stored_bytes: Bigint;
  chunks: number;
  encoding: "zstd";
  created_at: Generated<Date>;
}

interface BlobChunkTable {
  digest: string;
  n: number;
  bytes: Buffer;
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

interface RunFindingView extends FindingTable {
  run_id: string;
  scope: string | null;
  step: string;
}

interface RunMeasureView extends MeasureTable {
  run_id: string;
  scope: string | null;
  step: string;
}

/** Every table and view of the ledger. */
export interface Schema {
  atlas: AtlasTable;
  run: RunTable;
  run_scope: RunScopeTable;
  step_result: StepResultTable;
  step_run: StepRunTable;
  finding: FindingTable;
  measure: MeasureTable;
  blob: BlobTable;
  blob_chunk: BlobChunkTable;
  publication: PublicationTable;
  run_finding: RunFindingView;
  run_measure: RunMeasureView;
}

/** The ledger, or a transaction on it. */
export type Db = Kysely<Schema>;
