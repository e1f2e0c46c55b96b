// The rows that say of each blob how long it is and where it lies: they make it count.

import { sql } from "kysely";

import type { Digest } from "../digest.ts";
import type { Db } from "./schema.ts";

export interface BlobRow {
  readonly bytes: number;
  readonly chunks: number;
  /** The address of the bucket that has it; null: the database. */
  readonly place: string | null;
}

/** Finds blobs that lie in the database, or in `place`: what lies in another bucket cannot be read and is as good as missing. */
export async function findBlobs(
  db: Db,
  digests: readonly Digest[],
  place: string | null,
): Promise<ReadonlyMap<string, BlobRow>> {
  if (digests.length === 0) return new Map();
  const rows = await db
    .selectFrom("blob")
    .select(["digest", "bytes", "chunks", "place"])
    .where("digest", "=", sql<string>`any(${[...digests]}::text[])`)
    .where((eb) => eb.or([eb("place", "is", null), eb("place", "=", place)]))
    .execute();
  return new Map(
    rows.map(({ digest, bytes, chunks, place: own }) => [
      digest,
      { bytes: Number(bytes), chunks, place: own },
    ]),
  );
}

/** Makes a blob count; one that lay in another bucket lies here from now on. */
export async function insertBlob(
  db: Db,
  digest: Digest,
  row: BlobRow & { readonly stored: number },
): Promise<void> {
  const { bytes, stored, chunks, place } = row;
  const encoding = place === null ? "zstd" : "none";
  const values = { bytes, stored_bytes: stored, chunks, encoding, place } as const;
  await db
    .insertInto("blob")
    .values({ digest, ...values })
    .onConflict((conflict) =>
      conflict
        .column("digest")
        .doUpdateSet(values)
        .where("blob.place", "is not", null)
        .where("blob.place", "is distinct from", place),
    )
    .execute();
}

/** Counts and deletes the rows of all blobs, wherever they lie; says how many lay in the database. */
export async function deleteBlobs(db: Db): Promise<number> {
  const rows = await db.deleteFrom("blob").returning("place").execute();
  return rows.filter(({ place }) => place === null).length;
}
