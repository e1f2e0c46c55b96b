// The right to publish a site: at most one run has it, which is running, or was just cancelled. Kept in the run's row, and so as good as
// the run's own lease.

import { sql } from "kysely";

import { isUniqueViolation } from "./failure.ts";
import type { Lease } from "./lease.ts";
import { parseIdentity, type ProcessIdentity } from "./processIdentity.ts";
import type { Db } from "./schema.ts";

export type SiteClaim =
  | { readonly kind: "taken" }
  | { readonly kind: "busy"; readonly worker: string; readonly since: string }
  /** The run itself is no longer ours. */
  | { readonly kind: "lost" };

/** Takes a site for a run, from a run whose lease is over if need be. */
export async function takeSite(
  db: Db,
  { runId, attempt }: Lease,
  site: string,
  isDead: (worker: ProcessIdentity) => boolean,
): Promise<SiteClaim> {
  try {
    return await db.transaction().execute(async (trx) => {
      const holder = await trx
        .selectFrom("run")
        .select(["id", "worker", "worker_detail", "claimed_at"])
        .select(sql<boolean>`lease_until < now()`.as("is_over"))
        .where("publishing_site", "=", site)
        .where("status", "in", ["running", "cancelled"])
        .where("id", "!=", runId)
        .forUpdate()
        .executeTakeFirst();
      if (holder !== undefined) {
        const worker = parseIdentity(holder.worker_detail);
        if (!holder.is_over && !(worker !== null && isDead(worker))) {
          return {
            kind: "busy" as const,
            worker: holder.worker ?? "an unknown worker",
            since: holder.claimed_at?.toISOString() ?? "an unknown time",
          };
        }
        await trx
          .updateTable("run")
          .set({ publishing_site: null })
          .where("id", "=", holder.id)
          .execute();
      }
      const [result] = await trx
        .updateTable("run")
        .set({ publishing_site: site })
        .where("id", "=", runId)
        .where("attempt", "=", attempt)
        .where("status", "=", "running")
        .execute();
      return result?.numUpdatedRows === 1n ? { kind: "taken" as const } : { kind: "lost" as const };
    });
  } catch (error) {
    // Two runs that found the site free at once.
    if (isUniqueViolation(error))
      return { kind: "busy", worker: "another worker", since: "just now" };
    throw error;
  }
}

/** Gives a site free for others to publish; also where the run was cancelled in the meantime. */
export async function releaseSite(db: Db, { runId, attempt }: Lease): Promise<void> {
  await db
    .updateTable("run")
    .set({ publishing_site: null })
    .where("id", "=", runId)
    .where((eb) =>
      eb.or([
        eb("attempt", "=", attempt),
        // Cancelling raises the attempt once.
        eb.and([eb("status", "=", "cancelled"), eb("attempt", "=", attempt + 1)]),
      ]),
    )
    .execute();
}
