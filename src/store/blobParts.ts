// What lies in stored folders and sets of files: from a file's digest to the lists that name it.

import { sql } from "kysely";

import type { Digest } from "../digest.ts";
import type { Db } from "./schema.ts";
import { storableJson } from "./text.ts";

/** A file of a stored list. */
export interface BlobPart {
  readonly path: string;
  readonly digest: Digest;
  readonly bytes: number;
}

/** Rows of one statement. A row has some 200 bytes, so that a statement has less than a MiB. */
const ROWS_AT_ONCE = 4000;

/** Notes the files of a list, as they stand in it: what an archive has said of it is set right. */
export async function noteParts(db: Db, whole: Digest, parts: readonly BlobPart[]): Promise<void> {
  for (let from = 0; from < parts.length; from += ROWS_AT_ONCE) {
    const rows = parts
      .slice(from, from + ROWS_AT_ONCE)
      .map(({ path, digest: part, bytes }) => ({ path, part, bytes }));
    await sql`
      insert into blob_part (whole, path, part, bytes)
      select ${whole}, path, part, bytes
      from jsonb_to_recordset(${storableJson(rows)}::jsonb) as row(path text, part text, bytes bigint)
      on conflict (whole, path) do update set part = excluded.part, bytes = excluded.bytes
        where (blob_part.part, blob_part.bytes) <> (excluded.part, excluded.bytes)`.execute(db);
  }
}

/** A list that names a file. */
export interface PartOf {
  readonly whole: Digest;
  readonly path: string;
}

/** Finds the lists that name a file of this digest, at most so many. */
export async function findWholes(
  db: Db,
  digest: Digest,
  limit: number,
): Promise<readonly PartOf[]> {
  const rows = await db
    .selectFrom("blob_part")
    .select(["whole", "path"])
    .where("part", "=", digest)
    .orderBy("whole")
    .orderBy("path")
    .limit(limit)
    .execute();
  return rows.map(({ whole, path }) => ({ whole: whole as Digest, path }));
}
