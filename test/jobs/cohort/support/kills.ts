// Workers of the cohort job that are killed: at a request that is chosen, or at any time. What readers of its datasets find meanwhile, and
// what is there at the end, has to be as if nobody had been killed.

import { setTimeout as pause } from "node:timers/promises";

import { digestOf } from "../../../../src/digest.ts";
import { listMembers } from "../../../../src/formats/zip.ts";
import { readMembers } from "../../../../src/formats/zipMember.ts";
import { type Dice, makeDice } from "../../../../src/lookalikes/dice.ts";
import { openS3Bucket } from "../../../../src/store/s3Bucket.ts";
import { type HandMember, handZip } from "../../../formats/support/handZip.ts";
import { all, NEVER, sourceOf } from "../../../formats/support/ranges.ts";
import type { PostgresServer } from "../../../support/postgresServer.ts";
import type { S3Request } from "../../../support/s3Server.ts";
import { FIXTURE, type Rig } from "./cohortRig.ts";
import {
  BUCKETS,
  type CohortWorld,
  CURRENT,
  differences,
  exportOf,
  makeCohortWorld,
  NAMESPACE,
  type Outcome,
  outcomeOf,
  sha256Of,
  startWorker,
  type WorkerEnd,
} from "./cohortWorld.ts";
import { expectedOf } from "./expected.ts";

/** When a worker is killed. */
export type Death =
  /** At the nth request (from 1) that fits: when it has come and nothing of it is done, or when it is done and not answered. */
  | {
      readonly kind: "request";
      readonly fits: (request: S3Request) => boolean;
      readonly nth: number;
      readonly when: "before" | "after";
    }
  | { readonly kind: "time"; readonly ms: number };

/** What is sent in a round, in two parts: the second comes while workers are being killed. */
export interface Sent {
  readonly first: readonly string[];
  readonly later: readonly string[];
  /** Data types that are built; null: all. */
  readonly types: readonly string[] | null;
}

/** Overlapping days, one of them sent again, in both cohorts; types with deletions, duplicates, nested arrays, many members. */
export const FEW: Sent = {
  first: [
    "adults_v1/2026-01-11T05--00--08Z_5996f0e9-0eb6-435b-8000-000000000000",
    "adults_v1/2026-01-12T05--01--08Z_re-export_672b3d9e-54a6-4bed-8000-000000000000",
  ],
  later: [
    "adults_v1/2026-01-12T05--01--08Z_672b3d9e-54a6-4bed-8000-000000000000",
    "pediatric_v1/2026-01-12T05--01--08Z_3694e77d-fd5f-4ace-8000-000000000000",
  ],
  types: ["SymptomLog", "HealthKitV2Workouts", "HealthKitV2Workouts_Deleted", "FitbitSleepLogs"],
};
/** All that the fixture has of its namespace. */
export const ALL: Sent = { ...partedExports(), types: null };
const WORLD = `${FIXTURE}/world/${NAMESPACE}`;

/** Of kills at random, this share is at a request; the others are at any time, as while DuckDB works. */
const AT_REQUEST = 0.7;
const MOST_KILLS = 3;
/** Between two readings, so that the reader does not take the machine from the workers. */
const READING_MS = 20;

/** What an undisturbed world came to. */
export interface Calm {
  readonly sent: Sent;
  readonly outcome: Outcome;
  /** Requests that change something, of both runs together. */
  readonly changes: number;
  /** How long both runs took. */
  readonly ms: number;
}

export interface Round {
  readonly seed: string;
  readonly kills: number;
  /** Whole builds that a reader found, each of its files opened. */
  readonly readings: number;
  /** What did not hold, a sentence each. */
  readonly problems: readonly string[];
}

function partedExports(): Pick<Sent, "first" | "later"> {
  const keys = Object.keys(expectedOf(FIXTURE)[NAMESPACE]?.objects ?? {});
  // Every second one, so that both parts have days, cohorts and faults of their own.
  return {
    first: keys.filter((_key, at) => at % 2 === 0),
    later: keys.filter((_key, at) => at % 2 === 1),
  };
}

export function isChange({ method }: S3Request): boolean {
  return method === "PUT" || method === "POST" || method === "DELETE";
}

function variablesOf({ types }: Sent): Readonly<Record<string, string>> {
  return types === null ? {} : { COHORT_TYPES: types.join(",") };
}

async function send(
  world: CohortWorld,
  keys: readonly string[],
  types: Sent["types"],
): Promise<void> {
  for (const key of keys) {
    const bytes = await exportOf(WORLD, key);
    world.send(key, types === null ? bytes : await withTypes(bytes, types));
  }
}

/** An export without the members of other types, whose copies would be most of the work. */
async function withTypes(bytes: Uint8Array, types: readonly string[]): Promise<Buffer> {
  const source = sourceOf(bytes);
  const listing = await listMembers(source, NEVER);
  if (listing.refusal !== null) throw new Error(listing.why);
  const entries = listing.entries.filter(
    ({ name, bytes: own }) =>
      own > 0 && types.some((type) => name.startsWith(type.split("_")[0] ?? "")),
  );
  const members: HandMember[] = [];
  for await (const { entry, content } of readMembers(source, entries, NEVER, { only: "content" })) {
    members.push({ name: entry.name, content: await all(content) });
  }
  return handZip(members);
}

/** Runs two workers that nobody kills, the second when the rest was sent. */
export async function playCalm(server: PostgresServer, rig: Rig, sent: Sent): Promise<Calm> {
  const world = await makeCohortWorld(server);
  try {
    const since = performance.now();
    for (const keys of [sent.first, sent.later]) {
      await send(world, keys, sent.types);
      const end = await startWorker(world, variablesOf(sent)).ended;
      if (end.outcome !== "succeeded") throw new Error(`nobody killed it, and it ${said(end)}`);
    }
    const ms = performance.now() - since;
    const changes = world.s3.requests.filter(isChange).length;
    return { sent, outcome: await outcomeOf(world, rig), changes, ms };
  } finally {
    await world.close();
  }
}

/** Plays a round by the dice: up to three kills, and the rest sent before one of them or after all. */
export async function playRound(
  server: PostgresServer,
  rig: Rig,
  calm: Calm,
  [seed, number]: readonly [number, number],
): Promise<Round> {
  const dice = makeDice("cohort kills", seed, number);
  const deaths = Array.from({ length: 1 + dice.below(MOST_KILLS) }, () => throwDeath(dice, calm));
  const round = await playDeaths(server, rig, calm, deaths, dice.below(deaths.length + 1));
  return { ...round, seed: `${seed}/${number}` };
}

function throwDeath(dice: Dice, { changes, ms }: Calm): Death {
  if (!dice.chance(AT_REQUEST)) return { kind: "time", ms: dice.fraction() * ms };
  const when = dice.chance(0.5) ? "before" : "after";
  // Half of all requests: what a run has still to do grows less with every kill.
  return { kind: "request", fits: isChange, nth: 1 + dice.below(changes >> 1), when };
}

/** Has workers die one after the other, sends the rest before one of them, and lets a last one end. */
export async function playDeaths(
  server: PostgresServer,
  rig: Rig,
  calm: Calm,
  deaths: readonly Death[],
  sendBefore: number,
): Promise<Omit<Round, "seed">> {
  const { sent } = calm;
  const world = await makeCohortWorld(server);
  const problems: string[] = [];
  const reader = startReader(world, problems);
  const variables = variablesOf(sent);
  let kills = 0;
  try {
    await send(world, sent.first, sent.types);
    for (const [at, death] of deaths.entries()) {
      if (at === sendBefore) await send(world, sent.later, sent.types);
      const end = await killAt(world, death, variables, problems);
      if (end.isKilled) kills++;
      else if (end.outcome !== "succeeded") problems.push(`a worker ${said(end)}`);
    }
    await send(world, sent.later, sent.types);
    world.s3.setFaults(watching(world, problems));
    const last = await startWorker(world, variables).ended;
    if (last.outcome !== "succeeded") problems.push(`the last worker ${said(last)}`);
    problems.push(...differences(calm.outcome, await outcomeOf(world, rig)));
    return { kills, readings: await reader.stop(), problems };
  } finally {
    await reader.stop();
    await world.close();
  }
}

function said({ isKilled, outcome, log }: WorkerEnd): string {
  return isKilled ? "was killed" : `ended with ${outcome ?? "nothing"}: ${log.slice(0, 2000)}`;
}

async function killAt(
  world: CohortWorld,
  death: Death,
  variables: Readonly<Record<string, string>>,
  problems: string[],
): Promise<WorkerEnd> {
  const watch = watching(world, problems);
  let seen = 0;
  let isDead = false;
  const kill = (): void => {
    isDead = true;
    child.kill("SIGKILL");
  };
  world.s3.setFaults((request) => {
    watch();
    // Of a worker that is dead nothing more may be done, though some of it may still be on the way.
    if (isDead) return { hangUp: "before" };
    if (death.kind === "time" || !death.fits(request) || ++seen !== death.nth) return null;
    if (death.when === "after") return { onDone: kill, hangUp: "after" };
    kill();
    return { hangUp: "before" };
  });
  const { child, ended } = startWorker(world, variables);
  if (death.kind === "time") {
    // A random moment is what this is about: nothing tells when it has come.
    await Promise.race([pause(death.ms), ended]);
    kill();
  }
  return ended;
}

/** Looks, at every request, whether what current.json names is there as it says: no state of the store is missed. */
function watching(world: CohortWorld, problems: string[]): () => null {
  return () => {
    const objects = world.s3.objects(BUCKETS.processed);
    const current = world.current();
    for (const { key, sha256 } of current?.datasets.flatMap(({ files }) => files) ?? []) {
      const object = objects.get(`${NAMESPACE}/${key}`);
      if (object !== undefined && sha256Of(object) === sha256) continue;
      const what = object === undefined ? "is not there" : "is another";
      note(problems, `build ${current?.build ?? ""} names ${key}, which ${what}`);
    }
    return null;
  };
}

function note(problems: string[], problem: string): void {
  if (!problems.includes(problem)) problems.push(problem);
}

/** Reads datasets as users do, again and again: current.json, then every file that it names. */
function startReader(
  world: CohortWorld,
  problems: string[],
): { readonly stop: () => Promise<number> } {
  const { s3 } = world;
  const credentials = { accessKeyId: s3.accessKeyId, secretAccessKey: s3.secretAccessKey };
  const bucket = openS3Bucket({
    ...{ bucket: BUCKETS.processed, prefix: NAMESPACE, endpoint: s3.url, credentials },
    policy: { attempts: 50, minDelayMs: 5, maxDelayMs: 20 },
  });
  let isOver = false;
  let readings = 0;
  const reading = (async () => {
    while (!isOver) {
      const text = await bucket.get(CURRENT.slice(NAMESPACE.length + 1));
      if (text === null) {
        await pause(20);
        continue;
      }
      const { build, datasets } = JSON.parse(Buffer.from(text).toString()) as {
        readonly build: string;
        readonly datasets: readonly {
          readonly files: readonly { readonly key: string; readonly sha256: string }[];
        }[];
      };
      for (const { key, sha256 } of datasets.flatMap(({ files }) => files)) {
        const bytes = await bucket.get(key);
        if (bytes !== null && digestOf(bytes) === sha256) continue;
        const what = bytes === null ? "is not there" : "is another";
        note(problems, `a reader of build ${build} opens ${key}, which ${what}`);
      }
      readings++;
      await pause(READING_MS);
    }
  })();
  reading.catch((error: unknown) => problems.push(`the reader failed: ${String(error)}`));
  return {
    async stop() {
      isOver = true;
      await reading.catch(() => {});
      await bucket.close();
      return readings;
    },
  };
}
