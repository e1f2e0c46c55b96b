// What digests of code are of, for people who ask what has changed.

import { sql } from "kysely";

import type { Digest, Json } from "../digest.ts";
import type { Db } from "./schema.ts";
import { storableJson } from "./text.ts";

/** A module or a used file by its path, with the digest of itself alone. */
export interface ListedFile {
  readonly path: string;
  readonly digest: Digest;
}

/** What a digest of code, or of the files that a step uses, consists of. */
export interface CodeListing {
  readonly modules: readonly ListedFile[];
  readonly packages: readonly { readonly name: string; readonly version: string }[];
}

/** Keeps what digests are of; what is known already stays. */
export async function noteListings(
  db: Db,
  listings: ReadonlyMap<Digest, CodeListing>,
): Promise<void> {
  if (listings.size === 0) return;
  const rows = [...listings].map(([digest, listing]) => ({
    digest,
    listing: listing as unknown as Json,
  }));
  await sql`
    insert into code_listing (digest, listing)
    select digest, listing from jsonb_to_recordset(${storableJson(rows)}::jsonb) as row(digest text, listing jsonb)
    on conflict do nothing`.execute(db);
}

/** Reads what digests are of; those that nobody has noted are missing. */
export async function readListings(
  db: Db,
  digests: readonly Digest[],
): Promise<ReadonlyMap<Digest, CodeListing>> {
  if (digests.length === 0) return new Map();
  const rows = await db
    .selectFrom("code_listing")
    .selectAll()
    .where("digest", "=", sql<string>`any(${[...digests]}::text[])`)
    .execute();
  // Written by noteListings and by nobody else.
  return new Map(rows.map(({ digest, listing }) => [digest as Digest, listing as CodeListing]));
}
