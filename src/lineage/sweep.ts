// The removal of blobs that nothing needs any more: what is found, told and removed. Records of results stay, so that what was made of what
// can be told as before; a step whose blob is gone is done again where its result is wanted.

import type { Digest } from "../digest.ts";
import { plainAccess } from "../engine/blobAccess.ts";
import { readFiles } from "../engine/codec.ts";
import { HdashError } from "../error.ts";
import { noteParts } from "../store/blobParts.ts";
import { BlobError, type BlobStore, type KeptBlob, type Leftovers } from "../store/blobs.ts";
import {
  deleteRecords,
  findUnlisted,
  type GoneRecords,
  listLogDigests,
  listPartsOf,
  listPublishedDigests,
  listRunDigests,
  listWholes,
  readLedgerTime,
} from "../store/keeping.ts";
import type { Database, Db } from "../store/schema.ts";
import type { Roots } from "./roots.ts";

/** Use is noted to the hour: what a run has found just before its claim was seen may look an hour older than it is. */
const NOTED_MS = 3_600_000;
/** Blobs of one transaction: one request deletes so many objects of a bucket. */
const REMOVED_AT_ONCE = 500;

/** How many blobs there are of something. */
export interface Amount {
  readonly blobs: number;
  readonly bytes: number;
  /** What they take where they lie. */
  readonly storedBytes: number;
}

/** What of the store is kept, and what is not. */
export interface Unused {
  /** What was put or found since stays, whatever it is. */
  readonly before: Date;
  /** Lists of lists, then lists, then all else: so that no list is there whose files are not. */
  readonly levels: readonly (readonly KeptBlob[])[];
  readonly kept: Amount;
  /** Of what would go if it were older. */
  readonly young: Amount;
}

/** Where blobs are, and the ledger that says what they are for. */
export interface Store {
  readonly db: Db;
  readonly blobs: BlobStore;
}

/**
 * Tells before when a blob must have been used last to go: before the grace, and before all that a run can have found, or put and not
 * committed yet, that is going on or begins while blobs are removed. Whoever has an embedded database is alone with it.
 */
export async function readCutoff(
  { db, kind }: Pick<Database, "db" | "kind">,
  graceMs: number,
): Promise<{ readonly now: Date; readonly before: Date }> {
  const { now, goingSince } = await readLedgerTime(db);
  const since = kind === "embedded" ? now.getTime() : (goingSince ?? now).getTime() - NOTED_MS;
  return { now, before: new Date(Math.min(now.getTime() - graceMs, since)) };
}

/** Finds the blobs that nothing needs: not reachable from the roots, and not used since `before`. */
export async function findUnused(
  { db, blobs }: Store,
  roots: Pick<Roots, "runIds" | "results" | "digests">,
  before: Date,
): Promise<Unused> {
  await noteUnlisted({ db, blobs });
  const needed = new Set<Digest>([...roots.digests, ...(await listPublishedDigests(db))]);
  for (const { outputs } of roots.results) {
    for (const { digest } of Object.values(outputs)) needed.add(digest);
  }
  const ids = roots.results.map(({ id }) => id);
  for (const digest of await listLogDigests(db, ids)) needed.add(digest);
  for await (const digest of listRunDigests(db, roots.runIds)) needed.add(digest);
  const wholes = new Set(await listWholes(db));
  const there: KeptBlob[] = [];
  for await (const blob of blobs.list()) there.push(blob);
  await addContents(db, needed, wholes);
  // What lies in a list that was used lately may be older itself.
  const held = new Set(there.filter(({ usedAt }) => usedAt >= before).map(({ digest }) => digest));
  await addContents(db, held, wholes);
  const others = there.filter(({ digest }) => !needed.has(digest));
  const old = others.filter(({ digest }) => !held.has(digest));
  return {
    before,
    levels: await inLevels(db, old, wholes),
    kept: amountOf(there.filter(({ digest }) => needed.has(digest))),
    young: amountOf(others.filter(({ digest }) => held.has(digest))),
  };
}

/** Adds to some blobs what lies in those that are lists. */
export async function addContents(
  db: Db,
  digests: Set<Digest>,
  wholes: ReadonlySet<Digest>,
): Promise<void> {
  for (let next = [...digests].filter((digest) => wholes.has(digest)); next.length > 0;) {
    const nested: Digest[] = [];
    for await (const digest of listPartsOf(db, next)) {
      if (!digests.has(digest) && wholes.has(digest)) nested.push(digest);
      digests.add(digest);
    }
    next = nested;
  }
}

async function inLevels(
  db: Db,
  blobs: readonly KeptBlob[],
  wholes: ReadonlySet<Digest>,
): Promise<Unused["levels"]> {
  const lists = blobs.filter(({ digest }) => wholes.has(digest));
  const nested = new Set<Digest>();
  const digests = lists.map(({ digest }) => digest);
  for await (const digest of listPartsOf(db, digests)) if (wholes.has(digest)) nested.add(digest);
  return [
    lists.filter(({ digest }) => !nested.has(digest)),
    lists.filter(({ digest }) => nested.has(digest)),
    blobs.filter(({ digest }) => !wholes.has(digest)),
  ];
}

/** Adds blobs up. */
export function amountOf(blobs: readonly KeptBlob[]): Amount {
  let [bytes, storedBytes] = [0, 0];
  for (const blob of blobs) {
    bytes += blob.bytes;
    storedBytes += blob.storedBytes;
  }
  return { blobs: blobs.length, bytes, storedBytes };
}

/**
 * Removes what was found, but for what somebody has put or found since; says what went. Where it is killed in between, no list is there
 * whose files are not: what it has not come to goes the next time.
 */
export async function sweep(
  { blobs }: Store,
  { levels, before }: Pick<Unused, "levels" | "before">,
  signal: AbortSignal,
): Promise<readonly KeptBlob[]> {
  const gone: KeptBlob[] = [];
  for (const level of levels) {
    for (let from = 0; from < level.length; from += REMOVED_AT_ONCE) {
      signal.throwIfAborted();
      const batch = level.slice(from, from + REMOVED_AT_ONCE);
      const digests = batch.map(({ digest }) => digest);
      const removed = new Set(await blobs.removeUnused(digests, before));
      for (const blob of batch) if (removed.has(blob.digest)) gone.push(blob);
    }
  }
  return gone;
}

/** Tells and removes what killed puts have left. */
export function sweepLeftovers(
  { blobs }: Store,
  before: Date,
  isDryRun: boolean,
): Promise<Leftovers> {
  return blobs.leftovers(before, isDryRun ? "tell" : "remove");
}

/** Forgets runs that are not kept and results that no run has seen then; null while a run is going on. */
export function sweepRecords(
  { db }: Store,
  roots: Pick<Roots, "otherRunIds">,
  keptResults: readonly string[],
  before: Date,
  isDryRun: boolean,
): Promise<GoneRecords | null> {
  const old = { runIds: roots.otherRunIds, before, keptResults };
  return deleteRecords(db, old, isDryRun ? "tell" : "remove");
}

/** Notes what lies in lists of which it is not known yet: from before that was noted. */
async function noteUnlisted({ db, blobs }: Store): Promise<void> {
  const access = plainAccess(blobs);
  for (const { digest, codec } of await findUnlisted(db)) {
    if (!(await blobs.has(digest))) continue;
    try {
      await noteParts(db, digest, await readFiles(access, { digest, codec }));
    } catch (error) {
      // One that is damaged is made again when it is read, and its files with it.
      if (error instanceof BlobError) continue;
      throw new HdashError("permanent", `what lies in ${codec} ${digest} is not known`, {
        cause: error,
      });
    }
  }
}
