// A process that removes old blobs of a ledger again and again, until it is killed. Its one argument is a JSON text of its settings.

import { collectGarbage } from "../../src/lineage/gc.ts";
import { openDatabase, type PostgresSettings } from "../../src/store/database.ts";
import { openDatabaseBlobs } from "../../src/store/databaseBlobs.ts";

const [argument] = process.argv.slice(2);
if (argument !== undefined) await collect(JSON.parse(argument) as PostgresSettings);

async function collect(settings: PostgresSettings): Promise<void> {
  const database = await openDatabase(settings);
  const store = { db: database.db, blobs: openDatabaseBlobs(database.db) };
  const request = { keeps: [], graceMs: 0, isDryRun: false, withRecords: false };
  const looking = { siteUrl: null, signal: new AbortController().signal };
  for (;;) {
    await collectGarbage(database, store, request, looking);
    process.stdout.write("collected\n");
  }
}
