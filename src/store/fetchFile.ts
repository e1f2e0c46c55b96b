// What a bucket sends, written to a file of this disk and digested on the way.

import { createHash } from "node:crypto";
import { open, rm } from "node:fs/promises";

import type { Digest } from "../digest.ts";
import { diskRemedy, HdashError, messageOf } from "../error.ts";
import type { FetchedObject } from "./bucket.ts";

/** Writes a body to a new file, for its owner alone. What fails leaves no file. Throws a permanent error where the disk refuses. */
export async function writeBody(
  body: AsyncIterable<Uint8Array>,
  path: string,
): Promise<FetchedObject> {
  const handle = await onPath(path, () => open(path, "wx", 0o600));
  try {
    return await digestPieces(body, (piece) => onPath(path, () => handle.writeFile(piece)));
  } catch (error) {
    await rm(path, { force: true });
    throw error;
  } finally {
    await handle.close();
  }
}

/** Digests pieces, one after the other; `take` is given each. */
export async function digestPieces(
  pieces: AsyncIterable<Uint8Array>,
  take: (piece: Uint8Array) => Promise<void> | void,
): Promise<FetchedObject> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of pieces) {
    hash.update(piece);
    bytes += piece.byteLength;
    await take(piece);
  }
  return { bytes, digest: hash.digest("hex") as Digest };
}

/** Says which file an error is of: what is wrong with the body is the bucket's affair. */
async function onPath<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const remedy = diskRemedy(error, path, "HDASH_HOME");
    throw new HdashError("permanent", `${path} cannot be written: ${messageOf(error)}${remedy}`, {
      cause: error,
    });
  }
}
