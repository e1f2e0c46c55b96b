// Random graphs of functions and programs in workers that are killed at any moment, with steps that fail at first and bytes that get lost;
// and what has to hold at the end all the same.

import type { ChildProcess } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdirSync, readlinkSync } from "node:fs";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { sql } from "kysely";

import { type Digest, digestOf } from "../../../../src/digest.ts";
import { type Dice, makeDice } from "../../../../src/lookalikes/dice.ts";
import { openDatabase } from "../../../../src/store/database.ts";
import { openDatabaseBlobs } from "../../../../src/store/databaseBlobs.ts";
import type { Db } from "../../../../src/store/schema.ts";
import type { Round } from "../../../engine/kills.ts";
import type { PostgresServer } from "../../../support/postgresServer.ts";
import { createClone, dropClone } from "../../../support/postgresTemplate.ts";
import {
  environmentOf,
  type Files,
  heard,
  spawnPipelineWorker,
  writeFolder,
} from "./pipelineRunner.ts";
import type { AskedRun, EndedRun } from "./pipelineWorker.ts";

/** At most this many kills of each worker. */
const MOST_KILLS = 3;
/** Of rounds, this share has two workers, whose runs are two and whose steps are the same. */
const TWINS = 0.5;
/** A run of one of the graphs takes about so long here; kills fall within. Milliseconds. */
const WORK_MS = 1500;
/** How often a step is tried; it fails less often. */
const ATTEMPTS = 3;
/** What a killed worker has begun ends within this; in hundredths of a second. */
const PATIENCE = 1000;

interface Node {
  readonly kind: "function" | "program";
  /** Of nodes before it. */
  readonly inputs: readonly number[];
  readonly fails: number;
  readonly salt: string;
}

const PIPELINE: Files = {
  "package.json": '{ "type": "module" }',
  "graph.ts": `
import { createHash } from "node:crypto";
import { command, file, integer, json, list, pipeline, sh, step, text } from "hdash";
const takes = { given: list(file()), fails: integer(), salt: text() };
export const mix = step({
  name: "mix", takes, gives: { out: file() }, attempts: ${ATTEMPTS},
  async run({ given, fails, salt }, { attempt, write }) {
    if (attempt <= fails) throw new Error("it fails at first");
    const hash = createHash("sha256").update(salt + "\\n");
    for (const one of given) hash.update(await one.text());
    return { out: await write("out.txt", hash.digest("hex") + "  -\\n") };
  },
});
export const pour = command({
  name: "pour", takes, gives: { out: file("out.txt") }, attempts: ${ATTEMPTS},
  run: ({ given, fails, salt }) => sh\`
    test "$HDASH_ATTEMPT" -gt \${fails}
    { echo \${salt}; cat /dev/null \${given}; } | sha256sum > out.txt\`,
});
export default pipeline({
  name: "graph",
  takes: { graph: json(), who: integer() },
  gives: { out: list(file()) },
  plan({ graph }, { run }) {
    const outs = [];
    for (const { kind, inputs, ...rest } of graph) {
      const given = inputs.map((at) => outs[at]);
      outs.push(run(kind === "program" ? pour : mix, { given, ...rest }).out);
    }
    return { out: outs };
  },
});
`,
};

function makeGraph(dice: Dice, salt: string): readonly Node[] {
  return Array.from({ length: 6 + dice.below(14) }, (_none, at): Node => ({
    kind: dice.chance(0.5) ? "program" : "function",
    inputs: at === 0 ? [] : Array.from({ length: dice.below(4) }, () => dice.below(at)),
    fails: dice.chance(0.25) ? 1 + dice.below(ATTEMPTS - 1) : 0,
    salt: `${salt} ${at}`,
  }));
}

/** What each node gives where nothing goes wrong. */
function contentOf(graph: readonly Node[]): readonly string[] {
  const contents: string[] = [];
  for (const { inputs, salt } of graph) {
    const hash = createHash("sha256").update(`${salt}\n`);
    for (const at of inputs) hash.update(contents[at] ?? "");
    contents.push(`${hash.digest("hex")}  -\n`);
  }
  return contents;
}

/** Plays a round: workers that are killed, bytes that are lost, and at the end workers that nobody kills. */
export async function playGraphRound(
  server: PostgresServer,
  seed: number,
  round: number,
): Promise<Round> {
  const dice = makeDice("graphs", seed, round);
  const dir = await mkdtemp(join(tmpdir(), "hdash-graphs-"));
  const settings = await createClone(server);
  const database = await openDatabase(settings);
  const graph = makeGraph(dice, `${seed}/${round}`);
  await writeFolder(dir, PIPELINE);
  const env = environmentOf(settings, join(dir, "home"));
  const isTwin = dice.chance(TWINS);
  const problems: string[] = [];
  const lost = new Set<string>();
  let kills = 0;

  async function work(who: number, own: Dice): Promise<void> {
    const asked: AskedRun = { file: join(dir, "graph.ts"), values: { graph, who } };
    for (let left = 1 + own.below(MOST_KILLS); left > 0; left--) {
      const ended = await runUntil(spawnPipelineWorker({ cwd: dir, env }), asked, own.fraction());
      if (ended === null) kills++;
      else problems.push(...problemsOf(ended));
      await lose(database.db, own, lost);
    }
    const ended = await runUntil(spawnPipelineWorker({ cwd: dir, env }), asked, null);
    if (ended !== null) problems.push(...problemsOf(ended));
  }
  try {
    const workers = isTwin ? [1, 2] : [1];
    await Promise.all(workers.map((who) => work(who, makeDice("worker", seed, round, who))));
    problems.push(...(await compare(database.db, contentOf(graph), lost)));
    const scratch = join(dir, "home", "scratch");
    const left = (await readdir(scratch)).filter((name) => name.startsWith("run-"));
    if (left.length > 0) problems.push(`work folders are left: ${left.join(", ")}`);
    problems.push(...(await leftProcesses(dir)));
  } finally {
    await database.close();
    await dropClone(server, settings.name);
    await rm(dir, { recursive: true, force: true });
  }
  return { seed: `${seed}/${round}`, kills, isEmbedded: false, isTwin, problems };
}

function problemsOf({ status, error }: EndedRun): readonly string[] {
  return status === "succeeded" ? [] : [`a run ended as ${status}: ${error ?? "no error"}`];
}

/** Asks a worker for a run; kills it after this share of the time that it takes, null: not at all. Null where it was killed. */
async function runUntil(
  worker: ChildProcess,
  asked: AskedRun,
  share: number | null,
): Promise<EndedRun | null> {
  await heard(worker);
  const gone = once(worker, "exit");
  const answer = heard(worker).catch((error: unknown): EndedRun => ({
    ...{ runId: null, status: "gone", error: String(error) },
  }));
  worker.send(asked);
  // A random moment is what this is about: nothing tells when it has come.
  const late = share === null ? answer : pause(share * WORK_MS).then(() => "late" as const);
  const ended = await Promise.race([answer, late]);
  if (ended === "late") worker.kill("SIGKILL");
  else if (worker.connected) worker.disconnect();
  await gone;
  return ended === "late" ? null : (ended as EndedRun);
}

/** Takes a result's bytes away, or changes them at equal length, now and then. */
async function lose(db: Db, dice: Dice, lost: Set<string>): Promise<void> {
  if (dice.chance(0.5)) return;
  const digests = await sql<{ digest: string }>`select distinct o.value ->> 'digest' as digest
    from step_result r, jsonb_each(r.outputs) o where r.step in ('mix', 'pour') order by 1`.execute(
    db,
  );
  if (digests.rows.length === 0) return;
  const { digest } = dice.pick(digests.rows);
  lost.add(digest);
  if (dice.chance(0.5)) await sql`delete from blob where digest = ${digest}`.execute(db);
  else {
    await sql`update blob_chunk set bytes = overlay(bytes placing '\\x00000000'::bytea from 6)
      where digest = ${digest}`.execute(db);
  }
}

/** Says what of a ledger is not as if nothing had gone wrong; `lost` are digests whose makers may have had to work again. */
async function compare(
  db: Db,
  contents: readonly string[],
  lost: ReadonlySet<string>,
): Promise<readonly string[]> {
  const problems: string[] = [];
  const read = async (query: ReturnType<typeof sql<{ key: string; digest: string }>>) =>
    (await query.execute(db)).rows;
  const results = await read(
    sql`select distinct r.step_key as key, o.value ->> 'digest' as digest
      from step_result r, jsonb_each(r.outputs) o where r.step in ('mix', 'pour')`,
  );
  const expected = contents.map((content) => digestOf(content)).sort();
  const found = results.map(({ digest }) => digest).sort();
  if (found.join() !== expected.join()) {
    problems.push(`the ledger has results ${found.join()} instead of ${expected.join()}`);
  }
  const twice = await read(
    sql`select step_key as key, '' as digest from step_attempt where state = 'succeeded'
      group by step_key having count(*) > 1`,
  );
  const redone = new Set(results.flatMap(({ key, digest }) => (lost.has(digest) ? [key] : [])));
  const strange = twice.filter(({ key }) => !redone.has(key));
  if (strange.length > 0) problems.push(`${strange.length} steps were done twice`);
  const open = await read(
    sql`select step_key as key, 'attempt' as digest from step_attempt where ended_at is null
      union all select step_key, 'claim' from step_claim`,
  );
  for (const { key, digest } of open) problems.push(`${digest} of ${key} is left open`);
  const blobs = openDatabaseBlobs(db);
  for (const [at, content] of contents.entries()) {
    const digest: Digest = digestOf(content);
    // What was damaged and read by nobody since is as it was.
    if (lost.has(digest)) continue;
    const bytes = await blobs.read(digest).catch(() => null);
    if (bytes === null || Buffer.from(bytes).toString() !== content) {
      problems.push(`node ${at} gave other bytes`);
    }
  }
  return problems;
}

/** Names processes that work in a folder, if they are there for longer than what a killed worker leaves may take to end. */
async function leftProcesses(folder: string): Promise<readonly string[]> {
  let left: readonly string[] = [];
  for (let n = 0; n < PATIENCE; n++) {
    left = readdirSync("/proc").filter((name) => {
      try {
        return /^\d+$/.test(name) && readlinkSync(`/proc/${name}/cwd`).startsWith(folder);
      } catch {
        return false; // gone since it was listed
      }
    });
    if (left.length === 0) return [];
    await pause(10);
  }
  return left.map((pid) => `process ${pid} is left`);
}
