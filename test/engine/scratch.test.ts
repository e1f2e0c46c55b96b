import { existsSync } from "node:fs";
import {
  chown,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import {
  makeArtifactsFolder,
  makePassingFolder,
  makeScratch,
  removeStaleScratch,
} from "../../src/engine/scratch.ts";
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

describe("makePassingFolder(parent, prefix)", () => {
  test("removes what killed commands of this user left, and nothing else", async () => {
    const own = identifyProcess();
    const dead = { ...own, startTicks: "1" };
    const leave = async (name: string, owner: object | null): Promise<void> => {
      await mkdir(join(dir, name));
      await writeFile(join(dir, name, "cells"), "");
      if (owner !== null) await writeFile(join(dir, name, "owner.json"), JSON.stringify(owner));
    };
    await leave("pass-dead", dead);
    await leave("pass-alive", own);
    await leave("pass-unsigned", null);
    await leave("pass-elsewhere", { ...dead, bootId: "another" });
    await leave("other-dead", dead);
    await symlink(join(dir, "other-dead"), join(dir, "pass-link"));
    const isRoot = process.geteuid?.() === 0;
    if (isRoot) {
      await leave("pass-theirs", dead);
      await chown(join(dir, "pass-theirs"), 12_345, 12_345);
    }
    const made = await makePassingFolder(dir, "pass-");
    const left = (await readdir(dir)).filter((name) => join(dir, name) !== made);
    expect(left.sort()).toEqual([
      "other-dead",
      "pass-alive",
      "pass-elsewhere",
      "pass-link",
      ...(isRoot ? ["pass-theirs"] : []),
      "pass-unsigned",
    ]);
    expect(await readdir(made)).toEqual(["owner.json"]);
  });
});
