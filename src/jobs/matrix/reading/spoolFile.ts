// The private file of a spool: chunks of entries in the order in which their buckets were full, found again by bucket.

import { closeSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { rm } from "node:fs/promises";
import { dirname } from "node:path";

import { codeOf, HdashError } from "../../../error.ts";
import { number } from "../../../format.ts";
import { type Chunk, PLACE_BYTES } from "./spoolChunks.ts";

/** Where full chunks go. */
export interface SpoolFile {
  /** How many buckets there are. */
  readonly buckets: number;
  /** Writes the chunk that a bucket has gathered, and empties it; `total` entries came so far. */
  write(bucket: number, total: number): void;
  /** Gives a bucket's chunks in the order in which they came, each in the memory of the last, and then what is still gathered. */
  chunksOf(bucket: number, room: Chunk): Generator<Chunk>;
  remove(): Promise<void>;
}

/** Chunks of each bucket, ascending: those of bucket b are chunks[starts[b]] to chunks[starts[b + 1] - 1]. */
interface ChunkIndex {
  readonly starts: Uint32Array;
  readonly chunks: Uint32Array;
}

/** Makes what writes the chunks of `gathered`, one for each bucket, to a file that is made with the first of them. */
export function makeSpoolFile(
  path: string,
  gathered: Chunk,
  buckets: number,
  places: number,
): SpoolFile {
  const chunkBytes = places * PLACE_BYTES;
  const chunkWords = chunkBytes / 4;
  /** The bucket of each chunk of the file. */
  let owners = new Uint32Array(1024);
  let chunks = 0;
  let file: number | null = null;
  /** Made once, at the first pass. */
  let index: ChunkIndex | null = null;

  function write(bucket: number, total: number): void {
    try {
      file ??= openSync(path, "wx+", 0o600);
      const bytes = gathered.bytes.subarray(bucket * chunkBytes, (bucket + 1) * chunkBytes);
      for (let done = 0; done < chunkBytes;) {
        done += writeSync(file, bytes, done, chunkBytes - done, chunks * chunkBytes + done);
      }
    } catch (error) {
      throw scratchError(error, `${number(total)} entries of a matrix`, dirname(path));
    }
    if (chunks === owners.length) {
      const larger = new Uint32Array(owners.length * 2);
      larger.set(owners);
      owners = larger;
    }
    owners[chunks++] = bucket;
    gathered.words[bucket * chunkWords] = 1;
  }

  function* chunksOf(bucket: number, room: Chunk): Generator<Chunk> {
    index ??= chunksByBucket(owners, chunks, buckets);
    const from = index.starts[bucket] ?? 0;
    const to = index.starts[bucket + 1] ?? 0;
    for (let at = from; at < to; at++) {
      const position = (index.chunks[at] ?? 0) * chunkBytes;
      for (let done = 0; done < chunkBytes;) {
        const got = readSync(file ?? -1, room.bytes, done, chunkBytes - done, position + done);
        if (got === 0)
          throw new HdashError("permanent", "the spool of a matrix was cut off on disk");
        done += got;
      }
      yield room;
    }
    const last = {
      words: gathered.words.subarray(bucket * chunkWords, (bucket + 1) * chunkWords),
      bytes: gathered.bytes.subarray(bucket * chunkBytes, (bucket + 1) * chunkBytes),
    };
    // The first place that is free: 1 where nothing was gathered.
    if ((last.words[0] ?? 0) > 1) yield last;
  }

  async function remove(): Promise<void> {
    if (file === null) return;
    const descriptor = file;
    file = null;
    ftruncateSync(descriptor);
    closeSync(descriptor);
    await rm(path, { force: true });
  }

  return { buckets, write, chunksOf, remove };
}

function chunksByBucket(owners: Uint32Array, chunks: number, buckets: number): ChunkIndex {
  const starts = new Uint32Array(buckets + 1);
  for (let chunk = 0; chunk < chunks; chunk++) {
    const after = (owners[chunk] ?? 0) + 1;
    starts[after] = (starts[after] ?? 0) + 1;
  }
  for (let bucket = 0; bucket < buckets; bucket++) {
    starts[bucket + 1] = (starts[bucket + 1] ?? 0) + (starts[bucket] ?? 0);
  }
  const next = starts.slice();
  const byBucket = new Uint32Array(chunks);
  for (let chunk = 0; chunk < chunks; chunk++) {
    const bucket = owners[chunk] ?? 0;
    const at = next[bucket] ?? 0;
    byBucket[at] = chunk;
    next[bucket] = at + 1;
  }
  return { starts, chunks: byBucket };
}

/** Tells what went wrong in a scratch folder; a full disk is told apart, with what to do. */
export function scratchError(error: unknown, what: string, dir: string): HdashError {
  const code = codeOf(error);
  if (code === "ENOSPC" || code === "EFBIG" || code === "EDQUOT") {
    const remedy = `free some space on the disk of ${dir}, or name a folder on a larger one (HDASH_HOME; TMPDIR for \`hdash matrix stats\`)`;
    return new HdashError(
      "permanent",
      `there is no room on the scratch disk for ${what}; ${remedy}`,
      { cause: error },
    );
  }
  return new HdashError("permanent", `${what} could not be put into the scratch folder`, {
    cause: error,
  });
}
