// A ledger of either kind, for tests that must hold on both.

import { sql } from "kysely";

import type { Database } from "../../src/store/database.ts";
import { resetLedger } from "../../src/store/reset.ts";
import type { Db } from "../../src/store/schema.ts";
import { createEmbeddedDatabase } from "./embedded.ts";
import { createTestDatabase } from "./postgres.ts";

export const LEDGER_KINDS = ["postgres", "embedded"] as const;
export type LedgerKind = (typeof LEDGER_KINDS)[number];

export interface TestLedger {
  readonly database: Database;
  readonly close: () => Promise<void>;
}

/** Empties a ledger that no worker uses any more, so that its next run is number 1, and so is its next result. */
export async function startAfresh(db: Db): Promise<void> {
  await resetLedger(db);
  await sql`alter table run alter column id restart`.execute(db);
  await sql`alter table step_result alter column id restart`.execute(db);
}

/** Opens an empty ledger with every table. */
export async function openLedger(kind: LedgerKind): Promise<TestLedger> {
  if (kind === "embedded") {
    const database = await createEmbeddedDatabase();
    return { database, close: () => database.close() };
  }
  const { database, drop } = await createTestDatabase();
  return { database, close: drop };
}
