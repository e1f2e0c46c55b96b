// Random kills: the crash pipeline in workers that are killed at any moment, and what has to hold at the end all the same.

import { readdirSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";

import { sql } from "kysely";

import { type Dice, makeDice } from "../../src/lookalikes/dice.ts";
import { type DatabaseSettings, openDatabase } from "../../src/store/database.ts";
import type { PostgresServer } from "../support/postgresServer.ts";
import { createClone, dropClone } from "../support/postgresTemplate.ts";
import { type CrashRun, readDiary, readSite, startWorker, type WorkerEnd } from "./crashRuns.ts";
import type { CrashWork } from "./crashWorker.ts";

/** One round in four is on the embedded database, where two workers never work at a time. */
const EMBEDDED_EVERY = 4;
/** Of rounds that can, this share ends with two workers at once. */
const TWINS = 0.4;
/** At most this many kills follow one another before a worker may end. */
const MOST_KILLS = 3;
/** This share of kills may fall before the worker has opened its database. */
const EARLY = 0.1;

/** What one round came to. */
export interface Round {
  readonly seed: string;
  /** Workers that died by a kill; one that had ended before its kill is none. */
  readonly kills: number;
  readonly isEmbedded: boolean;
  readonly isTwin: boolean;
  /** What did not hold, a sentence each. */
  readonly problems: readonly string[];
}

/** A worker that was not killed, and how long it worked: what the others are compared with. */
export interface Calm {
  readonly site: Readonly<Record<string, string>>;
  readonly facts: string;
  readonly steps: readonly string[];
  /** From the opened database to the end. */
  readonly workMs: number;
}

/** Runs one worker that nobody kills. */
export async function playCalm(server: PostgresServer): Promise<Calm> {
  return inWorld(server, false, async (world) => {
    const worker = startWorker(world);
    await worker.isReady;
    const since = performance.now();
    const end = await worker.ended;
    const workMs = performance.now() - since;
    if (!isDone(end)) throw new Error(`the worker that nobody kills ended with ${end.how}`);
    const { begun } = readDiary(world.diary);
    return { site: readSite(world.site), facts: await readFacts(world), steps: begun, workMs };
  });
}

/** Plays a round: up to three kills, then one worker or two that may end, unless they are killed too. */
export async function playRound(
  server: PostgresServer,
  calm: Calm,
  seed: number,
  round: number,
): Promise<Round> {
  const dice = makeDice("kills", seed, round);
  const isEmbedded = round % EMBEDDED_EVERY === EMBEDDED_EVERY - 1;
  const isTwin = !isEmbedded && dice.chance(TWINS);
  return inWorld(server, isEmbedded, async (world) => {
    const problems: string[] = [];
    let kills = 0;
    for (let n = 1 + dice.below(MOST_KILLS); n > 0; n--) {
      const { how, isKilled } = await killAtRandom(startWorker(world), calm.workMs, dice);
      if (isKilled) kills++;
      else if (how !== "0") problems.push(`a worker ended with ${how}`);
    }
    const last = [startWorker(world), ...(isTwin ? [startWorker(world)] : [])];
    for (const end of await Promise.all(last.map(({ ended }) => ended))) {
      if (!isDone(end)) problems.push(`a worker that nobody killed ended with ${end.how}`);
    }
    problems.push(...(await compare(world, calm, kills)));
    return { seed: `${seed}/${round}`, kills, isEmbedded, isTwin, problems };
  });
}

/** Says what of a world is not as if nobody had been killed. */
async function compare(world: CrashWork, calm: Calm, kills: number): Promise<readonly string[]> {
  const problems: string[] = [];
  const site = readSite(world.site);
  for (const path of new Set([...Object.keys(calm.site), ...Object.keys(site)])) {
    if (site[path] !== calm.site[path]) problems.push(`${path} is another page`);
  }
  const facts = await readFacts(world);
  if (facts !== calm.facts) problems.push(`the ledger has\n${facts}\ninstead of\n${calm.facts}`);
  const { begun, known } = readDiary(world.diary);
  const again = known.filter((line, index) => known.indexOf(line) !== index);
  if (again.length > 0) problems.push(`committed more than once: ${again.join(", ")}`);
  const distinct = [...new Set(begun)];
  if (distinct.join() !== calm.steps.join()) problems.push(`begun: ${distinct.join(", ")}`);
  // Two steps are at work at a time, and nothing of what a killed worker was at is known.
  const most = calm.steps.length + 2 * kills;
  if (begun.length > most)
    problems.push(`${begun.length} steps were begun, at most ${most} expected`);
  const left = readdirSync(world.scratch);
  if (left.length > 0) problems.push(`work folders are left: ${left.join(", ")}`);
  return problems;
}

/** What holds in the ledger of any number of runs over the same steps: one result each, the same findings, nothing left open. */
async function readFacts({ settings }: CrashWork): Promise<string> {
  const { db, close } = await openDatabase(settings);
  const read = async (query: ReturnType<typeof sql>) => (await query.execute(db)).rows;
  const facts = {
    results: await read(
      sql`select step_key, outputs, facts_digest from step_result order by step_key, id`,
    ),
    statuses: await read(sql`select distinct status from run`),
    scopes: await read(
      sql`select distinct scope, status, facts_digest from run_scope order by scope`,
    ),
    findings: await read(
      sql`select distinct step_key, rule, subject, "row", message from run_finding order by 1, 2, 3, 4, 5`,
    ),
    measures: await read(
      sql`select distinct step_key, name, value from run_measure order by step_key, name`,
    ),
    open: await read(sql`select step_key from step_attempt where ended_at is null`),
    claims: await read(sql`select step_key from step_claim`),
    publications: await read(sql`select path, digest, scope from publication order by path`),
  };
  await close();
  return JSON.stringify(facts, null, 1);
}

async function inWorld<T>(
  server: PostgresServer,
  isEmbedded: boolean,
  play: (world: CrashWork) => Promise<T>,
): Promise<T> {
  const dir = await mkdtemp(join(tmpdir(), "hdash-kills-"));
  const clone = isEmbedded ? null : await createClone(server);
  const settings: DatabaseSettings = clone ?? { kind: "embedded", dir: join(dir, "database") };
  try {
    return await play({
      ...{ settings, blobs: isEmbedded ? join(dir, "blobs") : null, killAt: null, isSent: false },
      scratch: join(dir, "scratch"),
      site: join(dir, "site"),
      diary: join(dir, "diary"),
      isTimeless: true,
    });
  } finally {
    if (clone !== null) await dropClone(server, clone.name);
    await rm(dir, { recursive: true, force: true });
  }
}

/** Tells whether a worker's run has finished, or another worker was at it. */
function isDone({ output }: WorkerEnd): boolean {
  return /"kind":"(finished|busy)"/.test(output);
}

/** Kills a worker at any time while it works, now and then while it starts. */
async function killAtRandom(worker: CrashRun, workMs: number, dice: Dice): Promise<WorkerEnd> {
  if (!dice.chance(EARLY)) await worker.isReady;
  // A random moment is what this is about: nothing tells when it has come.
  await Promise.race([pause(dice.fraction() * workMs), worker.ended]);
  worker.child.kill("SIGKILL");
  return worker.ended;
}
