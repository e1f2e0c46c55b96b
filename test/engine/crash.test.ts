import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { openDatabase, type PostgresSettings } from "../../src/store/database.ts";
import { createClone, dropClone } from "../support/postgresTemplate.ts";
import type { CrashWork } from "./crashWorker.ts";

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-crash-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

/** Runs one worker; its outcome, or null where it was killed. */
async function runWorker(work: CrashWork): Promise<unknown> {
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, "crashWorker.ts"), JSON.stringify(work)],
    {
      stdio: ["ignore", "pipe", "inherit"],
    },
  );
  const chunks: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
  const [code, signal] = await new Promise<[number | null, NodeJS.Signals | null]>((resolve) => {
    child.once("close", (exit, by) => resolve([exit, by]));
  });
  if (signal === "SIGKILL") return null;
  expect(code).toBe(0);
  return JSON.parse(Buffer.concat(chunks).toString());
}

async function readSite(site: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const name of (await readdir(site)).sort())
    files[name] = await readFile(join(site, name), "utf8");
  return files;
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

/** Finds steps that ran again after their commit was known, or that never ran. */
function readDiary(text: string): {
  readonly ran: readonly string[];
  readonly known: readonly string[];
} {
  const lines = text.trim().split("\n");
  return {
    ran: lines.filter((line) => line.startsWith("run ")).sort(),
    known: lines.filter((line) => line.startsWith("ran ")).sort(),
  };
}

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
    expect(await runWorker(whole)).toMatchObject({
      record: { id: "1", status: "succeeded", ran: 11, hits: 0 },
    });
  });
  afterAll(() => dropClone(inject("postgres"), calm.name));

  test("at many statements in turn, leaves in the end what one that was not killed leaves", async () => {
    const rough = await createClone(inject("postgres"));
    const killed = await world("rough", rough, null);
    let kills = 0;
    let outcome: unknown = null;
    // Every attempt gets a little further than the one before.
    for (let killAt = 3; outcome === null; killAt += 7) {
      outcome = await runWorker({ ...killed, killAt, isSent: kills % 2 === 1 });
      if (outcome === null) kills++;
      expect(kills).toBeLessThan(40);
    }
    expect(kills).toBeGreaterThan(8);
    expect(outcome).toMatchObject({
      record: {
        ...{ id: "1", status: "succeeded", ran: 11, hits: 0 },
        startedAt: "2026-11-01T00:00:00.000Z",
      },
    });
    expect(await readSite(killed.site)).toEqual(await readSite(whole.site));
    expect(await readLedger(rough)).toEqual(await readLedger(calm));
    expect(await readdir(killed.scratch)).toEqual([]);

    const diary = readDiary(await readFile(killed.diary, "utf8"));
    const peace = readDiary(await readFile(whole.diary, "utf8"));
    // No step whose commit was known ran again; at most the two that were running at each kill did.
    expect(new Set(diary.known).size).toBe(diary.known.length);
    expect([...new Set(diary.ran)]).toEqual(peace.ran);
    expect(diary.ran.length).toBeLessThanOrEqual(peace.ran.length + 2 * kills);
    await dropClone(inject("postgres"), rough.name);
  });

  test("holds with the embedded database and its folder of blobs too", async () => {
    const settings = { kind: "embedded" as const, dir: join(dir, "loud/database") };
    const killed = await world("loud", settings, join(dir, "loud/blobs"));
    expect(await runWorker({ ...killed, killAt: 25 })).toBeNull();
    expect(await runWorker({ ...killed, killAt: 30, isSent: true })).toBeNull();
    expect(await runWorker(killed)).toMatchObject({
      record: { id: "1", status: "succeeded", ran: 11, hits: 0 },
    });
    expect(await readSite(killed.site)).toEqual(await readSite(whole.site));
  });
});
