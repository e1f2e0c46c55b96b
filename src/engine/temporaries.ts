// Temporary outputs: their bytes may go when no step waits for them, and a result without them is a hit all the same. Where a step needs
// some, who made them does so again, before that step begins.

import { count } from "../format.ts";
import type { StoredBlob } from "../store/blobs.ts";
import { BlobError } from "../store/blobs.ts";
import type { BlobAccess } from "./blobAccess.ts";
import { listContents } from "./codec.ts";
import { heal } from "./healing.ts";
import { type InputRecord, isList } from "./ports.ts";
import type { Done } from "./running.ts";
import type { Session } from "./session.ts";
import type { Ref } from "./step.ts";

/** Remembers of what a step gave that its bytes may be missing; what has just been made is there. */
export function noteTemporary(
  session: Session,
  { kind, stored }: Exclude<Done, { readonly kind: "moved" }>,
): void {
  for (const { digest, temporary } of Object.values(stored.outputs)) {
    if (temporary !== true) continue;
    if (kind === "hit") session.mayLackBytes.add(digest);
    else session.mayLackBytes.delete(digest);
  }
}

/** Has all temporary inputs of a step made again whose bytes are missing; asks only for those that may be. */
export async function makeDropped(
  session: Session,
  step: string,
  inputs: InputRecord,
): Promise<void> {
  if (session.mayLackBytes.size === 0) return;
  const refs = new Map<string, Ref<unknown>>();
  for (const ref of Object.values(inputs).flatMap((input) => (isList(input) ? input : [input]))) {
    if (session.mayLackBytes.has(ref.digest)) refs.set(ref.digest, ref);
  }
  const dropped = await listDropped(session, [...refs.values()]);
  if (dropped.length > 0) {
    const what = count(dropped.length, "temporary input");
    session.log.info(
      `${step}: the bytes of ${what} were dropped; ${dropped.length === 1 ? "it is" : "they are"} made again`,
    );
  }
  // All end before one fails: what is being made again is not left behind.
  const made = await Promise.allSettled(dropped.map((ref) => heal(session, ref)));
  const failed = made.find((one) => one.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  for (const digest of refs.keys()) session.mayLackBytes.delete(digest as Ref<unknown>["digest"]);
}

/** Lists outputs of which something is missing. */
export async function listDropped(
  access: BlobAccess,
  refs: readonly Ref<unknown>[],
): Promise<readonly Ref<unknown>[]> {
  const contents = new Map<Ref<unknown>, readonly StoredBlob[] | null>();
  for (const ref of refs) contents.set(ref, await contentsOf(access, ref));
  const all = [...contents.values()].flatMap((own) => own ?? []);
  const missing = new Set(
    all.length === 0
      ? []
      : await access.withLedger("looking blobs up", () => access.blobs.missing(all)),
  );
  return refs.filter(
    (ref) => contents.get(ref)?.some(({ digest }) => missing.has(digest)) !== false,
  );
}

/** Lists all blobs of an output; null where its list is not there. */
async function contentsOf(
  access: BlobAccess,
  ref: Ref<unknown>,
): Promise<readonly StoredBlob[] | null> {
  try {
    return [ref, ...(await listContents(access, ref))];
  } catch (error) {
    if (error instanceof BlobError) return null;
    throw error;
  }
}
