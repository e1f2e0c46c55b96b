// Measures whole runs of the real worker: the command as people start it, against the look-alike Synapse over HTTP, publishing
// into a folder. The second run finds nothing changed.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sql } from "kysely";

import { startSynapse } from "../src/lookalikes/synapse/synapseServer.ts";
import { openDatabase } from "../src/store/database.ts";
import { type Ended, runNode } from "./children.ts";
import type { BenchWorld } from "./worlds.ts";

/** Steps of one name in one run, as the ledger has them. */
export interface StepTime {
  readonly step: string;
  readonly ran: number;
  readonly hits: number;
  /** Sum over steps; several are at work at a time. */
  readonly ms: number;
}

/** One run of the worker. */
export interface WholeRun {
  readonly run: string;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly maxRssBytes: number;
  readonly requests: number;
  readonly downloads: number;
  readonly steps: readonly StepTime[];
}

const TOKEN = "bench";

/** Runs the worker twice on a world, on an empty ledger. `database` holds the HDASH_DB_ variables; {} for the embedded one. */
export async function measureWhole(
  world: BenchWorld,
  database: Readonly<Record<string, string>>,
): Promise<WholeRun[]> {
  const home = await mkdtemp(join(tmpdir(), "hdash-bench-home-"));
  const synapse = await startSynapse({ world: world.dir, tokens: { [TOKEN]: "bench" } });
  const environment = {
    ...database,
    SYNAPSE_USER: "bench",
    SYNAPSE_PASSWORD: TOKEN,
    SYNAPSE_ENDPOINT_URL: synapse.url,
    HDASH_HOME: join(home, "home"),
    HDASH_SITE_DIR: join(home, "site"),
    HDASH_LOG_FORMAT: "plain",
    TZ: "UTC",
  };
  const source = (name: string): string => join(import.meta.dirname, "../src", name);
  try {
    const list = join(world.dir, "atlases.csv");
    expectOk(await runNode([source("util.ts"), "init", "--file", list], environment));
    const runs: WholeRun[] = [];
    for (const run of ["first run", "second run, nothing changed"]) {
      const before = { ...synapse.requests };
      const ended = expectOk(await runNode([source("main.ts"), "run", "htan"], environment));
      const made = Object.entries(synapse.requests).map(([route, count]): [string, number] => [
        route,
        count - (before[route as keyof typeof before] ?? 0),
      ]);
      runs.push({
        run,
        wallMs: ended.wallMs,
        cpuMs: ended.cpuMs,
        maxRssBytes: ended.maxRssBytes,
        requests: made.reduce((sum, [, count]) => sum + count, 0),
        downloads: made.find(([route]) => route === "fileDownload")?.[1] ?? 0,
        steps: await stepTimes(database, environment.HDASH_HOME),
      });
    }
    return runs;
  } finally {
    await synapse.close();
    await rm(home, { recursive: true, force: true });
  }
}

/** Reads what the steps of the newest run took. */
async function stepTimes(
  database: Readonly<Record<string, string>>,
  home: string,
): Promise<readonly StepTime[]> {
  const host = database["HDASH_DB_HOST"];
  const ledger = await openDatabase(
    host === undefined
      ? { kind: "embedded", dir: join(home, "database") }
      : {
          kind: "postgres",
          host,
          port: Number(database["HDASH_DB_PORT"]),
          user: database["HDASH_DB_USER"] ?? "",
          password: database["HDASH_DB_PASSWORD"] ?? "",
          name: database["HDASH_DB_NAME"] ?? "",
          schema: "hdash",
          tls: null,
        },
  );
  try {
    const { rows } = await sql<{ step: string; ran: string; hits: string; ms: string }>`
      select step,
        count(*) filter (where state = 'ran') as ran,
        count(*) filter (where state = 'hit') as hits,
        coalesce(sum(extract(epoch from ended_at - started_at)) * 1000, 0) as ms
      from step_run
      where run_id = (select max(id) from run)
      group by step
      order by min(id)`.execute(ledger.db);
    return rows.map(({ step, ran, hits, ms }) => ({
      step,
      ran: Number(ran),
      hits: Number(hits),
      ms: Number(ms),
    }));
  } finally {
    await ledger.close();
  }
}

function expectOk(ended: Ended): Ended {
  if (ended.code !== 0) {
    throw new Error(`the worker ended with ${ended.code}:\n${ended.stdout}\n${ended.stderr}`);
  }
  return ended;
}
