// What engine tests run in: a ledger of either kind, blobs, a work folder, a publisher that keeps files in memory.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Digest, Json } from "../../src/digest.ts";
import type { RunOutcome } from "../../src/engine/ending.ts";
import type { ProgressEvent } from "../../src/engine/progress.ts";
import { executeRun, type RunSpec } from "../../src/engine/run.ts";
import type { Pipeline, Plan } from "../../src/engine/step.ts";
import type { Log } from "../../src/log.ts";
import type { Publisher, PublishResult, SiteFile } from "../../src/publish/site.ts";
import type { BlobStore } from "../../src/store/blobs.ts";
import type { Database } from "../../src/store/database.ts";
import { openDatabaseBlobs } from "../../src/store/databaseBlobs.ts";
import { openFolderBlobs } from "../../src/store/folderBlobs.ts";
import type { Db } from "../../src/store/schema.ts";
import { type LedgerKind, openLedger } from "../support/ledger.ts";

/** A world of its own for a test file: Postgres keeps its blobs in the database, the embedded one in a folder, as in earnest. */
export interface World {
  readonly database: Database;
  readonly blobs: BlobStore;
  readonly dir: string;
  readonly scratch: string;
  /** Everything that was logged at warn and above. */
  readonly warnings: string[];
  readonly close: () => Promise<void>;
}

export async function openWorld(
  kind: LedgerKind,
  openBlobs?: (db: Db) => BlobStore,
): Promise<World> {
  const dir = await mkdtemp(join(tmpdir(), "hdash-engine-"));
  const warnings: string[] = [];
  const rest = { dir, scratch: join(dir, "scratch"), warnings };
  const { database, close } = await openLedger(kind);
  return {
    database,
    blobs:
      openBlobs?.(database.db) ??
      (kind === "postgres" ? openDatabaseBlobs(database.db) : openFolderBlobs(join(dir, "blobs"))),
    ...rest,
    close: async () => {
      await close();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** What a run in a world leaves: its outcome and its events. */
export interface Played {
  readonly outcome: RunOutcome;
  readonly events: readonly ProgressEvent[];
}

type Options = Partial<Omit<RunSpec<Json>, "pipeline" | "params" | "db" | "blobs" | "scratch">> & {
  readonly name?: string;
  readonly params?: Json;
};

/** Runs a plan once in a world. */
export async function play(
  world: World,
  plan: (plan: Plan) => Promise<void>,
  options: Options = {},
): Promise<Played> {
  const { name = "test", params = null, ...given } = options;
  const events: ProgressEvent[] = [];
  const pipeline: Pipeline<Json> = { name, plan };
  const outcome = await executeRun<Json>({
    publisher: null,
    clock: () => new Date(),
    build: "test build",
    log: recordingLog(world.warnings),
    signal: new AbortController().signal,
    ...given,
    onProgress: (event) => {
      events.push(event);
      given.onProgress?.(event);
    },
    pipeline,
    params,
    db: world.database.db,
    blobs: world.blobs,
    scratch: world.scratch,
  });
  return { outcome, events };
}

/** Runs a plan that is expected to finish. */
export async function finish(
  world: World,
  plan: (plan: Plan) => Promise<void>,
  options: Options = {},
): Promise<Extract<RunOutcome, { kind: "finished" }>> {
  const { outcome } = await play(world, plan, options);
  if (outcome.kind !== "finished") throw new Error(`the run did not finish but is ${outcome.kind}`);
  return outcome;
}

function recordingLog(warnings: string[]): Log {
  const record = (message: string) => void warnings.push(message);
  return { debug() {}, info() {}, warn: record, error: record };
}

/** A publisher that keeps the site in memory. */
export interface MemorySite extends Publisher {
  readonly files: Map<
    string,
    { readonly text: string; readonly cacheControl: string; readonly scope: string | null }
  >;
}

export function makeMemorySite(site = "memory://site"): MemorySite {
  const files: MemorySite["files"] = new Map();
  const digests = new Map<string, Digest>();

  async function put({ path, cacheControl, scope, digest, ...file }: SiteFile): Promise<void> {
    files.set(path, { text: new TextDecoder().decode(await file.read()), cacheControl, scope });
    digests.set(path, digest);
  }

  return {
    site,
    files,
    async publish(wanted, { keepScopes, signal, onProgress }): Promise<PublishResult> {
      const putPaths: string[] = [];
      for (const [index, file] of wanted.entries()) {
        signal.throwIfAborted();
        if (digests.get(file.path) !== file.digest) {
          await put(file);
          putPaths.push(file.path);
        }
        onProgress(index + 1, wanted.length);
      }
      const paths = new Set(wanted.map(({ path }) => path));
      const others = [...files].filter(([path]) => !paths.has(path));
      const kept = others.filter(([, { scope }]) => scope !== null && keepScopes.includes(scope));
      const gone = others.filter((other) => !kept.includes(other));
      const deletedPaths = gone.map(([path]) => path);
      for (const path of deletedPaths) files.delete(path);
      return {
        put: putPaths.length,
        unchanged: wanted.length - putPaths.length,
        deleted: deletedPaths.length,
        kept: kept.length,
        putBytes: 0,
        putPaths,
        deletedPaths,
        goneScopes: [...new Set(gone.flatMap(([, { scope }]) => scope ?? []))].sort(),
      };
    },
  };
}
