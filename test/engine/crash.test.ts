import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { removeStaleScratch } from "../../src/engine/scratch.ts";
import { SILENT } from "../../src/log.ts";
import { openDatabase, type PostgresSettings } from "../../src/store/database.ts";
import { readStatus } from "../../src/store/runs.ts";
import { createClone, dropClone } from "../support/postgresTemplate.ts";
import { readDiary, readSite, startWorker } from "./crashRuns.ts";
import type { CrashWork } from "./crashWorker.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-crash-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Runs one worker; its outcome, or null where it was killed. */
async function runWorker(work: CrashWork): Promise<unknown> {
  const { isKilled, how, output } = await startWorker(work).ended;
  if (isKilled) return null;
  expect(how).toBe("0");
  return JSON.parse(output);
}

/** What a finished run leaves in the ledger, without times. */
async function readLedger(settings: PostgresSettings): Promise<unknown> {
  const { db, close } = await openDatabase(settings);
  const read = async (query: ReturnType<typeof sql>) => (await query.execute(db)).rows;
  const ledger = {
    runs: await read(
      sql`select id, status, started_at, finished_at, outcome - 'published' as outcome from run`,
    ),
    scopes: await read(
      sql`select scope, status, facts_digest, delta from run_scope order by scope`,
    ),
    steps: await read(sql`select scope, step, step_key, state from step_run order by step_key`),
    results: await read(
      sql`select step_key, outputs, facts_digest from step_result order by step_key`,
    ),
    findings: await read(sql`select * from run_finding order by step_key, ordinal`),
    measures: await read(sql`select * from run_measure order by step_key, name`),
    open: await read(sql`select step_key from step_attempt where ended_at is null`),
    claims: await read(sql`select * from step_claim`),
    publications: await read(
      sql`select path, digest, etag, scope, run_id from publication order by path`,
    ),
  };
  await close();
  return ledger;
}

/** Tells whether the run has finished; what is left in the work folder then goes as it does at the next start of any run. */
async function isFinished(settings: PostgresSettings, scratch: string): Promise<boolean> {
  const { db, close } = await openDatabase(settings);
  const is = (await readStatus(db, "1")) === "succeeded";
  if (is) await removeStaleScratch(db, scratch, SILENT, new Date());
  await close();
  return is;
}

const finished = {
  record: {
    ...{ id: "1", status: "succeeded", ran: 11, hits: 0 },
    startedAt: "2026-11-01T00:00:00.000Z",
  },
};

describe("a run that is killed", () => {
  const world = async (
    name: string,
    settings: CrashWork["settings"],
    blobs: string | null,
  ): Promise<CrashWork> => ({
    ...{ settings, blobs, killAt: null, isSent: false },
    scratch: join(dir, name, "scratch"),
    site: join(dir, name, "site"),
    diary: join(dir, `${name}.diary`),
  });

  let calm: PostgresSettings;
  let whole: CrashWork;
  beforeAll(async () => {
    calm = await createClone(inject("postgres"));
    whole = await world("calm", calm, null);
    expect(await runWorker(whole)).toMatchObject(finished);
  });
  afterAll(() => dropClone(inject("postgres"), calm.name));

  test("at many statements in turn, leaves in the end what one that was not killed leaves", async () => {
    const rough = await createClone(inject("postgres"));
    const killed = await world("rough", rough, null);
    let kills = 0;
    // Every attempt gets a little further than the one before. The last may be killed too: after the statement that finishes the run,
    // which nothing but tidying up follows.
    for (let killAt = 3, isOver = false; !isOver; killAt += 7) {
      const outcome = await runWorker({ ...killed, killAt, isSent: kills % 2 === 1 });
      if (outcome === null) kills++;
      else expect(outcome).toMatchObject(finished);
      isOver = await isFinished(rough, killed.scratch);
      expect(outcome === null || isOver).toBe(true);
      expect(kills).toBeLessThan(40);
    }
    expect(kills).toBeGreaterThan(8);
    expect(readSite(killed.site)).toEqual(readSite(whole.site));
    expect(await readLedger(rough)).toEqual(await readLedger(calm));
    expect(await readdir(killed.scratch)).toEqual([]);

    const diary = readDiary(killed.diary);
    const peace = readDiary(whole.diary);
    // No step whose commit was known ran again; at most the two that were running at each kill did.
    expect(new Set(diary.known).size).toBe(diary.known.length);
    expect([...new Set(diary.begun)]).toEqual(peace.begun);
    expect(diary.begun.length).toBeLessThanOrEqual(peace.begun.length + 2 * kills);
    await dropClone(inject("postgres"), rough.name);
  });

  test("holds with the embedded database and its folder of blobs too", async () => {
    const settings = { kind: "embedded" as const, dir: join(dir, "loud/database") };
    const killed = await world("loud", settings, join(dir, "loud/blobs"));
    expect(await runWorker({ ...killed, killAt: 25 })).toBeNull();
    expect(await runWorker({ ...killed, killAt: 30, isSent: true })).toBeNull();
    expect(await runWorker(killed)).toMatchObject(finished);
    expect(readSite(killed.site)).toEqual(readSite(whole.site));
  });
});
