// What hdash believes is live on each site: a row per published object.

import { sql } from "kysely";

import type { Digest } from "../digest.ts";
import type { Db } from "./schema.ts";

/** A row of the publication table: what hdash believes is live. */
export interface Publication {
  readonly path: string;
  /** The pipeline that published it. */
  readonly owner: string;
  readonly digest: Digest;
  /** Empty where the object was about to be put: it may be there or not. */
  readonly etag: string;
  readonly scope: string | null;
  readonly contentType: string;
  readonly bytes: number;
}

/** Where publications are remembered; keyed by site (the bucket's uri). */
export interface PublicationStore {
  /** Lists the rows of every owner. */
  list(site: string): Promise<readonly Publication[]>;
  /** Inserts or replaces one row, before its object is put and again as soon as it is. */
  save(site: string, publication: Publication): Promise<void>;
  remove(site: string, path: string): Promise<void>;
}

/** Opens the publications of a ledger. */
export function openPublications(db: Db): PublicationStore {
  return {
    list: (site) => listPublications(db, site),
    save: (site, publication) => savePublication(db, site, publication),
    remove: (site, path) => removePublication(db, site, path),
  };
}

async function listPublications(db: Db, site: string): Promise<readonly Publication[]> {
  const rows = await db
    .selectFrom("publication")
    .select(["path", "owner", "digest", "etag", "scope", "content_type", "bytes"])
    .where("site", "=", site)
    .execute();
  // Sorted here, because Postgres would sort by the server's locale.
  return rows
    .map(({ digest, content_type: contentType, bytes, ...row }) => ({
      ...{ ...row, digest: digest as Digest },
      ...{ contentType, bytes: Number(bytes) },
    }))
    .sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Lists the pipelines that have published something of a scope on a site: of one that has none left, there is but an empty list. */
export async function listOwners(db: Db, site: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("publication")
    .select("owner")
    .distinct()
    .where("site", "=", site)
    .where("scope", "is not", null)
    .where("etag", "<>", "")
    .execute();
  return rows.map(({ owner }) => owner).sort();
}

/** Lists who has published something below a folder of a site. */
export async function listUnder(db: Db, site: string, folder: string): Promise<readonly string[]> {
  const rows = await db
    .selectFrom("publication")
    .select("owner")
    .distinct()
    .where("site", "=", site)
    .where((eb) => eb.fn<boolean>("starts_with", ["path", eb.val(folder)]))
    .where("etag", "<>", "")
    .execute();
  return rows.map(({ owner }) => owner).sort();
}

async function savePublication(
  db: Db,
  site: string,
  { path, owner, digest, etag, scope, contentType, bytes }: Publication,
): Promise<void> {
  const values = { owner, digest, etag, scope, content_type: contentType, bytes };
  // The run that publishes is the one that holds the site's lease.
  const runId = sql<string>`(select id from run where publishing_site = ${site} and status in ('running', 'cancelled'))`;
  const publishedAt = sql<Date>`now()`;
  await db
    .insertInto("publication")
    .values({ site, path, ...values, run_id: runId, published_at: publishedAt })
    .onConflict((conflict) =>
      conflict
        .columns(["site", "path"])
        .doUpdateSet({ ...values, run_id: runId, published_at: publishedAt }),
    )
    .execute();
}

async function removePublication(db: Db, site: string, path: string): Promise<void> {
  await db.deleteFrom("publication").where("site", "=", site).where("path", "=", path).execute();
}
