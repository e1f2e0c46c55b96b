// Users' pipelines run by hdash as users run it, on a ledger of either kind; and a look at all that a run has left.

import { readdirSync, readFileSync } from "node:fs";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { BlobStore } from "../../../../src/store/blobs.ts";
import { openDatabase } from "../../../../src/store/database.ts";
import { openDatabaseBlobs } from "../../../../src/store/databaseBlobs.ts";
import { openFolderBlobs } from "../../../../src/store/folderBlobs.ts";
import type { Db } from "../../../../src/store/schema.ts";
import { type Ended, hdash } from "../../../support/command.ts";
import type { LedgerKind } from "../../../support/ledger.ts";
import { createTestDatabase, databaseEnv } from "../../../support/postgres.ts";

const PIPELINES = join(import.meta.dirname, "../pipelines");

export interface UserRuns {
  /** Pipelines of test/jobs/analysis/pipelines are in it. */
  readonly dir: string;
  readonly home: string;
  /** Names the ledger to other commands. */
  readonly env: Strings;
  run(pipeline: string, options?: Strings, env?: Strings): Promise<Ended>;
  /** Opens the ledger, which nobody else may use meanwhile. */
  inLedger<T>(look: (db: Db, blobs: BlobStore) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}
type Strings = Readonly<Record<string, string>>;

/** Makes a folder with pipelines, and a ledger. */
export async function openUserRuns(kind: LedgerKind): Promise<UserRuns> {
  const dir = await mkdtemp(join(tmpdir(), "hdash-faults-"));
  const home = join(dir, "home");
  for (const name of await readdir(PIPELINES)) {
    if (!name.endsWith(".ts"))
      await cp(join(PIPELINES, name), join(dir, name), { recursive: true });
    else {
      const source = await readFile(join(PIPELINES, name), "utf8");
      await writeFile(join(dir, name), source.replaceAll("../../../../src/index.ts", "hdash"));
    }
  }
  await writeFile(join(dir, "package.json"), '{ "type": "module" }');
  const made = kind === "postgres" ? await createTestDatabase() : null;
  const own = made === null ? {} : databaseEnv(made.settings);
  return {
    ...{ dir, home, env: { HDASH_HOME: home, ...own } },
    async run(pipeline, options = {}, env = {}) {
      const args = Object.entries(options).flatMap(([name, value]) => [`--${name}`, value]);
      return hdash(["run", join(dir, pipeline), ...args], {
        ...{ TZ: "UTC", NO_COLOR: "1", HDASH_HOME: home, ...own, ...env },
      });
    },
    async inLedger(look) {
      if (made !== null) return look(made.database.db, openDatabaseBlobs(made.database.db));
      await mkdir(home, { recursive: true });
      const database = await openDatabase({ kind: "embedded", dir: join(home, "database") });
      try {
        return await look(database.db, openFolderBlobs(join(home, "blobs")));
      } finally {
        await database.close();
      }
    },
    async close() {
      await made?.drop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** Command lines of processes that hold a text, and are not of this test. */
export function processesWith(text: string): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ");
        return line.includes(text) ? [line] : [];
      } catch {
        return []; // gone since it was listed
      }
    });
}
