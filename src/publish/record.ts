// The ledger's record of what lies in a bucket: a row before an object is put, its etag as soon as it is, and no row any more once it is gone.
// So a process may die at any time: the next knows what it has to look after, and never takes another's object for its own.

import { HdashError } from "../error.ts";
import type { Log } from "../log.ts";
import { retry, type RetryPolicy } from "../retry.ts";
import type { Bucket } from "../store/bucket.ts";
import type { Publication, PublicationStore } from "../store/publications.ts";

/** How long the ledger is waited for: about 15 seconds in all, as the engine does, since a place half put is worth waiting for. */
const LEDGER_RETRY: RetryPolicy = { attempts: 8, minDelayMs: 200, maxDelayMs: 4000 };
/** How many files one request deletes before their rows are taken out of the ledger: as many as S3 takes at a time. */
const DELETE_BATCH = 1000;

/** What there is to say of an object before it is put. */
export type NewPublication = Omit<Publication, "etag">;

export interface PlaceRecord {
  readonly bucket: Bucket;
  /** Lists the rows of every owner. */
  list(signal: AbortSignal): Promise<readonly Publication[]>;
  save(row: Publication, signal: AbortSignal): Promise<void>;
  /**
   * Puts an object and keeps its row.
   * @param isForeign tells that an object has this path which has no row: none is saved before ours has replaced it, since a row would let
   * the next run delete the other's.
   */
  put(
    row: NewPublication,
    before: { readonly isKnown: boolean; readonly isForeign: boolean },
    put: () => Promise<string>,
    signal: AbortSignal,
  ): Promise<Publication>;
  /** Deletes objects and their rows; `onDone` is told how many more went. */
  remove(
    paths: readonly string[],
    signal: AbortSignal,
    onDone?: (more: number) => void,
  ): Promise<void>;
}

/** Opens the record of a bucket. It tries again by `policy` before it throws a transient error of the ledger. */
export function openRecord(options: {
  readonly bucket: Bucket;
  readonly publications: PublicationStore;
  readonly log: Log;
  readonly policy?: RetryPolicy | undefined;
}): PlaceRecord {
  const { bucket, publications, log, policy = LEDGER_RETRY } = options;
  const place = bucket.uri;

  /** Uses the ledger, trying again. A run that was told to stop has no time for that: it tries once, so that what it just put is remembered. */
  async function keep<T>(subject: string, signal: AbortSignal, use: () => Promise<T>): Promise<T> {
    if (signal.aborted) return use();
    return retry(subject, policy, use, {
      signal,
      onRetry: ({ reason, attempt }) =>
        log.warn(`${subject}: ${reason}; trying again`, { attempt }),
    });
  }

  const save: PlaceRecord["save"] = (row, signal) =>
    keep(`noting ${row.path} on ${place}`, signal, () => publications.save(place, row));

  return {
    bucket,
    save,
    list: (signal) => keep(`reading what is on ${place}`, signal, () => publications.list(place)),
    async put(row, { isKnown, isForeign }, put, signal) {
      // If the process dies between this and the put, the next run knows the object and can delete it.
      if (!isKnown && !isForeign) await save({ ...row, etag: "" }, signal);
      const done = { ...row, etag: await put() };
      // At once: by the etag the next run sees that the object is right, and does not put it again.
      await save(done, signal);
      return done;
    },
    async remove(paths, signal, onDone = () => {}) {
      for (let start = 0; start < paths.length; start += DELETE_BATCH) {
        const batch = paths.slice(start, start + DELETE_BATCH);
        await bucket.delete(batch, signal);
        for (const path of batch) {
          await keep(`forgetting ${path} on ${place}`, signal, () =>
            publications.remove(place, path),
          );
        }
        onDone(batch.length);
      }
    },
  };
}

/** Throws a permanent error where one of the paths is another owner's: two pipelines that share a place must not overwrite each other's. */
export function checkOwner(
  place: string,
  owner: string,
  paths: readonly string[],
  recorded: readonly Publication[],
): void {
  const others = new Map(
    recorded.filter((row) => row.owner !== owner).map((row) => [row.path, row.owner]),
  );
  for (const path of paths) {
    const other = others.get(path);
    if (other === undefined) continue;
    throw new HdashError(
      "permanent",
      `${owner} cannot publish ${path} on ${place}: it belongs to ${other}`,
      { hint: "Publish one of them elsewhere: give it a bucket, a prefix or a folder of its own." },
    );
  }
}
