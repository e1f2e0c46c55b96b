// What a plan that is played dry was given lies on this machine's disk, and nobody has stored it yet: the plan reads it there.

import { createHash } from "node:crypto";

import type { Digest } from "../digest.ts";
import { HdashError, messageOf } from "../error.ts";
import { type BlobStore, copyOut, readAll } from "../store/blobs.ts";
import { readFilePieces } from "../store/filePieces.ts";
import type { LocalContent, LocalFolder } from "./files.ts";

/** Blobs of which some lie elsewhere. */
export interface LocalBlobs {
  /** As `store`, but that it reads what was noted from where it lies. What is asked without reading, `store` answers alone. */
  readonly blobs: BlobStore;
  note(digest: Digest, content: LocalContent): void;
}

/** Lets blobs be read that are not in a store. */
export function withLocal(store: BlobStore, signal: AbortSignal): LocalBlobs {
  const noted = new Map<Digest, LocalContent>();
  const opened = new Map<Digest, Promise<LocalFolder>>();

  /** The path of a file, or the text of a folder's list; null for what the store has. */
  async function find(digest: Digest): Promise<{ path: string } | { list: string } | null> {
    const content = noted.get(digest);
    if (content === undefined) return null;
    if ("path" in content) return content;
    const opening = opened.get(digest) ?? content.open(signal);
    opened.set(digest, opening);
    const { list, files } = await opening;
    for (const [own, path] of files) if (!noted.has(own)) noted.set(own, { path });
    return { list };
  }

  async function* stream(digest: Digest): AsyncGenerator<Uint8Array> {
    const found = await find(digest);
    if (found === null) yield* store.stream(digest);
    else if ("list" in found) yield Buffer.from(found.list);
    else yield* readFile(found.path, digest);
  }

  const blobs: BlobStore = {
    ...store,
    stream,
    read: async (digest) => (noted.has(digest) ? readAll(stream(digest)) : store.read(digest)),
    localFile: async (digest, dir) =>
      noted.has(digest) ? copyOut(digest, stream(digest), dir) : store.localFile(digest, dir),
  };
  return { blobs, note: (digest, content) => void noted.set(digest, content) };
}

/** Reads a file; throws a transient error at its end where it is not what it was. */
async function* readFile(path: string, digest: Digest): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  try {
    for await (const piece of readFilePieces(path)) {
      hash.update(piece);
      yield piece;
    }
  } catch (error) {
    throw new HdashError("transient", `${path} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (hash.digest("hex") !== digest) {
    throw new HdashError("transient", `${path} has changed since it was looked at`);
  }
}
