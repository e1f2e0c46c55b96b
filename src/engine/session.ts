// The state of one attempt of a run, shared by the plan, its steps and its scopes. It ends once: by itself, or because it was stopped.

import { type Digest, digestOf, type Json } from "../digest.ts";
import { HdashError, isTransient, messageOf } from "../error.ts";
import type { FindingDelta } from "../finding.ts";
import type { Log } from "../log.ts";
import type { Publisher } from "../publish/site.ts";
import { retry, type RetryPolicy } from "../retry.ts";
import type { RunNews } from "../run.ts";
import type { Lease } from "../store/lease.ts";
import type { StoredOutput } from "../store/results.ts";
import type { Db } from "../store/schema.ts";
import type { Machine } from "../store/stepAttempts.ts";
import type { ClaimHolder } from "../store/stepClaims.ts";
import type { BlobAccess } from "./blobAccess.ts";
import type { Budget } from "./budget.ts";
import type { Journal } from "./journal.ts";
import type { Places } from "./places.ts";
import type { GoneScope, OnProgress, StepState } from "./progress.ts";
import type { ScratchFolder } from "./scratch.ts";
import type { Codec } from "./step.ts";
import type { Heartbeat } from "./worker.ts";

/** For statements that are safe to repeat: about 15 seconds in all, enough for a restart of the database but not for a failover. */
export const LEDGER_RETRY: RetryPolicy = { attempts: 8, minDelayMs: 200, maxDelayMs: 4000 };

/** A scope while its run goes on; '' is what the plan does outside of every scope. */
export interface ScopeState {
  readonly name: string;
  /** Key → digest of the facts of every result that the scope came by. */
  readonly facts: Map<string, Digest | null>;
  /** Key → what has been noted of it; a step counts once in a scope, however often it is asked for. */
  readonly noted: Map<string, StepState | "running">;
  /** Steps that are being done. */
  readonly inFlight: Set<Promise<unknown>>;
  isOpen: boolean;
  error: string | null;
}

/** An output of a step, or a value of the plan, as it is read. */
export interface Readable {
  readonly digest: Digest;
  readonly codec: Codec;
}

/** Makes again what has this digest. */
export type Producer = (output: Readable) => Promise<void>;

/** What was found in the world; the digests of its outputs are the pin. */
export interface Sighting {
  readonly pin: Json;
  readonly outputs: Readonly<Record<string, StoredOutput>>;
  readonly startedAt: Date;
  readonly ms: number;
}

export interface Session extends BlobAccess {
  readonly db: Db;
  readonly lease: Lease;
  /** As whom this attempt claims steps. */
  readonly holder: ClaimHolder;
  /** What this worker's machine has, as attempts remember it. */
  readonly machine: Machine;
  readonly pipeline: string;
  readonly build: string;
  readonly startedAt: Date;
  readonly clock: () => Date;
  readonly log: Log;
  readonly publisher: Publisher | null;
  readonly scratch: ScratchFolder;
  /** Tells whether a step of this name is done again, whatever is known. */
  readonly isForced: (step: string) => boolean;
  /** What it may take; null: whatever it takes. */
  readonly budget: Budget | null;
  /** Does work in a place of its own, when there is one. */
  readonly limit: Places["run"];
  readonly onProgress: OnProgress;
  readonly journal: Journal;
  readonly heartbeat: Heartbeat;
  /** Aborts when the run stops for whatever reason. */
  readonly signal: AbortSignal;
  /** Keys of steps that this run ran, in this attempt or an earlier one. */
  readonly ownKeys: Set<string>;
  /** Key → the doing that is going on, which others of the same key share. */
  readonly doings: Map<string, Promise<unknown>>;
  /** What was asked of the world → what it said, once for the whole attempt. */
  readonly sightings: Map<string, Promise<Sighting>>;
  /** Digest of an output → what makes it again, and what is being made again; see healing.ts. */
  readonly producers: Map<Digest, Producer>;
  readonly healings: Map<Digest, Promise<void>>;
  /** Temporary outputs that were found, and files of such folders: their bytes may be missing; see temporaries.ts. */
  readonly mayLackBytes: Set<Digest>;
  /** Runs of whose steps we have waited for one: said once. */
  readonly waitedFor: Set<string>;
  readonly scopes: Map<string, ScopeState>;
  /** Scope → what changed; only scopes that were done. */
  readonly deltas: Map<string, FindingDelta | null>;
  /** What is published by this run: the ledger lets one run hold one place at a time. */
  readonly publishing: { place: string | null; readonly results: Record<string, Json> };
  /** Scopes that publishing took off the site. */
  readonly gone: GoneScope[];
  /** What the pipeline has to tell; null where it has said nothing. */
  news: RunNews | null;
  readonly counts: { hits: number; ran: number; failed: number };
  /** Stops the run: nothing is begun any more, and what goes on is told. The first reason counts. */
  stop(reason: HdashError): void;
  /** Stops this attempt of the run, for the plan to be played again from the top; throws. */
  startOver(why: string): never;
  /** Throws why the run was stopped, if it was. */
  throwIfStopped(): void;
}

/** Makes the state of a scope. */
export function newScope(name: string): ScopeState {
  return {
    name,
    facts: new Map(),
    noted: new Map(),
    inFlight: new Set(),
    isOpen: true,
    error: null,
  };
}

/** Digests the facts that a scope has gathered; steps that have none to tell do not count. */
export function factsDigestOf(scope: ScopeState | undefined): Digest {
  const digests = [...(scope?.facts.values() ?? [])].filter((digest) => digest !== null);
  return digestOf(digests.sort().join("\n"));
}

/**
 * Makes the function through which the ledger is used: a transient failure is tried again for a short time, and where that does not help,
 * the run stops, because without its ledger it knows nothing. Other errors pass: they are the step's own.
 */
export function makeWithLedger(
  signal: AbortSignal,
  stop: (reason: HdashError) => void,
  onProgress: OnProgress,
): BlobAccess["withLedger"] {
  return async (subject, access) => {
    try {
      return await retry(subject, LEDGER_RETRY, access, {
        signal,
        onRetry: (event) => onProgress({ kind: "retry", ...event }),
      });
    } catch (error) {
      if (!isTransient(error)) throw error;
      const fatal = new HdashError(
        "transient",
        `the ledger does not answer (${subject}): ${messageOf(error)}`,
        {
          cause: error,
          hint: "Start again when it does: the run goes on where it was.",
        },
      );
      stop(fatal);
      throw fatal;
    }
  };
}

/** The error of a run that turns out to be no longer ours. */
export function lostRun({ runId }: Lease): HdashError {
  return new HdashError(
    "transient",
    `run ${runId} was taken over by another worker or cancelled, or the ledger was reset`,
  );
}
