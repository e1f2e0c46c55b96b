// Blobs in the database, for workers that share nothing else: 1 MiB pieces, each compressed by itself. A piece's bytes follow from the
// blob's, so putting the same blob twice at once, or again after a kill, is harmless; the row in `blob` comes last and makes it count.

import { createHash } from "node:crypto";
import { promisify } from "node:util";
import { zstdCompress, zstdCompressSync, zstdDecompress, zstdDecompressSync } from "node:zlib";

import { sql } from "kysely";

import { type Digest, digestOf } from "../digest.ts";
import { HdashError, messageOf } from "../error.ts";
import {
  deleteBlobs,
  deleteLooseChunks,
  deleteUnused,
  findBlobs,
  findLooseChunks,
  insertChunked,
  listBlobs,
  useBlobs,
  usedAgain,
} from "./blobRows.ts";
import {
  BlobError,
  type BlobStore,
  copyOut,
  type Leftovers,
  readAll,
  type StoredBlob,
} from "./blobs.ts";
import { readFilePieces, readSmallFile } from "./filePieces.ts";
import type { Db } from "./schema.ts";

/** Small enough to hold a few in memory for each of eight steps, large enough to compress well. */
const CHUNK_BYTES = 1024 * 1024;

const compressAside = promisify(zstdCompress);
const decompressAside = promisify(zstdDecompress);
/** What is smaller is packed at once: handing it to another thread takes 0.1 ms more of CPU, and this 0.03 ms at most. */
const PACKED_AT_ONCE_BYTES = 32 * 1024;
const UNPACKED_AT_ONCE_BYTES = 4 * 1024;

function compress(bytes: Uint8Array): Buffer | Promise<Buffer> {
  return bytes.byteLength <= PACKED_AT_ONCE_BYTES ? zstdCompressSync(bytes) : compressAside(bytes);
}
function decompress(bytes: Uint8Array): Buffer | Promise<Buffer> {
  return bytes.byteLength <= UNPACKED_AT_ONCE_BYTES
    ? zstdDecompressSync(bytes)
    : decompressAside(bytes);
}

/** Opens the blobs of a ledger. */
export function openDatabaseBlobs(db: Db): BlobStore {
  async function put(bytes: Uint8Array): Promise<StoredBlob> {
    const digest = digestOf(bytes);
    if (bytes.byteLength <= CHUNK_BYTES) {
      await insertSmall(db, digest, bytes);
      return { digest, bytes: bytes.byteLength };
    }
    if (await isUsed(digest)) return { digest, bytes: bytes.byteLength };
    let stored = 0;
    let n = 0;
    for (let at = 0; at < bytes.byteLength; at += CHUNK_BYTES) {
      stored += await insertChunk(db, digest, n++, bytes.subarray(at, at + CHUNK_BYTES));
    }
    await enter(digest, { bytes: bytes.byteLength, stored, chunks: n });
    return { digest, bytes: bytes.byteLength };
  }

  async function putFile(path: string): Promise<StoredBlob> {
    const whole = await onFile(path, () => readSmallFile(path, CHUNK_BYTES));
    if (whole !== null) return put(whole);
    // Twice over the file: its digest has to be known before the first piece can be stored.
    const hash = createHash("sha256");
    for await (const chunk of readChunks(path)) hash.update(chunk);
    const digest = hash.digest("hex") as Digest;
    const known = (await useBlobs(db, [digest], null)).get(digest);
    if (known !== undefined) return { digest, bytes: known.bytes };
    const again = createHash("sha256");
    let [bytes, stored, chunks] = [0, 0, 0];
    for await (const chunk of readChunks(path)) {
      again.update(chunk);
      bytes += chunk.byteLength;
      stored += await insertChunk(db, digest, chunks++, chunk);
    }
    if (again.digest("hex") !== digest) {
      throw new HdashError("permanent", `${path} changed while it was stored as a blob`);
    }
    await enter(digest, { bytes, stored, chunks });
    return { digest, bytes };
  }

  async function enter(digest: Digest, row: Parameters<typeof insertChunked>[2]): Promise<void> {
    if (await insertChunked(db, digest, row)) return;
    throw new HdashError(
      "transient",
      `pieces of blob ${digest} were removed while it was stored in ${PLACE}`,
    );
  }

  async function isUsed(digest: Digest): Promise<boolean> {
    return (await useBlobs(db, [digest], null)).has(digest);
  }

  async function has(digest: Digest): Promise<boolean> {
    return (await readRow(db, digest)) !== null;
  }

  async function* stream(digest: Digest): AsyncIterable<Uint8Array> {
    const { first, chunks } = await readFirst(db, digest);
    const hash = createHash("sha256");
    hash.update(first);
    yield first;
    for (let n = 1; n < chunks; n++) {
      const chunk = await readChunk(db, digest, n);
      hash.update(chunk);
      yield chunk;
    }
    if (hash.digest("hex") !== digest) throw damaged(digest);
  }

  return {
    put,
    putFile,
    has,
    stream,

    async missing(blobs) {
      const digests = blobs.map(({ digest }) => digest);
      const found = await useBlobs(db, digests, null);
      return digests.filter((digest) => !found.has(digest));
    },

    read: (digest) => readAll(stream(digest)),

    localFile: (digest, dir) => copyOut(digest, stream(digest), dir),

    async remove(digest) {
      await db.transaction().execute(async (trx) => {
        await trx.deleteFrom("blob").where("digest", "=", digest).execute();
        await trx.deleteFrom("blob_chunk").where("digest", "=", digest).execute();
      });
    },

    async *list() {
      for await (const { digest, bytes, stored, usedAt } of listBlobs(db, null)) {
        yield { digest, bytes, storedBytes: stored, place: "database", usedAt };
      }
    },

    removeUnused: (digests, before) =>
      removeRows(db, digests, before, null, () => Promise.resolve()),

    leftovers: (_before, what) => tellLooseChunks(db, what),

    async clear() {
      return db.transaction().execute(async (trx) => {
        await trx.deleteFrom("blob_chunk").execute();
        return deleteBlobs(trx);
      });
    },
  };
}

/**
 * Removes the rows of blobs that may go, and their chunks; `removeElsewhere` removes what lies outside of the database before they are
 * gone for others, who wait for that.
 */
export async function removeRows(
  db: Db,
  digests: readonly Digest[],
  before: Date | null,
  place: string | null,
  removeElsewhere: (digests: readonly Digest[]) => Promise<void>,
): Promise<readonly Digest[]> {
  if (digests.length === 0) return [];
  return db.transaction().execute(async (trx) => {
    const rows = await deleteUnused(trx, digests, before, place);
    const gone = rows.map(({ digest }) => digest);
    await trx
      .deleteFrom("blob_chunk")
      .where("digest", "=", sql<string>`any(${gone}::text[])`)
      .execute();
    await removeElsewhere(rows.flatMap((row) => (row.place === null ? [] : [row.digest])));
    return gone;
  });
}

/** What puts have left that were killed before their blob's row. Of one that goes on no more is taken than it can make again. */
async function tellLooseChunks(db: Db, what: "tell" | "remove"): Promise<Leftovers> {
  const loose = await findLooseChunks(db);
  if (what === "remove" && loose.length > 0) {
    await deleteLooseChunks(
      db,
      loose.map(({ digest }) => digest),
    );
  }
  return { count: loose.length, bytes: loose.reduce((sum, { bytes }) => sum + bytes, 0) };
}

/** A blob of one piece, in one statement: its row first, for which it waits where somebody removes the blob. */
async function insertSmall(db: Db, digest: Digest, bytes: Uint8Array): Promise<void> {
  const packed = await compress(bytes);
  await sql`
    with own as (
      insert into blob (digest, bytes, stored_bytes, chunks, encoding)
      values (${digest}, ${bytes.byteLength}, ${packed.byteLength}, 1, 'zstd')
      ${usedAgain()} returning digest
    )
    insert into blob_chunk (digest, n, bytes)
    select ${digest}, 0, ${packed} where (select count(*) from own) >= 0
    on conflict do nothing`.execute(db);
}

async function insertChunk(db: Db, digest: Digest, n: number, bytes: Uint8Array): Promise<number> {
  const packed = await compress(bytes);
  await db
    .insertInto("blob_chunk")
    .values({ digest, n, bytes: packed })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  return packed.byteLength;
}

async function readRow(db: Db, digest: Digest) {
  return (await findBlobs(db, [digest], null)).get(digest) ?? null;
}

/** Reads how many pieces a blob has, and the first of them: for most blobs that is all. */
async function readFirst(
  db: Db,
  digest: Digest,
): Promise<{ readonly first: Uint8Array; readonly chunks: number }> {
  const row = await db
    .selectFrom("blob as b")
    .leftJoin("blob_chunk as c", (join) =>
      join.onRef("c.digest", "=", "b.digest").on("c.n", "=", 0),
    )
    .select(["b.chunks", "c.bytes"])
    .where("b.digest", "=", digest)
    .where("b.place", "is", null)
    .executeTakeFirst();
  if (row === undefined) throw missing(digest);
  if (row.bytes === null) throw damaged(digest);
  return { first: await unpack(digest, row.bytes), chunks: row.chunks };
}

async function readChunk(db: Db, digest: Digest, n: number): Promise<Uint8Array> {
  const row = await db
    .selectFrom("blob_chunk")
    .select("bytes")
    .where("digest", "=", digest)
    .where("n", "=", n)
    .executeTakeFirst();
  if (row === undefined) throw damaged(digest);
  return unpack(digest, row.bytes);
}

async function unpack(digest: Digest, packed: Uint8Array): Promise<Uint8Array> {
  try {
    return await decompress(packed);
  } catch (error) {
    throw damaged(digest, error);
  }
}

/** Reads a file in pieces of exactly CHUNK_BYTES, but for the last. An empty file has one empty piece. */
async function* readChunks(path: string): AsyncIterable<Uint8Array> {
  const pending = Buffer.alloc(CHUNK_BYTES);
  let filled = 0;
  let isEmpty = true;
  try {
    for await (const part of readFilePieces(path)) {
      isEmpty = false;
      for (let at = 0; at < part.byteLength;) {
        const copied = part.copy(pending, filled, at);
        filled += copied;
        at += copied;
        if (filled === CHUNK_BYTES) {
          yield Buffer.from(pending);
          filled = 0;
        }
      }
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  if (filled > 0 || isEmpty) yield Buffer.from(pending.subarray(0, filled));
}

async function onFile<T>(path: string, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw unreadable(path, error);
  }
}

function unreadable(path: string, error: unknown): HdashError {
  if (error instanceof HdashError) return error;
  return new HdashError("permanent", `${path} cannot be read: ${messageOf(error)}`, {
    cause: error,
  });
}

const PLACE = "the database";

function missing(digest: Digest): BlobError {
  return new BlobError(digest, "missing", PLACE);
}

function damaged(digest: Digest, cause?: unknown): BlobError {
  return new BlobError(digest, "damaged", PLACE, cause === undefined ? {} : { cause });
}
