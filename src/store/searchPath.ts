// Where names are looked up while an administrator is at work in a schema that is another role's.

import { sql } from "kysely";

import type { Db } from "./schema.ts";

/**
 * Has the rest of a transaction find functions and operators in Postgres's own catalogue alone. Who owns the schema may have made some that
 * fit a call better than those do, and they would run with an administrator's rights.
 */
export async function trustCatalogAlone(trx: Db): Promise<void> {
  await sql`set local search_path = pg_catalog, pg_temp`.execute(trx);
}
