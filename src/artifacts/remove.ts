// Removes a namespace from the buckets: everything whose key begins with its name and a slash, and nothing else.

import type { S3Bucket } from "../store/s3Bucket.ts";

/** What a namespace has in one bucket. */
export interface Holding {
  readonly bucket: S3Bucket;
  /** "s3://bucket/namespace/": the slash is what tells foo from foo-bar. */
  readonly place: string;
  readonly objects: number;
  readonly bytes: number;
}

/** Counts what a namespace has in each of its buckets; those with nothing are left out. */
export async function findHoldings(
  buckets: readonly S3Bucket[],
  signal?: AbortSignal,
): Promise<readonly Holding[]> {
  const holdings: Holding[] = [];
  for (const bucket of buckets) {
    const held = { objects: 0, bytes: 0 };
    for await (const { bytes } of bucket.listWhole(signal)) {
      held.objects++;
      held.bytes += bytes;
    }
    if (held.objects > 0) holdings.push({ bucket, place: `${bucket.uri}/`, ...held });
  }
  return holdings;
}

/** Deletes everything of a holding and returns how many objects went: those too that came after it was counted. */
export async function removeHolding({ bucket }: Holding, signal?: AbortSignal): Promise<number> {
  return bucket.clear(() => false, signal);
}
