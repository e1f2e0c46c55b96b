import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { makeArtifactsFolder, makeScratch, removeStaleScratch } from "../../src/engine/scratch.ts";
import { SILENT } from "../../src/log.ts";
import { claimRun } from "../../src/store/claims.ts";
import { identifyProcess } from "../../src/store/processIdentity.ts";
import { listRuns } from "../../src/store/runs.ts";
import { startAfresh } from "../support/ledger.ts";
import { finish, openWorld, play, type World } from "./world.ts";

let world: World;
let dir: string;
beforeAll(async () => {
  world = await openWorld("postgres");
});
afterAll(() => world.close());
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), "hdash-scratch-"));
});
afterEach(() => rm(dir, { recursive: true, force: true }));

describe("makeScratch(dir, lease, worker, log)", () => {
  test("makes a folder for each step that asks, and removes them", async () => {
    const scratch = await makeScratch(dir, { runId: "7", attempt: 2 }, identifyProcess(), SILENT);
    const [one, two, idle] = [scratch.newFolder(), scratch.newFolder(), scratch.newFolder()];
    const path = await one.make();
    expect(await one.make()).toBe(path);
    expect(await two.make()).not.toBe(path);
    await idle.remove();
    await one.remove();
    expect(existsSync(path)).toBe(false);
    expect((await readdir(dir))[0]).toMatch(/^run-7-2-/);
    await scratch.remove();
    expect(await readdir(dir)).toEqual([]);
  });
});

describe("removeStaleScratch(db, dir, log)", () => {
  test("removes what dead workers left and nothing else", async () => {
    const own = identifyProcess();
    const claim = await claimRun(world.database.db, {
      ...{ pipeline: "p", params: null, build: "b", worker: own, nonce: "n" },
      ...{ startedAt: new Date(), leaseSeconds: 60, isDead: () => false },
    });
    const active = claim.kind === "claimed" ? `run-${claim.lease.runId}-1-` : "";
    const leave = async (name: string, owner: object | string) => {
      await mkdir(join(dir, name, "step-1"), { recursive: true });
      const text = typeof owner === "string" ? owner : JSON.stringify(owner);
      await writeFile(join(dir, name, "owner.json"), text);
    };
    const elsewhere = { ...own, bootId: "another" };
    await leave(`${active}alive`, own);
    await leave("run-900-1-alive", own);
    await leave(`${active}dead`, { ...own, startTicks: "1" });
    await leave(`${active}elsewhere`, elsewhere);
    await leave("run-900-1-elsewhere", elsewhere);
    await leave("run-900-1-torn", "{");
    await leave("not-ours", own);
    await removeStaleScratch(world.database.db, dir, SILENT, new Date());
    expect((await readdir(dir)).sort()).toEqual(
      ["not-ours", `${active}alive`, `${active}elsewhere`, "run-900-1-alive"].sort(),
    );
    await removeStaleScratch(world.database.db, join(dir, "none"), SILENT, new Date());
  });

  test("removes also what a worker of this run left that was killed before it had signed it", async () => {
    await startAfresh(world.database.db);
    const worker = { ...identifyProcess(), startTicks: "1" };
    const claim = await claimRun(world.database.db, {
      ...{ pipeline: "test", params: null, build: "b", worker, nonce: "killed" },
      ...{ startedAt: new Date(), leaseSeconds: 60, isDead: () => false },
    });
    expect(claim).toMatchObject({ lease: { runId: "1", attempt: 1 } });
    await mkdir(join(world.scratch, "run-1-1-unsigned"), { recursive: true });
    const { record } = await finish(world, async () => {});
    expect(record).toMatchObject({ id: "1", status: "succeeded" });
    expect(await readdir(world.scratch)).toEqual([]);
  });

  test("removes the artifacts of dead workers, and those of unknown ones after a day", async () => {
    const home = await mkdtemp(join(dir, "home-"));
    const own = identifyProcess();
    const [alive, dead, elsewhere, left] = await Promise.all([
      makeArtifactsFolder(home, own),
      makeArtifactsFolder(home, { ...own, startTicks: "1" }),
      makeArtifactsFolder(home, { ...own, bootId: "another" }),
      makeArtifactsFolder(home, { ...own, bootId: "another" }),
    ]);
    expect(JSON.parse(await readFile(join(dead, "owner.json"), "utf8"))).toMatchObject({
      startTicks: "1",
    });
    // By the clock of the files, which may be another than that of this process.
    const { mtime: now } = await stat(elsewhere);
    const dayAgo = new Date(now.getTime() - 25 * 3_600_000);
    for (const folder of [alive, left]) await utimes(folder, dayAgo, dayAgo);
    await removeStaleScratch(world.database.db, home, SILENT, now);
    const found = (await readdir(home)).map((name) => join(home, name));
    expect(found.sort()).toEqual([alive, elsewhere].sort());
  });
});

describe("executeRun(request)", () => {
  test("hands the run back where no work folder can be made", async () => {
    await writeFile(join(dir, "file"), "");
    const broken = { ...world, scratch: join(dir, "file", "x") };
    await expect(play(broken, async () => {}, { name: "broken" })).rejects.toMatchObject({
      kind: "permanent",
      message: expect.stringContaining("no work folder can be made in") as string,
    });
    const [run] = await listRuns(world.database.db, { limit: 1, pipeline: "broken" });
    expect(run?.status).toBe("queued");
    const { record } = await finish(world, async () => {}, { name: "broken" });
    expect(record).toMatchObject({ id: run?.id, status: "succeeded" });
  });
});
