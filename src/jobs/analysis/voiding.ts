// Words of trust that are taken back: what was made under them was kept as if other code had made it, and must not be found by that any more.

import { readDocument, userUses } from "../../lineage/document.ts";
import type { Trust } from "../../store/ancestry.ts";
import { voidResults } from "../../store/results.ts";
import type { Db } from "../../store/schema.ts";
import { listMadeSince } from "../../store/trust.ts";

/**
 * Has the results count no more that were made under these words; names their keys. What the old code itself has made since is among them, since
 * nobody can tell: it is done again.
 */
export async function voidTrusted(
  db: Db,
  words: readonly Trust[],
  why: string,
): Promise<readonly string[]> {
  const found = new Map<string, string>();
  for (const { pipeline, step, standsFor, trustedAt } of words) {
    for (const { id, key, document } of await listMadeSince(db, step, trustedAt)) {
      const own = readDocument(document);
      const uses = userUses(own);
      const isMeant = uses?.code === standsFor || uses?.uses === standsFor;
      if (own.pipeline === pipeline && isMeant) found.set(id, key);
    }
  }
  await voidResults(db, [...found.keys()], `its code was trusted, and is no more: ${why}`);
  return [...new Set(found.values())];
}
