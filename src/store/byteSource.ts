// Bytes of known length that can be read more than once: what is put somewhere by streaming, and read anew where a put has to begin again.

import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";

import type { Digest } from "../digest.ts";
import { HdashError, messageOf } from "../error.ts";
import { readFilePieces } from "./filePieces.ts";

export interface ByteSource {
  /** Names it in messages. */
  readonly name: string;
  readonly bytes: number;
  /** Reads all of it, from the first byte on, each time it is called. */
  open(): AsyncIterable<Uint8Array>;
}

/** Makes a source of a file. Throws a permanent error where it is none, and while it is read where it cannot be. */
export async function fileSource(path: string): Promise<ByteSource> {
  const failed = (error: unknown) =>
    new HdashError("permanent", `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  let bytes: number;
  try {
    const stats = await stat(path);
    if (!stats.isFile()) throw new Error("it is no file");
    bytes = stats.size;
  } catch (error) {
    throw failed(error);
  }
  return {
    name: path,
    bytes,
    async *open() {
      try {
        yield* readFilePieces(path);
      } catch (error) {
        throw failed(error);
      }
    },
  };
}

/** Makes a source of what is in memory already. */
export function bytesSource(bytes: Uint8Array, name: string): ByteSource {
  return {
    name,
    bytes: bytes.byteLength,
    async *open() {
      if (bytes.byteLength > 0) yield bytes;
    },
  };
}

/** Digests a source. */
export async function digestSource(source: ByteSource): Promise<Digest> {
  const hash = createHash("sha256");
  for await (const piece of source.open()) hash.update(piece);
  return hash.digest("hex") as Digest;
}

/** Throws a permanent error where a source gave something else than it promised, or than it was said to give. */
export function checkGiven(
  source: ByteSource,
  given: { readonly bytes: number; readonly digest: Digest },
  wanted: Digest | undefined,
): void {
  if (given.bytes !== source.bytes) {
    const lengths = `it had ${source.bytes} bytes, and gave ${given.bytes}`;
    throw new HdashError("permanent", `${source.name} changed while it was read: ${lengths}`);
  }
  if (wanted === undefined || given.digest === wanted) return;
  throw new HdashError(
    "permanent",
    `${source.name} is not what was to be put: its SHA-256 is ${given.digest}, not ${wanted}`,
  );
}
