// Files on their way at the same time, and none begun after one has failed.

import pLimit from "p-limit";

/** They are small, and each is a round trip. */
const FILES_AT_ONCE = 8;

/** Does the work for every item, a few at once; after the first that fails no other is begun. */
export async function mapAtOnce<T, R>(
  items: readonly T[],
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const limit = pLimit(FILES_AT_ONCE);
  try {
    return await Promise.all(items.map((item) => limit(() => work(item))));
  } catch (error) {
    limit.clearQueue();
    throw error;
  }
}
