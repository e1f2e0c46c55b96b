// One worker process of the crash tests: runs the crash pipeline once, and kills itself where it is told to.
// Its one argument is a JSON text of CrashWork; it prints its outcome as JSON.

import { appendFileSync } from "node:fs";

import pg from "pg";

import { executeRun } from "../../src/engine/run.ts";
import { SILENT } from "../../src/log.ts";
import { type DatabaseSettings, openDatabase } from "../../src/store/database.ts";
import { openDatabaseBlobs } from "../../src/store/databaseBlobs.ts";
import { openFolderBlobs } from "../../src/store/folderBlobs.ts";
import { migrate } from "../../src/store/migrate.ts";
import { openPublications } from "../../src/store/publications.ts";
import { makeCrashPipeline, makeFolderSite } from "./crashPlan.ts";

export interface CrashWork {
  readonly settings: DatabaseSettings;
  /** Null: in the database. */
  readonly blobs: string | null;
  readonly scratch: string;
  readonly site: string;
  readonly diary: string;
  /** The process kills itself at its n-th statement to the database; null: never. */
  readonly killAt: number | null;
  /** Kill after the statement was sent, whose answer is then lost, instead of before. */
  readonly isSent: boolean;
  /** True where pages shall not tell of runs, so that they are the same whichever run made them. */
  readonly isTimeless?: boolean;
}

const [argument] = process.argv.slice(2);
if (argument !== undefined) await work(JSON.parse(argument) as CrashWork);

async function work(given: CrashWork) {
  const { settings, blobs, scratch, site, diary, killAt, isSent, isTimeless } = given;
  const database = await openDatabase(settings);
  await migrate(database);
  // Who kills at any time waits for this.
  process.send?.("ready");
  if (process.connected) process.disconnect();
  if (killAt !== null) dieAtStatement(killAt, isSent);
  const outcome = await executeRun({
    pipeline: makeCrashPipeline(diary, { isTimeless: isTimeless === true }),
    params: null,
    db: database.db,
    blobs: blobs === null ? openDatabaseBlobs(database.db) : openFolderBlobs(blobs),
    publisher: makeFolderSite(site, openPublications(database.db)),
    scratch,
    clock: () => new Date("2026-11-01T00:00:00Z"),
    build: "crash",
    log: SILENT,
    signal: new AbortController().signal,
    onProgress(event) {
      // Written when the commit is known: from here on the step must never run again.
      if (event.kind === "stepEnded") appendFileSync(diary, `${event.state} ${event.key ?? ""}\n`);
    },
    concurrency: 2,
  });
  await database.close();
  process.stdout.write(JSON.stringify(outcome));
}

function dieAtStatement(n: number, isSent: boolean): void {
  const query: (...args: unknown[]) => unknown = Reflect.get(pg.Client.prototype, "query");
  let count = 0;
  pg.Client.prototype.query = function (this: pg.Client, ...args: unknown[]) {
    count++;
    if (count === n && !isSent) process.kill(process.pid, "SIGKILL");
    const answer = query.apply(this, args);
    if (count === n) process.kill(process.pid, "SIGKILL");
    return answer;
  } as typeof pg.Client.prototype.query;
}
