// Runs users' pipelines in a process of their own that stays, on a Postgres ledger of the test's own, and tells which steps each run had.

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";

import type { PostgresSettings } from "../../../../src/store/database.ts";
import type { Db } from "../../../../src/store/schema.ts";
import { ownClock } from "../../../support/fakedClock.ts";
import { createTestDatabase, databaseEnv } from "../../../support/postgres.ts";
import type { AskedRun, EndedRun } from "./pipelineWorker.ts";

/** A step of a run, as the ledger has it. */
export interface RunStep {
  /** Its name and its label: "count A_1.fa". */
  readonly name: string;
  readonly key: string;
  readonly state: string;
}

/** A run with its steps, sorted by name. */
export interface TracedRun extends EndedRun {
  readonly steps: readonly RunStep[];
}

/** Where a worker stands in the machine. */
export interface Standing {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface PipelineRunner {
  readonly db: Db;
  /** Where folders of pipelines are. */
  readonly dir: string;
  /** Runs a pipeline; `standing` other than the last one's starts another process. */
  run(asked: AskedRun, standing?: Standing): Promise<TracedRun>;
  close(): Promise<void>;
}

export async function openPipelineRunner(): Promise<PipelineRunner> {
  const dir = await mkdtemp(join(tmpdir(), "hdash-runner-"));
  const { settings, database, drop } = await createTestDatabase();
  const home = join(dir, "home");
  const workers = new Map<string, Promise<ChildProcess>>();

  async function start({ cwd = dir, env = {} }: Standing): Promise<ChildProcess> {
    await mkdir(cwd, { recursive: true });
    const worker = spawnPipelineWorker({ cwd, env: { ...environmentOf(settings, home), ...env } });
    await heard(worker);
    return worker;
  }

  return {
    ...{ db: database.db, dir },
    async run(asked, standing = {}) {
      const place = JSON.stringify(standing);
      const starting = workers.get(place) ?? start(standing);
      workers.set(place, starting);
      const worker = await starting;
      const answer = heard(worker);
      worker.send(asked);
      const ended = (await answer) as EndedRun;
      return {
        ...ended,
        steps: ended.runId === null ? [] : await stepsOf(database.db, ended.runId),
      };
    },
    async close() {
      for (const starting of workers.values()) {
        const worker = await starting;
        // Not "close": after a disconnect by the parent that never comes.
        const gone = once(worker, "exit");
        worker.disconnect();
        await gone;
      }
      await drop();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

/** What a worker has to be told of its ledger. */
export function environmentOf(
  settings: PostgresSettings,
  home: string,
): Readonly<Record<string, string>> {
  return { TZ: "UTC", HDASH_HOME: home, ...databaseEnv(settings) };
}

/** Starts a worker, which says when its ledger is open. */
export function spawnPipelineWorker({ cwd, env }: Required<Standing>): ChildProcess {
  return spawn(process.execPath, [join(import.meta.dirname, "pipelineWorker.ts")], {
    stdio: ["ignore", "pipe", "pipe", "ipc"],
    cwd,
    env: { PATH: process.env["PATH"] ?? "", NODE_NO_WARNINGS: "1", ...ownClock(), ...env },
  });
}

/** Waits for what a worker says next. Throws, with what it has written, where it ends instead. */
export function heard(worker: ChildProcess): Promise<unknown> {
  return new Promise((resolve, reject) => {
    let written = "";
    const take = (text: Buffer) => (written += text.toString());
    const end = () => reject(new Error(`the worker has ended: ${written}`));
    for (const stream of [worker.stdout, worker.stderr]) stream?.on("data", take);
    worker.once("exit", end);
    worker.once("message", (said) => {
      for (const stream of [worker.stdout, worker.stderr]) stream?.off("data", take).resume();
      worker.off("exit", end);
      resolve(said);
    });
  });
}

/** Reads the steps of a run, sorted by name. */
async function stepsOf(db: Db, runId: string): Promise<readonly RunStep[]> {
  const rows = await db
    .selectFrom("step_run")
    .select(["step", "label", "step_key", "state"])
    .where("run_id", "=", runId)
    .execute();
  const steps = rows.map(({ step, label, step_key, state }) => ({
    ...{ name: label === null ? step : `${step} ${label}`, key: step_key ?? "", state },
  }));
  return steps.sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Names the steps that ran. */
export function ranOf({ steps }: TracedRun): readonly string[] {
  return steps.flatMap(({ name, state }) => (state === "ran" ? [name] : []));
}

/** Files by their paths, with what is in them; what begins with #! may be executed. */
export type Files = Readonly<Record<string, string>>;

/** Writes a folder of files. */
export async function writeFolder(folder: string, files: Files): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
    if (text.startsWith("#!")) await chmod(path, 0o755);
  }
}
