// A run as it is remembered: what the ledger knows of it, the history page shows and a message tells.

import type { Json } from "./digest.ts";

/** cancelled: somebody gave it up, before it was claimed or while it went on. */
export type RunStatus = "queued" | "running" | "succeeded" | "degraded" | "failed" | "cancelled";

/** A run that has started. Counts are steps. */
export interface RunRecord {
  readonly id: string;
  readonly pipeline: string;
  readonly params: Json;
  readonly status: RunStatus;
  readonly build: string;
  readonly startedAt: string;
  readonly finishedAt: string | null;
  readonly hits: number;
  readonly ran: number;
  readonly failed: number;
  readonly error: string | null;
  /** Findings that appeared and disappeared in this run, over all scopes. */
  readonly added: number;
  readonly removed: number;
  /** Scope → why it failed. */
  readonly failedScopes: Readonly<Record<string, string>>;
  /** Site files put, deleted, left as they were; null until published. */
  readonly published: {
    readonly put: number;
    readonly deleted: number;
    readonly unchanged: number;
  } | null;
}

/** What a run has to tell before anything else: fit for a chat, without a value. */
export interface RunNews {
  readonly tone: "good" | "warning" | "error";
  /** One line. */
  readonly headline: string;
  readonly lines: readonly string[];
}
