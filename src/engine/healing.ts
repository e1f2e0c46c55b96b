// What is damaged heals: a blob that cannot be read, whenever that is found, is removed and made again by the step that made it, and
// whoever wanted to read it begins anew. Where the step makes something else now, the run starts over, and what read the old reads the new.

import type { Digest } from "../digest.ts";
import { HdashError, messageOf } from "../error.ts";
import { BlobError } from "../store/blobs.ts";
import type { BlobAccess } from "./blobAccess.ts";
import { listContents, readFolders, streamBlob } from "./codec.ts";
import type { Producer, Readable, Session } from "./session.ts";

/**
 * How often one reader has its inputs made again: a list and its files may be damaged one after the other, but what is damaged again and
 * again is a matter of the disk.
 */
export const MAX_HEALS = 3;

/**
 * Remembers who made an output. The first counts: a step that hands on what it was given cannot make it again, who gave it to it can. So
 * nobody waits for himself, either: a producer's inputs were there before its outputs.
 */
export function rememberProducer(session: Session, digest: Digest, producer: Producer): void {
  if (!session.producers.has(digest)) session.producers.set(digest, producer);
}

/** Has an output made again; all who find the same output damaged at the same time wait for the same work. */
export function heal(session: Session, output: Readable): Promise<void> {
  const going = session.healings.get(output.digest);
  if (going !== undefined) return going;
  const own = (async () => {
    session.throwIfStopped();
    const producer = session.producers.get(output.digest);
    if (producer === undefined) {
      throw new HdashError("permanent", `nothing in this run has made blob ${output.digest}`);
    }
    await producer(output);
  })().finally(() => session.healings.delete(output.digest));
  session.healings.set(output.digest, own);
  return own;
}

/** Reads something that belongs to an output; where it is damaged, has the output made again and reads anew. */
export async function readHealed<T>(
  session: Session,
  output: Readable,
  read: () => Promise<T>,
): Promise<T> {
  for (let heals = 0; ; heals++) {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof BlobError)) throw error;
      if (heals === MAX_HEALS) throw hopeless(error);
      await heal(session, output);
    }
  }
}

/** The error of what is damaged each time it was made again. */
export function hopeless(error: BlobError): HdashError {
  return new HdashError(
    "permanent",
    `${messageOf(error)}, although it was made again ${MAX_HEALS} times`,
    { cause: error, hint: "Look after the disk that blobs are kept on." },
  );
}

/** Removes what is damaged of an output, so that it can be put again, and says how much that was. */
export async function removeDamaged(access: BlobAccess, output: Readable): Promise<number> {
  const damaged = await listDamaged(access, output);
  for (const digest of damaged) {
    await access.withLedger(`removing blob ${digest}`, () => access.blobs.remove(digest));
  }
  return damaged.length;
}

async function listDamaged(access: BlobAccess, output: Readable): Promise<readonly Digest[]> {
  if (!(await isIntact(access, output.digest))) return [output.digest];
  if (output.codec === "folders") {
    const all = new Set<Digest>();
    for (const { digest } of await readFolders(access, output.digest)) {
      for (const one of await listDamaged(access, { digest, codec: "folder" })) all.add(one);
    }
    return [...all];
  }
  const damaged: Digest[] = [];
  for (const { digest } of await listContents(access, output)) {
    if (!(await isIntact(access, digest))) damaged.push(digest);
  }
  return damaged;
}

async function isIntact(access: BlobAccess, digest: Digest): Promise<boolean> {
  try {
    for await (const _piece of streamBlob(access, digest));
    return true;
  } catch (error) {
    if (error instanceof BlobError) return false;
    throw error;
  }
}
