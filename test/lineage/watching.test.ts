// Runs as those who watch them see them, on real runs: what goes on, what waits, what has failed, what is logged while it is logged, what it took.

import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { json, type Plan, step } from "../../src/engine/step.ts";
import {
  attemptsOfRun,
  followRun,
  lastLineOf,
  type LogEntry,
  logOf,
} from "../../src/lineage/logs.ts";
import { totalOf } from "../../src/lineage/prices.ts";
import { type Standing, standingOf } from "../../src/lineage/standing.ts";
import { identifyProcess } from "../../src/store/processIdentity.ts";
import { cancelRun, requestRun } from "../../src/store/queue.ts";
import { appendLog } from "../../src/store/stepLog.ts";
import { countRuns, sumUsage } from "../../src/store/usage.ts";
import {
  findAttempted,
  listActive,
  listAtWork,
  listFailed,
  listKeyAttempts,
  readWatched,
} from "../../src/store/watching.ts";
import { LEDGER_KINDS, startAfresh } from "../support/ledger.ts";
import { finish, openWorld, play, type World } from "./../engine/world.ts";

type Saying = { readonly name: string; readonly fails: boolean };

/** Steps that say something, tell that they have, and wait until they may end. */
function makeSpeakers() {
  const begun = new Map<string, PromiseWithResolvers<void>>();
  const gates = new Map<string, PromiseWithResolvers<void>>();
  const of = (map: typeof gates, name: string) => {
    const known = map.get(name) ?? Promise.withResolvers<void>();
    map.set(name, known);
    return known;
  };
  const say = step({
    name: "say",
    version: 1,
    outputs: { name: json<string>() },
    resources: { cpus: 1, memoryMiB: 8 },
    async run(_inputs: Readonly<Record<string, never>>, { name, fails }: Saying, ctx) {
      ctx.log(`${name} begins`);
      ctx.progress(1, 4);
      of(begun, name).resolve();
      const stopped = Promise.withResolvers<never>();
      ctx.signal.addEventListener("abort", () => stopped.reject(new Error("stopped")));
      await Promise.race([of(gates, name).promise, stopped.promise]);
      ctx.log(`${name} ends\nwith two lines`);
      ctx.log("and a last one");
      if (fails) throw new Error(`${name} cannot`);
      return { name };
    },
  });
  return {
    say: (plan: Plan, { name, fails = false }: { name: string; fails?: boolean }) =>
      plan.do(say, { params: { name, fails }, inputs: {}, label: name }),
    begun: (name: string) => of(begun, name).promise,
    open: (...names: string[]) => names.forEach((name) => of(gates, name).resolve()),
  };
}

async function all<T>(things: AsyncIterable<T>): Promise<readonly T[]> {
  const found: T[] = [];
  for await (const thing of things) found.push(thing);
  return found;
}

const alive = (): boolean => false;

describe.each(LEDGER_KINDS)("what is watched, on %s", (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(kind);
  });
  afterAll(() => world.close());
  beforeEach(() => startAfresh(world.database.db));
  const places = () => ({ db: world.database.db, blobs: world.blobs });

  /** Follows a run until it is over; `onLine` sees what has come by then. */
  async function follow(
    runId: string,
    onLine: (line: string) => void = () => {},
  ): Promise<{ lines: readonly string[]; standing: Standing | null }> {
    const lines: string[] = [];
    const { signal } = new AbortController();
    const following = followRun(places(), {
      ...{ runId, key: null, signal, isDead: alive, pollMs: 5 },
    });
    for (;;) {
      const next = await following.next();
      if (next.done === true) return { lines, standing: next.value };
      lines.push(next.value.line);
      onLine(next.value.line);
    }
  }

  const linesOf = async (entries: AsyncIterable<LogEntry>): Promise<readonly string[]> =>
    (await all(entries)).map(({ line }) => line);

  test("shows a run while it goes on, its steps with progress and attempt, and its logs to the end", async () => {
    const { db } = world.database;
    const { say, begun, open } = makeSpeakers();
    const playing = finish(world, async (plan) => {
      await say(plan, { name: "one" });
    });
    await begun("one");
    await expect
      .poll(() => listAtWork(db, "1", 10))
      .toMatchObject([
        { step: "say", label: "one", done: 1, total: 4, attempt: 1, waitsFor: null },
      ]);
    const [run] = await listActive(db, 10);
    expect(run).toMatchObject({ id: "1", attempt: 1, isLapsed: false });
    expect(run?.steps).toEqual({ hits: 0, ran: 0, failed: 0, running: 1 });
    // What is seen of it while it works is not shown again from the whole log.
    const { lines, standing } = await follow("1", (line) => line === "one begins" && open("one"));
    expect(lines).toEqual(["one begins", "one ends", "with two lines", "and a last one"]);
    expect(standing).toBe("succeeded");
    await playing;
    expect(await listActive(db, 10)).toEqual([]);
    const [attempt] = await all(attemptsOfRun(db, "1", { onlyBad: false }));
    expect(attempt).toMatchObject({ step: "say", label: "one", state: "succeeded", runId: "1" });
    if (attempt === undefined) return;
    expect(await linesOf(logOf(places(), attempt))).toEqual(lines);
    expect(await findAttempted(db, attempt.key.slice(0, 8), 5)).toEqual([
      { key: attempt.key, step: "say" },
    ]);
  });

  test("says which run does what another waits for", async () => {
    const { db } = world.database;
    const { say, begun, open } = makeSpeakers();
    const plan = async (own: Plan): Promise<void> => {
      await say(own, { name: "one" });
    };
    const first = finish(world, plan, { params: 1 });
    await begun("one");
    const second = finish(world, plan, { params: 2 });
    await expect
      .poll(() => listAtWork(db, "2", 10))
      .toMatchObject([{ label: "one", attempt: null, waitsFor: { runId: "1" } }]);
    open("one");
    await first;
    expect((await second).record).toMatchObject({ hits: 1, ran: 0 });
    expect((await readWatched(db, "2"))?.steps).toEqual({ hits: 1, ran: 0, failed: 0, running: 0 });
  });

  test("names what has failed first, with its error and what it said last", async () => {
    const { db } = world.database;
    const { say, open } = makeSpeakers();
    open("good", "bad");
    await finish(world, async (plan) => {
      await say(plan, { name: "good" });
      await say(plan, { name: "bad", fails: true });
    });
    const [failed, ...others] = await listFailed(db, "1", 10);
    expect(others).toEqual([]);
    expect(failed).toMatchObject({ label: "bad", error: "bad cannot", attempt: { n: 1 } });
    const attempt = failed?.attempt;
    if (attempt === null || attempt === undefined) throw new Error("no attempt");
    expect(await lastLineOf(places(), attempt)).toBe("and a last one");
    const order = async (onlyBad: boolean) =>
      (await all(attemptsOfRun(db, "1", { onlyBad }))).map(({ label }) => label);
    expect([await order(true), await order(false)]).toEqual([["bad"], ["bad", "good"]]);
  });

  test("ends what follows a run that is cancelled, whose attempts end as cancelled by the user", async () => {
    const { db } = world.database;
    const { say, begun } = makeSpeakers();
    const playing = play(world, async (plan) => {
      await say(plan, { name: "one" });
    });
    await begun("one");
    const following = follow("1");
    await cancelRun(db, "1", "not wanted", new Date());
    expect((await following).standing).toBe("cancelled");
    expect((await playing).outcome).toEqual({ kind: "cancelled", runId: "1" });
    const [key] = await findAttempted(db, "", 5);
    expect(await listKeyAttempts(db, key?.key ?? "")).toMatchObject([
      { state: "cancelled", reason: "user", label: null },
    ]);
  });

  test("says how many lines went by, and reads more of them than are read in one go", async () => {
    const { db } = world.database;
    const { say, begun, open } = makeSpeakers();
    const playing = finish(world, async (plan) => {
      await Promise.all(["one", "two"].map((name) => say(plan, { name })));
    });
    await Promise.all(["one", "two"].map(begun));
    const keys = await findAttempted(db, "", 5);
    const at = new Date();
    for (const { key } of keys) {
      const lines = Array.from({ length: 1500 }, (_none, n) => ({
        ...{ key, n: 1, at, seq: n + 2, line: `line ${n + 2}` },
      }));
      await appendLog(db, lines);
    }
    const { lines } = await follow("1", (line) => line === "line 1501" && open("one", "two"));
    expect(
      lines.filter((line) => line.endsWith("lines went by too fast to be followed)")).length,
    ).toBe(2);
    expect(lines.filter((line) => /^line \d+$/.test(line)).length).toBe(2000);
    await playing;
  });

  test("sums up what runs took and what hits saved, and leaves out what nobody has measured", async () => {
    const { db } = world.database;
    const { say, open } = makeSpeakers();
    open("one", "two");
    const both = async (plan: Plan): Promise<void> => {
      await say(plan, { name: "one" });
      // In a scope the same is no hit that saves anything: this run has made it.
      await plan.scope("again", (own) => say(own, { name: "one" }));
      await say(plan, { name: "two" });
    };
    await finish(world, both);
    await finish(world, both);
    const [first, second] = [
      await sumUsage(db, { runId: "1" }),
      await sumUsage(db, { runId: "2" }),
    ];
    const [made] = first;
    expect(first).toMatchObject([{ pipeline: "test", step: "say", attempts: 2, hits: 0 }]);
    expect(made).toMatchObject({ cpuMeasured: 0, cpuMs: 0, memoryMeasured: 0 });
    expect(made?.vcpuMs).toBeCloseTo(made?.wallMs ?? -1, 6);
    expect(made?.memoryMiBMs).toBeCloseTo(8 * (made?.wallMs ?? -1), 6);
    expect(second).toMatchObject([{ attempts: 0, wallMs: 0, hits: 2 }]);
    expect(second[0]?.saved).toEqual({
      wallMs: made?.wallMs,
      vcpuMs: made?.vcpuMs,
      memoryMiBMs: made?.memoryMiBMs,
    });
    const since = new Date(Date.now() - 3_600_000);
    expect(totalOf(await sumUsage(db, { since }))).toMatchObject({ attempts: 2, hits: 2 });
    expect(await countRuns(db, since)).toBe(2);
    expect(await countRuns(db, new Date(Date.now() + 3_600_000))).toBe(0);
  });
});

describe("standingOf(run, isDead)", () => {
  test("tells a run that waits from one that was handed back, and who is dead from who is silent", async () => {
    const world = await openWorld("postgres");
    const { db } = world.database;
    const asked = { pipeline: "p", params: null, build: "b", requestedBy: "me", priority: 0 };
    await requestRun(db, asked);
    const [run] = await listActive(db, 10);
    await world.close();
    if (run === undefined) throw new Error("no run");
    const worker = { status: "running", attempt: 1, identity: identifyProcess() } as const;
    const cases: readonly (readonly [object, boolean, Standing])[] = [
      [{}, false, "queued"],
      [{ attempt: 2 }, false, "handedBack"],
      [{ ...worker, isLapsed: false }, false, "running"],
      [{ ...worker, isLapsed: true }, false, "silent"],
      [{ ...worker, isLapsed: false }, true, "dead"],
      [{ ...worker, isLapsed: true, identity: null }, true, "silent"],
      [{ ...worker, status: "failed" }, true, "failed"],
    ];
    for (const [change, isDead, standing] of cases) {
      expect(standingOf({ ...run, ...change }, () => isDead)).toBe(standing);
    }
  });
});
