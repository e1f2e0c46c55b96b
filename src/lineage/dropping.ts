// The removal of the bytes of temporary outputs when a run has ended well. What is known of them stays: they are hits without bytes, and who
// needs them has them made again. Lists of files stay, too: a plan may ask what lies in them.

import type { Digest } from "../digest.ts";
import type { StoredBlob } from "../store/blobs.ts";
import type { Database, Db } from "../store/schema.ts";
import {
  findNamedDigests,
  findOutputs,
  findOverlapping,
  type ListedBlob,
  listParts,
  listTemporary,
  whileNobodyWorks,
} from "../store/temporaries.ts";
import { RESULTS_STEP } from "./namedResult.ts";
import type { Store } from "./sweep.ts";

/** What of temporary outputs went. */
export interface Dropped {
  readonly blobs: number;
  readonly bytes: number;
  /** What stays for now, since another run is going on that may need it. */
  readonly waiting: { readonly blobs: number; readonly bytes: number };
}

/** Blobs of one transaction, for as long as which no run can begin. */
const DROPPED_AT_ONCE = 500;

/**
 * Removes the bytes of the temporary outputs of a run that has ended well, and of such as ended well while others went on. What anybody else
 * may need stays: what is a result by name, an output of another kind, a file of a folder that is one, published, or a log.
 */
export async function dropTemporary(
  database: Pick<Database, "db" | "kind">,
  { blobs }: Pick<Store, "blobs">,
  runId: string,
  signal: AbortSignal,
): Promise<Dropped> {
  const { db } = database;
  const there = await listThere(db, blobs, await findOverlapping(db, runId));
  const [gone, waiting] = [
    { blobs: 0, bytes: 0 },
    { blobs: 0, bytes: 0 },
  ];
  for (let from = 0; from < there.length; from += DROPPED_AT_ONCE) {
    signal.throwIfAborted();
    const batch = there.slice(from, from + DROPPED_AT_ONCE);
    const removed = await whileNobodyWorks(database, async (trx) => {
      const free = await listFree(
        trx,
        batch.map(({ digest }) => digest),
      );
      return blobs.removeUnused(free, null);
    });
    const counted = removed === null ? waiting : gone;
    const digests = removed === null ? null : new Set(removed);
    for (const { digest, bytes } of batch) {
      if (digests !== null && !digests.has(digest)) continue;
      counted.blobs++;
      counted.bytes += bytes;
    }
  }
  return { ...gone, waiting };
}

/** Lists what is there of the content of temporary outputs: files, also those of folders and lists. */
async function listThere(
  db: Db,
  blobs: Store["blobs"],
  runIds: readonly string[],
): Promise<readonly StoredBlob[]> {
  const files = new Map<Digest, StoredBlob>();
  let lists: Digest[] = [];
  for (const { digest, bytes, codec } of await listTemporary(db, runIds)) {
    if (codec === "file") files.set(digest, { digest, bytes });
    else lists.push(digest);
  }
  const seen = new Set(lists);
  while (lists.length > 0) {
    const parts = await listParts(db, "whole", lists);
    for (const { digest, bytes } of parts) files.set(digest, { digest, bytes });
    lists = parts.flatMap(({ digest }) => (seen.has(digest) ? [] : [digest]));
    for (const digest of lists) seen.add(digest);
  }
  // What is a list itself stays.
  for (const { whole } of await listParts(db, "whole", [...files.keys()])) files.delete(whole);
  const all = [...files.values()];
  const missing = new Set(all.length === 0 ? [] : await blobs.missing(all));
  return all.filter(({ digest }) => !missing.has(digest));
}

/** Lists those of some files that only temporary outputs have. */
async function listFree(db: Db, files: readonly Digest[]): Promise<readonly Digest[]> {
  const holders = new Map<Digest, Set<Digest>>();
  let next: readonly Digest[] = files;
  const all = new Set<Digest>(files);
  while (next.length > 0) {
    const above: readonly ListedBlob[] = await listParts(db, "part", next);
    for (const { digest, whole } of above) {
      const own = holders.get(digest) ?? new Set();
      holders.set(digest, own.add(whole));
    }
    next = [...new Set(above.map(({ whole }) => whole))].filter((whole) => !all.has(whole));
    for (const whole of next) all.add(whole);
  }
  const outputs = await findOutputs(db, [...all]);
  const kept = new Set(await findNamedDigests(db, [...all], RESULTS_STEP));
  for (const digest of all) {
    const output = outputs.get(digest);
    // A list that nothing in the ledger has may be somebody's who has not come to say so.
    const isSomebodys = output === undefined ? !holders.has(digest) : !output.isTemporary;
    if (isSomebodys) kept.add(digest);
  }
  // What lies in something that is kept is kept, through all lists.
  for (let before = -1; before !== kept.size;) {
    before = kept.size;
    for (const [digest, wholes] of holders) {
      if ([...wholes].some((whole) => kept.has(whole))) kept.add(digest);
    }
  }
  return files.filter((digest) => !kept.has(digest));
}
