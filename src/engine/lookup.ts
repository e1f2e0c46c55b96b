// What is known of keys: asked for many at once, since a statement for each would be most of the time of a run that has nothing to do.

import type { Digest } from "../digest.ts";
import type { StoredBlob } from "../store/blobs.ts";
import { findResults, type StoredResult } from "../store/results.ts";
import type { Db } from "../store/schema.ts";
import type { BlobAccess } from "./blobAccess.ts";

/** What is known of a key. "gone": there was a result, but blobs of it are not there any more that should be. */
export type Lookup =
  { readonly kind: "found"; readonly stored: StoredResult } | { readonly kind: "none" | "gone" };

/** Looks keys up, and whether the blobs of their results are there. Keys of which nothing is known are missing. */
export async function lookUp(
  db: Db,
  access: BlobAccess,
  keys: readonly string[],
): Promise<ReadonlyMap<string, Lookup>> {
  const results = await access.withLedger("looking results up", () => findResults(db, keys));
  const blobs = new Map<Digest, StoredBlob>();
  for (const { outputs } of results.values()) {
    for (const { digest, bytes } of Object.values(outputs)) blobs.set(digest, { digest, bytes });
  }
  const missing = new Set(
    await access.withLedger("looking blobs up", () => access.blobs.missing([...blobs.values()])),
  );
  const found = new Map<string, Lookup>();
  for (const [key, stored] of results) {
    const isGone = Object.values(stored.outputs).some(
      ({ digest, temporary }) => temporary !== true && missing.has(digest),
    );
    found.set(key, isGone ? { kind: "gone" } : { kind: "found", stored });
  }
  return found;
}

/** Asks for many keys at once what is asked for one by one at the same time. */
export function bundled<T>(
  ask: (keys: readonly string[]) => Promise<ReadonlyMap<string, T>>,
): (key: string) => Promise<T | undefined> {
  let asked = new Map<string, PromiseWithResolvers<T | undefined>>();

  async function answer(): Promise<void> {
    const questions = asked;
    asked = new Map();
    try {
      const answers = await ask([...questions.keys()]);
      for (const [key, question] of questions) question.resolve(answers.get(key));
    } catch (error) {
      for (const question of questions.values()) question.reject(error);
    }
  }

  return (key) => {
    const same = asked.get(key);
    if (same !== undefined) return same.promise;
    if (asked.size === 0) setImmediate(() => void answer());
    const question = Promise.withResolvers<T | undefined>();
    asked.set(key, question);
    return question.promise;
  };
}
