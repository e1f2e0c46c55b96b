// The atlas registry: which Synapse projects are watched. Its rows come whole from a file, so what the file lacks is removed.

import { sql } from "kysely";

import type { Db } from "../../../store/schema.ts";
import type { Atlas } from "../data/atlas.ts";

/** Ids of atlases, by what became of them; each list in the order of the file (removed: of the registry). */
export interface SavedAtlases {
  readonly added: readonly string[];
  readonly changed: readonly string[];
  readonly unchanged: readonly string[];
  readonly removed: readonly string[];
}

/** Makes the registry equal to `atlases` in one transaction, and says what that changed. */
export async function saveAtlases(db: Db, atlases: readonly Atlas[]): Promise<SavedAtlases> {
  return db.transaction().execute(async (trx) => {
    // The table, since an empty one has no rows that could be locked: two first starts would insert the same.
    await sql`lock table atlas in share row exclusive mode`.execute(trx);
    const before = new Map(
      (await listAtlases(trx)).map((atlas) => [atlas.atlasId, atlas] as const),
    );
    const wanted = new Set(atlases.map(({ atlasId }) => atlasId));
    const added = atlases.filter(({ atlasId }) => !before.has(atlasId));
    const kept = atlases.filter(({ atlasId }) => before.has(atlasId));
    const changed = kept.filter((atlas) => !isSame(atlas, before.get(atlas.atlasId)));
    const removed = [...before.keys()].filter((atlasId) => !wanted.has(atlasId));
    // Delete and insert, not update: two atlases may have swapped their projects, which are unique.
    const gone = [...removed, ...changed.map(({ atlasId }) => atlasId)];
    if (gone.length > 0) await trx.deleteFrom("atlas").where("atlas_id", "in", gone).execute();
    const written = [...added, ...changed];
    if (written.length > 0) {
      await trx
        .insertInto("atlas")
        .values(
          written.map(({ atlasId, projectId, name, liaison }) => ({
            atlas_id: atlasId,
            project_id: projectId,
            name,
            liaison,
          })),
        )
        .execute();
    }
    const ids = (list: readonly Atlas[]) => list.map(({ atlasId }) => atlasId);
    const unchanged = kept.filter((atlas) => !changed.includes(atlas));
    return { added: ids(added), changed: ids(changed), unchanged: ids(unchanged), removed };
  });
}

/** Lists the registry in natural order of ids: HTA2 comes before HTA10. */
export async function listAtlases(db: Db): Promise<readonly Atlas[]> {
  const rows = await db
    .selectFrom("atlas")
    .select(["atlas_id", "project_id", "name", "liaison"])
    .execute();
  return rows
    .map((row) => ({
      atlasId: row.atlas_id,
      projectId: row.project_id,
      name: row.name,
      liaison: row.liaison,
    }))
    .sort((a, b) => naturalOrder.compare(a.atlasId, b.atlasId));
}

const naturalOrder = new Intl.Collator("en", { numeric: true });

function isSame(a: Atlas, b: Atlas | undefined): boolean {
  return a.projectId === b?.projectId && a.name === b.name && a.liaison === b.liaison;
}
