// What goes and what stays when old blobs are removed, also while runs go on, and when whoever removes them is killed.

import { mkdtemp, readdir, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import type { Digest } from "../../src/digest.ts";
import { type Plan, step } from "../../src/engine/step.ts";
import { HdashError } from "../../src/error.ts";
import { collectGarbage, type GcOutcome, type GcRequest } from "../../src/lineage/gc.ts";
import { parseAge, parseKeep } from "../../src/lineage/roots.ts";
import { findUnused, readCutoff, sweep } from "../../src/lineage/sweep.ts";
import { makeDice } from "../../src/lookalikes/dice.ts";
import type { BlobStore } from "../../src/store/blobs.ts";
import type { PostgresSettings } from "../../src/store/database.ts";
import { openDatabaseBlobs } from "../../src/store/databaseBlobs.ts";
import { openPublications } from "../../src/store/publications.ts";
import { finish, openWorld, play, type World } from "../engine/world.ts";
import { startProgram } from "../support/command.ts";
import { LEDGER_KINDS, startAfresh } from "../support/ledger.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { draw, drawing, MIB, pack, weigh } from "./drawing.ts";

const NOW: GcRequest = { keeps: [], graceMs: 0, isDryRun: false, withRecords: false };

/** Makes all that is there so old as nobody waits for in a test. */
async function age({ database, dir }: World): Promise<void> {
  const { db } = database;
  await sql`update blob set used_at = now() - interval '3 days'`.execute(db);
  await sql`update run set finished_at = finished_at - interval '3 days'`.execute(db);
  const at = new Date(Date.now() - 3 * 86_400_000);
  for (const path of await readdir(join(dir, "blobs"), { recursive: true }).catch(() => [])) {
    await utimes(join(dir, "blobs", path), at, at);
  }
}

async function listDigests(blobs: BlobStore): Promise<readonly Digest[]> {
  const digests: Digest[] = [];
  for await (const { digest } of blobs.list()) digests.push(digest);
  return digests;
}

const looking = { siteUrl: null, signal: new AbortController().signal };

function collect(world: World, request: Partial<GcRequest> = {}): Promise<GcOutcome> {
  const store = { db: world.database.db, blobs: world.blobs };
  return collectGarbage(world.database, store, { ...NOW, ...request }, looking);
}

/** Counts hits and what ran. */
async function tally(world: World, of: string, name?: string): Promise<string> {
  const { record } = await finish(world, drawing(of), {
    params: { of },
    ...(name === undefined ? {} : { name }),
  });
  expect(record.status, record.error ?? "").toBe("succeeded");
  return `${record.hits} hits, ${record.ran} ran`;
}

describe("parseKeep(word)", () => {
  test("reads ages, numbers of runs, and else names", () => {
    expect(["30d", "12h", "2 w", "10 runs", "1 run", "kmer.merged", "17"].map(parseKeep)).toEqual([
      { kind: "age", ms: 30 * 86_400_000 },
      { kind: "age", ms: 12 * 3_600_000 },
      { kind: "age", ms: 14 * 86_400_000 },
      { kind: "runs", count: 10 },
      { kind: "runs", count: 1 },
      { kind: "named", word: "kmer.merged" },
      { kind: "named", word: "17" },
    ]);
    expect(["30", "d", "-1d", "1.5d", "30 days"].map(parseAge)).toEqual([
      null,
      null,
      null,
      null,
      null,
    ]);
  });
});

describe.each(LEDGER_KINDS)("collectGarbage(database, store, request, looking) on %s", (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(kind);
  });
  afterAll(() => world.close());
  beforeEach(async () => {
    await startAfresh(world.database.db);
    await world.blobs.clear();
    world.warnings.length = 0;
  });

  test("keeps all of the last good run, tells in a dry run the very bytes that go then, and what went is made again", async () => {
    await finish(world, drawing("a"), { params: { of: "a" } });
    await finish(world, drawing("b"), { params: { of: "b" } });
    await age(world);
    const before = await listDigests(world.blobs);
    const told = await collect(world, { isDryRun: true });
    expect(await listDigests(world.blobs)).toEqual(before);
    const done = await collect(world);
    expect(done.removed).toEqual(told.removed);
    // The picture, the lists of its folders and of the boxes, one own file, what was weighed is the same, and a log.
    expect(done.removed).toMatchObject({ blobs: 6 });
    expect(done.removed.bytes).toBeGreaterThan(MIB);
    expect(await listDigests(world.blobs)).toHaveLength(before.length - 6);
    expect(done.kept.blobs).toBe(before.length - 6);
    expect((await collect(world)).removed).toEqual({ blobs: 0, bytes: 0, storedBytes: 0 });
    expect(await tally(world, "b")).toBe("3 hits, 0 ran");
    // What was weighed is still there.
    expect(await tally(world, "a")).toBe("1 hits, 2 ran");
    expect(world.warnings.filter((line) => !line.includes("is missing; the step"))).toEqual([]);
  });

  test("keeps what it is told to: runs by number and age, a run, a result with its files, and what is published", async () => {
    for (const of of ["a", "b", "c"]) {
      await finish(world, drawing(of), { params: { of } });
      await age(world);
    }
    const removedWith = async (...words: string[]): Promise<number> =>
      (await collect(world, { isDryRun: true, keeps: words.map(parseKeep) })).removed.blobs;
    expect(await removedWith()).toBe(12);
    expect(await removedWith("2 runs")).toBe(6);
    expect(await removedWith("3 runs")).toBe(0);
    expect(await removedWith("7d")).toBe(6);
    expect(await removedWith("10d")).toBe(0);
    expect(await removedWith("1")).toBe(6);
    const key = await sql<{ key: string; picture: Digest }>`
      select step_key as key, (select outputs -> 'picture' ->> 'digest' from step_result d where d.run_id = r.run_id and d.step = 'draw') as picture
      from step_result r where step = 'pack' and run_id = 1`.execute(world.database.db);
    const [found] = key.rows;
    if (found === undefined) throw new Error("no result");
    // The folder, its file, the boxes, and the list of the one box.
    expect(await removedWith(found.key)).toBe(8);
    await openPublications(world.database.db).save("s3://site", {
      ...{ path: "a.png", owner: "test", digest: found.picture, etag: "e", scope: null },
      ...{ contentType: "image/png", bytes: 1 },
    });
    expect(await removedWith()).toBe(11);
    await expect(removedWith("nothing.of")).rejects.toMatchObject({
      kind: "usage",
      message: expect.stringContaining("--keep nothing.of: ") as string,
    });
  });

  test("keeps what a run has that was handed back, or waits", async () => {
    const stop = new AbortController();
    const stopping = async (p: Plan): Promise<void> => {
      await drawing("a")(p);
      stop.abort(new HdashError("aborted", "told to stop"));
      await p.do(draw, { params: { of: "z" }, inputs: {} });
    };
    const { outcome } = await play(world, stopping, { signal: stop.signal });
    expect(outcome.kind).toBe("handedBack");
    await age(world);
    expect((await collect(world)).removed.blobs).toBe(0);
  });

  test("keeps what was used within the grace, and the files of such lists", async () => {
    await finish(world, drawing("a"), { params: { of: "a" } });
    await finish(world, drawing("b"), { params: { of: "b" } });
    await sql`update run set finished_at = finished_at - interval '3 days'`.execute(
      world.database.db,
    );
    const { removed, young } = await collect(world, { graceMs: 86_400_000 });
    expect(removed.blobs).toBe(0);
    expect(young.blobs).toBe(6);
  });

  test("finds what lies in lists from before that was noted", async () => {
    await finish(world, drawing("a"), { params: { of: "a" } });
    await sql`delete from blob_part where whole in (
      select outputs -> 'packed' ->> 'digest' from step_result)`.execute(world.database.db);
    await age(world);
    expect((await collect(world)).removed.blobs).toBe(0);
    expect(await tally(world, "a")).toBe("3 hits, 0 ran");
  });

  test("forgets runs and results only when asked, never while a run goes on, and what it tells is what goes", async () => {
    await finish(world, drawing("a"), { params: { of: "a" } });
    await finish(world, drawing("b"), { params: { of: "b" } });
    await age(world);
    await sql`update step_result set created_at = created_at - interval '3 days'`.execute(
      world.database.db,
    );
    expect((await collect(world)).records).toBeNull();
    const told = await collect(world, { withRecords: true, isDryRun: true });
    // weigh gave the same in both, but under its own key.
    expect(told.records).toMatchObject({ runs: 1, results: 3, attempts: 3 });
    await finish(
      world,
      async (p) => {
        await p.do(draw, { params: { of: "b" }, inputs: {} });
        expect((await collect(world, { withRecords: true })).records).toBeNull();
      },
      { name: "other" },
    );
    const done = await collect(world, { withRecords: true });
    expect(done.records).toEqual(told.records);
    // What lies in the folder that lies in the boxes of the run that is kept is still known.
    const kept = await sql<{ n: number }>`
      select count(distinct inner_list.whole)::int as n from step_result r
      join blob_part outer_list on outer_list.whole = r.outputs -> 'boxes' ->> 'digest'
      join blob_part inner_list on inner_list.whole = outer_list.part`.execute(world.database.db);
    expect(kept.rows).toEqual([{ n: 1 }]);
    expect(await tally(world, "b")).toBe("3 hits, 0 ran");
    expect(await tally(world, "a")).toBe("0 hits, 3 ran");
  });

  test("leaves nothing that cannot be made again where it stops anywhere in between", async () => {
    for (let calls = 0; calls < 3; calls++) {
      await startAfresh(world.database.db);
      await world.blobs.clear();
      await finish(world, drawing("a"), { params: { of: "a" } });
      await finish(world, drawing("b"), { params: { of: "b" } });
      await age(world);
      let left = calls;
      const removeUnused: BlobStore["removeUnused"] = async (digests, before) => {
        if (left-- === 0) throw new Error("killed");
        return world.blobs.removeUnused(digests, before);
      };
      const store = { db: world.database.db, blobs: { ...world.blobs, removeUnused } };
      await expect(collectGarbage(world.database, store, NOW, looking)).rejects.toThrow("killed");
      // Whatever is left of a list is whole.
      world.warnings.length = 0;
      expect(await tally(world, "a")).toMatch(/ran$/);
      expect(world.warnings.filter((line) => line.includes("cannot read an input"))).toEqual([]);
      await age(world);
      await collect(world);
      expect(await tally(world, "a")).toBe("3 hits, 0 ran");
    }
  });
});

describe("collectGarbage(database, store, request, looking) beside runs", () => {
  let world: World;
  let settings: PostgresSettings;
  beforeAll(async () => {
    const made = await createTestDatabase();
    const dir = await mkdtemp(join(tmpdir(), "hdash-gc-"));
    ({ settings } = made);
    world = {
      ...{ database: made.database, blobs: openDatabaseBlobs(made.database.db), dir },
      ...{ scratch: join(dir, "scratch"), warnings: [], close: made.drop },
    };
  });
  afterAll(async () => {
    await world.close();
    await rm(world.dir, { recursive: true, force: true });
  });
  beforeEach(async () => {
    await startAfresh(world.database.db);
    await world.blobs.clear();
    world.warnings.length = 0;
  });

  // What is found must stay: between the moment in which blobs are found unused and the one in which they go, a run finds them.
  test("leaves what a run finds, or puts, after it was found unused", async () => {
    await finish(world, drawing("a"), { params: { of: "a" } });
    await finish(world, drawing("b"), { params: { of: "b" } });
    await age(world);
    const store = { db: world.database.db, blobs: world.blobs };
    const { before } = await readCutoff(world.database, 0);
    const unused = await findUnused(store, { runIds: ["2"], results: [], digests: [] }, before);
    expect(unused.levels.flat()).toHaveLength(6);
    const gone: number[] = [];
    const removing = async (p: Plan): Promise<void> => {
      const { picture } = await p.do(draw, { params: { of: "a" }, inputs: {} });
      const { packed, boxes } = await p.do(pack, { params: { of: "a" }, inputs: { picture } });
      // All is found, and nothing has been read.
      gone.push((await sweep(store, unused, looking.signal)).length);
      const again = step({ ...weigh, version: 2 });
      await p.read((await p.do(again, { params: null, inputs: { packed, boxes } })).weights);
    };
    const { record } = await finish(world, removing, { params: { of: "a" } });
    expect(record).toMatchObject({ hits: 2, ran: 1 });
    // Only its log: nobody reads it to go on.
    expect(gone).toEqual([1]);
    expect(world.warnings).toEqual([]);
  });

  test("takes nothing that was there before a run which goes on began", async () => {
    await finish(world, drawing("a"), { params: { of: "a" } });
    await finish(world, drawing("b"), { params: { of: "b" } });
    // Older than the hour, and used while the run goes on: without the run it would go.
    await sql`update run set finished_at = finished_at - interval '3 days'`.execute(
      world.database.db,
    );
    const counts: number[] = [];
    await finish(
      world,
      async () => {
        await sql`update run set claimed_at = now() - interval '5 hours' where status = 'running'`.execute(
          world.database.db,
        );
        for (const hours of [4, 7]) {
          await sql`update blob set used_at = now() - make_interval(hours => ${hours})`.execute(
            world.database.db,
          );
          counts.push((await collect(world, { isDryRun: true })).removed.blobs);
        }
      },
      { name: "other" },
    );
    expect(counts).toEqual([0, 6]);
  });

  test("takes nothing from runs that come, go and are stopped beside several that remove, and are killed", async () => {
    const dice = makeDice("gc", 1);
    let removed = 0;
    for (let round = 0; round < 6; round++) {
      await age(world);
      const worker = startProgram(process.execPath, [
        "--disable-warning=ExperimentalWarning",
        join(import.meta.dirname, "gcWorker.ts"),
        JSON.stringify(settings),
      ]);
      const stops = ["a", "b", "c", "d"].map(() => new AbortController());
      const runs = ["a", "b", "c", "d"].map(async (of, index) => {
        const stop = stops[index] ?? new AbortController();
        const isStopped = dice.chance(0.3);
        const plan = async (p: Plan): Promise<void> => {
          if (isStopped) stop.abort(new HdashError("aborted", "told to stop"));
          await drawing(of)(p);
        };
        const { outcome } = await play(world, plan, { params: { of }, signal: stop.signal });
        return outcome.kind === "finished" ? outcome.record.status : outcome.kind;
      });
      const collecting = [collect(world), collect(world)];
      for (const status of await Promise.all(runs)) {
        expect(["succeeded", "handedBack"]).toContain(status);
      }
      for (const one of await Promise.all(collecting)) removed += one.removed.blobs;
      await worker.line(/collected/);
      worker.process.kill("SIGKILL");
      await worker.ended;
      expect(world.warnings.filter((line) => !line.includes("is missing; the step"))).toEqual([]);
      await everyRunIsWhole(world);
    }
    expect(removed).toBeGreaterThan(0);
  }, 120_000);

  /** Reads all that the runs of this round have found or made. */
  async function everyRunIsWhole({ database, blobs }: World): Promise<void> {
    const { rows } = await sql<{ digest: Digest }>`
      select distinct o.value ->> 'digest' as digest from run
      join step_run s on s.run_id = run.id join step_result r on r.id = s.result_id
      cross join lateral jsonb_each(r.outputs) o
      where run.finished_at > now() - interval '1 day' and run.status = 'succeeded'
      union
      select p.part from run
      join step_run s on s.run_id = run.id join step_result r on r.id = s.result_id
      cross join lateral jsonb_each(r.outputs) o join blob_part p on p.whole = o.value ->> 'digest'
      where run.finished_at > now() - interval '1 day' and run.status = 'succeeded'`.execute(
      database.db,
    );
    for (const { digest } of rows) await blobs.read(digest);
  }
});
