// Equal work is done once, whoever wants it: runs of one process, and processes that are killed in the middle of it, on real Postgres.

import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { sql } from "kysely";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { json, type Plan, step } from "../../src/engine/step.ts";
import { startAfresh } from "../support/ledger.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import type { SharedWork } from "./sharedWorker.ts";
import { finish, openWorld, play, type World } from "./world.ts";

interface Ended {
  readonly code: number | null;
  readonly outcome: { readonly kind: string; readonly record?: Record<string, unknown> } | null;
}

describe("processes that share steps", () => {
  let made: TestDatabase;
  let dir: string;
  beforeAll(async () => {
    made = await createTestDatabase();
    dir = await mkdtemp(join(tmpdir(), "hdash-claims-"));
  });
  afterAll(async () => {
    await made.drop();
    await rm(dir, { recursive: true, force: true });
  });
  let round = 0;
  let diary: string;
  beforeEach(async () => {
    await startAfresh(made.database.db);
    diary = join(dir, `diary-${++round}`);
  });

  function start(params: string, steps: readonly string[], given: Partial<SharedWork> = {}) {
    const work: SharedWork = {
      ...{ settings: made.settings, scratch: join(dir, "scratch"), diary, params, steps },
      ...{ concurrency: 2, gate: null, deadly: null },
      ...given,
    };
    const child = spawn(
      process.execPath,
      [join(import.meta.dirname, "sharedWorker.ts"), JSON.stringify(work)],
      { stdio: ["ignore", "pipe", "inherit"] },
    );
    const chunks: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => chunks.push(chunk));
    const ended = new Promise<Ended>((resolve) => {
      child.once("close", (code) => {
        const text = Buffer.concat(chunks).toString();
        resolve({ code, outcome: text === "" ? null : (JSON.parse(text) as Ended["outcome"]) });
      });
    });
    return { child, ended };
  }

  const lines = async () =>
    existsSync(diary) ? (await readFile(diary, "utf8")).trim().split("\n") : [];
  /** Steps that ended, each as often as it did. */
  const ends = async () =>
    (await lines()).flatMap((line) => /^end (\S+)/.exec(line)?.[1] ?? []).sort();
  const told = (line: string) => expect.poll(lines).toContainEqual(expect.stringMatching(line));
  const STEPS = ["a", "b", "c", "d"];

  test("do each of them once, though they ask in opposite orders with a place each, 20 times", async () => {
    for (let n = 0; n < 20; n++) {
      const gate = join(dir, `gate-${round}`);
      const opposite = [...STEPS].reverse();
      const workers = [
        start("one", STEPS, { gate, concurrency: 1 }),
        start("two", opposite, { gate, concurrency: 1 }),
      ];
      // Both are at work, each with what the other wants next.
      await told("begin . one");
      await told("begin . two");
      await writeFile(gate, "");
      const outcomes = await Promise.all(workers.map(({ ended }) => ended));
      const records = outcomes.map(({ outcome }) => outcome?.record);
      expect(records).toMatchObject([{ status: "succeeded" }, { status: "succeeded" }]);
      expect(await ends()).toEqual(STEPS);
      const ran = records.map((record) => Number(record?.["ran"]));
      expect((ran[0] ?? 0) + (ran[1] ?? 0)).toBe(STEPS.length);
      await startAfresh(made.database.db);
      diary = join(dir, `diary-${++round}`);
    }
  });

  test("take over from one that was killed with SIGKILL while it did one, 20 times", async () => {
    for (let n = 0; n < 20; n++) {
      const gate = join(dir, `gate-${round}`);
      const doomed = start("one", STEPS, { gate, deadly: "a", concurrency: 1 });
      await told("begin a one");
      const heir = start("two", STEPS);
      await told("waits two");
      await writeFile(gate, "");
      expect((await doomed.ended).outcome).toBeNull();
      expect((await heir.ended).outcome?.record).toMatchObject({ status: "succeeded" });
      expect(await ends()).toEqual(STEPS);
      await startAfresh(made.database.db);
      diary = join(dir, `diary-${++round}`);
    }
  });

  test("take over from one that was told to stop, and from one whose machine does not answer", async () => {
    const gate = join(dir, "never");
    const stopped = start("one", ["a"], { gate });
    await told("begin a one");
    const heir = start("two", ["a"]);
    await told("waits two");
    stopped.child.kill("SIGTERM");
    expect((await stopped.ended).outcome).toMatchObject({ kind: "handedBack" });
    expect((await heir.ended).outcome?.record).toMatchObject({ status: "succeeded", ran: 1 });

    const silent = start("three", ["b"], { gate });
    await told("begin b three");
    silent.child.kill("SIGSTOP");
    const next = start("four", ["b"]);
    await told("waits four");
    // As if the minute of its lease had gone by.
    await sql`update step_claim set lease_until = now() - interval '1 second'`.execute(
      made.database.db,
    );
    expect((await next.ended).outcome?.record).toMatchObject({ status: "succeeded", ran: 1 });
    await writeFile(gate, "");
    silent.child.kill("SIGCONT");
    // It wakes, finds that its claim is gone, and takes what is there for its own.
    expect((await silent.ended).outcome?.record).toMatchObject({
      ...{ status: "succeeded", ran: 0, hits: 1 },
    });
    const { rows } = await sql`select step_key from step_result`.execute(made.database.db);
    expect(rows).toHaveLength(2);
  });
});

describe.each(["postgres", "embedded"] as const)("runs of one process, on %s", (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(kind);
  });
  afterAll(() => world.close());
  beforeEach(() => startAfresh(world.database.db));

  function makeSlow(fail: () => boolean = () => false) {
    const calls: string[] = [];
    const begun = Promise.withResolvers<void>();
    const gate = Promise.withResolvers<void>();
    const slow = step({
      name: "slow",
      version: 1,
      outputs: { name: json<string>() },
      async run(_inputs: Record<never, never>, { name }: { name: string }) {
        calls.push(name);
        begun.resolve();
        if (name === "slow") await gate.promise;
        if (fail()) throw new Error("it failed");
        return { name };
      },
    });
    const plan =
      (...names: string[]) =>
      async (p: Plan) => {
        await Promise.all(names.map((name) => p.do(slow, { params: { name }, inputs: {} })));
      };
    return { calls, plan, begun: begun.promise, open: () => gate.resolve() };
  }

  test("do other work in the place of a step that is waited for", async () => {
    const { calls, plan, begun, open } = makeSlow();
    const first = finish(world, plan("slow"), { params: 1 });
    await begun;
    const second = play(world, plan("slow", "quick"), {
      ...{ params: 2, concurrency: 1 },
      onProgress: (event) => {
        if (event.kind === "stepEnded" && event.state === "ran") open();
      },
    });
    const { outcome, events } = await second;
    await first;
    expect(outcome).toMatchObject({ record: { status: "succeeded", ran: 1, hits: 1 } });
    expect(calls).toEqual(["slow", "quick"]);
    expect(events.filter((event) => event.kind === "waiting")).toEqual([
      expect.objectContaining({ for: "step" }),
    ]);
  });

  test("do a step themselves where the one that is waited for fails", async () => {
    let fails = 1;
    const { calls, plan, begun, open } = makeSlow(() => fails-- > 0);
    const first = finish(world, plan("slow"), { params: 1 });
    await begun;
    const second = finish(world, plan("slow"), {
      ...{ params: 2, onProgress: (event) => event.kind === "waiting" && open() },
    });
    expect((await first).record).toMatchObject({ status: "failed", error: "it failed" });
    expect((await second).record).toMatchObject({ status: "succeeded", ran: 1 });
    expect(calls).toEqual(["slow", "slow"]);
  });

  test("do it again when they are forced, but one after the other", async () => {
    const { calls, plan, begun, open } = makeSlow();
    const first = finish(world, plan("slow"), { params: 1 });
    await begun;
    const second = finish(world, plan("slow"), {
      ...{ params: 2, force: true, onProgress: (event) => event.kind === "waiting" && open() },
    });
    await first;
    expect((await second).record).toMatchObject({ status: "succeeded", ran: 1, hits: 0 });
    expect(calls).toEqual(["slow", "slow"]);
    const { rows } = await sql`select id from step_result`.execute(world.database.db);
    expect(rows).toHaveLength(1);
  });

  test("can be stopped while they wait for a step", async () => {
    const { plan, begun, open } = makeSlow();
    const first = finish(world, plan("slow"), { params: 1 });
    await begun;
    const stopping = new AbortController();
    const { outcome } = await play(world, plan("slow"), {
      ...{ params: 2, signal: stopping.signal },
      onProgress: (event) => event.kind === "waiting" && stopping.abort(),
    });
    expect(outcome.kind).toBe("handedBack");
    open();
    await first;
  });
});
