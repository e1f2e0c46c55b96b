// One worker process of the tests of claims: a run whose params are its own, over steps that it has in common with others.
// Its one argument is a JSON text of SharedWork; it prints its outcome as JSON.

import { appendFileSync, existsSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";

import type { Json } from "../../src/digest.ts";
import { executeRun } from "../../src/engine/run.ts";
import { json, type Pipeline, step } from "../../src/engine/step.ts";
import { SILENT } from "../../src/log.ts";
import { openDatabase, type PostgresSettings } from "../../src/store/database.ts";
import { openDatabaseBlobs } from "../../src/store/databaseBlobs.ts";

export interface SharedWork {
  readonly settings: PostgresSettings;
  readonly scratch: string;
  /** Every step that begins or ends adds a line to it. */
  readonly diary: string;
  readonly params: string;
  /** Names of the steps in the order in which they are asked for, all at once. */
  readonly steps: readonly string[];
  readonly concurrency: number;
  /** A step waits until this file is there; null: it does not. */
  readonly gate: string | null;
  /** The name of a step that kills the process while it is done; null: none. */
  readonly deadly: string | null;
}

const [argument] = process.argv.slice(2);
if (argument !== undefined) await work(JSON.parse(argument) as SharedWork);

async function work(given: SharedWork): Promise<void> {
  const { settings, diary, gate, deadly } = given;
  const tell = (line: string) => appendFileSync(diary, `${line} ${given.params}\n`);
  const shared = step({
    name: "shared",
    version: 1,
    outputs: { name: json<string>() },
    async run(_inputs: Record<never, never>, { name }: { name: string }, ctx) {
      tell(`begin ${name}`);
      while (gate !== null && !existsSync(gate)) await sleep(5, undefined, { signal: ctx.signal });
      if (name === deadly) process.kill(process.pid, "SIGKILL");
      await sleep(2);
      tell(`end ${name}`);
      return { name };
    },
  });
  const pipeline: Pipeline<Json> = {
    name: "shared",
    async plan(p) {
      const all = given.steps.map((name) => p.do(shared, { params: { name }, inputs: {} }));
      for (const { name } of await Promise.all(all)) await p.read(name);
    },
  };
  const stopping = new AbortController();
  process.once("SIGTERM", () => stopping.abort());
  const database = await openDatabase(settings);
  const outcome = await executeRun({
    ...{ pipeline, params: given.params, db: database.db, publisher: null },
    blobs: openDatabaseBlobs(database.db),
    scratch: given.scratch,
    clock: () => new Date(),
    build: "shared",
    log: SILENT,
    signal: stopping.signal,
    onProgress: (event) => {
      if (event.kind === "waiting") tell("waits");
    },
    concurrency: given.concurrency,
  });
  await database.close();
  process.stdout.write(JSON.stringify(outcome));
}
